"""Section "growth": how the time of an epoch grows with the data and the network.

The slope is that of log time over log size, a straight line fitted to all points: one
means proportional, two quadratic, zero that the size costs nothing.
"""

from collections.abc import Callable

import numpy as np
from rivals import FEWEST_EPOCHS, Task, fit_skffnn, floor
from timing import Column, Options, Table, seconds_per_unit

__all__ = ["run"]


def rows(n_rows: int) -> Task:
    """Return a task with so many rows."""
    return Task((20, 100, 2), 100, "float64", "adam", n_rows // 100)


def width(size: int) -> Task:
    """Return two hidden layers of this width."""
    return Task((64, size, size, 10), 128, "float64", "adam", 10)


def depth(n_layers: int) -> Task:
    """Return so many hidden layers of 64."""
    return Task((20, *[64] * n_layers, 2), 128, "float64", "adam", 20)


def batch_size(size: int) -> Task:
    """Return an epoch over the same rows in batches of this size."""
    return Task((20, 100, 2), size, "float64", "adam", 10_240 // size)


GROWTHS: list[tuple[str, Callable[[int], Task], list[int]]] = [
    ("rows (20-100-2, batch 100)", rows, [1_000, 3_000, 10_000, 30_000, 100_000]),
    ("width w (64-w-w-10, batch 128)", width, [32, 64, 128, 256, 512, 1024]),
    ("depth (20-64-...-64-2, batch 128)", depth, [1, 2, 4, 8]),
    (
        "batch size (20-100-2, 10,240 rows)",
        batch_size,
        [8, 16, 32, 64, 128, 256, 512, 1024],
    ),
]


def run(options: Options) -> None:
    """Print a row per size, and the slope after the last one."""
    table = Table(
        f"growth: milliseconds per epoch, adam, float64, {options.heading}",
        Column("what grows", 35, left=True),
        Column("size", 7),
        Column("skffnn", 9, 2),
        Column("floor", 9, 2),
        Column("skffnn/floor", 12, 2),
    )
    for name, make_task, sizes in GROWTHS:
        sizes = sizes[:-1:2] if options.quick else sizes
        times = np.array([milliseconds(make_task(size), options) for size in sizes])
        for size, (ours, bare) in zip(sizes, times, strict=True):
            table.row(name, size, ours, bare, ours / bare)
        slopes = np.polyfit(np.log(sizes), np.log(times), 1)[0]
        table.row(name, "slope", *slopes, None)


def milliseconds(task: Task, options: Options) -> tuple[float, float]:
    """Return the time of an epoch, and of its matrix products alone."""
    X, y = task.data()
    turn_seconds, n_turns = (0.02, 3) if options.quick else (0.2, 5)
    both = {"skffnn": fit_skffnn(task, X, y), "floor": floor(task, X)}
    seconds = seconds_per_unit(both, turn_seconds, n_turns, FEWEST_EPOCHS)
    return 1e3 * seconds["skffnn"], 1e3 * seconds["floor"]
