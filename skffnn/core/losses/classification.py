"""Losses of probabilities, logistic or softmax; targets are zeros and ones."""

from typing import ClassVar

import numpy as np
from scipy.special import expit

from skffnn.core.checks import require
from skffnn.core.links import LogisticLink, SoftmaxLink
from skffnn.core.losses.base import Loss, SeparableLoss, weighted_sum
from skffnn.core.losses.constants import weighted_mean
from skffnn.core.part import part
from skffnn.core.rows import inner, rectifying, row_sums, softplus_tail, sum_of
from skffnn.core.typing import Array

__all__ = [
    "LogisticFocalLoss",
    "LogisticLogLoss",
    "LogisticSquaredError",
    "SoftmaxFocalLoss",
    "SoftmaxLogLoss",
    "SoftmaxSquaredError",
]

# A class that is rarer, or that the first rows of a stream lack, starts as if it had
# this share: a start need not be closer, and a class must be able to come.
SMALLEST_SHARE = 1e-3


class LogisticLoss(SeparableLoss):
    """A loss of probabilities p = 1 / (1 + exp(-raw)), each on its own."""

    link = LogisticLink()
    target_range: ClassVar[str] = "[0, 1]"

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        """Return the logarithm of the odds of each label."""
        share = weighted_mean(y, weight)
        share = np.clip(share, SMALLEST_SHARE, 1.0 - SMALLEST_SHARE)
        return np.log(share / (1.0 - share))


class SoftmaxLoss(Loss):
    """A loss of probabilities p = softmax(raw) of exclusive classes."""

    link = SoftmaxLink()
    target_range: ClassVar[str] = "[0, 1]"

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        """Return the logarithms of the shares of the classes."""
        return np.log(np.maximum(weighted_mean(y, weight), SMALLEST_SHARE))


@part
class LogisticLogLoss(LogisticLoss):
    """-y log(p) - (1 - y) log(1 - p), p = 1 / (1 + exp(-raw)), summed over outputs.

    Computed as (max(raw, 0) - y * raw) + log(1 + exp(-|raw|)), which cannot overflow,
    and is precise where the label is right (Bishop 2006, eq. 4.90). The derivative by
    raw is p - y.

    Parameters
    ----------
    label_smoothing : float in [0, 1), default=0.0
        This share of every target is spread evenly over both values (Szegedy et al.
        2016, sec. 7): y becomes (1 - label_smoothing) y + label_smoothing / 2.
    """

    shared: ClassVar[tuple[str, ...]] = ("label_smoothing",)
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        require(self, label_smoothing="[0, 1)")

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        y = smooth(y, self.label_smoothing, 2)
        loss = softplus_tail(raw)
        rectifying(raw, gradient_out)()
        gradient_out -= y * raw
        loss += gradient_out
        np.subtract(self.link.inverse(raw), y, out=gradient_out)
        return loss

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        return super().best_constant(smooth(y, self.label_smoothing, 2), weight)


@part
class SoftmaxLogLoss(SoftmaxLoss):
    """-sum_k y_k log(p_k) with p = softmax(raw): cross-entropy of exclusive classes.

    Bishop (2006), eqs. 4.108 and 4.109. A row of `y` sums to one. The largest
    score of a row is subtracted first, so that exp cannot overflow, and the loss of a
    row that is right is precise. The derivative by raw_k is p_k - y_k.

    Parameters
    ----------
    label_smoothing : float in [0, 1), default=0.0
        This share of every target is spread evenly over the K classes (Szegedy et al.
        2016, sec. 7): y becomes (1 - label_smoothing) y + label_smoothing / K.
    """

    shared: ClassVar[tuple[str, ...]] = ("label_smoothing",)
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        require(self, label_smoothing="[0, 1)")

    def value_and_gradient(
        self, y: Array, raw: Array, weight: Array | None, gradient_out: Array
    ) -> float:
        y = smooth(y, self.label_smoothing, y.shape[1])
        # Classes first: a maximum over rows of ten takes a quarter of the time.
        shifted = raw - np.maximum.reduce(raw.T.copy(), axis=0)[:, None]
        np.exp(shifted, out=gradient_out)
        total = row_sums(gradient_out)
        gradient_out /= total
        gradient_out -= y
        log_total = np.log(total, out=total)
        if weight is None:
            return sum_of(log_total) - inner(y, shifted)
        gradient_out *= weight[:, None]
        log_total[:, 0] -= np.vecdot(y, shifted)
        return float(np.dot(weight, log_total[:, 0]))

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        return super().best_constant(
            smooth(y, self.label_smoothing, y.shape[1]), weight
        )


class LogisticSquaredError(LogisticLoss):
    """1/2 * (p - y)^2 with p = 1 / (1 + exp(-raw)), summed over outputs.

    Half the mean squared difference of Brier (1950) for the one probability of two
    classes, and the cost of the textbooks for 0/1 targets (Rumelhart, Hinton and
    Williams 1986). The derivative by raw is (p - y) p (1 - p).
    """

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        p = self.link.inverse(raw)
        np.subtract(p, y, out=gradient_out)
        loss = np.square(gradient_out)
        loss *= 0.5
        self.link.backward(p, gradient_out)
        return loss


class SoftmaxSquaredError(SoftmaxLoss):
    """1/2 * sum_k (p_k - y_k)^2 with p = softmax(raw).

    Half the score of Brier (1950) for exclusive classes. With g = p - y the derivative
    by raw_k is p_k (g_k - sum_j p_j g_j).
    """

    def value_and_gradient(
        self, y: Array, raw: Array, weight: Array | None, gradient_out: Array
    ) -> float:
        p = self.link.inverse(raw)
        np.subtract(p, y, out=gradient_out)
        loss = np.square(gradient_out)
        loss *= 0.5
        gradient_out -= np.einsum("ij,ij->i", p, gradient_out)[:, None]
        gradient_out *= p
        return weighted_sum(loss, weight, gradient_out)


@part
class LogisticFocalLoss(LogisticLoss):
    """-(1 - p_t)^gamma log(p_t), p_t being the probability of the label that is true.

    Lin et al. (2017), eq. 4, summed over outputs: rows that are already right count
    less. With s = raw where y is one and -raw where it is zero, p_t is
    1 / (1 + exp(-s)), and the derivative by s is
    (1 - p_t)^gamma (gamma p_t log(p_t) - (1 - p_t)).

    Parameters
    ----------
    gamma : float >= 0, default=2.0
        How much less; 0 is "log_loss".
    """

    shared: ClassVar[tuple[str, ...]] = ("gamma",)
    gamma: float = 2.0

    def __post_init__(self) -> None:
        require(self, gamma="[0, inf)")

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        sign = 2.0 * y - 1.0
        s = raw * sign
        log_p = self.link.log_inverse(s)
        q = expit(-s)
        focus = np.power(q, self.gamma)
        gradient_out[...] = focus * (self.gamma * np.exp(log_p) * log_p - q)
        gradient_out *= sign
        log_p *= focus
        return np.negative(log_p, out=log_p)


@part
class SoftmaxFocalLoss(SoftmaxLoss):
    """-(1 - p_t)^gamma log(p_t), p_t being the softmax's probability of the true class.

    Lin et al. (2017), eq. 4, for exclusive classes. With q = 1 - p_t the derivative by
    raw_k is q^gamma (gamma p_t log(p_t) / q - 1) (y_k - p_k).

    Parameters
    ----------
    gamma : float >= 0, default=2.0
        How much less rows that are already right count; 0 is "log_loss".
    """

    shared: ClassVar[tuple[str, ...]] = ("gamma",)
    gamma: float = 2.0

    def __post_init__(self) -> None:
        require(self, gamma="[0, inf)")

    def value_and_gradient(
        self, y: Array, raw: Array, weight: Array | None, gradient_out: Array
    ) -> float:
        log_p = self.link.log_inverse(raw)
        p = np.exp(log_p)
        log_p_true = np.einsum("ij,ij->i", y, log_p)
        p_true = np.einsum("ij,ij->i", y, p)
        q = np.einsum("ij,ij->i", 1.0 - y, p)  # 1 - p_true, also where that rounds
        # Where q vanishes, so does gamma or the focus, which it is multiplied with.
        ratio = np.divide(log_p_true, q, out=np.zeros_like(q), where=q > 0.0)
        focus = np.power(q, self.gamma)
        factor = focus * (self.gamma * p_true * ratio - 1.0)
        np.subtract(y, p, out=gradient_out)
        gradient_out *= factor[:, None]
        return weighted_sum(-(focus * log_p_true)[:, None], weight, gradient_out)


def smooth(y: Array, share: float, n_classes: int) -> Array:
    """Spread a share of every target evenly over the classes."""
    return y * (1.0 - share) + share / n_classes if share else y
