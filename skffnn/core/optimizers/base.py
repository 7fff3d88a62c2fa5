"""What every optimizer promises."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, TypeAlias

import numpy as np

from skffnn.core.part import Part
from skffnn.core.rates import Rate
from skffnn.core.typing import Array
from skffnn.core.vectors import stretches

State: TypeAlias = dict[str, Any]

# A step on given vectors: takes the learning rate before the factors of `layer_rates`,
# and J before the step.
Step: TypeAlias = Callable[[float, float], None]

# Of each block a factor on the learning rate, then its part of every vector.
Blocks: TypeAlias = list[tuple[Any, ...]]


class Optimizer(Part):
    """Hyperparameters of a way to train.

    Attributes
    ----------
    solvers : tuple of str
        The solvers it can run on.
    shared : tuple of str
        Fields that take the value of the estimator's parameter of the same name
        when the optimizer is chosen by name.
    uses_schedule : bool
        Whether the learning rate matters after the first step.
    """

    solvers: ClassVar[tuple[str, ...]] = ("batch", "mini-batch", "stochastic")
    shared: ClassVar[tuple[str, ...]] = ()
    uses_schedule: ClassVar[bool] = False


class FirstOrder(Optimizer, ABC):
    """Steps along the gradient, in place.

    Attributes
    ----------
    auto_rate : dict of str to float
        The learning rate that each solver starts with where the user names none.
    """

    auto_rate: ClassVar[dict[str, float]] = {
        "batch": 0.003,
        "mini-batch": 0.001,
        "stochastic": 0.0003,
    }
    uses_schedule: ClassVar[bool] = True

    def with_momentum(self, momentum: float) -> "FirstOrder":
        """Return an optimizer that takes one step with another momentum.

        Parameters
        ----------
        momentum : float in [0, 1)
            What a schedule asks for. Without effect where there is no momentum.
        """
        return self

    @abstractmethod
    def init(self, n_params: int, n_weights: int, dtype: np.dtype) -> State:
        """Return the state before the first step.

        Parameters
        ----------
        n_params : int
            Length of the parameter vector.
        n_weights : int
            Length of its leading part that holds weights; biases follow.
        dtype : dtype
            float32 or float64.

        Returns
        -------
        state : dict of str to ndarray or number
            Whatever must survive from step to step.
        """

    @abstractmethod
    def step(
        self, params: Array, grad: Array, state: State, rate: Rate, value: float
    ) -> None:
        """Change `params` and `state` in place.

        Parameters
        ----------
        params : ndarray of shape (n_params,)
            The parameters.
        grad : ndarray of shape (n_params,)
            dJ/dparams; may be used as scratch.
        state : dict
            What `init` returned.
        rate : float or Piecewise
            The learning rate of this step, for all parameters or by layer;
            ``rate * grad`` is right in both cases.
        value : float
            J at `params`, before the step.
        """

    def bind(self, params: Array, grad: Array, state: State, factors: Rate) -> Step:
        """Return `step` of many steps on the same vectors.

        To be overridden only where something can be made ready for them.

        Parameters
        ----------
        params, grad, state
            As above.
        factors : float or Piecewise
            What the rate of each step is multiplied with.

        Returns
        -------
        step : callable
            Takes the rate before these factors, a float, and the value.
        """

        def step(rate: float, value: float) -> None:
            self.step(params, grad, state, rate * factors, value)

        return step


class Blockwise(FirstOrder):
    """Steps that go through all vectors together, a block of each at a time.

    What one operation has left in the cache is there for the next. Blocks are cut once
    for an epoch, which saves 3 % of an update by a single row.

    Attributes
    ----------
    vectors : tuple of str
        The entries of the state that are cut like the parameters.
    """

    vectors: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def step_through(
        self, blocks: Blocks, state: State, rate: float, value: float
    ) -> None:
        """Change all blocks and `state` in place.

        Parameters
        ----------
        blocks : list of tuple
            In each a factor on the rate, a part of the parameters, that of the
            gradient, and that of each of the `vectors`.
        state : dict
            What `init` returned.
        rate : float
            The learning rate before the factors.
        value : float
            J before the step.
        """

    def step(
        self, params: Array, grad: Array, state: State, rate: Rate, value: float
    ) -> None:
        self.step_through(self._cut(params, grad, state, rate), state, 1.0, value)

    def bind(self, params: Array, grad: Array, state: State, factors: Rate) -> Step:
        if type(self).step is not Blockwise.step:  # that of a subclass of the user
            return super().bind(params, grad, state, factors)
        blocks = self._cut(params, grad, state, factors)
        return partial(self.step_through, blocks, state)

    def _cut(self, params: Array, grad: Array, state: State, factors: Rate) -> Blocks:
        return stretches(factors, params, grad, *(state[name] for name in self.vectors))
