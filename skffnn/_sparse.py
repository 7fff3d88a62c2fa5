"""What scipy does not check of a sparse matrix, and neither does scikit-learn."""

from typing import Any

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
    n_rows, n_columns = X.shape
    what, n_places = ("columns", n_columns) if X.format == "csr" else ("rows", n_rows)
    n_entries = min(len(X.indices), len(X.data))
    starts, ends = X.indptr[:-1], X.indptr[1:]
    if X.indptr[0] != 0 or X.indptr[-1] > n_entries or (starts > ends).any():
        raise ValueError(
            f"the indptr of a sparse X with {n_entries} entries must go from 0 up to "
            f"at most {n_entries}, and never down, got {X.indptr!r}"
        )
    if not X.nnz:
        return
    first, last = X.indices.min(), X.indices.max()
    if first < 0 or last >= n_places:
        raise ValueError(
            f"X has {n_places} {what}, but the indices of this sparse matrix go from "
            f"{first} to {last}"
        )
