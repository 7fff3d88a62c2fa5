"""The figure of a learning rate range test, after scikit-learn's Display convention."""

from typing import Any, Self

from sklearn.pipeline import Pipeline

from skffnn._learning_rate import learning_rate_curve
from skffnn.core.typing import Array

__all__ = ["LearningRateCurveDisplay"]


class LearningRateCurveDisplay:
    """Loss by learning rate, while the rate grows from step to step.

    It is recommended to use :meth:`from_estimator` to create it. All parameters are
    stored as attributes.

    Parameters
    ----------
    rates : ndarray of shape (n_steps,)
        The learning rate of each step.
    losses : ndarray of shape (n_steps,)
        The loss of each step.
    smoothed_losses : ndarray of shape (n_steps,) or None, default=None
        Their moving average.
    suggested_rate : float or None, default=None
        The rate to mark.
    estimator_name : str or None, default=None
        Name to show in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure that holds them.
    line_ : matplotlib Artist
        The loss of each step.
    smoothed_line_ : matplotlib Artist or None
        The moving average.
    suggested_line_ : matplotlib Artist or None
        The mark of the suggested rate.

    See Also
    --------
    learning_rate_curve : Computes what is drawn.
    LossCurveDisplay : Loss by epoch.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skffnn import FFNNClassifier, LearningRateCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> display = LearningRateCurveDisplay.from_estimator(
    ...     FFNNClassifier(random_state=0), X, y
    ... )  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        rates: Array,
        losses: Array,
        smoothed_losses: Array | None = None,
        suggested_rate: float | None = None,
        estimator_name: str | None = None,
    ) -> None:
        self.rates = rates
        self.losses = losses
        self.smoothed_losses = smoothed_losses
        self.suggested_rate = suggested_rate
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        min_rate: float = 1e-6,
        max_rate: float = 10.0,
        n_steps: int = 200,
        smoothing: float = 0.9,
        ax: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Run the range test of an estimator and plot it.

        Parameters
        ----------
        estimator : FFNNClassifier, FFNNRegressor or Pipeline
            Not changed, and need not be fitted.
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.
        min_rate, max_rate : float, default=1e-6 and 10.0
            The rates of the first and the last step.
        n_steps : int >= 2, default=200
            The number of steps.
        smoothing : float in [0, 1), default=0.9
            Decay of the moving average.
        ax : matplotlib Axes or None, default=None
            Where to plot; None makes a new figure.
        name : str or None, default=None
            Name for the legend; None takes the name of the class.
        **kwargs : dict
            Passed to matplotlib's `plot` for both curves.

        Returns
        -------
        display : LearningRateCurveDisplay
            What was plotted.
        """
        curve = learning_rate_curve(
            estimator,
            X,
            y,
            sample_weight=sample_weight,
            min_rate=min_rate,
            max_rate=max_rate,
            n_steps=n_steps,
            smoothing=smoothing,
        )
        network = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        name = type(network).__name__ if name is None else name
        return cls(**curve, estimator_name=name).plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Plot the curves and mark the suggested rate.

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
        display : LearningRateCurveDisplay
            This object, with the artists as attributes.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots()
        name = self.estimator_name if name is None else name
        prefix = "" if name is None else f"{name}, "
        (self.line_,) = ax.plot(
            self.rates,
            self.losses,
            **{"label": f"{prefix}each step", "alpha": 0.4, **kwargs},
        )
        self.smoothed_line_ = self.suggested_line_ = None
        if self.smoothed_losses is not None:
            (self.smoothed_line_,) = ax.plot(
                self.rates,
                self.smoothed_losses,
                **{"label": f"{prefix}smoothed", **kwargs},
            )
        if self.suggested_rate is not None:
            self.suggested_line_ = ax.axvline(
                self.suggested_rate,
                color="gray",
                linestyle=":",
                label=f"suggested rate ({self.suggested_rate:.2g})",
            )
        ax.set(xlabel="Learning rate", ylabel="Loss", xscale="log")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
