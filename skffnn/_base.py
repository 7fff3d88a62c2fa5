"""What both estimators share: from ``fit(X, y)`` to a trained network.

The way is straight, and its steps carry these numbers below:

1. validate : parameters, X, y and weights are checked, or an error names what is wrong
2. encode   : y becomes a float matrix
3. build    : parameters become a network, a loss and a plan of training
4. train    : `skffnn.core.training.train` changes the state
5. store    : fitted attributes are set, and a warning says if training went wrong
"""

import os
from abc import abstractmethod
from contextlib import suppress
from dataclasses import replace
from functools import cache
from math import isfinite
from numbers import Integral, Real
from typing import Any
from weakref import proxy

import numpy as np
import scipy.sparse as sp
from sklearn import get_config
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import get_scorer_names
from sklearn.utils import (
    _safe_indexing,
    assert_all_finite,
    check_array,
    column_or_1d,
    get_tags,
)
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
)
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from skffnn._auto import Problem, resolve_auto, resolved_attributes
from skffnn._build import build_network, build_run, draw_seed, new_state
from skffnn._callbacks import CallbackSupportMixin, EpochTasks, with_callbacks
from skffnn._checkpoint import Checkpoint, CheckpointFile
from skffnn._combinations import (
    check_combinations,
    check_names,
    check_validation_set,
    validation_set_is_named,
    warn_without_effect,
)
from skffnn._data import Data, encode
from skffnn._holdout import choose_rows, split_by
from skffnn._inputs import (
    check_matrix,
    fit_preprocess,
    make_preprocessor,
    preprocess,
)
from skffnn._label_targets import plain_labels
from skffnn._losses import check_same_scale, check_target, resolve_loss
from skffnn._observer import Observer
from skffnn._refit import build_refit, is_due, reason_of_both
from skffnn._resolve import (
    DROPOUT_SCHEDULES,
    resolve_early_stopping,
    resolve_optimizer,
    splits,
)
from skffnn._rollback import columns_kept_on_error
from skffnn._scoring import HoldoutScore
from skffnn._store import fitted_attributes, snapshot
from skffnn._targets import Targets, zero_without_target
from skffnn._threads import blas_threads
from skffnn._trouble import warn_of_trouble
from skffnn._warnings import warn
from skffnn.core.activations import ACTIVATIONS, Activation
from skffnn.core.averaging import Averaging
from skffnn.core.batches import SOLVERS
from skffnn.core.layer_rates import LAYER_RATES, LayerRates
from skffnn.core.losses import LOSSES, Loss
from skffnn.core.monitor import StopReason
from skffnn.core.network import Network
from skffnn.core.objective import CHUNK
from skffnn.core.optimizers import LBFGS, OPTIMIZERS, FirstOrder
from skffnn.core.plan import Run
from skffnn.core.schedules import SCHEDULES
from skffnn.core.state import TrainingState, progress_of
from skffnn.core.training import train
from skffnn.core.typing import Array, Features, TargetKind

__all__ = [
    "CLASS_WEIGHTS",
    "COUNT",
    "IS_AUTO",
    "BaseFFNN",
    "Interval",
    "StrOptions",
    "loss_constraint",
]

DOCUMENTATION = "https://skffnn.readthedocs.io/en/stable/generated/"


ONE_ROW = (
    "The first call of partial_fit has one row, from which preprocessing cannot learn "
    "what is usual. Pass more rows, or preprocessing=FrozenEstimator(a fitted one)."
)
CONSTANT_TARGET = (
    "The y of the first call of partial_fit is constant, from which scale_target=True "
    "cannot learn its unit. Pass rows that differ, or scale y yourself and set "
    "scale_target=False."
)
IS_AUTO = StrOptions({"auto"})
CLASS_WEIGHTS = [StrOptions({"balanced"}), dict, list, None]
COUNT = Interval(Integral, 1, None, closed="left")


def loss_constraint(kind: TargetKind) -> list[Any]:
    """Return what `loss` may be for targets of this kind."""
    return [StrOptions({name for name, by in LOSSES.items() if kind in by}), Loss]


def take_rows(X: Any, rows: Array) -> Any:
    """Return some rows of X, whatever holds it."""
    if sp.issparse(X):
        return X.tocsr()[rows]
    return _safe_indexing(X if hasattr(X, "__getitem__") else np.asarray(X), rows)


class BaseFFNN(CallbackSupportMixin, BaseEstimator):
    """Validate, encode, build, train, store; the only one that starts training."""

    _doc_link_module = "skffnn"
    _doc_link_template = DOCUMENTATION + "{estimator_module}.{estimator_name}.html"

    _parameter_constraints: dict[str, Any] = {
        # _resolve has the last word on the first two, which may be sequences.
        "hidden_layer_sizes": "no_validation",
        "activation": [StrOptions(set(ACTIVATIONS)), Activation, list, tuple],
        "preprocessing": [
            IS_AUTO,
            HasMethods(["fit", "transform"]),
            None,
        ],
        "solver": [StrOptions(set(SOLVERS))],
        "optimizer": [StrOptions({"auto", *OPTIMIZERS}), FirstOrder, LBFGS],
        "alpha": [IS_AUTO, Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "dropout": [IS_AUTO, Interval(Real, 0, 1, closed="left"), "array-like"],
        "input_dropout": [Interval(Real, 0, 1, closed="left")],
        "dropout_schedule": [StrOptions({"auto", *DROPOUT_SCHEDULES}), callable],
        "layer_norm": ["boolean"],
        "input_scale": [IS_AUTO, "boolean"],
        "n_members": [IS_AUTO, COUNT],
        "max_norm": [None, Interval(Real, 0, None, closed="neither")],
        "batch_size": [
            IS_AUTO,
            COUNT,
        ],
        "learning_rate": [StrOptions({"auto", *SCHEDULES}), callable],
        "learning_rate_init": [
            IS_AUTO,
            Interval(Real, 0, None, closed="neither"),
        ],
        "layer_rates": [StrOptions({"auto", *LAYER_RATES}), LayerRates],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [IS_AUTO, COUNT],
        "max_time": [None, Interval(Real, 0, None, closed="neither")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "checkpoint": [None, str, os.PathLike, Checkpoint],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean", IS_AUTO],
        "scoring": [StrOptions({"loss", *get_scorer_names()}), callable],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "validation_split": [None, HasMethods(["split", "get_n_splits"]), list, tuple],
        "refit": ["boolean"],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [IS_AUTO, Interval(Real, 0, 1, closed="left")],
        "weight_decay": [IS_AUTO, Interval(Real, 0, None, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [IS_AUTO, COUNT],
        "max_fun": [COUNT],
        "max_grad_norm": [None, Interval(Real, 0, None, closed="neither")],
        "average": [
            IS_AUTO,
            "boolean",
            Averaging,
            Interval(Real, 0, 1, closed="neither"),
        ],
    }
    # In a grid search `groups` are for its own splitter, unless the user asks for them
    # with set_fit_request(groups=True).
    __metadata_request__fit = {"groups": False}
    _state: TrainingState
    _network: Network

    @abstractmethod
    def __init__(
        self,
        hidden_layer_sizes: Any,
        activation: Any,
        *,
        preprocessing: Any,
        solver: str,
        optimizer: Any,
        loss: Any,
        alpha: float | str,
        l1_ratio: float,
        dropout: Any,
        input_dropout: float,
        dropout_schedule: Any,
        layer_norm: bool,
        input_scale: bool | str,
        n_members: int | str,
        max_norm: float | None,
        batch_size: Any,
        learning_rate: Any,
        learning_rate_init: Any,
        layer_rates: Any,
        power_t: float,
        max_iter: int | str,
        max_time: float | None,
        shuffle: bool,
        random_state: Any,
        tol: float,
        verbose: Any,
        warm_start: bool,
        checkpoint: Any,
        momentum: float,
        nesterovs_momentum: bool,
        early_stopping: bool | str,
        scoring: Any,
        validation_fraction: float,
        validation_split: Any,
        refit: bool,
        beta_1: float,
        beta_2: float | str,
        weight_decay: float | str,
        epsilon: float,
        n_iter_no_change: int | str,
        max_fun: int,
        max_grad_norm: float | None,
        average: bool | float | str | Averaging,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.preprocessing = preprocessing
        self.solver = solver
        self.optimizer = optimizer
        self.loss = loss
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.dropout_schedule = dropout_schedule
        self.layer_norm = layer_norm
        self.input_scale = input_scale
        self.n_members = n_members
        self.max_norm = max_norm
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.layer_rates = layer_rates
        self.power_t = power_t
        self.max_iter = max_iter
        self.max_time = max_time
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.scoring = scoring
        self.validation_fraction = validation_fraction
        self.validation_split = validation_split
        self.refit = refit
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.weight_decay = weight_decay
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.max_grad_norm = max_grad_norm
        self.average = average

    @property
    def coefs_(self) -> list[Array]:
        """Weight matrices of shape (fan_in, fan_out); the first acts on encoded X.

        With several members, those that each has for itself have shape (n_members,
        fan_in, fan_out): the last one, and the first where features are scaled.
        """
        self._params("weights")  # says so where there are none
        return self._network.weights(self._state.params)

    @property
    def intercepts_(self) -> list[Array]:
        """Bias vectors of shape (fan_out,), views into the parameters.

        With several members the last one has shape (n_members, fan_out).
        """
        return self._params("biases")

    @property
    def layer_norm_gains_(self) -> list[Array]:
        """Gains of shape (width,) of hidden layers, views into the parameters."""
        return self._params("gains")

    @classmethod
    @cache
    def _get_param_names(cls) -> list[str]:
        """Return the names of the parameters, which a fit asks for three times.

        To read them from the signature takes a fifth of the time of a small fit.
        """
        names: list[str] = super()._get_param_names()
        return names

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_state")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        preprocessor = make_preprocessor(self.preprocessing, Problem(1, False), 1)
        if preprocessor is None:
            tags.input_tags.sparse = True
        else:
            tags.input_tags = get_tags(preprocessor).input_tags
        return tags

    @abstractmethod
    def _make_targets(
        self, y: Array, weight: Array | None, classes: Any, incremental: bool
    ) -> Targets:
        """Return what encodes `y`, made from the first `y` there is."""

    def _allows_missing_targets(self) -> bool:
        """Return whether NaN in y is no error."""
        return False

    def _weigh(
        self,
        y: Array,
        weight: Array | None,
        targets: Targets,
    ) -> Array | None:
        """Return the weights of the rows, with what their targets add to them."""
        return weight

    @with_callbacks
    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        groups: Any = None,
        validation: tuple[Any, Any, Any] = (None, None, None),
        classes: Any = None,
        incremental: bool = False,
    ) -> Any:
        """Run the five steps. An error before the last leaves the model as it was."""
        with columns_kept_on_error(self):
            # 1. validate, and 2. encode
            settings, preprocessor, targets, data = self._prepare(
                X, y, sample_weight, groups, validation, classes, incremental
            )
            file = None
            if self.checkpoint is not None and not incremental:
                file = CheckpointFile(self, data)
            # 3. build
            run = self._build(settings, targets, data, file, incremental)
            # 4. train
            tasks = EpochTasks(
                self,
                (X, y, sample_weight),
                run.plan.max_epochs * (2 if self.refit else 1),
                lambda: {
                    "preprocessor_": preprocessor,
                    **snapshot(targets, run),
                },
            )
            observer = Observer(tasks, self.verbose, file)
            if run.resumed:
                observer.training_resumes(run.state)
            with blas_threads(run):
                reason = train(run, observer)
                if is_due(self, data, run, reason):
                    observer.refit_begins(run.state, reason)
                    run = build_refit(settings, data, run.state, reason)
                    reason = train(run, observer)
            reason = reason_of_both(run, reason)
            observer.training_ends(reason, run.state)
        # 5. store
        if not (incremental or self.warm_start):
            run.state.end_for_good()
        if not (incremental and progress_of(run.state).judged_by is not None):
            run.state.progress = None
        self.preprocessor_ = preprocessor
        self.__dict__.update(resolved_attributes(settings))
        self.__dict__.update(fitted_attributes(targets, run, run.state, reason))
        tasks.close()
        if file is not None and reason is not StopReason.INTERRUPTED:
            file.remove()
        warn_of_trouble(self, run, reason, incremental)
        return self

    def _prepare(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        groups: Any,
        validation: tuple[Any, Any, Any],
        classes: Any,
        incremental: bool,
    ) -> tuple[Any, Any, Targets, Data]:
        """Return parameters without "auto", preprocessor, targets, and numbers."""
        going_on = self._goes_on(incremental)
        check_validation_set(self, validation)
        own = validation[0] is not None
        without_effect = {"checkpoint"} if incremental else set()
        if own or incremental:
            without_effect |= {"validation_fraction", "validation_split", "refit"}
        self._validate_parameters(incremental)
        X, y, weight = self._validate_arrays(X, y, sample_weight, not going_on)
        n_rows = y.shape[0] if weight is None else int(np.count_nonzero(weight))
        problem = Problem(n_rows, is_classifier(self), own)
        settings = self._settings(problem, incremental)
        holds_out = resolve_early_stopping(settings.early_stopping, n_rows)
        if not (incremental and going_on):
            may_hold_out = holds_out or own or incremental
            warn_without_effect(self, settings, without_effect, groups, may_hold_out)
        parts = None
        if splits(self) and holds_out and not (own or incremental):
            parts = split_by(self.validation_split, X, y, groups, is_classifier(self))
        if going_on:
            preprocessor, targets = self.preprocessor_, self._targets
        else:
            preprocessor = make_preprocessor(
                self.preprocessing, problem, self.n_features_in_
            )
            targets = self._make_targets(y, weight, classes, incremental)
            learns = not isinstance(preprocessor, None | FrozenEstimator)
            if incremental and n_rows == 1 and learns:
                warn(ONE_ROW)
            elif incremental and targets.lacks_unit:
                warn(CONSTANT_TARGET)
        if weight is not None and not weight.all():  # a row of weight zero is no row
            kept = np.flatnonzero(weight)
            X, y = take_rows(X, kept), y[kept]
            weight = None if sample_weight is None else weight[kept]
            parts = None if parts is None else (parts[0][kept], parts[1][kept])
        if going_on:
            X = self._preprocess(X)
        else:
            X = fit_preprocess(preprocessor, X, y, weight, self)
        in_loss = self._weigh(y, weight, targets)
        data = encode(X, y, weight, in_loss, targets, parts)
        targets = targets.after(y)
        if own:
            held_out = self._encode_validation_set(
                validation, preprocessor, targets, X.shape[1], X.dtype
            )
            data = replace(data, validation=held_out)
        return settings, preprocessor, targets, data

    def _settings(self, problem: Problem, incremental: bool) -> Any:
        """Return the parameters, with what "auto" means for the problem."""
        return resolve_auto(self, problem, incremental, self._goes_on(incremental))

    def _goes_on(self, incremental: bool) -> bool:
        """Return whether there is something to go on from, and it is asked for."""
        return (incremental or self.warm_start) and self.__sklearn_is_fitted__()

    def _build(
        self,
        settings: Any,
        targets: Targets,
        data: Data,
        file: CheckpointFile | None,
        incremental: bool,
    ) -> Run:
        """Put the run together, a new one or one that goes on."""
        going_on = self._goes_on(incremental)
        loss = resolve_loss(settings, data.kind)
        if going_on:
            check_same_scale(self, targets)
        check_target(self, loss, data)
        if data.validation is not None:
            with validation_set_is_named():
                check_target(self, loss, data.validation)
        network = build_network(settings, loss, data)
        if network.n_members > 1:  # else a link without a score would be found too late
            loss.pool(np.zeros((network.n_members, 1, network.layer_sizes[-1])))
        if going_on and network != self._network:
            raise ValueError(
                f"warm_start and partial_fit go on with the fitted network, "
                f"{self._network}; hidden_layer_sizes={self.hidden_layer_sizes!r}, "
                f"activation={self.activation!r}, layer_norm={self.layer_norm!r}, "
                f"input_scale={settings.input_scale!r}, "
                f"n_members={settings.n_members!r} and "
                f"loss={loss!r} ask for another. "
                f"Set warm_start=False and call fit to start anew."
            )
        saved = None if file is None else file.read()
        if going_on:
            seed = self._state.seed
        else:
            seed = draw_seed(self) if saved is None else saved.seed
        rows, holdout = choose_rows(settings, data, seed, incremental)
        if going_on:
            state = self._state.copy()
        else:
            state = new_state(self, seed, network, loss, data, rows)
        run = build_run(
            settings, network, loss, data, rows, holdout, state, incremental
        )
        if file is not None and saved is not None:
            if file.refit is not None:
                run = build_refit(settings, data, saved, StopReason(file.refit))
            plan = run.plan
            saved.optimizer, saved.layer_rates = plan.optimizer, plan.layer_rates
            saved.averaging = plan.average
            run = replace(run, state=saved, resumed=True)
        if holdout is not None and run.refit is None and self.scoring != "loss":
            this = proxy(run)  # in a circle, the data would outlive the fit
            run.monitor.holdout_score = HoldoutScore(
                self,
                holdout,
                lambda: fitted_attributes(targets, this, this.state, None),
                (self.preprocessor_ if going_on else self.preprocessing) is not None,
            )
        return run

    def _encode_validation_set(
        self,
        validation: tuple[Any, Any, Any],
        preprocessor: Any,
        targets: Targets,
        n_features: int,
        dtype: np.dtype,
    ) -> Data:
        with validation_set_is_named():
            X, y, weight = self._validate_arrays(*validation, reset=False)
            X = preprocess(preprocessor, X, n_features, dtype, self)
            in_loss = self._weigh(y, weight, targets)
            given = None if validation[2] is None else weight
            return encode(X, y, given, in_loss, targets)

    def _validate_parameters(self, incremental: bool) -> None:
        """Raise for a parameter or a combination that is not allowed."""
        check_names(self)
        if not get_config()["skip_parameter_validation"]:
            self._validate_params()
        settings = self._settings(Problem(1, is_classifier(self)), incremental)
        check_combinations(settings, resolve_optimizer(settings))

    def _validate_arrays(
        self, X: Any, y: Any, sample_weight: Any, reset: bool
    ) -> tuple[Any, Array, Array | None]:
        """Return X as it is, its columns checked, and y and the weights as arrays."""
        self._check_columns(X, reset, y=y)
        y = self._check_numbers(y) if is_regressor(self) else self._check_labels(y)
        check_consistent_length(X, y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if sample_weight is None:
            return X, y, zero_without_target(None, y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if (weight < 0.0).any():
            raise ValueError(
                f"sample_weight must not be negative, got {weight.min()} at row "
                f"{weight.argmin()}"
            )
        if not weight.any():
            raise ValueError("Sample weights must contain at least one non-zero number")
        return X, y, zero_without_target(weight, y)

    def _check_labels(self, y: Any) -> Any:
        """Return labels as an array, or as a sparse matrix of one column per label."""
        return _check_y(plain_labels(y), multi_output=True, estimator=self)

    def _check_numbers(self, y: Any) -> Array:
        """Return numbers as an array. None is NaN, which may have to be allowed."""
        y = check_array(
            np.asarray(y) if isinstance(y, list | tuple) else y,
            accept_sparse="csr",
            ensure_2d=False,
            ensure_all_finite=False,
            dtype=None,
            input_name="y",
            estimator=self,
        )
        if y.dtype.kind == "O":
            with suppress(TypeError, ValueError):
                y = y.astype(np.float64)
        if y.dtype.kind not in "biuf":
            raise ValueError(f"y must hold numbers, got dtype {y.dtype}")
        allow_nan = self._allows_missing_targets()
        assert_all_finite(y, allow_nan=allow_nan, input_name="y")
        return y.toarray() if sp.issparse(y) else y

    def _check_columns(self, X: Any, reset: bool, **y: Any) -> None:
        """Check the names and the number of the columns, and that y is there."""
        check_matrix(X, self)
        validate_data(self, X, **y, reset=reset, skip_check_array=True)

    def _raw_predict(self, X: Any) -> Array:
        """Return raw scores of shape (n_samples, n_outputs) in the model's dtype."""
        if not self._needs_no_conversion(X):
            check_is_fitted(self)
            self._check_columns(X, reset=False)
            X = self._preprocess(X)
        raw = self._network.raw(X, self._state.params, CHUNK, self._loss.pool)
        single = self.preprocessor_ is not None and raw.dtype == np.float32
        return raw.astype(np.float64) if single else raw

    def _preprocess(self, X: Any) -> Features:
        """Return X, its columns checked, as the fitted network sees it."""
        n_features, dtype = self._network.layer_sizes[0], self._state.params.dtype
        return preprocess(self.preprocessor_, X, n_features, dtype, self)

    def _needs_no_conversion(self, X: Any) -> bool:
        """Return whether `validate_data` would return `X` as it is, without a warning.

        To find that out takes it several times as long as the prediction for one row.
        """
        if not (
            type(X) is np.ndarray
            and "_state" in self.__dict__
            and self.preprocessor_ is None
            and X.dtype == self._state.params.dtype
            and X.ndim == 2
            and X.shape[0] > 0
            and X.shape[1] == self.n_features_in_
            and "feature_names_in_" not in self.__dict__
        ):
            return False
        numbers = X.ravel(order="K")
        return isfinite(np.vdot(numbers, numbers))  # of which numpy never warns

    def _params(self, kind: str) -> list[Array]:
        try:
            return self._network.layout.groups(self._state.params)[kind]
        except AttributeError:
            raise AttributeError(
                f"This {type(self).__name__} is not fitted yet: it has no {kind}"
            ) from None
