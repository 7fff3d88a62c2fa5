"""From what a layer reads to its pre-activations, and the gradient back.

A layer's parameters are ``(W, b)``, then ``gain`` where it is normalised, then
``scale`` where it is the first of a network that scales its features. Sparse input
stays sparse.

Of several members, each has a scale and an output layer of its own, with the number of
the member as a first axis more; the layers between are shared. The rows of a pass are
dealt out to the members.
"""

from functools import cache

import numpy as np

from skffnn.core.part import Part, part
from skffnn.core.products import (
    deal,
    scaled,
    transposed_product,
    write_transposed_product,
)
from skffnn.core.typing import Array, Features
from skffnn.core.vectors import sum_rows

__all__ = ["Affine", "MemberOutputs", "NormalizedAffine", "ScaledFeatures"]


class Affine(Part):
    """z = a_below W + b."""

    def buffers(self, rows: int, width: int, dtype: np.dtype) -> tuple[Array, ...]:
        """Return what `forward` leaves for `backward`, rows first."""
        return ()

    def forward(
        self,
        below: Features,
        params: tuple[Array, ...],
        z: Array,
        buffers: tuple[Array, ...],
    ) -> None:
        """Write the pre-activations of `below` into `z`."""
        W, b = params
        # np.dot rather than np.matmul: on small batches it spends half a microsecond
        # less.
        if isinstance(below, np.ndarray):
            np.dot(below, W, out=z)
            z += b
        else:
            np.add(below @ W, b, out=z)

    def backward(
        self,
        delta: Array,
        params: tuple[Array, ...],
        gradients: tuple[Array, ...],
        buffers: tuple[Array, ...],
    ) -> None:
        """Write the gradients of b and gain, and turn dJ/dz into dJ/d(a_below W)."""
        sum_rows(delta, out=gradients[1])

    def weight_gradient(
        self,
        below: Features,
        delta: Array,
        params: tuple[Array, ...],
        gradients: tuple[Array, ...],
    ) -> None:
        """Write the gradient of W, and of scale, after `backward`."""
        write_transposed_product(below, delta, out=gradients[0])

    def input_gradient(
        self, delta: Array, params: tuple[Array, ...], out: Array
    ) -> None:
        """Write dJ/d(a_below), after `backward`."""
        np.dot(delta, params[0].T, out=out)


@part
class NormalizedAffine(Affine):
    """z = gain * normal(a_below W) + b (Ba, Kiros and Hinton 2016, eqs. 3 and 4).

    ``normal(h) = (h - mean) / sqrt(variance + epsilon)``, with the mean and the
    variance of each row over the units of the layer. Rows know nothing of each other: a
    row's answer is the same in any batch, and in training and prediction.

    Parameters
    ----------
    epsilon : float, default=1e-5
        Keeps the division finite.
    """

    epsilon: float = 1e-5

    def buffers(self, rows: int, width: int, dtype: np.dtype) -> tuple[Array, ...]:
        """Return room for the normalised rows, and for what each was divided by."""
        return np.empty((rows, width), dtype), np.empty((rows, 1), dtype)

    def forward(
        self,
        below: Features,
        params: tuple[Array, ...],
        z: Array,
        buffers: tuple[Array, ...],
    ) -> None:
        W, b, gain = params
        normal, spread = buffers
        if isinstance(below, np.ndarray):
            np.dot(below, W, out=normal)
        else:
            normal[...] = below @ W
        width = normal.shape[1]
        # A product with a column takes a fraction of the time of normal.mean(axis=1).
        normal -= np.dot(normal, averaging(width, normal.dtype))
        np.vecdot(normal, normal, out=spread[:, 0])
        spread /= width
        spread += self.epsilon
        np.sqrt(spread, out=spread)
        normal /= spread
        np.multiply(normal, gain, out=z)
        z += b

    def backward(
        self,
        delta: Array,
        params: tuple[Array, ...],
        gradients: tuple[Array, ...],
        buffers: tuple[Array, ...],
    ) -> None:
        _, db, dgain = gradients
        gain = params[2]
        normal, spread = buffers
        product = delta * normal
        sum_rows(delta, out=db)
        sum_rows(product, out=dgain)
        # With d = delta * gain: (d - mean(d) - normal * mean(d * normal)) / spread
        weighted = (gain / len(gain))[:, None]
        normal *= np.dot(product, weighted)
        normal += np.dot(delta, weighted)
        delta *= gain
        delta -= normal
        delta /= spread


@part
class ScaledFeatures(Affine):
    """The first layer, of features each times a factor that is learned as well.

    ``z = (x * scale) W + b``. A factor of its own, with a rate of its own, lets a
    network turn a useless feature down faster than by all of its weights (Holzmüller,
    Grinsztajn and Steinwart 2024, section 3). Each member has a scale of its own.

    Parameters
    ----------
    layer : Affine
        What the layer is otherwise.
    """

    layer: Affine

    def buffers(self, rows: int, width: int, dtype: np.dtype) -> tuple[Array, ...]:
        return self.layer.buffers(rows, width, dtype)

    def forward(
        self,
        below: Features,
        params: tuple[Array, ...],
        z: Array,
        buffers: tuple[Array, ...],
    ) -> None:
        *of_layer, scales = params
        self.layer.forward(scaled(below, scales), tuple(of_layer), z, buffers)

    def backward(
        self,
        delta: Array,
        params: tuple[Array, ...],
        gradients: tuple[Array, ...],
        buffers: tuple[Array, ...],
    ) -> None:
        self.layer.backward(delta, params[:-1], gradients[:-1], buffers)

    def weight_gradient(
        self,
        below: Features,
        delta: Array,
        params: tuple[Array, ...],
        gradients: tuple[Array, ...],
    ) -> None:
        W, *_, scales = params
        dW, *_, dscales = gradients
        dW.fill(0.0)
        dscales.fill(0.0)
        for scale, dscale, rows in deal(len(delta), scales, dscales):
            columns, product = transposed_product(below[rows], delta[rows])
            dscale[columns] = np.vecdot(product, W[columns])
            product *= scale[columns, None]
            dW[columns] += product


class MemberOutputs(Affine):
    """The last layer of several members, each with weights of its own."""

    def forward(
        self,
        below: Features,
        params: tuple[Array, ...],
        z: Array,
        buffers: tuple[Array, ...],
    ) -> None:
        for W, b, rows in deal(len(z), *params):
            super().forward(below[rows], (W, b), z[rows], buffers)

    def backward(
        self,
        delta: Array,
        params: tuple[Array, ...],
        gradients: tuple[Array, ...],
        buffers: tuple[Array, ...],
    ) -> None:
        for *own, rows in deal(len(delta), *gradients):
            super().backward(delta[rows], params, tuple(own), buffers)

    def weight_gradient(
        self,
        below: Features,
        delta: Array,
        params: tuple[Array, ...],
        gradients: tuple[Array, ...],
    ) -> None:
        for dW, rows in deal(len(delta), gradients[0]):
            write_transposed_product(below[rows], delta[rows], out=dW)

    def input_gradient(
        self, delta: Array, params: tuple[Array, ...], out: Array
    ) -> None:
        for W, rows in deal(len(delta), params[0]):
            np.dot(delta[rows], W.T, out=out[rows])


@cache
def averaging(width: int, dtype: np.dtype) -> Array:
    """Return the column that a row's product with is its mean."""
    column = np.full((width, 1), 1.0 / width, dtype)
    column.flags.writeable = False
    return column
