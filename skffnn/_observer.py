"""What a user sees of training while it runs: printed lines, and callbacks."""

from time import perf_counter
from typing import Any

from skffnn._callbacks import EpochTasks
from skffnn._checkpoint import CheckpointFile
from skffnn.core.monitor import StopReason
from skffnn.core.state import TrainingState

__all__ = ["Observer"]


class Observer:
    """Follows one call of fit for `skffnn.core.training.train`.

    Parameters
    ----------
    tasks : EpochTasks
        The callbacks' view of fit.
    verbose : bool or int
        0 or False prints nothing; 1 or True the first ten epochs, then every tenth,
        from the hundredth on every hundredth, and why training ended; 2 every epoch.
    file : CheckpointFile or None
        Where the state of training is to be written.
    """

    def __init__(
        self, tasks: EpochTasks, verbose: Any, file: CheckpointFile | None
    ) -> None:
        self._tasks = tasks
        self._file = file
        self._verbose = int(verbose)
        self._begun = perf_counter()
        self._refits = file is not None and file.refit is not None

    def epoch_begins(self, state: TrainingState) -> None:
        """Pass it on to the callbacks."""
        self._tasks.begin()

    def epoch_ends(self, state: TrainingState) -> bool:
        """Print the epoch, pass it on, write it; True if a callback wants to stop."""
        every = 1 if self._verbose > 1 else min(100, 10 ** (len(str(state.epoch)) - 1))
        if self._verbose and (state.epoch <= 10 or state.epoch % every == 0):
            print(f"Epoch {state.epoch}: {self._describe(state)}")
        stop = self._tasks.end()
        if self._file is not None:
            self._file.epoch_ends(state)
        return stop

    def epoch_fails(self, state: TrainingState) -> None:
        """Print that it begins again."""
        if self._verbose:
            print(
                f"Epoch {state.epoch + 1} diverged: back to the end of epoch "
                f"{state.epoch}, at half the rate"
            )

    def training_resumes(self, state: TrainingState) -> None:
        """Print from where."""
        if self._verbose and self._file is not None:
            print(f"Resumed after epoch {state.epoch} from {str(self._file.path)!r}")

    def refit_begins(self, state: TrainingState, reason: StopReason) -> None:
        """Print for how long. The hold-out judges no more."""
        self._refits = True
        if self._file is not None:
            self._file.refit = str(reason)
        if self._verbose:
            print(f"Refit on all rows: {state.best_epoch} epochs")

    def training_ends(self, reason: StopReason, state: TrainingState) -> None:
        """Print why."""
        if self._verbose:
            print(f"End after epoch {state.epoch} ({reason}): {self._describe(state)}")

    def _describe(self, state: TrainingState) -> str:
        parts = []
        if state.loss_curve:
            parts.append(f"loss {state.loss_curve[-1]:.6g}")
        judged = len(state.validation_scores) == len(state.loss_curve) > 0
        if judged and not self._refits:
            parts.append(f"validation score {state.validation_scores[-1]:.6g}")
        if state.rate is not None:
            parts.append(f"rate {state.rate:.3g}")
        return ", ".join([*parts, f"{perf_counter() - self._begun:.1f} s"])
