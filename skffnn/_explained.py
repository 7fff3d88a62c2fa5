"""How much of the targets a regressor explains: R2, or its like for quantiles."""

from typing import Any

import numpy as np
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.utils import check_array, check_consistent_length

from skffnn.core.typing import Array

__all__ = ["share_explained"]


def share_explained(
    regressor: Any, y: Any, prediction: Any, sample_weight: Any
) -> float:
    """Return how good predictions are, as `FFNNRegressor.score` does.

    Parameters
    ----------
    regressor : FFNNRegressor
        A fitted one, which made the predictions, or one like those that did.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        True values.
    prediction : ndarray of the shape of y, or with one more axis of several quantiles
        What was predicted.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the rows.
    """
    n_axes = regressor._targets.ndim
    levels = regressor._loss.levels if prediction.ndim > n_axes else None
    if regressor.missing_targets == "ignore":
        y = check_array(
            y, ensure_2d=False, dtype=np.float64, ensure_all_finite="allow-nan"
        )
        if np.isnan(y).any():
            by_output = prediction if n_axes == 2 else prediction[:, None]
            return score_of_observed(y, by_output, sample_weight, levels)
    return score_of(y, prediction, sample_weight, levels)


def score_of(y: Any, prediction: Array, weight: Any, levels: Array | None) -> float:
    """Return R2, or of several quantiles their mean share of the pinball loss."""
    if levels is None:
        return float(r2_score(y, prediction, sample_weight=weight))
    scores = [
        d2_pinball_score(y, prediction[..., i], sample_weight=weight, alpha=level)
        for i, level in enumerate(levels)
    ]
    return float(np.mean(scores))


def score_of_observed(
    y: Array, prediction: Array, weight: Any, levels: Array | None
) -> float:
    """Return the mean of `score_of` over outputs, each where its target is not NaN.

    An output is left out that has less than two targets in rows with a weight.
    """
    check_consistent_length(y, prediction, weight)
    y = y.reshape(len(y), -1)
    if y.shape[1] != prediction.shape[1]:
        raise ValueError(
            f"y has {y.shape[1]} outputs, but this model was fitted with "
            f"{prediction.shape[1]}"
        )
    if weight is None:
        weight = np.ones(len(y))
    weight = check_array(
        weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    observed = ~np.isnan(y) & (weight != 0.0)[:, None]
    scores = [
        score_of(y[rows, i], prediction[rows, i], weight[rows], levels)
        for i, rows in enumerate(observed.T)
        if np.count_nonzero(rows) > 1
    ]
    if not scores:
        raise ValueError("no output in y has two targets that are not missing")
    return float(np.mean(scores))
