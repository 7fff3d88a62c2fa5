"""What "auto" means: the recipe that the defaults follow.

While `solver`, `optimizer` and `learning_rate` have their defaults, a call of `fit`
trains by a recipe whose numbers were chosen by measurement (benchmarks/quality.py):
each parameter that is left at "auto" has the value that `AUTO` gives it, by the number
of rows and by whether the targets are classes. In any other run, and where nobody knows
how long it will be, in `partial_fit` and with `warm_start`, it has the textbook's
value.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from skffnn._resolve import resolve_batch_size, resolve_hidden_layer_sizes
from skffnn.core.averaging import PolynomialAverage
from skffnn.core.batches import FEW_ROWS

__all__ = ["AUTO", "Auto", "Problem", "resolve_auto", "resolved_attributes"]

# From so many rows on, some of them choose the best epoch.
ROWS_TO_HOLD_OUT = 300
# From so many rows on, classes need less regularisation.
MANY_ROWS = 2000
# Steps of a run, per square root of the rows.
STEPS_PER_ROOT = 18.0


@dataclass(frozen=True)
class Problem:
    """What the recipe looks at.

    Parameters
    ----------
    n_rows : int
        Number of rows with a weight.
    classifies : bool
        Whether the targets are classes.
    has_holdout : bool, default=False
        Whether the rows that judge training are others than these.
    """

    n_rows: int
    classifies: bool
    has_holdout: bool = False

    @property
    def is_small(self) -> bool:
        """Whether all rows train together, in every step.

        Nothing is drawn then but the initial weights: weight two is exactly the row
        twice.
        """
        return self.n_rows <= FEW_ROWS


@dataclass(frozen=True)
class Auto:
    """The value of a parameter that is left at "auto".

    Parameters
    ----------
    recipe : callable
        Maps the problem to the value.
    rule : str
        The same in words.
    textbook : object
        The value where the recipe is not followed.
    """

    recipe: Callable[[Problem], Any]
    rule: str
    textbook: Any


def dropout(problem: Problem) -> float:
    """Return the share of units left out at first: more where rows are few."""
    if problem.is_small:
        return 0.0
    return 0.25 if problem.classifies and problem.n_rows < MANY_ROWS else 0.15


def weight_decay(problem: Problem) -> float:
    """Return the strength of the decay: more where few numbers are to be learned."""
    if problem.classifies:
        return 0.1
    if problem.is_small:
        return 5.0
    return min(1.0, max(0.1, 300.0 / problem.n_rows))


def initial_rate(problem: Problem) -> float:
    """Return the learning rate to begin with."""
    if not problem.classifies:
        return 6.6e-3
    return 5e-3 if problem.is_small else 2.5e-3


AUTO: dict[str, Auto] = {
    "early_stopping": Auto(
        lambda problem: problem.n_rows >= ROWS_TO_HOLD_OUT,
        f"True from {ROWS_TO_HOLD_OUT} rows on, else False",
        "auto",  # from 10,001 rows on
    ),
    "max_iter": Auto(
        lambda _: None,  # by the steps of an epoch, below
        f"as many epochs as make {STEPS_PER_ROOT:g} sqrt(n) steps, with n the rows, at "
        f"least {FEW_ROWS}",
        1000,
    ),
    "learning_rate": Auto(lambda _: "flat_cosine", '"flat_cosine"', "constant"),
    "learning_rate_init": Auto(
        initial_rate,
        f"0.0025 for a classifier, 0.005 up to {FEW_ROWS} rows; 0.0066 for a regressor",
        "auto",  # by the optimizer
    ),
    "alpha": Auto(lambda _: 0.0, "0: `weight_decay` does better", 1e-4),
    "layer_rates": Auto(lambda _: "fan_in", '"fan_in"', "equal"),
    "beta_2": Auto(lambda _: 0.95, "0.95", 0.999),
    "weight_decay": Auto(
        weight_decay,
        "0.1 for a classifier; for a regressor 300 / n, with n the rows, at least 0.1 "
        f"and at most 1, but 5 up to {FEW_ROWS} rows",
        0.01,
    ),
    "dropout": Auto(
        dropout,
        f"0.25 for a classifier below {MANY_ROWS:,} rows, else 0.15; 0 up to "
        f"{FEW_ROWS} rows",
        0.0,
    ),
    "dropout_schedule": Auto(lambda _: "flat_cosine", '"flat_cosine"', "constant"),
    "label_smoothing": Auto(
        lambda problem: 0.25 / math.sqrt(max(problem.n_rows, FEW_ROWS)),
        f"0.25 / sqrt(n), with n the rows, at least {FEW_ROWS}",
        0.0,
    ),
    "input_scale": Auto(lambda _: True, "True", False),
    "n_members": Auto(
        lambda problem: 1 if problem.is_small else 4,
        f"4; 1 up to {FEW_ROWS} rows, without hidden layers, with ``shuffle=False``, "
        "or with a `batch_size` below 4",
        1,
    ),
    "average": Auto(
        lambda _: PolynomialAverage(), "``PolynomialAverage(degree=30)``", False
    ),
    "n_iter_no_change": Auto(
        lambda _: math.inf, "no limit: the run ends as planned", 10
    ),
}
# What a network that was trained before has already.
STRUCTURE = ("input_scale", "label_smoothing", "n_members")
# As `do_early_stopping_`, `learning_rate_init_` and `optimizer_`.
TOLD_OTHERWISE = ("early_stopping", "learning_rate_init", "beta_2", "weight_decay")


def follows_recipe(estimator: Any, incremental: bool) -> bool:
    """Return whether what is left at "auto" follows the recipe."""
    is_default = (
        estimator.solver == "mini-batch"
        and is_auto(estimator.optimizer)
        and is_auto(estimator.learning_rate)
    )
    return is_default and not (incremental or estimator.warm_start)


def is_auto(value: Any) -> bool:
    """Return whether a parameter is left to the recipe."""
    return isinstance(value, str) and value == "auto"


def resolve_auto(
    estimator: Any, problem: Problem, incremental: bool, goes_on: bool
) -> SimpleNamespace:
    """Return the parameters of an estimator, without any "auto" of `AUTO`.

    Parameters
    ----------
    estimator : FFNNClassifier or FFNNRegressor
        Is only read.
    problem : Problem
        What the recipe looks at.
    incremental : bool
        Whether this is a call of partial_fit.
    goes_on : bool
        Whether training goes on with the network that the estimator has.
    """
    recipe = follows_recipe(estimator, incremental)
    settings = SimpleNamespace(**estimator.get_params(deep=False))
    for name, auto in AUTO.items():
        if not is_auto(getattr(settings, name, None)):
            continue
        if goes_on and name in STRUCTURE:
            value = getattr(estimator, f"{name}_")
        elif recipe:
            value = auto.recipe(problem)
        else:
            value = auto.textbook
        setattr(settings, name, value)
    if recipe:
        settings.optimizer = "adamw"
        if is_auto(estimator.n_members) and not can_deal(settings):
            settings.n_members = 1
    if not resolve_hidden_layer_sizes(settings.hidden_layer_sizes):
        settings.n_members = 1  # they share hidden layers
    if settings.max_iter is None:
        settings.max_iter = planned_epochs(settings, problem)
    return settings


def can_deal(settings: Any) -> bool:
    """Return whether every member gets its share of the rows, a new one each epoch."""
    size = settings.batch_size
    return settings.shuffle and (is_auto(size) or size >= settings.n_members)


def resolved_attributes(settings: Any) -> dict[str, Any]:
    """Return the values that "auto" may have had, as fitted attributes by name.

    What other attributes tell, such as `optimizer_`, is left to them.
    """
    names = [name for name in AUTO if name not in TOLD_OTHERWISE]
    return {f"{n}_": getattr(settings, n) for n in names if hasattr(settings, n)}


def planned_epochs(settings: Any, problem: Problem) -> int:
    """Return the epochs that make the steps of the recipe."""
    holds_out = settings.early_stopping and not problem.has_holdout
    share = 1.0 - settings.validation_fraction if holds_out else 1.0
    n_rows = max(1, round(problem.n_rows * share))
    size = resolve_batch_size(settings.batch_size, settings.solver, n_rows)
    n_steps = STEPS_PER_ROOT * math.sqrt(max(problem.n_rows, FEW_ROWS))
    return max(1, round(n_steps / math.ceil(n_rows / size)))
