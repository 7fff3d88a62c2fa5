"""Feedforward is the computation, backpropagation is its gradient.

`Network.bind` makes a `Pass` of parameters, their gradient and buffers. It may be used
again and again, while the parameters change.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from skffnn.core.layers import Linear
from skffnn.core.typing import Array, Features, Masks

__all__ = ["NO_MASKS", "Buffers", "Layer", "Pass", "first_rows"]

# No unit of any layer is left out.
NO_MASKS: Masks = {}

# Of each layer z, a and delta, of shape (rows, width): pre-activation, activation and
# dJ/dz. z and a are the same array where the derivative needs no z, and in the last
# layer, which has no activation. delta is None where no pass goes backward.
Buffers: TypeAlias = list[tuple[Array, Array, Any]]

# One layer in passes over a given number of rows: what makes z and the gradients of its
# parameters, what turns z into a, what turns dJ/da into dJ/dz, then a and delta. As a
# class, it would add a twentieth to the prediction of a row.
Layer: TypeAlias = tuple[Linear, Callable[[], object], Callable[[], object], Array, Any]


def first_rows(buffers: Buffers, n_rows: int) -> Buffers:
    """Return the same memory, cut to its first `n_rows` rows."""
    cut = []
    for z, a, delta in buffers:
        part = z[:n_rows]
        of_a = part if a is z else a[:n_rows]
        cut.append((part, of_a, None if delta is None else delta[:n_rows]))
    return cut


class Pass:
    """A way for a given number of rows through a network, and back.

    Parameters
    ----------
    layers : list of Layer
        From the features to the output.

    Attributes
    ----------
    delta : ndarray of shape (rows, n_outputs)
        Whoever calls `backward` writes dJ/draw there.
    """

    def __init__(self, layers: list[Layer]) -> None:
        self._layers = layers
        *_, self.delta = layers[-1]

    @cached_property
    def _way_back(self) -> list[tuple[int, Layer, Linear]]:
        """Each hidden layer by its number, and the linear map above; the last first."""
        above = [linear for linear, *_ in self._layers[1:]]
        numbers = reversed(range(len(above)))
        return [(number, self._layers[number], above[number]) for number in numbers]

    def n_added(self, is_sparse: bool) -> int:
        """Return to the gradient of how many weights, the first, `backward` adds.

        Parameters
        ----------
        is_sparse : bool
            Whether the features are sparse.
        """
        n_added = 0
        for number, (linear, *_) in enumerate(self._layers):
            if not linear.adds(is_sparse and number == 0):
                break
            n_added += linear.W.size
        return n_added

    def forward(self, X: Features, masks: Masks = NO_MASKS) -> Array:
        """Return raw, of shape (rows, n_outputs): a buffer, valid until the next call.

        Parameters
        ----------
        X : ndarray or CSR of shape (rows, n_features)
            Features.
        masks : dict of int to Mask, default=NO_MASKS
            Of hidden layers, counted from zero, that leave units out.
        """
        below: Features = X
        for number, (linear, activate, _, a, _) in enumerate(self._layers):
            linear.forward(below)
            activate()
            below = a
            if number in masks:
                below = np.multiply(a, masks[number].factor, out=masks[number].kept)
        return a

    def backward(self, X: Features, masks: Masks = NO_MASKS) -> None:
        """Overwrite the gradient with that of the last forward pass, with its masks.

        The pass must have been bound to one. To the gradient of the first weights it
        adds: `n_added` says how many. No weight changes before every delta is
        known: this only writes gradients. The buffers z and a are used up.
        """
        for number, (_, _, derive, a, delta), above in self._way_back:
            if number in masks:
                above.backward(masks[number].kept, delta)
                delta *= masks[number].factor
            else:
                above.backward(a, delta)
            derive()
        first, *_ = self._layers[0]
        first.backward(X, None)
