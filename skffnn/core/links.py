"""A link ties what the network computes to what is predicted.

The inverse link turns ``raw`` scores into predictions: values, or probabilities
together with their logarithms. scikit-learn calls it the output activation.
"""

from abc import ABC, abstractmethod
from math import log
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, log_expit, logsumexp

from skffnn.core.part import Part
from skffnn.core.rows import row_sums
from skffnn.core.typing import Array, TargetKind

__all__ = [
    "LINKS",
    "ExpLink",
    "IdentityLink",
    "Link",
    "LogisticLink",
    "SoftmaxLink",
    "SoftplusLink",
    "TanhLink",
    "clipped_exp",
    "clipped_expm1",
    "largest_exponent",
]


class Link(Part, ABC):
    """From raw scores to predictions.

    Attributes
    ----------
    name : str
        What the estimators report as ``out_activation_``.
    range : str
        The interval of predictions, ends included where targets may be there.
    classifies : tuple of str
        The kinds of classification targets whose probabilities it gives.
    sums_to_one : bool
        Whether the predictions of a row do.
    keeps_order : bool
        Whether a larger score in a row is a larger prediction. A subclass with another
        inverse must say so itself.
    """

    name: ClassVar[str]
    range: ClassVar[str] = "(-inf, inf)"
    classifies: ClassVar[tuple[TargetKind, ...]] = ()
    sums_to_one: ClassVar[bool] = False
    keeps_order: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = vars(cls).keys()
        if own & {"inverse", "log_inverse"} and "keeps_order" not in own:
            cls.keeps_order = False

    @abstractmethod
    def inverse(self, raw: Array) -> Array:
        """Return predictions for `raw`, both of shape (n_samples, n_outputs)."""

    def score(self, prediction: Array) -> Array:
        """Return the raw scores whose inverse the predictions are.

        Not every link needs one: `pool` asks for it, and `out_activation` of those in
        `LINKS`. The same holds for `backward`, which only the latter needs.
        """
        raise NotImplementedError(f"{self!r} has no score")

    def backward(self, prediction: Array, gradient: Array) -> None:
        """Multiply `gradient` by the derivative of the inverse, in place.

        Parameters
        ----------
        prediction : ndarray of shape (rows, n_outputs)
            What `inverse` returned.
        gradient : ndarray of shape (rows, n_outputs)
            Holds the derivative by the predictions, becomes that by the scores.
        """
        raise NotImplementedError(f"{self!r} has no derivative")

    def pool(self, raw: Array) -> Array:
        """Return the scores whose prediction is the mean of those of several members.

        Parameters
        ----------
        raw : ndarray of shape (n_members, n_samples, n_outputs)
            The scores of each.
        """
        return self.finite_score(self.inverse(raw).mean(axis=0))

    def finite_score(self, prediction: Array) -> Array:
        """Return the scores, large numbers where they would be infinite.

        A prediction may have rounded to an end of the range, whose score is infinite.
        The inverse of the number that stands for it is that end again, or next to it.
        """
        with np.errstate(divide="ignore"):
            score = self.score(prediction)
        at_an_end = np.isinf(score) & np.isfinite(prediction)
        large = np.log(np.finfo(score.dtype).max)
        np.copysign(large, score, out=score, where=at_an_end)
        return score

    def log_inverse(self, raw: Array) -> Array:
        """Return the logarithm of the predictions, where these are probabilities.

        To stay finite near zero it must be computed from `raw`, as the links below do.
        """
        return np.log(self.inverse(raw))

    def log_complement(self, raw: Array) -> Array:
        """Return the logarithm of one minus the predictions, likewise."""
        return np.log1p(-self.inverse(raw))


class IdentityLink(Link):
    """The score is the prediction."""

    name: ClassVar[str] = "identity"

    def inverse(self, raw: Array) -> Array:
        return raw

    def score(self, prediction: Array) -> Array:
        return prediction

    def backward(self, prediction: Array, gradient: Array) -> None:
        pass


class LogisticLink(Link):
    """Each output is between zero and one on its own, 1 / (1 + exp(-raw))."""

    name: ClassVar[str] = "logistic"
    range: ClassVar[str] = "[0, 1]"
    classifies: ClassVar[tuple[TargetKind, ...]] = (
        "binary",
        "multilabel",
        "multiclass",
    )
    keeps_order: ClassVar[bool] = True

    def inverse(self, raw: Array) -> Array:
        return expit(raw)

    def score(self, prediction: Array) -> Array:
        return np.log(prediction) - np.log1p(-prediction)

    def backward(self, prediction: Array, gradient: Array) -> None:
        gradient *= prediction
        gradient *= 1.0 - prediction

    def pool(self, raw: Array) -> Array:
        # The odds of the mean, from logarithms: they stay finite near zero and one.
        odds = logsumexp(self.log_inverse(raw), axis=0)
        odds -= logsumexp(self.log_complement(raw), axis=0)
        return odds

    def log_inverse(self, raw: Array) -> Array:
        return log_expit(raw)

    def log_complement(self, raw: Array) -> Array:
        return log_expit(-raw)


class TanhLink(Link):
    """Each output is between minus one and one, tanh(raw)."""

    name: ClassVar[str] = "tanh"
    range: ClassVar[str] = "[-1, 1]"

    def inverse(self, raw: Array) -> Array:
        return np.tanh(raw)

    def score(self, prediction: Array) -> Array:
        return np.arctanh(prediction)

    def backward(self, prediction: Array, gradient: Array) -> None:
        gradient *= 1.0 - np.square(prediction)


class SoftplusLink(Link):
    """Each output is positive, log(1 + exp(raw)): a large score is left as it is."""

    name: ClassVar[str] = "softplus"
    range: ClassVar[str] = "[0, inf)"

    def inverse(self, raw: Array) -> Array:
        tail = np.exp(-np.abs(raw))
        return np.maximum(raw, 0.0) + np.log1p(tail)

    def score(self, prediction: Array) -> Array:
        return prediction + np.log(-np.expm1(-prediction))

    def backward(self, prediction: Array, gradient: Array) -> None:
        gradient *= -np.expm1(-prediction)


class ExpLink(Link):
    """Each output is positive, exp(raw): effects multiply."""

    name: ClassVar[str] = "exp"
    range: ClassVar[str] = "[0, inf)"

    def inverse(self, raw: Array) -> Array:
        return clipped_exp(raw)

    def score(self, prediction: Array) -> Array:
        return np.log(prediction)

    def backward(self, prediction: Array, gradient: Array) -> None:
        gradient *= prediction

    def pool(self, raw: Array) -> Array:
        return logsumexp(raw, axis=0) - log(len(raw))


class SoftmaxLink(Link):
    """The outputs of a row are the probabilities of exclusive classes."""

    name: ClassVar[str] = "softmax"
    classifies: ClassVar[tuple[TargetKind, ...]] = ("multiclass",)
    sums_to_one: ClassVar[bool] = True
    keeps_order: ClassVar[bool] = True

    def inverse(self, raw: Array) -> Array:
        return np.exp(self.log_inverse(raw))

    def pool(self, raw: Array) -> Array:
        return logsumexp(self.log_inverse(raw), axis=0) - log(len(raw))

    def log_inverse(self, raw: Array) -> Array:
        # A tenth of the time of scipy.special.log_softmax on few rows.
        shifted = raw - np.maximum.reduce(raw, axis=-1, keepdims=True)
        shifted -= np.log(row_sums(np.exp(shifted)))
        return shifted


# Those that act on every score alone, which a regression may choose.
LINKS: dict[str, Link] = {
    "identity": IdentityLink(),
    "logistic": LogisticLink(),
    "tanh": TanhLink(),
    "softplus": SoftplusLink(),
    "exp": ExpLink(),
}

# exp ends there, in the precision of its argument: squares of it, and sums of these
# over many rows, stay finite. About 1e15 in float32 and 1e123 in float64.
LARGEST_SHARE_OF_EXPONENT = 0.4


def clipped_exp(raw: Array) -> Array:
    """Return exp(raw), or the largest exponential that can be computed with."""
    clipped = clip_exponent(raw)
    return np.exp(clipped, out=clipped)


def clipped_expm1(raw: Array) -> Array:
    """Return exp(raw) - 1 likewise, precise near zero."""
    clipped = clip_exponent(raw)
    return np.expm1(clipped, out=clipped)


def clip_exponent(raw: Array) -> Array:
    """Return a copy in which no number is too large for `clipped_exp`."""
    limit = largest_exponent(raw.dtype)
    return np.clip(raw, -limit, limit)


def largest_exponent(dtype: np.dtype) -> Any:
    """Return where `clipped_exp` ends, in that dtype."""
    return LARGEST_SHARE_OF_EXPONENT * np.log(np.finfo(dtype).max)
