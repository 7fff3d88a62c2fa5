"""The contestants: skffnn, scikit-learn, torch, the same written out, bare products.

A `Task` is a network with data to train it on. All contestants get the same arrays,
batch size, optimizer and precision, in the same process.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import rival_torch
import written_out
from sklearn.neural_network import MLPClassifier, MLPRegressor
from textbook import FFNNClassifier, FFNNRegressor
from timing import Contestant, seconds_of

__all__ = [
    "FEWEST_EPOCHS",
    "NEVER",
    "Task",
    "contestants",
    "fit_mlp",
    "fit_skffnn",
    "floor",
]

NEVER = 10**9
# A fit of a single epoch is no fair sample: skffnn then checks the loss twice more.
FEWEST_EPOCHS = 2


@dataclass(frozen=True)
class Task:
    """A network, its data, and how to train it.

    Networks with two outputs are regressors, others are classifiers.
    """

    layer_sizes: tuple[int, ...]
    batch_size: int
    dtype: str
    optimizer: str
    updates_per_epoch: int
    # More parameters of both estimators.
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As in the tables: 20-100-2."""
        return "-".join(map(str, self.layer_sizes))

    @property
    def is_regression(self) -> bool:
        """Whether the targets are numbers."""
        return self.layer_sizes[-1] == 2

    @property
    def n_rows(self) -> int:
        """Whole batches only."""
        return self.batch_size * self.updates_per_epoch

    def data(self) -> tuple[Any, np.ndarray]:
        """Return random X and y; all classes occur, equally often."""
        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.n_rows, self.layer_sizes[0]), self.dtype)
        return X, self.targets(rng)

    def targets(self, rng: np.random.Generator) -> np.ndarray:
        """Return random numbers or labels."""
        n_outputs = self.layer_sizes[-1]
        if self.is_regression:
            return rng.standard_normal((self.n_rows, n_outputs), self.dtype)
        return rng.permutation(self.n_rows) % n_outputs

    def parameters(self, n_epochs: int) -> dict[str, Any]:
        """Return what both estimators are given; they run all their epochs."""
        return {
            "hidden_layer_sizes": self.layer_sizes[1:-1],
            "batch_size": self.batch_size,
            "learning_rate_init": 1e-4,
            "max_iter": n_epochs,
            "tol": 0.0,
            "n_iter_no_change": NEVER,
            "random_state": 0,
            **self.more,
        }


def fit_skffnn(task: Task, X: Any, y: np.ndarray) -> Contestant:
    """Return the fit of skffnn; a unit is an epoch."""
    estimator = FFNNRegressor if task.is_regression else FFNNClassifier
    return _fit(estimator, task, X, y, solver="mini-batch", optimizer=task.optimizer)


def fit_mlp(task: Task, X: Any, y: np.ndarray) -> Contestant:
    """Return the fit of scikit-learn; a unit is an epoch."""
    estimator = MLPRegressor if task.is_regression else MLPClassifier
    return _fit(estimator, task, X, y, solver=task.optimizer)


def _fit(estimator: Any, task: Task, X: Any, y: np.ndarray, **how: Any) -> Contestant:
    """Time `fit` from the call to the return: validation and shuffling are part of it.

    That is what a user waits for, and there are enough updates that it hardly counts.
    """

    def run(n_epochs: int) -> float:
        model = estimator(**task.parameters(n_epochs), **how)
        seconds = seconds_of(lambda: model.fit(X, y))
        assert model.n_iter_ == n_epochs
        return seconds

    return run


def floor(task: Task, X: np.ndarray) -> Contestant:
    """Return the matrix products of an epoch and nothing else, into existing arrays.

    No update by these products can be faster: there is no activation, bias, loss or
    optimizer, and always the same batch.
    """
    rng = np.random.default_rng(0)
    rows, dtype = task.batch_size, X.dtype
    W = [
        rng.normal(0.0, fan_in**-0.5, (fan_in, fan_out)).astype(dtype)
        for fan_in, fan_out in pairwise(task.layer_sizes)
    ]
    dW = [np.empty_like(weights) for weights in W]
    a = [np.ascontiguousarray(X[:rows])]
    a += [np.empty((rows, weights.shape[1]), dtype) for weights in W]
    delta = [np.empty_like(activation) for activation in a[1:]]
    delta[-1][...] = rng.standard_normal(delta[-1].shape)
    write_dW = list(map(written_out.product_of_rows, a, delta, dW))

    def update() -> None:
        for layer in range(len(W)):
            a[layer].dot(W[layer], out=a[layer + 1])
        for layer in reversed(range(len(W))):
            write_dW[layer]()
            if layer:
                delta[layer].dot(W[layer].T, out=delta[layer - 1])

    def updates(n_updates: int) -> None:
        for _ in range(n_updates):
            update()

    return lambda n_epochs: seconds_of(
        lambda: updates(n_epochs * task.updates_per_epoch)
    )


def contestants(task: Task) -> dict[str, Contestant]:
    """Return everyone who takes part: torch only if it is installed."""
    X, y = task.data()
    everyone = {"skffnn": fit_skffnn(task, X, y), "MLP": fit_mlp(task, X, y)}
    if rival_torch.torch is not None:
        for implementation in rival_torch.IMPLEMENTATIONS:
            everyone[f"torch {implementation}"] = rival_torch.contestant(
                task, X, y, implementation
            )
    everyone["written"] = written_out.contestant(task, X, y)
    return {**everyone, "floor": floor(task, X)}
