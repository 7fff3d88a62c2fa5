"""Deep ensembles: the same network from several starts, and the mean of what they say.

The members do all the work. X goes to them as it came, and what they know about it (the
classes, the features) is what the ensemble knows.
"""

from abc import abstractmethod
from copy import copy
from numbers import Integral
from typing import Any

from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.parallel import Parallel, delayed

from skffnn._base import COUNT, BaseFFNN
from skffnn._callbacks import CallbackSupportMixin, MemberTasks, with_callbacks
from skffnn._combinations import partial_fit_is_possible
from skffnn._ensemble_members import new_members, train_member

__all__ = ["BaseDeepEnsemble", "partial_fit_of_members_is_possible"]

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
        if get_config()["enable_metadata_routing"] and metadata:
            routed = process_routing(self, method, **metadata).estimator[method]
        else:
            routed = metadata
        weight = routed.get("sample_weight")
        if method == "partial_fit" and hasattr(self, "estimators_"):
            members = self._members_to_go_on_with()
        else:
            members = self._new_members(weight, method == "fit", routed)
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

    def _members_to_go_on_with(self) -> list[BaseFFNN]:
        """Return copies of the members that know what was set since the last call.

        Training replaces the attributes of a model as a whole, so the copies are flat.
        """
        if len(self.estimators_) != self.n_estimators:
            raise ValueError(
                f"partial_fit goes on with {len(self.estimators_)} members, but "
                f"n_estimators={self.n_estimators} asks for another number. Call fit "
                "to start anew."
            )
        parameters = self._estimator().get_params(deep=False)
        del parameters["random_state"]  # each has its own
        return [copy(member).set_params(**parameters) for member in self.estimators_]

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
