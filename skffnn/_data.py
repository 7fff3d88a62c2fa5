"""The data of one call of fit, validated and encoded."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skffnn._targets import Targets
from skffnn.core.state import mean_of
from skffnn.core.typing import Array, Features, Rows, TargetKind

__all__ = ["Data", "encode"]


@dataclass(frozen=True, eq=False)
class Data:
    """Rows to train on, or to judge by; none of weight zero or without a target.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Features.
    y : ndarray or sparse matrix
        Targets as the user has them.
    target : ndarray of shape (n_samples, n_targets)
        Targets as the network sees them.
    weight : ndarray of shape (n_samples,) or None
        Weights of the rows in the loss, all positive.
    sample_weight : ndarray of shape (n_samples,) or None
        What of them the user has passed.
    kind : str
        What the targets are.
    parts : tuple of two boolean ndarray of shape (n_samples,), or None
        The rows to train on and those to hold out, where the user has split them.
    validation : Data or None
        The hold-out, where the user has passed one.
    """

    X: Features
    y: Any
    target: Array
    weight: Array | None
    sample_weight: Array | None
    kind: TargetKind
    parts: tuple[Array, Array] | None = None
    validation: "Data | None" = None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.target)

    @property
    def strata(self) -> Array | None:
        """Labels that a hold-out should represent."""
        return self.y if self.kind in ("binary", "multiclass") else None

    def relative_to_mean(self, rows: Rows) -> Array | None:
        """Return the weights of some rows, relative to their mean."""
        if self.weight is None:
            return None
        weight = self.relative_weight(mean_of(self.weight[rows]))
        return None if weight is None else weight[rows]

    def relative_weight(self, mean: float) -> Array | None:
        """Return the weights divided by `mean`; None where all of them are one."""
        if self.weight is None and mean == 1.0:
            return None
        weight = 1.0 if self.weight is None else self.weight
        relative = np.broadcast_to(weight / mean, len(self.target))
        return None if (relative == 1.0).all() else relative.astype(self.target.dtype)


def encode(
    X: Features,
    y: Any,
    sample_weight: Array | None,
    weight: Array | None,
    targets: Targets,
    parts: tuple[Array, Array] | None = None,
) -> Data:
    """Return validated data as the network sees them.

    Parameters
    ----------
    X, y, sample_weight : ndarray, sparse matrix or None
        Validated.
    weight : ndarray of shape (n_samples,) or None
        The sample weights, times what the targets add to them.
    targets : LabelTargets or NumberTargets
        What encodes y.
    parts : tuple of two boolean ndarray of shape (n_samples,), or None
        The user's split of the rows.
    """
    if weight is not None and not weight.all():  # a row of weight zero is no row
        kept = weight > 0.0
        if not kept.any():
            raise ValueError("class_weight leaves no row a weight above zero")
        X, y, weight = X[kept], y[kept], weight[kept]
        sample_weight = None if sample_weight is None else sample_weight[kept]
        parts = None if parts is None else (parts[0][kept], parts[1][kept])
    target = targets.encode(y, X.dtype)
    return Data(X, y, target, weight, sample_weight, targets.kind, parts)
