"""Deep ensembles of regressors."""

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skffnn._base import BaseFFNN
from skffnn._ensemble import BaseDeepEnsemble, partial_fit_of_members_is_possible
from skffnn._ensemble_members import moments
from skffnn._explained import share_explained
from skffnn._regressor import FFNNRegressor
from skffnn.core.typing import Array

__all__ = ["DeepEnsembleRegressor"]


class DeepEnsembleRegressor(RegressorMixin, BaseDeepEnsemble):
    """Networks trained from several starts, and the mean of their predictions.

    A deep ensemble (Lakshminarayanan, Pritzel and Blundell 2017). Its squared error is
    never larger than the mean of its members', because the square is convex; and the
    spread of the members says how sure it is.

    Parameters
    ----------
    estimator : FFNNRegressor or None, default=None
        What the members are copies of; None means ``FFNNRegressor()``. X goes to
        them as it is: each has its own `preprocessing`.
    n_estimators : int >= 1, default=4
        The number of members.
    n_jobs : int or None, default=None
        How many members train at the same time, as in joblib: None means one, unless
        in a :class:`joblib.parallel_config` context, and -1 as many as there are
        processors. The result does not depend on it.
    random_state : int, RandomState or None, default=None
        What the members' seeds and their folds are drawn from. The `random_state` of
        the estimator is not used.

    Attributes
    ----------
    estimators_ : list of FFNNRegressor
        The fitted members.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are all strings.
    n_outputs_ : int
        Number of outputs of a member.

    See Also
    --------
    FFNNRegressor : One network.
    DeepEnsembleClassifier : For labels.

    Notes
    -----
    Members differ by their seed. Those that hold rows out for early stopping also
    differ by these: each holds out a fold of its own of a cross-validation with
    `n_estimators` folds, so that every row trains all members but one. The estimator's
    `validation_fraction` is then without effect. A single member, a `validation_split`
    of the estimator and a hold-out passed to `fit` as `X_val` take the place of the
    folds.

    References
    ----------
    Lakshminarayanan, Pritzel and Blundell (2017). Simple and scalable predictive
    uncertainty estimation using deep ensembles. NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skffnn import DeepEnsembleRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = DeepEnsembleRegressor(random_state=0).fit(X, y)
    >>> mean, std = model.predict(X, return_std=True)
    >>> mean.shape, std.shape
    ((442,), (442,))
    """

    _parameter_constraints = {
        **BaseDeepEnsemble._parameter_constraints,
        "estimator": [FFNNRegressor, None],
    }

    def _estimator(self) -> BaseFFNN:
        return FFNNRegressor() if self.estimator is None else self.estimator

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit the members to X and y.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features, as :meth:`FFNNRegressor.fit` takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        **params : dict
            Further arguments of the members' `fit`: `X_val`, `y_val` and
            `sample_weight_val`; and `groups`, of whose rows all or none are in a fold.
            With metadata routing, what the estimator has requested.

        Returns
        -------
        self : DeepEnsembleRegressor
            The fitted ensemble.

        Raises
        ------
        ValueError
            If a parameter, X, y or a weight is not allowed. An ensemble fitted before
            is left as it was.
        """
        return self._train("fit", X, y, {}, sample_weight=sample_weight, **params)

    @available_if(partial_fit_of_members_is_possible)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, **params: Any
    ) -> Self:
        """Train every member one epoch on X and y, going on from the last call.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        **params : dict
            Further arguments of the members' `partial_fit`.

        Returns
        -------
        self : DeepEnsembleRegressor
            The trained ensemble.

        Raises
        ------
        ValueError
            As :meth:`fit`; also where the first call settled it otherwise. The ensemble
            is left as it was.
        """
        return self._train(
            "partial_fit", X, y, {}, sample_weight=sample_weight, **params
        )

    def predict(self, X: Any, return_std: bool = False) -> Array | tuple[Array, Array]:
        """Predict target values.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.
        return_std : bool, default=False
            Whether to return a standard deviation for every prediction as well.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The mean of the members' predictions, in the shape that y had in fit.
        y_std : ndarray of the same shape
            Standard deviations, with `return_std` only: those of the mixture of the
            members in equal parts, sqrt(mean_k var_k + var_k mean_k)
            (Lakshminarayanan, Pritzel and Blundell 2017, section 2.4). Members whose
            loss has no variance count with zero: what is left is their spread.
        """
        check_is_fitted(self)
        if not return_std:
            return np.mean([member.predict(X) for member in self.estimators_], axis=0)
        pairs = [moments(member, X) for member in self.estimators_]
        means, stds = map(np.stack, zip(*pairs, strict=True))
        mean = means.mean(axis=0)
        distances = np.hypot(stds, means - mean)  # of a draw, from the mean of all
        # In a unit in which squares cannot overflow, or be lost.
        unit = distances.max(axis=0)
        unit[unit == 0.0] = 1.0
        return mean, unit * np.sqrt(np.square(distances / unit).mean(axis=0))

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
            As :meth:`FFNNRegressor.score` returns it.
        """
        prediction = self.predict(X)
        return share_explained(self.estimators_[0], y, prediction, sample_weight)
