"""A column of a table: numbers, times, or which of a few values each row has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

__all__ = ["Column", "Levels"]


@dataclass(frozen=True, eq=False)
class Levels:
    """Which of a few values each row has.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Positions in `values`; -1 where the value is missing.
    values : list
        Distinct values; there may be some that no row has.
    """

    codes: Any
    values: list[Any]


@dataclass(frozen=True, eq=False)
class Column:
    """A column as it was read.

    Parameters
    ----------
    label : str
        What to call it in errors.
    kind : str
        "numeric", "boolean", "categorical", "ordinal", "date", "duration", or "empty"
        where no row tells.
    data : ndarray or Levels
        Floats with NaN for "numeric", "boolean" and, in seconds, "duration";
        datetime64[us] with NaT for "date"; else Levels.
    is_single : bool
        Whether it holds float32.
    """

    label: str
    kind: str
    data: Any
    is_single: bool = False

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.data.codes if isinstance(self.data, Levels) else self.data)

    def take(self, rows: Any) -> Column:
        """Return the column of these rows."""
        if isinstance(self.data, Levels):
            return replace(self, data=Levels(self.data.codes[rows], self.data.values))
        return replace(self, data=self.data[rows])

    def numbers(self, kind: str) -> Any:
        """Return floats with NaN, for a column that was of this kind in fit."""
        if isinstance(self.data, Levels):
            wrong = [v for v in self.data.values if not isinstance(v, Real)]
            if wrong:
                raise self._not(kind, repr(wrong[0]))
            floats = np.array([*self.data.values, np.nan], dtype=np.float64)
            return floats[self.data.codes]
        if self.kind in ("numeric", "boolean", "empty", kind):
            return self.data
        if not len(self.levels().values):  # pandas takes NaT alone for dates
            return np.full(self.n_rows, np.nan)
        raise self._not(kind, f"a {self.kind}")

    def levels(self) -> Levels:
        """Return which value each row has."""
        if isinstance(self.data, Levels):
            return self.data
        is_missing = np.isnat if self.kind == "date" else np.isnan
        missing = is_missing(self.data)
        if self.kind == "boolean":
            codes = np.where(missing, -1.0, self.data).astype(np.intp)
            return Levels(codes, [False, True])
        values, found = np.unique(self.data[~missing], return_inverse=True)
        codes = np.full(self.n_rows, -1)
        codes[~missing] = found
        return Levels(codes, values.tolist())

    def times(self) -> Any:
        """Return datetime64[us] with NaT."""
        if self.kind == "date":
            return self.data
        if self.kind == "empty" or not len(self.levels().values):
            return np.full(self.n_rows, "NaT", dtype="datetime64[us]")
        raise self._not("date", repr(self.levels().values[0]))

    def _not(self, kind: str, found: str) -> ValueError:
        return ValueError(
            f"Column {self.label!r} was {kind} in fit, but now holds {found}"
        )
