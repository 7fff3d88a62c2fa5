"""How fast each layer learns, relative to the learning rate.

To add a rule: write a class with ``factors`` and put it into `LAYER_RATES`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import inf, sqrt
from numbers import Real

import numpy as np

from skffnn.core.checks import require
from skffnn.core.layout import ParamLayout
from skffnn.core.part import Part, part
from skffnn.core.rates import Piecewise, Rate

__all__ = ["LAYER_RATES", "Equal", "FanIn", "LayerRates"]


class LayerRates(Part, ABC):
    """A rule that gives every layer's parameters factors on the learning rate."""

    @abstractmethod
    def factors(self, layout: ParamLayout) -> Mapping[str, Sequence[float]]:
        """Return the factors of a whole run.

        Parameters
        ----------
        layout : ParamLayout
            Of the parameters. Its `shapes` are those of the arrays of each kind.

        Returns
        -------
        factors : dict of str to sequence of float
            By kind of parameter, one for each of its arrays. A kind that is missing has
            the rate itself.
        """

    def rate(self, layout: ParamLayout) -> Rate:
        """Return the factors as they lie in the vector of parameters.

        Raises
        ------
        ValueError
            If they are not by kind, there are not as many as arrays, or one is negative
            or not finite.
        """
        factors = self.factors(layout)
        if not (isinstance(factors, Mapping) and set(factors) <= set(layout.places)):
            raise ValueError(
                f"the factors of {self!r} must be a dict with keys of "
                f"{list(layout.places)}, got {factors!r}"
            )
        stretches: list[tuple[int, float]] = []
        for kind, places in layout.places.items():
            of_kind = factors.get(kind, [1.0] * len(places))
            if not (
                np.shape(of_kind) == (len(places),)
                and all(isinstance(f, Real) and 0.0 <= f < inf for f in of_kind)
            ):
                raise ValueError(
                    f"the factors of {self!r} must be {len(places)} numbers that are "
                    f"finite and not negative for the {kind!r}, got {of_kind}"
                )
            for (place, _), value in zip(places, map(float, of_kind), strict=True):
                if stretches and stretches[-1][1] == value:
                    stretches.pop()  # the next one goes on
                stretches.append((place.stop, value))
        stops, values = zip(*stretches, strict=True)
        return values[0] if len(values) == 1 else Piecewise(stops, values)


class Equal(LayerRates):
    """The same rate for all parameters."""

    def factors(self, layout: ParamLayout) -> Mapping[str, Sequence[float]]:
        return {}


@part
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

    def factors(self, layout: ParamLayout) -> Mapping[str, Sequence[float]]:
        shapes = layout.shapes
        return {
            "weights": [sqrt(256.0 / fan_in) for *_, fan_in, _ in shapes["weights"]],
            "biases": [self.bias for _ in shapes["biases"]],
            "scales": [self.scale for _ in shapes["scales"]],
        }


LAYER_RATES: dict[str, LayerRates] = {"equal": Equal(), "fan_in": FanIn()}
