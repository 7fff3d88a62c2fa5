"""What a network sees of a number: the encodings of numeric columns."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from scipy.special import ndtri

from skffnn.preprocessing._distribution import Distribution, rounding_of

__all__ = ["NUMERIC", "NumericEncoder"]


TINY = np.finfo(np.float64).tiny  # the inverse of a smaller spread is infinite
CHUNK = 2**18  # codes that are computed at once, two megabytes of them
LIMIT = 1e18  # no code is larger, so that its square is finite in float32, too


def _bounded(codes: Any) -> Any:
    """Return codes within the limit, zero for NaN, in place."""
    np.clip(codes, -LIMIT, LIMIT, out=codes)
    codes[np.isnan(codes)] = 0.0
    return codes


class NumericEncoder(ABC):
    """A map of each number of a column to one or more numbers; NaN becomes zeros.

    Attributes
    ----------
    widths : ndarray of shape (n_columns,)
        How many numbers each column becomes.
    """

    widths: Any

    @classmethod
    @abstractmethod
    def fit(cls, columns: Sequence[Distribution], n_bins: int) -> Self:
        """Return an encoder made for columns of these distributions."""

    @abstractmethod
    def column(self, values: Any, j: int) -> Any:
        """Return the codes of column j, of shape (n_rows, widths[j])."""

    def suffixes(self, j: int) -> Sequence[str]:
        """Return what tells the codes of column j apart in names."""
        return ("",)

    def dense(self, V: Any, dtype: Any) -> Any:
        """Return the codes of all columns, of shape (n_rows, sum of widths)."""
        stops = np.cumsum(self.widths)
        codes = np.empty((len(V), self.widths.sum()), dtype=dtype)
        for j, (width, stop) in enumerate(zip(self.widths, stops, strict=True)):
            codes[:, stop - width : stop] = self.column(V[:, j], j)
        return codes

    def sparse(self, X: Any) -> Any:
        """Return codes minus the codes of zero, nonzero only where `X` is.

        Parameters
        ----------
        X : CSC of shape (n_rows, n_columns)
            Without duplicate entries.

        Returns
        -------
        D : CSR of shape (n_rows, sum of widths)
            The codes of ``X.toarray()`` minus those of zeros.
        """
        starts = np.concatenate([[0], np.cumsum(self.widths)])
        rows, columns, data = [], [], []
        for j, (first, last) in enumerate(pairwise(X.indptr)):
            if first < last:
                D = self.column(X.data[first:last], j) - self.column(np.zeros(1), j)
                i, k = np.nonzero(D)
                rows.append(X.indices[first:last][i])
                columns.append(starts[j] + k)
                data.append(D[i, k])
        if not data:
            return sp.csr_array((X.shape[0], starts[-1]))
        entries = (np.concatenate(rows), np.concatenate(columns))
        shape = (X.shape[0], starts[-1])
        return sp.coo_array((np.concatenate(data), entries), shape).tocsr()


class _Linear(NumericEncoder):
    """Centre and scale, for all columns at once."""

    def __init__(self, center: Any, scale: Any) -> None:
        self.center = center
        self.scale = scale
        self.widths = np.ones(len(center), dtype=np.intp)

    @classmethod
    def fit(cls, columns: Sequence[Distribution], n_bins: int) -> Self:
        """Take centre and spread of each column; a constant one becomes zeros."""
        pairs = [(0.0, 0.0) if c.is_constant else cls._learn(c) for c in columns]
        center, spread = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
        varies = (spread > TINY) & np.isfinite(spread)
        return cls(
            center, np.divide(1.0, spread, out=np.zeros(len(pairs)), where=varies)
        )

    @staticmethod
    @abstractmethod
    def _learn(column: Distribution) -> tuple[float, float]:
        """Return what to subtract from a column, and what to divide it by then."""

    def _encode(self, values: Any, columns: Any) -> Any:
        """Return the codes of `values`, which are in `columns`, one each or all."""
        with np.errstate(over="ignore", invalid="ignore"):
            return _bounded((values - self.center[columns]) * self.scale[columns])

    def column(self, values: Any, j: int) -> Any:
        return self._encode(values, j)[:, None]

    def dense(self, V: Any, dtype: Any) -> Any:
        return self._encode(V, slice(None)).astype(dtype, copy=False)

    def sparse(self, X: Any) -> Any:
        columns = np.repeat(np.arange(X.shape[1]), np.diff(X.indptr))
        at_zero = self._encode(np.zeros(X.shape[1]), slice(None))
        data = self._encode(X.data, columns) - at_zero[columns]
        D = sp.csc_array((data, X.indices, X.indptr), X.shape).tocsr()
        D.eliminate_zeros()
        return D


class Standard(_Linear):
    """Mean 0, standard deviation 1."""

    @staticmethod
    def _learn(column: Distribution) -> tuple[float, float]:
        return column.mean, column.std


class Robust(_Linear):
    """Median 0, distance between the quartiles 1, then z / sqrt(1 + (z / 3)^2).

    Of Holzmüller, Grinsztajn and Steinwart (2024): where the quartiles coincide, the
    range becomes 2. The last step keeps numbers near zero as they are and all others
    within (-3, 3).
    """

    @staticmethod
    def _learn(column: Distribution) -> tuple[float, float]:
        low, median, high = map(float, column.quantiles([0.25, 0.5, 0.75]))
        # What rounding may do to the quartiles; an outlier has no say in it.
        resolution = rounding_of(low, high)
        if high - low > max(resolution, TINY):
            return median, high - low
        return median, column.range / 2.0

    def _encode(self, values: Any, columns: Any) -> Any:
        z = super()._encode(values, columns)
        return z / np.sqrt(1.0 + np.square(z / 3.0))


class Quantile(NumericEncoder):
    """Ranks in a normal distribution.

    The share F(v) of weight below v, and half of that on v, becomes the quantile of the
    standard normal distribution at F(v); between the values of the training rows F is
    linear, beyond them constant.
    """

    n_points = 1000

    def __init__(self, curves: Sequence[tuple[Any, Any]]) -> None:
        self.curves = curves
        self.widths = np.ones(len(curves), dtype=np.intp)

    @classmethod
    def fit(cls, columns: Sequence[Distribution], n_bins: int) -> Self:
        """Keep at most a thousand points of F for each column."""
        return cls([cls._curve(column) for column in columns])

    @classmethod
    def _curve(cls, column: Distribution) -> tuple[Any, Any]:
        if column.is_constant:
            return np.zeros(1), np.full(1, 0.5)
        ranks = column.middle_ranks()
        if len(ranks) > cls.n_points:
            even = np.linspace(ranks[0], ranks[-1], cls.n_points)
            kept = np.unique(np.searchsorted(ranks, even[:-1]))
            kept = np.append(kept, len(ranks) - 1)
            return column.values[kept], ranks[kept]
        return column.values, ranks

    def column(self, values: Any, j: int) -> Any:
        codes = ndtri(np.interp(values, *self.curves[j]))
        codes[np.isnan(codes)] = 0.0
        return codes[:, None]


class PiecewiseLinear(NumericEncoder):
    """The piecewise linear encoding of Gorishniy, Rubachev and Babenko (2022).

    With the edges b_0 < ... < b_T at quantiles (section 3.2.1), code t of x is
    (x - b_(t-1)) / (b_t - b_(t-1)), cut off below 0 except in the first bin and above 1
    except in the last (equation 1). So b_0 + sum_t code_t * (b_t - b_(t-1)) is x.
    """

    def __init__(self, edges: Sequence[Any]) -> None:
        self.edges = edges
        self.widths = np.array([max(1, len(b) - 1) for b in edges], dtype=np.intp)

    @classmethod
    def fit(cls, columns: Sequence[Distribution], n_bins: int) -> Self:
        """Put the edges at quantiles; where some coincide, there are fewer."""
        levels = np.linspace(0.0, 1.0, n_bins + 1)
        return cls(
            [
                np.zeros(0) if c.is_constant else _distinct(c.quantiles(levels))
                for c in columns
            ]
        )

    def suffixes(self, j: int) -> Sequence[str]:
        return [f"_bin_{t}" for t in range(self.widths[j])]

    def column(self, values: Any, j: int) -> Any:
        edges = self.edges[j]
        if len(edges) < 2:
            return np.zeros((len(values), 1))
        with np.errstate(over="ignore", invalid="ignore"):
            codes = (values[:, None] - edges[:-1]) / np.diff(edges)
        np.maximum(codes[:, 1:], 0.0, out=codes[:, 1:])
        np.minimum(codes[:, :-1], 1.0, out=codes[:, :-1])
        return _bounded(codes)


class RobustBins(NumericEncoder):
    """The robust code, and beside it the piecewise linear codes of what it codes.

    The latter let a network bend sharply where many values lie. They are cut off at
    both ends, so that outliers stay bounded, and run from -1/4 to 1/4, so that together
    they do not outweigh the former. A column of fewer than three bins has none.
    """

    min_bins = 3

    def __init__(self, robust: Robust, bins: PiecewiseLinear) -> None:
        self.robust = robust
        self.bins = bins
        self.widths = 1 + np.where(bins.widths >= self.min_bins, bins.widths, 0)
        # Where the codes go, and of all bins side by side: column, edge and width.
        is_robust = np.zeros(self.widths.sum(), dtype=bool)
        is_robust[np.cumsum(self.widths) - self.widths] = True
        self._robust_slots, self._bin_slots = map(
            np.flatnonzero, (is_robust, ~is_robust)
        )
        self._source = np.repeat(np.arange(len(self.widths)), self.widths - 1)
        binned = [b for b, w in zip(bins.edges, self.widths, strict=True) if w > 1]
        self._lower = np.concatenate([np.zeros(0), *(b[:-1] for b in binned)])
        self._steps = np.concatenate([np.zeros(0), *map(np.diff, binned)])

    @classmethod
    def fit(cls, columns: Sequence[Distribution], n_bins: int) -> Self:
        """Learn both."""
        return cls(Robust.fit(columns, n_bins), PiecewiseLinear.fit(columns, n_bins))

    def suffixes(self, j: int) -> Sequence[str]:
        return ["", *self.bins.suffixes(j)][: self.widths[j]]

    def column(self, values: Any, j: int) -> Any:
        robust = self.robust.column(values, j)
        if self.widths[j] == 1:
            return robust
        own = self._source == j
        return np.hstack([robust, self._bin_codes(values[:, None], own)])

    def dense(self, V: Any, dtype: Any) -> Any:
        codes = np.empty((len(V), self.widths.sum()), dtype=dtype)
        # A few rows of all columns at once: a row alone takes a tenth of the time that
        # it takes column by column, and many take no more memory.
        n_rows = max(1, CHUNK // max(1, codes.shape[1]))
        every = slice(None)
        for start in range(0, len(V), n_rows):
            part, rows = codes[start : start + n_rows], V[start : start + n_rows]
            part[:, self._robust_slots] = self.robust.dense(rows, dtype)
            part[:, self._bin_slots] = self._bin_codes(rows[:, self._source], every)
        return codes

    def _bin_codes(self, values: Any, which: Any) -> Any:
        """Return the codes of `values` in some of all bins, one column for each."""
        with np.errstate(over="ignore", invalid="ignore"):
            codes = (values - self._lower[which]) / self._steps[which]
        np.clip(codes, 0.0, 1.0, out=codes)
        codes -= 0.5
        codes *= 0.5
        codes[np.isnan(codes)] = 0.0
        return codes


def _distinct(quantiles: Any) -> Any:
    """Return what is left of sorted numbers without those that differ by rounding."""
    first, *others = quantiles.tolist()
    kept = [first]
    for edge in others:
        if edge - kept[-1] > rounding_of(kept[-1], edge):
            kept.append(edge)
    return np.array(kept)


NUMERIC: dict[str, type[NumericEncoder]] = {
    "robust": Robust,
    "robust_bins": RobustBins,
    "standard": Standard,
    "quantile": Quantile,
    "piecewise_linear": PiecewiseLinear,
}
