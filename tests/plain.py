"""The estimators with the textbook's settings in place of their defaults.

Most tests are about one part: they train on X and y as they are, at a constant rate,
and name what else they want. What the defaults are good for has tests of its own.
"""

import inspect
from functools import wraps

import skffnn

__all__ = ["FFNNClassifier", "FFNNRegressor"]

TEXTBOOK = {
    "scale_target": False,
}


def textbook(Estimator):
    """Return a subclass that differs in the defaults of its parameters only."""
    signature = inspect.signature(Estimator.__init__)
    parameters = [
        parameter.replace(default=TEXTBOOK.get(name, parameter.default))
        for name, parameter in signature.parameters.items()
    ]
    defaults = {name: v for name, v in TEXTBOOK.items() if name in signature.parameters}

    @wraps(Estimator.__init__)
    def __init__(self, *args, **parameters):
        given = dict(zip(("hidden_layer_sizes", "activation"), args, strict=False))
        Estimator.__init__(self, **{**defaults, **given, **parameters})

    __init__.__signature__ = signature.replace(parameters=parameters)
    body = {"__init__": __init__, "__module__": __name__, "__doc__": Estimator.__doc__}
    return type(Estimator.__name__, (Estimator,), body)


FFNNClassifier = textbook(skffnn.FFNNClassifier)
FFNNRegressor = textbook(skffnn.FFNNRegressor)
