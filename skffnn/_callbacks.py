"""The one place that knows `sklearn.callback`, which came with scikit-learn 1.9."""

from collections.abc import Callable
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Estimators have no ``set_callbacks`` before scikit-learn 1.9."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return `method` as it is."""
        return method


__all__ = ["CallbackSupportMixin", "EpochTasks", "with_callbacks"]


class EpochTasks:
    """Tells the callbacks of an estimator about fit and its epochs.

    Fit is the root task, each epoch a task below it.

    Parameters
    ----------
    estimator : estimator
        The one being fitted.
    data : tuple of X, y and sample_weight
        The user's own, as handed to fit: callbacks score on them, and a validated
        copy would have lost its feature names.
    max_epochs : int
        The most epochs there will be.
    fitted_attributes : callable
        Returns the attributes that make a copy of the estimator a fitted one, as if
        fit ended now.
    """

    def __init__(
        self,
        estimator: Any,
        data: tuple[Any, Any, Any],
        max_epochs: int,
        fitted_attributes: Callable[[], dict[str, Any]],
    ) -> None:
        self._estimator = estimator
        X, y, sample_weight = data
        self._data = {
            "X": X,
            "y": y,
            "metadata": (
                None if sample_weight is None else {"sample_weight": sample_weight}
            ),
        }
        self._fitted_attributes = fitted_attributes
        self._fit: Any = None
        self._epoch: Any = None
        if getattr(estimator, "_skl_callbacks", None):
            self._fit = estimator._init_callback_context(max_subtasks=max_epochs)
            self._fit.call_on_fit_task_begin(estimator=estimator, **self._data)

    def begin(self) -> None:
        """Announce that an epoch begins."""
        if self._fit is not None:
            self._epoch = self._fit.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(
                estimator=self._estimator,
                reconstruction_attributes=self._fitted_attributes,
                **self._data,
            )

    def end(self) -> bool:
        """Announce that the epoch has ended; return True if a callback says stop."""
        if self._epoch is None:
            return False
        epoch, self._epoch = self._epoch, None
        stop: bool = epoch.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=self._fitted_attributes,
            **self._data,
        )
        return stop

    def close(self) -> None:
        """Announce that fit has ended, and with it an epoch that was broken off."""
        if self._fit is None:
            return
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self._estimator)
        self._fit.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=self._fitted_attributes,
            **self._data,
        )
