"""Names for the arrays that the core passes around."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Array: TypeAlias = npt.NDArray[Any]
Features: TypeAlias = Array | sp.csr_array | sp.csr_matrix
Rows: TypeAlias = slice | npt.NDArray[np.intp]
Pool: TypeAlias = Callable[[Array], Array]
LayerViews: TypeAlias = tuple[tuple[Array, ...], ...]
TargetKind: TypeAlias = Literal["continuous", "binary", "multilabel", "multiclass"]


class Mask(NamedTuple):
    """What a hidden layer passes on in one pass of training.

    Parameters
    ----------
    factor : ndarray of shape (rows, width)
        Zero for a unit that is left out, one divided by the share kept for others.
    kept : ndarray of shape (rows, width)
        Receives the activations times `factor`.
    """

    factor: Array
    kept: Array


Masks: TypeAlias = Mapping[int, Mask]
