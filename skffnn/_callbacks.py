"""The one place that knows `sklearn.callback`, which came with scikit-learn 1.9."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Estimators have no ``set_callbacks`` before scikit-learn 1.9."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return `method` as it is."""
        return method


__all__ = [
    "CallbackSupportMixin",
    "EpochTasks",
    "MemberTask",
    "MemberTasks",
    "with_callbacks",
]


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
        self._data = arguments_of_hooks(data)
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


class MemberTasks:
    """Tells the callbacks of an ensemble about fit and its members.

    Fit is the root task, each member a task below it, and the member's own fit and
    epochs are below that.

    Parameters
    ----------
    ensemble : estimator
        The one being fitted.
    data : tuple of X, y and sample_weight
        The user's own.
    n_members : int
        How many members there are.
    """

    def __init__(
        self, ensemble: Any, data: tuple[Any, Any, Any], n_members: int
    ) -> None:
        self._ensemble = ensemble
        self._data = arguments_of_hooks(data)
        self._fit: Any = None
        if getattr(ensemble, "_skl_callbacks", None):
            self._fit = ensemble._init_callback_context(
                max_subtasks=n_members, sequential_subtasks=False
            )
            self._fit.call_on_fit_task_begin(estimator=ensemble, **self._data)

    def of_member(self, number: int) -> "MemberTask | None":
        """Return the task of one member, which may run in another process."""
        if self._fit is None:
            return None
        context = self._fit.subcontext(task_name="member", task_id=number)
        return MemberTask(self._ensemble, context)

    def close(self) -> None:
        """Announce that fit has ended, and that the ensemble is a fitted one."""
        if self._fit is not None:
            self._fit.call_on_fit_task_end(
                estimator=self._ensemble, reconstruction_attributes=dict, **self._data
            )


@dataclass(frozen=True, eq=False)
class MemberTask:
    """The callbacks' view of the training of one member.

    Parameters
    ----------
    ensemble : estimator
        Whose member it is.
    context : CallbackContext
        scikit-learn's.
    """

    ensemble: Any
    context: Any

    def run(self, member: Any, train: Callable[[], None]) -> None:
        """Have `member` trained, with the callbacks of the ensemble."""
        with self.context.propagate_callback_context(member):
            self.context.call_on_fit_task_begin(estimator=self.ensemble)
            train()
        self.context.call_on_fit_task_end(estimator=self.ensemble)


def arguments_of_hooks(data: tuple[Any, Any, Any]) -> dict[str, Any]:
    """Return X, y and sample_weight as callbacks take them."""
    X, y, sample_weight = data
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return {"X": X, "y": y, "metadata": metadata}
