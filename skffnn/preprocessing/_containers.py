"""What holds a table: frames of pandas and polars, arrays, sparse matrices, lists."""

import sys
from datetime import date, datetime, timedelta
from numbers import Number, Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import validate_data

from skffnn._sparse import check_indices
from skffnn.preprocessing._columns import Column, Levels

__all__ = ["read_array", "read_table"]


# How the names of those dtypes of pandas begin whose columns are read as objects.
OBJECTS = ("str", "large_string", "dictionary", "null", "date32", "date64")


def read_table(transformer: Any, X: Any, reset: bool) -> Any:
    """Return the columns of `X`, or a matrix of numbers as it is.

    Parameters
    ----------
    transformer : TabularPreprocessor
        Where names and number of the columns are stored, or compared.
    X : DataFrame, array-like or sparse matrix of shape (n_rows, n_columns)
        The table.
    reset : bool
        Whether to store them.

    Returns
    -------
    table : list of Column, or ndarray or CSC of shape (n_rows, n_columns)
        The matrix is of numbers, without duplicate entries.
    """
    if _is_frame(X):
        validate_data(transformer, X, reset=reset, skip_check_array=True)
        for n, what in zip(X.shape, ("sample", "feature"), strict=True):
            if n == 0:
                raise ValueError(
                    f"Found array with 0 {what}(s) (shape={X.shape}) while a minimum "
                    "of 1 is required by TabularPreprocessor."
                )
        return _read_frame(X)
    if isinstance(X, list | tuple) and np.asarray(X).dtype.kind in "US":
        X = np.asarray(X, dtype=object)  # else its numbers would be strings
    check_indices(X)
    X = validate_data(
        transformer,
        X,
        accept_sparse="csc",
        dtype=None,
        ensure_all_finite="allow-nan",
        reset=reset,
    )
    if sp.issparse(X):
        X = sp.csc_array(X).astype(np.result_type(X.dtype, np.float32), copy=False)
        if not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
    return X if X.dtype.kind in "iuf" else read_array(X)


def _is_frame(X: Any) -> bool:
    """Return whether `X` is a DataFrame of pandas or polars, importing neither.

    One whose columns are all sparse is not, but a sparse matrix.
    """
    pd, pl = (sys.modules.get(name) for name in ("pandas", "polars"))
    if pd is not None and isinstance(X, pd.DataFrame):
        return not len(X.columns) or not all(
            isinstance(dtype, pd.SparseDtype) and dtype.fill_value == 0
            for dtype in X.dtypes
        )
    return pl is not None and isinstance(X, pl.DataFrame)


def _read_frame(X: Any) -> list[Column]:
    """Return the columns of a DataFrame of pandas or polars."""
    pd = sys.modules.get("pandas")
    if pd is not None and isinstance(X, pd.DataFrame):
        return [_read_pandas(series, str(label)) for label, series in X.items()]
    return [_read_polars(series) for series in X.get_columns()]


def read_array(X: Any) -> list[Column]:
    """Return the columns of an ndarray of any dtype."""
    return [_read_values(X[:, j], f"x{j}") for j in range(X.shape[1])]


def _read_pandas(series: Any, label: str) -> Column:
    pd = sys.modules["pandas"]
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return _read_values(series.to_numpy(), label)
    if isinstance(dtype, pd.CategoricalDtype):
        levels = Levels(series.cat.codes.to_numpy(), dtype.categories.tolist())
        return Column(label, "ordinal" if dtype.ordered else "categorical", levels)
    if str(dtype).startswith(OBJECTS):
        return _read_objects(series.to_numpy(object).tolist(), label)
    if dtype.kind == "b":
        return Column(label, "boolean", series.to_numpy(np.float64, na_value=np.nan))
    if dtype.kind in "iuf":
        is_single = getattr(dtype, "numpy_dtype", None) == np.float32
        values = series.to_numpy(np.float64, na_value=np.nan)
        return Column(label, "numeric", values, is_single)
    if dtype.kind == "M":
        if getattr(getattr(dtype, "pyarrow_dtype", dtype), "tz", None) is not None:
            # pandas before 3 would give the time of UTC for those of pyarrow.
            series = pd.DatetimeIndex(series).tz_localize(None)
        return Column(label, "date", series.to_numpy("datetime64[us]"))
    if dtype.kind == "m":
        unit = getattr(getattr(dtype, "pyarrow_dtype", dtype), "unit", "ns")
        return Column(
            label, "duration", _seconds(series.to_numpy(f"timedelta64[{unit}]"))
        )
    raise _no_such_kind(label, dtype)


def _read_polars(series: Any) -> Column:
    pl = sys.modules["polars"]
    label, dtype = series.name, series.dtype
    if dtype == pl.Boolean:
        return Column(label, "boolean", series.cast(pl.Float64).to_numpy())
    if dtype.is_decimal():
        raise _no_such_kind(label, dtype)
    if dtype.is_numeric():
        values = series.cast(pl.Float64).to_numpy()
        return Column(label, "numeric", values, dtype == pl.Float32)
    if dtype in (pl.Date, pl.Datetime):
        if getattr(dtype, "time_zone", None) is not None:
            series = series.dt.replace_time_zone(None)
        return Column(label, "date", series.to_numpy().astype("datetime64[us]"))
    if dtype == pl.Duration:
        return Column(label, "duration", _seconds(series.to_numpy()))
    if dtype in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        return _read_objects(series.to_list(), label)
    raise _no_such_kind(label, dtype)


def _read_values(values: Any, label: str) -> Column:
    """Return a column of an ndarray."""
    dtype = values.dtype
    if dtype.kind == "b":
        return Column(label, "boolean", values.astype(np.float64))
    if dtype.kind in "iuf":
        is_single = dtype == np.float32
        return Column(label, "numeric", values.astype(np.float64), is_single)
    if dtype.kind == "M":
        return Column(label, "date", values.astype("datetime64[us]"))
    if dtype.kind == "m":
        return Column(label, "duration", _seconds(values))
    if dtype.kind in "OUS":
        return _read_objects(values.tolist(), label)
    raise _no_such_kind(label, dtype)


def _read_objects(values: Any, label: str) -> Column:
    """Return a column of Python objects, whose kind they tell."""
    try:
        distinct = dict.fromkeys(values)
    except TypeError:
        wrong = next(v for v in values if not _is_hashable(v))
        raise TypeError(
            f"Column {label!r} holds {wrong!r}: argument must be a string or a number"
        ) from None
    known = [value for value in distinct if not _is_missing(value)]
    places = dict.fromkeys(distinct, -1)
    places.update(zip(known, range(len(known)), strict=True))
    codes = np.fromiter(map(places.__getitem__, values), np.intp, len(values))
    levels = Levels(codes, known)
    types = set(map(type, known))
    if not types:
        return Column(label, "empty", levels)
    if all(issubclass(t, str | bytes) for t in types):
        return Column(label, "categorical", levels)
    if types <= {bool, np.bool_}:
        floats = np.array([*map(float, known), np.nan])
        return Column(label, "boolean", floats[codes])
    if all(issubclass(t, timedelta | np.timedelta64) for t in types):
        spans = _seconds(np.array([*known, "NaT"], "timedelta64[us]"))
        return Column(label, "duration", spans[codes])
    if all(issubclass(t, Real | np.bool_) for t in types):
        try:
            floats = np.array([*known, np.nan], dtype=np.float64)
        except OverflowError:
            raise ValueError(
                "Input X contains infinity or a value too large for dtype('float64'), "
                f"in column {label!r}."
            ) from None
        return Column(label, "numeric", floats[codes])
    if all(issubclass(t, date | np.datetime64) for t in types):
        if any(getattr(t, "tzinfo", None) is not None for t in known):
            # Equal times, which are one key of a dict, may be read from other clocks.
            known = ["NaT" if _is_missing(value) else value for value in values]
            codes = np.arange(len(known))
        times = [
            t.replace(tzinfo=None) if isinstance(t, datetime) else t for t in known
        ]
        return Column(label, "date", np.array([*times, "NaT"], "datetime64[us]")[codes])
    if any(issubclass(t, complex | np.complexfloating) for t in types):
        raise ValueError(f"Complex data not supported, but column {label!r} holds it")
    odd = [t for t in types if not issubclass(t, str | bytes | Real | np.bool_)]
    if odd:
        wrong = odd[0].__name__
        number = "; convert it to float" if issubclass(odd[0], Number) else ""
        raise TypeError(
            f"Column {label!r} holds objects of type {wrong}{number}: argument must be "
            "a string or a number"
        )
    return Column(label, "categorical", levels)


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _is_missing(value: Any) -> bool:
    """Return whether this is None, NaN, NaT or pandas.NA."""
    if value is None or type(value).__name__ == "NAType":
        return True
    return bool(value != value)


def _seconds(spans: Any) -> Any:
    return spans / np.timedelta64(1, "s")  # NaN where there is none


def _no_such_kind(label: str, dtype: Any) -> TypeError:
    return TypeError(
        f"Column {label!r} has dtype {dtype}, which is none of: number, boolean, "
        "category, string, date and time, duration. Convert it or leave it out."
    )
