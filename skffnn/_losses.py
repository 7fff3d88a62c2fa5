"""From the estimator's parameters to the loss, and the targets it is meant for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from skffnn._data import Data
from skffnn._number_targets import NumberTargets
from skffnn._resolve import from_parameters
from skffnn._targets import Targets
from skffnn.core.links import LINKS, IdentityLink, Link
from skffnn.core.losses import (
    LOSSES,
    IgnoringMissing,
    Loss,
    SeparableLoss,
    ThroughLink,
)
from skffnn.core.typing import TargetKind

__all__ = [
    "check_same_scale",
    "check_target",
    "loss_is_named",
    "resolve_loss",
    "scales_target",
]


def resolve_loss(estimator: Any, kind: TargetKind) -> Loss:
    """Return the loss for targets of this kind, with the estimator's hyperparameters.

    Raises
    ------
    ValueError
        If the loss does not go with the targets, or with the parameters of a regressor
        that act on it.
    """
    loss = estimator.loss
    if isinstance(loss, Loss):
        _check_link(loss, kind)
    else:
        loss = from_parameters(LOSSES[loss][kind], estimator)
    if kind != "continuous":
        return loss
    if estimator.out_activation not in ("auto", loss.link.name):
        if not (isinstance(loss, SeparableLoss) and loss.link == IdentityLink()):
            raise ValueError(
                f"out_activation={estimator.out_activation!r} needs a SeparableLoss of "
                f"raw scores: loss={estimator.loss!r} has the link "
                f"{loss.link.name!r} of its own. Set out_activation='auto'."
            )
        loss = ThroughLink(loss, LINKS[estimator.out_activation])
    if estimator.missing_targets == "ignore":
        if not isinstance(loss, SeparableLoss):
            raise ValueError(
                "missing_targets='ignore' needs a SeparableLoss, which tells what each "
                f"target costs, got loss={estimator.loss!r}"
            )
        loss = IgnoringMissing(loss)
    return loss


def scales_target(estimator: Any) -> tuple[bool, bool]:
    """Return whether `scale_target` divides by the deviation, and centres before.

    Only for losses whose own link is the identity: others mean y in its unit. Behind an
    output activation without an upper end the unit may change, the zero may not.
    """
    loss = estimator.loss
    if not isinstance(loss, Loss):
        loss = from_parameters(LOSSES[loss]["continuous"], estimator)
    if not estimator.scale_target or loss.link != IdentityLink():
        return False, False
    bend = estimator.out_activation
    centers = bend in ("auto", loss.link.name)
    return centers or LINKS[bend].range.endswith("inf)"), centers


def check_same_scale(estimator: Any, targets: Targets) -> None:
    """Raise unless numbers are to be scaled as in the first fit, which goes on."""
    if not isinstance(targets, NumberTargets):
        return
    if scales_target(estimator) != targets.scaling:
        raise ValueError(
            "warm_start and partial_fit go on with targets on the scale of the first "
            f"fit; scale_target={estimator.scale_target!r}, loss={estimator.loss!r} "
            f"and out_activation={estimator.out_activation!r} ask for another. "
            "Set warm_start=False and call fit to start anew."
        )


def check_target(estimator: Any, loss: Loss, data: Data) -> None:
    """Raise where a target is not what the loss, or its link, is meant for."""
    target = data.target
    with loss_is_named(estimator):
        if data.kind != "continuous":
            loss.check_target(target)
            return
        # In the unit of y, and then in its precision.
        loss.check_target(np.asarray(data.y, dtype=np.float64).reshape(target.shape))
        if not scales_target(estimator)[0]:
            try:
                loss.check_target(target)
            except ValueError as error:
                raise ValueError(f"{error} in {target.dtype}") from error


@contextmanager
def loss_is_named(estimator: Any) -> Iterator[None]:
    """Say in an error about targets which parameters ask for others."""
    try:
        yield
    except ValueError as error:
        out = getattr(estimator, "out_activation", "auto")
        also = "" if out == "auto" else f", out_activation={out!r}"
        raise ValueError(f"loss={estimator.loss!r}{also}: {error}") from error


def _check_link(value: Loss, kind: TargetKind) -> None:
    """Raise unless the link of a user's loss goes with the targets."""
    if not isinstance(value.link, Link):
        raise ValueError(
            f"The link of loss {value!r} must be a Link, got {value.link!r}"
        )
    if kind != "continuous" and kind not in value.link.classifies:
        raise ValueError(
            f"loss={value!r} has the link {value.link.name!r}, which gives no "
            f"probabilities for {kind} targets. Give it a link that does, such as "
            "LogisticLink() or, for multiclass targets, SoftmaxLink()."
        )
