"""The target, where categories are encoded by its means."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    column_or_1d,
)

from skffnn.preprocessing._checks import TARGET_TYPES

__all__ = ["Target", "encode_target", "folds_of"]


@dataclass(frozen=True, eq=False)
class Target:
    """A target whose means can be taken.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_targets)
        Numbers, or 1 in the rows of a class and else 0.
    suffixes : list of str
        What tells them apart in names.
    labels : ndarray of shape (n_rows,) or None
        Classes, where the target is one.
    """

    values: Any
    suffixes: list[str]
    labels: Any = None


def encode_target(y: Any, n_rows: int, kept: Any, target_type: str) -> Target:
    """Return the targets of the rows `kept` as numbers whose mean tells something.

    Raises
    ------
    ValueError
        If `y` is missing, is not of `target_type`, or is of none that has means.
    """
    if y is None:
        raise ValueError(
            "This TabularPreprocessor estimator requires y to be passed, but the "
            "target y is None: categorical='target' encodes by it"
        )
    check_consistent_length(np.empty(n_rows), y)
    try:
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y")[kept]
    except ValueError as error:
        raise ValueError(f"categorical='target' needs all of y: {error}") from error
    kind = type_of_target(y, input_name="y") if target_type == "auto" else target_type
    if kind.startswith("continuous") or kind == "multiclass-multioutput":
        values = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        k = values.shape[1]
        return Target(
            values, ["_target"] if k == 1 else [f"_target_{i}" for i in range(k)]
        )
    if kind not in TARGET_TYPES:
        raise ValueError(
            f"categorical='target' needs a target that is one of {TARGET_TYPES[1:]}, "
            f"got {kind!r}. Unknown label type: {kind!r}"
        )
    classes, labels = np.unique(column_or_1d(y), return_inverse=True)
    if kind == "binary" and len(classes) > 2:
        raise ValueError(f"target_type='binary', but y has {len(classes)} classes")
    if len(classes) <= 2:
        return Target((labels == 1).astype(np.float64)[:, None], ["_target"], labels)
    indicator = np.eye(len(classes))[labels]
    return Target(indicator, [f"_target_{c}" for c in classes], labels)


def folds_of(target: Target, random_state: Any) -> Any:
    """Return the training and test rows of five folds, those of TargetEncoder."""
    from sklearn.model_selection import KFold, StratifiedKFold

    Splitter = KFold if target.labels is None else StratifiedKFold
    splitter = Splitter(5, shuffle=True, random_state=random_state)
    return list(splitter.split(target.values, target.labels))
