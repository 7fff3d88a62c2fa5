"""What does not go together: impossible pairs, and parameters without effect."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from numbers import Real
from typing import Any

import numpy as np

from skffnn._resolve import (
    AUTO_OPTIMIZER,
    resolve_average,
    resolve_dropout,
    resolve_hidden_layer_sizes,
    resolve_optimizer,
    splits,
)
from skffnn._warnings import warn
from skffnn.core.batches import SOLVERS
from skffnn.core.losses import LOSSES
from skffnn.core.optimizers import LBFGS, OPTIMIZERS, FirstOrder, Optimizer

__all__ = [
    "check_combinations",
    "check_names",
    "check_validation_set",
    "partial_fit_is_possible",
    "validation_set_is_named",
    "warn_without_effect",
]


def check_names(estimator: Any) -> None:
    """Point users of MLPClassifier the right way: its `solver` is our `optimizer`."""
    if isinstance(estimator.solver, str) and estimator.solver in OPTIMIZERS:
        solver = OPTIMIZERS[estimator.solver].solvers
        better = "mini-batch" if "mini-batch" in solver else solver[0]
        raise ValueError(
            f"solver={estimator.solver!r} names an optimizer. The solver says how many "
            f"rows one step sees and is one of {list(SOLVERS)}; write "
            f"solver={better!r}, optimizer={estimator.solver!r}."
        )


def check_combinations(estimator: Any, optimizer: Optimizer) -> None:
    """Raise for parameters that are allowed, but not together."""
    if estimator.checkpoint is not None and isinstance(optimizer, LBFGS):
        raise ValueError(
            f"checkpoint={estimator.checkpoint!r} needs an optimizer that takes steps, "
            "such as 'adam': scipy's L-BFGS (which optimizer='auto' means for "
            "solver='batch') does not show its state"
        )
    rates = resolve_dropout(estimator).rates
    if isinstance(optimizer, LBFGS) and any(rates):
        name = "dropout" if any(rates[1:]) else "input_dropout"
        raise ValueError(
            f"{name}={getattr(estimator, name)!r} needs an optimizer that takes steps, "
            "such as 'adam': the line search of L-BFGS (which optimizer='auto' means "
            "for solver='batch') needs an objective that is the same at every "
            "evaluation, and dropout changes it"
        )
    if isinstance(optimizer, LBFGS) and resolve_average(estimator) is not None:
        raise ValueError(
            f"average={estimator.average!r} needs an optimizer that takes steps, such "
            "as 'adam': L-BFGS (which optimizer='auto' means for solver='batch') does "
            "not wander about a minimum, and its first iterates are far away"
        )
    if estimator.n_members > 1 and not (
        estimator.solver == "mini-batch" and estimator.shuffle
    ):
        raise ValueError(
            f"n_members={estimator.n_members!r} needs solver='mini-batch' and "
            f"shuffle=True, which deal the rows out to the members, got "
            f"solver={estimator.solver!r} and shuffle={estimator.shuffle!r}"
        )
    if estimator.checkpoint is not None and estimator.warm_start:
        raise ValueError(
            f"checkpoint={estimator.checkpoint!r} resumes a fit from the start, "
            "warm_start=True goes on from the last call: use one of them"
        )
    if estimator.refit and estimator.warm_start:
        raise ValueError(
            "refit=True trains from a new start once more, warm_start=True goes on "
            "from the last call: set one of them to False"
        )


def partial_fit_is_possible(estimator: Any) -> bool:
    """Raise AttributeError, with the reason, where partial_fit makes no sense."""
    if estimator.early_stopping and not isinstance(estimator.early_stopping, str):
        raise AttributeError(
            "partial_fit is not available with early_stopping=True: it sees rows once "
            "and holds none out. Use fit, or set early_stopping='auto' and pass X_val "
            "and y_val, or set early_stopping=False."
        )
    if isinstance(getattr(estimator, "class_weight", None), str):
        raise AttributeError(
            "partial_fit is not available with class_weight='balanced': it does not "
            "see all rows. Compute the weights on all labels, by "
            "sklearn.utils.class_weight.compute_class_weight, and pass a dict."
        )
    optimizer = estimator.optimizer
    if optimizer == "auto":
        optimizer = AUTO_OPTIMIZER.get(estimator.solver)
    if optimizer == "lbfgs" or isinstance(optimizer, LBFGS):
        raise AttributeError(
            "partial_fit is not available with optimizer='lbfgs' (which 'auto' means "
            "for solver='batch'): it has no single step. Choose another optimizer."
        )
    return True


def check_validation_set(estimator: Any, validation: tuple[Any, Any, Any]) -> None:
    """Raise unless X_val, y_val and sample_weight_val go together and are asked for."""
    X, y, weight = validation
    if X is None and y is None and weight is None:
        return
    if X is None or y is None:
        given = [
            name
            for name, value in zip(
                ("X_val", "y_val", "sample_weight_val"), validation, strict=True
            )
            if value is not None
        ]
        raise ValueError(
            f"X_val and y_val must be passed together, got {' and '.join(given)} only"
        )
    if not estimator.early_stopping:
        raise ValueError(
            "X_val and y_val are for early stopping, but early_stopping=False. Set it "
            "to True, or to 'auto', which also serves partial_fit."
        )


@contextmanager
def validation_set_is_named() -> Iterator[None]:
    """Say in an error that it is about what the user holds out."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"In X_val, y_val or sample_weight_val: {error}") from error


def warn_without_effect(
    estimator: Any,
    settings: Any,
    without_effect: set[str],
    groups: Any,
    may_hold_out: bool,
) -> None:
    """Warn once of all parameters that the others leave without effect.

    `without_effect` names those of which the arguments of this call are the reason,
    `settings` are the parameters without "auto"; `may_hold_out` tells whether
    ``early_stopping="auto"`` has rows enough, or rows of the user's.
    """
    optimizer = resolve_optimizer(settings)
    unused = set(without_effect)
    if estimator.solver != "mini-batch":
        unused.add("batch_size")
    if estimator.solver == "batch":
        unused.add("shuffle")
    if not settings.alpha:
        unused.add("l1_ratio")
    if not estimator.early_stopping:
        unused.update(("validation_fraction", "validation_split", "scoring", "refit"))
    elif not may_hold_out:
        unused.update(("validation_split", "scoring", "refit"))
    if estimator.validation_split is not None:
        unused.add("validation_fraction")
    for cls in OPTIMIZERS.values():
        unused.update(cls.shared)
    if isinstance(estimator.optimizer, str):
        unused.difference_update(optimizer.shared)
    for name, by_kind in LOSSES.items():
        if name != estimator.loss:
            unused.update(*(loss.shared for loss in by_kind.values()))
    if not isinstance(optimizer, FirstOrder):
        unused.update(
            ("learning_rate_init", "layer_rates", "max_grad_norm", "max_norm")
        )
    if not optimizer.uses_schedule:
        unused.add("learning_rate")
    if not resolve_hidden_layer_sizes(estimator.hidden_layer_sizes):
        unused.update(("dropout", "layer_norm", "max_norm", "n_members"))
    if not resolve_dropout(settings).rates:
        unused.add("dropout_schedule")
    by_power = {
        name
        for name in ("learning_rate", "dropout_schedule")
        if getattr(settings, name) == "invscaling"
    }
    if by_power <= unused:
        unused.add("power_t")
    changed = [
        f"{name}={getattr(estimator, name)!r}"
        for name, default in defaults_of(estimator.__class__)
        if name in unused
        and not _same(getattr(estimator, name), default)
        and not getattr(getattr(estimator, name), "may_go_unused", False)
    ]
    if groups is not None and ("validation_split" in unused or not splits(estimator)):
        changed.append("groups (they are for validation_split)")
    if changed:
        warn(
            f"No effect with solver={estimator.solver!r}, optimizer={optimizer!r}, "
            f"loss={estimator.loss!r} and early_stopping={estimator.early_stopping!r}: "
            + ", ".join(changed)
        )


@cache
def defaults_of(estimator_class: type) -> tuple[tuple[str, Any], ...]:
    """Return the names of the parameters, each with its default."""
    parameters = inspect.signature(estimator_class).parameters
    return tuple((name, parameter.default) for name, parameter in parameters.items())


def _same(value: Any, default: Any) -> bool:
    of_one_type = type(value) is type(default)
    if isinstance(value, Real) and isinstance(default, Real):
        of_one_type = isinstance(value, bool) == isinstance(default, bool)
    return of_one_type and bool(np.all(value == default))
