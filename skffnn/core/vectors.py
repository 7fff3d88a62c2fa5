"""In-place arithmetic on flat vectors, by BLAS and block by block.

This is where speed is bought. On the 2,302 parameters of a 20-100-2 network a ufunc
takes 0.5 to 1.5 us and a temporary, the BLAS routine 0.1 to 0.3 us and none.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.linalg import blas

from skffnn.core.typing import Array

__all__ = ["add_scaled", "blocks", "scale"]

AXPY = {np.dtype(np.float32): blas.saxpy, np.dtype(np.float64): blas.daxpy}
SCAL = {np.dtype(np.float32): blas.sscal, np.dtype(np.float64): blas.dscal}

# Elements that pass through a chain of operations together. Five float64 vectors of
# this length stay in a second-level cache of 1 MB; longer ones would go out to memory
# and back at every operation of the chain.
BLOCK = 16_384


def add_scaled(target: Array, factor: float, vector: Array) -> None:
    """Add ``factor * vector`` to `target` in place.

    Both are contiguous and of the same dtype, float32 or float64.
    """
    AXPY[target.dtype](vector, target, a=factor)


def scale(target: Array, factor: float) -> None:
    """Multiply the contiguous `target` by `factor` in place."""
    if len(target):  # BLAS refuses an empty vector
        SCAL[target.dtype](factor, target)


def blocks(*vectors: Array) -> Iterator[tuple[Any, ...]]:
    """Cut vectors of one length into views of at most `BLOCK` elements."""
    size = len(vectors[0])
    if size <= BLOCK:
        yield vectors
        return
    for start in range(0, size, BLOCK):
        yield tuple(vector[start : start + BLOCK] for vector in vectors)
