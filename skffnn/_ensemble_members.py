"""The members of an ensemble: what each holds out, its training, what it predicts."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import type_of_target

from skffnn._base import BaseFFNN
from skffnn._callbacks import MemberTask
from skffnn._targets import has_target
from skffnn._warnings import warn
from skffnn.core.typing import Array

__all__ = ["Fold", "moments", "new_members", "train_member"]


@dataclass(frozen=True, repr=False)
class Fold:
    """One fold of a cross-validation, to be held out: a `validation_split`.

    Rows of weight zero are in no fold, as if they were not there.

    Parameters
    ----------
    number, n_folds : int
        Which fold of how many.
    seed : int
        Of the draw. Members that share it hold out different rows.
    stratify : bool
        Whether y holds labels, which every fold should represent.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights of the rows.
    """

    may_go_unused: ClassVar[bool] = True  # no warning where nothing is held out
    number: int
    n_folds: int
    seed: int
    stratify: bool
    sample_weight: Any = None

    def __repr__(self) -> str:  # in an error about a parameter the user has not set
        return f"<fold {self.number} of n_estimators={self.n_folds}>"

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return one."""
        return 1

    def split(
        self, X: Any, y: Any, groups: Any = None
    ) -> Iterator[tuple[Array, Array]]:
        """Yield the rows to train on, and those to hold out.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features, which play no part.
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        groups : array-like of shape (n_samples,) or None, default=None
            Rows of one group are in one fold.
        """
        weight = 1.0 if self.sample_weight is None else np.asarray(self.sample_weight)
        rows = np.flatnonzero((weight != 0.0) & has_target(y))
        labels = y[rows] if self.stratify else None
        if groups is not None:
            check_consistent_length(y, groups)
            groups = np.asarray(groups)[rows]
        kind = self._kind(labels) if groups is None else GroupKFold
        folds = kind(self.n_folds, shuffle=True, random_state=self.seed)
        train, held_out = list(folds.split(rows, labels, groups))[self.number]
        yield rows[train], rows[held_out]

    def _kind(self, labels: Any) -> type:
        if labels is not None and not type_of_target(labels).startswith("multilabel"):
            smallest = int(np.unique(labels, return_counts=True)[1].min())
            if smallest >= self.n_folds:
                return StratifiedKFold
            warn(
                f"The hold-outs of the members are not stratified: {self.n_folds} "
                f"folds cannot represent a class whose number of rows is {smallest}"
            )
        return KFold


def new_members(
    estimator: BaseFFNN,
    random_state: np.random.RandomState,
    n_members: int,
    stratify: bool,
    sample_weight: Any,
    may_hold_out: bool,
) -> list[BaseFFNN]:
    """Return copies of `estimator` with seeds of their own, and folds to hold out.

    Whether a member holds rows out at all, it decides itself when it is fitted. Where
    the user has set a `validation_split`, that is used by all of them.
    """
    fold_seed, *seeds = random_state.randint(np.iinfo(np.int32).max, size=1 + n_members)
    members = [clone(estimator).set_params(random_state=int(seed)) for seed in seeds]
    if (
        may_hold_out
        and n_members > 1
        and estimator.early_stopping
        and estimator.validation_split is None
    ):
        for number, member in enumerate(members):
            fold = Fold(number, n_members, int(fold_seed), stratify, sample_weight)
            member.set_params(validation_split=fold)
    return members


def train_member(
    member: BaseFFNN,
    method: str,
    X: Any,
    y: Any,
    arguments: dict[str, Any],
    task: MemberTask | None,
) -> BaseFFNN:
    """Train a member, and return it: it may be a copy, in another process.

    Raises
    ------
    KeyboardInterrupt
        If training was interrupted: the other members should not begin.
    """
    train = partial(getattr(member, method), X, y, **arguments)
    if task is None:
        train()
    else:
        task.run(member, train)
    if isinstance(member.validation_split, Fold):
        member.set_params(validation_split=None)
    if member.stop_reason_ == "interrupted":
        raise KeyboardInterrupt
    return member


def moments(member: Any, X: Any) -> tuple[Array, Array]:
    """Return mean and standard deviation of what a member predicts.

    The latter is zero where the loss of the member has none to give.
    """
    if not member._loss.has_std:
        mean = member.predict(X)
        return mean, np.zeros_like(mean)
    return member.predict(X, return_std=True)
