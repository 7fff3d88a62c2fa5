"""Divergence: how it is told, and the way back."""

from collections.abc import Callable

import numpy as np

from skffnn.core.state import TrainingState, copy_of, progress_of
from skffnn.core.typing import Array

__all__ = [
    "MAX_HALVINGS",
    "Diverged",
    "block_has_exploded",
    "go_back",
    "has_exploded",
    "is_out_of_hand",
    "much_larger",
]

# How often a run that diverges may go back and try again at half the rate.
MAX_HALVINGS = 5
# From a loss so many times that of the start a run finds no way back: what its steps
# have made of the parameters is noise, also in an average that goes on.
OUT_OF_HAND = 1000.0


class Diverged(ArithmeticError):
    """The loss or a parameter is infinite or not a number, or the loss exploded."""


def is_out_of_hand(loss: float, state: TrainingState) -> bool:
    """Return whether an epoch with this mean loss was lost, though it is finite."""
    return loss > OUT_OF_HAND * max(1.0, abs(progress_of(state).start_loss))


def has_exploded(state: TrainingState, measure: Callable[[Array], float]) -> bool:
    """Return whether the loss is much larger than where the run began.

    It is measured: along the way it may have been that of a step that went too far,
    and has come back, or that of steps whose average has not. `measure` maps params to
    J, on the rows that have said what it was at the start.
    """
    return much_larger(measure(state.params), progress_of(state).start_loss)


def block_has_exploded(
    loss: float, state: TrainingState, measure: Callable[[Array], float]
) -> bool:
    """Return whether the only epoch of a run has made matters much worse.

    It may be a block of a stream, and blocks differ. So what counts is the loss on
    its own rows, before and after; it is only measured where `loss` is much larger
    than that of the first block. `measure` maps params to J.
    """
    if state.loss_curve and not much_larger(loss, state.loss_curve[0]):
        return False
    before = progress_of(state).last_params
    return much_larger(measure(state.params), measure(before))


def go_back(state: TrainingState) -> bool:
    """Return to the end of the last finished epoch and halve the rate.

    The optimizer starts afresh: its moments have led astray. The random stream
    goes on.

    Returns
    -------
    done : bool
        False where that has happened too often to be worth another try; the rate
        is then what it was before, and the parameters are left as they are.
    """
    progress = progress_of(state)
    if progress.n_halvings == MAX_HALVINGS:
        state.rate_factor *= 2.0**MAX_HALVINGS
        return False
    progress.n_halvings += 1
    state.rate_factor *= 0.5
    state.rate_halvings.append(len(state.loss_curve) + 1)
    np.copyto(state.params, progress.last_params)
    state.average = copy_of(progress.last_average)
    state.step = progress.last_step
    state.optimizer_state = None
    return True


def much_larger(loss: float, reference: float) -> bool:
    """Return whether `loss` is twice the reference, and by more than one, or NaN."""
    return not loss - reference <= max(1.0, abs(reference))
