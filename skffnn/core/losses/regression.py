"""Losses of a difference, raw - y: how much a large one counts."""

from typing import ClassVar

import numpy as np

from skffnn.core.checks import require
from skffnn.core.losses.base import SeparableLoss
from skffnn.core.losses.constants import root_of, weighted_mean, weighted_quantile
from skffnn.core.part import part
from skffnn.core.rows import inner
from skffnn.core.typing import Array

__all__ = ["AbsoluteError", "Huber", "LogCosh", "SquaredError"]


class SquaredError(SeparableLoss):
    """1/2 * (raw - y)^2, summed over targets (Bishop 2006, eq. 5.11)."""

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        np.subtract(raw, y, out=gradient_out)
        loss = np.square(gradient_out)
        loss *= 0.5
        return loss

    def value_and_gradient(
        self, y: Array, raw: Array, weight: Array | None, gradient_out: Array
    ) -> float:
        if type(self).per_target is not SquaredError.per_target:  # that of a user
            return super().value_and_gradient(y, raw, weight, gradient_out)
        # The same in fewer passes: the loss of most regressions of few rows a step.
        residual = np.subtract(raw, y, out=gradient_out)
        if weight is not None:
            residual = gradient_out.copy()
            gradient_out *= weight[:, None]
        return 0.5 * inner(residual, gradient_out)

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        """Return the mean."""
        return weighted_mean(y, weight)


class AbsoluteError(SeparableLoss):
    """abs(raw - y), summed over targets; the derivative at zero is taken as zero."""

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        difference = raw - y
        np.sign(difference, out=gradient_out)
        return np.abs(difference, out=difference)

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        """Return the median."""
        return weighted_quantile(y, weight, 0.5)


class SmoothLoss(SeparableLoss):
    """A convex loss whose best constant has no formula."""

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        """Return where the mean gradient is zero, between the extremes of y."""
        targets = y.astype(np.float64)

        def slope(constant: Array) -> Array:
            gradient = np.empty_like(targets)
            raw = np.broadcast_to(constant, targets.shape)
            self.per_target(targets, raw, gradient)
            return gradient.sum(axis=0) if weight is None else weight @ gradient

        return root_of(slope, targets.min(axis=0), targets.max(axis=0))


@part
class Huber(SmoothLoss):
    """1/2 * r^2 if abs(r) <= delta, else delta * (abs(r) - delta / 2), r = raw - y.

    Huber (1964), summed over targets.

    Parameters
    ----------
    delta : float > 0, default=1.0
        Where the parabola ends and the straight lines begin, in units of y.
    """

    shared: ClassVar[tuple[str, ...]] = ("delta",)
    delta: float = 1.0

    def __post_init__(self) -> None:
        require(self, delta="(0, inf)")

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        difference = raw - y
        np.clip(difference, -self.delta, self.delta, out=gradient_out)
        # c * (r - c / 2) is either piece, with c = r or c = +-delta.
        difference -= 0.5 * gradient_out
        difference *= gradient_out
        return difference


class LogCosh(SmoothLoss):
    """log(cosh(raw - y)), summed over targets.

    Half the square of a small difference, and the absolute value less log(2) of a large
    one (Green 1990). Computed as abs(r) + log(1 + exp(-2 abs(r))) - log(2), with
    r = raw - y, which cannot overflow. The derivative is tanh(r).
    """

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        distance = raw - y
        np.tanh(distance, out=gradient_out)
        np.abs(distance, out=distance)
        loss = np.exp(-2.0 * distance)
        np.log1p(loss, out=loss)
        loss += distance
        loss -= np.log(2.0, dtype=loss.dtype)
        return loss
