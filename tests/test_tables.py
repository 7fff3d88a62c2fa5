"""Tables of any kind go into the estimators as they are."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from names import assert_knows_the_names
from sklearn import config_context
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skffnn import (
    DeepEnsembleClassifier,
    DeepEnsembleRegressor,
    FFNNClassifier,
    FFNNRegressor,
    TabularPreprocessor,
)

ESTIMATORS = [FFNNClassifier, FFNNRegressor]
N_ROWS = 120


def people():
    """Return a frame with columns of most kinds, with gaps in each."""
    rng = np.random.default_rng(0)
    n = N_ROWS
    X = pd.DataFrame(
        {
            "age": rng.normal(50.0, 20.0, n),
            "children": pd.array(rng.integers(0, 5, n), dtype="Int64"),
            "smoker": pd.array(rng.random(n) < 0.3, dtype="boolean"),
            "sex": pd.Categorical(rng.choice(["f", "m"], n)),
            "city": pd.array(rng.choice(["Rome", "Oslo", "Lima"], n), dtype="str"),
            "born": pd.Timestamp("1970-01-01")
            + pd.to_timedelta(rng.integers(0, 10**4, n), unit="D"),
        }
    )
    for j in range(X.shape[1]):
        X.iloc[rng.choice(n, 8, replace=False), j] = None
    return X


@pytest.fixture(params=["pandas", "polars"])
def X(request):
    frame = people()
    return frame if request.param == "pandas" else pl.from_pandas(frame)


def target(Estimator):
    """Return what the rows of the table are to be told from their columns."""
    table = people()
    y = (table["city"] == "Rome").to_numpy(int) + 0.02 * table["age"].fillna(50.0)
    y = y.to_numpy()
    if issubclass(Estimator, FFNNClassifier | DeepEnsembleClassifier):
        return np.where(y > np.median(y), "high", "low")
    return y


def own_score(model, X, y):
    return model.score(X, y)


def rows(X, places):
    return X.iloc[places] if isinstance(X, pd.DataFrame) else X[places]


def quick(Estimator, **parameters):
    return Estimator((16,), random_state=0, **parameters)


# -- Every method ----------------------------------------------------------------------


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_table_is_learned(Estimator, X):
    y = target(Estimator)
    model = quick(Estimator).fit(X, y)
    assert model.score(X, y) > 0.7
    assert model.predict(rows(X, np.arange(1))).shape == (1,)
    assert model.n_features_in_ == 6
    assert_knows_the_names(model, X)
    assert model.preprocessor_.n_features_out_ == model.coefs_[0].shape[-2]
    if Estimator is FFNNClassifier:
        p = model.predict_proba(X)
        assert p.dtype == np.float64
        np.testing.assert_allclose(p.sum(axis=1), 1.0)
        assert model.classes_.tolist() == ["high", "low"]


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_pandas_and_polars_are_the_same_table(Estimator):
    frame, y = people(), target(Estimator)
    models = [
        quick(Estimator, max_iter=3).fit(X, y) for X in (frame, pl.from_pandas(frame))
    ]
    np.testing.assert_array_equal(
        models[0].predict(frame), models[1].predict(pl.from_pandas(frame))
    )
    copy = pickle.loads(pickle.dumps(models[0]))
    np.testing.assert_array_equal(copy.predict(frame), models[0].predict(frame))


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_partial_fit_takes_the_statistics_from_its_first_block(Estimator, X):
    y = target(Estimator)
    first, second = np.arange(60), np.arange(60, N_ROWS)
    known = {"classes": ["high", "low"]} if Estimator is FFNNClassifier else {}
    model = quick(Estimator).partial_fit(rows(X, first), y[first], **known)
    preprocessor = model.preprocessor_
    codes = preprocessor.transform(X)
    model.partial_fit(rows(X, second), y[second])
    assert model.preprocessor_ is preprocessor
    np.testing.assert_array_equal(preprocessor.transform(X), codes)
    expected = clone(preprocessor).fit(rows(X, first), y[first])
    np.testing.assert_array_equal(expected.transform(X), codes)
    assert model.n_iter_ == 2


# -- With what else there is -----------------------------------------------------------


@pytest.mark.parametrize(
    "parameters",
    [
        {"early_stopping": True},
        {"early_stopping": True, "refit": True},
        {"early_stopping": True, "scoring": own_score},
        {"early_stopping": True, "validation_split": KFold(4)},
        {"solver": "batch"},
        {"solver": "stochastic", "max_iter": 2, "learning_rate": "cosine"},
    ],
    ids=["hold-out", "refit", "own score", "own split", "batch", "stochastic"],
)
@pytest.mark.filterwarnings("ignore:L-BFGS stopped", "ignore:max_iter=")
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_options_take_tables(Estimator, X, parameters):
    y = target(Estimator)
    model = quick(Estimator, **parameters).fit(X, y)
    assert np.isfinite(model.loss_)
    assert model.predict(X).shape == y.shape


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_hold_out_of_ones_own_is_a_table(Estimator, X):
    y = target(Estimator)
    inside, outside = np.arange(80), np.arange(80, N_ROWS)
    model = quick(Estimator, early_stopping=True)
    model.fit(rows(X, inside), y[inside], X_val=rows(X, outside), y_val=y[outside])
    assert model.t_ == 80 * model.n_iter_
    score = model.best_validation_score_
    model.set_params(scoring="accuracy" if Estimator is FFNNClassifier else "r2")
    model.fit(rows(X, inside), y[inside], X_val=rows(X, outside), y_val=y[outside])
    assert model.score(rows(X, outside), y[outside]) == pytest.approx(
        model.best_validation_score_
    )
    assert score < 0.0 < model.best_validation_score_


def test_weights_of_classes_and_rows_go_with_tables(X):
    y = target(FFNNClassifier)
    weight = np.linspace(0.0, 1.0, N_ROWS)
    model = quick(FFNNClassifier, class_weight={"high": 1.0, "low": 50.0})
    model.fit(X, y, sample_weight=weight)
    assert (model.predict(X) == "low").mean() > (y == "low").mean()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_in_a_pipeline_and_a_search(Estimator, X):
    y = target(Estimator)
    network = quick(Estimator, preprocessing=TabularPreprocessor(), max_iter=3)
    grid = {"preprocessing__numeric": ["standard", "robust_bins"]}
    search = GridSearchCV(network, grid, cv=2).fit(X, y)
    best = search.best_estimator_.preprocessor_
    assert best.numeric == search.best_params_["preprocessing__numeric"]
    assert not hasattr(network.preprocessing, "n_features_in_")
    piped = make_pipeline(FunctionTransformer(), clone(network)).fit(X, y)
    alone = clone(network).fit(X, y)
    np.testing.assert_array_equal(piped.predict(X), alone.predict(X))


@pytest.mark.parametrize(
    ("Ensemble", "Estimator"),
    [(DeepEnsembleClassifier, FFNNClassifier), (DeepEnsembleRegressor, FFNNRegressor)],
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_ensembles_take_tables(Ensemble, Estimator, X, early_stopping):
    y = target(Ensemble)
    member = quick(Estimator, early_stopping=early_stopping)
    model = Ensemble(member, 2, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.6
    assert_knows_the_names(model, X)


# -- Arrays and sparse matrices --------------------------------------------------------


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_arrays_may_have_gaps(Estimator):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 4))
    y = (X[:, 0] > 0.0).astype(int)
    X[rng.random(X.shape) < 0.1] = np.nan
    model = Estimator(random_state=0).fit(X, y)
    assert model.score(X, y) > 0.6
    with pytest.raises(ValueError, match="X contains NaN"):
        model.set_params(preprocessing=None).fit(X, y)
    assert model.score(X, y) > 0.6  # the old one still predicts


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_sparse_stays_sparse(Estimator):
    rng = np.random.default_rng(0)
    n, width = 1000, 10_000
    cells = rng.integers(n, size=2000), rng.integers(width, size=2000)
    X = sp.csr_array((np.ones(2000), cells), shape=(n, width))
    y = np.arange(n) % 2
    model = Estimator((2,), n_members=1, max_iter=1)
    tracemalloc.start()
    model.fit(X, y).predict(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sp.issparse(model.preprocessor_.transform(X))
    assert peak < 0.3 * 4 * n * width  # of float32, were it dense


# -- Transformers of one's own ---------------------------------------------------------


def test_a_transformer_is_cloned_and_fitted(iris):
    X, y = iris
    scaler = StandardScaler()
    model = FFNNClassifier(preprocessing=scaler, max_iter=2, random_state=0)
    model.fit(10.0 * X + 3.0, y)
    assert not hasattr(scaler, "mean_")
    np.testing.assert_allclose(model.preprocessor_.mean_, 3.0, atol=1e-9)
    outside = FFNNClassifier(preprocessing=None, max_iter=2, random_state=0)
    scaled = StandardScaler().fit_transform(10.0 * X + 3.0)
    np.testing.assert_allclose(
        model.predict_proba(10.0 * X + 3.0),
        outside.fit(scaled, y).predict_proba(scaled),
    )


def test_a_frozen_transformer_is_used_as_it_is(iris):
    X, y = iris
    scaler = StandardScaler().fit(X[:20] + 1.0)
    model = FFNNClassifier(preprocessing=FrozenEstimator(scaler), random_state=0)
    model.set_params(max_iter=2).fit(X, y)
    np.testing.assert_array_equal(model.preprocessor_.transform(X), scaler.transform(X))


# -- Errors ----------------------------------------------------------------------------


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_an_error_names_the_column_and_leaves_the_model(Estimator):
    X, y = people(), target(Estimator)
    model = quick(Estimator, max_iter=2).fit(X, y)
    before = model.predict(X)
    worse = X.assign(age=np.where(np.arange(N_ROWS) == 3, np.inf, X["age"]))
    words = X.assign(age="old")
    for bad in (worse, words):
        with pytest.raises(ValueError, match="age"):
            model.predict(bad)
    for bad in (worse, X.assign(city=[{"a": 1}] * N_ROWS)):
        with pytest.raises((ValueError, TypeError), match=r"age|city"):
            model.fit(bad, y)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X.rename(columns={"age": "years"}))
    assert model.feature_names_in_.tolist() == list(X.columns)
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_bad_hold_out_is_told_from_bad_rows(Estimator):
    X, y = people(), target(Estimator)
    model = quick(Estimator, max_iter=2, early_stopping=True)
    bad = X.assign(age="old")
    with pytest.raises(ValueError, match=r"In X_val, y_val .*age"):
        model.fit(X, y, X_val=bad, y_val=y)
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_what_predict_has_not_seen_is_no_error(Estimator, X):
    model = quick(Estimator, max_iter=2).fit(X, target(Estimator))
    frame = people().head(3).assign(city=["Pisa", None, "Rome"])
    strange = frame if isinstance(X, pd.DataFrame) else pl.from_pandas(frame)
    assert len(model.predict(strange)) == 3


@pytest.mark.parametrize(
    ("X", "told"),
    [
        ([1.0, 2.0], "Expected 2D array, got 1D"),
        (np.arange(2.0), "Expected 2D array, got 1D"),
        ([], "Expected 2D array, got 1D"),
        (["a", "b"], "Expected 2D array, got 1D"),
        (pd.Series([1.0, 2.0]), "2-dimensional container"),
        (np.zeros((2, 1, 1)), "dim 3"),
        (None, "Expected 2D array, got scalar"),
    ],
    ids=["list", "array", "empty", "words", "Series", "cube", "None"],
)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_what_is_no_table_is_refused_with_advice(Estimator, X, told):
    with pytest.raises(ValueError, match=told):
        Estimator().fit(X, [0, 1])
    model = Estimator((2,), max_iter=1).fit([[1.0], [2.0]], [0, 1])
    for method in (model.predict, lambda X: model.fit(X, [0, 1])):
        with pytest.raises(ValueError, match=told):
            method(X)
    assert model.n_features_in_ == 1


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_lists_of_rows_are_split_too(Estimator):
    rows = [[i, "odd" if i % 2 else "even"] for i in range(40)]
    y = [i % 2 for i in range(40)]
    model = quick(Estimator, early_stopping=True, validation_split=KFold(4))
    assert model.fit(rows, y).score(rows, y) > 0.9


# -- What a closer look has found ------------------------------------------------------


def test_a_column_of_many_categories_is_used():
    rng = np.random.default_rng(0)
    effects = rng.normal(size=300)
    c, x = rng.integers(300, size=3000), rng.normal(size=3000)
    X = pd.DataFrame({"c": [f"c{i}" for i in c], "x": x})
    y = effects[c] + 0.5 * x
    model = FFNNRegressor((32,), random_state=0).fit(X[:2000], y[:2000])
    assert model.score(X[2000:], y[2000:]) > 0.8


def test_names_of_rows_are_one_column():
    X = pd.DataFrame({"name": [f"row {i}" for i in range(400)], "x": np.arange(400.0)})
    model = quick(FFNNRegressor, max_iter=1).fit(X, X["x"])
    assert model.preprocessor_.n_features_out_ < 20


@pytest.mark.parametrize("sentinel", [1e15, 1e20, -(2.0**63), 3.4e38])
def test_a_sentinel_does_not_hide_the_rest_of_its_column(sentinel):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(140, 3))
    y = X[:, 0] > 0.0
    Z = X.copy()
    Z[0] = sentinel
    assert FFNNClassifier(random_state=0).fit(Z, y).score(X, y) > 0.9


def test_whole_numbers_are_no_classes_to_a_target_encoding():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"city": [f"c{i}" for i in rng.integers(0, 60, 500)]})
    y = rng.integers(10**5, 10**6, 500)
    P = TabularPreprocessor(categorical="target")
    models = [
        quick(FFNNRegressor, preprocessing=P, max_iter=2).fit(X, y) for _ in range(2)
    ]
    assert models[0].preprocessor_.get_feature_names_out().tolist() == ["city_target"]
    np.testing.assert_array_equal(*(model.predict(X) for model in models))
    assert P.random_state is None
    assert P.target_type == "auto"


def test_sparse_rows_stay_sparse_where_transformers_give_frames():
    X = sp.random(3000, 20_000, 0.0005, format="csr", random_state=0)
    with config_context(transform_output="pandas"):
        tracemalloc.start()
        model = quick(FFNNClassifier, max_iter=1).fit(X, np.arange(3000) % 2)
        model.predict(X)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 0.5 * X.shape[0] * X.shape[1] * 4


@pytest.mark.parametrize("missing", [float("nan"), None, pd.NaT])
def test_a_date_may_be_missing_in_any_dtype(missing):
    X = pd.DataFrame({"when": pd.date_range("2020", periods=100)})
    model = quick(FFNNClassifier, max_iter=1).fit(X, np.arange(100) % 2)
    assert model.predict(pd.DataFrame([{"when": missing}])).shape == (1,)


@pytest.mark.parametrize("scaler", [MinMaxScaler(), make_pipeline(StandardScaler())])
def test_a_row_of_weight_zero_is_no_row_to_any_transformer(scaler):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = X[:, 0] > 0.0
    X[:20] *= 1e3
    weight = np.repeat([0.0, 1.0], [20, 100])
    model = quick(FFNNClassifier, preprocessing=scaler, max_iter=2)
    expected = clone(model).fit(X[20:], y[20:]).predict_proba(X)
    p = model.fit(X, y, weight).predict_proba(X)
    np.testing.assert_allclose(p, expected, rtol=1e-6)


def test_a_stream_that_begins_with_one_row_is_warned_of():
    X = np.arange(30.0).reshape(10, 3)
    with pytest.warns(UserWarning, match="first call of partial_fit has one row"):
        quick(FFNNRegressor).partial_fit(X[:1], [1.0])
    model = quick(FFNNRegressor, preprocessing=None, scale_target=False)
    model.partial_fit(X[:1], [1.0])
    frozen = FrozenEstimator(StandardScaler().fit(X))
    model = quick(FFNNRegressor, preprocessing=frozen, scale_target=False)
    model.partial_fit(X[:1], [1.0])


@pytest.mark.parametrize(
    ("parameters", "y", "weight"),
    [
        ({}, np.full(10, 3.0), None),
        ({}, np.array([0.1 + 0.2, *[0.3] * 9]), None),
        ({}, np.array([9.0, *[1.0] * 9]), np.array([0.0, *[1.0] * 9])),
        ({}, np.column_stack([np.arange(10.0), np.ones(10)]), None),
        ({"missing_targets": "ignore"}, np.array([np.nan, *[1.0] * 9]), None),
        ({"preprocessing": None}, np.arange(10.0), np.array([1.0, *[0.0] * 9])),
    ],
    ids=["constant", "rounding", "weights", "one of two", "missing", "one row"],
)
def test_a_stream_that_begins_with_a_constant_is_warned_of(parameters, y, weight):
    X = np.arange(30.0).reshape(10, 3)
    model = quick(FFNNRegressor, **parameters)
    with pytest.warns(UserWarning, match="scale_target=True cannot learn its unit"):
        model.partial_fit(X, y, weight)
    assert model.partial_fit(X, y, weight).n_iter_ == 2
    assert quick(FFNNRegressor, **parameters).fit(X, y, weight).n_iter_ > 0
    later = np.arange(100.0).reshape(10, -1)[:, : y.reshape(10, -1).shape[1]]
    later = later[:, 0] if y.ndim == 1 else later
    for _ in range(3):
        model.partial_fit(X, later)
    assert model.loss_ < 1e5  # the unit is one, not that of the rounding


def test_numbers_to_learn_may_be_booleans():
    X = np.arange(30.0).reshape(10, 3)
    model = quick(FFNNRegressor).partial_fit(X, np.arange(10) % 2 == 0)
    assert model.predict(X).dtype == np.float64


@pytest.mark.parametrize("container", [sp.csr_array, sp.csr_matrix])
def test_the_labels_of_a_frame_may_be_sparse(container):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((100, 3)), columns=["a", "b", "c"])
    X["d"] = np.where(X.a > 0, "x", "y")
    labels = np.column_stack([X.a > 0, X.b > X.c]).astype(int)
    model = FFNNClassifier((4,), max_iter=3, random_state=0)
    dense = model.fit(X, labels).predict_proba(X)
    np.testing.assert_array_equal(
        model.fit(X, container(labels)).predict_proba(X), dense
    )
    assert sp.issparse(model.predict(X))
