"""Feedforward neural networks for people who work in scikit-learn."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from skffnn._checkpoint import Checkpoint
from skffnn._classifier import FFNNClassifier
from skffnn._regressor import FFNNRegressor
from skffnn.preprocessing import TabularPreprocessor

if TYPE_CHECKING:
    from skffnn._display import LossCurveDisplay
    from skffnn._ensemble_classifier import DeepEnsembleClassifier
    from skffnn._ensemble_regressor import DeepEnsembleRegressor
    from skffnn._learning_rate import learning_rate_curve
    from skffnn._learning_rate_display import LearningRateCurveDisplay

__version__ = "0.1.0"

__all__ = [
    "Checkpoint",
    "DeepEnsembleClassifier",
    "DeepEnsembleRegressor",
    "FFNNClassifier",
    "FFNNRegressor",
    "LearningRateCurveDisplay",
    "LossCurveDisplay",
    "TabularPreprocessor",
    "__version__",
    "learning_rate_curve",
]

# Imported when they are asked for: a tenth of the time of the import.
LATER = {
    "DeepEnsembleClassifier": "skffnn._ensemble_classifier",
    "DeepEnsembleRegressor": "skffnn._ensemble_regressor",
    "LearningRateCurveDisplay": "skffnn._learning_rate_display",
    "LossCurveDisplay": "skffnn._display",
    "learning_rate_curve": "skffnn._learning_rate",
}


def __getattr__(name: str) -> Any:
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(LATER[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__
