"""A solver decides how many rows one step sees; batches are those rows, in order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from skffnn.core.typing import Rows

__all__ = [
    "FEW_ROWS",
    "SOLVERS",
    "Batches",
    "auto_batch_size",
    "count",
    "split",
    "spread",
]


def all_rows(n_rows: int, batch_size: int) -> int:
    """Return every row: gradient descent."""
    return n_rows


def some_rows(n_rows: int, batch_size: int) -> int:
    """Return `batch_size`, or all rows where there are fewer."""
    return min(batch_size, n_rows)


def one_row(n_rows: int, batch_size: int) -> int:
    """Return one: stochastic gradient descent (Robbins and Monro 1951)."""
    return 1


SOLVERS: dict[str, Callable[[int, int], int]] = {
    "batch": all_rows,
    "mini-batch": some_rows,
    "stochastic": one_row,
}


# So few rows train together.
FEW_ROWS = 64


def auto_batch_size(n_rows: int) -> int:
    """Return the batch size of the mini-batch solver where the user names none.

    All rows up to 64; of more rows a sixteenth, but at least 16 and at most 256: small
    data needs many steps per epoch more than it needs smooth ones. Or the next smaller
    size whose last batch is at least half full: it takes a full step too.
    """
    if n_rows <= FEW_ROWS:
        return n_rows
    most = max(16, min(256, n_rows // 16))
    sizes = range(most, 0, -1)
    return next(size for size in sizes if 2 * ((n_rows - 1) % size + 1) >= size)


@dataclass(frozen=True)
class Batches:
    """The training rows, cut anew for every epoch.

    Parameters
    ----------
    rows : slice or ndarray of int
        The rows to train on.
    size : int
        How many of them one step sees. The last batch of an epoch may be shorter.
    shuffle : bool
        Whether each epoch visits the rows in a new random order.
    ordered : bool, default=False
        Whether the order matters also where one batch holds all rows.
    """

    rows: Rows = field(compare=False)
    size: int
    shuffle: bool
    ordered: bool = False

    def __len__(self) -> int:
        """Return the number of steps in an epoch."""
        return -(-count(self.rows) // self.size)

    def epoch(self, rng: np.random.Generator) -> Iterator[Rows]:
        """Return the rows of one step after the other."""
        rows = self.rows
        n_rows = count(rows)
        if self.shuffle and (self.size < n_rows or self.ordered):
            order = rng.permutation(n_rows)
            if isinstance(rows, slice):
                order += rows.start
                rows = order
            else:
                rows = rows[order]
        return split(rows, self.size)


def count(rows: Rows) -> int:
    """Return the number of rows."""
    return rows.stop - rows.start if isinstance(rows, slice) else len(rows)


def spread(rows: Rows, most: int) -> Rows:
    """Return at most `most` of the rows, every so many."""
    numbers = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
    return numbers[:: -(-len(numbers) // most)]


def split(rows: Rows, size: int) -> Iterator[Rows]:
    """Cut `rows` into consecutive pieces of at most `size` rows."""
    if isinstance(rows, slice):
        for start in range(rows.start, rows.stop, size):
            yield slice(start, min(start + size, rows.stop))
    else:
        for start in range(0, len(rows), size):
            yield rows[start : start + size]
