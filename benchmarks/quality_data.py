"""The data sets of the quality benchmark, as a user has them: raw DataFrames.

All of them come through scikit-learn's loaders and fetchers, OpenML's by name and
version.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from sklearn.datasets import (
    fetch_california_housing,
    fetch_openml,
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.model_selection import train_test_split

__all__ = ["DATA", "Data", "Split", "load", "split"]

MOST_TRAINING_ROWS = 8000
MOST_TEST_ROWS = 8000
TEST_SHARE = 0.25


@dataclass(frozen=True)
class Data:
    """A table and what is to be predicted.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
        Columns of any kind.
    y : ndarray of shape (n_samples,)
        Labels 0, 1, ..., or numbers.
    classifies : bool
        Which of both.
    """

    X: pd.DataFrame
    y: np.ndarray
    classifies: bool


@dataclass(frozen=True)
class Split:
    """Rows to train on, and rows to judge by."""

    X_train: pd.DataFrame
    y_train: np.ndarray
    X_test: pd.DataFrame
    y_test: np.ndarray


def openml(name: str, version: int, most_rows: int | None = None):
    """Fetch a table of OpenML, and draw some of its rows if it has many."""
    bunch = fetch_openml(name, version=version, as_frame=True, parser="auto")
    X, y = bunch.data, bunch.target
    if most_rows is not None and len(X) > most_rows:
        rows = np.random.RandomState(0).permutation(len(X))[:most_rows]
        X, y = X.iloc[rows].reset_index(drop=True), y.iloc[rows]
    return X, y.to_numpy()


def bundled(load: Callable):
    """Load a table that scikit-learn brings along."""
    bunch = load(as_frame=True)
    return bunch.data, bunch.target.to_numpy()


CLASSIFICATION = {
    "adult": partial(openml, "adult", 2),
    "titanic": partial(openml, "titanic", 1),
    "credit-g": partial(openml, "credit-g", 1),
    "pima diabetes": partial(openml, "diabetes", 1),
    "spambase": partial(openml, "spambase", 1),
    "segment": partial(openml, "segment", 1),
    "phoneme": partial(openml, "phoneme", 1),
    "nursery": partial(openml, "nursery", 1),
    "mnist": partial(openml, "mnist_784", 1, 10_000),
    "iris": partial(bundled, load_iris),
    "wine": partial(bundled, load_wine),
    "breast cancer": partial(bundled, load_breast_cancer),
    "digits": partial(bundled, load_digits),
}
REGRESSION = {
    "cpu_act": partial(openml, "cpu_act", 1),
    "diamonds": partial(openml, "diamonds", 1),
    "bike sharing": partial(openml, "Bike_Sharing_Demand", 2),
    "elevators": partial(openml, "elevators", 1),
    "pol": partial(openml, "pol", 1),
    "california": partial(bundled, fetch_california_housing),
    "diabetes": partial(bundled, load_diabetes),
}
DATA = {**CLASSIFICATION, **REGRESSION}


def load(name: str) -> Data:
    """Return a data set by name."""
    X, y = DATA[name]()
    if name in CLASSIFICATION:
        return Data(X, np.unique(y.astype(str), return_inverse=True)[1], True)
    return Data(X, y.astype(np.float64), False)


def split(data: Data, seed: int) -> Split:
    """Return one split, the same for every method; classes keep their shares."""
    n_rows = len(data.y)
    n_train = min(MOST_TRAINING_ROWS, round((1.0 - TEST_SHARE) * n_rows))
    n_test = min(MOST_TEST_ROWS, n_rows - n_train)
    stratify = None
    if data.classifies and np.bincount(data.y).min() > 1:
        stratify = data.y
    train, test = train_test_split(
        np.arange(n_rows),
        train_size=n_train,
        test_size=n_test,
        random_state=seed,
        stratify=stratify,
    )
    X, y = data.X, data.y
    return Split(X.iloc[train], y[train], X.iloc[test], y[test])
