"""From what a layer reads to its pre-activations, and the gradient back.

A layer's parameters are ``(W, b)``, then ``gain`` where it is normalised, then
``scale`` where it is the first of a network that scales its features. Sparse input
stays sparse.

Of several members, each has a scale and an output layer of its own, with the number of
the member as a first axis more; the layers between are shared. The rows of a pass are
dealt out to the members.

An object is one layer in passes over a given number of rows. It is made once for many
passes: what numpy must be handed, views and constants, is ready then. To make it anew
each time took a tenth of an update of a small network.
"""

from collections.abc import Callable
from functools import cache, partial
from itertools import repeat
from typing import Protocol

import numpy as np

from skffnn.core.products import (
    add_transposed_product,
    deal,
    scaled,
    transposed_product,
)
from skffnn.core.rows import adding_outer, adding_to_rows, constant
from skffnn.core.typing import Array, Features

__all__ = ["Affine", "Linear", "MemberOutputs", "NormalizedAffine", "ScaledFeatures"]


class Linear(Protocol):
    """What a layer does before its activation.

    Attributes
    ----------
    W : ndarray
        Its weights, with the number of the member as first axis where each has its own.
    """

    W: Array

    def adds(self, is_sparse: bool) -> bool:
        """Return whether `backward` adds to the gradient of W, or overwrites it.

        To add saves a pass over W, or is what members that share W must do.

        Parameters
        ----------
        is_sparse : bool
            Whether the rows that the layer reads are sparse.
        """

    def forward(self, below: Features) -> None:
        """Write the pre-activations of `below`, the rows that the layer reads."""

    def backward(self, below: Features, delta_below: Array | None) -> None:
        """Write the gradients of all parameters, where delta holds dJ/dz.

        That of W is added to what is there if `adds` says so.

        Parameters
        ----------
        below : ndarray or CSR of shape (rows, fan_in)
            What `forward` was given.
        delta_below : ndarray of shape (rows, fan_in) or None
            Receives dJ/dbelow. None in the first layer, where nobody asks for it.
        """


class Affine:
    """z = below W + b.

    Parameters
    ----------
    params : tuple of ndarray
        W and b, of shape (fan_in, width) and (width,).
    gradients : tuple of ndarray
        Receive the gradients of these. Empty where no pass goes backward.
    z : ndarray of shape (rows, width)
        Receives the pre-activations.
    delta : ndarray of shape (rows, width) or None
        Holds dJ/dz before a pass goes backward; may be changed by it. None to predict.
    """

    def __init__(
        self,
        params: tuple[Array, ...],
        gradients: tuple[Array, ...],
        z: Array,
        delta: Array | None,
    ) -> None:
        self.W, self.b = params
        self.z = z
        self._add_bias: Callable[[], object]
        if delta is None or not z.size:
            # To predict, scipy's BLAS may have threads, which get in the way of those
            # of numpy's: see `skffnn._threads`. Two axes, because one row then takes
            # a third of the time.
            self._add_bias = partial(np.add, z, self.b[None], out=z)
        else:
            self._add_bias = adding_to_rows(z, self.b)
        if delta is not None and gradients:
            self.dW, self.db = gradients
            self.delta = delta
            self._W_T = self.W.T
            self._add_outer = adding_outer(self.dW, delta) if len(z) == 1 else None
            self._ones = constant(1.0, z.shape[:1], z.dtype)

    def adds(self, is_sparse: bool) -> bool:
        # Most columns are absent from sparse rows, and their zeros need not be written.
        # The product of a column and a single row is faster added than written.
        return is_sparse or len(self.z) == 1

    def forward(self, below: Features) -> None:
        # On small batches the method takes 0.15 us less than np.dot, and 0.6 us less
        # than np.matmul.
        if isinstance(below, np.ndarray):
            below.dot(self.W, out=self.z)
            self._add_bias()
        else:
            np.add(below @ self.W, self.b, out=self.z)

    def backward(self, below: Features, delta_below: Array | None) -> None:
        self.backward_to_product()
        if not isinstance(below, np.ndarray):
            add_transposed_product(below, self.delta, out=self.dW)
        elif self._add_outer is not None:
            self._add_outer(below)
        else:
            below.T.dot(self.delta, out=self.dW)
        if delta_below is not None:
            self.delta.dot(self._W_T, out=delta_below)

    def backward_to_product(self) -> None:
        """Write all gradients but that of W, and turn delta into dJ/d(below W)."""
        # A third of the time of delta.sum(axis=0).
        self._ones.dot(self.delta, out=self.db)


class NormalizedAffine(Affine):
    """z = gain * normal(below W) + b (Ba, Kiros and Hinton 2016, eqs. 3 and 4).

    ``normal(h) = (h - mean) / sqrt(variance + epsilon)``, with the mean and the
    variance of each row over the units of the layer. Rows know nothing of each other: a
    row's answer is the same in any batch, and in training and prediction.

    Parameters
    ----------
    params, gradients, z, delta
        As those of `Affine`, with gain as the third parameter.
    """

    # Keeps the division finite.
    epsilon = 1e-5

    def __init__(
        self,
        params: tuple[Array, ...],
        gradients: tuple[Array, ...],
        z: Array,
        delta: Array | None,
    ) -> None:
        super().__init__(params[:2], gradients[:2], z, delta)
        self.gain = params[2]
        if gradients:
            self.dgain = gradients[2]
        self._normal = np.empty_like(z)
        self._spread = np.empty((len(z), 1), z.dtype)
        self._averaging = averaging(z.shape[1], z.dtype)

    def forward(self, below: Features) -> None:
        normal, spread = self._normal, self._spread
        if isinstance(below, np.ndarray):
            below.dot(self.W, out=normal)
        else:
            normal[...] = below @ self.W
        # A product with a column takes a fraction of the time of normal.mean(axis=1).
        normal -= normal.dot(self._averaging)
        np.vecdot(normal, normal, out=spread[:, 0])
        spread /= normal.shape[1]
        spread += self.epsilon
        np.sqrt(spread, out=spread)
        normal /= spread
        np.multiply(normal, self.gain, out=self.z)
        self._add_bias()

    def backward_to_product(self) -> None:
        delta, normal, gain = self.delta, self._normal, self.gain
        product = delta * normal
        self._ones.dot(delta, out=self.db)
        self._ones.dot(product, out=self.dgain)
        # With d = delta * gain: (d - mean(d) - normal * mean(d * normal)) / spread
        weighted = (gain / len(gain))[:, None]
        normal *= product.dot(weighted)
        normal += delta.dot(weighted)
        delta *= gain
        delta -= normal
        delta /= self._spread


class ScaledFeatures:
    """The first layer, of features each times a factor that is learned as well.

    ``z = (x * scale) W + b``. A factor of its own, with a rate of its own, lets a
    network turn a useless feature down faster than by all of its weights (Holzmüller,
    Grinsztajn and Steinwart 2024, section 3). Each member has a scale of its own.

    Parameters
    ----------
    layer : type of Affine
        What the layer is otherwise.
    params, gradients, z, delta
        As those of `layer`, with scale as the last parameter, of shape
        (n_members, n_features).
    """

    def __init__(
        self,
        layer: type[Affine],
        params: tuple[Array, ...],
        gradients: tuple[Array, ...],
        z: Array,
        delta: Array | None,
    ) -> None:
        self.layer = layer(params[:-1], gradients[:-1], z, delta)
        self.W = self.layer.W
        self.scales = params[-1]
        if gradients:
            self.dscales = gradients[-1]

    def adds(self, is_sparse: bool) -> bool:
        return True  # each member its share

    def forward(self, below: Features) -> None:
        self.layer.forward(scaled(below, self.scales))

    def backward(self, below: Features, delta_below: Array | None) -> None:
        layer, dscales = self.layer, self.dscales
        layer.backward_to_product()
        dscales.fill(0.0)
        for scale, dscale, rows in deal(len(layer.delta), self.scales, dscales):
            columns, product = transposed_product(below[rows], layer.delta[rows])
            dscale[columns] = np.vecdot(product, layer.W[columns])
            product *= scale[columns, None]
            layer.dW[columns] += product


class MemberOutputs:
    """The last layer of several members, each with weights of its own.

    Parameters
    ----------
    params, gradients, z, delta
        As those of `Affine`, with the member as first axis of parameters and gradients.
    """

    def __init__(
        self,
        params: tuple[Array, ...],
        gradients: tuple[Array, ...],
        z: Array,
        delta: Array | None,
    ) -> None:
        self.W = params[0]
        own_gradients = zip(*gradients, strict=True) if gradients else repeat(())
        self._members = []
        for W, b, rows in deal(len(z), *params):
            own_delta = None if delta is None else delta[rows]
            layer = Affine((W, b), next(own_gradients), z[rows], own_delta)
            self._members.append((layer, rows))

    def adds(self, is_sparse: bool) -> bool:
        return False

    def forward(self, below: Features) -> None:
        for layer, rows in self._members:
            layer.forward(below[rows])

    def backward(self, below: Features, delta_below: Array | None) -> None:
        assert delta_below is not None
        for layer, rows in self._members:
            if layer.adds(is_sparse=False):  # this one does not
                layer.dW.fill(0.0)
            layer.backward(below[rows], delta_below[rows])


@cache
def averaging(width: int, dtype: np.dtype) -> Array:
    """Return the column that a row's product with is its mean."""
    column = np.full((width, 1), 1.0 / width, dtype)
    column.flags.writeable = False
    return column
