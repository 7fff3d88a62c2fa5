"""The learning rate range test: a curve of the loss over rates that grow step by step.

It is a training run like any other, with a schedule that rises and an optimizer that
notes what it is told before it takes its step.
"""

import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from skffnn._auto import AUTO, Problem, resolve_auto
from skffnn._base import BaseFFNN
from skffnn._resolve import resolve_optimizer
from skffnn._warnings import warn
from skffnn.core.divergence import much_larger
from skffnn.core.optimizers import FirstOrder
from skffnn.core.optimizers.base import State
from skffnn.core.part import part
from skffnn.core.rates import Rate
from skffnn.core.schedules import Schedule
from skffnn.core.typing import Array

__all__ = ["learning_rate_curve"]

# How far below the rate of the lowest loss the suggested one lies.
MARGIN = 10.0
# What a test of some steps has no use for; it trains on all rows.
WITHOUT_EFFECT = (
    "checkpoint",
    "max_time",
    "refit",
    "scoring",
    "validation_fraction",
    "validation_split",
    "verbose",
    "warm_start",
)


def learning_rate_curve(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    min_rate: float = 1e-6,
    max_rate: float = 10.0,
    n_steps: int = 200,
    smoothing: float = 0.9,
) -> Bunch:
    """Train with a rate that grows from step to step, until the loss explodes.

    This is the learning rate range test of Smith (2017), section 3.3, with rates in
    geometric progression. All but the rate is the estimator's own: data, loss, solver,
    optimizer and its other hyperparameters. All rows train. The estimator itself is
    not changed.

    Parameters
    ----------
    estimator : FFNNClassifier, FFNNRegressor or Pipeline
        What to test. The last step of a pipeline must be one of the others; the steps
        before it are fitted once.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row in the loss.
    min_rate : float > 0, default=1e-6
        The rate of the first step.
    max_rate : float > min_rate, default=10.0
        The rate of the last step, if the loss does not explode before.
    n_steps : int >= 2, default=200
        The number of steps from one to the other. They may take many epochs, or part
        of one.
    smoothing : float in [0, 1), default=0.9
        Decay of the moving average that smooths the loss. Zero smooths nothing.

    Returns
    -------
    curve : :class:`~sklearn.utils.Bunch`
        Its items:

        rates : ndarray of shape (n_taken,)
            The learning rate of each step that was taken.
        losses : ndarray of shape (n_taken,)
            J on the rows of the step, before it.
        smoothed_losses : ndarray of shape (n_taken,)
            Their moving average, corrected for its start at zero as in Kingma and Ba
            (2015), section 3.
        suggested_rate : float
            A tenth of the rate where the smoothed loss is lowest (Howard and Gugger
            2020, chapter 5), once it is a mean of 1 / (1 - smoothing) steps, or of a
            quarter of `n_steps`. A warning tells if that is below `min_rate`.

    Raises
    ------
    ValueError
        If an argument is not allowed, or the optimizer has no rate to test: "lbfgs",
        "rprop".

    See Also
    --------
    LearningRateCurveDisplay : Draws the curve.

    Notes
    -----
    The test ends early where the loss explodes: where it is not finite, or the
    smoothed loss exceeds what it was when it became a mean, as above, by more than one
    and by more than its size.

    References
    ----------
    Smith (2017). Cyclical learning rates for training neural networks. WACV.

    Kingma and Ba (2015). Adam: a method for stochastic optimization. ICLR.

    Howard and Gugger (2020). Deep learning for coders with fastai and PyTorch.
    O'Reilly.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skffnn import FFNNClassifier, learning_rate_curve
    >>> X, y = load_iris(return_X_y=True)
    >>> curve = learning_rate_curve(FFNNClassifier(random_state=0), X, y)
    >>> bool(1e-4 < curve.suggested_rate < 1e-1)
    True
    """
    check_arguments(min_rate, max_rate, n_steps, smoothing)
    network, X = last_step(estimator, X, y)
    network._validate_parameters(incremental=False)
    n_rows = next(iter(np.shape(X)), 0)  # of no rows at all, fit says what is wrong
    if np.ndim(sample_weight) == 1:
        n_rows = int(np.count_nonzero(sample_weight))
    problem = Problem(n_rows, is_classifier(network))
    settings = resolve_auto(network, problem, incremental=False, goes_on=False)
    optimizer = resolve_optimizer(settings)
    if not (isinstance(optimizer, FirstOrder) and optimizer.uses_schedule):
        raise ValueError(
            f"optimizer={network.optimizer!r} with solver={network.solver!r} has no "
            "learning rate to test. Choose one that has, such as 'adam'."
        )
    log = Log(smoothing, n_steps)
    rise = GeometricRise(max_rate / min_rate, n_steps)
    defaults = type(network)().get_params(deep=False)
    unused = (*WITHOUT_EFFECT, *optimizer.shared)
    network.set_params(
        **{name: getattr(settings, name) for name in AUTO if hasattr(settings, name)}
    )
    network.set_params(
        **{name: defaults[name] for name in unused},
        optimizer=RangeTest(optimizer, log),
        learning_rate=rise,
        learning_rate_init=min_rate,
        early_stopping=False,
        max_iter=n_steps,
        n_iter_no_change=n_steps + 1,
    )
    with warnings.catch_warnings(), suppress(RangeTestOver):
        # What has no effect, a fit of the estimator says.
        warnings.filterwarnings("ignore", "No effect with ")
        network.fit(X, y, sample_weight)
    if getattr(network, "stop_reason_", None) == "interrupted":
        raise KeyboardInterrupt
    if not log.losses:
        raise ValueError(
            "The loss of the first step is not finite: there is no curve. Scale X "
            "(preprocessing='auto') and a large y (scale_target=True)."
        )
    rates = [min_rate * rise(step, n_steps) for step in range(len(log.losses))]
    lowest = log.lowest
    suggested_rate = rates[lowest] / MARGIN
    if lowest == n_steps - 1:
        warn(
            f"The loss was still falling at max_rate={max_rate}, so the suggested rate "
            "is too low. Raise max_rate."
        )
    elif suggested_rate < min_rate:
        warn(
            f"The loss was lowest at the rate {rates[lowest]:.2g}, so the suggested "
            f"rate is below min_rate={min_rate}, and says little. Lower min_rate; or "
            "the loss of so few rows a step is too noisy: raise batch_size or n_steps."
        )
    return Bunch(
        rates=np.array(rates),
        losses=np.array(log.losses),
        smoothed_losses=np.array(log.smoothed),
        suggested_rate=suggested_rate,
    )


class RangeTestOver(Exception):
    """Ends the training run of a range test."""


@part
class GeometricRise(Schedule):
    """From 1 to `growth` by the same factor at every step.

    Parameters
    ----------
    growth : float
        The factor of the last step.
    n_steps : int
        Which step is the last.
    """

    growth: float
    n_steps: int

    def __call__(self, step: int, n_steps: int) -> float:
        return float(self.growth ** (step / (self.n_steps - 1)))


@dataclass
class Log:
    """What a range test has seen.

    Parameters
    ----------
    smoothing : float
        Decay of the moving average.
    n_steps : int
        How many steps there may be.
    started : bool
        Whether training has begun.
    losses, smoothed : list of float
        One entry per step.
    """

    smoothing: float
    n_steps: int
    started: bool = False
    losses: list[float] = field(default_factory=list)
    smoothed: list[float] = field(default_factory=list)

    @property
    def memory(self) -> int:
        """After how many steps it is an average, of which little is chance."""
        return max(1, min(round(1.0 / (1.0 - self.smoothing)), self.n_steps // 4))

    @property
    def lowest(self) -> int:
        """The step where the average was lowest."""
        first = min(self.memory, len(self.losses)) - 1
        return first + int(np.argmin(self.smoothed[first:]))

    @property
    def explodes(self) -> bool:
        """Whether the average is much larger than when it began to be one."""
        if len(self.losses) <= self.memory:
            return False
        return much_larger(self.smoothed[-1], self.smoothed[self.memory - 1])

    def add(self, loss: float) -> None:
        """Note one step, with sum_i decay^(n - i) loss_i / sum_i decay^(n - i)."""
        self.losses.append(loss)
        average = self.smoothed[-1] if self.smoothed else loss
        share = (1.0 - self.smoothing) / (1.0 - self.smoothing ** len(self.losses))
        self.smoothed.append(average + share * (loss - average))


@part
class RangeTest(FirstOrder):
    """Notes the loss before every step, and has another optimizer take it.

    Parameters
    ----------
    optimizer : FirstOrder
        What takes the steps.
    log : Log
        Where it notes them, and how many steps there may be.
    """

    optimizer: FirstOrder
    log: Log

    @property
    def solvers(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those of the optimizer that takes the steps."""
        return self.optimizer.solvers

    def init(self, n_params: int, n_weights: int, dtype: np.dtype) -> State:
        if self.log.started:  # the loop starts anew where a loss was not finite
            raise RangeTestOver
        self.log.started = True
        return self.optimizer.init(n_params, n_weights, dtype)

    def step(
        self, params: Array, grad: Array, state: State, rate: Rate, value: float
    ) -> None:
        log = self.log
        log.add(value)
        if log.explodes or len(log.losses) == log.n_steps:
            raise RangeTestOver
        self.optimizer.step(params, grad, state, rate, value)


def check_arguments(
    min_rate: float, max_rate: float, n_steps: int, smoothing: float
) -> None:
    """Raise ValueError for an argument that is not allowed."""
    rates = isinstance(min_rate, Real) and isinstance(max_rate, Real)
    if not (rates and 0.0 < min_rate < max_rate < np.inf):
        raise ValueError(
            "min_rate and max_rate must be finite numbers with 0 < min_rate < "
            f"max_rate, got min_rate={min_rate!r} and max_rate={max_rate!r}"
        )
    if not (isinstance(n_steps, Integral) and n_steps >= 2):
        raise ValueError(f"n_steps must be an int of at least 2, got {n_steps!r}")
    if not (isinstance(smoothing, Real) and 0.0 <= smoothing < 1.0):
        raise ValueError(f"smoothing must be a number in [0, 1), got {smoothing!r}")


def last_step(estimator: Any, X: Any, y: Any) -> tuple[Any, Any]:
    """Return a copy of the network, and X as it arrives there."""
    network = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(network, BaseFFNN):
        raise ValueError(
            "estimator must be a FFNNClassifier, a FFNNRegressor or a Pipeline that "
            f"ends with one, got {type(network).__name__}"
        )
    if isinstance(estimator, Pipeline) and len(estimator) > 1:
        X = clone(estimator[:-1]).fit_transform(X, y)
    network = clone(network)
    if hasattr(network, "set_callbacks"):
        network.set_callbacks()  # a test is no fit that they should follow
    return network, X
