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
    "leave_a_lost_average",
    "much_larger",
]

# How often a run that diverges may go back and try again at half the rate.
MAX_HALVINGS = 5
# An epoch is lost whose loss is above this, and so many times what it was: its steps
# have made noise of the parameters, and an average that goes on would remember.
OUT_OF_HAND = 1000.0


class Diverged(ArithmeticError):
    """The loss or a parameter is infinite or not a number, or the loss exploded."""


def is_out_of_hand(
    loss: float, state: TrainingState, measure: Callable[[Array], float]
) -> bool:
    """Return whether an epoch with this mean loss was lost, though it is finite.

    It is compared with the best epoch of the run, or in the first one with where the
    run began. `measure` maps params to J, on the rows of the epoch.
    """
    if not loss > OUT_OF_HAND:
        return False
    progress = progress_of(state)
    finished = state.loss_curve[progress.first_epoch :]
    before = min(finished) if finished else measure(progress.last_params)
    return loss > OUT_OF_HAND * abs(before)


def has_exploded(state: TrainingState, measure: Callable[[Array], float]) -> bool:
    """Return whether the training loss is much larger than in the first epoch.

    Where that of the last epoch is, it is measured again: along the way it may have
    been that of a step that went too far, and has come back. `measure` maps params to
    J, on the rows of an epoch.
    """
    losses = state.loss_curve[progress_of(state).first_epoch :]
    return (
        len(losses) > 1
        and much_larger(losses[-1], losses[0])
        and much_larger(measure(state.params), losses[0])
    )


def leave_a_lost_average(
    state: TrainingState, measure: Callable[[Array], float]
) -> None:
    """Let the last iterate be the model where the average of all is much worse.

    It is where early steps went far off, and the average does not forget them.
    `measure` maps params to J, on the same rows for both.
    """
    if state.average is None:
        return
    iterate = state.average.iterate
    if much_larger(measure(state.params), measure(iterate)):
        np.copyto(state.params, iterate)
        state.average = None


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
