import pickle
from dataclasses import replace

import numpy as np
import pytest
from core_tools import (
    FIRST_ORDER,
    SPARSE_FORMATS,
    Recorder,
    UserLoss,
    make_objective,
    make_plan,
    make_state,
    run,
    value_and_gradient,
)
from numpy.testing import assert_allclose, assert_array_equal

from skffnn.core import training
from skffnn.core.batches import SOLVERS, Batches
from skffnn.core.divergence import MAX_HALVINGS
from skffnn.core.memory import LINE_BYTES, copied
from skffnn.core.monitor import Monitor, StopReason
from skffnn.core.objective import Objective
from skffnn.core.optimizers import LBFGS, OPTIMIZERS
from skffnn.core.plan import Run
from skffnn.core.schedules import SCHEDULES, OneCycle, Schedule

every_first_order = pytest.mark.parametrize("name", FIRST_ORDER)
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


def shuffled(objective, name):
    batch_only = OPTIMIZERS[name].solvers == ("batch",)
    size = len(objective.y) if batch_only else 3
    return Batches(slice(0, len(objective.y)), size, shuffle=True)


def best_finished(recorder, state):
    return recorder.params[int(np.argmin(state.loss_curve))]


class FailsAtStep(Schedule):
    """A schedule that is constant up to a step and then does what it is told."""

    def __init__(self, step, answer):
        self._step, self._answer = step, answer

    def __call__(self, step, n_steps):
        if step < self._step:
            return 1.0
        if isinstance(self._answer, type):
            raise self._answer
        return self._answer


@every_optimizer
def test_training_lowers_j(name):
    objective, params = make_objective(alpha=0.01)
    state = make_state(params)
    assert run(objective, make_plan(objective, name), state) in (
        StopReason.MAX_ITER,
        StopReason.CONVERGED,
    )
    before, _ = value_and_gradient(objective, params)
    after, _ = value_and_gradient(objective, state.params)
    assert after < before


@every_optimizer
def test_params_stay_the_same_array_of_the_same_dtype(name):
    objective, params = make_objective(dtype=np.float32)
    state = make_state(params)
    array = state.params
    run(objective, make_plan(objective, name, max_epochs=3), state)
    assert state.params is array
    assert array.dtype == np.float32
    assert not np.array_equal(array, params)


# Rprop makes one of its vectors in its first step.
@pytest.mark.parametrize("name", [name for name in FIRST_ORDER if name != "rprop"])
def test_steps_are_on_vectors_that_begin_with_a_line_of_the_cache(name):
    objective, params = make_objective()
    places = set()

    class Watched(type(OPTIMIZERS[name]())):
        def step(self, params, grad, state, rate, value):
            arrays = [v for v in state.values() if isinstance(v, np.ndarray)]
            places.update(v.ctypes.data % LINE_BYTES for v in (params, grad, *arrays))
            super().step(params, grad, state, rate, value)

    plan = replace(make_plan(objective, name), optimizer=Watched())
    state = make_state(params).copy()
    run(objective, plan, state)
    late = copied(np.append(0.0, state.params))[1:]  # as out of a pickle
    state = replace(state, params=late).copy()
    assert late.ctypes.data % LINE_BYTES != 0
    run(objective, plan, state)
    assert places == {0}


@every_optimizer
@pytest.mark.parametrize("sparse", SPARSE_FORMATS)
def test_sparse_rows_train_like_dense_ones(name, sparse):
    states = []
    for form in (None, sparse):
        objective, params = make_objective(sparse=form, alpha=0.01)
        states.append(make_state(params))
        batches = shuffled(objective, name)
        run(objective, make_plan(objective, name, batches=batches), states[-1])
    assert_allclose(states[1].params, states[0].params, rtol=1e-7, atol=1e-9)


@every_first_order
def test_k_epochs_are_one_epoch_k_times_with_a_pickle_in_between(name):
    objective, params = make_objective()
    batches = shuffled(objective, name)
    at_once, piecewise = make_state(params), make_state(params)
    run(objective, make_plan(objective, name, batches=batches, max_epochs=5), at_once)
    for _ in range(5):
        run(
            objective,
            make_plan(objective, name, batches=batches, max_epochs=1),
            piecewise,
        )
        piecewise = pickle.loads(pickle.dumps(piecewise))
    assert_array_equal(piecewise.params, at_once.params)
    assert piecewise.loss_curve == at_once.loss_curve
    assert (piecewise.step, piecewise.epoch) == (at_once.step, at_once.epoch)


def test_steps_epochs_and_rows_are_counted():
    objective, params = make_objective()
    state, recorder = make_state(params), Recorder()
    batches = Batches(slice(0, 8), 3, shuffle=True)
    run(objective, make_plan(objective, batches=batches, max_epochs=4), state, recorder)
    assert (state.step, state.epoch, state.rows_seen) == (12, 4, 32)
    assert len(state.loss_curve) == len(recorder.params) == recorder.begun == 4


def test_the_solvers_agree_where_they_must():
    objective, params = make_objective()

    def trained(shuffle):
        state = make_state(params)
        run(
            objective,
            make_plan(objective, batches=Batches(slice(0, 8), 8, shuffle)),
            state,
        )
        return state.params

    assert SOLVERS["batch"](8, 2) == SOLVERS["mini-batch"](8, 8)
    assert SOLVERS["stochastic"](8, 200) == SOLVERS["mini-batch"](8, 1)
    assert_array_equal(trained(shuffle=False), trained(shuffle=True))


def test_rows_held_out_are_never_looked_at():
    objective, params = make_objective()
    objective.X[[0, 5]] = np.nan
    state = make_state(params)
    batches = Batches(np.array([1, 2, 3, 4, 6, 7]), 4, shuffle=True)
    assert run(objective, make_plan(objective, batches=batches), state) is (
        StopReason.MAX_ITER
    )


def test_the_loss_of_an_epoch_is_the_mean_of_j_over_its_rows():
    objective, params = make_objective(alpha=0.1)
    state = make_state(params)
    batches = Batches(slice(0, 8), 3, shuffle=False)
    plan = make_plan(objective, rate=1e-300, batches=batches, max_epochs=1)
    run(objective, plan, state)
    assert state.loss_curve == pytest.approx([value_and_gradient(objective, params)[0]])


def test_patience_is_exact():
    objective, params = make_objective()
    state = make_state(params)
    plan = make_plan(objective, rate=1e-300, max_epochs=50)
    assert run(objective, plan, state, patience=3) is StopReason.CONVERGED
    assert state.epoch == 1 + 3


def test_a_schedule_is_asked_with_the_steps_taken_and_planned():
    objective, params = make_objective()
    asked = []

    class Asked(Schedule):
        def __call__(self, step, n_steps):
            asked.append((step, n_steps))
            return 1.0

    state = make_state(params)
    plan = make_plan(objective, schedule=Asked(), max_epochs=2)
    run(objective, plan, state)
    assert asked == [(step, 8) for step in range(8)]
    asked.clear()
    run(objective, plan, state)
    assert asked == [(step, 16) for step in range(8, 16)]


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_rate_of_a_step_is_the_rate_times_the_factor(name):
    objective, params = make_objective()
    schedule = SCHEDULES[name]()
    state = make_state(params)
    plan = make_plan(
        objective, OPTIMIZERS["sgd"](momentum=0.0), schedule=schedule, max_epochs=1
    )
    run(objective, plan, state)
    for step in range(4):
        rows = slice(2 * step, 2 * step + 2)
        _, grad = value_and_gradient(objective, params, rows)
        params = params - 0.01 * schedule(step, 4) * grad
    assert_allclose(state.params, params, rtol=1e-13)


def test_a_schedule_sets_the_momentum_of_sgd():
    objective, params = make_objective()
    schedule = OneCycle()
    state = make_state(params)
    plan = make_plan(
        objective,
        OPTIMIZERS["sgd"](nesterovs_momentum=False),
        schedule=schedule,
        max_epochs=1,
    )
    run(objective, plan, state)
    velocity = np.zeros_like(params)
    for step in range(4):
        rows = slice(2 * step, 2 * step + 2)
        _, grad = value_and_gradient(objective, params, rows)
        velocity *= schedule.momentum(step, 4)
        velocity -= 0.01 * schedule(step, 4) * grad
        params = params + velocity
    assert_allclose(state.params, params, rtol=1e-13)


class SometimesHeavy(Schedule):
    """Another momentum in the second step, and the optimizer's own in all others."""

    def __call__(self, step, n_steps):
        return 1.0

    def momentum(self, step, n_steps):
        return 0.3 if step == 1 else None


def test_a_schedule_that_asks_for_no_momentum_leaves_the_optimizer_its_own():
    objective, params = make_objective()
    state = make_state(params)
    sgd = OPTIMIZERS["sgd"](momentum=0.8, nesterovs_momentum=False)
    plan = make_plan(objective, sgd, schedule=SometimesHeavy(), max_epochs=1)
    run(objective, plan, state)
    velocity = np.zeros_like(params)
    for step in range(4):
        rows = slice(2 * step, 2 * step + 2)
        velocity *= 0.3 if step == 1 else 0.8
        velocity -= 0.01 * value_and_gradient(objective, params, rows)[1]
        params = params + velocity
    assert_allclose(state.params, params, rtol=1e-13)


def test_steps_are_bound_once_for_an_epoch_and_a_momentum():
    class Counting(OPTIMIZERS["sgd"]):
        def bind(self, *vectors):
            bound.append(self.momentum)
            return super().bind(*vectors)

    bound = []
    objective, params = make_objective()
    for schedule in (SCHEDULES["constant"](), SometimesHeavy()):
        plan = make_plan(objective, Counting(), schedule=schedule, max_epochs=1)
        run(objective, plan, make_state(params))
    assert bound == [0.9, 0.9, 0.3, 0.9]


@every_first_order
def test_a_schedules_momentum_leaves_other_optimizers_alone(name):
    optimizer = OPTIMIZERS[name]()
    if name == "sgd":
        optimizer = OPTIMIZERS[name](momentum=0.0)
    assert optimizer.with_momentum(0.5) is optimizer


def test_a_plain_subclass_takes_the_momentum_of_a_schedule():
    class Named(OPTIMIZERS["sgd"]):
        def __init__(self, name):
            super().__init__(nesterovs_momentum=False)
            object.__setattr__(self, "name", name)

    one = Named("one")
    other = one.with_momentum(0.5)
    assert (other.name, other.momentum, one.momentum) == ("one", 0.5, 0.9)
    with pytest.raises(ValueError, match="momentum of Named must be"):
        one.with_momentum(1.5)


def test_an_optimizer_begins_afresh_after_another_one():
    objective, params = make_objective()
    states = [make_state(params), make_state(params)]
    adam, batches = OPTIMIZERS["adam"](), Batches(slice(0, 8), 8, False)
    run(objective, make_plan(objective, adam, batches=batches), states[0])
    run(objective, make_plan(objective, LBFGS(), batches=batches), states[0])
    assert states[0].rate is None
    states[1].params[...] = states[0].params
    for state in states:
        run(objective, make_plan(objective, adam, batches=batches), state)
    assert_array_equal(states[0].params, states[1].params)


def test_a_plateau_lowers_the_rate_of_the_steps_after_it():
    objective, params = make_objective()
    state = make_state(params)
    plan = make_plan(objective, OPTIMIZERS["sgd"](momentum=0.0), max_epochs=5)
    run(objective, plan, state, tol=1e9, patience=3, plateau_factor=0.0)
    stalled = make_state(params)
    run(objective, make_plan(objective, plan.optimizer, max_epochs=4), stalled)
    assert_array_equal(state.params, stalled.params)


@every_optimizer
def test_an_observer_stops_training_by_returning_true(name):
    objective, params = make_objective()
    state, recorder = make_state(params), Recorder(stop_after=3)
    reason = run(objective, make_plan(objective, name), state, recorder)
    assert reason is StopReason.CALLBACK
    assert state.epoch == len(recorder.params) == recorder.begun == 3
    assert_array_equal(state.params, recorder.params[-1])


class Interrupts(Recorder):
    def __init__(self, hook, epoch):
        super().__init__()
        self._hook, self._epoch = hook, epoch

    def epoch_begins(self, state):
        super().epoch_begins(state)
        if (self._hook, self._epoch) == ("begins", self.begun):
            raise KeyboardInterrupt

    def epoch_ends(self, state):
        super().epoch_ends(state)
        if (self._hook, self._epoch) == ("ends", self.begun):
            raise KeyboardInterrupt
        return False


@every_optimizer
@pytest.mark.parametrize(("hook", "epoch"), [("begins", 4), ("ends", 3)])
def test_an_interrupt_keeps_the_best_finished_epoch(name, hook, epoch):
    objective, params = make_objective()
    state, observer = make_state(params), Interrupts(hook, epoch)
    reason = run(objective, make_plan(objective, name), state, observer)
    assert reason is StopReason.INTERRUPTED
    assert state.epoch == len(state.loss_curve) == 3
    assert_array_equal(state.params, best_finished(observer, state))


def test_an_interrupt_gives_back_a_better_epoch_than_the_last():
    objective, params = make_objective()
    state, observer = make_state(params), Interrupts("begins", 4)
    uphill = FailsAtStep(4 * 2, -10.0)  # in the third epoch
    sgd = OPTIMIZERS["sgd"](momentum=0.0)
    plan = make_plan(objective, sgd, rate=0.05, schedule=uphill)
    assert run(objective, plan, state, observer) is StopReason.INTERRUPTED
    assert np.argmin(state.loss_curve) == 1
    assert_array_equal(state.params, observer.params[0])  # where that epoch began


def test_an_interrupt_in_mid_epoch_keeps_the_best_finished_one():
    objective, params = make_objective()
    state, recorder = make_state(params), Recorder()
    plan = make_plan(objective, schedule=FailsAtStep(4 * 3 + 2, KeyboardInterrupt))
    assert run(objective, plan, state, recorder) is StopReason.INTERRUPTED
    assert len(recorder.params) == 3
    assert_array_equal(state.params, best_finished(recorder, state))


@pytest.mark.parametrize("name", [n for n in FIRST_ORDER if n != "rprop"])
def test_a_divergence_stops_at_its_batch_and_restores_the_best_finished_epoch(name):
    objective, params = make_objective("identity")
    state, recorder = make_state(params), Recorder()
    plan = make_plan(objective, name, schedule=FailsAtStep(4 * 3 + 1, 1e200))
    assert run(objective, plan, state, recorder) is StopReason.DIVERGED
    assert state.epoch == len(recorder.params) == 3
    assert state.step == 4 * 3 + 2
    assert recorder.failed == len(state.rate_halvings) == MAX_HALVINGS
    assert state.rate_factor == 1.0
    assert_array_equal(state.params, best_finished(recorder, state))


def test_a_divergence_in_the_first_epoch_restores_the_start():
    objective, params = make_objective("identity")
    state, recorder = make_state(params), Recorder()
    plan = make_plan(objective, rate=1e200)
    assert run(objective, plan, state, recorder) is StopReason.DIVERGED
    assert state.epoch == len(state.loss_curve) == len(recorder.params) == 0
    assert_array_equal(state.params, params)


@pytest.mark.parametrize("max_epochs", [1, 2])
def test_a_last_step_into_infinity_does_not_finish_its_epoch(max_epochs):
    objective, params = make_objective("identity")
    objective.y[...] *= 1e3
    state = make_state(params)
    batches = Batches(slice(0, 8), 8, shuffle=False)
    plan = make_plan(objective, rate=1e308, batches=batches, max_epochs=max_epochs)
    assert run(objective, plan, state) is StopReason.DIVERGED
    assert state.epoch == 0
    assert_array_equal(state.params, params)


def test_after_a_divergence_training_can_go_on():
    objective, params = make_objective("identity")
    state = make_state(params)
    failing = make_plan(objective, schedule=FailsAtStep(5, 1e200))
    assert run(objective, failing, state) is StopReason.DIVERGED
    assert run(objective, make_plan(objective), state) is StopReason.MAX_ITER
    assert np.isfinite(state.params).all()
    assert state.loss_curve[-1] < state.loss_curve[0]


def test_a_stalled_epoch_keeps_its_steps():
    # partial_fit trains one epoch per call; a batch that is harder than the best one
    # before is still learned from.
    objective, params = make_objective()
    plan = make_plan(objective, max_epochs=1)
    state = make_state(params)
    run(objective, plan, state, tol=1e9, patience=1)
    before = state.params.copy()
    reason = run(objective, plan, state, tol=1e9, patience=1)
    assert reason is StopReason.CONVERGED
    assert not np.array_equal(state.params, before)


@pytest.mark.parametrize("rows", [slice(0, 8), np.array([1, 2, 4, 7])], ids=str)
def test_a_run_that_converged_has_nothing_to_do_when_it_is_asked_again(rows):
    objective, params = make_objective()

    def train_on(state, objective=objective, **changes):
        batches = Batches(
            rows.copy() if isinstance(rows, np.ndarray) else rows, 2, True
        )
        plan = make_plan(objective, batches=batches, keeps_verdict=True, **changes)
        state.begin_call()
        return run(objective, plan, state, tol=1e-3, patience=2)

    state = make_state(params)
    changes = {"rate": 0.1, "max_epochs": 500}
    assert train_on(state, **changes) is StopReason.CONVERGED
    state = pickle.loads(pickle.dumps(state))
    before, epoch = state.params.copy(), state.epoch
    assert train_on(state, **changes) is StopReason.CONVERGED
    assert_array_equal(state.params, before)
    assert state.epoch == epoch
    train_on(state, **{**changes, "rate": 0.2})
    assert state.epoch > epoch


def test_other_data_are_trained_on_even_if_the_run_before_converged():
    objective, params = make_objective(alpha=0.1)
    state = make_state(params)
    plan = make_plan(objective, "lbfgs", max_epochs=500, tol=1e-3, keeps_verdict=True)
    assert run(objective, plan, state) is StopReason.CONVERGED
    objective.y[...] += 1.0
    epoch = state.epoch
    run(objective, plan, state)
    assert state.epoch > epoch


def test_early_stopping_gives_back_the_best_epoch():
    objective, params = make_objective()
    state, recorder = make_state(params), Recorder()
    losses = iter([0.5, 0.3, 0.4, 0.6, 0.7])
    reason = run(
        objective,
        make_plan(objective),
        state,
        recorder,
        patience=3,
        holdout_loss=lambda _: next(losses),
    )
    assert reason is StopReason.EARLY_STOPPING
    assert state.validation_scores == [-0.5, -0.3, -0.4, -0.6, -0.7]
    assert_array_equal(state.params, recorder.params[1])


class TestLBFGS:
    @staticmethod
    def train(optimizer=None, **changes):
        objective, params = make_objective(alpha=0.1)
        state, recorder = make_state(params), Recorder()
        plan = make_plan(objective, optimizer or LBFGS(), **changes)
        return objective, state, recorder, run(objective, plan, state, recorder)

    def test_it_converges_to_a_vanishing_gradient(self):
        objective, state, _, reason = self.train(tol=1e-4, max_epochs=1000)
        assert reason is StopReason.CONVERGED
        assert np.abs(value_and_gradient(objective, state.params)[1]).max() <= 1e-4

    def test_it_says_what_ran_out(self):
        _, state, _, reason = self.train(max_epochs=3)
        assert reason is StopReason.MAX_ITER
        assert state.epoch == 3
        assert self.train(LBFGS(max_fun=4))[-1] is StopReason.MAX_FUN

    def test_the_loss_curve_is_j_after_each_iteration_and_never_rises(self):
        objective, state, recorder, _ = self.train(max_epochs=30)
        values = [
            value_and_gradient(objective, params)[0] for params in recorder.params
        ]
        assert state.loss_curve == pytest.approx(values, rel=1e-14)
        assert state.loss_curve == sorted(state.loss_curve, reverse=True)
        assert recorder.begun == state.epoch == len(state.loss_curve)
        assert_array_equal(state.params, recorder.params[-1])

    def test_starting_at_the_minimum_is_one_epoch(self):
        objective, params = make_objective(hidden=(), alpha=1.0)
        objective.y[...] = 0.0
        state = make_state(np.zeros_like(params))
        assert run(objective, make_plan(objective, "lbfgs"), state) is (
            StopReason.CONVERGED
        )
        assert state.loss_curve == [0.0]
        assert_array_equal(state.params, 0.0)

    def test_a_gradient_that_leads_nowhere_is_a_failed_line_search(self):
        class Misleading(UserLoss):
            def value_and_gradient(self, y, raw, weight, gradient_out):
                value = super().value_and_gradient(y, raw, weight, gradient_out)
                gradient_out *= -1.0
                return value

        objective, params = make_objective(hidden=())
        wrong = Objective(
            objective.network, Misleading(), 0.0, objective.X, objective.y, None, 8
        )
        assert run(wrong, make_plan(wrong, "lbfgs"), make_state(params)) is (
            StopReason.LINE_SEARCH
        )

    def test_a_divergence_restores_the_best_finished_epoch(self):
        class Breaks(UserLoss):
            calls = 0

            def value_and_gradient(self, y, raw, weight, gradient_out):
                type(self).calls += 1
                value = super().value_and_gradient(y, raw, weight, gradient_out)
                return np.nan if self.calls > 8 else value

        objective, params = make_objective()
        breaking = Objective(
            objective.network, Breaks(), 0.0, objective.X, objective.y, None, 8
        )
        state, recorder = make_state(params), Recorder()
        reason = run(breaking, make_plan(breaking, "lbfgs"), state, recorder)
        assert reason is StopReason.DIVERGED
        assert_array_equal(state.params, recorder.params[-1])


def test_lbfgs_ends_at_its_last_iterate_wherever_the_search_is_broken_off():
    class Capped(UserLoss):
        """Its gradient is no longer the slope where it is long: searches take long."""

        def value_and_gradient(self, y, raw, weight, gradient_out):
            distance = raw - y
            np.copyto(gradient_out, np.clip(distance, -0.01, 0.01))
            return float(np.minimum(np.square(distance), 4.0).sum())

    objective, params = make_objective()
    capped = Objective(
        objective.network, Capped(), 0.0, objective.X, objective.y, None, 8
    )
    state, recorder = make_state(params), Recorder()
    run(capped, make_plan(capped, LBFGS(max_fun=35), max_epochs=200), state, recorder)
    assert_array_equal(state.params, recorder.params[-1])


@pytest.mark.parametrize("max_epochs", [1, 5])
@pytest.mark.parametrize("reason", StopReason)
def test_what_has_come_of_a_run_is_looked_at_where_it_ran_out(
    reason, max_epochs, monkeypatch
):
    left = []
    monkeypatch.setattr(training, "has_exploded", lambda *_: True)
    monkeypatch.setattr(training, "leave_a_lost_average", lambda *_: left.append(1))
    objective, params = make_objective()
    plan = make_plan(objective, max_epochs=max_epochs)
    done = Run(objective, plan, make_state(params), Monitor(0.0, 1))
    ran_out = reason in ("converged", "max_iter", "max_time")
    expected = StopReason.DIVERGED if ran_out else reason
    assert training._in_hindsight(done, reason) is expected
    assert len(left) == (ran_out and max_epochs > 1)


@pytest.mark.parametrize("changes", [{"patience": 7}, {"max_norm": 0.01}], ids=str)
def test_a_run_that_converged_goes_on_if_it_is_asked_for_something_else(changes):
    objective, params = make_objective()
    state = make_state(params)

    def train_on(patience=2, **others):
        batches = Batches(slice(0, 8), 2, True)
        plan = make_plan(
            objective, batches=batches, keeps_verdict=True, rate=0.1, max_epochs=500,
            **others,
        )  # fmt: skip
        state.begin_call()
        return run(objective, plan, state, tol=1e-3, patience=patience)

    assert train_on() is StopReason.CONVERGED
    epoch = state.epoch
    train_on(**changes)
    assert state.epoch > epoch
