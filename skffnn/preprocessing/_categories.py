"""Which categories a column has, and what a network sees of each."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from skffnn.preprocessing._columns import Column, Levels

__all__ = ["Categories", "OneHot", "TargetMeans", "find_categories"]

MISSING, UNSEEN = -1, -2


@dataclass(frozen=True, eq=False)
class Categories:
    """The categories of one column.

    Parameters
    ----------
    values : ndarray of shape (n_categories,) of objects
        All of them, in order.
    rare : boolean ndarray of shape (n_categories,)
        Those that share the last code; the others have the codes 0, 1, ...
    """

    values: Any
    rare: Any

    def __post_init__(self) -> None:
        codes = np.where(self.rare, (~self.rare).sum(), np.cumsum(~self.rare) - 1)
        index = dict(zip(self.values, codes.tolist(), strict=True))
        object.__setattr__(self, "_index", index)

    def __len__(self) -> int:
        return int((~self.rare).sum() + self.rare.any())

    @property
    def infrequent(self) -> Any:
        """Those that share a code, None if there are none."""
        return self.values[self.rare] if self.rare.any() else None

    @property
    def names(self) -> list[str]:
        """What to call each code."""
        return [*map(str, self.values[~self.rare]), "infrequent"][: len(self)]

    def codes(self, levels: Levels) -> Any:
        """Return the code of each row, or `MISSING` or `UNSEEN`."""
        index = self._index  # type: ignore[attr-defined]
        known = [index.get(value, UNSEEN) for value in levels.values]
        return np.array([*known, MISSING], dtype=np.intp)[levels.codes]


def find_categories(
    levels: Levels,
    weight: Any,
    min_frequency: float | None,
    max_categories: int | None,
    in_order: bool,
) -> Categories:
    """Return the categories that rows with weight have, the rare ones together.

    Parameters
    ----------
    levels : Levels
        The column.
    weight : ndarray of shape (n_rows,) or None
        Weights of its rows; None means one.
    min_frequency : int, float or None
        A category of less total weight, or of less than this share, is rare.
    max_categories : int or None
        The most codes there may be; beyond that those of least weight are rare.
    in_order : bool
        Whether the levels are in an order that is meant.
    """
    there = levels.codes >= 0
    counts = np.bincount(
        levels.codes[there],
        None if weight is None else weight[there],
        minlength=len(levels.values),
    )
    total = len(levels.codes) if weight is None else weight.sum()
    present = np.flatnonzero(counts).tolist()
    if not in_order:
        present = _sorted(present, levels.values)
    counts = counts[present]
    # One by one, as tuples would be taken for rows.
    values = np.fromiter((levels.values[i] for i in present), object, len(present))

    rare = np.zeros(len(values), dtype=bool)
    if min_frequency is not None:
        is_count = isinstance(min_frequency, Integral)
        least = min_frequency if is_count else min_frequency * total
        rare = counts < least * (1.0 - 1e-12)
    if max_categories is not None and (~rare).sum() + rare.any() > max_categories:
        by_count = np.argsort(-counts, kind="stable")
        rare[by_count[max_categories - 1 :]] = True
    return Categories(values, rare)


def _sorted(places: list[int], values: list[Any]) -> list[int]:
    """Return the places of values in the order of these; by type if they have none."""
    try:
        return sorted(places, key=lambda i: values[i])
    except TypeError:
        return sorted(places, key=lambda i: (type(values[i]).__name__, str(values[i])))


class OneHot:
    """One column per category; of two categories, one column of -1 and 1.

    Missing and unseen categories are zeros, as is a column of only one category.

    Parameters
    ----------
    categories : Categories
        Those of the column.
    is_boolean : bool
        Whether the name of the column says what 1 means.
    """

    def __init__(self, categories: Categories, is_boolean: bool) -> None:
        self.categories = categories
        names = [f"_{name}" for name in categories.names]
        n = len(names)
        if n <= 2:
            self.suffixes = [""] if is_boolean or n == 0 else names[-1:]
            places, values = [0] * n, [-1.0, 1.0] if n == 2 else [0.0] * n
        else:
            self.suffixes = names
            places, values = list(range(n)), [1.0] * n
        # Two more for the codes UNSEEN and MISSING, which count from the end.
        self._places = np.array([*places, 0, 0], dtype=np.intp)
        self._values = np.array([*values, 0.0, 0.0])

    def codes(self, column: Column) -> Any:
        """Return the code of each row."""
        return self.categories.codes(column.levels())

    def entries(self, codes: Any) -> tuple[Any, Any]:
        """Return, for each row, which column is not zero, and what it is."""
        return self._places[codes], self._values[codes]


class TargetMeans:
    """The mean target of each category, shrunk towards that of all rows.

    Parameters
    ----------
    categories : Categories
        Those of the column.
    levels : Levels
        The column in the training rows.
    target : ndarray of shape (n_rows, n_targets)
        Their targets.
    weight : ndarray of shape (n_rows,) or None
        Their weights.
    suffixes : list of str
        What tells the targets apart in names.
    """

    def __init__(
        self,
        categories: Categories,
        levels: Levels,
        target: Any,
        weight: Any,
        suffixes: list[str],
    ) -> None:
        self.categories = categories
        self.suffixes = suffixes
        codes = categories.codes(levels)
        self._means = _shrunk_means(codes, target, weight, len(categories))

    def read(self, column: Column) -> Any:
        """Return the mean of each row's category; NaN where it is missing."""
        return self._means[self.categories.codes(column.levels())]

    def cross_fitted(self, column: Column, target: Any, weight: Any, folds: Any) -> Any:
        """Return for each row the mean of its category in the folds it is not in."""
        codes = self.categories.codes(column.levels())
        result = np.empty(target.shape)
        for train, test in folds:
            means = _shrunk_means(
                codes[train],
                target[train],
                None if weight is None else weight[train],
                len(self.categories),
            )
            result[test] = means[codes[test]]
        return result


def _shrunk_means(codes: Any, target: Any, weight: Any, n_codes: int) -> Any:
    """Return the mean target of each code, by the estimate of Micci-Barreca (2001).

    With n_c rows, mean m_c and variance v_c of the category, and m and v of all rows,
    it is ``b * m_c + (1 - b) * m`` with ``b = v * n_c / (v * n_c + v_c)``; that of
    :class:`~sklearn.preprocessing.TargetEncoder` with ``smooth="auto"``. Two rows
    more are the mean of all, for the code UNSEEN, and NaN, for MISSING.
    """
    weight = np.ones(len(codes)) if weight is None else weight
    overall = np.average(target, axis=0, weights=weight)
    variance = np.average((target - overall) ** 2, axis=0, weights=weight)
    means = np.tile(overall, (n_codes + 2, 1))
    means[MISSING] = np.nan
    known = codes >= 0
    codes, target, weight = codes[known], target[known], weight[known]
    count = np.bincount(codes, weight, minlength=n_codes)
    there = count > 0.0
    for k in range(target.shape[1]):
        y = target[:, k]
        sums = np.bincount(codes, weight * y, minlength=n_codes)
        mean = np.divide(sums, count, out=np.zeros(n_codes), where=there)
        squares = np.bincount(codes, weight * (y - mean[codes]) ** 2, n_codes)
        between = variance[k] * count
        within = np.divide(squares, count, out=np.zeros(n_codes), where=there)
        both = between + within
        share = np.divide(between, both, out=np.zeros(n_codes), where=both > 0.0)
        means[:n_codes, k] += share * (mean - overall[k])
    return means
