"""The networks as scikit-learn trains them, so that both do the same arithmetic."""

from functools import partial

import skffnn

__all__ = ["FFNNClassifier", "FFNNRegressor"]

SETTINGS = {
    "hidden_layer_sizes": (100,),
    "activation": "relu",
    "preprocessing": None,
    "alpha": 1e-4,
    "learning_rate": "constant",
    "early_stopping": False,
}

FFNNClassifier = partial(skffnn.FFNNClassifier, **SETTINGS)
FFNNRegressor = partial(skffnn.FFNNRegressor, scale_target=False, **SETTINGS)
