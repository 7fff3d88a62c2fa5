"""What is told of a run that ended badly, and what to do about it."""

from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skffnn._warnings import warn
from skffnn.core.batches import spread
from skffnn.core.divergence import MAX_HALVINGS, much_larger
from skffnn.core.monitor import StopReason
from skffnn.core.objective import CHUNK
from skffnn.core.optimizers import LBFGS
from skffnn.core.plan import Run
from skffnn.core.typing import Array

__all__ = ["warn_of_trouble"]

# What to tell the user about an end that is not the wanted one.
TROUBLE = {
    StopReason.MAX_ITER: (
        "max_iter={estimator.max_iter_} epochs ended before training had converged. "
        "Raise max_iter, or raise tol."
    ),
    StopReason.MAX_FUN: (
        "max_fun={estimator.max_fun} evaluations ended before L-BFGS had converged. "
        "Raise max_fun, or raise tol."
    ),
    StopReason.LINE_SEARCH: (
        "L-BFGS stopped in epoch {epoch}: no lower loss was found along its direction. "
        "Features of very different scale do this (scale X: preprocessing='auto'), and "
        "so does float32, whose precision may be used up (raise tol), and so does a "
        "loss with a kink, absolute_error or quantile (choose another optimizer)."
    ),
    StopReason.DIVERGED: (
        "Training diverged after epoch {epoch}: the loss exploded{also}. The "
        "parameters are those of the best finished epoch of this call, or those it "
        "began with. Scale X (preprocessing='auto') and a large y (scale_target=True)."
    ),
    StopReason.INTERRUPTED: (
        "Training was interrupted after epoch {epoch}. The parameters are those of the "
        "best finished epoch."
    ),
}

# Ends after which a look at the network itself is due.
NORMAL = (StopReason.CONVERGED, StopReason.EARLY_STOPPING, StopReason.MAX_ITER)
DEAD = (
    "The network is dead: it predicts the same for all rows, as no hidden unit tells "
    "them apart any more. Scale X (preprocessing='auto'), lower "
    "learning_rate_init, or try activation='leaky_relu'."
)

# Steps that were so few may still be far from anything, and need not be told of.
FEW_EPOCHS = 10
HOPELESS = (
    "Training ended where the loss is much larger than that of the same prediction for "
    "all rows. Scale X (preprocessing='auto') and a large y (scale_target=True), or "
    "choose another optimizer or a lower learning_rate_init."
)

MEMBERS_WITHOUT_ROWS = (
    "Batches of {estimator.batch_size_} rows are fewer than the n_members={n_members} "
    "members: some of these saw no rows. Raise batch_size, or lower n_members."
)


def is_constant(rows: Array) -> bool:
    """Return whether all rows are the same."""
    return bool((rows == rows[0]).all())


def what_is_wrong(run: Run) -> str | None:
    """Return what is wrong with a network that training says is finished.

    It is dead where hidden units hide from the output that rows differ. It is hopeless
    where the same prediction for all rows would be much better: L-BFGS converges where
    a loss that is clipped has no slope, and steps on features of unlike scale may never
    come back from where the first ones went. Looked at are some of the training rows.
    """
    objective, rows = run.objective, run.plan.batches.rows
    network, loss = objective.network, objective.loss
    few = spread(rows, CHUNK)
    X, y = objective.X[few], objective.y[few]
    weight = None if objective.weight is None else objective.weight[few]
    raw = network.raw(X, run.state.params, CHUNK, loss.pool)
    says_the_same = network.activations and is_constant(raw) and not is_constant(y)
    # Rows that differ differ in almost every projection.
    if says_the_same and not is_constant(X @ np.linspace(1.0, 2.0, X.shape[1])):
        return DEAD
    if run.state.epoch < FEW_EPOCHS and not isinstance(run.plan.optimizer, LBFGS):
        return None
    try:
        best = np.asarray(loss.best_constant(y, weight), raw.dtype)
    except ValueError:  # these rows alone have none
        return None
    scratch = np.empty_like(raw)
    ours = loss.value_and_gradient(y, raw, weight, scratch) / len(y)
    guess = np.ascontiguousarray(np.broadcast_to(best, raw.shape))
    theirs = loss.value_and_gradient(y, guess, weight, scratch) / len(y)
    return HOPELESS if much_larger(ours, theirs) else None


def warn_of_trouble(
    estimator: Any, run: Run, reason: StopReason, incremental: bool
) -> None:
    """Say if training did not end as it should, and what to do about it.

    A planned schedule, or partial_fit, should end where `max_iter` does.
    """
    planned_end = incremental or run.plan.planned
    advice = TROUBLE.get(reason)
    if planned_end and reason is StopReason.MAX_ITER:
        advice = None
    if reason in NORMAL and not incremental:
        wrong = what_is_wrong(run)
        if wrong is DEAD or advice is None:  # a run too short is hopeless for that
            advice = wrong
    n_members = run.objective.network.n_members
    if advice is None and run.plan.batches.size < n_members:
        advice = MEMBERS_WITHOUT_ROWS
    if advice is None:
        return
    if reason is StopReason.DIVERGED and estimator.learning_rate_init_ is not None:
        advice += " Or lower learning_rate_init={estimator.learning_rate_init_}."
    # An earlier call of partial_fit may have failed in the same epoch.
    n_halvings = estimator.rate_halvings_.count(estimator.n_iter_ + 1)
    n_halvings = min(n_halvings, MAX_HALVINGS)
    also = f", also at a rate {2**n_halvings} times lower" if n_halvings else ""
    warn(
        advice.format(
            epoch=estimator.n_iter_,
            estimator=estimator,
            also=also,
            n_members=n_members,
        ),
        UserWarning if reason is StopReason.INTERRUPTED else ConvergenceWarning,
    )
