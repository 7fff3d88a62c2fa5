"""A schedule turns the number of steps taken into a factor on the learning rate.

Any function ``(step, n_steps) -> factor`` is one. To add one by name: write a
class with ``__call__`` and put it into `SCHEDULES`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

__all__ = ["SCHEDULES", "Schedule"]


@dataclass(frozen=True)
class Schedule(ABC):
    """A function of the step.

    Attributes
    ----------
    shared : tuple of str
        Fields that take the value of the estimator's parameter of the same name.
    plateau_factor : float
        What the rate is multiplied with each time the training stalls; one means
        that a stall ends the training instead.
    planned : bool
        Whether the run is meant to reach its last step.
    """

    shared: ClassVar[tuple[str, ...]] = ()
    plateau_factor: ClassVar[float] = 1.0
    planned: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor for one step.

        Parameters
        ----------
        step : int
            Steps taken before this one, counted from the first call of fit.
        n_steps : int
            Steps taken when the planned run is over.
        """


@dataclass(frozen=True)
class Constant(Schedule):
    """The rate never changes."""

    def __call__(self, step: int, n_steps: int) -> float:
        return 1.0


@dataclass(frozen=True)
class InverseScaling(Schedule):
    """1 / (step + 1)^power_t (Robbins and Monro 1951).

    Parameters
    ----------
    power_t : float, default=0.5
        The exponent.
    """

    shared: ClassVar[tuple[str, ...]] = ("power_t",)
    power_t: float = 0.5

    def __call__(self, step: int, n_steps: int) -> float:
        return float((step + 1) ** -self.power_t)


@dataclass(frozen=True)
class Adaptive(Schedule):
    """Constant until the training stalls, then a fifth of what it was."""

    plateau_factor: ClassVar[float] = 0.2

    def __call__(self, step: int, n_steps: int) -> float:
        return 1.0


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
}
