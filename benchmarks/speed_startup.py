"""Section "startup": what skffnn costs before and around small fits."""

import json
import os
import subprocess
import sys
from statistics import median
from typing import Any

from rivals import NEVER
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from textbook import FFNNClassifier
from timing import Column, Options, Table, seconds_of, seconds_per_unit

__all__ = ["run"]

# Run in a new process: prints the seconds of both imports.
IMPORTS = """
import json
from time import perf_counter
start = perf_counter()
import sklearn.neural_network
between = perf_counter()
import skffnn
print(json.dumps([between - start, perf_counter() - between]))
"""


def run(options: Options) -> None:
    """Print both tables."""
    imports(options)
    grid_search(options)


def imports(options: Options) -> None:
    """Time `import skffnn` in new processes that have imported scikit-learn's MLP."""
    n_children = 5 if options.quick else 15
    table = Table(
        f"startup: milliseconds of an import, median of {n_children} processes",
        Column("import", 46, left=True),
        Column("ms", 8, 1),
    )
    children = [import_times() for _ in range(n_children)]
    theirs, ours = (1e3 * median(times) for times in zip(*children, strict=True))
    table.row("sklearn.neural_network, with numpy and scipy", theirs)
    table.row("skffnn after it", ours)


def import_times() -> list[float]:
    """Return the seconds of both imports in a new process.

    Bytecode may be written and read, as in an installed package.
    """
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    times: list[float] = json.loads(done.stdout)
    return times


def grid_search(options: Options) -> None:
    """Time a grid search whose fits are so small that everything around them counts."""
    n_turns = 1 if options.quick else 5
    grid = {
        "alpha": [1e-5, 1e-4, 1e-3, 1e-2, 1e-1],
        "learning_rate_init": [1e-4, 1e-3, 1e-2, 1e-1],
    }
    given = {"max_iter": 20, "tol": 0.0, "n_iter_no_change": NEVER, "random_state": 0}
    searches = {
        "skffnn": GridSearchCV(FFNNClassifier(batch_size=200, **given), grid, cv=3),
        "MLP": GridSearchCV(MLPClassifier(batch_size=200, **given), grid, cv=3),
    }
    table = Table(
        "startup: seconds of GridSearchCV, 20 candidates x 3 folds, 500 rows x 20, "
        f"20 epochs, batch 200, {options.heading}",
        Column("model", 8, left=True),
        Column("seconds", 8, 3),
        Column("MLP/skffnn", 10, 2),
    )
    X, y = make_classification(500, 20, random_state=0)
    times = seconds_per_unit(
        {name: searching(search, X, y) for name, search in searches.items()},
        turn_seconds=0.1,
        n_turns=n_turns,
    )
    table.row("skffnn", times["skffnn"], None)
    table.row("MLP", times["MLP"], times["MLP"] / times["skffnn"])


def searching(search: GridSearchCV, X: Any, y: Any) -> Any:
    """Return a contestant; a unit is a search."""

    def run_searches(n_searches: int) -> float:
        return sum(seconds_of(lambda: search.fit(X, y)) for _ in range(n_searches))

    return run_searches
