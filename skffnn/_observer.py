"""What a user sees of training while it runs: printed lines, and callbacks."""

from typing import Any

from skffnn._callbacks import EpochTasks
from skffnn.core.state import TrainingState

__all__ = ["Observer"]


class Observer:
    """Follows one call of fit for `skffnn.core.training.train`.

    Parameters
    ----------
    tasks : EpochTasks
        The callbacks' view of fit.
    verbose : bool or int
        Whether to print a line per epoch.
    """

    def __init__(self, tasks: EpochTasks, verbose: Any) -> None:
        self._tasks = tasks
        self._verbose = bool(verbose)

    def epoch_begins(self, state: TrainingState) -> None:
        """Pass it on to the callbacks."""
        self._tasks.begin()

    def epoch_ends(self, state: TrainingState) -> bool:
        """Print the epoch and pass it on; True if a callback wants to stop."""
        if self._verbose:
            line = f"Epoch {state.epoch}, loss = {state.loss_curve[-1]:.8f}"
            if state.validation_scores:
                line += f", validation score = {state.validation_scores[-1]:.6f}"
            print(line)
        return self._tasks.end()
