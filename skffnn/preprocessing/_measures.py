"""What is a number in a column that is not one-hot: itself, a rank, parts of a date."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from skffnn.preprocessing._columns import Column

__all__ = ["MEASURES", "Measure", "Numbers", "Ranks"]


class Measure(Protocol):
    """Reads one or more numbers from each row of a column, NaN where it is missing."""

    @property
    def suffixes(self) -> Sequence[str]:
        """What tells the numbers of a row apart in names."""

    def read(self, column: Column) -> Any:
        """Return an ndarray of shape (n_rows, len(suffixes))."""


class Numbers:
    """The number itself."""

    suffixes: Sequence[str] = ("",)

    def read(self, column: Column) -> Any:
        return column.numbers("numeric")[:, None]


class Durations:
    """Seconds."""

    suffixes: Sequence[str] = ("",)

    def read(self, column: Column) -> Any:
        return column.numbers("duration")[:, None]


class Nothing:
    """A column that had no value in fit."""

    suffixes: Sequence[str] = ("",)

    def read(self, column: Column) -> Any:
        return np.full((column.n_rows, 1), np.nan)


class Dates:
    """Year, month, day, weekday, hour, and the days since 1970, on the local clock.

    Monday is 0.
    """

    suffixes: Sequence[str] = tuple(
        f"_{part}" for part in ("year", "month", "day", "weekday", "hour", "elapsed")
    )

    def read(self, column: Column) -> Any:
        times = column.times()
        missing = np.isnat(times)
        times = np.where(missing, np.datetime64(0, "us"), times)
        year, month, day, hour = (times.astype(f"datetime64[{u}]") for u in "YMDh")
        parts = [
            year.astype(int) + 1970,
            month.astype(int) % 12 + 1,
            (day - month.astype(day.dtype)).astype(int) + 1,
            (day.astype(int) + 3) % 7,
            (hour - day.astype(hour.dtype)).astype(int),
            times.astype(np.int64) / 86_400e6,
        ]
        result = np.array(parts, dtype=np.float64).T
        result[missing] = np.nan
        return result


class Ranks:
    """The place of a level in its order: 0, 1, ...; an unseen level is missing."""

    suffixes: Sequence[str] = ("",)

    def __init__(self, order: list[Any]) -> None:
        self.ranks = {level: float(rank) for rank, level in enumerate(order)}

    def read(self, column: Column) -> Any:
        levels = column.levels()
        ranks = [self.ranks.get(level, np.nan) for level in levels.values]
        return np.array([*ranks, np.nan])[levels.codes][:, None]


MEASURES: dict[str, Measure] = {
    "numeric": Numbers(),
    "date": Dates(),
    "duration": Durations(),
    "empty": Nothing(),
}
