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

__all__ = ["LAYER_RATES", "Equal", "FanIn", "LayerRates"]


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

    A step of Adam changes each of the fan_in weights of a unit by about the rate,
    whatever the layer, while weights themselves are of size 1 / sqrt(fan_in): so each
    layer changes by the same share of itself. For an optimizer whose steps do not
    depend on the scale of the gradient this is the neural tangent parametrisation
    (Jacot, Gabriel and Hongler 2018), z = a W / sqrt(fan_in), written as rates. RealMLP
    (Holzmüller, Grinsztajn and Steinwart 2024) trains so, with a rate for biases of a
    tenth of that of such W: of 16 / 10 here.

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
