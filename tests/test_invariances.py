"""What changes nothing in the defaults: units, rows that do not count, copies."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import r2_score

from skffnn import FFNNClassifier, FFNNRegressor
from skffnn.core.losses import LOSSES

ESTIMATORS = [FFNNClassifier, FFNNRegressor]
# Up to 64 rows the defaults train in float64 and all rows together, beyond that in
# float32 and by batches.
SIZES = [60, 150]


def data(Estimator, n_rows):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 4)) * np.array([1.0, 10.0, 0.1, 1.0])
    y = X[:, 0] + 0.1 * X[:, 1] * (X[:, 3] > 0.0)
    return (X, y > 0.0) if Estimator is FFNNClassifier else (X, y)


def quick(Estimator, **parameters):
    return Estimator((8,), random_state=0, **parameters)


def answer(model, X):
    return getattr(model, "predict_proba", model.predict)(X)


def assert_same(one, other, n_rows):
    atol = 1e-8 if n_rows <= 64 else 5e-3
    np.testing.assert_allclose(one, other, rtol=0, atol=atol)


# -- Features --------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", SIZES)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_the_unit_of_a_column(Estimator, n_rows):
    X, y = data(Estimator, n_rows)
    other = X * np.array([1e-3, 60.0, 1e6, 1.0]) + np.array([7.0, -273.0, 0.0, 1.0])
    one, two = quick(Estimator).fit(X, y), quick(Estimator).fit(other, y)
    assert_same(answer(one, X), answer(two, other), n_rows)


@pytest.mark.parametrize("n_rows", SIZES)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_the_order_in_memory(Estimator, n_rows):
    X, y = data(Estimator, n_rows)
    one, two = quick(Estimator).fit(X, y), quick(Estimator).fit(np.asfortranarray(X), y)
    np.testing.assert_array_equal(answer(one, X), answer(two, X))


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_constant_column_has_no_say(Estimator):
    X, y = data(Estimator, 150)
    X = np.column_stack([X, np.full(150, 3.0)])
    model = quick(Estimator).fit(X, y)
    before = answer(model, X)
    X[:, -1] = 4.0
    np.testing.assert_array_equal(answer(model, X), before)


@pytest.mark.parametrize("n_rows", SIZES)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_the_precision_of_the_input(Estimator, n_rows):
    X, y = data(Estimator, n_rows)
    single = X.astype(np.float32)
    one, two = quick(Estimator).fit(X, y), quick(Estimator).fit(single, y)
    p, q = answer(one, X), answer(two, single)
    assert p.dtype == q.dtype == np.float64
    np.testing.assert_allclose(p, q, atol=0.02)


# -- Rows ------------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", SIZES)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_row_of_weight_zero_is_no_row(Estimator, n_rows):
    X, y = data(Estimator, n_rows)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, n_rows)
    strange = np.vstack([X, np.full((500, 4), 1e6)])
    more = np.concatenate([y, np.resize(y, 500)])
    zeros = np.concatenate([weight, np.zeros(500)])
    one = quick(Estimator).fit(X, y, weight)
    two = quick(Estimator).fit(strange, more, zeros)
    np.testing.assert_array_equal(answer(one, X), answer(two, X))


@pytest.mark.parametrize("n_rows", SIZES)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_common_factor_of_the_weights(Estimator, n_rows):
    X, y = data(Estimator, n_rows)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, n_rows)
    one, two = (quick(Estimator).fit(X, y, factor * weight) for factor in (1.0, 100.0))
    assert_same(answer(one, X), answer(two, X), n_rows)


@pytest.mark.parametrize("factor", [1.0, 100.0])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_rare_categories_go_by_shares_of_the_weights(Estimator, factor):
    """One row of 200 is too few for a category, whatever the unit of weights."""
    y = np.arange(200) % 2
    X = np.where(np.arange(200) < 1, "rare", np.where(y == 1, "a", "b"))[:, None]
    X = np.hstack([X, np.where(np.arange(200) % 50 < 2, "rare", "often")[:, None]])
    model = quick(Estimator, max_iter=1).fit(X, y, np.full(200, factor))
    rare, often = model.preprocessor_.infrequent_categories_
    assert rare.tolist() == ["rare"]
    assert often is None or not len(often)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_up_to_64_rows_weight_two_is_the_row_twice(Estimator):
    X, y = data(Estimator, 48)
    X = np.where(np.arange(48)[:, None] % 5 == 0, np.nan, X)
    X[:, 0] = np.arange(48) % 7
    table = np.column_stack([X.astype(object), np.arange(48).astype(str)])
    table[:, -1] = [f"town {i // 2}" for i in range(48)]
    weight = np.where(np.arange(48) < 16, 2.0, 1.0)
    twice = np.repeat(np.arange(48), weight.astype(int))
    weighted = quick(Estimator).fit(table, y, weight)
    repeated = quick(Estimator).fit(table[twice], y[twice])
    assert weighted.preprocessor_.n_features_out_ > 20
    assert_same(answer(weighted, table), answer(repeated, table), 48)


# -- Chance ----------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", [60, 150, 400])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_the_same_seed_gives_the_same_model(Estimator, n_rows):
    X, y = data(Estimator, n_rows)
    model = quick(Estimator).fit(X, y)
    expected = answer(model, X)
    for again in (
        clone(model).fit(X, y),
        pickle.loads(pickle.dumps(model)),
        pickle.loads(pickle.dumps(clone(model))).fit(X, y),
        model.fit(X, y),
    ):
        np.testing.assert_array_equal(answer(again, X), expected)
    other = clone(model).set_params(random_state=1).fit(X, y)
    assert not np.array_equal(answer(other, X), expected)
    free = [clone(model).set_params(random_state=None).fit(X, y) for _ in range(2)]
    assert not np.array_equal(answer(free[0], X), answer(free[1], X))


# -- Targets ---------------------------------------------------------------------------

SCALED = [
    name
    for name, kinds in LOSSES.items()
    if "continuous" in kinds and kinds["continuous"].link.name == "identity"
]
LOGARITHMIC = ["poisson", "gamma", "tweedie"]


@pytest.mark.parametrize("loss", SCALED)
@pytest.mark.parametrize("n_rows", SIZES)
def test_the_unit_of_the_target(n_rows, loss):
    X, y = data(FFNNRegressor, n_rows)
    factor, shift = 1e6, -3e5
    one = quick(FFNNRegressor, loss=loss).fit(X, y)
    two = quick(FFNNRegressor, loss=loss).fit(X, factor * y + shift)
    assert_same(one.predict(X), (two.predict(X) - shift) / factor, n_rows)
    score = r2_score(y, one.predict(X))
    assert one.score(X, y) == pytest.approx(score)
    assert two.score(X, factor * y + shift) == pytest.approx(score, abs=0.01)


def test_quantiles_and_deviations_are_in_the_unit_of_the_target():
    X, y = data(FFNNRegressor, 60)
    factor, shift = 1e6, -3e5
    levels = [0.1, 0.5, 0.9]
    one, two = (
        quick(FFNNRegressor, loss="quantile", quantile=levels).fit(X, target)
        for target in (y, factor * y + shift)
    )
    assert_same(one.predict(X), (two.predict(X) - shift) / factor, 60)
    one, two = (
        quick(FFNNRegressor, loss="gaussian_nll").fit(X, target)
        for target in (y, factor * y + shift)
    )
    std, other = (m.predict(X, return_std=True)[1] for m in (one, two))
    assert_same(std, other / factor, 60)


def test_several_targets_have_units_of_their_own():
    X, y = data(FFNNRegressor, 60)
    Y = np.column_stack([y, X[:, 3]])
    units, shifts = np.array([1e6, 1e-3]), np.array([1e6, 5.0])
    one = quick(FFNNRegressor).fit(X, Y)
    two = quick(FFNNRegressor).fit(X, units * Y + shifts)
    assert_same(one.predict(X), (two.predict(X) - shifts) / units, 60)


def test_targets_may_be_left_as_they_are():
    X, y = data(FFNNRegressor, 60)
    factor = 1e3
    one, two = (
        quick(FFNNRegressor, scale_target=False).fit(X, c * y) for c in (1.0, factor)
    )
    # What is not scaled, is learned otherwise in another unit.
    assert np.abs(one.predict(X) - two.predict(X) / factor).max() > 1e-3


@pytest.mark.parametrize("loss", LOGARITHMIC)
def test_losses_with_a_logarithmic_link_are_not_scaled(loss):
    X, y = data(FFNNRegressor, 60)
    y = np.exp(y)
    one, two = (
        quick(FFNNRegressor, loss=loss, scale_target=scale).fit(X, y)
        for scale in (True, False)
    )
    np.testing.assert_array_equal(one.predict(X), two.predict(X))


@pytest.mark.parametrize("missing", [False, True])
def test_the_mean_and_deviation_are_those_of_the_weighted_targets(missing):
    """Without hidden layers or steps to speak of, the mean is the prediction."""
    X, y = data(FFNNRegressor, 60)
    weight = np.random.default_rng(1).uniform(0.0, 2.0, 60)
    given, parameters = y.copy(), {}
    if missing:
        given[::3], parameters = np.nan, {"missing_targets": "ignore"}
    there = ~np.isnan(given)
    model = quick(FFNNRegressor, learning_rate_init=1e-12, max_iter=1, **parameters)
    # Rows whose features are all at the median have codes of zero.
    X = np.zeros_like(X)
    mean = np.average(y[there], weights=weight[there])
    prediction = model.fit(X, given, weight).predict(X)
    np.testing.assert_allclose(prediction, mean, rtol=1e-6)
    # J of scaled targets is one half, where every prediction is the mean.
    assert model.loss_curve_[0] == pytest.approx(0.5, abs=0.01)
    variance = np.average((y[there] - mean) ** 2, weights=weight[there])
    center, std = model._targets._unit
    np.testing.assert_allclose(center, [mean])
    np.testing.assert_allclose(std, [np.sqrt(variance)])


def test_gaps_in_targets_leave_the_units_of_the_rest():
    X, y = data(FFNNRegressor, 60)
    Y = np.column_stack([y, 1e6 * X[:, 3]])
    Y[::4, 0] = Y[1::4, 1] = np.nan
    model = quick(FFNNRegressor, missing_targets="ignore").fit(X, Y)
    for t in range(2):
        there = ~np.isnan(Y[:, t])
        assert r2_score(Y[there, t], model.predict(X)[there, t]) > 0.7
