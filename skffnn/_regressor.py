"""Numbers around the network."""

from collections.abc import Callable, Sequence
from numbers import Real
from os import PathLike
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from skffnn._base import BaseFFNN, Interval, StrOptions, loss_constraint
from skffnn._checkpoint import Checkpoint
from skffnn._combinations import partial_fit_is_possible
from skffnn._docs import document
from skffnn._explained import share_explained
from skffnn._losses import scales_target
from skffnn._number_targets import NumberTargets
from skffnn.core.activations import Activation
from skffnn.core.averaging import Averaging
from skffnn.core.layer_rates import LayerRates
from skffnn.core.links import LINKS
from skffnn.core.losses import LOSSES, Loss
from skffnn.core.optimizers import Optimizer
from skffnn.core.typing import Array

__all__ = ["FFNNRegressor"]


@document
class FFNNRegressor(RegressorMixin, BaseFFNN):
    """Feedforward neural network for regression.

    A multi-layer perceptron trained by backpropagation in numpy. It minimises

        J = sum_i w_i loss(y_i, f(x_i)) / sum_i w_i + alpha / 2 * sum ||W||^2

    on all rows, on mini-batches, or row by row (`solver`), with the update rule of
    your choice (`optimizer`).

    Read more in the :ref:`user guide <how_it_works>`.

    Parameters
    ----------
    {network}

    loss : str or Loss, default="squared_error"
        What a row costs, summed over the targets; see :ref:`losses` for the formulas.
        By name {regression_losses}, or a ``Loss`` of your own. "quantile" predicts
        quantiles, "gaussian_nll" a standard deviation too. "poisson" needs y >= 0,
        "gamma" y > 0, "tweedie" what its `power` allows.

    quantile : float in (0, 1) or sequence of float, default=0.5
        What "quantile" predicts. Those of a sequence, in increasing order, are a last
        axis of the predictions: they come from one network and never cross.

    delta : float > 0, default=1.0
        Residuals that are larger count linearly in "huber". In standard deviations of
        y, or in its unit where `scale_target` is False, or `out_activation` bounds it.

    power : float in [1, 2], default=1.5
        Of "tweedie": the variance is proportional to the mean to this power. 1 is
        "poisson", 2 is "gamma".

    out_activation : {output_links}, default="auto"
        What bends the output, so that predictions stay in a range: "logistic" in
        (0, 1), "tanh" in (-1, 1), "softplus" and "exp" above 0. Targets must lie in it,
        ends included. "auto" is the loss's own: "exp" for "poisson", "gamma" and
        "tweedie", which allow no other, and "identity" for the rest.

    scale_target : bool, default=True
        Whether the network learns targets of mean zero and standard deviation one,
        weighted, and predictions are taken back to the unit of y. Then neither `alpha`
        nor the learning rate depends on that unit. `loss_curve_` holds J of the scaled
        targets. Behind "softplus" and "exp" as `out_activation` they are only divided
        by the standard deviation; behind other ones, and for "poisson", "gamma" and
        "tweedie", they stay what they are. `partial_fit` takes both numbers from its
        first block.

    clip_predictions : bool, default=False
        Whether predictions are clipped to the range of the targets seen so far, each
        output to its own. Standard deviations are left alone.

    missing_targets : {"error", "ignore"}, default="error"
        What to do about NaN in y. "ignore" leaves the target out of the loss of its
        row, the other targets of which still count. A row without any target is no
        row.

    {training}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    FFNNClassifier : The same network for classification.
    sklearn.neural_network.MLPRegressor : The one of scikit-learn.

    Notes
    -----
    {notes}

    References
    ----------
    {references}

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from sklearn.model_selection import train_test_split
    >>> from skffnn import FFNNRegressor
    >>> X, y = make_friedman1(n_samples=500, random_state=0)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> model = FFNNRegressor(random_state=0).fit(X_train, y_train)
    >>> bool(model.score(X_test, y_test) > 0.9)
    True
    """

    _parameter_constraints = {
        **BaseFFNN._parameter_constraints,
        "loss": loss_constraint("continuous"),
        # The loss has the last word on what may be a sequence.
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "delta": [Interval(Real, 0, None, closed="neither")],
        "power": [Interval(Real, 1, 2, closed="both")],
        "out_activation": [StrOptions({"auto", *LINKS})],
        "scale_target": ["boolean"],
        "clip_predictions": ["boolean"],
        "missing_targets": [StrOptions({"error", "ignore"})],
    }

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (128, 128, 128),
        activation: str | Activation | Sequence[str | Activation] = "mish",
        *,
        preprocessing: Any = "auto",
        solver: str = "mini-batch",
        optimizer: str | Optimizer = "auto",
        loss: str | Loss = "squared_error",
        quantile: float | Sequence[float] = 0.5,
        delta: float = 1.0,
        power: float = 1.5,
        out_activation: str = "auto",
        scale_target: bool = True,
        clip_predictions: bool = False,
        missing_targets: str = "error",
        alpha: float | str = "auto",
        l1_ratio: float = 0.0,
        dropout: float | Sequence[float] | str = "auto",
        input_dropout: float = 0.0,
        dropout_schedule: str | Callable[[int, int], float] = "auto",
        layer_norm: bool = False,
        input_scale: bool | str = "auto",
        n_members: int | str = "auto",
        max_norm: float | None = None,
        batch_size: int | str = "auto",
        learning_rate: str | Callable[[int, int], float] = "auto",
        learning_rate_init: float | str = "auto",
        layer_rates: str | LayerRates = "auto",
        power_t: float = 0.5,
        max_iter: int | str = "auto",
        max_time: float | None = None,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        checkpoint: str | PathLike[str] | Checkpoint | None = None,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool | str = "auto",
        scoring: str | Callable[..., float] = "loss",
        validation_fraction: float = 0.15,
        validation_split: Any = None,
        refit: bool = False,
        beta_1: float = 0.9,
        beta_2: float | str = "auto",
        weight_decay: float | str = "auto",
        epsilon: float = 1e-8,
        n_iter_no_change: int | str = "auto",
        max_fun: int = 15_000,
        max_grad_norm: float | None = None,
        average: bool | float | str | Averaging = "auto",
    ) -> None:
        self.quantile = quantile
        self.delta = delta
        self.power = power
        self.out_activation = out_activation
        self.scale_target = scale_target
        self.clip_predictions = clip_predictions
        self.missing_targets = missing_targets
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            preprocessing=preprocessing,
            solver=solver,
            optimizer=optimizer,
            loss=loss,
            alpha=alpha,
            l1_ratio=l1_ratio,
            dropout=dropout,
            input_dropout=input_dropout,
            dropout_schedule=dropout_schedule,
            layer_norm=layer_norm,
            input_scale=input_scale,
            n_members=n_members,
            max_norm=max_norm,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            layer_rates=layer_rates,
            power_t=power_t,
            max_iter=max_iter,
            max_time=max_time,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            checkpoint=checkpoint,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            scoring=scoring,
            validation_fraction=validation_fraction,
            validation_split=validation_split,
            refit=refit,
            beta_1=beta_1,
            beta_2=beta_2,
            weight_decay=weight_decay,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
            max_grad_norm=max_grad_norm,
            average=average,
        )

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Fit the network to X and y.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features: a DataFrame with columns of any kind, or numbers. With
            ``preprocessing=None`` numbers only; float32 is then computed in float32,
            everything else in float64.
        y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_outputs)
            Target values. NaN where they are missing, with
            ``missing_targets="ignore"``.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, not negative. Weight 2 is the same as the row twice,
            exactly so in full batches and on average in smaller ones; weight 0 is the
            same as no row; a common factor changes nothing.
        groups : array-like of shape (n_samples,), default=None
            Passed on to `validation_split`, to splitters such as
            :class:`~sklearn.model_selection.GroupShuffleSplit`.
        X_val : array-like of shape (n_val, n_features), default=None
            Features of a hold-out of your own, in place of one that is taken from X;
            whatever X may be. In a :class:`~sklearn.pipeline.Pipeline` with
            ``transform_input=["X_val"]`` it is transformed as X is.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Its targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Its weights.

        Returns
        -------
        self : FFNNRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, a combination of parameters, X, y or a weight is not
            allowed, or a target is not what the loss is meant for. A model fitted
            before is left as it was.
        """
        validation = (X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, groups=groups, validation=validation)

    @available_if(partial_fit_is_possible)
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train one epoch on X and y, going on from the last call.

        Called k times on the same rows it is a ``fit`` with ``max_iter=k`` that does
        not converge before, with ``learning_rate="constant"``, which "auto" means here,
        and with ``early_stopping=False``. After `fit` it goes on with the parameters
        and the random stream, but with an optimizer and an average that start afresh,
        unless `warm_start` is True.

        With a validation set each call adds to `validation_scores_`. Once
        `n_iter_no_change` calls in a row have not improved the score, `stop_reason_` is
        "early_stopping", and the parameters are those of the best call; from then on
        only a call changes them that scores at least as well, or has no validation set.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.
        y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_outputs)
            Target values; NaN where they are missing, with
            ``missing_targets="ignore"``.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, relative to the mean weight over all calls so far.
        X_val : array-like of shape (n_val, n_features), default=None
            Features of rows that judge the epoch, whatever X may be. Needs
            ``early_stopping="auto"``.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : FFNNRegressor
            The trained estimator.

        Raises
        ------
        ValueError
            As :meth:`fit`; also where the first call settled it otherwise. The model is
            left as it was.
        """
        validation = (X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, validation=validation, incremental=True)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict target values.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.
        return_std : bool, default=False
            Whether to return a standard deviation for every prediction as well. Needs
            ``loss="gaussian_nll"``.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, in the shape that y had in fit; float64, or with
            ``preprocessing=None`` in the precision X had in fit. With several quantiles
            these are a last axis more, in increasing order.
        y_std : ndarray of the same shape
            Standard deviations, with `return_std` only.

        Raises
        ------
        ValueError
            If `return_std` is True and the loss has no standard deviation.
        """
        raw = self._raw_predict(X)
        y = self._targets.decode(self._loss.predict(raw), self.clip_predictions)
        if return_std:
            return y, self._targets.decode_std(self._loss.predict_std(raw))
        return y

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R2 of the predictions; of several quantiles the share explained.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            :func:`~sklearn.metrics.r2_score`. Where `quantile` is a sequence, the mean
            over its quantiles of :func:`~sklearn.metrics.d2_pinball_score`, the share
            of the pinball loss of the constant quantile that is saved. With
            ``missing_targets="ignore"`` each output is scored where its target is not
            NaN, and the score is the mean over outputs.
        """
        return share_explained(self, y, self.predict(X), sample_weight)

    def _allows_missing_targets(self) -> bool:
        return bool(self.missing_targets == "ignore")

    def _make_targets(
        self, y: Array, weight: Array | None, classes: Any, incremental: bool
    ) -> NumberTargets:
        scaled, centered = scales_target(self)
        return NumberTargets(y, weight, scaled, centered)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self._needs_positive_targets()
        return tags

    def _needs_positive_targets(self) -> bool:
        """Return whether the loss or the output activation asks for y >= 0 at least."""
        loss = self.loss
        if isinstance(loss, str):
            loss = LOSSES.get(loss, {}).get("continuous")
        link = LINKS.get(str(self.out_activation))
        ranges = (getattr(loss, "target_range", ""), getattr(link, "range", ""))
        return any("0, inf" in interval for interval in ranges)
