"""Dropout: every pass of training leaves out other units, and prediction none.

With inverted dropout (Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014,
section 10) the units that are kept are divided by the share that is kept. What a layer
reads then has the same mean with and without dropout, so there is nothing to undo in
prediction.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from skffnn.core.network import Network
from skffnn.core.passes import NO_MASKS
from skffnn.core.schedules import Constant, Schedule
from skffnn.core.state import TrainingState
from skffnn.core.typing import Array, Features, Mask, Masks

__all__ = ["Dropout", "Thin", "Thinning", "keep_all"]

# What a pass of training does to its features, and the masks of its hidden layers.
Thin: TypeAlias = Callable[[Features], tuple[Features, Masks]]

# A unit is left out where a random byte is below a threshold. To find out for 256 rows
# of 128 units takes 11 us; with a random float32 for each unit it takes 61 us. So the
# rate of one pass is a multiple of 1 / LEVELS: that below or above the rate asked for,
# drawn such that it is right on average, up to 255 / 256. What is kept is divided by
# just the share that this pass keeps, so that the mean of what a layer reads is right
# in every pass.
LEVELS = 256


@dataclass(frozen=True)
class Dropout:
    """Which share of what passes through a network is left out, and when.

    Parameters
    ----------
    rates : tuple of float in [0, 1), default=()
        For the features, then for the units of each hidden layer. Empty means none.
    schedule : Schedule, default=Constant()
        (step, n_steps) -> factor on the rates.
    """

    rates: tuple[float, ...] = ()
    schedule: Schedule = field(default_factory=Constant)


class Thinning:
    """Draws what the passes of one run leave out, and owns the buffers for it.

    Parameters
    ----------
    dropout : Dropout
        How much.
    network : Network
        Of which.
    state : TrainingState
        Has the random stream, and the step that the schedule is asked about.
    n_steps : int
        Steps taken when the planned run is over.
    max_rows : int
        The largest number of rows of a pass.
    """

    def __init__(
        self,
        dropout: Dropout,
        network: Network,
        state: TrainingState,
        n_steps: int,
        max_rows: int,
    ) -> None:
        self._schedule = dropout.schedule
        self._state = state
        self._n_steps = n_steps
        self._input_rate, *rates = dropout.rates
        self._widths = network.layer_sizes[1:-1]
        # Layers of the same rate are drawn at once: small ones take no time by
        # themselves, calls of numpy do.
        self._alike = [
            (rate, [layer for layer, other in enumerate(rates) if other == rate])
            for rate in sorted(set(rates) - {0.0})
        ]
        dtype = state.params.dtype
        self._factors = [
            np.empty((max_rows, sum(self._widths[layer] for layer in layers)), dtype)
            for _, layers in self._alike
        ]
        self._kept = [np.empty((max_rows, width), dtype) for width in self._widths]
        self._masks: dict[int, Masks] = {}

    def __call__(self, X: Features) -> tuple[Features, Masks]:
        """Return X without the features that are left out, and the masks."""
        share = self._schedule(self._state.step, self._n_steps)
        if not 0.0 <= share <= 1.0:
            raise ValueError(
                f"The schedule of dropout must return a factor in [0, 1]. Got {share!r}"
            )
        if share == 0.0:
            return X, NO_MASKS
        if self._input_rate:
            X = self._thin_features(X, share * self._input_rate)
        n_rows = X.shape[0]
        for (rate, _), factors in zip(self._alike, self._factors, strict=True):
            self._draw(share * rate, factors[:n_rows].reshape(-1))
        if n_rows not in self._masks:
            self._masks[n_rows] = self._cut(n_rows)
        return X, self._masks[n_rows]

    def _cut(self, n_rows: int) -> Masks:
        """Return the masks of `n_rows` rows, views into the buffers."""
        masks = {}
        for (_, layers), factors in zip(self._alike, self._factors, strict=True):
            flat, start = factors[:n_rows].reshape(-1), 0
            for layer in layers:
                stop = start + n_rows * self._widths[layer]
                factor = flat[start:stop].reshape(n_rows, -1)
                masks[layer] = Mask(factor, self._kept[layer][:n_rows])
                start = stop
        return masks

    def _thin_features(self, X: Features, rate: float) -> Features:
        """Return a new X; of a sparse one, stored entries are left out."""
        entries = X if isinstance(X, np.ndarray) else X.data
        kept = np.empty_like(entries)
        self._draw(rate, kept.reshape(-1))
        kept *= entries
        if isinstance(X, np.ndarray):
            return kept
        return type(X)((kept, X.indices, X.indptr), shape=X.shape)

    def _draw(self, rate: float, out: Array) -> None:
        """Write zero or one over the share kept into every entry of the vector."""
        rng = self._state.mask_rng
        whole, rest = divmod(rate * LEVELS, 1.0)
        threshold = min(int(whole) + (rng.random() < rest), LEVELS - 1)
        words = rng.bit_generator.random_raw(-(-len(out) // 8))
        out[...] = words.view(np.uint8)[: len(out)] >= threshold
        out *= LEVELS / (LEVELS - threshold)


def keep_all(X: Features) -> tuple[Features, Masks]:
    """Leave nothing out."""
    return X, NO_MASKS
