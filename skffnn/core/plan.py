"""What is decided before the first step, and who is told of the epochs."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from skffnn.core.averaging import Averaging
from skffnn.core.batches import Batches
from skffnn.core.dropout import Dropout
from skffnn.core.layer_rates import Equal, LayerRates
from skffnn.core.monitor import Monitor, StopReason
from skffnn.core.objective import Objective
from skffnn.core.optimizers import Optimizer
from skffnn.core.rates import Rate
from skffnn.core.schedules import Schedule
from skffnn.core.state import TrainingState

__all__ = ["Observer", "Plan", "Run"]


class Observer(Protocol):
    """Is told of every epoch, and may end the training."""

    def epoch_begins(self, state: TrainingState) -> None:
        """Be told that an epoch begins."""

    def epoch_ends(self, state: TrainingState) -> bool:
        """Be told that an epoch has ended; return True to stop."""

    def epoch_fails(self, state: TrainingState) -> None:
        """Be told that the epoch has diverged and begins again at half the rate."""


@dataclass(frozen=True)
class Plan:
    """What is decided before the first step.

    Parameters
    ----------
    optimizer : Optimizer
        What a step does with the gradient.
    rate : float
        The learning rate before any schedule.
    schedule : Schedule
        (step, n_steps) -> factor on the rate.
    batches : Batches
        The training rows.
    max_epochs : int
        The most passes over them in this run.
    tol : float
        L-BFGS ends where no component of the gradient is larger.
    keeps_verdict : bool
        Whether another call may go on from this one with the same plan. If it also has
        the same data, and this one converged, it has nothing to do.
    planned_epochs : int, default=0
        The most passes in all runs that belong together, of which this may be one:
        schedules are told so.
    max_time : float, default=inf
        Seconds after which no new epoch begins.
    max_grad_norm : float, default=inf
        Longer gradients are shortened to this norm.
    max_norm : float, default=inf
        The weights that a hidden unit reads with are shortened to this norm.
    dropout : Dropout, default=Dropout()
        What a step leaves out of the network.
    average : Averaging or None, default=None
        Which mean of the iterates the parameters are; None: the last iterate.
    layer_rates : LayerRates, default=Equal()
        How fast each layer learns.
    """

    optimizer: Optimizer
    rate: float
    schedule: Schedule
    batches: Batches
    max_epochs: int
    tol: float
    keeps_verdict: bool
    planned_epochs: int = 0
    max_time: float = math.inf
    max_grad_norm: float = math.inf
    max_norm: float = math.inf
    dropout: Dropout = field(default_factory=Dropout)
    average: Averaging | None = None
    layer_rates: LayerRates = field(default_factory=Equal)

    def n_steps(self, step: int) -> int:
        """Return the number of steps when all is over, after `step` of them."""
        this_run = step + self.max_epochs * len(self.batches)
        return max(this_run, self.planned_epochs * len(self.batches))

    @property
    def planned(self) -> bool:
        """Whether something follows a curve to the end of the planned run."""
        return self.schedule.planned or self.dropout.schedule.planned

    @property
    def settings(self) -> tuple[Any, ...]:
        """All that decides whether a run would go on where another one has ended."""
        size = self.batches.size
        limits = (self.tol, self.max_grad_norm, self.max_norm)
        others = (self.dropout, self.average, self.layer_rates)
        return (self.optimizer, self.rate, self.schedule, size, *limits, *others)


@dataclass(frozen=True, eq=False)
class Run:
    """All that one call of fit needs.

    Parameters
    ----------
    objective : Objective
        What to make small.
    plan : Plan
        How.
    state : TrainingState
        Where to start; afterwards, what came of it.
    monitor : Monitor
        Judges each epoch and keeps the best.
    resumed : bool, default=False
        Whether `state` is in the middle of this run, from where it goes on.
    refit : StopReason or None, default=None
        Where it repeats, on all rows, a run that a hold-out has judged: why that one
        ended.
    """

    objective: Objective
    plan: Plan
    state: TrainingState
    monitor: Monitor
    resumed: bool = False
    refit: StopReason | None = None

    @cached_property
    def rate_factors(self) -> Rate:
        """What the rate is multiplied with, for all parameters or by layer."""
        return self.plan.layer_rates.rate(self.objective.network.layout)
