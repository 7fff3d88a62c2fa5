"""Numbers as the user has them, and as the network sees them: scaled, if so asked."""

from copy import copy
from typing import Self

import numpy as np

from skffnn.core.typing import Array, TargetKind

__all__ = ["NumberTargets"]


class NumberTargets:
    """Regression targets: numbers, one or several per row.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Targets of the first fit.
    weight : ndarray of shape (n_samples,) or None, default=None
        Weights of the rows.
    scaled : bool, default=False
        Whether the network sees them with standard deviation one.
    centered : bool, default=True
        Whether it then also sees them with mean zero.

    Attributes
    ----------
    scaling : tuple of two bool
        `scaled` and `centered`.
    lacks_unit : bool
        Whether a column that should be scaled is constant, and keeps its unit.
    """

    kind: TargetKind = "continuous"

    def __init__(
        self,
        y: Array,
        weight: Array | None = None,
        scaled: bool = False,
        centered: bool = True,
    ) -> None:
        self.n_targets = 1 if y.ndim == 1 else y.shape[1]
        self.ndim = y.ndim
        self.scaling = scaled, centered
        # What the network sees is y less the first, divided by the second.
        self._unit = None
        self.lacks_unit = False
        if scaled:
            mean, std = mean_and_std(self._matrix(y), weight)
            self.lacks_unit = bool((std == 0.0).any())
            self._unit = mean * centered, np.where(std > 0.0, std, 1.0)
        nothing = np.full(self.n_targets, np.nan)
        self._range = nothing, nothing

    def after(self, y: Array) -> Self:
        """Return a copy that has seen `y` too."""
        low, high = self._range
        new = copy(self)
        matrix = self._matrix(y)
        new._range = (
            np.fmin(low, np.fmin.reduce(matrix)), np.fmax(high, np.fmax.reduce(matrix))
        )  # fmt: skip
        return new

    def encode(self, y: Array, dtype: np.dtype) -> Array:
        """Return `y` as a C-contiguous float matrix, in which NaN may be."""
        matrix = self._matrix(y)
        if matrix.shape[1] != self.n_targets:
            raise ValueError(
                f"y has {matrix.shape[1]} outputs, but this model was fitted with "
                f"{self.n_targets}"
            )
        if self._unit is not None:
            mean, std = self._unit
            matrix = (matrix - mean) / std
        with np.errstate(over="ignore"):
            encoded = np.ascontiguousarray(matrix, dtype=dtype)
        if np.isinf(encoded).any():
            raise ValueError(f"y contains values too large for {np.dtype(dtype)}")
        return encoded

    def decode(self, prediction: Array, clip: bool = False) -> Array:
        """Return predictions in the shape that `y` had, plus further axes.

        With `clip` none is outside of what `y` has been so far.
        """
        further = (1,) * (prediction.ndim - 2)
        if self._unit is not None:
            mean, std = (part.reshape(-1, *further) for part in self._unit)
            prediction = (prediction * std + mean).astype(prediction.dtype, copy=False)
        if clip:
            low, high = (part.reshape(-1, *further) for part in self._range)
            prediction = np.fmin(np.fmax(prediction, low), high, dtype=prediction.dtype)
        return prediction[:, 0] if self.ndim == 1 else prediction

    def decode_std(self, std: Array) -> Array:
        """Return standard deviations likewise."""
        if self._unit is not None:
            std = (std * self._unit[1]).astype(std.dtype, copy=False)
        return std[:, 0] if self.ndim == 1 else std

    @staticmethod
    def _matrix(y: Array) -> Array:
        return y.reshape(len(y), -1)


def mean_and_std(y: Array, weight: Array | None) -> tuple[Array, Array]:
    """Return weighted mean and standard deviation of each column, without its NaN.

    Both are float64. Of a constant column, or one that is all NaN, the latter is zero.
    """
    weights = np.ones(len(y)) if weight is None else weight
    mean, std = np.zeros((2, y.shape[1]))
    for t, column in enumerate(y.T.astype(np.float64)):
        kept = (weights > 0.0) & ~np.isnan(column)
        if kept.any():
            values, shares = column[kept], weights[kept] / weights[kept].max()
            # In a unit in which squares cannot overflow, or be lost.
            unit = np.abs(values).max() or 1.0
            # Less the first of them, so that of a constant almost nothing is left.
            first = values[0] / unit
            differences = values / unit - first
            center = np.average(differences, weights=shares)
            spread = np.sqrt(np.average((differences - center) ** 2, weights=shares))
            mean[t] = (first + center) * unit
            if spread > 4.0 * np.finfo(np.float64).eps:
                std[t] = spread * unit
    return mean, std
