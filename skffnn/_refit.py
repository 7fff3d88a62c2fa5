"""The second training, on all rows, after a hold-out has told for how long."""

import math
from dataclasses import replace
from typing import Any

from skffnn._build import build_network, build_run, new_state
from skffnn._data import Data
from skffnn._losses import resolve_loss
from skffnn.core.monitor import StopReason
from skffnn.core.plan import Run
from skffnn.core.state import TrainingState

__all__ = ["build_refit", "is_due", "reason_of_both"]

# A training that ended so was broken off, and is not repeated.
BROKEN_OFF = (
    StopReason.CALLBACK,
    StopReason.DIVERGED,
    StopReason.INTERRUPTED,
    StopReason.MAX_TIME,
)
# How the repetition should end; anything else is news.
EXPECTED = (StopReason.CONVERGED, StopReason.MAX_ITER)


def is_due(estimator: Any, data: Data, run: Run, reason: StopReason) -> bool:
    """Return whether there are rows to add, and `run` has told for how many epochs."""
    held_out = run.monitor.holdout_loss is not None and data.validation is None
    found = run.state.best_epoch > 0 and reason not in BROKEN_OFF
    return bool(estimator.refit) and held_out and found


def reason_of_both(run: Run, reason: StopReason) -> StopReason:
    """Return why the first training ended, unless the second one met with trouble."""
    return run.refit if run.refit is not None and reason in EXPECTED else reason


def build_refit(
    estimator: Any, data: Data, judged: TrainingState, reason: StopReason
) -> Run:
    """Put the training on all rows together that follows one with a hold-out.

    It begins with the same weights and takes the best number of epochs, whatever
    becomes of the training loss. Time is not limited again.

    Parameters
    ----------
    estimator : FFNNClassifier or FFNNRegressor
        Its parameters are read.
    data : Data
        All rows.
    judged : TrainingState
        That of the training with a hold-out, whose verdicts are kept.
    reason : StopReason
        Why that one ended.
    """
    loss = resolve_loss(estimator, data.kind)
    network = build_network(estimator, loss, data)
    rows = slice(0, data.n_rows)
    state = new_state(estimator, judged.seed, network, loss, data, rows)
    run = build_run(
        estimator, network, loss, data, rows, None, state, incremental=False
    )
    state.best_epoch = judged.best_epoch
    state.validation_loss_curve = list(judged.validation_loss_curve)
    state.validation_scores = list(judged.validation_scores)
    plan = replace(run.plan, max_epochs=judged.best_epoch, max_time=math.inf)
    if run.monitor.plateau_factor == 1.0:
        run.monitor.patience = math.inf
    return replace(run, plan=plan, refit=reason)
