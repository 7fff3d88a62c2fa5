"""A weighted distribution of numbers: the statistics of a column come from here."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

__all__ = ["Distribution", "distributions", "rounding_of"]

# Sums of weights that differ by less than this share of the total are the same: so the
# unit in which weights are given changes nothing.
ROUNDING = 1e-12
EPSILON = float(np.finfo(np.float64).eps)


def rounding_of(*values: float) -> float:
    """Return the difference that rounding may make between values of this size."""
    return float(4.0 * np.finfo(np.float64).eps * np.abs(values).max())


@dataclass(frozen=True, eq=False)
class Distribution:
    """Distinct values and the weight of each.

    Whatever is computed from it is the same for a row of weight two and for the row
    twice, and does not know whether the zeros of a sparse column are stored.

    Parameters
    ----------
    values : ndarray of shape (n_distinct,)
        Distinct numbers in increasing order; none for a column without any.
    weights : ndarray of shape (n_distinct,)
        Total weight of the rows that have each.
    """

    values: Any
    weights: Any

    @classmethod
    def of(cls, values: Any, weight: Any = None) -> Self:
        """Return the distribution of `values`, of which those that are NaN are none.

        Parameters
        ----------
        values : ndarray of shape (n_rows,)
            Numbers.
        weight : ndarray of shape (n_rows,) or None, default=None
            Weight of each; None means one.
        """
        known = ~np.isnan(values)
        if not known.all():
            values = values[known]
            weight = None if weight is None else weight[known]
        if weight is None:
            return cls(*np.unique(values, return_counts=True))
        # In a unit in which their sum cannot overflow: a power of two, so that only
        # what is lost in the sum anyway is rounded.
        weight = np.ldexp(weight, -np.frexp(np.max(weight, initial=0.0))[1])
        distinct, inverse = np.unique(values, return_inverse=True)
        return cls(distinct, np.bincount(inverse, weight, len(distinct)))

    @property
    def resolution(self) -> float:
        """The difference below which two values may be one that was rounded."""
        return rounding_of(*self.values[[0, -1]])

    @property
    def is_constant(self) -> bool:
        """Whether there are not two values."""
        return len(self.values) < 2 or self.range <= self.resolution

    @property
    def mean(self) -> float:
        """Weighted mean."""
        return float(np.average(self.values, weights=self.weights))

    @property
    def std(self) -> float:
        """Weighted standard deviation, of the population."""
        with np.errstate(over="ignore"):
            squares = np.square(self.values - self.mean)
            return float(np.sqrt(np.average(squares, weights=self.weights)))

    @property
    def range(self) -> float:
        """Largest minus smallest value."""
        return float(self.values[-1]) - float(self.values[0])

    def quantiles(self, levels: Any) -> Any:
        """Return quantiles by the averaged inverse of the distribution function.

        With F(v) the share of weight on values up to v, the quantile at p is the mean
        of the smallest v with F(v) >= p and the smallest with F(v) > p; definition 2 of
        Hyndman and Fan (1996), and "averaged_inverted_cdf" of
        :func:`numpy.quantile`.

        Parameters
        ----------
        levels : ndarray of shape (n_levels,)
            Numbers in [0, 1].
        """
        reached = np.cumsum(self.weights)
        wanted = np.asarray(levels) * reached[-1]
        slack = ROUNDING * reached[-1]
        last = len(self.values) - 1
        low = np.minimum(np.searchsorted(reached, wanted - slack, "left"), last)
        high = np.minimum(np.searchsorted(reached, wanted + slack, "right"), last)
        return 0.5 * self.values[low] + 0.5 * self.values[high]

    def middle_ranks(self) -> Any:
        """Return, for each value, the share of weight below it and half of its own.

        They are inside (0, 1), symmetric, and the same whatever breaks ties.
        """
        reached = np.cumsum(self.weights)
        ranks = (reached - 0.5 * self.weights) / reached[-1]
        return np.clip(ranks, EPSILON, 1.0 - EPSILON)  # a weight may be lost in the sum


def distributions(numbers: Any, weight: Any) -> list[Distribution]:
    """Return the distribution of each column.

    Parameters
    ----------
    numbers : ndarray or CSC of shape (n_rows, n_columns)
        NaN where missing; what is not stored is zero.
    weight : ndarray of shape (n_rows,) or None
        Weights of the rows, all positive; None means one.
    """
    if not sp.issparse(numbers):
        return [Distribution.of(numbers[:, j], weight) for j in range(numbers.shape[1])]
    weight = np.ones(numbers.shape[0]) if weight is None else weight
    total = weight.sum()
    result = []
    for first, last in pairwise(numbers.indptr):
        values, stored = numbers.data[first:last], weight[numbers.indices[first:last]]
        if last - first < len(weight):
            values = np.append(values, 0.0)
            stored = np.append(stored, max(total - stored.sum(), 0.0))
        result.append(Distribution.of(values, stored))
    return result
