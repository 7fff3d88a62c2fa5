"""The estimators with the textbook's settings in place of their defaults.

Most tests are about one part: they train on X and y as they are, at a constant rate,
and name what else they want. What the defaults are good for has tests of its own.
"""

import inspect
from functools import wraps

import skffnn

__all__ = ["FFNNClassifier", "FFNNRegressor"]

TEXTBOOK = {
    "hidden_layer_sizes": (100,),
    "activation": "relu",
    "preprocessing": None,
    "scale_target": False,
    "alpha": 1e-4,
    "label_smoothing": 0.0,
    "dropout": 0.0,
    "dropout_schedule": "constant",
    "input_scale": False,
    "n_members": 1,
    "learning_rate": "constant",
    "layer_rates": "equal",
    "max_iter": 1000,
    "early_stopping": False,
    "validation_fraction": 0.1,
    "beta_2": 0.999,
    "weight_decay": 0.01,
    "n_iter_no_change": 10,
    "average": False,
}


def textbook(Estimator):
    """Return a subclass that differs in the defaults of its parameters only."""
    signature = inspect.signature(Estimator.__init__)
    parameters = [
        parameter.replace(default=TEXTBOOK.get(name, parameter.default))
        for name, parameter in signature.parameters.items()
    ]
    signature = signature.replace(parameters=parameters)

    @wraps(Estimator.__init__)
    def __init__(self, *args, **parameters):
        given = signature.bind(self, *args, **parameters)
        given.apply_defaults()
        Estimator.__init__(*given.args, **given.kwargs)

    __init__.__signature__ = signature
    body = {"__init__": __init__, "__module__": __name__, "__doc__": Estimator.__doc__}
    return type(Estimator.__name__, (Estimator,), body)


FFNNClassifier = textbook(skffnn.FFNNClassifier)
FFNNRegressor = textbook(skffnn.FFNNRegressor)
