"""Adam and what grew out of it: adaptive rates with momentum."""

from math import sqrt
from typing import ClassVar

import numpy as np

from skffnn.core.checks import require
from skffnn.core.memory import zeros
from skffnn.core.optimizers.base import Blocks, Blockwise, State
from skffnn.core.part import part
from skffnn.core.vectors import add_scaled, faded, scale


@part
class Adam(Blockwise):
    """Adam (Kingma and Ba 2015), in the order of computation of its section 2.

    m = beta_1 m + (1 - beta_1) g, v = beta_2 v + (1 - beta_2) g^2,
    params -= rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon).
    The state holds m and v divided by (1 - beta) and by factors that fade with beta,
    which saves four passes.

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
    vectors: ClassVar[tuple[str, ...]] = ("mean", "square")
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        require(self, beta_1="[0, 1)", beta_2="[0, 1)", epsilon="(0, inf)")

    def init(self, n_params: int, n_weights: int, dtype: np.dtype) -> State:
        return {
            "t": 0,
            "mean": zeros(n_params, dtype),
            "mean_factor": 1.0,
            "square": zeros(n_params, dtype),
            "square_factor": 1.0,
        }

    def step_through(
        self, blocks: Blocks, state: State, rate: float, value: float
    ) -> None:
        t, of_mean, of_square = self._begin_step(state)
        root = sqrt((1.0 - self.beta_2) * of_square)
        correction = sqrt(1.0 - self.beta_2**t) / (1.0 - self.beta_1**t)
        size = correction * (1.0 - self.beta_1) * of_mean / root
        for factor, p, g, mean, square in blocks:
            add_scaled(mean, 1.0 / of_mean, g)
            np.multiply(g, g, out=g)
            add_scaled(square, 1.0 / of_square, g)
            np.sqrt(square, out=g)
            g += self.epsilon / root
            np.divide(mean, g, out=g)
            add_scaled(p, -rate * factor * size, g)

    def _begin_step(self, state: State) -> tuple[int, float, float]:
        """Let the moments fade; return the number of the step and their factors."""
        of_mean = faded(state["mean"], state["mean_factor"], self.beta_1)
        of_square = faded(state["square"], state["square_factor"], self.beta_2)
        state.update(t=state["t"] + 1, mean_factor=of_mean, square_factor=of_square)
        return state["t"], of_mean, of_square


@part
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

    def step_through(
        self, blocks: Blocks, state: State, rate: float, value: float
    ) -> None:
        n_left = state["n_weights"]
        for factor, p, *_ in blocks:
            scale(p[:n_left], 1.0 - rate * factor * self.weight_decay)
            n_left = max(0, n_left - len(p))
        super().step_through(blocks, state, rate, value)


class Nadam(Adam):
    """Adam with Nesterov's momentum (Dozat 2016, algorithm 2), momentum warmed up.

    mu_t = beta_1 * (1 - 0.96^(0.004 t) / 2), and the step is
    rate * (mu_(t+1) m / (1 - prod mu_1..t+1) + (1 - mu_t) g / (1 - prod mu_1..t))
    / (sqrt(v / (1 - beta_2^t)) + epsilon).

    The hyperparameters are those of `Adam`.
    """

    def init(self, n_params: int, n_weights: int, dtype: np.dtype) -> State:
        return {"mu_product": 1.0, **super().init(n_params, n_weights, dtype)}

    def step_through(
        self, blocks: Blocks, state: State, rate: float, value: float
    ) -> None:
        t, of_mean, of_square = self._begin_step(state)
        root = sqrt((1.0 - self.beta_2) * of_square / (1.0 - self.beta_2**t))
        mu = self._momentum(t)
        mu_next = self._momentum(t + 1)
        state["mu_product"] = product = state["mu_product"] * mu
        share = mu_next / (1.0 - product * mu_next) * (1.0 - self.beta_1) * of_mean
        for factor, p, g, mean, square in blocks:
            add_scaled(mean, 1.0 / of_mean, g)
            add_scaled(square, 1.0 / of_square, g * g)
            denominator = np.sqrt(square)
            denominator += self.epsilon / root
            scale(g, (1.0 - mu) / (1.0 - product))
            add_scaled(g, share, mean)
            np.divide(g, denominator, out=g)
            add_scaled(p, -rate * factor / root, g)

    def _momentum(self, t: int) -> float:
        return self.beta_1 * (1.0 - 0.5 * 0.96 ** (0.004 * t))
