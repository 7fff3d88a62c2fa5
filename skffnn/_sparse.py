"""What scipy does not check of a sparse matrix, and neither does scikit-learn."""

from typing import Any

import scipy.sparse as sp

__all__ = ["check_indices"]


def check_indices(X: Any) -> None:
    """Raise ValueError if an entry of sparse `X` lies outside of its shape.

    Conversions and products of scipy would read and write there, and end the process.
    Its own `check_format` looks as well, but may put new arrays into X, which is the
    user's.
    """
    if not sp.issparse(X) or X.format not in ("csr", "csc") or not X.nnz:
        return
    n_rows, n_columns = X.shape
    what, n_places = ("columns", n_columns) if X.format == "csr" else ("rows", n_rows)
    first, last = X.indices.min(), X.indices.max()
    if first < 0 or last >= n_places:
        raise ValueError(
            f"X has {n_places} {what}, but the indices of this sparse matrix go from "
            f"{first} to {last}"
        )
