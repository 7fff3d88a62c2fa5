"""Losses of counts and amounts: half the deviance, with a logarithmic link.

The prediction is mu = exp(raw), so effects multiply. Half, because squared error with
its 1/2 is half the deviance of the normal distribution, and because scikit-learn's
PoissonRegressor, GammaRegressor and TweedieRegressor minimise the same.
"""

from typing import ClassVar

import numpy as np

from skffnn.core.checks import require
from skffnn.core.links import ExpLink, clipped_exp, clipped_expm1
from skffnn.core.losses.base import SeparableLoss
from skffnn.core.losses.constants import weighted_mean
from skffnn.core.part import part
from skffnn.core.typing import Array

__all__ = ["Gamma", "Poisson", "Tweedie"]

# Where nothing has happened yet, as in the first rows of a stream, training starts as
# if the mean were this: an event must be able to come.
SMALLEST_MEAN = 1e-3


class Deviance(SeparableLoss):
    """Half a deviance of mu = exp(raw); a subclass writes `per_target`.

    What is computed is d = log(mu / y): in it the unit of y changes nothing.
    """

    link = ExpLink()

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        """Return the logarithm of the mean."""
        mean = weighted_mean(y, weight)
        return np.log(np.where(mean > 0.0, mean, SMALLEST_MEAN))

    def predict(self, raw: Array) -> Array:
        """Return the means, which may be as large as the precision allows."""
        largest = 0.99 * np.log(np.finfo(raw.dtype).max)
        return np.exp(np.minimum(raw, largest))


class Poisson(Deviance):
    """y log(y / mu) - y + mu with mu = exp(raw), summed over targets: for counts.

    Half the deviance of Poisson's distribution (McCullagh and Nelder 1989, sec. 2.3).
    The derivative by raw is mu - y.
    """

    target_range: ClassVar[str] = "[0, inf)"

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        # With d = log(mu / y) it is y (expm1(d) - d). Of large counts the terms of the
        # formula above would leave nothing but rounding.
        zero = y == 0.0
        d = raw - np.log(np.where(zero, 1.0, y))
        np.multiply(y, clipped_expm1(d), out=gradient_out)
        loss: Array = gradient_out - y * d
        if zero.any():
            mu = clipped_exp(raw)
            np.copyto(gradient_out, mu, where=zero)
            np.copyto(loss, mu, where=zero)
        return loss


class Gamma(Deviance):
    """log(mu / y) + y / mu - 1 with mu = exp(raw), summed over targets: for amounts.

    Half the deviance of the gamma distribution (McCullagh and Nelder 1989, sec. 2.3),
    whose standard deviation is proportional to its mean. The derivative by raw is
    1 - y / mu.
    """

    target_range: ClassVar[str] = "(0, inf)"

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        loss: Array = raw - np.log(y)
        np.subtract(1.0, clipped_exp(-loss), out=gradient_out)
        loss -= gradient_out
        return loss


LIMITS: dict[float, Deviance] = {1.0: Poisson(), 2.0: Gamma()}


@part
class Tweedie(Deviance):
    """y^(2-p) / ((1-p)(2-p)) - y mu^(1-p) / (1-p) + mu^(2-p) / (2-p), mu = exp(raw).

    Half the deviance of Tweedie's distribution (Jorgensen 1987), summed over targets,
    whose variance is proportional to mu^p. With p between one and two it is that of a
    Poisson number of gamma amounts: exactly zero or positive, as the sum of insurance
    claims. The derivative by raw is mu^(2-p) - y mu^(1-p).

    Parameters
    ----------
    power : float in [1, 2], default=1.5
        1 is "poisson", 2 is "gamma".
    """

    shared: ClassVar[tuple[str, ...]] = ("power",)
    target_range: ClassVar[str] = "[0, inf)"
    power: float = 1.5

    def __post_init__(self) -> None:
        require(self, power="[1, 2]")

    @property
    def _limit(self) -> Deviance | None:
        """The distribution at the ends of the interval."""
        return LIMITS.get(self.power)

    def check_target(self, y: Array) -> None:
        if self._limit is not None:
            return self._limit.check_target(y)
        return super().check_target(y)

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        if self._limit is not None:
            return self._limit.per_target(y, raw, gradient_out)
        a, b = 1.0 - self.power, 2.0 - self.power
        # With d = log(mu / y) the loss is y^b (expm1(b d) / b - expm1(a d) / a) where
        # y > 0. Nothing cancels in it, though a or b may be close to zero.
        zero = y == 0.0
        log_y = np.log(np.where(zero, 1.0, y))
        d = raw - log_y
        unit = np.exp(b * log_y)
        of_a, of_b = unit * clipped_expm1(a * d), unit * clipped_expm1(b * d)
        np.subtract(of_b, of_a, out=gradient_out)
        loss: Array = of_b / b - of_a / a
        if zero.any():
            mu_b = clipped_exp(b * raw)
            np.copyto(gradient_out, mu_b, where=zero)
            np.copyto(loss, mu_b / b, where=zero)
        return loss
