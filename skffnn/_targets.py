"""Targets as the user has them, and as the network sees them.

The network sees a float matrix of shape (n_samples, n_targets). What turns ``y`` into
one, and what the network says back into labels or numbers, is made at the first fit and
kept.
"""

from typing import Any, TypeAlias

import numpy as np

from skffnn._label_targets import LabelTargets
from skffnn._number_targets import NumberTargets
from skffnn.core.typing import Array

__all__ = ["Targets", "has_target", "zero_without_target"]

Targets: TypeAlias = LabelTargets | NumberTargets


def has_target(y: Any) -> Array:
    """Return which rows have a target: NaN, where it is allowed, is none."""
    if not isinstance(y, np.ndarray) or y.dtype.kind != "f":
        return np.ones(y.shape[0], bool)
    return np.asarray(~np.isnan(y.reshape(len(y), -1)).all(axis=1))


def zero_without_target(weight: Array | None, y: Any) -> Array | None:
    """Return the weights, zero for rows without a target.

    Raises
    ------
    ValueError
        If that leaves no row.
    """
    there = has_target(y)
    if there.all():
        return weight
    kept = np.where(there, 1.0 if weight is None else weight, 0.0)
    if not kept.any():
        raise ValueError("all targets of rows with a weight are missing")
    return kept
