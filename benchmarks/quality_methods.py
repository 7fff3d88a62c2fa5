"""Who takes part in the quality benchmark. Nobody is tuned."""

from collections.abc import Callable
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import (
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skffnn import (
    DeepEnsembleClassifier,
    DeepEnsembleRegressor,
    FFNNClassifier,
    FFNNRegressor,
)

try:
    import torch
    from pytabkit import RealMLP_TD_S_Classifier, RealMLP_TD_S_Regressor

    torch.set_num_threads(1)
except ImportError:
    RealMLP_TD_S_Classifier = None

__all__ = ["METHODS", "OURS", "REFERENCE"]

REFERENCE = "MLP"
OURS = ("skffnn", "skffnn ensemble of 4")
MOST_CATEGORIES = 255  # of HistGradientBoosting
NUMBERS = make_column_selector(dtype_include="number")


class Categories(TransformerMixin, BaseEstimator):
    """Make strings and objects pandas categories, as gradient boosting wants them.

    Of a column with more categories than it can hold, the rarest are missing.
    """

    def fit(self, X, y=None):
        self.dtypes_ = {
            name: pd.CategoricalDtype(
                X[name].astype(object).value_counts().index[:MOST_CATEGORIES]
            )
            for name in X.select_dtypes(exclude="number")
        }
        return self

    def transform(self, X):
        columns = {
            name: X[name].astype(object).where(X[name].isin(dtype.categories))
            for name, dtype in self.dtypes_.items()
        }
        return X.assign(**{n: c.astype(self.dtypes_[n]) for n, c in columns.items()})


def columns(imputer: str = "median", dense: bool = True):
    """Return the preprocessing that everybody writes: impute, scale, one-hot."""
    numbers = make_pipeline(SimpleImputer(strategy=imputer), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=not dense)
    return make_column_transformer(
        (numbers, NUMBERS),
        (categories, make_column_selector(dtype_exclude="number")),
    )


def scaled_target(regressor):
    return TransformedTargetRegressor(regressor, transformer=StandardScaler())


def mlp(classifies: bool, seed: int, **parameters: Any):
    if classifies:
        return make_pipeline(columns(), MLPClassifier(random_state=seed, **parameters))
    regressor = MLPRegressor(random_state=seed, **parameters)
    return scaled_target(make_pipeline(columns(), regressor))


def mlp_early(classifies: bool, seed: int):
    return mlp(classifies, seed, early_stopping=True)


def boosting(classifies: bool, seed: int):
    cls = (
        HistGradientBoostingClassifier if classifies else HistGradientBoostingRegressor
    )
    model = cls(categorical_features="from_dtype", random_state=seed)
    return make_pipeline(Categories(), model)


def forest(classifies: bool, seed: int):
    cls = RandomForestClassifier if classifies else RandomForestRegressor
    return make_pipeline(columns(dense=False), cls(random_state=seed))


def linear(classifies: bool, seed: int):
    model = LogisticRegression(max_iter=1000) if classifies else Ridge()
    return make_pipeline(columns(dense=False), model)


def network(classifies: bool, seed: int):
    return (FFNNClassifier if classifies else FFNNRegressor)(random_state=seed)


def ensemble(classifies: bool, seed: int):
    cls = DeepEnsembleClassifier if classifies else DeepEnsembleRegressor
    return cls(n_estimators=4, random_state=seed)


def realmlp(classifies: bool, seed: int):
    cls = RealMLP_TD_S_Classifier if classifies else RealMLP_TD_S_Regressor
    model = cls(random_state=seed, device="cpu", n_threads=1, verbosity=0)
    # It takes no missing numbers.
    medians = make_column_transformer(
        (SimpleImputer(strategy="median"), NUMBERS),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return make_pipeline(Categories(), medians.set_output(transform="pandas"), model)


METHODS: dict[str, Callable[[bool, int], Any]] = {
    "MLP": mlp,
    "MLP, early stopping": mlp_early,
    "gradient boosting": boosting,
    "random forest": forest,
    "linear": linear,
    "skffnn": network,
    "skffnn ensemble of 4": ensemble,
}
if RealMLP_TD_S_Classifier is not None:
    METHODS["RealMLP-TD-S"] = realmlp
