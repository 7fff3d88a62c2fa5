"""The monitor watches one call of fit: when has training stalled, what was best."""

import math
from collections.abc import Callable
from enum import StrEnum

import numpy as np

from skffnn.core.state import TrainingState
from skffnn.core.typing import Array

__all__ = ["MIN_RATE", "Monitor", "StopReason"]

# A schedule that lowers the rate when training stalls ends it below this rate.
MIN_RATE = 1e-6


class StopReason(StrEnum):
    """Why training ended."""

    CONVERGED = "converged"
    EARLY_STOPPING = "early_stopping"
    MAX_ITER = "max_iter"
    MAX_FUN = "max_fun"
    LINE_SEARCH = "line_search"
    CALLBACK = "callback"
    INTERRUPTED = "interrupted"
    DIVERGED = "diverged"


class Monitor:
    """Judges every epoch by the hold-out's loss, or by the training loss.

    Parameters
    ----------
    tol : float
        An epoch improves on the best one if its loss is lower by more than this, or by
        this share of it where the loss is above one: the unit of y must not matter.
    patience : int
        Epochs in a row without improvement after which training has stalled.
    plateau_factor : float
        What the rate is multiplied with when training stalls; one: end instead.
    rate : float
        The learning rate that the factors act on.
    holdout_loss : callable or None
        Maps params to the mean loss on rows that are not trained on.
    """

    def __init__(
        self,
        tol: float,
        patience: int,
        plateau_factor: float = 1.0,
        rate: float = 1.0,
        holdout_loss: Callable[[Array], float] | None = None,
    ) -> None:
        self.tol = tol
        self.patience = patience
        self.plateau_factor = plateau_factor
        self.rate = rate
        self.holdout_loss = holdout_loss

    def begin(self, state: TrainingState) -> None:
        """Remember where training starts: the best there is so far."""
        self._best_params = state.params.copy()
        self._best_loss = math.inf

    def judge(self, loss: float, state: TrainingState) -> StopReason | None:
        """Record an epoch and say whether training should end after it.

        Parameters
        ----------
        loss : float
            Mean training loss of the epoch.
        state : TrainingState
            After the epoch. Gets its curves, its patience and, on a plateau, its
            rate changed.
        """
        state.loss_curve.append(loss)
        if self.holdout_loss is not None:
            loss = self.holdout_loss(state.params)
            state.validation_scores.append(-loss)
        if loss < self._best_loss:
            self._best_loss = loss
            np.copyto(self._best_params, state.params)
        gained = loss < state.best_loss - self.tol * max(1.0, abs(loss))
        state.best_loss = min(state.best_loss, loss)
        state.stalled_epochs = 0 if gained else state.stalled_epochs + 1
        if state.stalled_epochs < self.patience:
            return None
        if self.plateau_factor != 1.0 and self.rate * state.rate_factor > MIN_RATE:
            state.rate_factor *= self.plateau_factor
            state.stalled_epochs = 0
            return None
        if self.holdout_loss is not None:
            return StopReason.EARLY_STOPPING
        return StopReason.CONVERGED

    def restore(self, state: TrainingState, reason: StopReason) -> None:
        """Give `state` the best epoch's parameters, where they are what it should have.

        That is with a hold-out, and where training was broken off. The optimizer then
        starts afresh: its moments belong to another place.
        """
        broken = reason is StopReason.DIVERGED or not np.isfinite(state.params).all()
        wanted = self.holdout_loss is not None or reason is StopReason.INTERRUPTED
        if (
            broken or (wanted and math.isfinite(self._best_loss))
        ) and not np.array_equal(state.params, self._best_params):
            np.copyto(state.params, self._best_params)
            state.optimizer_state = None
