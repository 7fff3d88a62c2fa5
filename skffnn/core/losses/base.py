"""What every loss promises, and what those that are sums over targets have in common.

A `Loss` owns its value, its gradient with respect to ``raw``, its link, its best
constant and the targets it is meant for; no other module knows a formula of it.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from skffnn.core.checks import first_outside
from skffnn.core.links import IdentityLink, Link
from skffnn.core.part import Part
from skffnn.core.typing import Array

__all__ = ["Loss", "SeparableLoss", "weighted_sum"]


class Loss(Part, ABC):
    """A sum over rows, each weighted, and its gradient.

    Attributes
    ----------
    link : Link
        How raw scores become predictions.
    shared : tuple of str
        Fields that take the value of the estimator's parameter of the same name when
        the loss is chosen by name.
    target_range : str
        The interval that targets must lie in, such as ``"[0, inf)"``.
    """

    link: Link = IdentityLink()
    shared: ClassVar[tuple[str, ...]] = ()
    target_range: ClassVar[str] = "(-inf, inf)"

    @abstractmethod
    def value_and_gradient(
        self, y: Array, raw: Array, weight: Array | None, gradient_out: Array
    ) -> float:
        """Return sum_i weight_i * loss(y_i, raw_i) and write its gradient.

        Parameters
        ----------
        y : ndarray of shape (rows, n_targets)
            Targets.
        raw : ndarray of shape (rows, n_outputs)
            Scores of the network, before the link.
        weight : ndarray of shape (rows,) or None
            Weight of each row; None means one.
        gradient_out : ndarray of shape (rows, n_outputs)
            Receives weight_i * d loss(y_i, raw_i) / d raw_i. It is never `raw`.

        Returns
        -------
        value : float
            The weighted sum. Not a mean: what it is divided by is the
            objective's business.
        """

    def n_outputs(self, n_targets: int) -> int:
        """Return how many raw scores a row needs; as many as targets, unless told.

        Where there are more, column ``j * n_targets + t`` is the j-th score of target
        t.
        """
        return n_targets

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        """Return the raw scores to start from, the best that do not depend on X.

        Training begins with them as biases of the output layer.

        Parameters
        ----------
        y : ndarray of shape (rows, n_targets)
            Targets.
        weight : ndarray of shape (rows,) or None
            Weight of each row; None means one.

        Returns
        -------
        raw : ndarray of shape (n_outputs,)
            Zeros, unless the loss knows better.
        """
        return np.zeros(self.n_outputs(y.shape[1]))

    def check_target(self, y: Array) -> None:
        """Raise ValueError where a target is not what the loss is meant for."""
        value = first_outside(y, self.target_range)
        if value is not None:
            raise ValueError(f"targets must lie in {self.target_range}, got {value}")

    def predict(self, raw: Array) -> Array:
        """Return predictions of shape (rows, n_targets), or with one more axis."""
        return self.link.inverse(raw)

    def pool(self, raw: Array) -> Array:
        """Return the scores whose prediction is the mean of those of several members.

        Parameters
        ----------
        raw : ndarray of shape (n_members, rows, n_outputs)
            The scores of each.

        Returns
        -------
        raw : ndarray of shape (rows, n_outputs)
            What `predict` and the loss itself then take for those of one network.
        """
        return self.link.pool(raw)

    @property
    def levels(self) -> Array | None:
        """Which quantiles are predicted; None unless predictions are quantiles."""
        return None

    @property
    def has_std(self) -> bool:
        """Whether `predict_std` has something to return."""
        return False

    def predict_std(self, raw: Array) -> Array:
        """Return a standard deviation for every prediction.

        Raises
        ------
        ValueError
            Unless the loss has one.
        """
        raise ValueError(
            f"return_std=True needs loss='gaussian_nll': {self!r} has no standard "
            "deviation"
        )


class SeparableLoss(Loss):
    """A sum over targets, of which each has raw scores of its own.

    A subclass writes `per_target`; weights, sums and targets that are missing are no
    business of it.
    """

    @abstractmethod
    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        """Return the loss of every target and write its gradient, without weights.

        Parameters
        ----------
        y : ndarray of shape (rows, n_targets)
            Targets.
        raw : ndarray of shape (rows, n_outputs)
            Scores of the network.
        gradient_out : ndarray of shape (rows, n_outputs)
            Receives the derivative by `raw`. It is never `raw`.

        Returns
        -------
        loss : ndarray of shape (rows, n_targets)
            A new array.
        """

    def value_and_gradient(
        self, y: Array, raw: Array, weight: Array | None, gradient_out: Array
    ) -> float:
        return weighted_sum(self.per_target(y, raw, gradient_out), weight, gradient_out)

    def locations(self, raw: Array) -> Array:
        """Return the columns that say where a target lies, as a view: by default all.

        These are the columns that `out_activation` acts on.
        """
        return raw


def weighted_sum(loss: Array, weight: Array | None, gradient: Array) -> float:
    """Sum `loss` over rows and targets and weight the rows of `gradient` in place."""
    if weight is None:
        return float(np.add.reduce(loss, axis=None))
    gradient *= weight[:, None]
    return float(np.dot(weight, np.add.reduce(loss, axis=1)))
