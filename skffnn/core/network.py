"""Feedforward is the computation, backpropagation is its gradient.

A `Network` is a frozen description. Its parameters live in one flat vector that
`ParamLayout` cuts into views, its intermediate results in a `Workspace`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from skffnn.core.activations import Activation, Identity
from skffnn.core.typing import Array, Features, LayerViews

__all__ = ["INITIAL_VARIANCE", "LayerCache", "Network", "ParamLayout", "Workspace"]

INITIAL_VARIANCE: dict[str, Callable[[int, int], float]] = {
    # Glorot and Bengio (2010), eq. 12
    "glorot": lambda fan_in, fan_out: 2.0 / (fan_in + fan_out),
    # He et al. (2015), eq. 10
    "he": lambda fan_in, _: 2.0 / fan_in,
    # LeCun et al. (1998), eq. 16
    "lecun": lambda fan_in, _: 1.0 / fan_in,
}


@dataclass(frozen=True)
class ParamLayout:
    """Where each weight matrix and bias lies in the flat parameter vector.

    All weight matrices come first, then all biases: the penalty is one slice, a
    snapshot one copy, and every optimizer sees one vector.

    Parameters
    ----------
    layer_sizes : tuple of int
        Widths from the input to the output.
    """

    layer_sizes: tuple[int, ...]

    @cached_property
    def n_weights(self) -> int:
        """Length of the leading part of the vector that the penalty acts on."""
        return sum(m * n for m, n in pairwise(self.layer_sizes))

    @cached_property
    def size(self) -> int:
        """Length of the vector."""
        return self.n_weights + sum(self.layer_sizes[1:])

    def views(self, flat: Array) -> LayerViews:
        """Return ((W, b), ...), one pair per layer, as views into `flat`."""
        weights, biases = [], []
        start = 0
        for fan_in, fan_out in pairwise(self.layer_sizes):
            stop = start + fan_in * fan_out
            weights.append(flat[start:stop].reshape(fan_in, fan_out))
            start = stop
        for fan_out in self.layer_sizes[1:]:
            biases.append(flat[start : start + fan_out])
            start += fan_out
        return tuple(zip(weights, biases, strict=True))


class LayerCache:
    """Cuts a vector into layers once, as long as it is the same one that comes again.

    Parameters
    ----------
    layout : ParamLayout
        How to cut.
    """

    def __init__(self, layout: ParamLayout) -> None:
        self._layout = layout
        self._flat: Array | None = None
        self._layers: LayerViews = ()

    def __call__(self, flat: Array) -> LayerViews:
        if flat is not self._flat:
            self._flat, self._layers = flat, self._layout.views(flat)
        return self._layers


class Workspace:
    """The buffers of one pass over at most `max_rows` rows.

    Parameters
    ----------
    network : Network
        Whose layers to make room for.
    max_rows : int
        The largest number of rows of a pass.
    dtype : dtype
        That of the parameters, float32 or float64.

    Attributes
    ----------
    z, a, delta : list of ndarray of shape (rows, width)
        One per layer: pre-activation, activation and dJ/dz. `z` and `a` are the
        same array where the activation's derivative needs no `z`, and in the last
        layer, which has no activation.
    ones : ndarray of shape (rows,)
        To sum over rows with.
    """

    def __init__(self, network: "Network", max_rows: int, dtype: np.dtype) -> None:
        widths = network.layout.layer_sizes[1:]
        self.z = [np.empty((max_rows, width), dtype) for width in widths]
        self.delta = [np.empty((max_rows, width), dtype) for width in widths]
        self.a = [
            np.empty_like(z) if f.keeps_z else z
            for z, f in zip(self.z, network.functions, strict=True)
        ]
        self.ones = np.ones(max_rows, dtype)
        self._shorter: dict[int, Workspace] = {max_rows: self}

    def first(self, n_rows: int) -> "Workspace":
        """Return the same buffers, cut to their first `n_rows` rows."""
        if n_rows not in self._shorter:
            part = object.__new__(Workspace)
            part.z = [z[:n_rows] for z in self.z]
            part.delta = [delta[:n_rows] for delta in self.delta]
            part.a = [
                z_part if a is z else a[:n_rows]
                for a, z, z_part in zip(self.a, self.z, part.z, strict=True)
            ]
            part.ones = self.ones[:n_rows]
            self._shorter[n_rows] = part
        return self._shorter[n_rows]


@dataclass(frozen=True)
class Network:
    """Fully connected layers: z_l = a_(l-1) W_l + b_l, a_l = f_l(z_l), raw = z_L.

    Parameters
    ----------
    layer_sizes : tuple of int
        Number of features, width of each hidden layer, number of outputs.
    activations : tuple of Activation
        One per hidden layer.
    """

    layer_sizes: tuple[int, ...]
    activations: tuple[Activation, ...]

    @cached_property
    def layout(self) -> ParamLayout:
        """How the flat vector is cut."""
        return ParamLayout(self.layer_sizes)

    @cached_property
    def functions(self) -> tuple[Activation, ...]:
        """One activation per layer; the output layer's is the identity."""
        return (*self.activations, Identity())

    def init_params(self, rng: np.random.Generator, dtype: np.dtype) -> Array:
        """Draw weights uniformly with the variance their activation asks for.

        Biases start at zero. The draws depend on `rng` and the layer sizes only:
        float32 parameters are the rounded float64 ones.
        """
        params = np.zeros(self.layout.size, dtype)
        for (W, _), f in zip(self.layout.views(params), self.functions, strict=True):
            bound = np.sqrt(3.0 * INITIAL_VARIANCE[f.init](*W.shape))
            W[...] = rng.uniform(-bound, bound, W.shape)
        return params

    def forward(self, X: Features, layers: LayerViews, work: Workspace) -> Array:
        """Return raw, of shape (rows, n_outputs), and leave z and a in `work`."""
        below: Features = X
        for (W, b), f, z, a in zip(layers, self.functions, work.z, work.a, strict=True):
            affine(below, W, b, out=z)
            f.forward(z, out=a)
            below = a
        return work.z[-1]

    def backward(
        self, X: Features, layers: LayerViews, gradients: LayerViews, work: Workspace
    ) -> None:
        """Overwrite `gradients` with dJ/dW and dJ/db of the last forward pass.

        On entry ``work.delta[-1]`` holds dJ/draw. No weight changes before every
        delta is known: this only writes gradients. The buffers z and a are used up.
        """
        for layer in reversed(range(len(layers))):
            delta = work.delta[layer]
            dW, db = gradients[layer]
            project(work.a[layer - 1] if layer else X, delta, out=dW)
            # A third of the time of delta.sum(axis=0).
            np.dot(work.ones, delta, out=db)
            if layer:
                delta_below = work.delta[layer - 1]
                np.dot(delta, layers[layer][0].T, out=delta_below)
                self.activations[layer - 1].backward(
                    work.z[layer - 1], work.a[layer - 1], delta_below
                )

    def raw(self, X: Features, params: Array, max_rows: int) -> Array:
        """Return a new array of raw scores, computed `max_rows` rows at a time."""
        n_rows = X.shape[0]
        work = Workspace(self, min(max_rows, n_rows), params.dtype)
        layers = self.layout.views(params)
        raw = np.empty((n_rows, self.layer_sizes[-1]), params.dtype)
        for start in range(0, n_rows, max_rows):
            part = raw[start : start + max_rows]
            rows = X[start : start + max_rows]
            part[...] = self.forward(rows, layers, work.first(len(part)))
        return raw


# np.dot rather than np.matmul: on small batches it spends half a microsecond less.


def affine(X: Features, W: Array, b: Array, out: Array) -> None:
    """Write X W + b into `out`. A sparse X stays sparse."""
    if isinstance(X, np.ndarray):
        np.dot(X, W, out=out)
        out += b
    else:
        np.add(X @ W, b, out=out)


def project(X: Features, delta: Array, out: Array) -> None:
    """Write X^T delta into `out`. A sparse X stays sparse."""
    if isinstance(X, np.ndarray):
        np.dot(X.T, delta, out=out)
        return
    # Of many columns few occur in a batch, and the other rows of `out` are zero. With
    # 20,000 columns of which one in a thousand is not zero, this takes half the time
    # of the whole product.
    occurs = np.zeros(X.shape[1], bool)
    occurs[X.indices] = True
    columns = np.flatnonzero(occurs)
    position = np.empty(X.shape[1], X.indices.dtype)
    position[columns] = np.arange(len(columns))
    entries = (X.data, position[X.indices], X.indptr)
    compact = type(X)(entries, shape=(X.shape[0], len(columns)))
    out.fill(0.0)
    out[columns] = compact.T @ delta
