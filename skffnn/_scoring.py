"""What `scoring` names, asked after every epoch."""

import inspect
import math
from collections.abc import Callable
from numbers import Real
from typing import Any

from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.preprocessing import FunctionTransformer

from skffnn._holdout import Holdout
from skffnn._warnings import warn
from skffnn.core.typing import Array

__all__ = ["HoldoutScore"]


class HoldoutScore:
    """Score on rows that are not trained on, by a scorer of scikit-learn.

    Parameters
    ----------
    estimator : FFNNClassifier or FFNNRegressor
        The one being fitted.
    holdout : Holdout
        The rows. The scorer gets the user's labels and weights; X comes as an array.
    fitted_attributes : callable
        Returns the attributes that make a copy of the estimator a fitted one, as if
        fit ended now. They share the parameters that are being trained.
    preprocesses : bool
        Whether X was something else before. Predictions are then float64.
    """

    def __init__(
        self,
        estimator: Any,
        holdout: Holdout,
        fitted_attributes: Callable[[], dict[str, Any]],
        preprocesses: bool,
    ) -> None:
        data, rows = holdout.data, holdout.rows
        # Without feature_names_in_, as the rows have lost their names.
        self._model = clone(estimator).set_params(preprocessing=None)
        self._model.preprocessor_ = FunctionTransformer() if preprocesses else None
        self._model.n_features_in_ = data.X.shape[1]
        self._fitted_attributes = fitted_attributes
        self._name = estimator.scoring
        self._scorer = check_scoring(self._model, scoring=estimator.scoring)
        self._arguments = {"X": data.X[rows], "y": data.y[rows]}
        self._weight = {}
        if data.sample_weight is not None:
            if takes_weights(self._scorer):
                self._weight = {"sample_weight": data.sample_weight[rows]}
            else:
                warn(
                    f"scoring={self._name!r} takes no sample_weight: all rows of the "
                    "hold-out count alike"
                )

    def __call__(self, params: Array) -> float:
        """Return the score; `params` are known to the model."""
        self._model.__dict__.update(self._fitted_attributes())
        X, y = self._arguments["X"], self._arguments["y"]
        try:
            score = self._scorer(self._model, X, y, **self._weight)
        except ValueError as error:
            raise ValueError(
                f"scoring={self._name!r} cannot judge the {X.shape[0]} rows of the "
                f"hold-out: {error}"
            ) from error
        if not isinstance(score, Real) or math.isnan(score):
            raise ValueError(
                f"scoring={self._name!r} must return a number, got {score} on the "
                f"{X.shape[0]} rows of the hold-out"
            )
        return float(score)


def takes_weights(scorer: Any) -> bool:
    """Return whether a scorer, and the metric it is made of, has sample_weight."""
    function = getattr(scorer, "_score_func", scorer)
    parameters = inspect.signature(function).parameters
    return "sample_weight" in parameters or any(
        parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()
    )
