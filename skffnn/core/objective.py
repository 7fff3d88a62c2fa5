"""The objective J(params): the mean loss over rows, plus the penalty on weights.

    J = sum_i weight_i * loss(y_i, raw(x_i)) / sum_i weight_i + penalty(W_1, ..., W_L)

The losses are in `losses`, the penalty in `penalty`.

On some of the rows it is estimated without bias: `weight` has mean one over the
training set, so the sum is divided by the number of rows seen.
"""

from copy import copy
from numbers import Real
from typing import NamedTuple, TypeAlias

import scipy.sparse as sp

from skffnn.core.batches import count, split
from skffnn.core.dropout import Thin, keep_all
from skffnn.core.losses import Loss
from skffnn.core.memory import empty
from skffnn.core.network import Network
from skffnn.core.passes import Pass, first_rows
from skffnn.core.penalty import Penalty
from skffnn.core.typing import Array, Features, Rows
from skffnn.core.vectors import add_scaled, blocks, scale

__all__ = ["CHUNK", "Objective"]

# Rows that pass through the network together. More rows are worked off in pieces of
# this size: the buffers stay in the cache, and memory does not grow with the data.
CHUNK = 512


# Some of the weights, and their gradients.
Blocks: TypeAlias = list[tuple[Array, ...]]


class Room(NamedTuple):
    """Where so many rows are put, the pass that takes them, and what it does to grad.

    The pass adds to the gradients of some weights, so that of the penalty is written
    there first. It overwrites those of all others; there the penalty is added.
    """

    X: Array
    y: Array
    bound: Pass
    added: Blocks
    overwritten: Blocks


class Objective:
    """J and its gradient on given rows of one data set.

    Parameters
    ----------
    network : Network
        The function to be fitted.
    loss : Loss
        How wrong a row is.
    alpha : float
        Strength of the penalty.
    X : ndarray or CSR of shape (n_samples, n_features)
        Features, never copied as a whole.
    y : ndarray of shape (n_samples, n_targets)
        Targets.
    weight : ndarray of shape (n_samples,) or None
        Sample weights with mean one over the training rows.
    max_rows : int
        The most rows that one gradient will be of.
    l1_ratio : float in [0, 1], default=0.0
        Share of the penalty that is on absolute values.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        alpha: float,
        X: Features,
        y: Array,
        weight: Array | None,
        max_rows: int,
        l1_ratio: float = 0.0,
    ) -> None:
        self.network = network
        self.loss = loss
        self.penalty = Penalty(alpha, l1_ratio)
        self.X = X
        self.y = y
        self.weight = weight
        self._is_sparse = sp.issparse(X)
        self._piece = empty(network.layout.size if max_rows > CHUNK else 0, y.dtype)
        # What was made for these parameters and gradients serves as long as the same
        # arrays come again.
        self._params: Array | None = None
        self._grad: Array | None = None
        self._make_buffers(min(CHUNK, max_rows))

    def _make_buffers(self, chunk: int) -> None:
        """Make the buffers of a pass over so many rows."""
        self._chunk = chunk
        self._buffers = self.network.buffers(chunk, self.y.dtype)
        dense_shape = (0, 0) if self._is_sparse else (chunk, self.X.shape[1])
        self._X_rows = empty(dense_shape, self.y.dtype)
        self._y_rows = empty((chunk, self.y.shape[1]), self.y.dtype)
        self._rooms: dict[int, Room] = {}

    def _room(self, params: Array, grad: Array | None, n_rows: int) -> Room:
        """Return room for so many rows. Whoever goes forward only needs no `grad`."""
        if params is not self._params or (grad is not self._grad and grad is not None):
            self._params, self._grad, self._rooms = params, grad, {}
        if n_rows not in self._rooms:
            buffers = first_rows(self._buffers, n_rows)
            bound = self.network.bind(params, self._grad, buffers)
            X, y = self._X_rows[:n_rows], self._y_rows[:n_rows]
            parts = self._weight_blocks(params, bound)
            self._rooms[n_rows] = Room(X, y, bound, *parts)
        return self._rooms[n_rows]

    def _weight_blocks(self, params: Array, bound: Pass) -> tuple[Blocks, Blocks]:
        """Return the weights and their gradients: added to first, then overwritten."""
        grad = self._grad
        if grad is None:
            return [], []
        n_added = bound.n_added(self._is_sparse)
        stop = self.network.layout.n_weights if self.penalty.alpha else 0
        first, rest = slice(0, n_added), slice(n_added, stop)
        return blocks(params[first], grad[first]), blocks(params[rest], grad[rest])

    def value_and_gradient(
        self, params: Array, grad: Array, rows: Rows, thin: Thin = keep_all
    ) -> float:
        """Return J on `rows` and overwrite `grad` with its gradient.

        Parameters
        ----------
        params : ndarray of shape (n_params,)
            Where to evaluate.
        grad : ndarray of shape (n_params,)
            Receives dJ/dparams.
        rows : slice or ndarray of int
            Rows of X to average over, at least one.
        thin : callable, default=keep_all
            Says what is left out of a pass: maps features to features and masks.

        Returns
        -------
        value : float
            J, estimated from these rows.
        """
        n_rows = count(rows)
        room = self._room(params, grad, min(n_rows, self._chunk))
        penalty = 0.0
        for w, g in room.added:
            penalty += self.penalty.write_gradient(w, g)
        others: list[Rows] = []
        if n_rows > self._chunk:
            rows, *others = split(rows, self._chunk)
        value = self._backpropagate(room, rows, n_rows, thin)
        for piece in others:
            value += self._add_piece(params, grad, piece, n_rows, thin)
        for w, g in room.overwritten:
            penalty += self.penalty.add_gradient(w, g)
        return value + penalty

    def value(self, params: Array, rows: Rows) -> float:
        """Return J on `rows`, with nothing left out."""
        n_rows = count(rows)
        if self._chunk < min(CHUNK, n_rows):  # as few as in a step would take long
            roomy = copy(self)
            roomy._make_buffers(CHUNK)
            return roomy.value(params, rows)
        total = 0.0
        for piece in split(rows, self._chunk):
            room = self._room(params, None, count(piece))
            X, y, weight = self._take(piece, room)
            raw = room.bound.forward(X)
            total += self._loss_of(y, raw, weight, room.bound.delta)
        weights = params[: self.network.layout.n_weights]
        return total / n_rows + self.penalty.value(weights)

    def _add_piece(
        self, params: Array, grad: Array, rows: Rows, n_total: int, thin: Thin
    ) -> float:
        """Add the share of `rows`, where not all pass through the network together."""
        room = self._room(params, self._piece, count(rows))
        for _, g in room.added:
            g.fill(0.0)
        value = self._backpropagate(room, rows, n_total, thin)
        add_scaled(grad, 1.0, self._piece)
        return value

    def _backpropagate(self, room: Room, rows: Rows, n_total: int, thin: Thin) -> float:
        """Write the share of `rows` in the mean over `n_total` rows."""
        X, y, weight = self._take(rows, room)
        X, masks = thin(X)
        bound = room.bound
        raw = bound.forward(X, masks)
        value = self._loss_of(y, raw, weight, bound.delta)
        scale(bound.delta.ravel(), 1.0 / n_total)
        bound.backward(X, masks)
        return value / n_total

    def _loss_of(
        self, y: Array, raw: Array, weight: Array | None, delta: Array
    ) -> float:
        value = self.loss.value_and_gradient(y, raw, weight, delta)
        if isinstance(value, float):
            return value
        if not isinstance(value, Real):
            raise TypeError(
                f"value_and_gradient of loss {self.loss!r} must return a number, got "
                f"{value!r}"
            )
        return float(value)

    def _take(self, rows: Rows, room: Room) -> tuple[Features, Array, Array | None]:
        """Return X, y and weight at `rows`: views of a slice, or copies in the room."""
        weight = None if self.weight is None else self.weight[rows]
        if isinstance(rows, slice):
            return self.X[rows], self.y[rows], weight
        # mode="clip" lets take write straight into the buffer; rows are in range.
        y = self.y.take(rows, axis=0, out=room.y, mode="clip")
        if self._is_sparse:
            return self.X[rows], y, weight
        return self.X.take(rows, axis=0, out=room.X, mode="clip"), y, weight
