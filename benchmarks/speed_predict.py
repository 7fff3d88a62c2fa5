"""Section "predict": microseconds per call of a fitted model, and its memory."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor
from textbook import FFNNClassifier, FFNNRegressor
from timing import Column, Contestant, Options, Table, seconds_of, seconds_per_unit

__all__ = ["run"]

MEGABYTE = 2**20
CLASSIFIERS = {"skffnn": FFNNClassifier, "MLP": MLPClassifier}
REGRESSORS = {"skffnn": FFNNRegressor, "MLP": MLPRegressor}
Models = dict[str, Any]


def run(options: Options) -> None:
    """Print the table of times and that of memory."""
    many = 10_000 if options.quick else 100_000
    table = Table(
        f"predict: microseconds per call, float64 array, {options.heading}",
        Column("network", 22, left=True),
        Column("method", 13, left=True),
        Column("rows", 6),
        Column("skffnn", 11, 1),
        Column("MLP", 11, 1),
        Column("MLP/skffnn", 10, 2),
    )
    large = fitted(CLASSIFIERS, (784, 256, 10))
    networks = {
        "20-100-3, classifier": fitted(CLASSIFIERS, (20, 100, 3)),
        "20-100-1, regressor": fitted(REGRESSORS, (20, 100, 1)),
        "784-256-10, classifier": large,
    }
    for name, models in networks.items():
        for n_rows in (1, 100, many):
            print_times(table, name, models, "predict", n_rows, options)
        if "classifier" in name:
            print_times(table, name, models, "predict_proba", 1, options)
    print_memory(large, many, options)


def fitted(estimators: dict[str, type], layer_sizes: tuple[int, ...]) -> Models:
    """Return both models after one epoch on random rows: weights do not matter."""
    n_features, *hidden, n_outputs = layer_sizes
    X = np.random.default_rng(0).standard_normal((200, n_features))
    y = np.arange(len(X)) % max(n_outputs, 2)
    return {
        name: estimator(hidden_layer_sizes=hidden, max_iter=1, random_state=0).fit(X, y)
        for name, estimator in estimators.items()
    }


def rows_for(models: Models, n_rows: int) -> np.ndarray:
    """Return so many random rows."""
    n_features = models["skffnn"].n_features_in_
    return np.random.default_rng(1).standard_normal((n_rows, n_features))


def print_times(
    table: Table, name: str, models: Models, method: str, n_rows: int, options: Options
) -> None:
    """Let both take turns at one method and print the line."""
    turn_seconds, n_turns = (0.02, 3) if options.quick else (0.1, 7)
    X = rows_for(models, n_rows)
    both = {key: calls(getattr(model, method), X) for key, model in models.items()}
    times = seconds_per_unit(both, turn_seconds, n_turns)
    ours, theirs = 1e6 * times["skffnn"], 1e6 * times["MLP"]
    table.row(name, method, n_rows, ours, theirs, theirs / ours)


def calls(method: Callable[[np.ndarray], Any], X: np.ndarray) -> Contestant:
    """Return a contestant; a unit is a call."""

    def repeat(n_calls: int) -> None:
        for _ in range(n_calls):
            method(X)

    return lambda n_calls: seconds_of(lambda: repeat(n_calls))


def print_memory(models: Models, n_rows: int, options: Options) -> None:
    """Print what a prediction allocates at most, its result included."""
    table = Table(
        f"predict: peak memory beyond X, 784-256-10, {n_rows:,} rows, "
        f"{options.heading}",
        Column("model", 8, left=True),
        Column("peak MB", 10, 1),
    )
    X = rows_for(models, n_rows)
    for name, model in models.items():
        tracemalloc.start()
        model.predict(X)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        table.row(name, peak / MEGABYTE)
