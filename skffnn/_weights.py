"""What the labels add to the weights of the rows: `class_weight`."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from skffnn.core.typing import Array

__all__ = ["class_weighted"]


def class_weighted(
    class_weight: Any, y: Any, weight: Array | None, classes: Array
) -> Array:
    """Return the weight of each row times that of its class.

    Parameters
    ----------
    class_weight : "balanced", dict, or list of dict
        A weight for each label, one for those that are not named; for a multilabel
        indicator one dict with the keys 0 and 1 per column, whose weights multiply.
        "balanced" gives all classes, in each column, the same total weight.
    y : ndarray or sparse matrix
        Labels, or a multilabel indicator.
    weight : ndarray of shape (n_samples,) or None
        Sample weights.
    classes : ndarray
        All labels there are; column numbers for a multilabel indicator.

    Returns
    -------
    weight : ndarray of shape (n_samples,)
        A new array.

    Raises
    ------
    ValueError
        If `class_weight` names none of the labels, or a weight is no number or
        negative, or the number of dicts is not that of the columns.
    """
    multilabel = y.ndim == 2
    dense = y if isinstance(y, np.ndarray) else y.toarray()
    columns = dense.T if multilabel else [dense]
    known = [0, 1] if multilabel else classes.tolist()
    weights = np.ones(len(dense)) if weight is None else weight
    result = np.array(weights, dtype=np.float64)
    for one, labels in zip(
        _per_column(class_weight, len(columns), multilabel), columns, strict=True
    ):
        present, codes = np.unique(labels, return_inverse=True)
        if isinstance(one, str):
            result *= _balanced(codes, weights)[codes]
        else:
            _check(one, known)
            factors = [one.get(label, 1.0) for label in present.tolist()]
            result *= np.array(factors, dtype=np.float64)[codes]
    return result


def _per_column(class_weight: Any, n_columns: int, multilabel: bool) -> Sequence[Any]:
    """Return what is meant for each column of labels."""
    if isinstance(class_weight, str):
        return [class_weight] * n_columns
    if isinstance(class_weight, Mapping) is multilabel:
        wanted = "a list of dicts for a multilabel indicator"
        raise ValueError(
            f"class_weight must be 'balanced' or {wanted if multilabel else 'a dict'}. "
            f"Got {class_weight!r}."
        )
    dicts = list(class_weight) if multilabel else [class_weight]
    if not all(isinstance(one, Mapping) for one in dicts):
        raise ValueError(
            "class_weight must be 'balanced' or a list of dicts for a multilabel "
            f"indicator. Got {class_weight!r}."
        )
    if len(dicts) != n_columns:
        raise ValueError(
            f"class_weight must have one dict for each of the {n_columns} columns of "
            f"y. Got {len(dicts)}."
        )
    return dicts


def _balanced(codes: Array, weight: Array) -> Array:
    """Return the factors that make the total weight of all classes the same."""
    totals = np.bincount(codes, weight)
    there = totals > 0.0
    share = totals.sum() / there.sum()
    return np.divide(share, totals, out=np.zeros_like(totals), where=there)


def _check(weights: Mapping[Any, float], known: list[Any]) -> None:
    # Some may be missing in the fold of a cross-validation.
    if weights and not any(label in known for label in weights):
        raise ValueError(
            f"class_weight names the classes {list(weights)}, but y has only "
            f"{known[:10]}"
        )
    wrong = {
        label: weight
        for label, weight in weights.items()
        if not (isinstance(weight, Real) and 0.0 <= weight < np.inf)
    }
    if wrong:
        raise ValueError(
            "class_weight must hold numbers that are not negative or infinite, got "
            f"{wrong}"
        )
