"""X as the user has it, and as the network sees it: floats, dense or sparse."""

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array
from sklearn.utils.validation import has_fit_parameter

from skffnn.core.typing import Array, Features

__all__ = ["fit_preprocess", "make_preprocessor", "preprocess"]


def make_preprocessor(value: Any) -> Any:
    """Return an unfitted transformer, or None where X goes to the network as it is.

    Parameters
    ----------
    value : "auto", transformer or None
        The estimator's `preprocessing`.
    """
    if isinstance(value, str):
        from skffnn.preprocessing import TabularPreprocessor

        return TabularPreprocessor()
    return None if value is None else clone(value)


def fit_preprocess(
    preprocessor: Any, X: Any, y: Any, weight: Array | None, estimator: Any
) -> Features:
    """Fit the transformer, if there is one, and return X as the network sees it.

    Parameters
    ----------
    preprocessor : transformer or None
        Gets y, and the weights if it has a use for them.
    X : array-like, sparse matrix or dataframe of shape (n_samples, n_features)
        As the user has it.
    y : ndarray or sparse matrix
        Validated targets.
    weight : ndarray of shape (n_samples,) or None
        Sample weights.
    estimator : FFNNClassifier or FFNNRegressor
        For messages.
    """
    if preprocessor is not None:
        weights = {}
        if weight is not None and has_fit_parameter(preprocessor, "sample_weight"):
            weights["sample_weight"] = weight
        X = preprocessor.fit_transform(X, y, **weights)
    return check_features(X, [np.float64, np.float32], estimator)


def preprocess(preprocessor: Any, X: Any, dtype: Any, estimator: Any) -> Features:
    """Return X as the network sees it, by the fitted transformer, if there is one."""
    if preprocessor is not None:
        X = preprocessor.transform(X)
    return check_features(X, dtype, estimator)


def check_features(X: Any, dtype: Any, estimator: Any) -> Features:
    """Return finite numbers, as a C-contiguous array or CSR."""
    return check_array(
        X,
        accept_sparse="csr",
        dtype=dtype,
        order="C",
        input_name="X",
        estimator=estimator,
    )
