"""Deep ensembles: the same network from several starts, and the mean of what they say.

The members do all the work. X goes to them as it came, and what they know about it (the
classes, the features) is what the ensemble knows.
"""

import math
from abc import abstractmethod
from numbers import Integral
from typing import Any, Self

import numpy as np
from scipy.special import logsumexp
from sklearn import get_config
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    is_classifier,
)
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skffnn._base import COUNT, BaseFFNN
from skffnn._callbacks import CallbackSupportMixin, MemberTasks, with_callbacks
from skffnn._classifier import FFNNClassifier
from skffnn._combinations import partial_fit_is_possible
from skffnn._members import moments, new_members, train_member
from skffnn._regressor import FFNNRegressor, share_explained
from skffnn.core.typing import Array

__all__ = ["DeepEnsembleClassifier", "DeepEnsembleRegressor"]

# What the members know, and the ensemble says too.
OF_MEMBERS = ("classes_", "n_features_in_", "feature_names_in_", "n_outputs_")


def partial_fit_of_members_is_possible(ensemble: Any) -> bool:
    """Raise AttributeError, with the reason, where partial_fit makes no sense."""
    return partial_fit_is_possible(ensemble._estimator())


class BaseDeepEnsemble(CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator):
    """Trains the members; what to do with their predictions, a subclass knows."""

    _doc_link_module = "skffnn"
    _doc_link_template = BaseFFNN._doc_link_template
    _parameter_constraints: dict[str, Any] = {
        "n_estimators": [COUNT],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }
    estimators_: list[Any]

    def __init__(
        self,
        estimator: Any = None,
        n_estimators: int = 4,
        *,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.n_jobs = n_jobs
        self.random_state = random_state

    @abstractmethod
    def _estimator(self) -> BaseFFNN:
        """Return what the members are copies of."""

    @with_callbacks
    def _train(
        self, method: str, X: Any, y: Any, arguments: dict[str, Any], **metadata: Any
    ) -> Any:
        """Train new members by `fit`, or go on with those there are by `partial_fit`.

        An error leaves the ensemble as it was.
        """
        if not get_config()["skip_parameter_validation"]:
            self._validate_params()
        metadata = {k: value for k, value in metadata.items() if value is not None}
        weight = metadata.get("sample_weight")
        if method == "partial_fit" and hasattr(self, "estimators_"):
            members = self.estimators_
        else:
            members = self._new_members(weight, method == "fit", metadata)
        if get_config()["enable_metadata_routing"] and metadata:
            routed = process_routing(self, method, **metadata).estimator[method]
        else:
            routed = metadata
        tasks = MemberTasks(self, (X, y, weight), len(members))
        members = Parallel(n_jobs=self.n_jobs)(
            delayed(train_member)(
                member, method, X, y, {**arguments, **routed}, tasks.of_member(number)
            )
            for number, member in enumerate(members)
        )
        known = vars(members[0])
        for name in OF_MEMBERS:
            self.__dict__.pop(name, None)
            if name in known:
                setattr(self, name, known[name])
        self.estimators_ = members
        tasks.close()
        return self

    def _new_members(
        self, sample_weight: Any, may_hold_out: bool, metadata: dict[str, Any]
    ) -> list[BaseFFNN]:
        estimator = self._estimator()
        if estimator.checkpoint is not None:
            raise ValueError(
                f"checkpoint={estimator.checkpoint!r} of the estimator is the file of "
                "one network, which members would overwrite for each other. Set it to "
                "None."
            )
        return new_members(
            estimator,
            check_random_state(self.random_state),
            self.n_estimators,
            is_classifier(self),
            sample_weight,
            may_hold_out and "X_val" not in metadata,
        )

    def get_metadata_routing(self) -> MetadataRouter:
        """Return how metadata are passed on: `fit` and `partial_fit` to the members'.

        Returns
        -------
        routing : MetadataRouter
            What scikit-learn's metadata routing asks for.
        """
        mapping = MethodMapping()
        for method in ("fit", "partial_fit"):
            mapping.add(caller=method, callee=method)
        router = MetadataRouter(owner=type(self).__name__)
        return router.add(estimator=self._estimator(), method_mapping=mapping)

    def __sklearn_tags__(self) -> Any:
        tags, of_members = super().__sklearn_tags__(), get_tags(self._estimator())
        tags.input_tags = of_members.input_tags
        tags.target_tags = of_members.target_tags
        tags.classifier_tags = of_members.classifier_tags
        tags.regressor_tags = of_members.regressor_tags
        return tags


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
            every label whose mean probability exceeds one half.
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
        log_p = self.predict_log_proba(X)
        kind = self.estimators_[0]._targets.kind
        if kind == "binary":
            return log_p[:, -1] - log_p[:, 0]
        return (
            log_p - np.log1p(-self.predict_proba(X)) if kind == "multilabel" else log_p
        )

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
        means, variances = zip(*pairs, strict=True)
        variance = np.mean(variances, axis=0) + np.var(means, axis=0)
        return np.mean(means, axis=0), np.sqrt(variance)

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
