"""A network is a frozen description; with parameters and buffers it makes a `Pass`.

Its parameters live in one flat vector, that `layout.ParamLayout` cuts into views.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import scipy.sparse as sp

from skffnn.core.activations import Activation, Identity
from skffnn.core.layers import (
    Affine,
    Linear,
    MemberOutputs,
    NormalizedAffine,
    ScaledFeatures,
)
from skffnn.core.layout import ParamLayout
from skffnn.core.memory import empty, zeros
from skffnn.core.passes import Buffers, Layer, Pass, first_rows
from skffnn.core.typing import Array, Features, Pool

__all__ = ["INITIAL_VARIANCE", "Network"]

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
    def linear(self) -> tuple[Callable[..., Linear], ...]:
        """What makes each layer; that of the outputs is never normalised."""
        hidden = NormalizedAffine if self.layer_norm else Affine
        last = Affine if self.n_members == 1 else MemberOutputs
        first, *others = (*(hidden for _ in self.activations), last)
        return (partial(ScaledFeatures, first) if self.input_scale else first, *others)

    def init_params(self, rng: np.random.Generator, dtype: np.dtype) -> Array:
        """Draw weights uniformly with the variance their activation asks for.

        Biases start at zero, gains and scales at one, but the scales of several members
        are normal with standard deviation 1/2 about it, so that they differ. The draws
        do not depend on the dtype: float32 parameters are the rounded float64 ones.
        """
        params = zeros(self.layout.size, dtype)
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

    def buffers(
        self, n_rows: int, dtype: np.dtype, to_predict: bool = False
    ) -> Buffers:
        """Return room for a pass over so many rows."""
        # To look for a line of the cache takes longer than one pass gains by it.
        new = np.empty if to_predict else empty
        buffers: Buffers = []
        for width, f in zip(self.layer_sizes[1:], self.functions, strict=True):
            z = new((n_rows, width), dtype)
            a = new(z.shape, dtype) if f.keeps_z else z
            buffers.append((z, a, None if to_predict else new(z.shape, dtype)))
        return buffers

    def bind(self, params: Array, grad: Array | None, buffers: Buffers) -> Pass:
        """Return what passes rows through the network, as many as the buffers have.

        Parameters
        ----------
        params : ndarray of shape (n_params,)
            All parameters. Passes see them as they are then.
        grad : ndarray of shape (n_params,) or None
            Receives the gradient. None where no pass goes backward.
        buffers : list
            Where the intermediate results go.
        """
        views = self.layout.views(params)
        gradients = [()] * len(views) if grad is None else self.layout.views(grad)
        layers: list[Layer] = []
        for number, (z, a, delta) in enumerate(buffers):
            parts = views[number], gradients[number], z, delta
            linear = self.linear[number](*parts)
            activate, derive = self.functions[number].bind(z, a, delta)
            layers.append((linear, activate, derive, a, delta))
        return Pass(layers)

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
        buffers = self.buffers(n_members * step, params.dtype, to_predict=True)
        bound = self.bind(params, None, buffers)
        if n_members == 1 and step == n_rows:
            return bound.forward(X)  # nobody else will write into these buffers
        raw = np.empty((n_rows, self.layer_sizes[-1]), params.dtype)
        for start in range(0, n_rows, step):
            rows = X[start : start + step]
            if rows.shape[0] < step:  # the last
                last = first_rows(buffers, n_members * rows.shape[0])
                bound = self.bind(params, None, last)
            raw[start : start + step] = self._answer(rows, bound, pool)
        return raw

    def _answer(self, X: Features, bound: Pass, pool: Pool) -> Array:
        """Return raw of all rows, by every member."""
        if self.n_members == 1:
            return bound.forward(X)
        # Dealt out, these are the same rows for each.
        stack = np.concatenate if isinstance(X, np.ndarray) else sp.vstack
        raw = bound.forward(stack([X] * self.n_members))
        return pool(raw.reshape(self.n_members, X.shape[0], -1))
