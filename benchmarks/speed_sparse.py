"""The sparse part of section "updates": text-like X with 20,000 columns.

"Written" is the same update written out for this network, in calls of numpy, scipy and
BLAS. The "passes" are what it does with all weights, whatever the rows: the gradient of
the penalty is written, and the optimizer takes its step.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import scipy.sparse as sp
import written_out
from rivals import FEWEST_EPOCHS, Task, fit_mlp, fit_skffnn
from scipy.linalg import get_blas_funcs
from speed_targets import Cell
from timing import Column, Contestant, Options, Table, seconds_of, seconds_per_unit

from skffnn.core.memory import empty, zeros
from skffnn.core.products import add_transposed_product

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
        Column("written", 9, 1),
        Column("passes", 9, 1),
        Column("MLP/skffnn", 11, 2),
    )
    cells = []
    # A fit first draws two million weights, so turns of two epochs would be too short.
    turns = (0.02, 1, FEWEST_EPOCHS) if options.quick else (0.1, 3, 4)
    for task in tasks(options):
        X, y = task.data()
        everyone = {"skffnn": fit_skffnn(task, X, y), "MLP": fit_mlp(task, X, y)}
        if options.n_threads == 1:  # their calls would wait for the threads of two BLAS
            everyone |= {"written": written(task, X, y), "passes": passes(task)}
        seconds = seconds_per_unit(everyone, *turns)
        per_update = 1e6 / task.updates_per_epoch
        times = {name: s * per_update for name, s in seconds.items()}
        cells.append(Cell(task, times))
        columns = [times.get(name) for name in ("skffnn", "MLP", "written", "passes")]
        table.row(task.batch_size, task.dtype, task.label, *columns, cells[-1].gain)
    return cells


def tasks(options: Options) -> Iterator[SparseTask]:
    """Yield the grid: the defaults of both, and sgd without its default momentum."""
    batch_sizes = [200] if options.quick or options.n_threads > 1 else [1, 32, 200]
    dtypes = ["float32"] if options.quick else ["float32", "float64"]
    optimizers = [("sgd", {}), ("sgd", {"momentum": 0.0}), ("adam", {})]
    n_updates = 10 if options.quick else 200
    for batch_size, dtype, (name, more) in product(batch_sizes, dtypes, optimizers):
        yield SparseTask(LAYER_SIZES, batch_size, dtype, name, n_updates, more)


def written(task: SparseTask, X: sp.csr_array, y: np.ndarray) -> Contestant:
    """Return the updates of an epoch, written out; the loss is the squared error."""
    n_rows, (n_features, width, n_outputs) = task.batch_size, LAYER_SIZES
    dtype = X.dtype
    dot, scal = get_blas_funcs(("dot", "scal"), dtype=dtype)
    n_first = n_features * width
    n_weights = n_first + width * n_outputs
    n_params = n_weights + width + n_outputs
    rng = np.random.default_rng(0)
    params, grad = zeros(n_params, dtype), empty(n_params, dtype)
    params[:n_weights] = rng.normal(0.0, 0.01, n_weights)
    (W, V), (b, c) = written_out.cut(params, LAYER_SIZES)
    (dW, dV), (db, dc) = written_out.cut(grad, LAYER_SIZES)
    a, of_a = empty((n_rows, width), dtype), empty((n_rows, width), dtype)
    raw, of_raw = empty((n_rows, n_outputs), dtype), empty((n_rows, n_outputs), dtype)
    y_rows, ones = np.empty_like(raw), np.ones(n_rows, dtype)
    write_dV = written_out.product_of_rows(a, of_raw, dV)
    of_first = written_out.penalty(params[:n_first], grad[:n_first], is_first=True)
    second = slice(n_first, n_weights)
    of_second = written_out.penalty(params[second], grad[second], n_rows == 1)

    def objective(rows: np.ndarray) -> float:
        value = of_first()
        if n_rows == 1:
            value += of_second()
        batch = X[rows]
        y.take(rows, axis=0, out=y_rows, mode="clip")
        np.add(batch @ W, b, out=a)
        np.maximum(a, 0.0, out=a)
        np.add(a.dot(V, out=raw), c, out=raw)
        np.subtract(raw, y_rows, out=of_raw)
        value += 0.5 * dot(of_raw.ravel(), of_raw.ravel()) / n_rows
        scal(1.0 / n_rows, of_raw.reshape(-1))
        ones.dot(of_raw, out=dc)
        write_dV()
        of_raw.dot(V.T, out=of_a)
        np.multiply(of_a, a > 0.0, out=of_a)
        ones.dot(of_a, out=db)
        add_transposed_product(batch, of_a, out=dW)
        return value if n_rows == 1 else value + of_second()

    step = optimizer(task)(params, grad)

    def train(n_epochs: int) -> None:
        for _ in range(n_epochs):
            order = rng.permutation(X.shape[0])
            for start in range(0, len(order), n_rows):
                if not math.isfinite(objective(order[start : start + n_rows])):
                    raise ArithmeticError
                step()

    return lambda n_epochs: seconds_of(lambda: train(n_epochs))


def passes(task: SparseTask) -> Contestant:
    """Return the passes over the weights of an epoch's updates."""
    n_weights = sum(a * b for a, b in pairwise(task.layer_sizes))
    weights, grad = (zeros(n_weights, np.dtype(task.dtype)) for _ in range(2))
    weights += np.random.default_rng(0).normal(0.0, 0.01, n_weights)
    penalize = written_out.penalty(weights, grad, is_first=True)
    step = optimizer(task)(weights, grad)

    def updates(n_updates: int) -> None:
        for _ in range(n_updates):
            penalize()
            step()

    return lambda n_epochs: seconds_of(
        lambda: updates(n_epochs * task.updates_per_epoch)
    )


def optimizer(task: SparseTask) -> Callable[..., Callable[[], None]]:
    """Return what makes the written-out step."""
    if task.more:
        return written_out.plain_sgd
    return {"sgd": written_out.sgd, "adam": written_out.adam}[task.optimizer]
