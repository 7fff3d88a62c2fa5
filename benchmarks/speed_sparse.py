"""The sparse part of section "updates": text-like X with 20,000 columns.

The "passes" are what an update does with all weights, whatever the rows: the gradient
of the penalty is written, and the optimizer takes its step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import scipy.sparse as sp
import written_out
from rivals import FEWEST_EPOCHS, Task, fit_mlp, fit_skffnn
from speed_targets import Cell
from timing import Column, Contestant, Options, Table, seconds_of, seconds_per_unit

__all__ = ["run"]

LAYER_SIZES = (20_000, 100, 2)
NONZEROS_PER_ROW = 20


@dataclass(frozen=True)
class SparseTask(Task):
    """A task whose X is a CSR array with 0.1 % nonzeros."""

    def data(self) -> tuple[sp.csr_array, np.ndarray]:
        """Return X with the same number of nonzeros in every row, and y."""
        rng = np.random.default_rng(0)
        n_features, n_nonzeros = self.layer_sizes[0], self.n_rows * NONZEROS_PER_ROW
        X = sp.csr_array(
            (
                rng.uniform(0.0, 1.0, n_nonzeros).astype(self.dtype),
                rng.integers(n_features, size=n_nonzeros, dtype=np.int32),
                np.arange(0, n_nonzeros + 1, NONZEROS_PER_ROW, dtype=np.int32),
            ),
            shape=(self.n_rows, n_features),
        )
        X.sum_duplicates()
        return X, self.targets(rng)

    @property
    def label(self) -> str:
        """The optimizer, as in the table."""
        return self.optimizer + (", no momentum" if self.more else "")


def run(options: Options) -> list[Cell]:
    """Print the table and return its cells."""
    table = Table(
        "updates, sparse X: microseconds per update, 20000-100-2, 0.1 % nonzeros, "
        f"{options.heading}" + (", only batch 200" if options.n_threads > 1 else ""),
        Column("batch", 5),
        Column("dtype", 8),
        Column("optimizer", 17),
        Column("skffnn", 9, 1),
        Column("MLP", 9, 1),
        Column("passes", 9, 1),
        Column("MLP/skffnn", 11, 2),
    )
    cells = []
    # A fit first draws two million weights, so turns of two epochs would be too short.
    turns = (0.02, 1, FEWEST_EPOCHS) if options.quick else (0.1, 3, 4)
    for task in tasks(options):
        X, y = task.data()
        everyone = {
            "skffnn": fit_skffnn(task, X, y),
            "MLP": fit_mlp(task, X, y),
            "passes": passes(task),
        }
        seconds = seconds_per_unit(everyone, *turns)
        per_update = 1e6 / task.updates_per_epoch
        times = {name: s * per_update for name, s in seconds.items()}
        cells.append(Cell(task, times))
        table.row(
            task.batch_size, task.dtype, task.label, *times.values(), cells[-1].gain
        )
    return cells


def tasks(options: Options) -> Iterator[SparseTask]:
    """Yield the grid: the defaults of both, and sgd without its default momentum."""
    batch_sizes = [200] if options.quick or options.n_threads > 1 else [1, 32, 200]
    dtypes = ["float32"] if options.quick else ["float32", "float64"]
    optimizers = [("sgd", {}), ("sgd", {"momentum": 0.0}), ("adam", {})]
    n_updates = 10 if options.quick else 200
    for batch_size, dtype, (name, more) in product(batch_sizes, dtypes, optimizers):
        yield SparseTask(LAYER_SIZES, batch_size, dtype, name, n_updates, more)


def passes(task: SparseTask) -> Contestant:
    """Return the passes over the weights of an epoch's updates."""
    n_weights = sum(a * b for a, b in pairwise(task.layer_sizes))
    weights = np.random.default_rng(0).normal(0.0, 0.01, n_weights).astype(task.dtype)
    grad = np.empty_like(weights)
    penalize = written_out.penalty(weights, grad, is_first=True)
    by_name = {"sgd": written_out.sgd, "adam": written_out.adam}
    how = written_out.plain_sgd if task.more else by_name[task.optimizer]
    step = how(weights, grad)

    def updates(n_updates: int) -> None:
        for _ in range(n_updates):
            penalize()
            step()

    return lambda n_epochs: seconds_of(
        lambda: updates(n_epochs * task.updates_per_epoch)
    )
