"""The fitted map from the columns of a table to those of a matrix."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from skffnn.preprocessing._categories import MISSING, OneHot
from skffnn.preprocessing._containers import read_array
from skffnn.preprocessing._measures import Measure, Numbers
from skffnn.preprocessing._numeric import NumericEncoder

__all__ = ["Plan", "Rows", "read_rows"]

Feature = Measure | OneHot


@dataclass(frozen=True, eq=False)
class Rows:
    """What was read of a table, not encoded yet.

    Parameters
    ----------
    numbers : ndarray or CSC of shape (n_rows, n_measures)
        Numbers of all columns that are not one-hot; NaN where missing.
    codes : dict of int to ndarray of shape (n_rows,)
        Codes of the columns that are, by their position.
    """

    numbers: Any
    codes: dict[int, Any] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.numbers.shape[0]

    def missing(self, column: int, measure: int) -> Any:
        """Return in which rows the column, or its first measure, is missing."""
        if column in self.codes:
            return self.codes[column] == MISSING
        if not sp.issparse(self.numbers):
            return np.isnan(self.numbers[:, measure])
        stored = slice(*self.numbers.indptr[measure : measure + 2])
        result = np.zeros(self.numbers.shape[0], dtype=bool)
        result[self.numbers.indices[stored]] = np.isnan(self.numbers.data[stored])
        return result

    def n_missing(self, column: int, measure: int) -> int:
        """Return in how many rows it is missing."""
        if column in self.codes or not sp.issparse(self.numbers):
            return int(np.count_nonzero(self.missing(column, measure)))
        stored = slice(*self.numbers.indptr[measure : measure + 2])
        return int(np.count_nonzero(np.isnan(self.numbers.data[stored])))

    def take(self, kept: Any) -> "Rows":
        """Return these rows only."""
        codes = {column: codes[kept] for column, codes in self.codes.items()}
        return Rows(self.numbers[kept], codes)


def read_rows(features: Sequence[Feature], table: Any) -> Rows:
    """Read each column as its feature says.

    Parameters
    ----------
    features : sequence of Measure or OneHot
        One per column.
    table : list of Column, or ndarray or CSC of numbers
        The columns.
    """
    if not isinstance(table, list):
        if set(map(type, features)) == {Numbers}:
            return Rows(table.astype(np.float64, copy=False))
        if sp.issparse(table):
            raise ValueError(
                "X is sparse, but not all of its columns were numbers in fit"
            )
        table = read_array(table)
    numbers, codes = [], {}
    for j, (feature, column) in enumerate(zip(features, table, strict=True)):
        if isinstance(feature, OneHot):
            codes[j] = feature.codes(column)
            continue
        read = feature.read(column)
        if np.isinf(read).any():
            raise ValueError(
                "Input X contains infinity or a value too large for dtype('float64'), "
                f"in column {column.label!r}."
            )
        numbers.append(read)
    empty = np.empty((table[0].n_rows, 0))
    return Rows(np.hstack([empty, *numbers]), codes)


class Plan:
    """Where each column of the output comes from; in the order of the input.

    Parameters
    ----------
    features : sequence of Measure or OneHot
        How each input column is read.
    encoder : NumericEncoder
        What the measures become.
    training : Rows or None
        What has missing values in these gets an indicator of them.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        encoder: NumericEncoder,
        training: Rows | None,
    ) -> None:
        self.features = features
        self.encoder = encoder
        self.sources: list[tuple[int, str]] = []
        self.number_slots: Any = []
        self.one_hot_starts: dict[int, int] = {}
        self.first_measure: dict[int, int] = {}
        self.indicators: list[tuple[int, int, int]] = []  # column, measure, slot
        measure = 0
        for j, feature in enumerate(features):
            start, first = len(self.sources), measure
            if isinstance(feature, OneHot):
                self.one_hot_starts[j] = start
                self.sources += [(j, suffix) for suffix in feature.suffixes]
            else:
                self.first_measure[j] = first
                for part in feature.suffixes:
                    codes = encoder.suffixes(measure)
                    self.sources += [(j, part + suffix) for suffix in codes]
                    measure += 1
                self.number_slots += range(start, len(self.sources))
            if training and 0 < training.n_missing(j, first) < training.n_rows:
                self.indicators.append((j, first, len(self.sources)))
                self.sources.append((j, "_missing"))
        self.number_slots = np.array(self.number_slots, dtype=np.intp)
        self._all_numbers = len(self.number_slots) == len(self.sources)
        self.at_zero = np.zeros(len(self.sources))
        self.at_zero[self.number_slots] = encoder.dense(
            np.zeros((1, measure)), np.float64
        )[0]
        self.offset = np.zeros(len(self.sources))

    @property
    def width(self) -> int:
        """Number of output columns."""
        return len(self.sources)

    def memory_if_sparse(self, rows: Rows, dtype: Any) -> float:
        """Return the memory of the output as CSR, at most, per memory as ndarray."""
        n_rows = rows.n_rows
        if sp.issparse(rows.numbers):
            stored = np.diff(rows.numbers.indptr)
        else:
            stored = np.full(rows.numbers.shape[1], n_rows)
        n_nonzero = stored @ self.encoder.widths
        n_nonzero += sum(np.count_nonzero(c >= 0) for c in rows.codes.values())
        n_nonzero += sum(rows.n_missing(j, m) for j, m, _ in self.indicators)
        n_bytes = n_nonzero * (dtype.itemsize + 4) + n_rows * 4
        return float(n_bytes / (n_rows * self.width * dtype.itemsize))

    def names(self, inputs: Sequence[Any]) -> Any:
        """Return names of the output columns, all different."""
        names: dict[str, None] = {}
        for j, suffix in self.sources:
            name = f"{inputs[j]}{suffix}"
            while name in names:
                name += "_"
            names[name] = None
        return np.array(list(names), dtype=object)

    def encode(self, rows: Rows, dtype: Any) -> Any:
        """Return the output as an ndarray."""
        shift = self._shift(rows)
        if sp.issparse(rows.numbers):
            result = self._nonzero(rows, np.float64).toarray()
        else:
            codes = self.encoder.dense(rows.numbers, dtype)
            if self._all_numbers and shift is None:
                return codes
            every = np.arange(len(codes))
            result = np.zeros((len(codes), self.width), dtype=dtype)
            result[:, self.number_slots] = codes
            for columns, values in self._entries(rows):
                result[every, columns] = values
        if shift is not None:
            result = result + shift
        return result.astype(dtype, copy=False)

    def encode_sparse(self, rows: Rows, dtype: Any) -> Any:
        """Return the output as CSR."""
        if self._shift(rows) is not None:
            return sp.csr_array(self.encode(rows, dtype))
        return self._nonzero(rows, dtype)

    def _shift(self, rows: Rows) -> Any:
        """Return what must be added to codes of `rows`, None if that is nothing."""
        shift = -self.offset
        if sp.issparse(rows.numbers):
            shift = shift + self.at_zero
        return shift if shift.any() else None

    def _nonzero(self, rows: Rows, dtype: Any) -> Any:
        """Return codes as CSR; for sparse rows, minus those of zero."""
        if sp.issparse(rows.numbers):
            codes = self.encoder.sparse(rows.numbers).tocoo()
        else:
            codes = sp.coo_array(self.encoder.dense(rows.numbers, dtype))
        i, columns, data = [codes.row], [self.number_slots[codes.col]], [codes.data]
        for places, values in self._entries(rows):
            there = np.flatnonzero(values)
            i.append(there)
            columns.append(np.broadcast_to(places, values.shape)[there])
            data.append(values[there])
        shape = (rows.n_rows, self.width)
        index = np.int32 if max(shape) < 2**31 else np.int64
        places = tuple(np.concatenate(p).astype(index) for p in (i, columns))
        values = np.concatenate(data).astype(dtype)
        return sp.csr_array(sp.coo_array((values, places), shape))

    def _entries(self, rows: Rows) -> Any:
        """Yield where a row has a number of its own, and the numbers."""
        for j, start in self.one_hot_starts.items():
            places, values = self.features[j].entries(rows.codes[j])  # type: ignore[union-attr]
            yield start + places, values
        for column, measure, slot in self.indicators:
            yield slot, rows.missing(column, measure).astype(np.float64)
