"""Targets as the user has them, and as the network sees them.

The network sees a float matrix of shape (n_samples, n_outputs). What turns ``y`` into
one, and what the network says back into labels, is made at the first fit and kept.
"""

from copy import copy
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skffnn.core.typing import Array, TargetKind

__all__ = [
    "LabelTargets",
    "NumberTargets",
    "is_multilabel",
    "plain_labels",
    "zero_without_target",
]


def plain_labels(y: Any) -> Any:
    """Return integer or boolean labels as numpy's, whatever they come in.

    scikit-learn's validation would turn a nullable or pyarrow-backed column into
    floats, and the classes with it, and refuse an array of objects. Everything else
    is returned as it is.
    """
    if isinstance(y, np.ndarray) and y.dtype == object and y.ndim == 1:
        kinds = {type(label) for label in y}
        if len(kinds) == 1 and kinds <= {bool, int}:
            return y.astype(kinds.pop())
    numpy_dtype = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
    if numpy_dtype is None or numpy_dtype.kind not in "iub" or y.isna().any():
        return y
    return y.to_numpy(dtype=numpy_dtype)


def has_target(y: Any) -> Array:
    """Return which rows have a target: NaN, where it is allowed, is none."""
    if not isinstance(y, np.ndarray) or y.dtype.kind != "f":
        return np.ones(y.shape[0], bool)
    return np.asarray(~np.isnan(y.reshape(len(y), -1)).all(axis=1))


def zero_without_target(weight: Array | None, y: Any) -> Array | None:
    """Return the weights, zero for rows without a target.

    Raises
    ------
    ValueError
        If that leaves no row.
    """
    there = has_target(y)
    if there.all():
        return weight
    kept = np.where(there, 1.0 if weight is None else weight, 0.0)
    if not kept.any():
        raise ValueError("all targets of rows with a weight are missing")
    return kept


def is_multilabel(y: Any) -> bool:
    """Return whether `y` is an indicator matrix of labels.

    Raises
    ------
    ValueError
        If it is neither that nor labels.
    """
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        check_classification_targets(y)
        raise ValueError(
            "y must be labels, or a matrix with a column of zeros and ones for each "
            f"label. Got {y.shape[1]} columns of several classes each ({kind})."
        )
    return bool(kind == "multilabel-indicator")


def check_classes(classes: Any) -> Array:
    """Return the labels of a user's `classes`, sorted and each once."""
    labels = np.asarray(plain_labels(classes))
    missing = labels.dtype.kind == "f" and np.isnan(labels).any()
    if labels.ndim != 1 or labels.size == 0 or missing:
        raise ValueError(
            "classes must be a sequence of all labels, at least one and none of them "
            f"missing. Got {classes!r}."
        )
    return np.unique(labels)


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
    """

    kind: TargetKind = "continuous"

    def __init__(
        self,
        y: Array,
        weight: Array | None = None,
        scaled: bool = False,
        centered: bool = True,
    ) -> None:
        self.n_outputs = 1 if y.ndim == 1 else y.shape[1]
        self.ndim = y.ndim
        # What the network sees is y less the first, divided by the second.
        self._unit = None
        if scaled:
            mean, std = mean_and_std(self._matrix(y), weight)
            self._unit = mean * centered, std
        nothing = np.full(self.n_outputs, np.nan)
        self._range = nothing, nothing

    def after(self, y: Any, weight: Array | None) -> Self:
        """Return a copy that has seen `y` too, where its rows have a weight."""
        rows = slice(None) if weight is None else weight > 0.0
        low, high = self._range
        new = copy(self)
        matrix = self._matrix(y)[rows]
        new._range = (
            np.fmin(low, np.fmin.reduce(matrix)), np.fmax(high, np.fmax.reduce(matrix))
        )  # fmt: skip
        return new

    def encode(self, y: Array, dtype: np.dtype) -> Array:
        """Return `y` as a C-contiguous float matrix, in which NaN may be."""
        matrix = self._matrix(y)
        if matrix.shape[1] != self.n_outputs:
            raise ValueError(
                f"y has {matrix.shape[1]} outputs, but this model was fitted with "
                f"{self.n_outputs}"
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

    Both are float64. Of a constant column, or one that is all NaN, the latter is one.
    """
    weights = np.ones(len(y)) if weight is None else weight
    mean, std = np.zeros(y.shape[1]), np.ones(y.shape[1])
    for t, column in enumerate(y.T.astype(np.float64)):
        kept = (weights > 0.0) & ~np.isnan(column)
        if kept.any():
            values, shares = column[kept], weights[kept]
            mean[t] = np.average(values, weights=shares)
            # In a unit in which squares cannot overflow, or be lost.
            unit = np.abs(values).max() or 1.0
            squares = np.square((values - mean[t]) / unit)
            spread = np.sqrt(np.average(squares, weights=shares))
            if spread > len(values) * np.finfo(float).eps:
                std[t] = spread * unit
    return mean, std


class LabelTargets:
    """Classification targets: labels of any type, or a multilabel indicator.

    Binary labels become one column, three or more classes one column each, and a
    multilabel indicator stays what it is.

    Parameters
    ----------
    y : ndarray
        Labels of the first fit.
    classes : array-like or None
        All labels there will ever be, where `y` need not hold them all.

    Attributes
    ----------
    kind : {"binary", "multiclass", "multilabel"}
        What the targets are. A single class counts as binary.
    classes : ndarray of shape (n_classes,)
        The sorted labels; column numbers for a multilabel indicator.
    """

    def __init__(self, y: Array, classes: Any = None) -> None:
        self.kind: TargetKind
        self.classes: Array
        self._encoder = LabelEncoder()
        self._sparse = sp.issparse(y)
        if is_multilabel(y):
            n_labels = y.shape[1]
            if classes is not None and len(check_classes(classes)) != n_labels:
                raise ValueError(
                    f"classes={classes!r} must name the {n_labels} columns of y"
                )
            self.kind = "multilabel"
            self.classes = np.arange(n_labels)
        else:
            self._encoder.fit(y if classes is None else check_classes(classes))
            self.classes = self._encoder.classes_
            self.kind = "binary" if len(self.classes) <= 2 else "multiclass"
        self.n_outputs = 1 if self.kind == "binary" else len(self.classes)

    def check_same(self, classes: Any) -> None:
        """Raise ValueError unless `classes` are the known ones."""
        given = check_classes(classes)
        if self.kind == "multilabel":
            same = len(given) == self.n_outputs
        else:
            same = np.array_equal(given, self.classes)
        if not same:
            raise ValueError(
                f"classes={given.tolist()} is not the same as in the first call of "
                f"partial_fit, {self.classes.tolist()}"
            )

    def after(self, y: Any, weight: Array | None) -> Self:
        """Return what has seen `y` too: itself, as there are no new classes."""
        return self

    def encode(self, y: Any, dtype: np.dtype) -> Array:
        """Return labels as a matrix of zeros and ones.

        Raises
        ------
        ValueError
            For a label that is not in `classes`, or labels of another kind.
        """
        if is_multilabel(y) != (self.kind == "multilabel"):
            raise ValueError(
                f"y is of type {type_of_target(y)!r}, but this model was fitted with "
                f"{self.kind} targets"
            )
        if self.kind == "multilabel":
            if y.shape[1] != self.n_outputs:
                raise ValueError(
                    f"y has {y.shape[1]} columns, but this model was fitted with "
                    f"{self.n_outputs} labels"
                )
            return np.ascontiguousarray(y.toarray() if sp.issparse(y) else y, dtype)
        unseen = np.setdiff1d(y, self.classes)
        if unseen.size:
            raise ValueError(
                f"y contains labels {unseen[:5].tolist()} that are not in "
                f"classes_ {self.classes[:10].tolist()}"
            )
        codes = self._encoder.transform(y)
        if self.kind == "binary":
            return codes.astype(dtype)[:, None]
        encoded = np.zeros((len(y), self.n_outputs), dtype)
        encoded[np.arange(len(y)), codes] = 1.0
        return encoded

    def decode(self, log_p: Array) -> Array:
        """Return the most probable labels, given logarithms of their probabilities."""
        if self.kind == "multiclass":
            return self.classes.take(log_p.argmax(axis=1))
        likely = (log_p > -np.log(2.0)).astype(int)
        if self.kind == "multilabel":
            return sp.csr_matrix(likely) if self._sparse else likely
        return self.classes.take(likely[:, 0], mode="clip")
