"""Labels and probabilities around the network."""

from collections.abc import Callable, Sequence
from numbers import Real
from os import PathLike
from typing import Any, Self

import numpy as np
from scipy.special import logsumexp
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from skffnn._base import CLASS_WEIGHTS, IS_AUTO, BaseFFNN, Interval, loss_constraint
from skffnn._checkpoint import Checkpoint
from skffnn._combinations import partial_fit_is_possible
from skffnn._docs import document
from skffnn._label_targets import LabelTargets, is_multilabel
from skffnn._targets import Targets
from skffnn._weights import class_weighted
from skffnn.core.activations import Activation
from skffnn.core.averaging import Averaging
from skffnn.core.layer_rates import LayerRates
from skffnn.core.losses import Loss
from skffnn.core.optimizers import Optimizer
from skffnn.core.typing import Array

__all__ = ["FFNNClassifier"]


@document
class FFNNClassifier(ClassifierMixin, BaseFFNN):
    """Feedforward neural network for classification.

    A multi-layer perceptron trained by backpropagation in numpy. It minimises

        J = sum_i w_i loss(y_i, f(x_i)) / sum_i w_i + alpha / 2 * sum ||W||^2

    on all rows, on mini-batches, or row by row (`solver`), with the update rule of
    your choice (`optimizer`). Targets may be binary, multiclass or a multilabel
    indicator.

    Read more in the :ref:`user guide <how_it_works>`.

    Parameters
    ----------
    {network}

    loss : {classification_losses} or Loss, default="log_loss"
        What a row costs; see :ref:`losses` for the formulas. "log_loss" is the negative
        log-likelihood of logistic outputs for binary and multilabel targets (Bishop
        2006, eq. 4.90) and of a softmax for multiclass ones (eq. 4.108). "focal" is the
        same, but rows that are already right count less (Lin et al. 2017).
        "squared_error" is half the score of Brier (1950): half the squared difference
        between probabilities and targets of 0 and 1. A ``Loss`` of your own is used as
        it is.

    label_smoothing : float in [0, 1) or "auto", default="auto"
        Share of each target that "log_loss" spreads evenly over all classes (Szegedy et
        al. 2016).
    {auto label_smoothing}

    gamma : float >= 0, default=2.0
        How much less "focal" counts rows that are right: their loss is multiplied with
        the probability of a mistake to this power. 0 is "log_loss".

    class_weight : "balanced", dict, list of dict or None, default=None
        Weights of the classes, with which the weights of their rows are multiplied: a
        dict from label to weight, in which a label that is missing has weight 1.
        "balanced" gives every class the same total weight; `partial_fit`, which does
        not see all rows, needs a dict. For a multilabel indicator a list with a dict
        of the keys 0 and 1 for each column, or "balanced" for each of them; a row has
        the product of its weights.

    {training}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted; column numbers for a multilabel indicator.
    {attributes}
    label_smoothing_ : float
        `label_smoothing` as it was used.

    See Also
    --------
    FFNNRegressor : The same network for regression.
    sklearn.neural_network.MLPClassifier : The one of scikit-learn.

    Notes
    -----
    {notes}

    References
    ----------
    {references}

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import train_test_split
    >>> from skffnn import FFNNClassifier
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> model = FFNNClassifier(random_state=0).fit(X_train, y_train)
    >>> bool(model.score(X_test, y_test) > 0.95)
    True
    """

    _parameter_constraints = {
        **BaseFFNN._parameter_constraints,
        "loss": loss_constraint("binary"),
        "label_smoothing": [IS_AUTO, Interval(Real, 0, 1, closed="left")],
        "gamma": [Interval(Real, 0, None, closed="left")],
        "class_weight": CLASS_WEIGHTS,
    }

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (128, 128, 128),
        activation: str | Activation | Sequence[str | Activation] = "mish",
        *,
        preprocessing: Any = "auto",
        solver: str = "mini-batch",
        optimizer: str | Optimizer = "auto",
        loss: str | Loss = "log_loss",
        label_smoothing: float | str = "auto",
        gamma: float = 2.0,
        class_weight: Any = None,
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
        self.label_smoothing = label_smoothing
        self.gamma = gamma
        self.class_weight = class_weight
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
        y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_labels)
            Class labels of any type, or a multilabel indicator of zeros and ones.
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
        y_val : array-like of shape (n_val,) or (n_val, n_labels), default=None
            Its targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Its weights.

        Returns
        -------
        self : FFNNClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, a combination of parameters, X, y or a weight is not
            allowed. A model fitted before is left as it was.
        """
        validation = (X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, groups=groups, validation=validation)

    @available_if(partial_fit_is_possible)
    def partial_fit(
        self,
        X: Any,
        y: Any,
        classes: Any = None,
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
        y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_labels)
            Class labels, not necessarily all of them, or a multilabel indicator.
        classes : array-like of shape (n_classes,), default=None
            All labels there will ever be. Needed in the first call, unless y is a
            multilabel indicator; afterwards it may be left out.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, relative to the mean weight over all calls so far.
        X_val : array-like of shape (n_val, n_features), default=None
            Features of rows that judge the epoch, whatever X may be. Needs
            ``early_stopping="auto"``.
        y_val : array-like of shape (n_val,) or (n_val, n_labels), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : FFNNClassifier
            The trained estimator.

        Raises
        ------
        ValueError
            If `classes` is missing in the first call or differs later, or y holds a
            label that is not in it.
        """
        if classes is not None and self.__sklearn_is_fitted__():
            self._targets.check_same(classes)
        return self._fit(
            X,
            y,
            sample_weight,
            validation=(X_val, y_val, sample_weight_val),
            classes=classes,
            incremental=True,
        )

    def predict(self, X: Any) -> Array:
        """Predict class labels.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable class of each row; for multilabel targets 1 for every
            label whose probability exceeds one half, as a CSR matrix if y was sparse in
            fit.
        """
        raw, link = self._raw_predict(X), self._loss.link
        if self._targets.kind == "multiclass" and link.keeps_order:
            return self._targets.decode(raw)
        # Logarithms still tell apart probabilities that round to one.
        return self._targets.decode(link.log_inverse(raw))

    def decision_function(self, X: Any) -> Array:
        """Return the scores whose inverse link gives the probabilities.

        For one member these are the raw scores of the network.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            One score per row for binary targets, positive for ``classes_[1]``; else
            one per class or label.
        """
        raw = self._raw_predict(X)
        return raw[:, 0] if self._targets.kind == "binary" else raw

    def predict_proba(self, X: Any) -> Array:
        """Predict class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            Probability of each class, in the order of ``classes_``; for multilabel
            targets the probability of each label being 1.
        """
        p = np.exp(self.predict_log_proba(X))
        if self._targets.kind == "multilabel":
            # A logistic output is never quite 0 or 1: scikit-learn's checks ask that
            # rounding does not make it so.
            limits = np.finfo(p.dtype)
            np.clip(p, limits.tiny, 1.0 - limits.epsneg, out=p)
        return p

    def predict_log_proba(self, X: Any) -> Array:
        """Predict the logarithm of class probabilities, finite also near zero.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            Logarithms of the probabilities, computed from the raw scores.
        """
        raw = self._raw_predict(X)
        link = self._loss.link
        log_p = link.log_inverse(raw)
        if len(self.classes_) == 1:
            log_p = np.zeros_like(raw)
        elif self._targets.kind == "binary":
            log_p = np.hstack([link.log_complement(raw), log_p])
        elif self._targets.kind == "multiclass" and not link.sums_to_one:
            log_p -= logsumexp(log_p, axis=1, keepdims=True)
        # Where a probability rounds to one, both methods say so.
        log_p[np.exp(log_p) == 1.0] = 0.0
        return log_p

    def _make_targets(
        self, y: Array, weight: Array | None, classes: Any, incremental: bool
    ) -> LabelTargets:
        if incremental and classes is None and not is_multilabel(y):
            raise ValueError(
                "classes must be passed in the first call of partial_fit: all labels "
                "there will ever be. Got None."
            )
        return LabelTargets(y, classes)

    def _weigh(
        self,
        y: Array,
        weight: Array | None,
        targets: Targets,
    ) -> Array | None:
        if self.class_weight is None:
            return weight
        assert isinstance(targets, LabelTargets)
        return class_weighted(self.class_weight, y, weight, targets.classes)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
