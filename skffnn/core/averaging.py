"""Averages of the iterates: steps wander about a minimum, their mean lies closer to it.

With x_1, x_2, ... the parameters after each step, an average is updated by

    mean_n = mean_(n-1) + weight(n) * (x_n - mean_(n-1)),  weight(1) = 1.

To add one: write a class with ``weight``.
"""

from abc import ABC, abstractmethod

from skffnn.core.checks import require
from skffnn.core.part import Part, part

__all__ = ["Averaging", "ExponentialAverage", "PolyakAverage", "PolynomialAverage"]


class Averaging(Part, ABC):
    """How much an iterate counts."""

    @abstractmethod
    def weight(self, n: int) -> float:
        """Return the share of the `n`-th iterate, counted from one, in the mean."""


class PolyakAverage(Averaging):
    """All iterates count the same (Polyak and Juditsky 1992)."""

    def weight(self, n: int) -> float:
        return 1.0 / n


@part
class ExponentialAverage(Averaging):
    """Each iterate counts `decay` times as much as the one after it.

    The first ones are not overrated: the weights are divided by their sum, as in
    section 3 of Kingma and Ba (2015).

    Parameters
    ----------
    decay : float in (0, 1)
        The last 1 / (1 - decay) iterates make up most of the mean.
    """

    decay: float

    def __post_init__(self) -> None:
        require(self, decay="(0, 1)")

    def weight(self, n: int) -> float:
        return (1.0 - self.decay) / (1.0 - self.decay**n)


@part
class PolynomialAverage(Averaging):
    """Mostly the last iterates: polynomial-decay averaging (Shamir and Zhang 2013).

    The n-th iterate enters with weight (degree + 1) / (n + degree), as in section 4 of
    the paper, where degree is eta: in a long run, iterate k counts in proportion to
    k^degree. At any time the last 1 / degree of all iterates make up most of the mean,
    1 - 1 / e of it: unlike that of `ExponentialAverage` its memory grows with the run.

    Parameters
    ----------
    degree : float >= 0, default=30.0
        Zero is the mean of all iterates.
    """

    degree: float = 30.0

    def __post_init__(self) -> None:
        require(self, degree="[0, inf)")

    def weight(self, n: int) -> float:
        return (self.degree + 1.0) / (n + self.degree)
