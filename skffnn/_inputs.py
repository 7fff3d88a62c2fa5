"""X as the user has it, and as the network sees it: floats, dense or sparse."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import clone, is_regressor
from sklearn.utils import check_array
from sklearn.utils.validation import has_fit_parameter

from skffnn._auto import Problem
from skffnn._sparse import check_indices
from skffnn.core.batches import FEW_ROWS
from skffnn.core.typing import Array, Features

__all__ = ["check_matrix", "fit_preprocess", "make_preprocessor", "preprocess"]

ADVICE = (
    "With preprocessing='auto', the default, X may have missing values and categories. "
    "Or choose a preprocessing that makes finite numbers of them."
)


def make_preprocessor(value: Any, problem: Problem, n_columns: int) -> Any:
    """Return an unfitted transformer, or None where X goes to the network as it is.

    Parameters
    ----------
    value : "auto", transformer or None
        The estimator's `preprocessing`.
    problem : Problem
        What "auto" goes by, with the number of columns: it has bins beside the robust
        code of numbers, twice as many for a regression, where there are rows enough to
        fill them and not too many columns. It encodes categories of one row together,
        and all but the most frequent ones of very many.
    n_columns : int
        Of X.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        return clone(value)
    from skffnn.preprocessing import TabularPreprocessor

    n_rows, most_bins = problem.n_rows, 8 if problem.classifies else 16
    n_bins = min(most_bins, n_rows // 50, 20 * most_bins // max(1, n_columns))
    return TabularPreprocessor(
        numeric="robust_bins" if n_bins >= 3 else "robust",
        n_bins=max(1, n_bins),
        # A share: of a count it would matter in which unit the weights are.
        min_frequency=2.0 / n_rows if n_rows > FEW_ROWS else None,
        max_categories=2000,
        # An epoch takes half the time. The fewest rows train in full batches, where
        # weight two is the row twice to the last digit.
        dtype=np.float32 if n_rows > FEW_ROWS else None,
    )


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
    dtypes = [np.float64, np.float32]
    if preprocessor is None:
        return check_features(X, dtypes, estimator)
    preprocessor.set_params(**_known_better(preprocessor, estimator))
    weights = {}
    if weight is not None and has_fit_parameter(preprocessor, "sample_weight"):
        weights["sample_weight"] = weight
    with config_context(transform_output="default"):
        if hasattr(preprocessor, "fit_transform"):
            features = preprocessor.fit_transform(X, y, **weights)
        else:  # such as a FrozenEstimator
            features = preprocessor.fit(X, y, **weights).transform(X)
    features = check_features(features, dtypes, estimator)
    _check_shape(features, y.shape[0], features.shape[1], preprocessor)
    return features


def preprocess(
    preprocessor: Any, X: Any, n_features: int, dtype: Any, estimator: Any
) -> Features:
    """Return X as the network sees it, by the fitted transformer, if there is one.

    Parameters
    ----------
    preprocessor : transformer or None
        Fitted.
    X : array-like, sparse matrix or dataframe of shape (n_samples, n_columns)
        As the user has it.
    n_features : int
        How many the network reads.
    dtype : dtype or list of dtypes
        Allowed ones, the first for what has another.
    estimator : FFNNClassifier or FFNNRegressor
        For messages.
    """
    if preprocessor is None:
        return check_features(X, dtype, estimator)
    with config_context(transform_output="default"):
        features = check_features(preprocessor.transform(X), dtype, estimator)
    X = X if hasattr(X, "shape") else np.asarray(X, dtype=object)
    _check_shape(features, X.shape[0], n_features, preprocessor)
    return features


def _check_shape(
    features: Features, n_rows: int, n_features: int, preprocessor: Any
) -> None:
    """Raise ValueError unless the transformer has made so many rows and columns."""
    if features.shape != (n_rows, n_features):
        raise ValueError(
            f"preprocessing={preprocessor!r} must return one row for each of X, with "
            f"as many columns as in fit: shape {(n_rows, n_features)}, got "
            f"{features.shape}"
        )


def _known_better(preprocessor: Any, estimator: Any) -> dict[str, Any]:
    """Return parameters of a transformer that the estimator knows better than it.

    Whole numbers are no classes where they are targets of a regression, and what an
    integer `random_state` draws is drawn by the transformer, too.
    """
    seed = estimator.random_state
    better: dict[str, Any] = {}
    for name, value in preprocessor.get_params().items():
        last = name.split("__")[-1]
        if last == "random_state" and value is None and isinstance(seed, Integral):
            better[name] = seed
        if last == "target_type" and value == "auto" and is_regressor(estimator):
            better[name] = "continuous"
    return better


def check_matrix(X: Any, estimator: Any) -> None:
    """Raise unless X is a table, with advice, and its entries lie within it."""
    shape = getattr(X, "shape", None)
    if shape is None:
        few = X[:1] if isinstance(X, list | tuple) else X
        shape = np.asarray(few, dtype=object).shape
    if len(shape) != 2:
        check_array(X, dtype=None, input_name="X", estimator=estimator)
    check_indices(X)


def check_features(X: Any, dtype: Any, estimator: Any) -> Features:
    """Return finite numbers, as a C-contiguous array or CSR."""
    check_indices(X)
    try:
        return check_array(
            X,
            accept_sparse="csr",
            dtype=dtype,
            order="C",
            input_name="X",
            estimator=estimator,
        )
    except ValueError as error:
        fault = str(error).split("\n")[0]
        if "contains NaN" in fault or fault.startswith("could not convert string"):
            raise ValueError(f"{fault} {ADVICE}") from None
        raise
