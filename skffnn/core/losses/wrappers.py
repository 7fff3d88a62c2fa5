"""Losses around a loss: predictions in a range, and targets that are missing."""

from dataclasses import field

import numpy as np

from skffnn.core.checks import first_outside
from skffnn.core.links import Link
from skffnn.core.losses.base import SeparableLoss
from skffnn.core.part import part
from skffnn.core.typing import Array

__all__ = ["IgnoringMissing", "ThroughLink"]


@part
class Wrapper(SeparableLoss):
    """What a loss around another one leaves to it.

    Parameters
    ----------
    loss : SeparableLoss
        The other one.
    """

    loss: SeparableLoss

    def n_outputs(self, n_targets: int) -> int:
        return self.loss.n_outputs(n_targets)

    def locations(self, raw: Array) -> Array:
        return self.loss.locations(raw)

    @property
    def levels(self) -> Array | None:
        return self.loss.levels

    @property
    def has_std(self) -> bool:
        return self.loss.has_std

    def predict_std(self, raw: Array) -> Array:
        return self.loss.predict_std(raw)


@part
class ThroughLink(Wrapper):
    """loss(y, g(raw)) with the inverse g of a link: predictions have its range.

    By the chain rule the derivative is that of `loss` at g(raw), times g'(raw).

    Parameters
    ----------
    loss : SeparableLoss
        A loss with the identity as link.
    link : Link
        One of `LINKS`.
    """

    link: Link

    def _bent(self, raw: Array) -> Array:
        """Return a copy in which the locations have passed through the link."""
        bent = raw.copy()
        self.locations(bent)[...] = self.link.inverse(self.locations(raw))
        return bent

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        bent = self._bent(raw)
        loss = self.loss.per_target(y, bent, gradient_out)
        self.link.backward(self.locations(bent), self.locations(gradient_out))
        return loss

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        """Return the scores of the loss's own; zero where they would be infinite."""
        constant = self.loss.best_constant(y, weight)[None]
        place = self.locations(constant)
        with np.errstate(divide="ignore"):
            place[...] = self.link.score(place)
        place[~np.isfinite(place)] = 0.0
        return constant[0]

    def check_target(self, y: Array) -> None:
        self.loss.check_target(y)
        value = first_outside(y, self.link.range)
        if value is not None:
            raise ValueError(
                f"targets must lie in {self.link.range}, as predictions of "
                f"{self.link.name!r} do, got {value}"
            )

    def pool(self, raw: Array) -> Array:
        pooled = self.loss.pool(np.stack([self._bent(member) for member in raw]))
        place = self.locations(pooled)
        place[...] = self.link.finite_score(place)
        return pooled

    def predict(self, raw: Array) -> Array:
        return self.loss.predict(self._bent(raw))


@part
class IgnoringMissing(Wrapper):
    """The sum over the targets that are there: one that is NaN costs nothing.

    Parameters
    ----------
    loss : SeparableLoss
        What the others cost.
    """

    link: Link = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "link", self.loss.link)

    def per_target(self, y: Array, raw: Array, gradient_out: Array) -> Array:
        missing = np.isnan(y)
        if not missing.any():
            return self.loss.per_target(y, raw, gradient_out)
        # In their place stands a target that the loss allows: no row lacks all.
        there = y.ravel()[missing.argmin()]
        loss = self.loss.per_target(np.where(missing, there, y), raw, gradient_out)
        loss[missing] = 0.0
        n_rows, n_targets = y.shape
        by_target = gradient_out.reshape(n_rows, -1, n_targets)
        np.copyto(by_target, 0.0, where=missing[:, None, :])
        return loss

    def best_constant(self, y: Array, weight: Array | None) -> Array:
        """Return the constants of the targets that are there, column by column."""
        constants = []
        for t, column in enumerate(y.T):
            there = ~np.isnan(column)
            if not there.any():
                raise ValueError(f"all targets of output {t} are missing")
            weights = None if weight is None else weight[there]
            constants.append(self.loss.best_constant(column[there, None], weights))
        return np.stack(constants, axis=1).ravel()

    def check_target(self, y: Array) -> None:
        self.loss.check_target(y[~np.isnan(y)])

    def pool(self, raw: Array) -> Array:
        return self.loss.pool(raw)

    def predict(self, raw: Array) -> Array:
        return self.loss.predict(raw)
