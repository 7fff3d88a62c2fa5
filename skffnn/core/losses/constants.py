"""Statistics of weighted targets: the constants that training starts from.

Weight two is the row twice in all of them, and a common factor changes nothing.
"""

from collections.abc import Callable

import numpy as np

from skffnn.core.typing import Array

__all__ = ["root_of", "weighted_mean", "weighted_quantile"]

# Halvings of the range of y, after which a root is known well enough for a start.
N_HALVINGS = 40


def weighted_mean(y: Array, weight: Array | None) -> Array:
    """Return the mean of every column, in float64."""
    if weight is None:
        return y.mean(axis=0, dtype=np.float64)
    total = np.einsum("i,ij->j", weight, y, dtype=np.float64)
    return np.asarray(total / weight.sum(dtype=np.float64))


def weighted_quantile(y: Array, weight: Array | None, level: float) -> Array:
    """Return a quantile of every column: a minimum of the pinball loss.

    Where all values between two neighbours are minima, it is the middle of them, so
    that the quantile at one half is the median.
    """
    order = y.argsort(axis=0, kind="stable")
    values = np.take_along_axis(y.astype(np.float64), order, axis=0)
    weights = np.ones(len(y)) if weight is None else weight
    cumulated = np.cumsum(weights[order], axis=0, dtype=np.float64)
    share = cumulated / cumulated[-1]
    rounding = len(y) * np.finfo(np.float64).eps
    last = len(y) - 1
    columns = np.arange(y.shape[1])
    low = np.minimum((share < level - rounding).sum(axis=0), last)
    high = np.minimum((share <= level + rounding).sum(axis=0), last)
    return 0.5 * (values[low, columns] + values[high, columns])


def root_of(slope: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Return where increasing functions, one per column, change their sign."""
    for _ in range(N_HALVINGS):
        middle = 0.5 * (low + high)
        above = slope(middle) > 0.0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return 0.5 * (low + high)
