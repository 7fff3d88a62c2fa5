"""The losses through the estimators: known solutions, and what each one promises."""

import pickle
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from plain import FFNNClassifier, FFNNRegressor
from scipy.special import expit
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    GammaRegressor,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
    TweedieRegressor,
)
from sklearn.metrics import d2_pinball_score
from sklearn.model_selection import GridSearchCV

import skffnn
from skffnn.core.batches import SOLVERS
from skffnn.core.links import LINKS, Link, LogisticLink, SoftmaxLink
from skffnn.core.losses import LOSSES, IgnoringMissing, SeparableLoss, SquaredError
from skffnn.core.losses.positive import Tweedie
from skffnn.core.schedules import Exponential

pytestmark = pytest.mark.filterwarnings("ignore:max_iter=")

REGRESSION = [name for name, kinds in LOSSES.items() if "continuous" in kinds]
CLASSIFICATION = [name for name, kinds in LOSSES.items() if "binary" in kinds]
OWN_LINK = [
    name for name in REGRESSION if LOSSES[name]["continuous"].link.name != "identity"
]
LEVELS = [0.05, 0.5, 0.95]
ALPHA = 0.1


@pytest.fixture(scope="module")
def amounts(diabetes):
    """Return features and positive targets."""
    X, y = diabetes
    return X, np.exp(0.5 * y)


def flat(model):
    return np.concatenate([a.ravel() for a in (*model.coefs_, *model.intercepts_)])


# -- Without hidden layers, on full batches: answers of scikit-learn ------------------

LINEAR = {
    "solver": "batch",
    "tol": 1e-10,
    "n_iter_no_change": 100,
    "alpha": ALPHA,
    "max_iter": 10_000,
    "random_state": 0,
}
EXACT = {"alpha": ALPHA, "solver": "newton-cholesky", "tol": 1e-10}
GLMS = {
    "poisson": ({}, PoissonRegressor(**EXACT)),
    "gamma": ({}, GammaRegressor(**EXACT)),
    "tweedie 1": ({"power": 1}, TweedieRegressor(power=1, **EXACT)),
    "tweedie 1.3": ({"power": 1.3}, TweedieRegressor(power=1.3, **EXACT)),
    "tweedie 2": ({"power": 2}, TweedieRegressor(power=2, **EXACT)),
    "squared_error": ({}, Ridge(alpha=ALPHA * 442)),
}


@pytest.mark.parametrize("name", GLMS)
def test_a_linear_model_is_that_of_scikit_learn(amounts, name):
    X, y = amounts
    parameters, theirs = GLMS[name]
    ours = FFNNRegressor((), loss=name.split()[0], **parameters, **LINEAR).fit(X, y)
    theirs = clone(theirs).fit(X, y)
    np.testing.assert_allclose(ours.coefs_[0][:, 0], theirs.coef_, rtol=0, atol=1e-4)
    assert ours.intercepts_[0][0] == pytest.approx(theirs.intercept_, abs=1e-4)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-3)


@pytest.mark.parametrize("labels", ["binary", "multiclass"])
def test_linear_log_loss_is_logistic_regression(iris, cancer, labels):
    X, y = cancer if labels == "binary" else iris
    ours = FFNNClassifier((), **LINEAR).fit(X, y)
    theirs = LogisticRegression(C=1.0 / (ALPHA * len(y)), tol=1e-10, max_iter=10_000)
    theirs.fit(X, y)
    np.testing.assert_allclose(ours.coefs_[0].T, theirs.coef_, atol=1e-4)
    # A softmax does not change where all scores are shifted.
    shift = ours.intercepts_[0].mean() if labels == "multiclass" else 0.0
    np.testing.assert_allclose(
        ours.intercepts_[0] - shift, theirs.intercept_, atol=1e-4
    )


@pytest.fixture(scope="module")
def lines():
    """Return as many rows as make the quantile of a linear model unique."""
    X, y = make_regression(101, 3, noise=30.0, random_state=0)
    return X, y / 100.0


def linear_quantiles(quantile):
    return FFNNRegressor(
        (), loss="quantile", quantile=quantile, alpha=0.0, solver="batch",
        optimizer="sgd", learning_rate=Exponential(1e-5), learning_rate_init=0.3,
        max_iter=2000, tol=0.0, n_iter_no_change=2000, random_state=0,
    )  # fmt: skip


def test_linear_quantiles_are_those_of_quantile_regression(lines):
    """Several at once are what each is alone: nothing ties their scores together."""
    X, y = lines
    ours = linear_quantiles([0.1, 0.5, 0.8]).fit(X, y)
    for i, level in enumerate([0.1, 0.5, 0.8]):
        theirs = QuantileRegressor(quantile=level, alpha=0.0).fit(X, y)
        np.testing.assert_allclose(ours.coefs_[0][:, i], theirs.coef_, atol=1e-4)
        assert ours.intercepts_[0][i] == pytest.approx(theirs.intercept_, abs=1e-4)


def test_absolute_error_is_the_median(lines):
    X, y = lines
    ours = linear_quantiles(0.5).set_params(loss="absolute_error").fit(X, y)
    theirs = QuantileRegressor(quantile=0.5, alpha=0.0).fit(X, y)
    np.testing.assert_allclose(ours.coefs_[0][:, 0], theirs.coef_, atol=1e-4)


@pytest.mark.parametrize(
    ("limit", "parameters", "of"),
    [
        ("huber", {"delta": 1e3}, {"loss": "squared_error"}),
        ("focal", {"gamma": 0.0}, {"loss": "log_loss"}),
        ("tweedie", {"power": 1.0}, {"loss": "poisson"}),
        ("tweedie", {"power": 2.0}, {"loss": "gamma"}),
    ],
)
def test_a_loss_ends_where_another_begins(amounts, iris, limit, parameters, of):
    Estimator = FFNNRegressor if limit in REGRESSION else FFNNClassifier
    X, y = amounts if limit in REGRESSION else iris
    settings = {"solver": "batch", "optimizer": "sgd", "max_iter": 20, "alpha": 0.0}
    one, other = (
        Estimator((5,), random_state=0, **settings, **loss).fit(X, y)
        for loss in ({"loss": limit, **parameters}, of)
    )
    np.testing.assert_allclose(flat(one), flat(other), rtol=1e-8, atol=1e-10)


# -- Every loss, every way to train ----------------------------------------------------


RATES = {"mini-batch": 0.02, "stochastic": 0.003}


def loss_of_a_constant(model, y):
    """Return the mean loss of the best predictions that do not depend on X."""
    loss, y = model._loss, y[:, None]
    raw = np.tile(loss.best_constant(y, None), (len(y), 1))
    return loss.value_and_gradient(y, raw, None, np.empty_like(raw)) / len(y)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", REGRESSION)
def test_every_loss_learns_with_every_solver(amounts, loss, solver):
    X, y = amounts[0][:150], amounts[1][:150]
    model = FFNNRegressor((10,), loss=loss, solver=solver, max_iter=15, random_state=0)
    if solver != "batch":
        model.set_params(learning_rate_init=RATES[solver])
    model.fit(X, y)
    assert model.loss_ < loss_of_a_constant(model, y)


@pytest.mark.parametrize("loss", REGRESSION)
def test_regression_losses_take_whatever_scikit_learn_passes(amounts, loss):
    X, y = amounts
    model = FFNNRegressor((4,), loss=loss, max_iter=3, random_state=0)
    Y = np.column_stack([y, y[::-1]])
    assert model.fit(sp.csr_array(X.astype(np.float32)), Y).predict(X).shape == Y.shape
    assert model.coefs_[0].dtype == np.float32
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    fitted = clone(model).fit(X, y)
    by_epoch = clone(model)
    for _ in range(3):
        by_epoch.partial_fit(X, y)
    np.testing.assert_array_equal(flat(by_epoch), flat(fitted))
    search = GridSearchCV(clone(model), {"alpha": [1e-4, 1.0]}, cv=2).fit(X, y)
    assert np.isfinite(search.best_score_)


@pytest.mark.parametrize("loss", REGRESSION)
def test_weight_two_is_the_row_twice(amounts, loss):
    X, y = amounts[0][:60], amounts[1][:60]
    repeats = np.random.default_rng(1).integers(0, 4, 60)
    model = FFNNRegressor(
        (6,), "tanh", loss=loss, solver="batch", optimizer="sgd", max_iter=20,
        random_state=0,
    )  # fmt: skip
    weighted = flat(clone(model).fit(X, y, repeats.astype(float)))
    repeated = flat(model.fit(X.repeat(repeats, axis=0), y.repeat(repeats)))
    np.testing.assert_allclose(weighted, repeated, rtol=1e-8, atol=1e-12)


# -- Starts ----------------------------------------------------------------------------


def first_bias(model, *data):
    """Return the output biases before the first step."""
    frozen = clone(model).set_params(
        optimizer="sgd", learning_rate_init=1e-300, max_iter=1, random_state=0
    )
    return frozen.fit(*data).intercepts_[-1]


@pytest.mark.parametrize(
    ("parameters", "constant"),
    [
        ({}, np.mean),
        ({"loss": "absolute_error"}, np.median),
        ({"loss": "quantile", "quantile": 0.9}, lambda y: np.quantile(y, 0.9)),
        ({"loss": "poisson"}, lambda y: np.log(y.mean())),
        ({"loss": "gamma"}, lambda y: np.log(y.mean())),
        ({"loss": "tweedie"}, lambda y: np.log(y.mean())),
        ({"loss": "gaussian_nll"}, lambda y: [y.mean(), np.log(y.var())]),
        ({"out_activation": "exp"}, lambda y: np.log(y.mean())),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_regression_starts_at_the_best_constant(amounts, parameters, constant):
    X, y = amounts[0][:441], amounts[1][:441]
    bias = first_bias(FFNNRegressor(**parameters), X, y)
    np.testing.assert_allclose(bias, np.ravel(constant(y)), rtol=1e-12)


@pytest.mark.parametrize("loss", CLASSIFICATION)
def test_a_classifier_starts_at_the_shares_of_the_classes(iris, cancer, loss):
    X, y = cancer
    share = y.mean()
    bias = first_bias(FFNNClassifier(loss=loss), X, y)
    np.testing.assert_allclose(bias, [np.log(share / (1.0 - share))], rtol=1e-12)
    X, y = iris[0][:120], iris[1][:120]
    bias = first_bias(FFNNClassifier(loss=loss), X, y)
    np.testing.assert_allclose(bias, np.log(np.bincount(y) / 120), rtol=1e-12)


def test_a_class_that_the_first_block_lacks_can_come(iris):
    X, y = iris
    model = FFNNClassifier((10,), learning_rate_init=0.01, random_state=0)
    model.partial_fit(X[:100], y[:100], classes=[0, 1, 2])
    assert np.isfinite(flat(model)).all()
    for _ in range(50):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.95


def test_the_start_ignores_the_hold_out(diabetes):
    X, y = diabetes
    own = {"X_val": X[300:], "y_val": y[300:]}
    model = FFNNRegressor(early_stopping=True, optimizer="sgd", max_iter=1)
    model.set_params(learning_rate_init=1e-300, random_state=0)
    bias = model.fit(X[:300], y[:300], **own).intercepts_[-1]
    np.testing.assert_allclose(bias, y[:300].mean(), rtol=1e-12)


# -- Quantiles, and the standard deviation ---------------------------------------------


@pytest.mark.parametrize("n_targets", [1, 2])
def test_quantiles_of_one_network_never_cross(diabetes, n_targets):
    X, y = diabetes
    Y = y if n_targets == 1 else np.column_stack([y, -y])
    model = FFNNRegressor(
        (20,), loss="quantile", quantile=LEVELS, max_iter=30, random_state=0
    ).fit(X, Y)
    far = np.random.default_rng(0).normal(scale=20.0, size=(1000, X.shape[1]))
    prediction = model.predict(far)
    assert prediction.shape == (1000, *Y.shape[1:], 3)
    assert (np.diff(prediction, axis=-1) >= 0.0).all()
    assert (np.diff(model._network.raw(far, model._state.params, 1000)) < 0.0).any()


def test_quantiles_cover_the_shares_they_should(diabetes):
    X, y = diabetes
    model = FFNNRegressor((), loss="quantile", quantile=LEVELS, random_state=0)
    below = (y[:, None] < model.fit(X, y).predict(X)).mean(axis=0)
    np.testing.assert_allclose(below, LEVELS, atol=0.03)


def test_the_score_of_several_quantiles_is_the_mean_share_explained(diabetes):
    X, y = diabetes
    model = FFNNRegressor(loss="quantile", quantile=LEVELS, max_iter=5, random_state=0)
    prediction = model.fit(X, y).predict(X)
    weight = np.random.default_rng(0).uniform(size=len(y))
    score = np.mean(
        [
            d2_pinball_score(y, p, sample_weight=weight, alpha=level)
            for p, level in zip(prediction.T, LEVELS, strict=True)
        ]
    )
    assert model.score(X, y, weight) == pytest.approx(score)


def test_quantiles_are_scored_at_the_levels_they_were_fitted_for(diabetes):
    X, y = diabetes
    model = FFNNRegressor(loss="quantile", quantile=LEVELS, max_iter=5, random_state=0)
    score = model.fit(X, y).score(X, y)
    assert model.set_params(quantile=0.5).score(X, y) == score
    wrapped = IgnoringMissing(LOSSES["quantile"]["continuous"](quantile=LEVELS))
    other = FFNNRegressor(loss=wrapped, max_iter=5, random_state=0).fit(X, y)
    assert other.score(X, y) == pytest.approx(score)


def test_a_column_of_targets_is_scored_like_the_targets(diabetes):
    X, y = diabetes
    for quantile in (0.5, LEVELS):
        model = FFNNRegressor(
            (3,), loss="quantile", quantile=quantile, max_iter=2, random_state=0
        ).fit(X, y)
        assert model.score(X, y[:, None]) == model.score(X, y)


def test_a_sequence_of_one_quantile_keeps_its_axis(diabetes):
    X, y = diabetes
    model = FFNNRegressor(loss="quantile", quantile=[0.5], max_iter=2, random_state=0)
    assert model.fit(X, y).predict(X).shape == (len(y), 1)
    assert np.isfinite(model.score(X, y))
    assert model.set_params(quantile=0.5).fit(X, y).predict(X).shape == (len(y),)


@pytest.mark.parametrize(
    "quantile", [[], [0.5, 0.1], [0.5, 0.5], [0.0, 0.5], [[0.5]], ["a"]]
)
def test_quantiles_that_are_none_are_named(diabetes, quantile):
    model = FFNNRegressor(loss="quantile", quantile=quantile)
    with pytest.raises(ValueError, match="increasing sequence of them, got"):
        model.fit(*diabetes)


@pytest.mark.parametrize("n_targets", [1, 2])
def test_the_standard_deviation_is_found_where_the_noise_is(n_targets):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (4000, 1))
    noise = np.exp(X)
    Y = 2.0 * X + noise * rng.normal(size=(4000, n_targets))
    Y = Y[:, 0] if n_targets == 1 else Y
    model = FFNNRegressor(
        (), loss="gaussian_nll", solver="batch", alpha=0.0, tol=1e-6, random_state=0
    ).fit(X, Y)
    mean, std = model.predict(X, return_std=True)
    assert mean.shape == std.shape == Y.shape
    np.testing.assert_array_equal(mean, model.predict(X))
    np.testing.assert_allclose(
        std.reshape(4000, -1), noise.repeat(n_targets, 1), rtol=0.1
    )
    # The weights of log(s^2) are twice those of log(s).
    np.testing.assert_allclose(model.coefs_[0][0, n_targets:], 2.0, atol=0.1)


@pytest.mark.parametrize("loss", [n for n in REGRESSION if n != "gaussian_nll"])
def test_a_loss_without_a_standard_deviation_says_so(amounts, loss):
    X, y = amounts
    model = FFNNRegressor((2,), loss=loss, max_iter=1, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="return_std=True needs loss='gaussian_nll'"):
        model.predict(X, return_std=True)


# -- Targets ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "value", "message"),
    [
        ({"loss": "poisson"}, -1.0, r"loss='poisson': .*\[0, inf\), got -1\.0"),
        ({"loss": "gamma"}, 0.0, r"loss='gamma': .*\(0, inf\), got 0\.0"),
        ({"loss": "tweedie"}, -1.0, r"loss='tweedie': .*\[0, inf\), got -1\.0"),
        ({"loss": "tweedie", "power": 2}, 0.0, r"'tweedie': .*\(0, inf\), got 0\.0"),
        ({"out_activation": "logistic"}, 2.0, r"'logistic': .*\[0, 1\].* got 2\.0"),
        ({"out_activation": "tanh"}, -2.0, r"'tanh': .*\[-1, 1\].* got -2\.0"),
        ({"out_activation": "exp"}, -2.0, r"'exp': .*\[0, inf\).* got -2\.0"),
        ({"out_activation": "softplus"}, -2.0, r"'softplus': .*\[0, inf\).* got -2\.0"),
    ],
    ids=str,
)
def test_a_target_out_of_range_is_named_and_leaves_the_model(
    diabetes, parameters, value, message
):
    X = diabetes[0]
    y = np.full(len(X), 0.5)
    y[::2] = 0.6
    model = FFNNRegressor((2,), max_iter=2, random_state=0, **parameters).fit(X, y)
    before = model.predict(X)
    y[7] = value
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("loss", ["poisson", "tweedie"])
def test_a_stream_may_begin_with_targets_that_are_all_zero(loss):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 2))
    y = rng.poisson(np.exp(X[:, 0]))
    y[:100] = 0
    model = FFNNRegressor((10,), loss=loss, learning_rate_init=0.01, random_state=0)
    model.partial_fit(X[:100], y[:100])
    before = model.predict(X)
    assert np.all((before > 0.0) & (before < 0.01))
    for _ in range(30):
        model.partial_fit(X[100:], y[100:])
    assert model.predict(X).mean() == pytest.approx(y[100:].mean(), rel=0.3)


def test_a_target_that_is_zero_in_the_precision_of_training_is_named(diabetes):
    X, y = diabetes
    y = np.where(np.arange(442) == 7, 1e-50, 1.0 + np.abs(y))
    model = FFNNRegressor(loss="gamma", max_iter=2, random_state=0).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    with pytest.raises(ValueError, match=r"\(0, inf\), got 0.0 in float32"):
        model.fit(X.astype(np.float32), y)


@pytest.mark.parametrize("unit", [1e-170, 1e155, 1e300])
def test_the_unit_of_the_target_may_be_anything(diabetes, unit):
    X, y = diabetes
    one, other = (
        skffnn.FFNNRegressor((5,), max_iter=3, random_state=0).fit(X, u * y).predict(X)
        for u in (1.0, unit)
    )
    np.testing.assert_allclose(other / unit, one, rtol=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", LINKS)
def test_predictions_stay_in_the_range_of_the_output_activation(diabetes, name, solver):
    X, y = diabetes[0][:150], diabetes[1][:150]
    link = LINKS[name]
    y = link.inverse(0.5 * y[:, None])[:, 0]
    model = FFNNRegressor(
        (10,), out_activation=name, solver=solver, max_iter=15, random_state=0
    )
    if solver != "batch":
        model.set_params(learning_rate_init=RATES[solver])
    model.fit(X, y)
    assert model.out_activation_ == name
    assert model.loss_ < loss_of_a_constant(model, y)
    low, high = (float(end) for end in link.range[1:-1].split(","))
    far = model.predict(50.0 * X)
    assert low <= far.min()
    assert far.max() <= high


def test_targets_at_the_ends_of_a_range_are_allowed(diabetes):
    X, y = diabetes
    y = (y > 0.0).astype(float)
    model = FFNNRegressor(
        (), out_activation="logistic", alpha=0.0, solver="batch", random_state=0
    )
    brier = FFNNClassifier(
        (), loss="squared_error", alpha=0.0, solver="batch", random_state=0
    )
    p = brier.set_params(tol=1e-6).fit(X, y).predict_proba(X)[:, 1]
    bounded = model.set_params(tol=1e-6).fit(X, y).predict(X)
    np.testing.assert_allclose(bounded, p, atol=1e-3)
    assert model.fit(X, np.zeros(442)).predict(X).max() < 0.05


@pytest.mark.parametrize("name", ["logistic", "tanh"])
def test_targets_of_a_bounded_output_are_not_scaled(diabetes, name):
    X, y = diabetes[0], LINKS[name].inverse(0.5 * diabetes[1])
    one, other = (
        FFNNRegressor(
            (5,), out_activation=name, scale_target=scale, max_iter=5, random_state=0
        ).fit(X, y).predict(X)
        for scale in (True, False)
    )  # fmt: skip
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("loss", OWN_LINK)
def test_a_loss_with_its_own_link_keeps_it(amounts, loss):
    model = FFNNRegressor(loss=loss, out_activation="exp", max_iter=1, random_state=0)
    assert model.fit(*amounts).out_activation_ == "exp"
    with pytest.raises(
        ValueError, match=f"loss='{loss}' has the link 'exp' of its own"
    ):
        model.set_params(out_activation="softplus").fit(*amounts)


# -- Targets that are missing ----------------------------------------------------------


@pytest.mark.parametrize("loss", ["squared_error", "huber", "gamma", "gaussian_nll"])
def test_targets_with_gaps_are_fitted_as_each_alone_on_its_rows(amounts, loss):
    """Without hidden layers nothing ties two targets together."""
    X, y = amounts
    Y = np.column_stack([y, y[::-1]])
    Y[::3, 0] = Y[1::3, 1] = np.nan
    model = FFNNRegressor(
        (), loss=loss, solver="batch", alpha=0.0, tol=1e-7, random_state=0
    )
    both = clone(model).set_params(missing_targets="ignore").fit(X, Y).predict(X)
    for t in range(2):
        rows = ~np.isnan(Y[:, t])
        alone = model.fit(X[rows], Y[rows, t]).predict(X)
        np.testing.assert_allclose(both[:, t], alone, rtol=5e-3)


def test_a_row_without_any_target_is_no_row(diabetes):
    X, y = diabetes
    y = y.copy()
    y[::5] = np.nan
    model = FFNNRegressor(missing_targets="ignore", max_iter=3, random_state=0)
    there = ~np.isnan(y)
    np.testing.assert_array_equal(
        flat(clone(model).fit(X, y)), flat(model.fit(X[there], y[there]))
    )
    assert model.t_ == 3 * there.sum()


@pytest.mark.parametrize("parameters", [{}, {"loss": "quantile", "quantile": LEVELS}])
@pytest.mark.parametrize("weighted", [False, True])
def test_missing_targets_are_not_scored(diabetes, parameters, weighted):
    X, y = diabetes
    Y = np.column_stack([y, -y, y])
    Y[::2, 0], Y[:, 2] = np.nan, np.nan
    model = FFNNRegressor(
        (5,), missing_targets="ignore", max_iter=3, random_state=0, **parameters
    ).fit(X, Y[:, :2])
    weight = np.arange(442.0) if weighted else np.ones(442)
    alone = [
        FFNNRegressor(max_iter=3, random_state=0, **parameters).fit(X, y) for _ in "ab"
    ]
    P = model.predict(X)
    for output, one in enumerate(alone):
        one.predict = lambda X, output=output: P[X, output]
    rows = np.arange(442)
    expected = [
        alone[0].score(rows[1::2], y[1::2], weight[1::2]),
        alone[1].score(rows, -y, weight),
    ]
    score = model.score(X, Y[:, :2], weight if weighted else None)
    assert score == pytest.approx(np.mean(expected), rel=1e-12)
    with_one_more = np.where(np.arange(442)[:, None] == 0, 0.0, np.nan)
    with pytest.raises(ValueError, match="no output in y has two targets that are not"):
        model.score(X, np.repeat(with_one_more, 2, axis=1))
    assert model.score(X, np.column_stack([with_one_more, -y]), weight) == (
        pytest.approx(expected[1], rel=1e-12)
    )
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, Y[:, :2].T)
    with pytest.raises(ValueError, match="sample_weight contains NaN"):
        model.score(X, Y[:, :2], np.where(rows == 3, np.nan, weight))
    with pytest.raises(ValueError, match=r"y has 1 outputs, .* fitted with 2"):
        model.score(X, Y[:, 0])
    frame = pd.DataFrame(Y[:, :2]).astype("Float64")
    assert model.score(X, frame, weight) == pytest.approx(np.mean(expected), rel=1e-12)
    search = GridSearchCV(model, {"alpha": [0.0, 0.1]}, cv=2, error_score="raise")
    assert np.isfinite(search.fit(X, Y[:, :2]).best_score_)


def test_missing_targets_go_with_what_else_there_is(diabetes):
    X, y = diabetes
    Y = np.column_stack([y, -y])
    Y[::4, 0] = np.nan
    model = FFNNRegressor(
        (5,), loss="quantile", quantile=LEVELS, missing_targets="ignore",
        early_stopping=True, max_iter=5, random_state=0,
    )  # fmt: skip
    weight = np.random.default_rng(0).uniform(size=len(y))
    model.fit(sp.csr_array(X), Y, weight, X_val=X[:50], y_val=Y[:50])
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.validation_scores_).all()


@pytest.mark.parametrize(
    ("parameters", "missing", "message"),
    [
        ({}, [0], "NaN"),
        ({"missing_targets": "ignore"}, range(442), "all targets .* are missing"),
    ],
    ids=str,
)
def test_missing_targets_are_an_error_unless_asked_for(
    diabetes, parameters, missing, message
):
    X, y = diabetes
    y = y.copy()
    y[list(missing)] = np.nan
    with pytest.raises(ValueError, match=message):
        FFNNRegressor(**parameters).fit(X, y)


def test_an_output_without_a_target_is_named(diabetes):
    X, y = diabetes
    Y = np.column_stack([y, np.full(len(y), np.nan)])
    with pytest.raises(ValueError, match="all targets of output 1 are missing"):
        FFNNRegressor(missing_targets="ignore").fit(X, Y)


# -- Words -----------------------------------------------------------------------------


def test_a_hyperparameter_of_another_loss_has_no_effect(diabetes, iris):
    with pytest.warns(UserWarning, match=r"loss='huber' .*: quantile=0\.9, power=1\.2"):
        FFNNRegressor(loss="huber", quantile=0.9, power=1.2, max_iter=1).fit(*diabetes)
    with pytest.warns(UserWarning, match=r"loss='log_loss' .*: gamma=1\.0"):
        FFNNClassifier(label_smoothing=0.1, gamma=1.0, max_iter=1).fit(*iris)


def test_another_number_of_scores_needs_a_new_start(diabetes):
    model = FFNNRegressor((2,), warm_start=True, max_iter=1, random_state=0)
    model.fit(*diabetes).set_params(loss="gaussian_nll")
    with pytest.raises(ValueError, match=r"and loss=GaussianNLL\(\) ask for another"):
        model.fit(*diabetes)


@pytest.mark.parametrize("max_iter", [8, 60])
def test_a_dead_network_says_so(max_iter):
    """On features of unlike scale a step of sgd is too long for most units."""
    X, y = load_wine(return_X_y=True)
    model = FFNNClassifier(
        (20,), optimizer="sgd", learning_rate_init=0.01, max_iter=max_iter,
        random_state=0,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning, match="The network is dead"):
        model.fit(X, y)
    assert np.ptp(model.predict_proba(X), axis=0).max() == 0.0


def test_label_smoothing_and_focus_make_less_certain(cancer):
    X, y = cancer
    certainty = {
        loss: FFNNClassifier(**parameters, random_state=0)
        .fit(X, y)
        .predict_proba(X)
        .max(axis=1)
        .mean()
        for loss, parameters in {
            "plain": {},
            "smooth": {"label_smoothing": 0.2},
            "focal": {"loss": "focal"},
        }.items()
    }
    assert certainty["smooth"] < certainty["plain"]
    assert certainty["focal"] < certainty["plain"]


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "gaussian_nll"])
@pytest.mark.parametrize("out_activation", ["softplus", "exp"])
def test_the_unit_of_positive_targets_does_not_matter(loss, out_activation):
    X, y = load_diabetes(return_X_y=True)
    model = FFNNRegressor(
        (20,), loss=loss, out_activation=out_activation, scale_target=True,
        max_iter=20, random_state=0,
    )  # fmt: skip
    one, other = (clone(model).fit(X, unit * y).predict(X) for unit in (1.0, 1e5))
    np.testing.assert_allclose(other, 1e5 * one, rtol=1e-6)
    with pytest.raises(ValueError, match=r"got -1\.0"):
        model.fit(X, np.where(y > 300.0, -1.0, y))


def test_a_row_without_targets_is_no_row_to_the_preprocessor_either(diabetes):
    X, y = diabetes
    z = np.where(np.arange(len(y)) % 5, y, np.nan)
    there = ~np.isnan(z)
    model = skffnn.FFNNRegressor((8,), max_iter=2, random_state=0)
    expected = clone(model).fit(X[there], y[there]).predict(X)
    model.set_params(missing_targets="ignore").fit(X, z)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6)


def test_the_class_predicted_is_the_most_probable_by_a_link_of_ones_own():
    class Prior(SoftmaxLink):
        """Counts the last class for more than the network does."""

        def log_inverse(self, raw):
            return super().log_inverse(raw + np.array([0.0, 0.0, 3.0], raw.dtype))

    class WithPrior(type(LOSSES["log_loss"]["multiclass"]())):
        link = Prior()

    X, y = load_wine(return_X_y=True)
    model = FFNNClassifier((8,), loss=WithPrior(), max_iter=30, random_state=0)
    model.fit(X / X.max(axis=0), y)
    probable = model.predict_proba(X / X.max(axis=0)).argmax(axis=1)
    assert not np.array_equal(
        probable, model.decision_function(X / X.max(axis=0)).argmax(axis=1)
    )
    np.testing.assert_array_equal(model.predict(X / X.max(axis=0)), probable)


def test_a_link_without_a_score_is_refused_before_training(diabetes):
    @dataclass(frozen=True)
    class Square(Link):
        name: ClassVar[str] = "square"

        def inverse(self, raw):
            return raw**2

    @dataclass(frozen=True)
    class Squares(SeparableLoss):
        link = Square()

        def per_target(self, y, raw, gradient_out):
            gradient_out[...] = 2.0 * raw * (raw**2 - y)
            return 0.5 * (raw**2 - y) ** 2

    X, y = diabetes
    model = skffnn.FFNNRegressor((8,), max_iter=2, random_state=0).fit(X, y)
    before = model.predict(X)
    with pytest.raises(NotImplementedError, match="score"):
        model.set_params(loss=Squares()).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("unit", [1e-30, 1e-18, 1e18, 1e30])
def test_a_deviance_of_amounts_knows_no_unit_in_single_precision(unit):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 2))
    y = rng.gamma(5.0, np.exp(X[:, 0]))
    model = skffnn.FFNNRegressor((8,), loss="gamma", max_iter=5, random_state=0)
    expected = model.fit(X, y).predict(X)
    loss = model.loss_
    np.testing.assert_allclose(model.fit(X, unit * y).predict(X) / unit, expected, 1e-3)
    assert model.loss_ == pytest.approx(loss, rel=1e-3)


@pytest.mark.parametrize("unit", [1e-25, 1e25])
def test_predictions_of_amounts_are_not_clipped_in_single_precision(unit):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 2)).astype(np.float32)
    y = rng.gamma(5.0, np.exp(X[:, 0]))
    model = FFNNRegressor((8,), loss="gamma", max_iter=5, random_state=0)
    expected = model.fit(X, y).predict(X)
    predicted = model.fit(X, unit * y).predict(X)
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted / unit, expected, 1e-3)


def test_predictions_beyond_the_largest_number_stay_finite():
    raw = np.array([[1000.0]], np.float32)
    assert np.isfinite(LOSSES["gamma"]["continuous"]().predict(raw)).all()


@pytest.mark.parametrize("count", [1e3, 1e9, 1e15])
def test_the_deviance_of_large_counts_is_precise_in_single_precision(count):
    rng = np.random.default_rng(0)
    y = np.exp(rng.normal(np.log(count), 1e-2, (200, 1))).astype(np.float32)
    raw = np.full_like(y, np.log(count))
    loss = LOSSES["poisson"]["continuous"]()
    value, gradient = loss.per_target(y, raw, slope := np.empty_like(raw)), slope
    mu, y = np.exp(raw.astype(np.longdouble)), y.astype(np.longdouble)
    exact = y * np.log(y / mu) - y + mu
    assert (value >= 0.0).all()
    np.testing.assert_allclose(value.sum(), float(exact.sum()), rtol=1e-3)
    np.testing.assert_allclose(gradient, (mu - y).astype(float), atol=1e-5 * count)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e10, 1e15])
def test_a_wide_distribution_is_right_in_single_precision(scale):
    loss = LOSSES["gaussian_nll"]["continuous"]()
    y = np.array([[-1.0], [0.5], [2.0]], np.float32) * np.float32(scale)
    raw = np.array([[0.0, 2.0 * np.log(scale)]] * 3, np.float32)
    gradient = np.empty_like(raw)
    value = loss.value_and_gradient(y, raw, None, gradient)
    z = np.array([-1.0, 0.5, 2.0])
    np.testing.assert_allclose(gradient[:, 0] * scale, -z, rtol=1e-4)
    np.testing.assert_allclose(gradient[:, 1], 0.5 - 0.5 * z**2, atol=1e-4)
    expected = 0.5 * np.sum(z**2 + np.log(2.0 * np.pi) + 2.0 * np.log(scale))
    assert value == pytest.approx(expected, rel=1e-5)
    pooled = loss.pool(np.stack([raw, raw]))
    np.testing.assert_allclose(pooled, raw, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("value", [3.0, 0.1, 1e-9, 1e9, 0.0])
@pytest.mark.parametrize("n_rows", [1, 3, 10])
def test_a_constant_target_says_nothing_of_its_unit(value, n_rows):
    loss = LOSSES["gaussian_nll"]["continuous"]()
    constant = loss.best_constant(np.full((n_rows, 1), value), None)
    np.testing.assert_allclose(constant, [value, 0.0], rtol=1e-15)


@pytest.mark.parametrize(
    "power", [1.0 + 1e-12, 1.000001, 1.0001, 1.3, 1.9999, 2.0 - 1e-12]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_deviance_of_tweedie_is_precise_near_its_limits(power, dtype):
    rng = np.random.default_rng(0)
    y = rng.gamma(2.0, 1.0, (200, 1)).astype(dtype)
    raw = (np.log(y) + rng.normal(0.0, 0.1, y.shape)).astype(dtype)
    value = Tweedie(power).per_target(y, raw, np.empty_like(raw))
    a, b = 1.0 - power, 2.0 - power
    # Of the integral of (mu - y) / mu^power from y to mu.
    exact, wide = np.longdouble, raw.astype(np.longdouble)
    steps = (np.arange(2000, dtype=exact) + 0.5) / 2000
    log_y = np.log(y.astype(exact))
    path = log_y + (wide - log_y) * steps
    slope = np.exp(b * path) - y * np.exp(a * path)
    expected = (slope * (wide - log_y)).mean(axis=1, keepdims=True)
    precision = {"rtol": 1e-3, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-6}
    np.testing.assert_allclose(value, expected, **precision)


class LogitNormal(SeparableLoss):
    """Squares of a difference of logits: not defined for the targets zero and one."""

    link = LogisticLink()
    target_range = "(0, 1)"

    def per_target(self, y, raw, gradient_out):
        np.subtract(raw, np.log(y) - np.log1p(-y), out=gradient_out)
        return 0.5 * np.square(gradient_out)


class CappedError(SquaredError):
    def per_target(self, y, raw, gradient_out):
        np.clip(raw - y, -1.0, 1.0, out=gradient_out)
        return 0.5 * np.square(gradient_out)


@pytest.mark.parametrize("weight", [None, np.array([1.0, 2.0, 0.5])])
def test_a_subclass_of_the_squared_error_may_write_per_target_only(weight):
    y, raw = np.zeros((3, 1)), np.array([[-3.0], [0.5], [2.0]])
    gradient = np.empty_like(raw)
    value = CappedError().value_and_gradient(y, raw, weight, gradient)
    shares = np.ones(3) if weight is None else weight
    assert value == pytest.approx(shares @ [0.5, 0.125, 0.5])
    np.testing.assert_allclose(gradient[:, 0], shares * [-1.0, 0.5, 1.0])


def test_a_gap_is_filled_with_a_target_that_the_loss_allows(diabetes):
    X, _ = diabetes
    y = expit(np.column_stack([X[:, 0], -X[:, 0]]))
    y[::5, 0] = np.nan
    model = FFNNRegressor(
        (8,), loss=LogitNormal(), missing_targets="ignore", max_iter=50,
        learning_rate_init=0.01, random_state=0,
    )  # fmt: skip
    assert model.fit(X, y).score(X, y) > 0.9


def test_an_output_that_few_rows_have_may_be_missing_in_those_looked_at():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2048, 2))
    y = np.column_stack([X[:, 0], X[:, 1]])
    y[np.arange(2048) % 4 != 1, 1] = np.nan  # one in four is looked at, from row 0 on
    model = FFNNRegressor(
        (4,), missing_targets="ignore", max_iter=15, learning_rate_init=0.01,
        random_state=0,
    )  # fmt: skip
    assert model.fit(X, y).score(X, y) > 0.8
