"""How fast each layer learns, relative to the learning rate.

To add a rule: write a class with ``factors`` and put it into `LAYER_RATES`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import sqrt

import numpy as np

from skffnn.core.checks import require
from skffnn.core.layout import ParamLayout
from skffnn.core.typing import Rate

__all__ = ["LAYER_RATES", "LayerRates"]


@dataclass(frozen=True)
class LayerRates(ABC):
    """A rule that gives every parameter a factor on the learning rate."""

    @abstractmethod
    def factors(self, layout: ParamLayout, dtype: np.dtype) -> Rate:
        """Return the factors.

        Parameters
        ----------
        layout : ParamLayout
            Of the parameters.
        dtype : dtype
            That of the parameters.

        Returns
        -------
        factors : float or ndarray of shape (n_params,)
            One for all, or one for each.
        """


@dataclass(frozen=True)
class Equal(LayerRates):
    """The same rate for all parameters."""

    def factors(self, layout: ParamLayout, dtype: np.dtype) -> Rate:
        return 1.0


@dataclass(frozen=True)
class FanIn(LayerRates):
    """Weights learn at 16 / sqrt(fan_in) times the rate: 256 inputs at the rate itself.

    A step of Adam changes each of the fan_in weights of a unit by as much, and so the
    pre-activation by fan_in times that; the root keeps layers of any width in step. It
    is the neural tangent parametrisation (Jacot, Gabriel and Hongler 2018), z = a W /
    sqrt(fan_in), written as rates, with the factors of biases and feature scales of
    RealMLP (Holzmüller, Grinsztajn and Steinwart 2024, table B.1).

    Parameters
    ----------
    bias : float > 0, default=1.6
        Factor for biases.
    scale : float > 0, default=6.0
        Factor for the scales of features.
    """

    bias: float = 1.6
    scale: float = 6.0

    def __post_init__(self) -> None:
        require(self, bias="(0, inf)", scale="(0, inf)")

    def factors(self, layout: ParamLayout, dtype: np.dtype) -> Rate:
        factors = np.ones(layout.size, dtype)
        groups = layout.groups(factors)
        for W in groups["weights"]:
            W.fill(sqrt(256.0 / W.shape[-2]))
        for kind, factor in (("biases", self.bias), ("scales", self.scale)):
            for array in groups[kind]:
                array.fill(factor)
        return factors


LAYER_RATES: dict[str, LayerRates] = {"equal": Equal(), "fan_in": FanIn()}
