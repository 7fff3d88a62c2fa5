"""Section "memory": what a fit allocates at most, beyond X and y.

Once for a large network on few rows, in units of its parameters, and once for many rows
and a small network, in units of X: a fit that copies X needs one of them at least.
"""

import tracemalloc
from typing import Any

import numpy as np
from rivals import NEVER
from sklearn.neural_network import MLPRegressor
from textbook import FFNNRegressor
from timing import Column, Options, Table

__all__ = ["run"]

MEGABYTE = 2**20
MODELS = {"skffnn": FFNNRegressor, "MLP": MLPRegressor}


def run(options: Options) -> None:
    """Print the table: numpy tells the tracer what it allocates."""
    table = Table(
        f"memory: peak of a fit beyond X and y, 3 epochs, {options.heading}",
        Column("case", 44, left=True),
        Column("optimizer", 9, left=True),
        Column("model", 8, left=True),
        Column("peak MB", 9, 1),
        Column("in units of", 12),
        Column("units", 6, 2),
    )
    rng = np.random.default_rng(0)
    width, n_rows = (256, 50_000) if options.quick else (1024, 500_000)
    X = rng.standard_normal((1024, 784), np.float32)
    n_params = 785 * width + (width + 1) * width + (width + 1)
    for optimizer in ("sgd", "adam"):
        for model in MODELS:
            peak = peak_of_fit(model, optimizer, X, (width, width))
            case = f"784-{width}-{width}-1, float32, 1,024 rows, batch 256"
            unit = n_params * X.itemsize
            table.row(
                case, optimizer, model, peak / MEGABYTE, "parameters", peak / unit
            )
    X = rng.standard_normal((n_rows, 20))
    for model in MODELS:
        peak = peak_of_fit(model, "adam", X, (10,))
        case = f"20-10-1, float64, {n_rows:,} rows, batch 256"
        table.row(case, "adam", model, peak / MEGABYTE, "X", peak / X.nbytes)


def peak_of_fit(
    name: str, optimizer: str, X: np.ndarray, hidden: tuple[int, ...]
) -> int:
    """Return the most bytes in use during a fit, less those in use before."""
    how: dict[str, Any] = (
        {"optimizer": optimizer} if name == "skffnn" else {"solver": optimizer}
    )
    model = MODELS[name](
        hidden_layer_sizes=hidden,
        batch_size=256,
        max_iter=3,
        tol=0.0,
        n_iter_no_change=NEVER,
        learning_rate_init=1e-4,
        random_state=0,
        **how,
    )
    y = X[:, 0].copy()
    tracemalloc.start()
    model.fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak
