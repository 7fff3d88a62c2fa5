"""An error names the argument, the value and what is allowed, and breaks nothing."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from plain import FFNNClassifier, FFNNRegressor
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skffnn import DeepEnsembleClassifier, TabularPreprocessor
from skffnn.core.activations import ACTIVATIONS, LeakyReLU
from skffnn.core.losses import LOSSES
from skffnn.core.optimizers import LBFGS, OPTIMIZERS, Optimizer
from skffnn.core.optimizers.adam import Adam
from skffnn.core.schedules import Adaptive, InverseScaling, WarmUp

ESTIMATORS = [FFNNClassifier, FFNNRegressor]
WRONG_VALUES = {
    "hidden_layer_sizes": [
        0,
        2.5,
        "100",
        (10, 0),
        (10, 2.5),
        (10, "5"),
        None,
        True,
        -3,
    ],
    "activation": ["reluu", 3, ("relu", "tanh"), (3,)],
    "preprocessing": ["scaled", 3],
    "solver": ["full", 1, None],
    "optimizer": ["adamm", 0.1, None],
    "loss": ["cross_entropy", None],
    "label_smoothing": [-0.1, 1.0, "much"],
    "gamma": [-1.0, None],
    "quantile": [0.0, 1.0, "median"],
    "delta": [0.0, -1.0, None],
    "power": [0.9, 2.1, None],
    "out_activation": ["relu", "softmax", None],
    "scale_target": ["yes", None],
    "clip_predictions": ["yes", None],
    "missing_targets": ["drop", True],
    "class_weight": ["even", 2.0],
    "alpha": [-1e-4, "small", None],
    "l1_ratio": [-0.1, 1.1, None],
    "dropout": [1.0, -0.1, "half", None, (1.0,), ("half",), (0.1, 0.1), ()],
    "input_dropout": [1.0, -0.1, (0.1,), None],
    "dropout_schedule": ["adaptive", "linearly", 0.1, WarmUp(Adaptive())],
    "layer_norm": ["yes", None],
    "max_norm": [0.0, -1.0, "big"],
    "batch_size": [0, -1, 2.5, "all"],
    "learning_rate": ["linearly", 0.1],
    "learning_rate_init": [0.0, -1.0, "big"],
    "layer_rates": ["fan_out", 1.0, None],
    "power_t": [-0.5],
    "max_iter": [0, 1.5, "all"],
    "max_time": [0, -1.0, "long"],
    "shuffle": ["yes"],
    "random_state": ["seed"],
    "tol": [-1.0],
    "verbose": ["loud"],
    "warm_start": [None],
    "checkpoint": [3, True],
    "momentum": [1.0, -0.1],
    "nesterovs_momentum": [None],
    "early_stopping": ["maybe", 2],
    "scoring": ["accurate", None, 1],
    "validation_fraction": [0.0, 1.0],
    "validation_split": [0.2, 5, "last"],
    "refit": ["yes", None],
    "beta_1": [1.0, -0.1],
    "beta_2": [1.0, -0.1, "slow"],
    "weight_decay": [-0.1, "strong", None],
    "epsilon": [0.0],
    "n_iter_no_change": [0, 2.5, "all"],
    "max_fun": [0],
    "input_scale": ["yes", None],
    "n_members": [0, 1.5],
    "max_grad_norm": [0.0, -1.0, "big"],
    "average": [0, 1, 1.5, -0.1, "mean", None],
}
X = np.random.default_rng(0).normal(size=(30, 4))
LABELS = np.arange(30) % 3


def test_every_parameter_is_in_the_table():
    parameters = [set(Estimator().get_params()) for Estimator in ESTIMATORS]
    assert set.union(*parameters) == set(WRONG_VALUES)


@pytest.mark.parametrize(
    ("Estimator", "name", "value"),
    [
        (Estimator, name, value)
        for name, values in WRONG_VALUES.items()
        for Estimator in ESTIMATORS
        if name in Estimator().get_params()
        for value in values
    ],
)
def test_a_wrong_value_is_named(Estimator, name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter") as error:
        Estimator(**{name: value}).fit(X, LABELS)
    if name != "activation":
        assert repr(value).strip("'") in str(error.value)


@pytest.mark.parametrize(
    ("estimator", "name", "value"),
    [
        (FFNNClassifier(max_iter=1), "shuffle", 1),
        (FFNNRegressor(max_iter=1), "shuffle", 1),
        (TabularPreprocessor(), "missing_indicator", 1),
        (DeepEnsembleClassifier(FFNNClassifier(max_iter=1)), "n_jobs", 1.0),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.filterwarnings("ignore:max_iter=")
def test_parameters_are_not_checked_where_scikit_learn_is_told_not_to(
    estimator, name, value
):
    estimator = clone(estimator).set_params(**{name: value})
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        estimator.fit(X, LABELS)
    with config_context(skip_parameter_validation=True):
        estimator.fit(X, LABELS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_solver_of_mlpclassifier_is_shown_its_right_spelling(name):
    with pytest.raises(ValueError, match=f"solver='.*', optimizer='{name}'"):
        FFNNClassifier(solver=name).fit(X, LABELS)


@pytest.mark.parametrize(
    "name", [k for k, v in OPTIMIZERS.items() if len(v.solvers) == 1]
)
@pytest.mark.parametrize("solver", ["mini-batch", "stochastic"])
def test_an_impossible_pair_says_what_the_optimizer_needs(name, solver):
    with pytest.raises(ValueError, match=f"optimizer='{name}' needs solver='batch'"):
        FFNNClassifier(solver=solver, optimizer=name).fit(X, LABELS)


def test_log_loss_is_not_for_a_regressor():
    with pytest.raises(
        ValueError, match=r"'loss' parameter.*squared_error.*'log_loss'"
    ):
        FFNNRegressor(loss="log_loss").fit(X, X[:, 0])


def test_hyperparameters_of_own_objects_are_checked_where_they_are_made():
    with pytest.raises(ValueError, match=r"slope of LeakyReLU .* \(0, 1\), got 2"):
        LeakyReLU(slope=2)
    with pytest.raises(ValueError, match=r"beta_1 of Adam .* \[0, 1\), got 'x'"):
        Adam(beta_1="x")


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize(
    ("features", "target", "weight", "message"),
    [
        (X[:, 0], LABELS, None, "Expected 2D array"),
        (X[:-1], LABELS, None, "inconsistent numbers of samples"),
        (np.where(X > 2, np.nan, X), LABELS, None, "X contains NaN"),
        (np.where(X > 2, np.inf, X), LABELS, None, "X contains infinity"),
        (X.astype(complex), LABELS, None, "Complex data"),
        (X[:0], LABELS[:0], None, "0 sample"),
        (X[:, :0], LABELS, None, "0 feature"),
        (X, None, None, "requires y to be passed"),
        (X, np.where(LABELS == 1, np.nan, LABELS), None, "y contains NaN"),
        (X, LABELS, -np.ones(30), "sample_weight must not be negative, got -1"),
        (X, LABELS, np.zeros(30), "Sample weights must contain at least one non-zero"),
        (X, LABELS, np.ones(29), "sample_weight"),
        (X, LABELS, np.full(30, np.nan), "sample_weight contains NaN"),
    ],
)
def test_wrong_data_is_named(Estimator, features, target, weight, message):
    with pytest.raises(ValueError, match=message):
        Estimator().fit(features, target, sample_weight=weight)


def test_continuous_targets_are_no_labels():
    with pytest.raises(ValueError, match="Unknown label type"):
        FFNNClassifier().fit(X, X[:, 0])


def test_several_columns_of_classes_are_no_labels():
    with pytest.raises(ValueError, match="Got 2 columns of several classes each"):
        FFNNClassifier().fit(X, np.column_stack([LABELS, LABELS]))


def test_targets_that_float32_cannot_hold_are_named():
    with pytest.raises(ValueError, match="y contains values too large for float32"):
        FFNNRegressor().fit(X.astype(np.float32), np.full(30, 1e300))


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("method", ["predict", "score"])
def test_not_fitted_is_said(Estimator, method):
    arguments = (X, LABELS) if method == "score" else (X,)
    with pytest.raises(NotFittedError):
        getattr(Estimator(), method)(*arguments)
    assert not hasattr(Estimator(), "coefs_")


def test_classes_are_needed_first_and_must_not_change():
    model = FFNNClassifier()
    with pytest.raises(ValueError, match="classes must be passed in the first call"):
        model.partial_fit(X, LABELS)
    model.partial_fit(X, LABELS, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"classes=\[0, 1\] is not the same"):
        model.partial_fit(X, LABELS, classes=[0, 1])


def test_a_failed_partial_fit_changes_nothing():
    model = FFNNClassifier(random_state=0).partial_fit(X, LABELS, classes=[0, 1, 2])
    before = model.predict_proba(X)
    bad_calls = [
        (X, LABELS + 1, None, r"labels \[3\] that are not in classes_"),
        (X[:, :2], LABELS, None, "2 features, but"),
        (np.full_like(X, np.nan), LABELS, None, "NaN"),
        (X, LABELS, -np.ones(30), "negative"),
        (X, np.eye(30)[:, :3], None, "was fitted with multiclass targets"),
    ]
    for features, target, weight, message in bad_calls:
        with pytest.raises(ValueError, match=message):
            model.partial_fit(features, target, sample_weight=weight)
    with pytest.raises(ValueError, match="alpha"):
        model.set_params(alpha=-1).partial_fit(X, LABELS)
    np.testing.assert_array_equal(model.predict_proba(X), before)
    assert model.set_params(alpha=0.0).partial_fit(X, LABELS).n_iter_ == 2


def test_a_failed_fit_leaves_the_old_model():
    model = FFNNRegressor(random_state=0).fit(X, X[:, 0])
    before = model.predict(X)
    with pytest.raises(ValueError, match="y contains"):
        model.fit(X[:, :2], np.full(30, np.nan))
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize(
    "change", [{"hidden_layer_sizes": (3,)}, {"activation": "tanh"}], ids=str
)
def test_going_on_with_another_network_is_named(change):
    model = FFNNClassifier(warm_start=True, tol=0.1, random_state=0).fit(X, LABELS)
    (name,) = change
    with pytest.raises(ValueError, match=f"{name}="):
        model.set_params(**change).fit(X, LABELS)


def test_a_schedule_that_returns_nonsense_is_named():
    with pytest.raises(
        ValueError, match=r"'learning_rate' function .* Got nan .*step=0"
    ):
        FFNNRegressor(learning_rate=lambda *_: np.nan).fit(X, X[:, 0])


def test_options_without_effect_are_named_in_one_warning():
    model = FFNNClassifier(
        solver="batch", batch_size=10, momentum=0.5, validation_fraction=0.2,
        beta_1=0.8, tol=0.1, random_state=0,
    )  # fmt: skip
    with pytest.warns(UserWarning, match="No effect") as record:
        model.fit(X, LABELS)
    (message,) = [str(w.message) for w in record]
    for part in ("solver='batch'", "batch_size=10", "momentum=0.5", "beta_1=0.8",
                 "validation_fraction=0.2"):  # fmt: skip
        assert part in message


def test_messages_list_the_registries():
    for name, registry in (("activation", ACTIVATIONS), ("optimizer", OPTIMIZERS)):
        with pytest.raises(ValueError, match=name) as error:
            FFNNClassifier(**{name: "?"}).fit(X, LABELS)
        assert all(repr(known) in str(error.value) for known in registry)
    with pytest.raises(ValueError, match="loss") as error:
        FFNNClassifier(loss="?").fit(X, LABELS)
    assert all(repr(k) in str(error.value) for k, v in LOSSES.items() if "binary" in v)


def test_a_loss_without_probabilities_is_not_for_a_classifier():
    loss = LOSSES["squared_error"]["continuous"]()
    with pytest.raises(ValueError, match=r"SquaredError\(\) has the link 'identity'"):
        FFNNClassifier(loss=loss).fit(X, LABELS)
    softmax = LOSSES["log_loss"]["multiclass"]()
    with pytest.raises(ValueError, match="no probabilities for binary targets"):
        FFNNClassifier(loss=softmax).fit(X, LABELS == 1)


def test_an_activation_with_an_unknown_init_is_named():
    class Xavier(type(ACTIVATIONS["tanh"])):
        init = "xavier"

    with pytest.raises(ValueError, match=r"one of \['glorot', .* got 'xavier'"):
        FFNNClassifier(activation=Xavier()).fit(X, LABELS)


def test_own_objects_of_the_wrong_kind_are_named():
    class Returns(type(ACTIVATIONS["silu"])):
        def forward(self, z, out):
            return z

    class Silent(type(LOSSES["squared_error"]["continuous"]())):
        def value_and_gradient(self, *args):
            super().value_and_gradient(*args)

    class BadLink(type(LOSSES["squared_error"]["continuous"]())):
        link = "logistic"

    @dataclass(frozen=True)
    class Half(Optimizer):
        pass

    for wrong, message in [
        ({"activation": Returns()}, "must write f\\(z\\) into out"),
        ({"activation": [["relu"]]}, "'activation' parameter"),
        ({"learning_rate": InverseScaling}, "'learning_rate' parameter .* class"),
        ({"loss": BadLink()}, "must be a Link, got 'logistic'"),
        ({"optimizer": Half()}, "'optimizer' parameter"),
    ]:
        with pytest.raises(ValueError, match=message):
            FFNNRegressor(**wrong).fit(X, X[:, 0])
    with pytest.raises(TypeError, match="must return a number, got None"):
        FFNNRegressor(loss=Silent()).fit(X, X[:, 0])


@pytest.mark.parametrize("classes", [[], [0, 1, np.nan], {0, 1}, 3])
def test_wrong_classes_are_named(classes):
    with pytest.raises(ValueError, match="classes must be a sequence"):
        FFNNClassifier().partial_fit(X, LABELS, classes=classes)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e308])
def test_prediction_of_plain_arrays_is_checked_too(value):
    model = FFNNRegressor(max_iter=5000, tol=0.01, random_state=0).fit(X, X[:, 0])
    bad = X.copy()
    bad[0] = value
    if np.isfinite(value):
        assert model.predict(bad[1:]).shape == (29,)
        with np.errstate(all="ignore"):
            assert model.predict(bad).shape == (30,)
    else:
        with pytest.raises(ValueError, match="X contains"):
            model.predict(bad)
    with pytest.raises(ValueError, match="3 features, but"):
        model.predict(X[:, :3])


def test_the_number_of_labels_is_named_where_it_is_wrong():
    indicator = (np.arange(3) == LABELS[:, None]).astype(int)
    model = FFNNClassifier(random_state=0)
    with pytest.raises(ValueError, match="must name the 3 columns of y"):
        model.partial_fit(X, indicator, classes=[0, 1])
    model.partial_fit(X, indicator)
    with pytest.raises(ValueError, match=r"y has 2 columns, .* with 3 labels"):
        model.partial_fit(X, indicator[:, :2])


def test_times_are_no_targets_of_a_regression():
    days = np.arange(len(X)).astype("datetime64[D]")
    with pytest.raises(ValueError, match="y must hold numbers, got dtype datetime64"):
        FFNNRegressor().fit(X, days)


def test_an_object_of_lbfgs_has_no_single_step_either():
    assert not hasattr(FFNNClassifier(solver="batch", optimizer=LBFGS()), "partial_fit")


def without_the_first_row(X):
    return X[1:]


@pytest.mark.parametrize("change", [without_the_first_row, lambda X: X[[0, *range(9)]]])
def test_a_preprocessing_that_changes_the_rows_is_an_error(diabetes, change):
    X, y = diabetes
    model = FFNNRegressor((2,), max_iter=2, preprocessing=FunctionTransformer(change))
    with pytest.raises(ValueError, match=r"preprocessing=.* one row for each of X"):
        model.fit(X, y)


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_a_preprocessing_that_changes_its_mind_is_an_error(diabetes):
    X, y = diabetes
    changing = FunctionTransformer(lambda X: X[:, : min(3, len(X))])
    model = FFNNRegressor((2,), max_iter=2, preprocessing=changing).fit(X, y)
    message = (
        r"preprocessing=.* as many columns as in fit: shape \(2, 3\), got \(2, 2\)"
    )
    with pytest.raises(ValueError, match=message):
        model.predict(X[:2])
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X[:2], y[:2])
    judged = clone(model).set_params(early_stopping=True)
    with pytest.raises(ValueError, match=f"In X_val.*{message}"):
        judged.fit(X, y, X_val=X[:2], y_val=y[:2])
    assert model.predict(X).shape == y.shape


@pytest.mark.filterwarnings("ignore:max_iter=")
@pytest.mark.parametrize("container", [list, np.asarray, pd.DataFrame], ids=str)
def test_a_target_that_is_none_is_missing(diabetes, container):
    X, y = diabetes
    y = np.column_stack([y, y]).astype(object)
    y[7] = None
    y = container(y.tolist())
    with pytest.raises(ValueError, match="Input y contains NaN"):
        FFNNRegressor((2,), max_iter=2).fit(X, y)
    ignoring = FFNNRegressor((2,), max_iter=2, missing_targets="ignore")
    assert np.isfinite(ignoring.fit(X, y).predict(X)).all()


@pytest.mark.parametrize("y", [["a"] * 442, np.array(["a"] * 442, dtype=object)])
def test_a_regression_needs_numbers(diabetes, y):
    with pytest.raises(ValueError, match="y must hold numbers, got dtype"):
        FFNNRegressor().fit(diabetes[0], y)


@pytest.mark.parametrize("preprocessing", [None, StandardScaler()], ids=str)
def test_a_missing_value_gets_advice(diabetes, preprocessing):
    X, y = diabetes
    X = X.copy()
    X[3, 1] = np.nan
    model = FFNNRegressor((2,), max_iter=2, preprocessing=preprocessing)
    with pytest.raises(ValueError, match=r"X contains NaN\. With preprocessing='auto'"):
        model.fit(X, y)


def test_a_category_gets_advice(diabetes):
    X = pd.DataFrame({"a": ["x", "y"] * 221})
    with pytest.raises(ValueError, match=r"float: 'x' With preprocessing='auto'"):
        FFNNRegressor((2,), max_iter=2).fit(X, diabetes[1])


@pytest.mark.parametrize(
    "parameters",
    [{"l1_ratio": 0}, {"momentum": np.float64(0.9)}, {"max_fun": np.int64(15000)}],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:max_iter=")
def test_a_default_of_another_type_of_number_needs_no_effect(diabetes, parameters):
    FFNNRegressor((2,), max_iter=2, **parameters).fit(*diabetes)


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_a_power_has_an_effect_where_one_of_two_schedules_uses_it(diabetes):
    parameters = {
        "hidden_layer_sizes": (2,), "max_iter": 2, "optimizer": "adam", "power_t": 0.3
    }  # fmt: skip
    for schedules in (
        {"learning_rate": "invscaling"},
        {"dropout": 0.1, "dropout_schedule": "invscaling"},
    ):
        FFNNRegressor(**parameters, **schedules).fit(*diabetes)
    unused = {"learning_rate": "invscaling", "optimizer": "lbfgs", "solver": "batch"}
    for changes in ({"dropout": 0.1}, unused):
        with pytest.warns(UserWarning, match=r"No effect.*power_t=0\.3$"):
            FFNNRegressor(**{**parameters, **changes}).fit(*diabetes)
