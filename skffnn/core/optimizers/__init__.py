"""An optimizer says what a step does with the gradient.

Backpropagation computes the gradient, the optimizer trains: two things. To add
one: write a class with ``init`` and ``step``, or ``step_through``, and put it into
`OPTIMIZERS`. Validation, documentation and tests find it there.
"""

from skffnn.core.optimizers.adam import Adam, AdamW, Nadam
from skffnn.core.optimizers.adaptive import Adadelta, Adagrad, RMSprop
from skffnn.core.optimizers.base import Blockwise, FirstOrder, Optimizer
from skffnn.core.optimizers.descent import SGD, Rprop
from skffnn.core.optimizers.lbfgs import LBFGS

__all__ = [
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Blockwise",
    "FirstOrder",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "Rprop",
]

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": Nadam,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "rprop": Rprop,
    "lbfgs": LBFGS,
}
