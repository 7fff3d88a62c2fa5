"""A schedule turns the number of steps taken into a factor, as on the learning rate.

Any function ``(step, n_steps) -> factor`` is one. To add one by name: write a
class with ``__call__`` and put it into `SCHEDULES`.

Where a formula below says t, it means the share of the planned run that is over, from 0
before the first step to 1 after the last.
"""

from abc import ABC, abstractmethod
from dataclasses import field
from math import cos, log2, pi
from typing import ClassVar

from skffnn.core.checks import require
from skffnn.core.part import Part, part

__all__ = ["SCHEDULES", "Schedule"]


class Schedule(Part, ABC):
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

    def momentum(self, step: int, n_steps: int) -> float | None:
        """Return the momentum for one step, None to leave the optimizer its own.

        Parameters
        ----------
        step, n_steps : int
            As above.
        """
        return None


class Constant(Schedule):
    """The rate never changes."""

    def __call__(self, step: int, n_steps: int) -> float:
        return 1.0


@part
class InverseScaling(Schedule):
    """1 / (step + 1)^power_t (Robbins and Monro 1951).

    Parameters
    ----------
    power_t : float >= 0, default=0.5
        The exponent.
    """

    shared: ClassVar[tuple[str, ...]] = ("power_t",)
    power_t: float = 0.5

    def __post_init__(self) -> None:
        require(self, power_t="[0, inf)")

    def __call__(self, step: int, n_steps: int) -> float:
        return float((step + 1) ** -self.power_t)


@part
class Adaptive(Schedule):
    """Constant until the training stalls, then `factor` times what it was.

    Parameters
    ----------
    factor : float in (0, 1), default=0.2
        What each plateau multiplies the rate with.
    """

    factor: float = 0.2

    def __post_init__(self) -> None:
        require(self, factor="(0, 1)")

    @property
    def plateau_factor(self) -> float:  # type: ignore[override]
        """That factor."""
        return self.factor

    def __call__(self, step: int, n_steps: int) -> float:
        return 1.0


@part
class Linear(Schedule):
    """A straight line from 1 to `final`: 1 - (1 - final) t.

    Parameters
    ----------
    final : float in [0, 1], default=0.0
        The factor at the end.
    """

    planned: ClassVar[bool] = True
    final: float = 0.0

    def __post_init__(self) -> None:
        require(self, final="[0, 1]")

    def __call__(self, step: int, n_steps: int) -> float:
        return 1.0 - (1.0 - self.final) * share(step, n_steps)


@part
class Cosine(Schedule):
    """Half a cosine from 1 to `final` (Loshchilov and Hutter 2017, eq. 5).

    final + (1 - final) (1 + cos(pi t)) / 2.

    Parameters
    ----------
    final : float in [0, 1], default=0.0
        The factor at the end.
    """

    planned: ClassVar[bool] = True
    final: float = 0.0

    def __post_init__(self) -> None:
        require(self, final="[0, 1]")

    def __call__(self, step: int, n_steps: int) -> float:
        return along_half_a_cosine(1.0, self.final, share(step, n_steps))


@part
class FlatCosine(Schedule):
    """1 for a while, then half a cosine to `final`.

    That of RealMLP's dropout (Holzmüller, Grinsztajn and Steinwart 2024).

    Parameters
    ----------
    flat : float in [0, 1), default=0.5
        Share of the run before the cosine begins.
    final : float in [0, 1], default=0.0
        The factor at the end.
    """

    planned: ClassVar[bool] = True
    flat: float = 0.5
    final: float = 0.0

    def __post_init__(self) -> None:
        require(self, flat="[0, 1)", final="[0, 1]")

    def __call__(self, step: int, n_steps: int) -> float:
        late = max(0.0, share(step, n_steps) - self.flat)
        return along_half_a_cosine(1.0, self.final, late / (1.0 - self.flat))


@part
class Exponential(Schedule):
    """The same relative decay at every step, final^t.

    Parameters
    ----------
    final : float in (0, 1], default=0.01
        The factor at the end.
    """

    planned: ClassVar[bool] = True
    final: float = 0.01

    def __post_init__(self) -> None:
        require(self, final="(0, 1]")

    def __call__(self, step: int, n_steps: int) -> float:
        return float(self.final ** share(step, n_steps))


@part
class Step(Schedule):
    """Constant in each of `n_stages` equal stages: decay^floor(n_stages t).

    Parameters
    ----------
    decay : float in (0, 1], default=0.1
        What each stage multiplies the rate of the one before with.
    n_stages : int >= 1, default=3
        Number of stages.
    """

    planned: ClassVar[bool] = True
    decay: float = 0.1
    n_stages: int = 3

    def __post_init__(self) -> None:
        require(self, decay="(0, 1]", n_stages="[1, inf)")

    def __call__(self, step: int, n_steps: int) -> float:
        stage = min(self.n_stages * step // max(1, n_steps), self.n_stages - 1)
        return float(self.decay**stage)


@part
class OneCycle(Schedule):
    """Up from `start` to 1 and down to `final`, each by half a cosine.

    Smith and Topin (2019), section 3, with cosines for straight lines. The momentum of
    "sgd" goes the other way, from `high_momentum` to `low_momentum` and back.

    Parameters
    ----------
    warm_up : float in (0, 1), default=0.3
        Share of the run that goes up.
    start : float in [0, 1], default=0.04
        The factor at the beginning.
    final : float in [0, 1], default=4e-6
        The factor at the end.
    low_momentum : float in [0, 1), default=0.85
        The momentum where the rate is highest.
    high_momentum : float in [0, 1), default=0.95
        The momentum at both ends.
    """

    planned: ClassVar[bool] = True
    warm_up: float = 0.3
    start: float = 0.04
    final: float = 4e-6
    low_momentum: float = 0.85
    high_momentum: float = 0.95

    def __post_init__(self) -> None:
        require(self, warm_up="(0, 1)", start="[0, 1]", final="[0, 1]")
        require(self, low_momentum="[0, 1)", high_momentum="[0, 1)")

    def __call__(self, step: int, n_steps: int) -> float:
        return self._travel(self.start, 1.0, self.final, share(step, n_steps))

    def momentum(self, step: int, n_steps: int) -> float:
        high, low = self.high_momentum, self.low_momentum
        return self._travel(high, low, high, share(step, n_steps))

    def _travel(self, start: float, middle: float, end: float, t: float) -> float:
        if t < self.warm_up:
            return along_half_a_cosine(start, middle, t / self.warm_up)
        return along_half_a_cosine(
            middle, end, (t - self.warm_up) / (1.0 - self.warm_up)
        )


class CosineLog(Schedule):
    """Four waves, each twice as long as the one before.

    (1 - cos(2 pi log2(1 + 15 t))) / 2 (Holzmüller, Grinsztajn and Steinwart 2024,
    RealMLP, section 3). It begins and ends at zero.
    """

    planned: ClassVar[bool] = True

    def __call__(self, step: int, n_steps: int) -> float:
        return 0.5 - 0.5 * cos(2.0 * pi * log2(1.0 + 15.0 * share(step, n_steps)))


@part
class WarmUp(Schedule):
    """A straight line up to 1, then another schedule over the steps that remain.

    Goyal et al. (2017), section 2.2. The first step already has a rate.

    Parameters
    ----------
    schedule : Schedule, default=Constant()
        What follows.
    steps : float in (0, 1) or int >= 1, default=0.1
        How long the line is: a share of the planned run, or a number of steps.
    """

    schedule: Schedule = field(default_factory=Constant)
    steps: float = 0.1

    def __post_init__(self) -> None:
        require(self, steps="(0, inf)")
        if not isinstance(self.schedule, Schedule):
            raise ValueError(
                f"schedule of WarmUp must be a Schedule, got {self.schedule!r}"
            )

    @property
    def plateau_factor(self) -> float:  # type: ignore[override]
        """That of the schedule that follows."""
        return self.schedule.plateau_factor

    @property
    def planned(self) -> bool:  # type: ignore[override]
        """Likewise."""
        return self.schedule.planned

    def __call__(self, step: int, n_steps: int) -> float:
        n_up = self._n_up(n_steps)
        if step < n_up:
            return (step + 1) / n_up
        return self.schedule(step - n_up, n_steps - n_up)

    def momentum(self, step: int, n_steps: int) -> float | None:
        n_up = self._n_up(n_steps)
        return self.schedule.momentum(max(0, step - n_up), max(1, n_steps - n_up))

    def _n_up(self, n_steps: int) -> int:
        length = self.steps * n_steps if self.steps < 1.0 else self.steps
        return max(1, round(length))


def share(step: int, n_steps: int) -> float:
    """Return which part of the planned run is over, at most 1."""
    return min(1.0, step / max(1, n_steps))


def along_half_a_cosine(start: float, end: float, t: float) -> float:
    """Go from `start` to `end` along half a cosine."""
    return end + (start - end) * 0.5 * (1.0 + cos(pi * t))


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
    "linear": Linear,
    "cosine": Cosine,
    "flat_cosine": FlatCosine,
    "exponential": Exponential,
    "step": Step,
    "one_cycle": OneCycle,
    "cosine_log": CosineLog,
}
