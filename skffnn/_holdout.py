"""The rows that early stopping judges by, and the rows that are left to train on."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from skffnn._warnings import warn

__all__ = ["split_rows"]


def split_rows(
    n_rows: int, fraction: float, labels: Any, seed: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Draw the training rows and the held-out rows.

    Parameters
    ----------
    n_rows : int
        How many rows there are.
    fraction : float
        Share of them to hold out.
    labels : ndarray of shape (n_rows,) or None
        Classes that both parts should hold in the same proportions.
    seed : int
        Of the draw.

    Returns
    -------
    train, holdout : ndarray of int
        Row numbers, both sorted.

    Raises
    ------
    ValueError
        If either part would be empty.
    """
    n_holdout = int(np.ceil(fraction * n_rows))
    if n_holdout >= n_rows:
        raise ValueError(
            f"early_stopping=True cannot hold out validation_fraction={fraction} of "
            f"n_samples={n_rows}: no row would be left to train on"
        )
    if labels is not None:
        n_classes, smallest = _class_counts(labels)
        if smallest < 2 or min(n_holdout, n_rows - n_holdout) < n_classes:
            warn(
                f"The hold-out of early_stopping is not stratified: {n_holdout} of "
                f"{n_rows} rows cannot represent {n_classes} classes, the smallest of "
                f"which has {smallest}"
            )
            labels = None
    train, holdout = train_test_split(
        np.arange(n_rows), test_size=n_holdout, stratify=labels, random_state=seed
    )
    return np.sort(train), np.sort(holdout)


def _class_counts(labels: Any) -> tuple[int, int]:
    _, counts = np.unique(labels, return_counts=True)
    return len(counts), int(counts.min())
