"""Feedforward neural networks for people who work in scikit-learn."""

from skffnn._checkpoint import Checkpoint
from skffnn._classifier import FFNNClassifier
from skffnn._display import LossCurveDisplay
from skffnn._regressor import FFNNRegressor
from skffnn.preprocessing import TabularPreprocessor

__version__ = "0.1.0"

__all__ = [
    "Checkpoint",
    "FFNNClassifier",
    "FFNNRegressor",
    "LossCurveDisplay",
    "TabularPreprocessor",
    "__version__",
]
