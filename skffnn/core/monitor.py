"""The monitor watches one call of fit: when has training stalled, what was best."""

import math
from collections.abc import Callable
from enum import StrEnum
from time import monotonic

import numpy as np

from skffnn.core.divergence import Diverged
from skffnn.core.state import Progress, TrainingState, copy_of, progress_of
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
    MAX_TIME = "max_time"
    LINE_SEARCH = "line_search"
    CALLBACK = "callback"
    INTERRUPTED = "interrupted"
    DIVERGED = "diverged"


class Monitor:
    """Judges every epoch by the hold-out's loss or score, or by the training loss.

    What it has seen it keeps in the state's `Progress`, not in itself: so a run can be
    broken off and resumed.

    Parameters
    ----------
    tol : float
        An epoch improves on the best one if its loss is lower by more than this, or by
        this share of it where the loss is above one: the unit of y must not matter.
    patience : float
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
    holdout_score : callable or None
        Maps params to a score on these rows, higher being better, which is then judged
        in place of their loss.
    score_name : str
        Which score that is. Another one does not compare with it.
    incremental : bool
        Whether the run is one epoch of many. A hold-out's best epoch is then that of
        all of them, and given back when they have stalled.
    """

    def __init__(
        self,
        tol: float,
        patience: float,
        plateau_factor: float = 1.0,
        rate: float = 1.0,
        holdout_loss: Callable[[Array], float] | None = None,
        exact: bool = False,
        holdout_score: Callable[[Array], float] | None = None,
        score_name: str = "loss",
        incremental: bool = False,
    ) -> None:
        self.tol = tol
        self.patience = patience
        self.plateau_factor = plateau_factor
        self.rate = rate
        self.holdout_loss = holdout_loss
        self.exact = exact or holdout_loss is not None
        self.holdout_score = holdout_score
        self.score_name = score_name
        self.incremental = incremental

    def begin(self, state: TrainingState) -> None:
        """Remember where training starts: the best there is so far."""
        params, before = state.params, state.progress
        judged_by = None if self.holdout_loss is None else self.score_name
        state.progress = Progress(
            first_step=state.step,
            first_epoch=len(state.loss_curve),
            last_step=state.step,
            last_params=params.copy(),
            last_average=copy_of(state.average),
            best_params=params.copy(),
            judged_by=judged_by,
        )
        if (
            self.incremental
            and before is not None  # earlier calls were judged, and by the same score
            and judged_by in (None, before.judged_by)
        ):
            state.progress.best_params = before.best_params
            state.progress.best_loss = before.best_loss
            state.progress.judged_by = before.judged_by
        else:
            others_judged = 0 < state.epoch <= len(state.validation_scores)
            if self.incremental and (others_judged or self.holdout_loss is not None):
                # The epochs so far were judged by something else.
                state.best_loss, state.stalled_epochs = math.inf, 0
            if state.loss_curve:
                self._judge_the_start(state)
        self.resume(state)

    def _judge_the_start(self, state: TrainingState) -> None:
        """Let the hold-out prefer what there was before to all that comes."""
        if self.holdout_loss is None:
            state.best_epoch = 0
            return
        # After `refit` they are those of the training before, which was longer.
        del state.validation_loss_curve[state.epoch :]
        del state.validation_scores[state.epoch :]
        loss, score = self.ask_holdout(state.params)
        if math.isfinite(loss):
            progress_of(state).best_loss = -score

    def resume(self, state: TrainingState) -> None:
        """Let the clock go on from where it stood when the run was broken off."""
        self._begun = monotonic() - progress_of(state).seconds

    def seconds(self) -> float:
        """Return for how long training has been going on."""
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
        progress = progress_of(state)
        validation_loss, score = self.ask_holdout(state.params)
        if not math.isfinite(validation_loss):
            raise Diverged
        state.loss_curve.append(loss)
        state.lowest_loss = min(state.lowest_loss, loss)
        if self.holdout_loss is not None:
            unjudged = state.epoch - len(state.validation_scores)
            state.validation_loss_curve += [*[math.nan] * unjudged, validation_loss]
            state.validation_scores += [*[math.nan] * unjudged, score]
            loss = -score
        # A call of partial_fit without the hold-out that earlier ones had is no better
        # and no worse than these.
        compares = self.holdout_loss is not None or progress.judged_by is None
        improves = compares and loss <= progress.best_loss
        if improves:
            progress.best_loss = loss  # the last of equals: it was trained longest
            if self.exact:
                np.copyto(progress.best_params, state.params)
            if self.holdout_loss is not None:
                state.best_epoch = len(state.loss_curve)
        progress.go_on(state.params, last_is_best=improves and not self.exact)
        progress.last_average = copy_of(state.average)
        progress.last_step = state.step
        progress.seconds = self.seconds()
        reason = self._patience_is_over(loss, state) if compares else None
        progress.reason = None if reason is None else str(reason)
        return reason

    def ask_holdout(self, params: Array) -> tuple[float, float]:
        """Return the hold-out's loss and score, both zero where there is none."""
        loss = 0.0 if self.holdout_loss is None else self.holdout_loss(params)
        if self.holdout_score is None or not math.isfinite(loss):
            return loss, -loss
        return loss, self.holdout_score(params)

    def _patience_is_over(self, loss: float, state: TrainingState) -> StopReason | None:
        """Count the epochs without improvement, and lower the rate on a plateau."""
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

    def restore(
        self,
        state: TrainingState,
        reason: StopReason,
        measure: Callable[[Array], float],
    ) -> None:
        """Give `state` the best parameters: with a hold-out, or if training broke off.

        An epoch of many whose patience is not over keeps its own. Optimizer and average
        then start afresh: what they remember belongs to another place.

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
        stalled = reason is StopReason.EARLY_STOPPING
        judged = self.holdout_loss is not None and (stalled or not self.incremental)
        if not (judged or broken):
            return
        progress = progress_of(state)
        best = progress.best_params
        if (broken and self.incremental) or (
            not self.exact and measure(progress.last_params) <= progress.best_loss
        ):
            best = progress.last_params
        if not np.array_equal(state.params, best):
            np.copyto(state.params, best)
            state.optimizer_state = state.average = None
