"""Feedforward neural networks for people who work in scikit-learn."""

from skffnn._checkpoint import Checkpoint
from skffnn._classifier import FFNNClassifier
from skffnn._display import LossCurveDisplay
from skffnn._ensemble_classifier import DeepEnsembleClassifier
from skffnn._ensemble_regressor import DeepEnsembleRegressor
from skffnn._learning_rate import learning_rate_curve
from skffnn._learning_rate_display import LearningRateCurveDisplay
from skffnn._regressor import FFNNRegressor
from skffnn.preprocessing import TabularPreprocessor

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
