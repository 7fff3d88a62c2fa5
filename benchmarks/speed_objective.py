"""Section "objective": the full batch, by L-BFGS and by adam.

L-BFGS is timed until the same value of the same objective, the mean loss plus
``alpha / 2 * ||W||^2``. Both are given many iterations; the value is the higher one of
those they end at. Then both are timed with the fewest iterations that reach it.
"""

from collections.abc import Callable
from dataclasses import dataclass
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

ALPHA = 1e-4
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
    lbfgs(options)
    adam(options)


def lbfgs(options: Options) -> None:
    """Time both until the same value, from several random starts."""
    limit, n_turns, n_seeds = (30, 3, 1) if options.quick else (150, 5, 3)
    table = Table(
        "objective: L-BFGS until the same value J, 100 hidden units, float64, "
        f"{options.heading}",
        Column("data", 21, left=True),
        Column("seed", 4),
        Column("J", 9, 6),
        Column("skffnn iterations", 17),
        Column("seconds", 8, 3),
        Column("MLP iterations", 14),
        Column("seconds", 8, 3),
        Column("MLP/skffnn", 10, 2),
    )
    for problem in (digits(), diabetes()):
        for seed in range(n_seeds):
            race = Race(problem, seed)
            target, n_ours, n_theirs = race.distances(limit)
            times = seconds_per_unit(
                {
                    "skffnn": fit_repeatedly(lambda n=n_ours, r=race: r.ours(n)),
                    "MLP": fit_repeatedly(lambda n=n_theirs, r=race: r.theirs(n)),
                },
                turn_seconds=0.1,
                n_turns=n_turns,
            )
            ours, theirs = times["skffnn"], times["MLP"]
            table.row(
                *(problem.name, seed, target),
                *(n_ours, ours, n_theirs, theirs, theirs / ours),
            )


@dataclass(frozen=True)
class Race:
    """Both estimators from one random seed, for a number of iterations."""

    problem: Problem
    seed: int

    def ours(self, n_iterations: int) -> Any:
        """Return ours, fitted."""
        model = self.problem.ours(
            solver="batch",
            optimizer="lbfgs",
            learning_rate="auto",
            alpha=ALPHA,
            max_iter=n_iterations,
            max_fun=NEVER,
            random_state=self.seed,
            **WHOLE,
        )
        return model.fit(self.problem.X, self.problem.y)

    def theirs(self, n_iterations: int) -> Any:
        """Return scikit-learn's, whose alpha is divided by the number of rows."""
        model = self.problem.theirs(
            solver="lbfgs",
            alpha=ALPHA * len(self.problem.X),
            max_iter=n_iterations,
            max_fun=NEVER,
            random_state=self.seed,
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


def fewest(reaches: Callable[[int], bool], limit: int) -> int:
    """Bisect for the smallest number of iterations: each one lowers the objective."""
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


def adam(options: Options) -> None:
    """Time full-batch epochs of adam."""
    n_epochs, n_turns = (20, 1) if options.quick else (100, 3)
    table = Table(
        f"objective: {n_epochs} full-batch epochs of adam, 100 hidden units, float64, "
        f"{options.heading}",
        Column("data", 21, left=True),
        Column("skffnn seconds", 14, 3),
        Column("MLP seconds", 11, 3),
        Column("MLP/skffnn", 10, 2),
    )
    n_rows = 5_000 if options.quick else 20_000
    for problem in (digits(), diabetes(), synthetic(n_rows)):
        given = {"max_iter": n_epochs, "random_state": 0, **WHOLE}
        ours = problem.ours(solver="batch", optimizer="adam", **given)
        theirs = problem.theirs(solver="adam", batch_size=len(problem.X), **given)
        times = seconds_per_unit(
            {
                "skffnn": fit_repeatedly(lambda m=ours, p=problem: m.fit(p.X, p.y)),
                "MLP": fit_repeatedly(lambda m=theirs, p=problem: m.fit(p.X, p.y)),
            },
            turn_seconds=0.1,
            n_turns=n_turns,
        )
        table.row(problem.name, *times.values(), times["MLP"] / times["skffnn"])
