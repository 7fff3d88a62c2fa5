"""Section "updates": microseconds per update, and how they compare to the targets.

A fit runs a fixed number of epochs; its wall time, from the call to the return, is
divided by its number of updates. The contestants take turns, and the median of several
turns is reported.
"""

from collections.abc import Iterator
from itertools import product

import speed_sparse
from rivals import FEWEST_EPOCHS, Task, contestants
from speed_targets import Cell, print_targets
from timing import Column, Options, Table, ratio, seconds_per_unit

__all__ = ["LARGE_BATCH", "run"]

# The largest batch size of each network.
LARGE_BATCH = {
    (20, 100, 2): 200,
    (20, 100, 100, 2): 200,
    (64, 100, 10): 200,
    (50, 256, 256, 256, 10): 256,
    (784, 256, 10): 256,
    (784, 1024, 1024, 10): 256,
}
LARGEST = (784, 1024, 1024, 10)
WIDE = {(50, 256, 256, 256, 10), (784, 256, 10), LARGEST}
QUICK_NETWORKS = [(20, 100, 2), (784, 256, 10), LARGEST]


def run(options: Options) -> None:
    """Print the tables of dense and of sparse updates, then the targets."""
    table = Table(
        f"updates: microseconds per update, relu, {grid_name(options)}",
        Column("network", 21, left=True),
        Column("batch", 5),
        Column("dtype", 8),
        Column("optimizer", 9),
        Column("skffnn", 9, 1),
        Column("MLP", 9, 1),
        Column("foreach", 9, 1),
        Column("fused", 9, 1),
        Column("written", 9, 1),
        Column("floor", 9, 1),
        Column("MLP/skffnn", 11, 2),
        Column("torch/skffnn", 12, 2),
        Column("skffnn/floor", 12, 2),
    )
    cells = []
    for task in tasks(options):
        cells.append(measure(task, options))
        print_cell(table, cells[-1])
    print("foreach, fused: torch, eager; torch/skffnn: the faster one of the two")
    if options.n_threads == 1:
        print("written: the same calls of numpy and BLAS, for this network only")
    print_targets(cells, speed_sparse.run(options))


def grid_name(options: Options) -> str:
    """Say what the grid leaves out."""
    if options.n_threads == 1:
        return options.heading
    return f"{options.heading}, reduced grid: only the largest batch of each network"


def tasks(options: Options) -> Iterator[Task]:
    """Yield the grid, from small networks to large ones."""
    networks = QUICK_NETWORKS if options.quick else list(LARGE_BATCH)
    dtypes = ["float32"] if options.quick else ["float32", "float64"]
    for layer_sizes in networks:
        batch_sizes = [1, 32, LARGE_BATCH[layer_sizes]]
        if options.n_threads > 1 or (options.quick and layer_sizes == LARGEST):
            batch_sizes = batch_sizes[-1:]
        for batch_size, dtype, name in product(batch_sizes, dtypes, ["sgd", "adam"]):
            n_updates = updates_per_epoch(layer_sizes, batch_size, options.quick)
            yield Task(layer_sizes, batch_size, dtype, name, n_updates)


def updates_per_epoch(
    layer_sizes: tuple[int, ...], batch_size: int, quick: bool
) -> int:
    """Return enough for the cost of a fit and of an epoch to hardly count."""
    if layer_sizes == LARGEST:
        return 3 if quick else {1: 100, 32: 50}.get(batch_size, 30)
    return max(25, 500 // batch_size)


def turns(layer_sizes: tuple[int, ...], quick: bool) -> tuple[float, int, int]:
    """Return the seconds of a turn, how many there are, and the fewest epochs of one.

    A fit of a wide network first draws and touches megabytes, which is no part of an
    update: its turns are longer.
    """
    if quick:
        return 0.02, 3, FEWEST_EPOCHS
    if layer_sizes in WIDE:
        return 1.0, 3, (6 if layer_sizes == LARGEST else FEWEST_EPOCHS)
    return 0.3, 5, FEWEST_EPOCHS


def measure(task: Task, options: Options) -> Cell:
    """Let all contestants take turns at one task."""
    everyone = contestants(task)
    if options.n_threads > 1:  # its calls would wait for the threads of two BLAS
        del everyone["written"]
    seconds = seconds_per_unit(everyone, *turns(task.layer_sizes, options.quick))
    per_update = 1e6 / task.updates_per_epoch
    return Cell(task, {name: s * per_update for name, s in seconds.items()})


def print_cell(table: Table, cell: Cell) -> None:
    """Print one line."""
    task, times = cell.task, cell.microseconds
    names = ("skffnn", "MLP", "torch foreach", "torch fused", "written", "floor")
    table.row(
        task.name,
        task.batch_size,
        task.dtype,
        task.optimizer,
        *(times.get(name) for name in names),
        cell.gain,
        ratio(cell.best_torch, times["skffnn"]),
        cell.over_floor,
    )
