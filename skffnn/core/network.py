"""Feedforward is the computation, backpropagation is its gradient.

A `Network` is a frozen description. Its parameters live in one flat vector that
`layout.ParamLayout` cuts into views, its intermediate results in a `Workspace`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from skffnn.core.activations import Activation, Identity
from skffnn.core.layers import (
    Affine,
    MemberOutputs,
    NormalizedAffine,
    ScaledFeatures,
)
from skffnn.core.layout import ParamLayout
from skffnn.core.typing import Array, Features, LayerViews, Masks, Pool

__all__ = ["INITIAL_VARIANCE", "KEEP_ALL", "Network", "Workspace"]

# No unit of any layer is left out.
KEEP_ALL: Masks = {}

INITIAL_VARIANCE: dict[str, Callable[[int, int], float]] = {
    # Glorot and Bengio (2010), eq. 12
    "glorot": lambda fan_in, fan_out: 2.0 / (fan_in + fan_out),
    # He et al. (2015), eq. 10
    "he": lambda fan_in, _: 2.0 / fan_in,
    # LeCun et al. (1998), eq. 16
    "lecun": lambda fan_in, _: 1.0 / fan_in,
}


def mean(raw: Array) -> Array:
    """Return the mean over members."""
    return raw.mean(axis=0)


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
    to_predict : bool, default=False
        Whether no pass goes backward: then there is no `delta`.

    Attributes
    ----------
    z, a, delta : list of ndarray of shape (rows, width)
        One per layer: pre-activation, activation and dJ/dz. `z` and `a` are the
        same array where the activation's derivative needs no `z`, and in the last
        layer, which has no activation.
    left : list of tuple of ndarray
        One per layer: what its `Affine` leaves for the way back.
    """

    def __init__(
        self,
        network: "Network",
        max_rows: int,
        dtype: np.dtype,
        to_predict: bool = False,
    ) -> None:
        widths = network.layer_sizes[1:]
        self.z = [np.empty((max_rows, width), dtype) for width in widths]
        self.delta = [] if to_predict else [np.empty_like(z) for z in self.z]
        self.a = [
            np.empty_like(z) if f.keeps_z else z
            for z, f in zip(self.z, network.functions, strict=True)
        ]
        self.left = [
            affine.buffers(max_rows, width, dtype)
            for affine, width in zip(network.affines, widths, strict=True)
        ]
        self._max_rows = max_rows
        self._shorter: dict[int, Workspace] = {}

    def first(self, n_rows: int) -> "Workspace":
        """Return the same buffers, cut to their first `n_rows` rows."""
        if n_rows == self._max_rows:
            return self
        if n_rows not in self._shorter:
            part = object.__new__(Workspace)
            part.z = [z[:n_rows] for z in self.z]
            part.delta = [delta[:n_rows] for delta in self.delta]
            part.a = [
                z_part if a is z else a[:n_rows]
                for a, z, z_part in zip(self.a, self.z, part.z, strict=True)
            ]
            part.left = [tuple(b[:n_rows] for b in left) for left in self.left]
            self._shorter[n_rows] = part
        return self._shorter[n_rows]


@dataclass(frozen=True)
class Network:
    """Fully connected layers: z_l = a_(l-1) W_l + b_l, a_l = f_l(z_l), raw = z_L.

    In training, units may be left out: what they pass on is then multiplied by a mask.

    Parameters
    ----------
    layer_sizes : tuple of int
        Number of features, width of each hidden layer, number of outputs.
    activations : tuple of Activation
        One per hidden layer.
    layer_norm : bool, default=False
        Whether the pre-activations of hidden layers are normalised.
    input_scale : bool, default=False
        Whether each feature is multiplied by a factor that is learned as well.
    n_members : int, default=1
        Number of members that share the hidden layers, of which there must then be
        one. The rows of a pass in training are dealt out to them; a prediction pools
        the answers of all.
    """

    layer_sizes: tuple[int, ...]
    activations: tuple[Activation, ...]
    layer_norm: bool = False
    input_scale: bool = False
    n_members: int = 1

    @cached_property
    def layout(self) -> ParamLayout:
        """How the flat vector is cut."""
        return ParamLayout(
            self.layer_sizes, self.layer_norm, self.input_scale, self.n_members
        )

    @cached_property
    def functions(self) -> tuple[Activation, ...]:
        """One activation per layer; the output layer's is the identity."""
        return (*self.activations, Identity())

    @cached_property
    def affines(self) -> tuple[Affine, ...]:
        """One per layer; the output layer is never normalised."""
        hidden = NormalizedAffine() if self.layer_norm else Affine()
        last = Affine() if self.n_members == 1 else MemberOutputs()
        first, *others = (*(hidden for _ in self.activations), last)
        return (ScaledFeatures(first) if self.input_scale else first, *others)

    def init_params(self, rng: np.random.Generator, dtype: np.dtype) -> Array:
        """Draw weights uniformly with the variance their activation asks for.

        Biases start at zero, gains and scales at one, but the scales of several members
        are normal with standard deviation 1/2 about it, so that they differ. The draws
        depend on `rng` and the layer sizes only: float32 parameters are the rounded
        float64 ones.
        """
        params = np.zeros(self.layout.size, dtype)
        groups = self.layout.groups(params)
        for W, f in zip(groups["weights"], self.functions, strict=True):
            bound = np.sqrt(3.0 * INITIAL_VARIANCE[f.init](*W.shape[-2:]))
            W[...] = rng.uniform(-bound, bound, W.shape)
        for factor in groups["gains"] + groups["scales"]:
            factor.fill(1.0)
        if self.n_members > 1:
            for scale in groups["scales"]:
                scale += 0.5 * rng.standard_normal(scale.shape)
        return params

    def weights(self, params: Array) -> list[Array]:
        """Return the weight matrices as they act on the features.

        They are views into `params`, but for the first where features are scaled. Those
        of several members have the number of the member as a first axis more.
        """
        groups = self.layout.groups(params)
        for scale in groups["scales"]:
            scale = scale[0] if self.n_members == 1 else scale
            groups["weights"][0] = groups["weights"][0] * scale[..., None]
        return groups["weights"]

    def forward(
        self, X: Features, layers: LayerViews, work: Workspace, masks: Masks = KEEP_ALL
    ) -> Array:
        """Return raw, of shape (rows, n_outputs), and leave z and a in `work`.

        Parameters
        ----------
        X : ndarray or CSR of shape (rows, n_features)
            Features.
        layers : tuple of tuple of ndarray
            The parameters of each layer.
        work : Workspace
            Of as many rows.
        masks : dict of int to Mask, default=KEEP_ALL
            Of hidden layers, counted from zero, that leave units out.
        """
        below: Features = X
        affines, functions = self.affines, self.functions
        for layer, params in enumerate(layers):
            z, a = work.z[layer], work.a[layer]
            affines[layer].forward(below, params, z, work.left[layer])
            functions[layer].forward(z, a)
            below = a
            if layer in masks:
                below = np.multiply(a, masks[layer].factor, out=masks[layer].kept)
        return work.z[-1]

    def backward(
        self,
        X: Features,
        layers: LayerViews,
        gradients: LayerViews,
        work: Workspace,
        masks: Masks = KEEP_ALL,
    ) -> None:
        """Overwrite `gradients` with those of the last forward pass, with its masks.

        On entry ``work.delta[-1]`` holds dJ/draw. No weight changes before every
        delta is known: this only writes gradients. The buffers z and a are used up.
        """
        for layer in reversed(range(len(layers))):
            affine, params = self.affines[layer], layers[layer]
            delta, gradient = work.delta[layer], gradients[layer]
            affine.backward(delta, params, gradient, work.left[layer])
            previous = layer - 1
            below = X if layer == 0 else work.a[previous]
            if previous in masks:
                below = masks[previous].kept
            affine.weight_gradient(below, delta, params, gradient)
            if layer:
                delta_below = work.delta[previous]
                affine.input_gradient(delta, params, delta_below)
                if previous in masks:
                    delta_below *= masks[previous].factor
                f = self.activations[previous]
                f.backward(work.z[previous], work.a[previous], delta_below)

    def raw(
        self, X: Features, params: Array, max_rows: int, pool: Pool = mean
    ) -> Array:
        """Return a new array of raw scores, with nothing left out.

        Parameters
        ----------
        X : ndarray or CSR of shape (n_rows, n_features)
            Features.
        params : ndarray of shape (n_params,)
            All parameters.
        max_rows : int
            How many rows pass through the network at a time, those of all members
            together.
        pool : callable
            Makes one answer of those of several members, who all see all rows: maps raw
            of shape (n_members, rows, n_outputs) to (rows, n_outputs).

        Returns
        -------
        raw : ndarray of shape (n_rows, n_outputs)
            In the dtype of `params`.
        """
        n_rows, n_members = X.shape[0], self.n_members
        step = min(n_rows, max(1, max_rows // n_members))
        work = Workspace(self, n_members * step, params.dtype, to_predict=True)
        layers = self.layout.views(params)
        raw = np.empty((n_rows, self.layer_sizes[-1]), params.dtype)
        for start in range(0, n_rows, step):
            part, rows = raw[start : start + step], X[start : start + step]
            if n_members == 1:
                part[...] = self.forward(rows, layers, work.first(len(part)))
                continue
            # Dealt out, these are the same rows for each.
            rows = (sp.vstack if sp.issparse(X) else np.concatenate)([rows] * n_members)
            answers = self.forward(rows, layers, work.first(n_members * len(part)))
            part[...] = pool(answers.reshape(n_members, *part.shape))
        return raw
