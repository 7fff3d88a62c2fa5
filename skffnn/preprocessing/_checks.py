"""What is refused before anything is learned: parameters, weights, names."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.utils.validation import check_array

from skffnn.preprocessing._numeric import NUMERIC

__all__ = ["TARGET_TYPES", "check_input_features", "check_parameters", "check_weight"]

TARGET_TYPES = ("auto", "continuous", "binary", "multiclass")
CHOICES = {
    "numeric": tuple(NUMERIC),
    "categorical": ("onehot", "target"),
    "ordinal": ("rank", "onehot"),
    "target_type": TARGET_TYPES,
}
LEAST = {"max_categories": 1, "max_cat_to_onehot": 0, "n_bins": 1}


def check_parameters(transformer: Any) -> None:
    """Raise for a parameter that is not allowed, and say what is."""
    if get_config()["skip_parameter_validation"]:
        return
    parameters = transformer.get_params(deep=False)
    for name, choices in CHOICES.items():
        value = parameters[name]
        if not (isinstance(value, str) and value in choices):
            raise _refused(transformer, name, f"one of {', '.join(map(repr, choices))}")
    for name, least in LEAST.items():
        value = parameters[name]
        optional = name == "max_categories" and value is None
        if not (optional or (_is_int(value) and value >= least)):
            none = " or None" if name == "max_categories" else ""
            raise _refused(transformer, name, f"an int of at least {least}{none}")
    value = parameters["min_frequency"]
    is_share = isinstance(value, float | np.floating) and 0.0 < value < 1.0
    if not (value is None or is_share or (_is_int(value) and value >= 1)):
        allowed = "an int of at least 1, a float between 0 and 1, or None"
        raise _refused(transformer, "min_frequency", allowed)
    if not isinstance(parameters["missing_indicator"], bool | np.bool_):
        raise _refused(transformer, "missing_indicator", "True or False")
    value = parameters["sparse_output"]
    is_auto = isinstance(value, str) and value == "auto"
    if not (is_auto or isinstance(value, bool | np.bool_)):
        raise _refused(transformer, "sparse_output", "True, False or 'auto'")
    value = parameters["dtype"]
    if value is not None and not _is_float(value):
        raise _refused(transformer, "dtype", "numpy.float32, numpy.float64 or None")


def _is_int(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool | np.bool_)


def _is_float(value: Any) -> bool:
    try:
        return np.dtype(value) in (np.float32, np.float64)
    except TypeError:
        return False


def _refused(transformer: Any, name: str, allowed: str) -> ValueError:
    value = getattr(transformer, name)
    return ValueError(
        f"The {name!r} parameter of {type(transformer).__name__} must be {allowed}. "
        f"Got {value!r} instead."
    )


def check_weight(sample_weight: Any, n_rows: int) -> Any:
    """Return the weights of the rows as float64; None where there are none."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_rows, sample_weight)
    weight = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weight.ndim != 1:
        raise ValueError("Sample weights must be 1D array or scalar")
    if weight.shape != (n_rows,):
        raise ValueError(
            f"sample_weight.shape == {weight.shape}, expected {(n_rows,)}!"
        )
    if (weight < 0.0).any():
        raise ValueError(
            f"sample_weight must not be negative, got {weight.min()} at row "
            f"{weight.argmin()}"
        )
    if not weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number")
    if weight.max() > np.finfo(np.float64).max / n_rows:  # their sum may overflow
        weight = weight / weight.max()
    return weight


def check_input_features(transformer: Any, input_features: Any) -> Any:
    """Return the names of the input columns."""
    n_features = transformer.n_features_in_
    fitted = getattr(transformer, "feature_names_in_", None)
    if input_features is None:
        return [f"x{j}" for j in range(n_features)] if fitted is None else fitted
    given = np.asarray(input_features, dtype=object)
    if fitted is not None and not np.array_equal(fitted, given):
        raise ValueError("input_features is not equal to feature_names_in_")
    if len(given) != n_features:
        raise ValueError(
            "input_features should have length equal to number of features "
            f"({n_features}), got {len(given)}"
        )
    return given
