"""Whatever scikit-learn takes: the same numbers in another container give the same."""

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from names import assert_knows_the_names
from plain import FFNNClassifier, FFNNRegressor
from sklearn.model_selection import KFold
from sklearn.preprocessing import FunctionTransformer

from skffnn.core.optimizers import OPTIMIZERS

pytestmark = [
    pytest.mark.filterwarnings("ignore:max_iter="),
    pytest.mark.filterwarnings("ignore:Constructing a DIA matrix"),
]
NAMES = ["a", "b", "c", "d"]


def quick(Estimator=FFNNClassifier, **parameters):
    return Estimator(
        **{"hidden_layer_sizes": (8,), "max_iter": 5, "random_state": 0, **parameters}
    )


def fortran_memmap(X, tmp_path):
    joblib.dump(np.asfortranarray(X), tmp_path / "X")
    return joblib.load(tmp_path / "X", mmap_mode="r")


@pytest.mark.parametrize(
    "container",
    [
        lambda X: X.tolist(),
        np.asfortranarray,
        lambda X: pd.DataFrame(X, columns=NAMES),
        lambda X: pd.DataFrame(X, columns=NAMES).astype("Float64"),
        lambda X: pd.DataFrame(X, columns=NAMES).astype("double[pyarrow]"),
        lambda X: pd.DataFrame(X, columns=NAMES).astype(object),
        lambda X: pl.DataFrame(X, schema=NAMES, orient="row"),
    ],
    ids=["list", "fortran", "pandas", "nullable", "pyarrow", "object", "polars"],
)
def test_containers_are_equal(iris, container):
    X, y = iris
    expected = quick().fit(X, y).predict_proba(X)
    given = container(X)
    model = quick().fit(given, y)
    np.testing.assert_array_equal(model.predict_proba(given), expected)
    if hasattr(given, "columns"):
        assert_knows_the_names(model, given)


def test_read_only_and_memory_mapped_data_are_left_alone(iris, tmp_path):
    X, y = iris
    expected = quick().fit(X, y).predict_proba(X)
    for given in (X.copy(), fortran_memmap(X, tmp_path)):
        given.setflags(write=False)
        labels = y.copy()
        labels.setflags(write=False)
        model = quick().fit(given, labels)
        np.testing.assert_array_equal(model.predict_proba(given), expected)


def test_a_model_from_a_memory_map_can_go_on(iris, tmp_path):
    X, y = iris
    model = quick().partial_fit(X, y, classes=[0, 1, 2])
    joblib.dump(model, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    np.testing.assert_array_equal(
        mapped.partial_fit(X, y).coefs_[0], model.partial_fit(X, y).coefs_[0]
    )


@pytest.mark.parametrize("Estimator", [FFNNClassifier, FFNNRegressor])
@pytest.mark.parametrize(
    "parameters",
    [{"solver": s, "optimizer": n} for n, o in OPTIMIZERS.items() for s in o.solvers],
    ids=str,
)
def test_float32_stays_float32(iris, Estimator, parameters):
    X, y = iris
    model = quick(Estimator, **parameters).fit(X.astype(np.float32), y)
    arrays = [model._state.params, *model.coefs_, *model.intercepts_]
    if hasattr(model, "partial_fit"):
        model.partial_fit(X.astype(np.float32), y)
        arrays += [
            a
            for a in model._state.optimizer_state.values()
            if isinstance(a, np.ndarray)
        ]
    assert {a.dtype for a in arrays} == {np.dtype(np.float32)}
    if Estimator is FFNNRegressor:
        assert model.predict(X).dtype == np.float32
    else:
        assert model.predict_proba(X).dtype == np.float32
        assert model.predict_log_proba(X).dtype == np.float32


def test_float32_agrees_with_float64(diabetes):
    X, y = diabetes
    single = quick(FFNNRegressor).fit(X.astype(np.float32), y).predict(X)
    np.testing.assert_allclose(
        single, quick(FFNNRegressor).fit(X, y).predict(X), atol=1e-4
    )


@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_are_checked_in_prediction_whatever_their_size(diabetes, order):
    X, y = diabetes
    model = quick(FFNNRegressor).fit(X, y)
    rows = np.array(X[:5], order=order)
    for bad, message in ((np.nan, "contains NaN"), (np.inf, "contains infinity")):
        rows[3, 2] = bad
        with pytest.raises(ValueError, match=message):
            model.predict(rows)
    rows[3, 2] = 1e300  # its square is infinite, but it is none
    assert np.isfinite(model.predict(rows)).all()


@pytest.mark.parametrize("layout", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("kind", [sp.csr_array, sp.csr_matrix])
@pytest.mark.parametrize("solver", ["batch", "mini-batch", "stochastic"])
def test_sparse_is_dense(iris, layout, kind, solver):
    X, y = iris[0].copy(), iris[1]
    X[np.abs(X) < 0.7] = 0.0
    dense = quick(solver=solver).fit(X, y)
    sparse = quick(solver=solver).fit(kind(X).asformat(layout), y)
    for given in (X, kind(X).asformat(layout)):
        np.testing.assert_allclose(
            sparse.predict_proba(given), dense.predict_proba(X), rtol=1e-7
        )


@pytest.mark.parametrize(
    ("part", "place", "wrong", "message"),
    [
        ("indices", 7, -1, r"X has .*, but the indices .* go from -1"),
        ("indices", 7, 1000, r"X has .*, but the indices .* to 1000"),
        ("indptr", 2, 10**6, "indptr of X, .* must not go down, got 1000000 before"),
        ("indptr", 2, 0, "indptr of X, .* must not go down, got .* before 0"),
        ("indptr", 0, 1, "indptr of X, .* must start at 0, got 1"),
        ("indptr", -1, 601, "indptr of X, .* must end at 600, .* got 601"),
    ],
)
@pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_matrix])
@pytest.mark.parametrize("preprocessing", ["auto", None])
def test_no_entry_of_a_sparse_matrix_lies_outside(
    iris, part, place, wrong, message, kind, preprocessing
):
    X, y = kind(iris[0]), iris[1]
    model = quick(preprocessing=preprocessing).fit(X, y)
    before = model.predict(X)
    setattr(X, part, getattr(X, part).copy())
    getattr(X, part)[place] = wrong
    refuses(model, X, y, message)
    np.testing.assert_array_equal(model.predict(kind(iris[0])), before)


@pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_matrix])
def test_a_damaged_matrix_is_refused_before_its_rows_are_taken(iris, kind):
    X, y = kind(iris[0]), iris[1]
    X.indices = X.indices.copy()
    X.indices[7] = 1000
    weight = np.ones(len(y))
    weight[0] = 0.0
    for model, parameters in (
        (quick(), {"sample_weight": weight}),
        (quick(early_stopping=True, validation_split=KFold(5)), {}),
        (quick(preprocessing=FunctionTransformer()), {}),
    ):
        with pytest.raises(ValueError, match=r"X has .*, but the indices .* to 1000"):
            model.fit(X, y, **parameters)


@pytest.mark.parametrize("length", [0, 3])
@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("indptr", "must have .* numbers, got {}"),
        ("indices", "must end at {}"),
        ("data", "must end at {}"),
    ],
)
@pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_matrix])
def test_no_part_of_a_sparse_matrix_is_too_short(iris, part, message, length, kind):
    X, y = kind(iris[0]), iris[1]
    model = quick().fit(X, y)
    setattr(X, part, getattr(X, part)[:length])
    refuses(model, X, y, message.format(length))


def refuses(model, X, y, message):
    for call in (
        lambda: model.fit(X, y),
        lambda: model.partial_fit(X, y),
        lambda: model.predict(X),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_a_sparse_matrix_that_would_not_fit_densified():
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(3000, size=3000), rng.integers(10**6, size=3000)
    X = sp.csr_array((rng.normal(size=3000), (rows, columns)), shape=(3000, 10**6))
    y = np.arange(3000) % 2
    model = quick(hidden_layer_sizes=(2,), max_iter=1).fit(X, y)
    assert model.predict(X).shape == (3000,)
    assert model.partial_fit(X, y).n_iter_ == 2


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        (["no", "yes"], None),
        (["a", "b", "c"], object),
        ([1, 2, 3], "Int64"),
        ([1, 2, 3], "int64[pyarrow]"),
        ([False, True], "boolean"),
        ([True, False], bool),
        ([-1.0, 1.0], float),
        (["x", "y", "z"], "category"),
        (["x", "y", "z"], "string"),
        (["x", "y", "z"], "string[pyarrow]"),
    ],
    ids=str,
)
def test_labels_come_back_as_they_were(iris, labels, dtype):
    X, y = iris
    y = np.asarray(labels, dtype=object)[y % len(labels)]
    given = pd.Series(list(y), dtype=dtype)
    for target in (given, list(y)):
        model = quick().fit(X, target)
        predicted = model.predict(X)
        assert set(predicted.tolist()) <= set(labels)
        assert model.classes_.tolist() == sorted(labels)
        assert predicted.dtype == model.classes_.dtype
    if dtype in ("Int64", "int64[pyarrow]"):
        assert model.classes_.dtype.kind == "i"
    expected = quick().fit(X, np.unique(y.astype(str), return_inverse=True)[1])
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


def test_polars_labels(iris):
    X, y = iris
    labels = np.array(["x", "y", "z"])[y]
    model = quick().fit(X, pl.Series(labels))
    assert model.classes_.tolist() == ["x", "y", "z"]
    assert quick().fit(X, pl.Series(y)).classes_.dtype.kind == "i"


def test_nullable_labels_in_partial_fit(iris):
    X, y = iris
    given = pd.Series(y, dtype="Int64")
    model = quick().partial_fit(X, given, classes=pd.Series([0, 1, 2], dtype="Int64"))
    assert model.partial_fit(X, given).classes_.dtype.kind == "i"


def test_objects_that_are_integers_are_labels(iris):
    X, y = iris
    model = quick().fit(X, y.astype(object))
    assert model.predict(X).dtype.kind == "i"
    assert quick().fit(X, [bool(label) for label in y]).classes_.tolist() == [0, 1]


def test_a_missing_label_is_named(iris):
    X, y = iris
    given = pd.Series(y, dtype="Int64")
    given[3] = pd.NA
    with pytest.raises(ValueError, match="y contains NaN"):
        quick().fit(X, given)


def test_a_column_vector_is_accepted_with_a_warning(diabetes):
    from sklearn.exceptions import DataConversionWarning

    X, y = diabetes
    with pytest.warns(DataConversionWarning):
        model = quick(FFNNRegressor).fit(X, y[:, None])
    assert model.predict(X).shape == y.shape


def test_feature_names_are_checked(cancer_frame):
    X, y = cancer_frame
    model = quick().fit(X / X.max(), y)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X.rename(columns={"mean area": "area"}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X.to_numpy())


BOOLEANS = [False, True, True] * 10


@pytest.mark.parametrize(
    ("y", "dtype"),
    [
        (pd.Series(BOOLEANS, dtype=object), bool),
        (np.array([*map(np.bool_, BOOLEANS)], dtype=object), bool),
        (pd.Series(BOOLEANS, dtype="category"), bool),
        (pd.Series([3, 4, 4] * 10, dtype=object), np.int64),
        (np.array([*map(np.int64, BOOLEANS)], dtype=object), np.int64),
    ],
    ids=["bools", "numpy bools", "category", "ints", "numpy ints"],
)
def test_labels_are_what_they_are_in_every_container(y, dtype):
    model = quick().fit(np.arange(30.0)[:, None], y)
    assert model.classes_.dtype == dtype
    assert model.classes_.tolist() == sorted(set(y))


@pytest.mark.parametrize(
    "y", [[True, 2] * 15, [2**70, 1] * 15, [2**63, -1] * 15, [None, 1] * 15], ids=str
)
def test_objects_of_several_types_are_no_labels(y):
    with pytest.raises(ValueError, match=r"[Uu]nknown|NaN"):
        quick().fit(np.arange(30.0)[:, None], np.array(y, dtype=object))
