"""The part of section "fits" with a million rows: time per epoch, and memory.

Each fit has a process of its own, which makes the data, fits once on a few rows, so
that everything is loaded, and then looks how far its resident memory rises above what
it is when the fit begins: the data is there by then and does not count.
"""

import json
import resource
import subprocess
import sys
import warnings
from pathlib import Path
from statistics import median

import numpy as np
from rivals import NEVER
from sklearn.neural_network import MLPRegressor
from textbook import FFNNRegressor
from timing import Column, Options, Table, ratio, seconds_of, threads

__all__ = ["run"]

N_FEATURES = 20
MODELS = {"skffnn": FFNNRegressor, "MLP": MLPRegressor}
MEGABYTE = 2**20


def run(options: Options) -> None:
    """Print the table: one child per model and turn, alternating."""
    n_rows = 50_000 if options.quick else 1_000_000
    n_epochs, n_turns = (2, 1) if options.quick else (2, 3)
    table = Table(
        f"fits: {n_rows:,} rows x {N_FEATURES}, 100 hidden units, one output, adam, "
        f"batch 200, {options.heading}",
        Column("dtype", 8, left=True),
        Column("model", 8, left=True),
        Column("seconds per epoch", 17, 3),
        Column("MLP/skffnn", 10, 2),
        Column("MB of X and y", 13, 1),
        Column("peak MB beyond", 14, 1),
    )
    for dtype in ("float32", "float64"):
        turns: dict[str, list[dict[str, float]]] = {name: [] for name in MODELS}
        for _ in range(n_turns):
            for name in MODELS:
                turns[name].append(
                    ask_child(name, dtype, n_rows, n_epochs, options.n_threads)
                )
        seconds = {
            name: median(turn["seconds"] for turn in turns[name]) for name in MODELS
        }
        for name in MODELS:
            table.row(
                dtype,
                name,
                seconds[name],
                None if name == "skffnn" else ratio(seconds[name], seconds["skffnn"]),
                turns[name][0]["data"] / MEGABYTE,
                median(turn["peak"] for turn in turns[name]) / MEGABYTE,
            )


def ask_child(*arguments: object) -> dict[str, float]:
    """Run this file in another process and return what it prints."""
    command = [sys.executable, str(Path(__file__)), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def child(name: str, dtype: str, n_rows: int, n_epochs: int) -> dict[str, float]:
    """Fit once; return seconds per epoch, bytes of the data and of the peak beyond."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, N_FEATURES), dtype)
    y = X[:, :5].sum(axis=1)
    model = MODELS[name](
        batch_size=200,
        max_iter=n_epochs,
        tol=0.0,
        n_iter_no_change=NEVER,
        random_state=0,
    )
    model.fit(X[:1000], y[:1000])
    before = resident_now()
    seconds = seconds_of(lambda: model.fit(X, y))
    assert model.n_iter_ == n_epochs
    return {
        "seconds": seconds / n_epochs,
        "data": X.nbytes + y.nbytes,
        "peak": resident_peak() - before,
    }


def resident_now() -> int:
    """Return the resident memory in bytes and let its peak start from there.

    Where the system does not allow that, what counts is the highest memory so far.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return resident_peak()
    return status("VmRSS")


def resident_peak() -> int:
    """Return the peak of the resident memory in bytes."""
    try:
        return status("VmHWM")
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def status(key: str) -> int:
    """Return an entry of this process's status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    model_name, data_type, *numbers = sys.argv[1:]
    rows, epochs, blas_threads = map(int, numbers)
    with threads(blas_threads):
        print(json.dumps(child(model_name, data_type, rows, epochs)))
