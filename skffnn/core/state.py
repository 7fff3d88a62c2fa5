"""All that must survive from one call of ``partial_fit`` to the next, and a pickle."""

import math
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skffnn.core.averaging import Averaging
from skffnn.core.layer_rates import LayerRates
from skffnn.core.memory import copied
from skffnn.core.optimizers import Optimizer
from skffnn.core.typing import Array

__all__ = [
    "Average",
    "Progress",
    "TrainingState",
    "copy_of",
    "mean_of",
    "progress_of",
]


@dataclass(eq=False)
class Average:
    """What the parameters are a mean of.

    Parameters
    ----------
    iterate : ndarray of shape (n_params,)
        The last one, where the next step begins.
    n : int
        How many there are.
    """

    iterate: Array
    n: int = 0

    def copy(self) -> "Average":
        """Return one with an array of its own."""
        return replace(self, iterate=copied(self.iterate))


@dataclass(eq=False)
class Progress:
    """How far a run has come, and the best it has seen on its way.

    Parameters
    ----------
    first_step, first_epoch : int
        Steps taken and epochs finished before it began.
    last_step : int
        Steps taken when its last finished epoch ended.
    last_params : ndarray of shape (n_params,)
        The parameters then.
    last_average : Average or None
        What they were a mean of.
    best_params : ndarray of shape (n_params,)
        The parameters of its best epoch, or those it began with.
    best_loss : float
        What they were judged by; infinite before the first epoch.
    n_halvings : int
        How often it has diverged and gone back.
    seconds : float
        How long it took, up to its last finished epoch.
    reason : str or None
        Why it should end after that epoch.
    judged_by : str or None
        By which score a hold-out has judged it, or an earlier call of partial_fit.
    """

    first_step: int
    first_epoch: int
    last_step: int
    last_params: Array
    last_average: Average | None
    best_params: Array
    best_loss: float = math.inf
    n_halvings: int = 0
    seconds: float = 0.0
    reason: str | None = None
    judged_by: str | None = None

    def go_on(self, params: Array, last_is_best: bool) -> None:
        """Let `params` be the last; those that were become the best, if they are."""
        if not last_is_best:
            np.copyto(self.last_params, params)
            return
        # One copy instead of two. Nothing is lost if an interrupt comes between.
        former_best = self.best_params
        np.copyto(former_best, params)
        self.best_params, self.last_params = self.last_params, former_best

    def copy(self) -> "Progress":
        """Return one with arrays of its own."""
        return replace(
            self,
            last_params=copied(self.last_params),
            last_average=copy_of(self.last_average),
            best_params=copied(self.best_params),
        )


@dataclass(eq=False)
class TrainingState:
    """Where training stands.

    Parameters
    ----------
    params : ndarray of shape (n_params,)
        All weights, biases, gains and scales, as they predict.
    rng : numpy.random.Generator
        Draws the order of the rows.
    mask_rng : numpy.random.Generator
        Draws what dropout leaves out: with and without it, the order is the same.
    seed : int
        What every random stream of this model was derived from.
    optimizer : Optimizer or None
        Whose state `optimizer_state` is.
    layer_rates : LayerRates or None
        Whose factors went into it.
    averaging : Averaging or None
        Whose weights went into `average`.
    optimizer_state : dict or None
        Arrays and numbers of the optimizer; None starts it afresh.
    average : Average or None
        Of which iterates `params` is the mean. None where steps change `params` itself.
    step, epoch, rows_seen : int
        Steps taken, epochs finished, and rows seen in them.
    rate : float or None
        The learning rate of the last step; None where the optimizer has none.
    rate_factor : float
        What plateaus and divergences have made of the learning rate.
    best_loss : float
        Lowest loss since the last call of fit; where a hold-out judges, its loss, or
        its score with the sign changed.
    best_epoch : int
        The epoch, counted from one, that the hold-out found best; zero before that.
    stalled_epochs : int
        Epochs in a row that did not improve on it.
    mean_weight : float
        Mean sample weight of the rows of all calls since the parameters were drawn.
    n_weighted : int
        Number of those rows.
    finished : tuple or None
        Why and under which circumstances a run has ended, if another one under the
        same would have nothing to do; see `Plan.keeps_verdict`.
    lowest_loss : float
        Lowest training loss of any epoch.
    loss_curve : list of float
        One entry per epoch.
    validation_loss_curve, validation_scores : list of float
        One entry per epoch up to the last that a hold-out has judged, NaN for one that
        none has.
    rate_halvings : list of int
        The epochs, counted from one, that diverged and began again at half the rate.
    progress : Progress or None
        Of the run that is under way. Between calls of partial_fit it is kept once a
        hold-out has judged.
    """

    params: Array
    rng: np.random.Generator
    mask_rng: np.random.Generator
    seed: int
    optimizer: Optimizer | None = None
    layer_rates: LayerRates | None = None
    averaging: Averaging | None = None
    optimizer_state: dict[str, Any] | None = None
    average: Average | None = None
    step: int = 0
    epoch: int = 0
    rows_seen: int = 0
    rate: float | None = None
    rate_factor: float = 1.0
    best_loss: float = math.inf
    best_epoch: int = 0
    stalled_epochs: int = 0
    mean_weight: float = 1.0
    n_weighted: int = 0
    finished: tuple[Any, ...] | None = None
    lowest_loss: float = math.inf
    loss_curve: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    rate_halvings: list[int] = field(default_factory=list)
    progress: Progress | None = None

    def copy(self) -> "TrainingState":
        """Return a state that shares nothing with this one, with arrays of its own."""
        arrays = self.optimizer_state
        return replace(
            self,
            params=copied(self.params),
            rng=deepcopy(self.rng),
            mask_rng=deepcopy(self.mask_rng),
            optimizer_state=None if arrays is None else deepcopy_arrays(arrays),
            average=copy_of(self.average),
            loss_curve=list(self.loss_curve),
            validation_loss_curve=list(self.validation_loss_curve),
            validation_scores=list(self.validation_scores),
            rate_halvings=list(self.rate_halvings),
            progress=copy_of(self.progress),
        )

    def go_on_with(
        self,
        optimizer: Optimizer,
        layer_rates: LayerRates,
        averaging: Averaging | None,
    ) -> None:
        """Forget what steps of another optimizer, or at other rates, have left.

        Their momentum would move layers that are frozen now, and their average too.
        """
        if layer_rates != self.layer_rates:
            self.optimizer_state = self.average = None
        if optimizer != self.optimizer:
            self.optimizer_state = self.rate = None
        if averaging != self.averaging:
            self.average = None
        self.optimizer, self.layer_rates = optimizer, layer_rates
        self.averaging = averaging

    def begin_call(self) -> None:
        """Forget what only the epochs of one call of fit have in common."""
        self._forget_verdicts()
        self.mean_weight = 1.0
        self.n_weighted = 0

    def end_for_good(self) -> None:
        """Forget what only another epoch of the same training would need."""
        self._forget_verdicts()
        self.optimizer = self.optimizer_state = self.average = None

    def _forget_verdicts(self) -> None:
        self.rate_factor = 1.0
        self.best_loss = math.inf
        self.stalled_epochs = 0

    def see_weights(self, weight: Array | None, n_rows: int) -> None:
        """Take `n_rows` more rows, None meaning weight one, into the mean weight."""
        mean = 1.0 if weight is None else mean_of(weight)
        self.n_weighted += n_rows
        if self.n_weighted == n_rows:
            self.mean_weight = mean
        else:
            # In this form equal means leave the mean as it is, to the last bit.
            self.mean_weight += (mean - self.mean_weight) * (n_rows / self.n_weighted)


def copy_of(part: Any) -> Any:
    """Return a copy of what there is."""
    return None if part is None else part.copy()


def deepcopy_arrays(state: dict[str, Any]) -> dict[str, Any]:
    """Copy a dict of arrays and numbers; memory-mapped arrays become ordinary."""
    return {
        name: copied(value) if isinstance(value, np.ndarray) else deepcopy(value)
        for name, value in state.items()
    }


def mean_of(weight: Array) -> float:
    """Return the mean weight, exact where all weights are the same."""
    largest = float(weight.max())  # the sum of very large weights would overflow
    return largest * float((weight / largest).mean())


def progress_of(state: TrainingState) -> Progress:
    """Return the progress of the run that is under way."""
    assert state.progress is not None
    return state.progress
