"""Names for the arrays that the core passes around."""

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Array: TypeAlias = npt.NDArray[Any]
Features: TypeAlias = Array | sp.csr_array | sp.csr_matrix
Rows: TypeAlias = slice | npt.NDArray[np.intp]
LayerViews: TypeAlias = tuple[tuple[Array, Array], ...]
TargetKind: TypeAlias = Literal["continuous", "binary", "multilabel", "multiclass"]
