"""From the estimator's parameters to the objects of the core: what a name means."""

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from skffnn.core.activations import ACTIVATIONS, Activation
from skffnn.core.averaging import Averaging, ExponentialAverage, PolyakAverage
from skffnn.core.batches import SOLVERS, auto_batch_size
from skffnn.core.dropout import Dropout
from skffnn.core.layer_rates import LAYER_RATES, LayerRates
from skffnn.core.network import INITIAL_VARIANCE
from skffnn.core.optimizers import LBFGS, OPTIMIZERS, FirstOrder, Optimizer
from skffnn.core.part import part
from skffnn.core.schedules import SCHEDULES, Constant, Schedule

__all__ = [
    "AUTO_OPTIMIZER",
    "DROPOUT_SCHEDULES",
    "from_parameters",
    "resolve_activations",
    "resolve_average",
    "resolve_batch_size",
    "resolve_dropout",
    "resolve_early_stopping",
    "resolve_hidden_layer_sizes",
    "resolve_layer_rates",
    "resolve_optimizer",
    "resolve_rate",
    "resolve_schedule",
    "splits",
]

# More rows than this, and early_stopping="auto" holds some out, as in scikit-learn's
# HistGradientBoostingClassifier.
ROWS_TO_HOLD_OUT_UNASKED = 10_000
# All but those that wait for a plateau, of which dropout has none.
DROPOUT_SCHEDULES = {n for n, cls in SCHEDULES.items() if cls().plateau_factor == 1.0}
AUTO_OPTIMIZER = {"batch": "lbfgs", "mini-batch": "adam", "stochastic": "sgd"}


def resolve_hidden_layer_sizes(value: Any) -> tuple[int, ...]:
    """Return the width of each hidden layer."""
    many = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
    sizes = tuple(value) if many else (value,)
    if not all(
        isinstance(size, numbers.Integral)
        and not isinstance(size, bool)
        and int(size) >= 1
        for size in sizes
    ):
        raise ValueError(
            "The 'hidden_layer_sizes' parameter must be an int, a sequence of ints, "
            f"all at least 1, or () for a linear model. Got {value!r} instead."
        )
    return tuple(int(size) for size in sizes)


def resolve_activations(value: Any, n_hidden: int) -> tuple[Activation, ...]:
    """Return one activation for each of `n_hidden` layers."""
    one_for_all = isinstance(value, str | Activation)
    entries = [value] * n_hidden if one_for_all else list(value)
    if len(entries) != n_hidden:
        raise ValueError(
            "The 'activation' parameter must be one activation, or one per hidden "
            f"layer. Got {len(entries)} for {n_hidden} hidden layers."
        )
    return tuple(_check_activation(entry) for entry in entries)


def _check_activation(entry: Any) -> Activation:
    """Return the activation that `entry` is or names, if it does what it should."""
    if isinstance(entry, str) and entry in ACTIVATIONS:
        return ACTIVATIONS[entry]
    if not isinstance(entry, Activation):
        raise ValueError(
            f"The 'activation' parameter must name one of {sorted(ACTIVATIONS)} or be "
            f"an Activation. Got {entry!r} instead."
        )
    if entry.init not in INITIAL_VARIANCE:
        raise ValueError(
            f"The init of activation {entry!r} must be one of "
            f"{list(INITIAL_VARIANCE)}, got {entry.init!r}"
        )
    z = np.linspace(-1.0, 1.0, 5)[None]
    out = np.full_like(z, np.nan)
    entry.forward(z.copy(), out)
    if np.isnan(out).any():
        raise ValueError(
            f"forward(z, out) of activation {entry!r} must write f(z) into out, "
            f"but for z={z[0].tolist()} out is {out[0].tolist()}"
        )
    return entry


def resolve_dropout(estimator: Any) -> Dropout:
    """Return the rates of features and hidden layers, and their schedule."""
    n_hidden = len(resolve_hidden_layer_sizes(estimator.hidden_layer_sizes))
    value = estimator.dropout
    one_for_all = isinstance(value, numbers.Real)
    rates = [value] * n_hidden if one_for_all else list(value)
    in_range = (isinstance(r, numbers.Real) and 0.0 <= float(r) < 1.0 for r in rates)
    if len(rates) != n_hidden or not all(in_range):
        raise ValueError(
            "The 'dropout' parameter must be a number in [0, 1), or one for each of "
            f"the {n_hidden} hidden layers. Got {value!r} instead."
        )
    rates = [float(rate) for rate in (estimator.input_dropout, *rates)]
    schedule = _schedule(estimator, "dropout_schedule")
    if schedule.plateau_factor != 1.0:
        raise ValueError(
            "The 'dropout_schedule' parameter must not wait for a plateau, of which "
            f"dropout has none. Got {schedule!r} instead."
        )
    return Dropout(tuple(rates), schedule) if any(rates) else Dropout()


def resolve_layer_rates(value: str | LayerRates) -> LayerRates:
    """Return the rule that `value` names."""
    return LAYER_RATES[value] if isinstance(value, str) else value


def resolve_average(estimator: Any) -> Averaging | None:
    """Return which mean of the iterates the estimator asks for, None for none."""
    value = estimator.average
    if isinstance(value, Averaging):
        return value
    if isinstance(value, bool | np.bool_):
        return PolyakAverage() if value else None
    return ExponentialAverage(float(value))


def resolve_optimizer(estimator: Any) -> Optimizer:
    """Return the optimizer, with the estimator's hyperparameters if chosen by name.

    Raises
    ------
    ValueError
        If it cannot run on the estimator's solver.
    """
    optimizer, solver = estimator.optimizer, estimator.solver
    if isinstance(optimizer, str):
        name = AUTO_OPTIMIZER[solver] if optimizer == "auto" else optimizer
        optimizer = from_parameters(OPTIMIZERS[name], estimator)
    if isinstance(optimizer, LBFGS) and estimator.alpha and estimator.l1_ratio:
        raise ValueError(
            f"l1_ratio={estimator.l1_ratio!r} needs an optimizer that takes steps, "
            "such as 'adam': L-BFGS (which optimizer='auto' means for solver='batch') "
            "assumes an objective with a gradient everywhere. Or set l1_ratio=0."
        )
    if solver not in optimizer.solvers:
        needs = " or ".join(f"solver={name!r}" for name in optimizer.solvers)
        raise ValueError(
            f"optimizer={estimator.optimizer!r} needs {needs}, got solver={solver!r}"
        )
    return optimizer


def resolve_rate(estimator: Any, optimizer: Optimizer) -> float:
    """Return the initial learning rate; 1.0 where the optimizer has none.

    The automatic one goes by the parameters, never by the number of rows: those of one
    call of partial_fit say nothing about the stream they are from.
    """
    if not isinstance(optimizer, FirstOrder):
        return 1.0
    if not isinstance(estimator.learning_rate_init, str):
        return float(estimator.learning_rate_init)
    one_row = estimator.solver == "mini-batch" and estimator.batch_size == 1
    return optimizer.auto_rate["stochastic" if one_row else estimator.solver]


def resolve_schedule(estimator: Any, optimizer: Optimizer) -> Schedule:
    """Return the schedule; a user's function is wrapped in a check of its answers."""
    if not optimizer.uses_schedule:
        return Constant()
    return _schedule(estimator, "learning_rate")


def _schedule(estimator: Any, parameter: str) -> Schedule:
    """Return the schedule that a parameter is or names."""
    schedule = getattr(estimator, parameter)
    if isinstance(schedule, str):
        return from_parameters(SCHEDULES[schedule], estimator)
    if isinstance(schedule, type):
        raise ValueError(
            f"The {parameter!r} parameter must be a name, a function (step, n_steps) "
            f"-> factor or an instance of a Schedule. Got the class {schedule!r}."
        )
    if isinstance(schedule, Schedule):
        return schedule
    return CheckedSchedule(schedule, parameter)


def resolve_batch_size(value: str | int, solver: str, n_rows: int) -> int:
    """Return how many rows one step sees."""
    batch_size = auto_batch_size(n_rows) if isinstance(value, str) else int(value)
    return SOLVERS[solver](n_rows, batch_size)


def resolve_early_stopping(value: str | bool, n_rows: int) -> bool:
    """Return whether to hold out rows: "auto" does where there are many."""
    return n_rows > ROWS_TO_HOLD_OUT_UNASKED if isinstance(value, str) else bool(value)


def splits(estimator: Any) -> bool:
    """Return whether the user's splitter may be asked for a hold-out."""
    return estimator.validation_split is not None and bool(estimator.early_stopping)


@part
class CheckedSchedule(Schedule):
    """A user's function (step, n_steps) -> factor, asked for sensible answers.

    Parameters
    ----------
    function : callable
        The schedule.
    parameter : str
        As which it was passed.
    """

    planned: ClassVar[bool] = True
    function: Callable[[int, int], float]
    parameter: str

    def __call__(self, step: int, n_steps: int) -> float:
        factor = self.function(step, n_steps)
        if not (isinstance(factor, numbers.Real) and 0.0 <= factor < math.inf):
            raise ValueError(
                f"The {self.parameter!r} function must return a finite number of at "
                f"least 0. Got {factor!r} at step={step}, n_steps={n_steps}."
            )
        return float(factor)


def from_parameters(cls: Any, estimator: Any) -> Any:
    """Make a `cls`; its shared fields are parameters of the estimator."""
    return cls(**{name: getattr(estimator, name) for name in cls.shared})
