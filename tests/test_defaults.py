"""What the defaults do: the recipe, and where it is followed."""

import math
import warnings

import numpy as np
import pytest
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNClassifier, FFNNRegressor
from skffnn._auto import AUTO, Problem, resolve_auto
from skffnn._inputs import make_preprocessor
from skffnn.core.averaging import PolynomialAverage

ESTIMATORS = [FFNNClassifier, FFNNRegressor]
SIZES = [8, 64, 65, 299, 300, 1999, 2000, 20_000]

TEXTBOOK = {
    "early_stopping": "auto",
    "max_iter": 1000,
    "learning_rate": "constant",
    "learning_rate_init": "auto",
    "alpha": 1e-4,
    "layer_rates": "equal",
    "beta_2": 0.999,
    "weight_decay": 0.01,
    "dropout": 0.0,
    "dropout_schedule": "constant",
    "label_smoothing": 0.0,
    "input_scale": False,
    "n_members": 1,
    "average": False,
    "n_iter_no_change": 10,
}


def recipe(n, classes):
    """Return what the docstrings promise for n rows of classes, or of numbers."""
    return {
        "early_stopping": n >= 300,
        "learning_rate": "flat_cosine",
        "learning_rate_init": 0.0066 if not classes else 0.005 if n <= 64 else 0.0025,
        "alpha": 0.0,
        "layer_rates": "fan_in",
        "beta_2": 0.95,
        "weight_decay": 0.1
        if classes
        else (5.0 if n <= 64 else min(1.0, max(0.1, 300 / n))),
        "dropout": 0.0 if n <= 64 else 0.25 if classes and n < 2000 else 0.15,
        "dropout_schedule": "flat_cosine",
        **({"label_smoothing": 0.25 / math.sqrt(max(n, 64))} if classes else {}),
        "input_scale": True,
        "n_members": 1 if n <= 64 else 4,
        "average": PolynomialAverage(degree=30),
        "n_iter_no_change": math.inf,
    }


def resolved(estimator, n_rows, classes, incremental=False):
    return resolve_auto(estimator, Problem(n_rows, classes), incremental, goes_on=False)


def classes_of(Estimator):
    return Estimator is FFNNClassifier


def parameters_of(Estimator, names):
    return [name for name in names if name in Estimator().get_params()]


# -- The values ------------------------------------------------------------------------


def test_every_auto_is_in_the_tables():
    assert set(AUTO) == set(TEXTBOOK) == {*recipe(100, True), "max_iter"}
    left = {
        name
        for Estimator in ESTIMATORS
        for name, value in Estimator().get_params().items()
        if isinstance(value, str) and value == "auto"
    }
    # These have an automatic value for any recipe.
    elsewhere = {"preprocessing", "optimizer", "batch_size", "out_activation"}
    assert left == {*AUTO, *elsewhere}


@pytest.mark.parametrize("n_rows", SIZES)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_the_recipe_goes_by_the_number_of_rows(Estimator, n_rows):
    classes = classes_of(Estimator)
    settings = resolved(Estimator(), n_rows, classes)
    assert settings.optimizer == "adamw"
    for name, value in recipe(n_rows, classes).items():
        assert getattr(settings, name) == value, name


@pytest.mark.parametrize("n_rows", SIZES)
@pytest.mark.parametrize("parameters", [{}, {"batch_size": 7}], ids=str)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_the_epochs_make_18_roots_of_the_rows_in_steps(Estimator, parameters, n_rows):
    classes = classes_of(Estimator)
    X = np.zeros((n_rows, 1))
    y = np.arange(n_rows) % 2
    held_out = 0.15 if n_rows >= 300 else 0.0
    model = Estimator((), preprocessing=None, **parameters, max_iter=1).fit(X, y)
    steps_per_epoch = math.ceil(round(n_rows * (1 - held_out)) / model.batch_size_)
    epochs = resolved(Estimator(**parameters), n_rows, classes).max_iter
    planned = 18 * math.sqrt(max(n_rows, 64))
    assert abs(epochs * steps_per_epoch - planned) <= max(steps_per_epoch / 2, 1)


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "batch"},
        {"solver": "stochastic"},
        {"optimizer": "adam"},
        {"optimizer": "sgd"},
        {"learning_rate": "constant"},
        {"learning_rate": "flat_cosine"},
        {"warm_start": True},
        {"incremental": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_every_other_run_is_that_of_the_textbook(Estimator, parameters):
    parameters = dict(parameters)
    incremental = parameters.pop("incremental", False)
    model = Estimator(**parameters)
    for n_rows in SIZES:
        settings = resolved(model, n_rows, classes_of(Estimator), incremental)
        for name in parameters_of(Estimator, TEXTBOOK):
            expected = parameters.get(name, TEXTBOOK[name])
            assert getattr(settings, name) == expected, name
        assert settings.optimizer == parameters.get("optimizer", "auto")


@pytest.mark.parametrize("name", sorted(set(AUTO) - {"learning_rate"}))
def test_what_is_given_is_taken_and_leaves_the_rest(name):
    given = {**TEXTBOOK, "early_stopping": False, "learning_rate_init": 0.5}[name]
    model = FFNNClassifier(**{name: given})
    for n_rows in SIZES:
        mine = resolved(model, n_rows, True)
        default = resolved(FFNNClassifier(), n_rows, True)
        assert getattr(mine, name) == given
        # The epochs go by the rows that train.
        others = set(AUTO) - {name, "max_iter"}
        assert all(getattr(mine, o) == getattr(default, o) for o in others)


# -- Fitted attributes -----------------------------------------------------------------


def what_was_resolved(model):
    attributes = {
        name: getattr(model, f"{name}_") for name in AUTO if hasattr(model, f"{name}_")
    }
    attributes["early_stopping"] = model.do_early_stopping_
    attributes["beta_2"] = model.optimizer_.beta_2
    attributes["weight_decay"] = model.optimizer_.weight_decay
    return attributes


def data_of(Estimator, n_rows):
    X, y = make_classification(n_rows, 5, random_state=0)
    return X, y if classes_of(Estimator) else X[:, 0] + y


@pytest.mark.parametrize("n_rows", [8, 65, 500, 2000])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_what_auto_was_is_a_fitted_attribute(Estimator, n_rows):
    X, y = data_of(Estimator, n_rows)
    model = Estimator((2,), random_state=0).fit(X, y)
    classes = classes_of(Estimator)
    expected = recipe(n_rows, classes)
    attributes = what_was_resolved(model)
    max_iter = attributes.pop("max_iter")
    assert attributes == expected
    assert max_iter == resolved(model, n_rows, classes).max_iter
    # The run ends where it was planned to.
    assert model.n_iter_ == max_iter
    assert len(model.loss_curve_) == max_iter


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_the_values_of_the_data_have_no_say(Estimator):
    X, y = data_of(Estimator, 300)
    rng = np.random.default_rng(0)
    order = rng.permutation(300)
    expected = what_was_resolved(Estimator((2,), random_state=0).fit(X, y))
    weight = rng.uniform(0.1, 9.0, 300)
    more = np.concatenate([weight, np.zeros(2000)])
    for given in (
        (X[order], y[order]),
        (1e3 * X + 5.0, y),
        (X, rng.permutation(y)),
        (np.hstack([X, X**2]), y),
        (X, y, weight),
        (np.resize(X, (2300, 5)), np.resize(y, 2300), more),
    ):
        model = Estimator((2,), random_state=0).fit(*given)
        assert what_was_resolved(model) == expected


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_model_that_is_fitted_again_starts_from_its_parameters(Estimator):
    X, y = data_of(Estimator, 300)
    model = Estimator((2,), random_state=0).fit(X[:50], y[:50])
    assert model.n_members_ == 1
    assert model.dropout_ == 0.0
    again = model.fit(X, y)
    expected = Estimator((2,), random_state=0).fit(X, y)
    assert what_was_resolved(again) == what_was_resolved(expected)
    np.testing.assert_array_equal(again.predict(X), expected.predict(X))
    assert "auto" in again.get_params().values()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_k_calls_of_partial_fit_are_a_fit_at_a_constant_rate(Estimator):
    X, y = data_of(Estimator, 300)
    one = Estimator((8,), learning_rate="constant", max_iter=3, random_state=0)
    other = Estimator((8,), random_state=0)
    known = {"classes": [0, 1]} if classes_of(Estimator) else {}
    for _ in range(3):
        other.partial_fit(X, y, **known)
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        one.fit(X, y)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    assert one.loss_curve_ == other.loss_curve_


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_partial_fit_goes_on_with_the_network_of_fit(Estimator):
    X, y = data_of(Estimator, 300)
    model = Estimator((2,), random_state=0).fit(X, y)
    structure = model.n_members_, model.input_scale_
    assert structure == (4, True)
    model.partial_fit(X, y)
    assert (model.n_members_, model.input_scale_) == structure
    assert model.learning_rate_ == "constant"
    fresh = Estimator((2,), random_state=0)
    classes = {"classes": [0, 1]} if classes_of(Estimator) else {}
    fresh.partial_fit(X, y, **classes)
    assert (fresh.n_members_, fresh.input_scale_) == (1, False)


# -- What they are worth ---------------------------------------------------------------


@pytest.mark.parametrize(
    "load", [load_iris, load_wine, load_breast_cancer, load_digits]
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # of the other one
def test_raw_classes_are_learned_without_a_warning(load):
    X, y = load(return_X_y=True)
    n_splits = 2 if load is load_digits else 5
    ours = FFNNClassifier(random_state=0)
    theirs = make_pipeline(StandardScaler(), MLPClassifier(random_state=0))
    mine, other = (
        cross_val_score(model, X, y, cv=n_splits, error_score="raise").mean()
        for model in (ours, theirs)
    )
    assert mine >= other - 0.02


def test_raw_numbers_are_learned_without_a_warning():
    X, y = load_diabetes(return_X_y=True, scaled=False)
    cv = KFold(5, shuffle=True, random_state=0)
    model = FFNNRegressor(random_state=0)
    assert cross_val_score(model, X, y, cv=cv, error_score="raise").mean() > 0.35


@pytest.mark.parametrize("parameters", [{"shuffle": False}, {"batch_size": 3}], ids=str)
def test_there_is_one_member_where_not_all_would_get_rows(parameters):
    settings = resolve_auto(
        FFNNClassifier(**parameters), Problem(500, True), False, False
    )
    assert settings.n_members == 1


def test_rows_of_your_own_that_judge_take_nothing_from_the_steps():
    X, y = load_digits(return_X_y=True)
    X, y = np.tile(X, (3, 1)), np.tile(y, 3)
    model = FFNNClassifier((4,), random_state=0, max_time=1e-9)
    model.fit(X[:5000], y[:5000], X_val=X[5000:], y_val=y[5000:])
    steps_per_epoch = math.ceil(5000 / model.batch_size_)
    planned = 18.0 * math.sqrt(5000)
    assert abs(model.max_iter_ * steps_per_epoch - planned) <= steps_per_epoch / 2


@pytest.mark.parametrize("n_rows", [100, 1000])
def test_a_schedule_of_the_automatic_dropout_has_an_effect(n_rows):
    X, y = load_digits(return_X_y=True)
    model = FFNNClassifier((4,), dropout_schedule="linear", max_iter=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X[:n_rows], y[:n_rows])
    assert model.dropout_ > 0.0


@pytest.mark.parametrize(
    ("n_rows", "classifies", "n_columns", "n_bins"),
    [
        (149, True, 3, None),
        (150, True, 3, 3),
        (9999, True, 3, 8),
        (9999, False, 3, 16),
        (9999, True, 80, None),
        (9999, False, 64, 5),
    ],
)
def test_the_automatic_bins(n_rows, classifies, n_columns, n_bins):
    made = make_preprocessor("auto", Problem(n_rows, classifies), n_columns)
    assert made.numeric == ("robust" if n_bins is None else "robust_bins")
    assert n_bins is None or made.n_bins == n_bins
    assert made.dtype == np.float32


def test_the_fewest_rows_are_computed_in_double_precision_and_have_no_rare_category():
    few, more = (make_preprocessor("auto", Problem(n, True), 3) for n in (64, 65))
    assert (few.dtype, few.min_frequency) == (None, None)
    assert (more.dtype, more.min_frequency) == (np.float32, 2.0 / 65)
