"""Section "fits": whole fits as a user starts them, with the accuracy they reach."""

from collections.abc import Callable
from functools import cache
from statistics import median
from typing import Any

import numpy as np
import rival_torch
import speed_million
from rivals import NEVER
from sklearn.datasets import fetch_openml, load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from textbook import FFNNClassifier
from timing import Column, Options, Table, seconds_of, torch

__all__ = ["run"]

Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
# Trains and returns what predicts.
Fit = Callable[[], Callable[[np.ndarray], np.ndarray]]

# All epochs are run: nothing stops a fit early.
WHOLE = {"tol": 0.0, "n_iter_no_change": NEVER, "random_state": 0}


def run(options: Options) -> None:
    """Print the table of digits and MNIST, then that of a million rows."""
    table = Table(
        f"fits: seconds of a whole fit, {options.heading}",
        Column("data", 46, left=True),
        Column("model", 8, left=True),
        Column("seconds", 8, 3),
        Column("test accuracy", 13, 4),
        Column("other/skffnn", 12, 2),
    )
    digits(table, options)
    mnist(table, options)
    speed_million.run(options)


def digits(table: Table, options: Options) -> None:
    """Time both with scikit-learn's defaults for 50 epochs."""
    X, y = load_digits(return_X_y=True)
    data = train_test_split(X / 16.0, y, random_state=0, stratify=y)
    given = {"max_iter": 50, **WHOLE}
    fits = {
        "skffnn": estimator_fit(
            FFNNClassifier(
                optimizer="adam", batch_size=200, learning_rate_init=1e-3, **given
            ),
            data,
        ),
        "MLP": estimator_fit(MLPClassifier(**given), data),
    }
    compare(
        table,
        "digits, 64-100-10, adam, 50 epochs",
        fits,
        data,
        1 if options.quick else 5,
    )


def mnist(table: Table, options: Options) -> None:
    """Time 256 hidden units on 60,000 images."""
    try:
        data = mnist_data()
    except Exception as error:  # the source may fail in many ways
        print(f"MNIST left out: it could not be fetched ({type(error).__name__})")
        return
    n_epochs = 2 if options.quick else 10
    given = {
        "hidden_layer_sizes": (256,),
        "batch_size": 200,
        "learning_rate_init": 1e-3,
        "max_iter": n_epochs,
        **WHOLE,
    }
    fits = {
        "skffnn": estimator_fit(FFNNClassifier(optimizer="adam", **given), data),
        "MLP": estimator_fit(MLPClassifier(solver="adam", **given), data),
    }
    if torch is not None:
        fits["torch"] = torch_fit(data, n_epochs)
    name = f"MNIST, 784-256-10, float32, adam, {n_epochs} epochs"
    compare(table, name, fits, data, 1 if options.quick else 3)


@cache
def mnist_data() -> Split:
    """Return 60,000 rows to train on and the last 10,000 to test on."""
    X, y = fetch_openml("mnist_784", version=1, as_frame=False, return_X_y=True)
    X = (X / 255.0).astype(np.float32)
    return X[:60_000], X[60_000:], y[:60_000], y[60_000:]


def estimator_fit(model: Any, data: Split) -> Fit:
    """Return the fit of an estimator, which starts anew at each call."""
    X, _, y, _ = data

    def fit() -> Callable[[np.ndarray], np.ndarray]:
        model.fit(X, y)
        assert model.n_iter_ == model.max_iter
        return model.predict

    return fit


def torch_fit(data: Split, n_epochs: int) -> Fit:
    """Return the same training in torch, its fused adam, labels encoded beforehand."""
    X, _, y, _ = data
    classes, codes = np.unique(y, return_inverse=True)
    tensors = torch.from_numpy(X), torch.from_numpy(codes)
    loss = torch.nn.CrossEntropyLoss()

    def fit() -> Callable[[np.ndarray], np.ndarray]:
        torch.manual_seed(0)
        model = rival_torch.network((784, 256, 10), "float32")
        step = rival_torch.optimizer("adam", model, 1e-3, "fused")
        rival_torch.train(model, step, loss, *tensors, 200, n_epochs)
        return lambda X: classes[model(torch.from_numpy(X)).argmax(axis=1).numpy()]

    return fit


def compare(
    table: Table, name: str, fits: dict[str, Fit], data: Split, n_turns: int
) -> None:
    """Let all take turns, and print the median time and the accuracy of the last."""
    _, X_test, _, y_test = data
    times: dict[str, list[float]] = {contestant: [] for contestant in fits}
    predict: dict[str, Callable[[np.ndarray], np.ndarray]] = {}

    def run_fit(contestant: str) -> None:
        predict[contestant] = fits[contestant]()

    for _ in range(n_turns):
        for contestant in fits:
            seconds = seconds_of(lambda contestant=contestant: run_fit(contestant))
            times[contestant].append(seconds)
    ours = median(times["skffnn"])
    for contestant in fits:
        seconds = median(times[contestant])
        accuracy = float(np.mean(predict[contestant](X_test) == y_test))
        other = None if contestant == "skffnn" else seconds / ours
        table.row(name, contestant, seconds, accuracy, other)
