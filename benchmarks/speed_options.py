"""Section "options": what dropout, norms and averages add to an update.

The same network is trained with each option and without any, by Adam in float32. Whole
fits take turns, as in the section "updates".
"""

from typing import Any

from rivals import FEWEST_EPOCHS, Task, fit_skffnn
from timing import Column, Options, Table, seconds_per_unit

__all__ = ["run"]

LAYER_SIZES = (50, 128, 128, 128, 10)
OPTIONS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "dropout": {"dropout": 0.15},
    "input_dropout": {"input_dropout": 0.15},
    "layer_norm": {"layer_norm": True},
    "max_norm": {"max_norm": 3.0},
    "average": {"average": True},
}


def run(options: Options) -> None:
    """Print the table."""
    table = Table(
        f"options: microseconds per update, relu, float32, adam, {options.heading}",
        Column("network", 21, left=True),
        Column("batch", 5),
        *(Column(name, 14, 1) for name in OPTIONS),
    )
    ratios = []
    turn_seconds, n_turns = (0.1, 3) if options.quick else (0.3, 9)
    for batch_size in (32, 256) if options.quick else (1, 32, 128, 256):
        n_updates = max(10, 500 // batch_size)
        contestants = {}
        for name, more in OPTIONS.items():
            task = Task(LAYER_SIZES, batch_size, "float32", "adam", n_updates, more)
            contestants[name] = fit_skffnn(task, *task.data())
        seconds = seconds_per_unit(contestants, turn_seconds, n_turns, FEWEST_EPOCHS)
        table.row(
            task.name, batch_size, *(1e6 * s / n_updates for s in seconds.values())
        )
        ratios.append((batch_size, [s / seconds["nothing"] for s in seconds.values()]))
    table = Table(
        "options: the same, over the time with nothing",
        Column("batch", 5),
        *(Column(name, 14, 2) for name in OPTIONS),
    )
    for batch_size, row in ratios:
        table.row(batch_size, *row)
