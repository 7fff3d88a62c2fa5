"""How things are timed and printed: turns, medians, memory, plain tables."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter, sleep
from typing import Any

from threadpoolctl import threadpool_limits

try:
    import torch
except ImportError:
    torch = None

__all__ = [
    "Column",
    "Contestant",
    "Options",
    "Table",
    "ratio",
    "seconds_of",
    "seconds_per_unit",
    "threads",
]

# Before a turn, in seconds: idle BLAS threads go on spinning for about 26 ms on a core
# that the next contestant may need.
PAUSE = 0.03

# Does so many units of its work (epochs, calls) and returns the wall time in seconds.
Contestant = Callable[[int], float]


@dataclass(frozen=True)
class Options:
    """What the command line says about a section that is about to run."""

    quick: bool
    n_threads: int

    @property
    def heading(self) -> str:
        """The end of a title."""
        plural = "" if self.n_threads == 1 else "s"
        return f"{self.n_threads} thread{plural}" + (", quick" if self.quick else "")


@contextmanager
def threads(n_threads: int) -> Iterator[None]:
    """Let BLAS, OpenMP and torch use this many threads."""
    with threadpool_limits(limits=n_threads):
        if torch is not None:
            torch.set_num_threads(n_threads)
        yield


def seconds_of(call: Callable[[], Any]) -> float:
    """Return the wall time of one call."""
    start = perf_counter()
    call()
    return perf_counter() - start


def seconds_per_unit(
    contestants: dict[str, Contestant],
    turn_seconds: float,
    n_turns: int,
    at_least: int = 1,
) -> dict[str, float]:
    """Let the contestants take turns; return the median seconds per unit of each.

    One unit warms a contestant up. Then each does, in every turn, as many units as fill
    `turn_seconds`, and not fewer than `at_least`. Nothing is subtracted: a fixed cost
    of a turn is spread over its units. A pause before each turn lets the threads of the
    one before come to rest.
    """
    n_units = {}
    for name, run in contestants.items():
        seconds = run(1)
        if seconds < turn_seconds:  # the first time may have been the slow one
            seconds = run(1)
        n_units[name] = max(at_least, round(turn_seconds / seconds))
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(n_turns):
        for name, run in contestants.items():
            sleep(PAUSE)
            times[name].append(run(n_units[name]) / n_units[name])
    return {name: median(turns) for name, turns in times.items()}


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """Divide, where both were measured."""
    if numerator is None or denominator is None:
        return None
    return numerator / denominator


@dataclass(frozen=True)
class Column:
    """One column of a table; numbers are shown with so many decimals."""

    name: str
    width: int
    decimals: int = 0
    left: bool = False

    def show(self, value: Any) -> str:
        """Return the text of a cell, "-" for what was not measured."""
        if value is None:
            text = "-"
        elif isinstance(value, str):
            text = value
        else:
            text = f"{value:.{self.decimals}f}"
        return text.ljust(self.width) if self.left else text.rjust(self.width)


class Table:
    """Prints a title, the names of the columns, and each row as soon as it is there."""

    def __init__(self, title: str, *columns: Column) -> None:
        self._columns = columns
        print(f"\n{title}\n", flush=True)
        self.row(*(column.name for column in columns))

    def row(self, *values: Any) -> None:
        """Print one row."""
        cells = [
            column.show(value)
            for column, value in zip(self._columns, values, strict=True)
        ]
        print(" ".join(cells).rstrip(), flush=True)
