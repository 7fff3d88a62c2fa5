"""Steps of one rate for all parameters, and steps that need the sign only."""

from copy import copy
from typing import ClassVar

import numpy as np

from skffnn.core.checks import require
from skffnn.core.memory import zeros
from skffnn.core.optimizers.base import Blocks, Blockwise, FirstOrder, State
from skffnn.core.part import part
from skffnn.core.rates import Rate
from skffnn.core.typing import Array
from skffnn.core.vectors import add_scaled, faded


@part
class SGD(Blockwise):
    """Gradient descent with momentum (Polyak 1964), or Nesterov's (1983).

    v = momentum * v - rate * grad. Then params += v, or with Nesterov's momentum
    params += momentum * v - rate * grad (Sutskever et al. 2013, rewritten so that
    the parameters are those of the look-ahead). The state holds v divided by a factor
    that fades with the momentum, which saves a pass.

    Parameters
    ----------
    momentum : float in [0, 1), default=0.9
        Share of the last step that is taken again.
    nesterovs_momentum : bool, default=True
        Whether the gradient is that of the point the momentum leads to.
    """

    shared: ClassVar[tuple[str, ...]] = ("momentum", "nesterovs_momentum")
    vectors: ClassVar[tuple[str, ...]] = ("velocity",)
    auto_rate: ClassVar[dict[str, float]] = {
        "batch": 0.01,
        "mini-batch": 0.01,
        "stochastic": 0.001,
    }
    momentum: float = 0.9
    nesterovs_momentum: bool = True

    def __post_init__(self) -> None:
        require(self, momentum="[0, 1)")

    def with_momentum(self, momentum: float) -> "SGD":
        if not self.momentum:
            return self
        other = copy(self)
        object.__setattr__(other, "momentum", momentum)
        require(other, momentum="[0, 1)")
        return other

    def init(self, n_params: int, n_weights: int, dtype: np.dtype) -> State:
        return {
            "velocity": zeros(n_params if self.momentum else 0, dtype),
            "factor": 1.0,
        }

    def step_through(
        self, blocks: Blocks, state: State, rate: float, value: float
    ) -> None:
        velocity = state["velocity"]
        if not len(velocity):
            for factor, p, g, _ in blocks:
                add_scaled(p, -rate * factor, g)
            return
        state["factor"] = of_v = faded(velocity, state["factor"], self.momentum)
        for factor, p, g, v in blocks:
            add_scaled(v, -rate * factor / of_v, g)
            if self.nesterovs_momentum:
                add_scaled(p, self.momentum * of_v, v)
                add_scaled(p, -rate * factor, g)
            else:
                add_scaled(p, of_v, v)


@part
class Rprop(FirstOrder):
    """Resilient backpropagation, iRprop+ (Igel and Hüsken 2003, section 2.3).

    Every parameter has a step size of its own, which grows while the sign of its
    derivative stays and shrinks when it flips; the derivative's size is not used.
    A flip takes the last step back if J has grown since. The learning rate is the
    size of the first step.

    Parameters
    ----------
    shrink : float in (0, 1), default=0.5
        Factor on the step size after a flip.
    grow : float > 1, default=1.2
        Factor on the step size while the sign stays.
    min_step : float > 0, default=1e-6
        Smallest step size.
    max_step : float > 0, default=50.0
        Largest step size.
    """

    solvers: ClassVar[tuple[str, ...]] = ("batch",)
    auto_rate: ClassVar[dict[str, float]] = {"batch": 0.01}
    uses_schedule: ClassVar[bool] = False
    shrink: float = 0.5
    grow: float = 1.2
    min_step: float = 1e-6
    max_step: float = 50.0

    def __post_init__(self) -> None:
        require(self, shrink="(0, 1)", grow="(1, inf)")
        require(self, min_step="(0, inf)")
        require(self, max_step=f"[{self.min_step}, inf)")

    def init(self, n_params: int, n_weights: int, dtype: np.dtype) -> State:
        return {
            "value": np.inf,
            "size": None,
            "last_grad": zeros(n_params, dtype),
            "last_step": zeros(n_params, dtype),
        }

    def step(
        self, params: Array, grad: Array, state: State, rate: Rate, value: float
    ) -> None:
        if state["size"] is None:
            state["size"] = rate * np.ones_like(params)
        size, last_step = state["size"], state["last_step"]
        last_grad = state["last_grad"]
        agreement = np.sign(grad) * np.sign(last_grad)
        kept, flipped = agreement > 0.0, (agreement < 0.0) & (size > 0.0)
        np.minimum(size * self.grow, self.max_step, out=size, where=kept)
        np.maximum(size * self.shrink, self.min_step, out=size, where=flipped)
        if value > state["value"]:
            params[flipped] -= last_step[flipped]
        grad[flipped] = 0.0
        np.multiply(np.sign(grad), size, out=last_step)
        np.negative(last_step, out=last_step)
        params += last_step
        last_grad[...] = grad
        state["value"] = value
