"""The monitor watches one call of fit: when has training stalled, what was best."""

import math
from collections.abc import Callable
from enum import StrEnum
from time import monotonic

import numpy as np

from skffnn.core.state import TrainingState
from skffnn.core.typing import Array

__all__ = ["MIN_RATE", "Diverged", "Monitor", "StopReason"]

# A schedule that lowers the rate when training stalls ends it below this rate.
MIN_RATE = 1e-6


class StopReason(StrEnum):
    """Why training ended."""

    CONVERGED = "converged"
    EARLY_STOPPING = "early_stopping"
    MAX_ITER = "max_iter"
    MAX_FUN = "max_fun"
    MAX_TIME = "max_time"
    LINE_SEARCH = "line_search"
    CALLBACK = "callback"
    INTERRUPTED = "interrupted"
    DIVERGED = "diverged"


class Diverged(ArithmeticError):
    """The loss is infinite or not a number."""


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
    exact : bool
        Whether the training loss of an epoch is that of the parameters it ended with.
        Otherwise it was measured along the way, and says more of those it began with.
    """

    def __init__(
        self,
        tol: float,
        patience: int,
        plateau_factor: float = 1.0,
        rate: float = 1.0,
        holdout_loss: Callable[[Array], float] | None = None,
        exact: bool = False,
    ) -> None:
        self.tol = tol
        self.patience = patience
        self.plateau_factor = plateau_factor
        self.rate = rate
        self.holdout_loss = holdout_loss
        self.exact = exact or holdout_loss is not None

    def begin(self, state: TrainingState) -> None:
        """Remember where training starts: the best there is so far."""
        self._best_params = state.params.copy()
        # Where the loss is exact, nobody asks for the parameters an epoch began with.
        self._last_params = self._best_params if self.exact else state.params.copy()
        self._best_loss = math.inf
        self._n_before = len(state.loss_curve)
        self._begun = monotonic()

    def seconds(self) -> float:
        """Return how long ago training began."""
        return monotonic() - self._begun

    def judge(self, loss: float, state: TrainingState) -> StopReason | None:
        """Record an epoch and say whether training should end after it.

        Parameters
        ----------
        loss : float
            Mean training loss of the epoch.
        state : TrainingState
            After the epoch. Gets its curves, its patience and, on a plateau, its
            rate changed.

        Raises
        ------
        Diverged
            If the loss of the hold-out is not finite.
        """
        training_loss = loss
        if self.holdout_loss is not None:
            loss = self.holdout_loss(state.params)
            if not math.isfinite(loss):
                raise Diverged
            state.validation_scores.append(-loss)
        state.loss_curve.append(training_loss)
        state.lowest_loss = min(state.lowest_loss, training_loss)
        if loss < self._best_loss:
            self._best_loss = loss
            measured = state.params if self.exact else self._last_params
            np.copyto(self._best_params, measured)
        if not self.exact:
            np.copyto(self._last_params, state.params)
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

    def exploded(self, state: TrainingState) -> bool:
        """Return whether the training loss is much larger than in the first epoch."""
        losses = state.loss_curve[self._n_before :]
        return len(losses) > 1 and much_larger(losses[-1], losses[0])

    def block_exploded(
        self, loss: float, state: TrainingState, measure: Callable[[Array], float]
    ) -> bool:
        """Return whether the only epoch of a run has made matters much worse.

        It may be a block of a stream, and blocks differ. So what counts is the loss on
        its own rows, before and after; it is only measured where `loss` is much larger
        than that of the first block. `measure` maps params to J.
        """
        if state.loss_curve and not much_larger(loss, state.loss_curve[0]):
            return False
        return much_larger(measure(state.params), measure(self._last_params))

    def restore(
        self,
        state: TrainingState,
        reason: StopReason,
        measure: Callable[[Array], float],
    ) -> None:
        """Give `state` the best parameters: with a hold-out, or if training broke off.

        The optimizer then starts afresh: its moments belong to another place.

        Parameters
        ----------
        state : TrainingState
            After the last epoch.
        reason : StopReason
            Why it was the last.
        measure : callable
            Maps params to J.
        """
        broken = reason in (StopReason.DIVERGED, StopReason.INTERRUPTED)
        if self.holdout_loss is None and not broken:
            return
        best = self._best_params
        if not self.exact and measure(self._last_params) <= self._best_loss:
            best = self._last_params
        if not np.array_equal(state.params, best):
            np.copyto(state.params, best)
            state.optimizer_state = None


def much_larger(loss: float, reference: float) -> bool:
    """Return whether `loss` is twice the reference, and by more than one, or NaN."""
    return not loss - reference <= max(1.0, abs(reference))
