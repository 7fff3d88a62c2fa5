"""Figures of a training run, after scikit-learn's Display convention."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

__all__ = ["LossCurveDisplay"]


class LossCurveDisplay:
    """Loss by epoch, on the training rows and on the hold-out.

    It is recommended to use :meth:`from_estimator` to create it. All parameters are
    stored as attributes.

    Parameters
    ----------
    loss_curve : sequence of float
        J of each epoch.
    validation_loss_curve : sequence of float or None, default=None
        Mean loss of the hold-out after each epoch, if there was one; NaN for an epoch
        that had none.
    best_epoch : int or None, default=None
        The epoch to mark, counted from one. None means the one whose loss was lowest,
        on the hold-out if there was one; the last of equals.
    estimator_name : str or None, default=None
        Name to show in the legend.

    Attributes
    ----------
    best_epoch : int
        The epoch that is marked.
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure that holds them.
    line_ : matplotlib Artist
        The training loss.
    validation_line_ : matplotlib Artist or None
        The loss of the hold-out.
    best_line_ : matplotlib Artist
        The mark of the best epoch.

    See Also
    --------
    FFNNClassifier : Has `loss_curve_` and `validation_loss_curve_` once fitted.
    FFNNRegressor : Likewise.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skffnn import FFNNClassifier, LossCurveDisplay
    >>> model = FFNNClassifier(early_stopping=True, random_state=0)
    >>> model = model.fit(*load_iris(return_X_y=True))
    >>> display = LossCurveDisplay.from_estimator(model)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        loss_curve: Sequence[float],
        validation_loss_curve: Sequence[float] | None = None,
        best_epoch: int | None = None,
        estimator_name: str | None = None,
    ) -> None:
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.estimator_name = estimator_name
        judged = loss_curve if validation_loss_curve is None else validation_loss_curve
        if not len(judged):
            raise ValueError("there is nothing to plot: no epoch was finished")
        if best_epoch is None:
            best_epoch = len(judged) - int(np.nanargmin(list(judged)[::-1]))
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Any = None, name: str | None = None, **kwargs: Any
    ) -> Self:
        """Plot the training run of a fitted estimator.

        Parameters
        ----------
        estimator : FFNNClassifier, FFNNRegressor or Pipeline
            Fitted; a pipeline must end with one of them.
        ax : matplotlib Axes or None, default=None
            Where to plot; None makes a new figure.
        name : str or None, default=None
            Name for the legend; None takes the name of the class.
        **kwargs : dict
            Passed to matplotlib's `plot` for both curves.

        Returns
        -------
        display : LossCurveDisplay
            What was plotted.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If it has no loss curve, or none of its epochs was finished.
        """
        network = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        check_is_fitted(network)
        if not hasattr(network, "validation_loss_curve_"):
            raise ValueError(
                "estimator must be a FFNNClassifier, a FFNNRegressor or a Pipeline "
                f"that ends with one, got {type(network).__name__}"
            )
        display = cls(
            loss_curve=network.loss_curve_,
            validation_loss_curve=network.validation_loss_curve_,
            best_epoch=network.best_epoch_,
            estimator_name=type(network).__name__ if name is None else name,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Plot the curves and mark the best epoch.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to plot; None makes a new figure.
        name : str or None, default=None
            Name for the legend; None takes `estimator_name`.
        **kwargs : dict
            Passed to matplotlib's `plot` for both curves.

        Returns
        -------
        display : LossCurveDisplay
            This object, with the artists as attributes.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots()
        name = self.estimator_name if name is None else name
        prefix = "" if name is None else f"{name}, "
        epochs = np.arange(1, len(self.loss_curve) + 1)
        (self.line_,) = ax.plot(
            epochs, self.loss_curve, **{"label": f"{prefix}training", **kwargs}
        )
        self.validation_line_ = None
        if self.validation_loss_curve is not None:
            losses = np.asarray(self.validation_loss_curve)
            judged = np.isfinite(losses)
            (self.validation_line_,) = ax.plot(
                1 + np.flatnonzero(judged),
                losses[judged],
                **{"label": f"{prefix}hold-out", **kwargs},
            )
        self.best_line_ = ax.axvline(
            self.best_epoch,
            color="gray",
            linestyle=":",
            label=f"best epoch ({self.best_epoch})",
        )
        ax.set(xlabel="Epoch", ylabel="Loss")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
