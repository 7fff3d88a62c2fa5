"""Hyperparameters of user-made objects are checked where they are made."""

import math


def require(owner: object, **intervals: str) -> None:
    """Raise ValueError unless each named field of `owner` lies in its interval.

    Parameters
    ----------
    owner : object
        Has the fields.
    **intervals : str
        Field name to an interval such as ``"[0, 1)"`` or ``"(0, inf)"``.
    """
    for name, interval in intervals.items():
        value = getattr(owner, name)
        low, high = (float(end) for end in interval[1:-1].split(","))
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        above = number >= low if interval[0] == "[" else number > low
        below = number <= high if interval[-1] == "]" else number < high
        if not (above and below):
            raise ValueError(
                f"{name} of {type(owner).__name__} must be a number in {interval}, "
                f"got {value!r}"
            )
