"""A rate for every parameter, from the size of its recent gradients."""

from typing import ClassVar

import numpy as np

from skffnn.core.checks import require
from skffnn.core.memory import zeros
from skffnn.core.optimizers.base import Blocks, Blockwise, State
from skffnn.core.part import part
from skffnn.core.vectors import add_scaled, scale


@part
class RMSprop(Blockwise):
    """The gradient divided by its root mean square (Tieleman and Hinton 2012).

    v = rho v + (1 - rho) g^2, params -= rate * g / (sqrt(v) + epsilon).

    Parameters
    ----------
    rho : float in [0, 1), default=0.99
        Decay of the mean squared gradient.
    epsilon : float > 0, default=1e-8
        Keeps the division finite.
    """

    shared: ClassVar[tuple[str, ...]] = ("epsilon",)
    vectors: ClassVar[tuple[str, ...]] = ("square",)
    rho: float = 0.99
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        require(self, rho="[0, 1)", epsilon="(0, inf)")

    def init(self, n_params: int, n_weights: int, dtype: np.dtype) -> State:
        return {"square": zeros(n_params, dtype)}

    def step_through(
        self, blocks: Blocks, state: State, rate: float, value: float
    ) -> None:
        for factor, p, g, square in blocks:
            scale(square, self.rho)
            add_scaled(square, 1.0 - self.rho, g * g)
            g /= np.sqrt(square) + self.epsilon
            add_scaled(p, -rate * factor, g)


@part
class Adagrad(Blockwise):
    """The gradient divided by the root of the sum of its squares.

    v += g^2, params -= rate * g / (sqrt(v) + epsilon). Duchi, Hazan and Singer (2011),
    fig. 1, diagonal.

    Parameters
    ----------
    epsilon : float > 0, default=1e-8
        Keeps the division finite.
    """

    shared: ClassVar[tuple[str, ...]] = ("epsilon",)
    vectors: ClassVar[tuple[str, ...]] = ("square",)
    auto_rate: ClassVar[dict[str, float]] = {
        "batch": 0.03,
        "mini-batch": 0.02,
        "stochastic": 0.01,
    }
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        require(self, epsilon="(0, inf)")

    def init(self, n_params: int, n_weights: int, dtype: np.dtype) -> State:
        return {"square": zeros(n_params, dtype)}

    def step_through(
        self, blocks: Blocks, state: State, rate: float, value: float
    ) -> None:
        for factor, p, g, square in blocks:
            add_scaled(square, 1.0, g * g)
            g /= np.sqrt(square) + self.epsilon
            add_scaled(p, -rate * factor, g)


@part
class Adadelta(Blockwise):
    """Steps in the unit of the parameters (Zeiler 2012, algorithm 1).

    v = rho v + (1 - rho) g^2, d = g sqrt(u + floor) / sqrt(v + floor),
    u = rho u + (1 - rho) d^2, params -= rate * d.

    Parameters
    ----------
    rho : float in [0, 1), default=0.9
        Decay of the mean squares of gradient and step.
    floor : float > 0, default=1e-6
        Added to both mean squares under the root; sets the size of the first steps.
    """

    vectors: ClassVar[tuple[str, ...]] = ("square", "step_square")
    auto_rate: ClassVar[dict[str, float]] = {
        "batch": 1.0,
        "mini-batch": 1.0,
        "stochastic": 1.0,
    }
    rho: float = 0.9
    floor: float = 1e-6

    def __post_init__(self) -> None:
        require(self, rho="[0, 1)", floor="(0, inf)")

    def init(self, n_params: int, n_weights: int, dtype: np.dtype) -> State:
        return {
            "square": zeros(n_params, dtype),
            "step_square": zeros(n_params, dtype),
        }

    def step_through(
        self, blocks: Blocks, state: State, rate: float, value: float
    ) -> None:
        for factor, p, g, square, step_square in blocks:
            scale(square, self.rho)
            add_scaled(square, 1.0 - self.rho, g * g)
            g *= np.sqrt(step_square + self.floor)
            g /= np.sqrt(square + self.floor)
            scale(step_square, self.rho)
            add_scaled(step_square, 1.0 - self.rho, g * g)
            add_scaled(p, -rate * factor, g)
