"""Deep ensembles of classifiers."""

import math
from typing import Any, Self

import numpy as np
from scipy.special import logsumexp
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skffnn._base import BaseFFNN
from skffnn._classifier import FFNNClassifier
from skffnn._ensemble import BaseDeepEnsemble, partial_fit_of_members_is_possible
from skffnn.core.typing import Array

__all__ = ["DeepEnsembleClassifier"]


class DeepEnsembleClassifier(ClassifierMixin, BaseDeepEnsemble):
    """Networks trained from several starts, and the mean of their probabilities.

    A deep ensemble (Lakshminarayanan, Pritzel and Blundell 2017). Its log loss is never
    larger than the mean of its members', because the logarithm is concave.

    Parameters
    ----------
    estimator : FFNNClassifier or None, default=None
        What the members are copies of; None means ``FFNNClassifier()``. X goes to
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
    estimators_ : list of FFNNClassifier
        The fitted members.
    classes_ : ndarray of shape (n_classes,)
        The sorted labels; column numbers for a multilabel indicator.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are all strings.
    n_outputs_ : int
        Number of outputs of a member.

    See Also
    --------
    FFNNClassifier : One network.
    DeepEnsembleRegressor : For numbers.

    Notes
    -----
    Members differ by their seed. Those that hold rows out for early stopping also
    differ by these: each holds out a fold of its own of a cross-validation with
    `n_estimators` folds, in the proportions of the classes, so that every row trains
    all members but one. The estimator's `validation_fraction` is then without effect.
    A single member, a `validation_split` of the estimator and a hold-out passed to
    `fit` as `X_val` take the place of the folds.

    References
    ----------
    Lakshminarayanan, Pritzel and Blundell (2017). Simple and scalable predictive
    uncertainty estimation using deep ensembles. NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skffnn import DeepEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = DeepEnsembleClassifier(random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    """

    _parameter_constraints = {
        **BaseDeepEnsemble._parameter_constraints,
        "estimator": [FFNNClassifier, None],
    }

    def _estimator(self) -> BaseFFNN:
        return FFNNClassifier() if self.estimator is None else self.estimator

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit the members to X and y.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features, as :meth:`FFNNClassifier.fit` takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels of any type, or a multilabel indicator of zeros and ones.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        **params : dict
            Further arguments of the members' `fit`: `X_val`, `y_val` and
            `sample_weight_val`; and `groups`, of whose rows all or none are in a fold.
            With metadata routing, what the estimator has requested.

        Returns
        -------
        self : DeepEnsembleClassifier
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
        self,
        X: Any,
        y: Any,
        classes: Any = None,
        sample_weight: Any = None,
        **params: Any,
    ) -> Self:
        """Train every member one epoch on X and y, going on from the last call.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, not necessarily all of them, or a multilabel indicator.
        classes : array-like of shape (n_classes,), default=None
            All labels there will ever be. Needed in the first call, unless y is a
            multilabel indicator.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        **params : dict
            Further arguments of the members' `partial_fit`.

        Returns
        -------
        self : DeepEnsembleClassifier
            The trained ensemble.

        Raises
        ------
        ValueError
            As :meth:`fit`; also where the first call settled it otherwise. The ensemble
            is left as it was.
        """
        arguments = {"classes": classes}
        return self._train(
            "partial_fit", X, y, arguments, sample_weight=sample_weight, **params
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
            The class whose mean probability is highest; for multilabel targets 1 for
            every label whose mean probability exceeds one half, as a CSR matrix if y
            was sparse in fit.
        """
        log_p = self.predict_log_proba(X)
        targets = self.estimators_[0]._targets
        return targets.decode(log_p[:, -1:] if targets.kind == "binary" else log_p)

    def decision_function(self, X: Any) -> Array:
        """Return scores whose inverse link gives the mean probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            With p the mean probability: log(p / (1 - p)) of ``classes_[1]`` for binary
            targets and of every label for multilabel ones, else log(p) of every class.
        """
        check_is_fitted(self)
        first = self.estimators_[0]
        if first._targets.kind == "multilabel":
            scores = [member.decision_function(X) for member in self.estimators_]
            return first._loss.pool(np.stack(scores))
        log_p = self.predict_log_proba(X)
        return log_p[:, -1] - log_p[:, 0] if first._targets.kind == "binary" else log_p

    def predict_proba(self, X: Any) -> Array:
        """Predict class probabilities: the mean of the members'.

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
        check_is_fitted(self)
        return np.mean([member.predict_proba(X) for member in self.estimators_], axis=0)

    def predict_log_proba(self, X: Any) -> Array:
        """Predict the logarithm of the mean probabilities, finite also near zero.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            Logarithms of the probabilities, computed from those of the members.
        """
        check_is_fitted(self)
        log_p = [member.predict_log_proba(X) for member in self.estimators_]
        return np.minimum(logsumexp(log_p, axis=0) - math.log(len(log_p)), 0.0)
