"""The training loop: evaluate J and its gradient, take a step, look at the clock.

`train` reads as the algorithm. What a step is, is the optimizer's business; which
rows it sees, the batches'; when to stop, the monitor's.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from skffnn.core.averaging import Averaging
from skffnn.core.batches import count, spread
from skffnn.core.divergence import (
    Diverged,
    block_has_exploded,
    go_back,
    has_exploded,
    is_out_of_hand,
    leave_a_lost_average,
)
from skffnn.core.dropout import Thin, Thinning, keep_all
from skffnn.core.memory import copied, empty
from skffnn.core.monitor import StopReason
from skffnn.core.objective import CHUNK
from skffnn.core.optimizers import LBFGS, FirstOrder
from skffnn.core.plan import Observer, Plan, Run
from skffnn.core.state import Average, TrainingState
from skffnn.core.typing import Array
from skffnn.core.vectors import blend, clip_columns, clip_norm

__all__ = ["train"]


def train(run: Run, observer: Observer) -> StopReason:
    """Change ``run.state`` until something says stop, and return what did.

    Parameters
    ----------
    run : Run
        What to train, and how.
    observer : Observer
        Is told of each epoch.

    Returns
    -------
    reason : StopReason
        Ctrl-C is one, and so is a loss that explodes, again and again at half the rate:
        the parameters are then those of the finished epoch where the loss was lowest.
    """
    plan, state, monitor = run.plan, run.state, run.monitor
    measure = partial(run.objective.value, rows=plan.batches.rows)
    verdict = _verdict_that_holds(run, measure)
    if verdict is not None:
        return verdict
    state.go_on_with(plan.optimizer, plan.layer_rates, plan.average)
    if run.resumed:
        monitor.resume(state)
    else:
        monitor.begin(state)
    # A diverging loss is found by its value, not by numpy's warnings on the way.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        reason = _take_steps(run, observer)
        monitor.restore(state, reason, measure)
    state.finished = None
    if plan.keeps_verdict and reason in (
        StopReason.CONVERGED,
        StopReason.EARLY_STOPPING,
    ):
        state.finished = (str(reason), *_circumstances(run, measure))
    return reason


def _verdict_that_holds(
    run: Run, measure: Callable[[Array], float]
) -> StopReason | None:
    """Return why the last run ended, if this one would end at once for that reason."""
    if not run.plan.keeps_verdict or run.state.finished is None:
        return None
    reason, *circumstances = run.state.finished
    return StopReason(reason) if circumstances == _circumstances(run, measure) else None


def _circumstances(run: Run, measure: Callable[[Array], float]) -> list[Any]:
    """Return what the end of a run depends on, its data by what they say."""
    params, monitor = run.state.params, run.monitor
    losses = (measure(params), monitor.ask_holdout(params))
    return [run.plan.settings, monitor.patience, *losses]


def _take_steps(run: Run, observer: Observer) -> StopReason:
    """Train until something says stop, be it trouble."""
    take_steps = _minimize if isinstance(run.plan.optimizer, LBFGS) else _descend
    try:
        return _in_hindsight(run, take_steps(run, observer))
    except Diverged:
        return StopReason.DIVERGED
    except KeyboardInterrupt:
        _count_epochs(run)
        return StopReason.INTERRUPTED


def _in_hindsight(run: Run, reason: StopReason) -> StopReason:
    """Return why training ended, after a look at what has come of it."""
    plan, state = run.plan, run.state
    if reason not in (StopReason.CONVERGED, StopReason.MAX_ITER, StopReason.MAX_TIME):
        return reason
    if plan.max_epochs > 1:
        some_rows = spread(plan.batches.rows, CHUNK)
        leave_a_lost_average(state, partial(run.objective.value, rows=some_rows))
    measure = partial(run.objective.value, rows=plan.batches.rows)
    return StopReason.DIVERGED if has_exploded(state, measure) else reason


def _descend(run: Run, observer: Observer) -> StopReason:
    """Epoch after epoch. One that diverges begins again, at half the rate."""
    plan, state, progress = run.plan, run.state, run.state.progress
    assert progress is not None
    if progress.reason is not None:  # broken off between its last epoch and its end
        return StopReason(progress.reason)
    grad = empty(state.params.size, state.params.dtype)
    n_steps = plan.n_steps(progress.first_step)
    thin: Thin = keep_all
    if any(plan.dropout.rates):
        max_rows = min(plan.batches.size, CHUNK)
        thin = Thinning(plan.dropout, run.objective.network, state, n_steps, max_rows)
    for _ in range(progress.first_epoch + plan.max_epochs - state.epoch):
        observer.epoch_begins(state)
        finished = False
        while not finished:
            try:
                loss = _pass_over_rows(run, grad, n_steps, thin)
                reason = _end_epoch(loss, run, observer)
                finished = True
            except Diverged:
                if not go_back(state):
                    raise
                observer.epoch_fails(state)
        if reason is not None:
            return reason
    return StopReason.MAX_ITER


def _pass_over_rows(run: Run, grad: Array, n_steps: int, thin: Thin) -> float:
    """Batch after batch: one step each. Return the mean of J along the way."""
    objective, plan, state = run.objective, run.plan, run.state
    optimizer, schedule, params = plan.optimizer, plan.schedule, _iterate(plan, state)
    assert isinstance(optimizer, FirstOrder)
    layout = objective.network.layout
    if state.optimizer_state is None:
        state.optimizer_state = optimizer.init(
            layout.size, layout.n_weights, params.dtype
        )
    vectors = params, grad, state.optimizer_state, run.rate_factors
    stepper, step = optimizer, optimizer.bind(*vectors)
    limited = []
    if plan.max_norm < math.inf:
        limited = layout.groups(params)["weights"][:-1]
    total = 0.0
    for rows in plan.batches.epoch(state.rng):
        value = objective.value_and_gradient(params, grad, rows, thin)
        if not math.isfinite(value):
            raise Diverged
        if plan.max_grad_norm < math.inf:
            clip_norm(grad, plan.max_grad_norm)
        rate = float(plan.rate * state.rate_factor * schedule(state.step, n_steps))
        state.rate = rate
        momentum = schedule.momentum(state.step, n_steps)
        wanted = optimizer if momentum is None else optimizer.with_momentum(momentum)
        if wanted is not stepper:
            stepper, step = wanted, wanted.bind(*vectors)
        step(rate, value)
        for W in limited:
            clip_columns(W, plan.max_norm)
        if plan.average is not None:
            _take_into_average(plan.average, state)
        state.step += 1
        total += value * count(rows)
    return total / count(plan.batches.rows)


def _iterate(plan: Plan, state: TrainingState) -> Array:
    """Return the vector that steps change: the parameters, or what they average."""
    if plan.average is None:
        return state.params
    if state.average is None:
        state.average = Average(copied(state.params))
    return state.average.iterate


def _take_into_average(average: Averaging, state: TrainingState) -> None:
    """Let one more iterate count in the parameters."""
    assert state.average is not None
    state.average.n += 1
    blend(state.params, state.average.iterate, average.weight(state.average.n))


def _minimize(run: Run, observer: Observer) -> StopReason:
    """Hand the objective to L-BFGS; one of its iterations is one epoch."""
    objective, plan, state = run.objective, run.plan, run.state
    assert isinstance(plan.optimizer, LBFGS)
    grad = empty(state.params.size, state.params.dtype)
    between_epochs = True
    reason = None

    def evaluate(x: Array) -> tuple[float, Array]:
        nonlocal between_epochs
        if between_epochs:
            observer.epoch_begins(state)
            between_epochs = False
        state.params[...] = x
        value = objective.value_and_gradient(state.params, grad, plan.batches.rows)
        if not math.isfinite(value):
            raise Diverged
        return value, grad.astype(np.float64)

    def iteration_ends(x: Array, value: float) -> bool:
        nonlocal between_epochs, reason
        between_epochs = True
        state.params[...] = x
        state.step += 1
        reason = _end_epoch(float(value), run, observer)
        return reason is not None

    epoch = state.epoch
    ended, x, value = plan.optimizer.minimize(
        evaluate, state.params, iteration_ends, plan.max_epochs, plan.tol
    )
    state.params[...] = x
    if state.epoch == epoch:  # it ended where it started: that counts as an epoch
        iteration_ends(x, value)
    return StopReason(ended) if reason is None else reason


def _count_epochs(run: Run) -> None:
    """Count what the loss curve has: an interrupt may come after any of its entries."""
    state = run.state
    n_epochs = len(state.loss_curve) - state.epoch
    n_rows = n_epochs * count(run.plan.batches.rows)
    state.epoch += n_epochs
    state.rows_seen += n_rows


def _end_epoch(loss: float, run: Run, observer: Observer) -> StopReason | None:
    """Count the epoch, have it judged, and tell the observer."""
    state, plan = run.state, run.plan
    if not math.isfinite(float(state.params.sum())):
        raise Diverged
    measure = partial(run.objective.value, rows=plan.batches.rows)
    explodes = block_has_exploded if plan.max_epochs == 1 else is_out_of_hand
    if explodes(loss, state, measure):
        raise Diverged
    reason = run.monitor.judge(loss, state)
    _count_epochs(run)
    stop = observer.epoch_ends(state)
    if reason is None and stop:
        return StopReason.CALLBACK
    if reason is None and run.monitor.seconds() > plan.max_time:
        return StopReason.MAX_TIME
    return reason
