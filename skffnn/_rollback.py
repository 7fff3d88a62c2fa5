"""What an estimator knows of the columns of X survives a fit that fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["columns_kept_on_error"]

NAMES = ("n_features_in_", "feature_names_in_")


@contextmanager
def columns_kept_on_error(estimator: Any) -> Iterator[None]:
    """Give an estimator its number and names of columns back if the block raises.

    scikit-learn sets them when it looks at X, long before training can fail.
    """
    fitted = vars(estimator)
    before = {name: fitted[name] for name in NAMES if name in fitted}
    try:
        yield
    except BaseException:
        for name in NAMES:
            fitted.pop(name, None)
        fitted.update(before)
        raise
