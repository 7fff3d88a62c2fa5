"""Numbers in intervals: hyperparameters where an object is made, and targets."""

import math
from numbers import Real
from typing import Any

import numpy as np

from skffnn.core.typing import Array

__all__ = ["first_outside", "require"]


def require(owner: object, **intervals: str) -> None:
    """Raise ValueError unless each named field of `owner` lies in its interval.

    A number of numpy's becomes one of Python's: np.float64 would widen float32 arrays.

    Parameters
    ----------
    owner : object
        Has the fields.
    **intervals : str
        Field name to an interval such as ``"[0, 1)"`` or ``"(0, inf)"``.
    """
    for name, interval in intervals.items():
        value = getattr(owner, name)
        if isinstance(value, np.generic):
            value = value.item()
            object.__setattr__(owner, name, value)
        number = float(value) if isinstance(value, Real) else math.nan
        if not inside(np.float64(number), interval):
            raise ValueError(
                f"{name} of {type(owner).__name__} must be a number in {interval}, "
                f"got {value!r}"
            )


def first_outside(values: Array, interval: str) -> float | None:
    """Return the first of the values that does not lie in an interval, if there is one.

    Parameters
    ----------
    values : ndarray
        Numbers, none of them missing.
    interval : str
        Such as ``"[0, inf)"``.
    """
    outside = ~inside(values, interval)
    return values[outside][0].item() if outside.any() else None


def inside(values: Any, interval: str) -> Any:
    """Return for every number whether it lies in the interval; NaN does not."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    above = values >= low if interval[0] == "[" else values > low
    below = values <= high if interval[-1] == "]" else values < high
    return above & below
