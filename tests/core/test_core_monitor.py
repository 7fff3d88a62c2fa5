import math

import numpy as np
import pytest
from core_tools import make_state
from numpy.testing import assert_array_equal

from skffnn.core.divergence import (
    block_has_exploded,
    has_exploded,
    is_out_of_hand,
    leave_a_lost_average,
)
from skffnn.core.monitor import MIN_RATE, Monitor, StopReason
from skffnn.core.state import Average


def watch(losses, tol=0.0, patience=3, **settings):
    """Judge epochs of the given losses; params hold the epoch's number."""
    monitor = Monitor(tol, patience, **settings)
    state = make_state(np.zeros(2))
    monitor.begin(state)
    reasons = []
    for epoch, loss in enumerate(losses, start=1):
        state.params[...] = epoch
        reasons.append(monitor.judge(loss, state))
    return monitor, state, reasons


def never(params):
    raise AssertionError("the loss of the best epoch is known")


def holdout_losses(*losses):
    remaining = iter(losses)
    return lambda _: next(remaining)


def test_training_ends_after_exactly_patience_epochs_without_improvement():
    _, _, reasons = watch([1.0, 0.9, 0.9, 0.9, 0.9], patience=3)
    assert reasons == [None, None, None, None, StopReason.CONVERGED]


def test_patience_of_one_ends_with_the_first_epoch_that_does_not_improve():
    _, _, reasons = watch([1.0, 0.9, 0.9], patience=1)
    assert reasons == [None, None, StopReason.CONVERGED]


def test_an_improvement_starts_the_patience_again():
    _, _, reasons = watch([1.0, 1.1, 1.1, 0.9, 1.1, 1.1, 1.1], patience=3)
    assert reasons == [*[None] * 6, StopReason.CONVERGED]


def test_an_improvement_is_by_more_than_tol():
    _, _, reasons = watch([1.0, 0.9, 0.8, 0.7], tol=0.25, patience=3)
    assert reasons[-1] is StopReason.CONVERGED
    _, _, reasons = watch([1.0, 0.7, 0.4, 0.1], tol=0.25, patience=1)
    assert reasons == [None] * 4


def test_of_a_loss_above_one_tol_is_a_share():
    _, _, reasons = watch([100.0, 99.0, 98.0], tol=0.05, patience=2)
    assert reasons[-1] is StopReason.CONVERGED
    _, _, reasons = watch([100.0, 90.0, 80.0], tol=0.05, patience=1)
    assert reasons == [None] * 3


def test_a_plateau_lowers_the_rate_and_then_waits_again():
    losses = [1.0] * 7
    _, state, reasons = watch(losses, patience=3, plateau_factor=0.2, rate=0.1)
    assert reasons == [None] * 7
    assert state.rate_factor == pytest.approx(0.2**2)
    assert state.stalled_epochs == 0


def test_plateaus_end_when_the_rate_has_become_too_small_to_matter():
    settings = {"patience": 1, "plateau_factor": 0.2, "rate": 0.1}
    _, state, reasons = watch([1.0] * 30, **settings)
    n_cuts = math.ceil(math.log(MIN_RATE / 0.1, 0.2))
    assert reasons.index(StopReason.CONVERGED) == 1 + n_cuts
    assert 0.1 * state.rate_factor <= MIN_RATE


def test_the_hold_out_decides_where_there_is_one():
    loss = holdout_losses(0.5, 0.6, 0.7)
    _, state, reasons = watch([3.0, 2.0, 1.0], patience=2, holdout_loss=loss)
    assert reasons == [None, None, StopReason.EARLY_STOPPING]
    assert state.loss_curve == [3.0, 2.0, 1.0]
    assert state.validation_scores == [-0.5, -0.6, -0.7]


def test_with_a_hold_out_the_best_epoch_is_given_back_whatever_came_later():
    loss = holdout_losses(0.5, 0.4, 0.7)
    monitor, state, _ = watch([1.0] * 3, holdout_loss=loss)
    state.optimizer_state = {"momentum": 1.0}
    monitor.restore(state, StopReason.MAX_ITER, never)
    assert_array_equal(state.params, 2.0)
    assert state.optimizer_state is None


def test_without_one_the_last_epoch_stays():
    monitor, state, _ = watch([0.5, 0.4, 0.7])
    state.optimizer_state = {"momentum": 1.0}
    monitor.restore(state, StopReason.MAX_ITER, never)
    assert_array_equal(state.params, 3.0)
    assert state.optimizer_state is not None


broken_off = pytest.mark.parametrize(
    "reason", [StopReason.INTERRUPTED, StopReason.DIVERGED]
)


@broken_off
def test_where_training_broke_off_the_best_measured_epoch_is_given_back(reason):
    monitor, state, _ = watch([0.5, 0.4, 0.7], exact=True)
    state.params[...] = 99.0
    monitor.restore(state, reason, never)
    assert_array_equal(state.params, 2.0)


@broken_off
@pytest.mark.parametrize(("last_loss", "restored"), [(0.3, 3.0), (0.45, 1.0)])
def test_a_loss_measured_along_the_way_is_that_of_the_epochs_beginning(
    reason, last_loss, restored
):
    """Epoch 2 had the lowest loss, so its beginning was good; the end is measured."""
    monitor, state, _ = watch([0.5, 0.4, 0.7])
    state.params[...] = 99.0
    monitor.restore(state, reason, lambda _: last_loss)
    assert_array_equal(state.params, restored)


@broken_off
def test_the_best_epoch_may_be_better_by_less_than_tol(reason):
    monitor, state, _ = watch([0.5, 0.49, 0.48], tol=0.1, exact=True)
    monitor.restore(state, reason, never)
    assert_array_equal(state.params, 3.0)


@pytest.mark.parametrize(
    ("losses", "exploded"),
    [
        ([0.5, 1.4], False),
        ([0.5, 1.6], True),
        ([10.0, 19.0], False),
        ([10.0, 21.0], True),
        ([-10.0, -1.0], False),
        ([-10.0, 1.0], True),
        ([0.5, math.nan], True),
    ],
)
def test_a_loss_has_exploded_where_it_has_doubled_or_grown_by_one(losses, exploded):
    _, state, _ = watch(losses)
    measure = (lambda _: losses[-1]) if exploded else never
    assert has_exploded(state, measure) == exploded


def test_a_loss_that_was_large_on_the_way_has_not_exploded():
    _, state, _ = watch([0.5, 1.6])
    assert not has_exploded(state, lambda _: 0.3)


@pytest.mark.parametrize(
    ("before", "loss", "lost"),
    [(0.5, 999.0, False), (0.5, 1001.0, True), (-7.0, 6e3, False), (7.0, 8e3, True)],
)
def test_an_epoch_is_lost_where_its_loss_is_a_thousand_times_what_it_was(
    before, loss, lost
):
    _, state, _ = watch([])
    measure = (lambda _: before) if loss > 1000.0 else never
    assert is_out_of_hand(loss, state, measure) == lost
    _, state, _ = watch([9e9, before, 9e9])
    assert is_out_of_hand(loss, state, never) == lost


@pytest.mark.parametrize(("of_average", "kept"), [(1.4, True), (1.6, False)])
def test_an_average_that_is_much_worse_than_the_last_iterate_is_left(of_average, kept):
    _, state, _ = watch([0.5])
    leave_a_lost_average(state, never)
    assert_array_equal(state.params, 1.0)
    state.average = Average(np.full(2, 7.0))
    losses = {1.0: of_average, 7.0: 0.5}
    leave_a_lost_average(state, lambda params: losses[params[0]])
    assert_array_equal(state.params, 1.0 if kept else 7.0)
    assert (state.average is not None) == kept  # what is left does not count any more


@pytest.mark.parametrize(("after", "exploded"), [(3.0, False), (9.0, True)])
@pytest.mark.parametrize("before", [[], [0.5]])
def test_a_block_has_exploded_where_its_own_rows_say_so(before, after, exploded):
    _, state, _ = watch([])
    state.loss_curve += before
    state.params += 1.0
    measured = {0.0: 2.0, 1.0: after}
    measure = lambda params: measured[params[0]]  # noqa: E731
    assert block_has_exploded(5.0, state, measure) == exploded


def test_a_block_like_the_first_is_not_measured():
    _, state, _ = watch([0.5])
    assert not block_has_exploded(1.4, state, never)


def test_a_divergence_in_the_first_epoch_gives_back_the_start():
    monitor, state, _ = watch([])
    state.params[...] = np.nan
    monitor.restore(state, StopReason.DIVERGED, lambda _: 1.0)
    assert_array_equal(state.params, 0.0)


def test_the_parameters_array_stays_the_same_object():
    loss = holdout_losses(0.5, 0.6)
    monitor, state, _ = watch([1.0] * 2, holdout_loss=loss)
    params = state.params
    monitor.restore(state, StopReason.MAX_ITER, never)
    assert state.params is params
    state.params += 10.0
    monitor.restore(state, StopReason.MAX_ITER, never)
    assert_array_equal(state.params, 1.0)


def test_of_a_loss_below_minus_one_tol_is_a_share_too():
    _, _, reasons = watch([-100.0, -101.0, -102.0], tol=0.05, patience=2)
    assert reasons[-1] is StopReason.CONVERGED


def test_a_hold_out_that_comes_later_does_not_compare_with_what_judged_before():
    _, state, _ = watch([-5.0, -5.0], patience=3)
    assert (state.best_loss, state.stalled_epochs) == (-5.0, 1)
    state.progress = None
    later = Monitor(
        0.0, 3, holdout_loss=holdout_losses(2.5, 2.0, 1.0), incremental=True
    )
    later.begin(state)
    assert later.judge(-5.0, state) is None
    assert (state.best_loss, state.stalled_epochs) == (2.0, 0)


def test_a_hold_out_that_comes_later_may_prefer_what_there_was():
    _, state, _ = watch([3.0, 2.0])
    state.progress, before = None, state.params.copy()
    losses = holdout_losses(1.0, 5.0, 6.0)
    for call in range(2):
        later = Monitor(0.0, 1, holdout_loss=losses, incremental=True)
        later.begin(state)
        state.params += 1.0
        reason = later.judge(1.0, state)
        assert state.progress.best_loss == 1.0
        assert (reason is StopReason.EARLY_STOPPING) == (call == 1)
    later.restore(state, reason, never)
    assert_array_equal(state.params, before)


def test_after_a_hold_out_the_training_loss_compares_with_itself():
    _, state, _ = watch([3.0, 2.0], holdout_loss=holdout_losses(-9.0, -9.0))
    assert state.best_loss == -9.0
    state.progress, state.epoch = None, 2
    later = Monitor(0.0, 2, incremental=True)
    later.begin(state)
    assert later.judge(1.0, state) is None
    assert (state.best_loss, state.stalled_epochs) == (1.0, 0)


def test_what_belongs_to_another_place_is_forgotten_when_the_best_is_restored():
    monitor, state, _ = watch([1.0, 1.0], holdout_loss=holdout_losses(1.0, 2.0))
    state.optimizer_state, state.average = {"t": 2}, Average(np.ones(2))
    monitor.restore(state, StopReason.MAX_ITER, never)
    assert_array_equal(state.params, 1.0)
    assert state.optimizer_state is None
    assert state.average is None


def test_what_was_best_to_the_end_is_not_restored():
    monitor, state, _ = watch([1.0, 1.0], holdout_loss=holdout_losses(2.0, 1.0))
    state.optimizer_state = {"t": 2}
    monitor.restore(state, StopReason.MAX_ITER, never)
    assert state.optimizer_state == {"t": 2}


def test_a_score_is_not_asked_for_where_the_loss_is_not_finite():
    def score(params):
        raise AssertionError

    monitor = Monitor(0.0, 3, holdout_loss=lambda _: math.nan, holdout_score=score)
    loss, negative = monitor.ask_holdout(np.zeros(2))
    assert math.isnan(loss)
    assert math.isnan(negative)


def test_the_clock_stands_where_the_last_epoch_ended(monkeypatch):
    now = iter([10.0, 13.0, 100.0, 101.0])
    monkeypatch.setattr("skffnn.core.monitor.monotonic", lambda: next(now))
    monitor, state, _ = watch([1.0])
    assert state.progress.seconds == 3.0
    monitor.resume(state)  # at 100
    assert monitor.seconds() == 4.0
