"""Warnings that point at the user's line, however deep in the package they arise."""

import sys
import warnings

__all__ = ["warn"]

# Members of an ensemble are called by way of the last two.
PACKAGES = ("skffnn.", "sklearn.callback.", "sklearn.utils.parallel.", "joblib.")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the first line of the call stack outside of this package."""
    level, frame = 1, sys._getframe()
    while frame.f_back and f"{frame.f_globals.get('__name__')}.".startswith(PACKAGES):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
