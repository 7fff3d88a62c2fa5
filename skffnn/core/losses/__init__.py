"""A loss says how wrong the raw scores are, and in which direction.

To add one: write a class in the module of its kind, or in a new one, and put it into
`LOSSES` below, under the targets it is meant for. Most regression losses are a
`SeparableLoss` and write only what one target costs. Parameter validation,
documentation and tests find it there.
"""

from skffnn.core.losses.base import Loss, SeparableLoss
from skffnn.core.losses.classification import (
    LogisticFocalLoss,
    LogisticLogLoss,
    LogisticSquaredError,
    SoftmaxFocalLoss,
    SoftmaxLogLoss,
    SoftmaxSquaredError,
)
from skffnn.core.losses.distribution import GaussianNLL, Quantile
from skffnn.core.losses.positive import Gamma, Poisson, Tweedie
from skffnn.core.losses.regression import AbsoluteError, Huber, LogCosh, SquaredError
from skffnn.core.losses.wrappers import IgnoringMissing, ThroughLink
from skffnn.core.typing import TargetKind

__all__ = ["LOSSES", "IgnoringMissing", "Loss", "SeparableLoss", "ThroughLink"]

LOSSES: dict[str, dict[TargetKind, type[Loss]]] = {
    "log_loss": {
        "binary": LogisticLogLoss,
        "multilabel": LogisticLogLoss,
        "multiclass": SoftmaxLogLoss,
    },
    "focal": {
        "binary": LogisticFocalLoss,
        "multilabel": LogisticFocalLoss,
        "multiclass": SoftmaxFocalLoss,
    },
    "squared_error": {
        "continuous": SquaredError,
        "binary": LogisticSquaredError,
        "multilabel": LogisticSquaredError,
        "multiclass": SoftmaxSquaredError,
    },
    "absolute_error": {"continuous": AbsoluteError},
    "huber": {"continuous": Huber},
    "log_cosh": {"continuous": LogCosh},
    "quantile": {"continuous": Quantile},
    "poisson": {"continuous": Poisson},
    "gamma": {"continuous": Gamma},
    "tweedie": {"continuous": Tweedie},
    "gaussian_nll": {"continuous": GaussianNLL},
}
