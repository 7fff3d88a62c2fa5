"""A quasi-Newton method that needs the whole gradient, and the loop that drives it."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from skffnn.core.checks import require
from skffnn.core.optimizers.base import Optimizer
from skffnn.core.part import part
from skffnn.core.typing import Array


@part
class LBFGS(Optimizer):
    """Limited-memory BFGS of scipy (Liu and Nocedal 1989), on all rows.

    Parameters
    ----------
    max_fun : int, default=15000
        The most evaluations of the objective.
    """

    solvers: ClassVar[tuple[str, ...]] = ("batch",)
    shared: ClassVar[tuple[str, ...]] = ("max_fun",)
    max_fun: int = 15_000

    def __post_init__(self) -> None:
        require(self, max_fun="[1, inf)")

    def minimize(
        self,
        evaluate: Callable[[Array], tuple[float, Array]],
        start: Array,
        iteration_ends: Callable[[Array, float], bool],
        max_iter: int,
        tol: float,
    ) -> tuple[str, Array, float]:
        """Run to the end and return why it ended, and where.

        scipy computes in float64; `evaluate` may round its argument to the dtype
        of the network.

        Parameters
        ----------
        evaluate : callable
            x -> (J, dJ/dx).
        start : ndarray of shape (n_params,)
            Where to begin.
        iteration_ends : callable
            (x, J) -> True to stop, called once an iteration.
        max_iter : int
            The most iterations.
        tol : float
            Stop where no component of the gradient is larger.

        Returns
        -------
        reason : {"converged", "max_iter", "max_fun", "line_search", "stopped"}
            "line_search" where no lower value was found along the direction of
            search, "stopped" where `iteration_ends` said so.
        x : ndarray of shape (n_params,)
            The last iterate.
        value : float
            J there.
        """
        # Imported here: most users never need it, and it takes a while.
        from scipy.optimize import minimize

        stopped = False

        def callback(intermediate_result: Any) -> None:
            nonlocal stopped
            stopped = iteration_ends(intermediate_result.x, intermediate_result.fun)
            if stopped:
                raise StopIteration

        result = minimize(
            evaluate,
            np.asarray(start, dtype=np.float64),
            method="L-BFGS-B",
            jac=True,
            callback=callback,
            options={"maxiter": max_iter, "maxfun": self.max_fun, "gtol": tol},
        )
        if stopped:
            reason = "stopped"
        elif result.status == 1:
            reason = "max_iter" if result.nit >= max_iter else "max_fun"
        else:
            reason = "converged" if result.status == 0 else "line_search"
        return reason, result.x, float(result.fun)
