"""Weights mean what the formula says."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from plain import FFNNClassifier, FFNNRegressor

from skffnn._holdout import split_rows
from skffnn.core.losses import LOSSES

pytestmark = pytest.mark.filterwarnings("ignore:max_iter=")


def batch(Estimator, **parameters):
    return Estimator(
        hidden_layer_sizes=(6,), activation="tanh", solver="batch", optimizer="sgd",
        max_iter=30, random_state=0, **parameters
    )  # fmt: skip


@pytest.fixture
def weight():
    return np.random.default_rng(1).integers(0, 4, 60).astype(float)


@pytest.mark.parametrize("loss", [k for k, v in LOSSES.items() if "binary" in v])
def test_weight_two_is_the_row_twice_and_zero_is_no_row(iris, weight, loss):
    X, y = iris[0][::2][:60], iris[1][::2][:60]
    weighted = batch(FFNNClassifier, loss=loss).fit(X, y, sample_weight=weight)
    repeats = weight.astype(int)
    repeated = batch(FFNNClassifier, loss=loss).fit(
        X.repeat(repeats, axis=0), y.repeat(repeats)
    )
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-10
    )


@pytest.mark.parametrize("solver", ["batch", "mini-batch", "stochastic"])
def test_a_common_factor_changes_nothing(diabetes, solver):
    X, y = diabetes[0][:80], diabetes[1][:80]
    weight = np.random.default_rng(2).uniform(0.5, 2.0, 80)
    one, hundred = (
        FFNNRegressor(solver=solver, max_iter=5, random_state=0)
        .fit(X, y, sample_weight=factor * weight)
        .predict(X)
        for factor in (1.0, 100.0)
    )
    np.testing.assert_allclose(hundred, one, rtol=1e-8)


@pytest.mark.parametrize("solver", ["batch", "mini-batch", "stochastic"])
def test_equal_weights_are_no_weights(diabetes, solver):
    X, y = diabetes
    model = FFNNRegressor(solver=solver, max_iter=3, random_state=0)
    without = model.fit(X, y).predict(X)
    np.testing.assert_array_equal(
        model.fit(X, y, np.full(len(y), 0.1)).predict(X), without
    )


@pytest.mark.parametrize("solver", ["mini-batch", "stochastic"])
def test_a_row_of_weight_zero_is_dropped_bit_for_bit(iris, solver):
    X, y = iris
    weight = np.ones(len(y))
    weight[::7] = 0.0
    model = FFNNClassifier(solver=solver, max_iter=3, random_state=0)
    weighted = model.fit(X, y, sample_weight=weight).predict_proba(X)
    dropped = model.fit(X[weight > 0], y[weight > 0]).predict_proba(X)
    np.testing.assert_array_equal(weighted, dropped)


def test_a_class_whose_rows_weigh_nothing_stays_a_class(iris):
    X, y = iris
    model = FFNNClassifier(random_state=0).fit(X, y, sample_weight=1.0 * (y > 0))
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    assert model.predict_proba(X)[:, 0].max() < 0.5


def test_very_large_weights_do_not_overflow(diabetes):
    X, y = diabetes
    weight = np.where(y > 0, 1.0, 1.5)
    model = FFNNRegressor(max_iter=3, random_state=0)
    small = model.fit(X, y, weight).predict(X)
    np.testing.assert_allclose(model.fit(X, y, 1e308 * weight).predict(X), small)


def test_partial_fit_weighs_a_row_against_all_rows_so_far(diabetes):
    """A later call of heavier rows takes a longer step."""
    X, y = diabetes
    step = []
    for factor in (1.0, 3.0):
        model = FFNNRegressor(
            solver="batch", optimizer="sgd", momentum=0.0, alpha=0.0, random_state=0
        )
        model.partial_fit(X[:100], y[:100])
        before = model.coefs_[0].copy()
        model.partial_fit(X[100:200], y[100:200], np.full(100, factor))
        step.append(model.coefs_[0] - before)
    # The mean weight of all 200 rows is then 2. A step is a difference of weights.
    np.testing.assert_allclose(step[1], step[0] * 3.0 / 2.0, rtol=1e-9, atol=1e-15)


def test_the_hold_out_is_weighted(diabetes):
    X, y = diabetes
    weight = np.where(y > 0, 10.0, 0.1)
    parameters = {"early_stopping": True, "random_state": 0, "max_iter": 3}
    model = FFNNRegressor(**parameters).fit(X, y, weight)
    _, rows = split_rows(len(y), 0.1, None, model._state.seed)
    errors = 0.5 * (model.predict(X[rows]) - y[rows]) ** 2
    expected = np.average(errors, weights=weight[rows])
    assert -model.best_validation_score_ == pytest.approx(expected)


CONTAINERS = {
    "list": lambda X: X.tolist(),
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    **{
        name: getattr(sp, f"{name}_array")
        for name in ("csr", "csc", "coo", "bsr", "lil", "dok")
    },
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_rows_of_weight_zero_leave_any_container(iris, container):
    X, y = iris
    weight = (np.arange(len(y)) % 3 > 0).astype(float)
    model = FFNNClassifier((5,), max_iter=2, random_state=0)
    expected = model.fit(X[weight > 0], y[weight > 0]).predict_proba(X)
    p = model.fit(container(X), y, weight).predict_proba(container(X))
    np.testing.assert_allclose(p, expected, rtol=1e-9)


@pytest.mark.parametrize("preprocessing", [None, "auto"])
def test_the_sum_of_the_weights_may_overflow(diabetes, preprocessing):
    X, y = diabetes
    model = FFNNRegressor((4,), max_iter=3, preprocessing=preprocessing, random_state=0)
    weight = np.where(np.arange(len(X)) % 2, 1.0, 2.0)
    ours = model.fit(X, y, 1e307 * weight).predict(X)
    np.testing.assert_allclose(ours, model.fit(X, y, weight).predict(X), rtol=1e-4)
