"""A link ties what the network computes to what is predicted.

The inverse link turns ``raw`` scores into predictions: values, or probabilities
together with their logarithms. scikit-learn calls it the output activation.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit, log_expit

from skffnn.core.typing import Array, TargetKind

__all__ = ["IdentityLink", "Link", "LogisticLink", "SoftmaxLink"]


class Link(ABC):
    """From raw scores to predictions.

    Attributes
    ----------
    name : str
        What the estimators report as ``out_activation_``.
    classifies : tuple of str
        The kinds of classification targets whose probabilities it gives.
    sums_to_one : bool
        Whether the predictions of a row do.
    """

    name: ClassVar[str]
    classifies: ClassVar[tuple[TargetKind, ...]] = ()
    sums_to_one: ClassVar[bool] = False

    @abstractmethod
    def inverse(self, raw: Array) -> Array:
        """Return predictions for `raw`, both of shape (n_samples, n_outputs)."""

    def log_inverse(self, raw: Array) -> Array:
        """Return the logarithm of the predictions, where these are probabilities.

        To stay finite near zero it must be computed from `raw`, as the links below do.
        """
        return np.log(self.inverse(raw))

    def log_complement(self, raw: Array) -> Array:
        """Return the logarithm of one minus the predictions, likewise."""
        return np.log1p(-self.inverse(raw))


@dataclass(frozen=True)
class IdentityLink(Link):
    """The score is the prediction."""

    name: ClassVar[str] = "identity"

    def inverse(self, raw: Array) -> Array:
        return raw


@dataclass(frozen=True)
class LogisticLink(Link):
    """Each output is a probability of its own, 1 / (1 + exp(-raw))."""

    name: ClassVar[str] = "logistic"
    classifies: ClassVar[tuple[TargetKind, ...]] = (
        "binary",
        "multilabel",
        "multiclass",
    )

    def inverse(self, raw: Array) -> Array:
        return expit(raw)

    def log_inverse(self, raw: Array) -> Array:
        return log_expit(raw)

    def log_complement(self, raw: Array) -> Array:
        return log_expit(-raw)


@dataclass(frozen=True)
class SoftmaxLink(Link):
    """The outputs of a row are the probabilities of exclusive classes."""

    name: ClassVar[str] = "softmax"
    classifies: ClassVar[tuple[TargetKind, ...]] = ("multiclass",)
    sums_to_one: ClassVar[bool] = True

    def inverse(self, raw: Array) -> Array:
        return np.exp(self.log_inverse(raw))

    def log_inverse(self, raw: Array) -> Array:
        # A tenth of the time of scipy.special.log_softmax on few rows.
        shifted = raw - np.maximum.reduce(raw, axis=1, keepdims=True)
        total = np.add.reduce(np.exp(shifted), axis=1, keepdims=True)
        shifted -= np.log(total)
        return shifted
