"""Labels as the user has them, and as the network sees them: zeros and ones."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skffnn.core.typing import Array, TargetKind

__all__ = ["LabelTargets", "is_multilabel", "plain_labels"]


def plain_labels(y: Any) -> Any:
    """Return integer or boolean labels as numpy's, whatever they come in.

    scikit-learn's validation would turn a nullable or pyarrow-backed column, or one of
    categories that are booleans, into floats, and the classes with it, and refuse
    objects. Everything else is returned as it is.
    """
    dtype = getattr(y, "dtype", None)
    kind = getattr(dtype, "kind", None)
    categories = getattr(dtype, "categories", None)
    if categories is not None:
        kind = getattr(getattr(categories, "dtype", None), "kind", None)
        return y.to_numpy(dtype=bool) if kind == "b" and not y.isna().any() else y
    if kind == "O" and y.ndim == 1:
        plain = all(map(_is_boolean, y)) or all(map(_is_integer, y))
        labels = np.array(list(y)) if plain else y
        return labels if labels.dtype.kind in "iub" else y  # beyond 64 bits
    numpy_dtype = getattr(dtype, "numpy_dtype", None)
    if numpy_dtype is None or numpy_dtype.kind not in "iub" or y.isna().any():
        return y
    return y.to_numpy(dtype=numpy_dtype)


def _is_boolean(label: Any) -> bool:
    return isinstance(label, bool | np.bool_)


def _is_integer(label: Any) -> bool:
    return isinstance(label, Integral) and not isinstance(label, bool)


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

    lacks_unit: ClassVar[bool] = False

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
        self.n_targets = 1 if self.kind == "binary" else len(self.classes)

    def check_same(self, classes: Any) -> None:
        """Raise ValueError unless `classes` are the known ones."""
        given = check_classes(classes)
        if self.kind == "multilabel":
            same = len(given) == self.n_targets
        else:
            same = np.array_equal(given, self.classes)
        if not same:
            raise ValueError(
                f"classes={given.tolist()} is not the same as in the first call of "
                f"partial_fit, {self.classes.tolist()}"
            )

    def after(self, y: Any) -> Self:
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
            if y.shape[1] != self.n_targets:
                raise ValueError(
                    f"y has {y.shape[1]} columns, but this model was fitted with "
                    f"{self.n_targets} labels"
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
        encoded = np.zeros((len(y), self.n_targets), dtype)
        encoded[np.arange(len(y)), codes] = 1.0
        return encoded

    def decode(self, log_p: Array) -> Array:
        """Return the most probable labels, given logarithms of their probabilities.

        Of exclusive classes, scores in the same order are enough.
        """
        if self.kind == "multiclass":
            return self.classes.take(log_p.argmax(axis=1))
        likely = (log_p > -np.log(2.0)).astype(int)
        if self.kind == "multilabel":
            return sp.csr_matrix(likely) if self._sparse else likely
        return self.classes.take(likely[:, 0], mode="clip")
