"""What every optimizer promises."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeAlias

import numpy as np

from skffnn.core.part import Part
from skffnn.core.rates import Rate
from skffnn.core.typing import Array

State: TypeAlias = dict[str, Any]


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
            ``rate * grad`` is right in both cases, and
            `skffnn.core.vectors.stretches` is faster.
        value : float
            J at `params`, before the step.
        """
