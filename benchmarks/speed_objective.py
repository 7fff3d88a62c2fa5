"""Section "objective": the full batch, by L-BFGS and by adam.

Both are timed until the same value of the same objective, the mean loss plus
``alpha / 2 * ||W||^2``. They are given many iterations; the value is the higher one of
those they end at. Then they are timed with the fewest iterations that reach it. An
iteration of adam is one step on all rows, at the same learning rate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from rivals import NEVER
from scipy.special import logsumexp
from sklearn.datasets import load_diabetes, load_digits
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale
from textbook import FFNNClassifier, FFNNRegressor
from timing import Column, Options, Table, seconds_of, seconds_per_unit

__all__ = ["run"]

ALPHA, RATE = 1e-4, 1e-3
WHOLE = {"tol": 0.0, "n_iter_no_change": NEVER}


@dataclass(frozen=True)
class Problem:
    """Data, and the two estimators for it."""

    name: str
    X: np.ndarray
    y: np.ndarray
    ours: Any
    theirs: Any

    def objective(self, model: Any) -> float:
        """Return J of a fitted model, computed from its weights alone."""
        a = self.X
        for W, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
            a = np.maximum(a @ W + b, 0.0)
        raw = a @ model.coefs_[-1] + model.intercepts_[-1]
        if self.ours is FFNNRegressor:
            loss = 0.5 * np.square(raw[:, 0] - self.y)
        else:  # the labels are 0, 1, 2, ...
            loss = logsumexp(raw, axis=1) - raw[np.arange(len(raw)), self.y]
        penalty = sum(float(np.square(W).sum()) for W in model.coefs_)
        return float(loss.mean()) + 0.5 * ALPHA * penalty


def digits() -> Problem:
    """Return ten classes in 1797 rows."""
    X, y = load_digits(return_X_y=True)
    return Problem("digits 1797 x 64", X / 16.0, y, FFNNClassifier, MLPClassifier)


def diabetes() -> Problem:
    """Return a regression with one output."""
    X, y = load_diabetes(return_X_y=True)
    y = scale(y)
    return Problem("diabetes 442 x 10", scale(X), y, FFNNRegressor, MLPRegressor)


def synthetic(n_rows: int) -> Problem:
    """Return a regression with more rows."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, 20))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
    name = f"synthetic {n_rows} x 20"
    return Problem(name, X, y, FFNNRegressor, MLPRegressor)


def run(options: Options) -> None:
    """Print both tables."""
    small = [digits(), diabetes()]
    large = synthetic(2_000 if options.quick else 10_000)
    for name, problems, limit in (
        ("L-BFGS", small, 30 if options.quick else 150),
        ("adam", [*small, large], 60 if options.quick else 300),
    ):
        table = Table(
            f"objective: full batch, {name} until the same value J, 100 hidden units, "
            f"float64, {options.heading}",
            Column("data", 20, left=True),
            Column("seed", 4),
            Column("J", 9, 6),
            Column("skffnn iterations", 17),
            Column("seconds", 8, 3),
            Column("MLP iterations", 14),
            Column("seconds", 8, 3),
            Column("MLP/skffnn", 10, 2),
        )
        for problem, seed in product(problems, range(1 if options.quick else 3)):
            table.row(*finish(Race(problem, name, seed), limit))


@dataclass(frozen=True)
class Race:
    """Both estimators from one random seed, for a number of iterations."""

    problem: Problem
    optimizer: str
    seed: int

    def ours(self, n_iterations: int) -> Any:
        """Return ours, fitted."""
        how: dict[str, Any] = {"optimizer": "adam", "learning_rate_init": RATE}
        if self.optimizer == "L-BFGS":
            how = {"optimizer": "lbfgs", "learning_rate": "auto", "max_fun": NEVER}
        model = self.problem.ours(
            solver="batch",
            alpha=ALPHA,
            max_iter=n_iterations,
            random_state=self.seed,
            **how,
            **WHOLE,
        )
        return model.fit(self.problem.X, self.problem.y)

    def theirs(self, n_iterations: int) -> Any:
        """Return scikit-learn's, whose alpha is divided by the number of rows."""
        n_rows = len(self.problem.X)
        how: dict[str, Any] = {
            "solver": "adam",
            "learning_rate_init": RATE,
            "batch_size": n_rows,
        }
        if self.optimizer == "L-BFGS":
            how = {"solver": "lbfgs", "max_fun": NEVER}
        model = self.problem.theirs(
            alpha=ALPHA * n_rows,
            max_iter=n_iterations,
            random_state=self.seed,
            **how,
            **WHOLE,
        )
        return model.fit(self.problem.X, self.problem.y)

    def distances(self, limit: int) -> tuple[float, int, int]:
        """Return a value that both reach, and how many iterations each needs."""
        objective = self.problem.objective
        target = max(objective(self.ours(limit)), objective(self.theirs(limit)))
        target *= 1.0 + 1e-9  # as far as rounding goes
        return (
            target,
            fewest(lambda n: objective(self.ours(n)) <= target, limit),
            fewest(lambda n: objective(self.theirs(n)) <= target, limit),
        )


def finish(race: Race, limit: int) -> list[Any]:
    """Time both until the same value, and return a line of the table."""
    target, n_ours, n_theirs = race.distances(limit)
    times = seconds_per_unit(
        {
            "skffnn": fit_repeatedly(lambda: race.ours(n_ours)),
            "MLP": fit_repeatedly(lambda: race.theirs(n_theirs)),
        },
        turn_seconds=0.1,
        n_turns=3,
    )
    ours, theirs = times["skffnn"], times["MLP"]
    start = [race.problem.name, race.seed, target]
    return [*start, n_ours, ours, n_theirs, theirs, theirs / ours]


def fewest(reaches: Callable[[int], bool], limit: int) -> int:
    """Bisect for the fewest iterations, as if each of them lowered the objective."""
    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        if reaches(middle):
            high = middle
        else:
            low = middle
    return high


def fit_repeatedly(fit: Callable[[], Any]) -> Callable[[int], float]:
    """Return a contestant; a unit is a fit."""

    def run_fits(n_fits: int) -> float:
        return sum(seconds_of(fit) for _ in range(n_fits))

    return run_fits
