"""What scipy does not check of a sparse matrix, and neither does scikit-learn."""

from typing import Any

import numpy as np
import scipy.sparse as sp

__all__ = ["check_indices"]


def check_indices(X: Any) -> None:
    """Raise ValueError if an entry of sparse `X` lies outside of its arrays or shape.

    Conversions and products of scipy would read and write there, and end the process.
    Its own `check_format` looks as well, but may put new arrays into X, which is the
    user's.
    """
    if not sp.issparse(X) or X.format not in ("csr", "csc"):
        return
    by_row = X.format == "csr"
    n_lines, n_places = X.shape if by_row else X.shape[::-1]
    fault = _fault_of(X.indptr, n_lines, min(len(X.indices), len(X.data)))
    if fault is not None:
        raise ValueError(
            f"the indptr of X, a sparse matrix in {X.format} format with shape "
            f"{X.shape}, {fault}"
        )
    if not X.nnz:
        return
    first, last = X.indices.min(), X.indices.max()
    if first < 0 or last >= n_places:
        raise ValueError(
            f"X has {n_places} {'columns' if by_row else 'rows'}, but the indices of "
            f"this sparse matrix go from {first} to {last}"
        )


def _fault_of(indptr: Any, n_lines: int, n_entries: int) -> str | None:
    """Return what is wrong with where the lines of a sparse matrix begin and end."""
    if len(indptr) != n_lines + 1:
        return f"must have {n_lines + 1} numbers, got {len(indptr)}"
    if indptr[0] != 0:
        return f"must start at 0, got {indptr[0]}"
    if indptr[-1] > n_entries:
        return f"must end at {n_entries}, its number of entries, got {indptr[-1]}"
    (down,) = np.nonzero(indptr[:-1] > indptr[1:])
    if len(down):
        place = down[0]
        return f"must not go down, got {indptr[place]} before {indptr[place + 1]}"
    return None
