"""The penalty on weights, which keeps them small.

    alpha * sum over weights of (1 - l1_ratio) / 2 * w^2 + l1_ratio * |w|

The elastic net (Zou and Hastie 2005, eq. 3, in the scale of scikit-learn's
SGDClassifier). Where a weight is zero, the derivative of its absolute value is taken as
zero.
"""

import numpy as np

from skffnn.core.typing import Array
from skffnn.core.vectors import add_scaled, sum_of_squares

__all__ = ["Penalty"]


class Penalty:
    """A function of weights, and its gradient: contiguous vectors of one dtype.

    Parameters
    ----------
    alpha : float >= 0
        Strength.
    l1_ratio : float in [0, 1], default=0.0
        Share of it that is on absolute values.
    """

    def __init__(self, alpha: float, l1_ratio: float = 0.0) -> None:
        self.alpha = float(alpha)  # float64 of numpy would widen float32
        self._on_squares = self.alpha * float(1.0 - l1_ratio)
        self._on_absolutes = self.alpha * float(l1_ratio)

    def value(self, w: Array) -> float:
        """Return the penalty on weights `w`."""
        value = 0.0
        if self._on_squares:
            value += 0.5 * self._on_squares * sum_of_squares(w)
        if self._on_absolutes:
            value += self._on_absolutes * float(np.abs(w).sum())
        return value

    def add_gradient(self, w: Array, grad: Array) -> float:
        """Add the gradient at `w` to `grad`, and return the penalty on `w`."""
        if self._on_squares:
            add_scaled(grad, self._on_squares, w)
        if self._on_absolutes:
            add_scaled(grad, self._on_absolutes, np.sign(w))
        return self.value(w)

    def write_gradient(self, w: Array, grad: Array) -> float:
        """Overwrite `grad` with the gradient at `w`, and return the penalty on `w`."""
        if self._on_squares:
            np.multiply(w, self._on_squares, out=grad)
        else:
            grad.fill(0.0)  # zero times infinity would be NaN
        if self._on_absolutes:
            add_scaled(grad, self._on_absolutes, np.sign(w))
        return self.value(w)
