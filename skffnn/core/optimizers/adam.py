"""Adam and what grew out of it: adaptive rates with momentum."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from skffnn.core.checks import require
from skffnn.core.optimizers.base import FirstOrder, State
from skffnn.core.typing import Array, Rate
from skffnn.core.vectors import add_scaled, blocks, scale


@dataclass(frozen=True)
class Adam(FirstOrder):
    """Adam (Kingma and Ba 2015), in the order of computation of its section 2.

    m = beta_1 m + (1 - beta_1) g, v = beta_2 v + (1 - beta_2) g^2,
    params -= rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon).
    The state holds m / (1 - beta_1) and v / (1 - beta_2), which saves two passes.

    Parameters
    ----------
    beta_1 : float in [0, 1), default=0.9
        Decay of the mean gradient.
    beta_2 : float in [0, 1), default=0.999
        Decay of the mean squared gradient.
    epsilon : float > 0, default=1e-8
        Keeps the division finite.
    """

    shared: ClassVar[tuple[str, ...]] = ("beta_1", "beta_2", "epsilon")
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        require(self, beta_1="[0, 1)", beta_2="[0, 1)", epsilon="(0, inf)")

    def init(self, n_params: int, n_weights: int, dtype: np.dtype) -> State:
        return {
            "t": 0,
            "mean": np.zeros(n_params, dtype),
            "square": np.zeros(n_params, dtype),
        }

    def step(
        self, params: Array, grad: Array, state: State, rate: Rate, value: float
    ) -> None:
        state["t"] = t = state["t"] + 1
        root = sqrt(1.0 - self.beta_2)
        correction = sqrt(1.0 - self.beta_2**t) / (1.0 - self.beta_1**t)
        size = rate * correction * (1.0 - self.beta_1) / root
        moments = state["mean"], state["square"]
        for p, g, mean, square, s in blocks(params, grad, *moments, size):
            scale(mean, self.beta_1)
            add_scaled(mean, 1.0, g)
            scale(square, self.beta_2)
            np.multiply(g, g, out=g)
            add_scaled(square, 1.0, g)
            np.sqrt(square, out=g)
            g += self.epsilon / root
            np.divide(mean, g, out=g)
            add_scaled(p, -s, g)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).

    The weights, not the biases, shrink by ``rate * weight_decay`` at every step, in
    addition to the penalty `alpha` of the objective. As in torch the rate is all of it;
    in the paper the decay is multiplied by its schedule only.

    Parameters
    ----------
    weight_decay : float >= 0, default=0.01
        Strength of the decay.
    """

    shared: ClassVar[tuple[str, ...]] = (*Adam.shared, "weight_decay")
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, weight_decay="[0, inf)")

    def init(self, n_params: int, n_weights: int, dtype: np.dtype) -> State:
        return {"n_weights": n_weights, **super().init(n_params, n_weights, dtype)}

    def step(
        self, params: Array, grad: Array, state: State, rate: Rate, value: float
    ) -> None:
        n_weights = state["n_weights"]
        of_weights = rate[:n_weights] if isinstance(rate, np.ndarray) else rate
        scale(params[:n_weights], 1.0 - of_weights * self.weight_decay)
        super().step(params, grad, state, rate, value)


@dataclass(frozen=True)
class Nadam(Adam):
    """Adam with Nesterov's momentum (Dozat 2016, algorithm 2), momentum warmed up.

    mu_t = beta_1 * (1 - 0.96^(0.004 t) / 2), and the step is
    rate * (mu_(t+1) m / (1 - prod mu_1..t+1) + (1 - mu_t) g / (1 - prod mu_1..t))
    / (sqrt(v / (1 - beta_2^t)) + epsilon).

    The hyperparameters are those of `Adam`.
    """

    def init(self, n_params: int, n_weights: int, dtype: np.dtype) -> State:
        return {"mu_product": 1.0, **super().init(n_params, n_weights, dtype)}

    def step(
        self, params: Array, grad: Array, state: State, rate: Rate, value: float
    ) -> None:
        state["t"] = t = state["t"] + 1
        mu = self._momentum(t)
        mu_next = self._momentum(t + 1)
        state["mu_product"] = product = state["mu_product"] * mu
        moments = state["mean"], state["square"]
        for p, g, mean, square, r in blocks(params, grad, *moments, rate):
            scale(mean, self.beta_1)
            add_scaled(mean, 1.0 - self.beta_1, g)
            scale(square, self.beta_2)
            add_scaled(square, 1.0 - self.beta_2, g * g)
            denominator = np.sqrt(square / (1.0 - self.beta_2**t))
            denominator += self.epsilon
            scale(g, (1.0 - mu) / (1.0 - product))
            add_scaled(g, mu_next / (1.0 - product * mu_next), mean)
            np.divide(g, denominator, out=g)
            add_scaled(p, -r, g)

    def _momentum(self, t: int) -> float:
        return self.beta_1 * (1.0 - 0.5 * 0.96 ** (0.004 * t))
