"""Losses that predict more of a distribution than its centre."""

from math import log
from typing import ClassVar

import numpy as np
from scipy.special import logsumexp

from skffnn.core.checks import first_outside
from skffnn.core.links import clipped_exp, largest_exponent
from skffnn.core.losses.base import SeparableLoss
from skffnn.core.losses.constants import weighted_mean, weighted_quantile
from skffnn.core.part import part
from skffnn.core.typing import Array

__all__ = ["GaussianNLL", "Quantile"]


@part
class Quantile(SeparableLoss):
    """max(q r, (q - 1) r) with r = y - raw, summed over quantiles q and targets.

    The pinball loss (Koenker and Bassett 1978); its derivative at zero is taken as
    zero. Of several quantiles each has a raw score of its own, so that without hidden
    layers each is the quantile regression that it would be alone. Predictions are these
    scores in increasing order (Chernozhukov, Fernandez-Val and Galichon 2010): they
    never cross, and wherever scores a > b of quantiles q < r did, the loss is lower by
    (r - q) (a - b).

    Parameters
    ----------
    quantile : float in (0, 1) or increasing sequence of them, default=0.5
        Which quantiles. Those of a sequence are a last axis of the predictions.
    """

    shared: ClassVar[tuple[str, ...]] = ("quantile",)
    quantile: float | tuple[float, ...] = 0.5

    def __post_init__(self) -> None:
        try:
            levels = self.levels
        except (TypeError, ValueError):  # no numbers
            levels = np.empty(0)
        if not (
            levels.ndim == 1
            and levels.size
            and first_outside(levels, "(0, 1)") is None
            and (np.diff(levels) > 0.0).all()
        ):
            raise ValueError(
                "quantile must be a number between 0 and 1, or an increasing sequence "
                f"of them, got {self.quantile!r}"
            )
        if np.ndim(self.quantile) == 1:  # compared, and pickled, as a tuple
            object.__setattr__(self, "quantile", tuple(levels.tolist()))

    @property
    def levels(self) -> Array:
        """All quantiles, as an array."""
        return np.atleast_1d(np.asarray(self.quantile, dtype=np.float64))

    def n_outputs(self, n_targets: int) -> int:
        return n_targets * len(self.levels)

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        n_rows, n_targets = y.shape
        by_level = (n_rows, len(self.levels), n_targets)
        difference = raw.reshape(by_level) - y[:, None, :]
        gradient = gradient_out.reshape(by_level)
        np.sign(difference, out=gradient)
        # 1 - q above y, -q below it, and zero at it.
        tilt = (0.5 - self.levels).astype(raw.dtype)[:, None]
        gradient *= 0.5 + tilt * gradient
        difference *= gradient
        return difference.sum(axis=1)

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        """Return the quantiles."""
        return np.concatenate(
            [weighted_quantile(y, weight, level) for level in self.levels.tolist()]
        )

    def pool(self, raw: Array) -> Array:
        """Return the mean of the members' quantiles, each member's in increasing order.

        Quantiles, not distributions, are averaged (Vincent 1912; Ratcliff 1979): the
        width of the pooled distribution is the mean of theirs.
        """
        n_members, n_rows, _ = raw.shape
        by_level = raw.reshape(n_members, n_rows, len(self.levels), -1)
        return super().pool(np.sort(by_level, axis=2).reshape(raw.shape))

    def predict(self, raw: Array) -> Array:
        """Return quantiles in increasing order.

        Their shape is (rows, n_targets, n_quantiles), or (rows, n_targets) where
        `quantile` is a number.
        """
        raw = self.link.inverse(raw)
        if np.ndim(self.quantile) == 0:
            return raw
        by_level = raw.reshape(len(raw), len(self.levels), -1)
        return np.sort(by_level.transpose(0, 2, 1), axis=2)


class GaussianNLL(SeparableLoss):
    """1/2 * (log(2 pi s^2) + (y - mean)^2 / s^2), summed over targets.

    The negative log-likelihood of a normal distribution whose variance s^2 depends on X
    as its mean does (Nix and Weigend 1994, eq. 3). The raw scores are all means, then
    all log(s^2): so the variance is positive whatever its unit. It has no floor but
    that of exp in the precision of X: where a network can fit each row exactly, stop it
    early or raise alpha.
    """

    def n_outputs(self, n_targets: int) -> int:
        return 2 * n_targets

    def locations(self, raw: Array) -> Array:
        return raw[:, : raw.shape[1] // 2]

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        n_targets = y.shape[1]
        log_variance = raw[:, n_targets:]
        # A large variance may be of any size, only a small one is clipped.
        precision = np.exp(np.minimum(-log_variance, largest_exponent(raw.dtype)))
        residual = raw[:, :n_targets] - y
        scaled = residual * precision
        gradient_out[:, :n_targets] = scaled
        scaled *= residual
        gradient_out[:, n_targets:] = 0.5 - 0.5 * scaled
        scaled += log_variance
        scaled += np.log(2.0 * np.pi, dtype=raw.dtype)
        scaled *= 0.5
        return scaled

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        """Return the mean and the logarithm of the variance.

        Where y is constant, and says nothing of its unit, the latter is zero.
        """
        mean = weighted_mean(y, weight)
        variance = weighted_mean(np.square(y - mean), weight)
        rounding = np.square(4.0 * np.finfo(mean.dtype).eps * mean)
        return np.concatenate(
            [mean, np.log(np.where(variance > rounding, variance, 1.0))]
        )

    def pool(self, raw: Array) -> Array:
        """Return mean and variance of the mixture of the members' distributions.

        Its variance is the mean of theirs plus the variance of their means
        (Lakshminarayanan, Pritzel and Blundell 2017, section 2.4).
        """
        n_members, n_targets = len(raw), raw.shape[2] // 2
        means, log_variances = raw[..., :n_targets], raw[..., n_targets:]
        of_theirs = logsumexp(log_variances, axis=0) - log(n_members)
        with np.errstate(divide="ignore"):  # where all members agree
            of_means = np.log(means.var(axis=0))
        return np.hstack([means.mean(axis=0), np.logaddexp(of_theirs, of_means)])

    def predict(self, raw: Array) -> Array:
        """Return the means."""
        return self.link.inverse(self.locations(raw))

    @property
    def has_std(self) -> bool:
        return True

    def predict_std(self, raw: Array) -> Array:
        return clipped_exp(0.5 * raw[:, raw.shape[1] // 2 :])
