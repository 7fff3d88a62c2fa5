"""The rows that early stopping judges by, and the rows that are left to train on."""

import reprlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import check_cv, train_test_split

from skffnn._data import Data
from skffnn._resolve import resolve_early_stopping
from skffnn._warnings import warn
from skffnn.core.batches import count
from skffnn.core.losses import Loss
from skffnn.core.network import Network
from skffnn.core.objective import Objective
from skffnn.core.state import mean_of
from skffnn.core.typing import Array, Rows

__all__ = ["Holdout", "HoldoutLoss", "choose_rows", "split_by", "split_rows"]


@dataclass(frozen=True, eq=False)
class Holdout:
    """Rows that are not trained on.

    Parameters
    ----------
    data : Data
        Holds them.
    rows : slice or ndarray of int
        Which of its rows they are.
    """

    data: Data
    rows: Rows


class HoldoutLoss:
    """Mean loss on rows that are not trained on, without the penalty.

    As in training, each row is dealt to one of several members: this takes a fraction
    of the time of asking all, for no worse a choice of the epoch. Which row goes to
    which member is drawn, as theirs may be in an order that means something.
    """

    def __init__(self, network: Network, loss: Loss, holdout: Holdout) -> None:
        data, rows = holdout.data, holdout.rows
        if network.n_members > 1:
            rows = np.random.default_rng(0).permutation(np.arange(data.n_rows)[rows])
        self._rows = rows
        mean = 1.0 if data.weight is None else mean_of(data.weight[self._rows])
        weight = data.relative_weight(mean)
        self._objective = Objective(
            network, loss, 0.0, data.X, data.target, weight, count(self._rows)
        )

    def __call__(self, params: Array) -> float:
        return self._objective.value(params, self._rows)


def choose_rows(
    estimator: Any, data: Data, seed: int, incremental: bool
) -> tuple[Rows, Holdout | None]:
    """Return the rows to train on, and what judges training.

    Parameters
    ----------
    estimator : FFNNClassifier or FFNNRegressor
        Its parameters are read.
    data : Data
        Of this call of fit.
    seed : int
        Of the draw, where the rows are drawn.
    incremental : bool
        True for partial_fit, which sees rows once and holds none of them out.
    """
    rows: Rows = slice(0, data.n_rows)
    if data.validation is not None:
        return rows, Holdout(data.validation, slice(0, data.validation.n_rows))
    if incremental or not resolve_early_stopping(estimator.early_stopping, data.n_rows):
        return rows, None
    if data.parts is None:
        fraction = estimator.validation_fraction
        rows, held_out = split_rows(data.n_rows, fraction, data.strata, seed)
    else:
        rows, held_out = (np.flatnonzero(part) for part in data.parts)
        if not (len(rows) and len(held_out)):
            raise ValueError(
                f"validation_split={estimator.validation_split!r} leaves {len(rows)} "
                f"rows to train on and holds out {len(held_out)}, counting rows whose "
                "weight is not zero. Both must be at least 1."
            )
    return rows, Holdout(data, held_out)


def split_by(
    splitter: Any, X: Any, y: Any, groups: Any, classifier: bool
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return the last split of a user's splitter.

    The last one, because that of TimeSeriesSplit trains on most rows; where splits are
    alike, it is as good as any.

    Parameters
    ----------
    splitter : cross-validation generator, or iterable of (train, test)
        What makes the splits.
    X, y, groups : array-like
        What it is called with.
    classifier : bool
        Whether y holds labels.

    Returns
    -------
    train, holdout : ndarray of bool of shape (n_samples,)
        Which rows to train on, and which to hold out. There may be rows in neither.

    Raises
    ------
    ValueError
        If there is no split, or one with rows that do not exist or are in both parts.
    """
    n_rows = y.shape[0]
    # A list of row numbers may be long.
    name = f"validation_split={reprlib.repr(splitter)}"
    train, holdout = np.zeros((2, n_rows), bool)
    try:
        *_, split = check_cv(splitter, y, classifier=classifier).split(X, y, groups)
        train[split[0]], holdout[split[1]] = True, True
    except (ValueError, IndexError, TypeError) as error:
        raise ValueError(
            f"{name} cannot split n_samples={n_rows} rows: {error}"
        ) from error
    both = np.flatnonzero(train & holdout)
    if both.size:
        raise ValueError(
            f"{name} both trains on rows and holds them out: {both[:5].tolist()}"
        )
    return train, holdout


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
