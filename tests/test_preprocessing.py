"""TabularPreprocessor: every container, kind of column, and use by scikit-learn."""

import datetime as dt
import decimal
import inspect
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from numpydoc.docscrape import ClassDoc
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array
from sklearn.utils.estimator_checks import check_estimator

from skffnn import FFNNClassifier, TabularPreprocessor
from skffnn.preprocessing._columns import Column
from skffnn.preprocessing._measures import Dates
from skffnn.preprocessing._numeric import NUMERIC

CONFIGURATIONS = [
    {},
    *({"numeric": numeric} for numeric in NUMERIC if numeric != "robust"),
    {"categorical": "target"},
    {"sparse_output": True},
    {"sparse_output": False, "missing_indicator": False},
    {"dtype": np.float32},
]


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
def test_checks_of_scikit_learn(parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(TabularPreprocessor(**parameters), on_fail=None)
    failed = {
        result["check_name"]: repr(result["exception"])
        for result in results
        if result["status"] not in ("passed", "skipped")
    }
    assert failed == {}
    assert sum(result["status"] == "passed" for result in results) > 40


# Kinds of columns: a low value, none, and a high one.

STAMPS = [dt.datetime(2020, 3, 1, 6), None, dt.datetime(2021, 3, 1, 18)]
DATES = [stamp and stamp.date() for stamp in STAMPS]
SPANS = [dt.timedelta(seconds=1), None, dt.timedelta(seconds=3)]
KINDS = {
    "numeric": {
        "float": [1.0, np.nan, 3.0],
        "object": pd.Series([1, None, 3], dtype=object),
        "object NA": pd.Series([1, pd.NA, 3], dtype=object),
        "Int64": pd.array([1, None, 3], dtype="Int64"),
        "UInt8": pd.array([1, None, 3], dtype="UInt8"),
        "Float32": pd.array([1, None, 3], dtype="Float32"),
        "int64[pyarrow]": pd.array([1, None, 3], dtype="int64[pyarrow]"),
        "double[pyarrow]": pd.array([1, None, 3], dtype="double[pyarrow]"),
        "sparse": pd.arrays.SparseArray([1.0, np.nan, 3.0]),
        "polars int": pl.Series([1, None, 3]),
        "polars float": pl.Series([1.0, np.nan, 3.0], dtype=pl.Float32),
    },
    "boolean": {
        "object": pd.Series([False, None, True], dtype=object),
        "boolean": pd.array([False, None, True], dtype="boolean"),
        "bool[pyarrow]": pd.array([False, None, True], dtype="bool[pyarrow]"),
        "polars": pl.Series([False, None, True]),
    },
    "categorical": {
        "object": pd.Series(["a", None, "b"], dtype=object),
        "object nan": pd.Series(["a", np.nan, "b"], dtype=object),
        "str": pd.Series(["a", None, "b"]),
        "string": pd.array(["a", None, "b"], dtype="string[python]"),
        "string[pyarrow]": pd.array(["a", None, "b"], dtype="string[pyarrow]"),
        "arrow string": pd.array(["a", None, "b"], dtype=pd.ArrowDtype(pa.string())),
        "arrow dictionary": pd.array(
            ["a", None, "b"],
            dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())),
        ),
        "category": pd.Categorical(["a", None, "b"], ["b", "unused", "a"]),
        "polars": pl.Series(["a", None, "b"]),
        "polars categorical": pl.Series(["a", None, "b"], dtype=pl.Categorical),
        "polars enum": pl.Series(["a", None, "b"], dtype=pl.Enum(["b", "c", "a"])),
    },
    "date": {
        "datetime64": np.array(STAMPS, dtype="datetime64[us]"),
        "object": pd.Series(STAMPS, dtype=object),
        "aware": pd.DatetimeIndex(STAMPS).tz_localize("Europe/Rome"),
        "arrow": pd.array(STAMPS, dtype=pd.ArrowDtype(pa.timestamp("us"))),
        "arrow aware": pd.array(
            pd.DatetimeIndex(STAMPS).tz_localize("Europe/Rome"),
            dtype=pd.ArrowDtype(pa.timestamp("us", tz="Europe/Rome")),
        ),
        "polars": pl.Series(STAMPS),
        "polars ms": pl.Series(STAMPS, dtype=pl.Datetime("ms")),
        "polars aware": pl.Series(STAMPS).dt.replace_time_zone("Europe/Rome"),
    },
    "duration": {
        "timedelta64": np.array(SPANS, dtype="timedelta64[ns]"),
        "timedelta64 as objects": pd.Series(
            [None if span is None else np.timedelta64(span) for span in SPANS],
            dtype=object,
        ),
        "object": pd.Series(SPANS, dtype=object),
        "arrow": pd.array(SPANS, dtype=pd.ArrowDtype(pa.duration("us"))),
        "polars": pl.Series(SPANS),
    },
    "empty": {
        "object": pd.Series([None, None, None], dtype=object),
        "arrow": pd.array([None, None, None], dtype=pd.ArrowDtype(pa.null())),
        "polars": pl.Series([None, None, None]),
        "polars string": pl.Series([None, None, None], dtype=pl.String),
    },
}
SUFFIXES = {
    "numeric": ["", "_missing"],
    "boolean": ["", "_missing"],
    "categorical": ["_b", "_missing"],
    "duration": ["", "_missing"],
    "date": ["_year", "_month", "_day", "_weekday", "_hour", "_elapsed", "_missing"],
    "empty": [""],
}
CODES = {
    "numeric": [[-1, 0], [0, 1], [1, 0]],
    "boolean": [[-1, 0], [0, 1], [1, 0]],
    "categorical": [[-1, 0], [0, 1], [1, 0]],
    "duration": [[-1, 0], [0, 1], [1, 0]],
    # A Sunday in 2020 and a Monday in 2021: the weekday falls.
    "date": [
        [-1, 0, 0, 1, -1, -1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [1, 0, 0, -1, 1, 1, 0],
    ],
    "empty": [[0], [0], [0]],
}


def frame(**columns):
    polars = any(isinstance(column, pl.Series) for column in columns.values())
    return (pl if polars else pd).DataFrame(columns)


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in KINDS for name in KINDS[kind]]
)
def test_every_kind_of_column(kind, name):
    X = frame(q=KINDS[kind][name], one=[1.0, 1.0, 1.0])
    fitted = TabularPreprocessor(numeric="standard").fit(X)
    assert fitted.kinds_ == [kind, "numeric"]
    expected = [f"q{suffix}" for suffix in SUFFIXES[kind]]
    assert fitted.get_feature_names_out(["q", "one"]).tolist() == [*expected, "one"]
    codes = fitted.transform(X)
    np.testing.assert_allclose(codes[:, :-1], CODES[kind], atol=1e-12)
    np.testing.assert_array_equal(fitted.transform(X[1:2]), codes[1:2])
    # What was fitted on one container takes any other of the same kind.
    for other in KINDS[kind].values():
        if isinstance(other, pl.Series) == isinstance(X, pl.DataFrame):
            other = frame(q=other, one=[1.0, 1.0, 1.0])
            np.testing.assert_allclose(fitted.transform(other), codes, atol=1e-12)


def test_parts_of_dates():
    days = pd.date_range("1969-12-28", "1972-03-02", freq="7h")
    times = days.to_numpy("datetime64[us]")
    parts = Dates().read(Column("q", "date", times)).T
    names = ["year", "month", "day", "day_of_week", "hour"]
    for part, name in zip(parts[:5], names, strict=True):
        np.testing.assert_array_equal(part, getattr(days, name))
    elapsed = (days - pd.Timestamp(0)) / pd.Timedelta(days=1)
    np.testing.assert_allclose(parts[5], elapsed)


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (np.array([1j, 2]), "complex128"),
        (pd.Series([1j, 2], dtype=object), "Complex data not supported"),
        (pd.Series([decimal.Decimal(1), None], dtype=object), "Decimal; convert it"),
        (
            pd.array(
                [decimal.Decimal(1)] * 2, dtype=pd.ArrowDtype(pa.decimal128(5, 2))
            ),
            "decimal128",
        ),
        (pd.PeriodIndex(["2020-01", "2020-02"], freq="M"), "period"),
        (pd.interval_range(0, 2), "interval"),
        (pd.Series([[1], [2]], dtype=object), r"\[1\]: argument must be a string"),
        (
            pd.Series([([],), None], dtype=object),
            r"\(\[\],\): argument must be a string",
        ),
        (pd.Series([dt.time(1), dt.time(2)], dtype=object), "type time: argument must"),
        (pl.Series([decimal.Decimal(1), None]), "Decimal"),
        (pl.Series([dt.time(1), None]), "Time"),
        (pl.Series([[1], [2]]), "List"),
        (pl.Series([{"a": 1}, {"a": 2}]), "Struct"),
    ],
    ids=lambda value: None if isinstance(value, str) else "",
)
def test_what_is_no_kind_of_column_is_refused_by_name(column, told):
    X = frame(fine=[1.0, 2.0], odd=column)
    with pytest.raises((TypeError, ValueError), match=told) as error:
        TabularPreprocessor().fit(X)
    assert "'odd'" in str(error.value)


@pytest.fixture(params=["pandas", "polars"])
def people(request):
    """A frame with columns of most kinds, all of them with gaps."""
    n = 60
    rng = np.random.default_rng(0)
    columns = {
        "age": rng.normal(50.0, 20.0, n).round(),
        "income": rng.lognormal(10.0, 2.0, n),
        "smoker": rng.random(n) < 0.3,
        "city": rng.choice(["Rome", "Oslo", "Lima"], n),
        "sex": rng.choice(["f", "m"], n),
        "born": np.datetime64("1970-01-01", "us") + rng.integers(0, 10**15, n),
        "same": np.ones(n),
    }
    X = pd.DataFrame(columns).astype({"smoker": object})
    for j in range(6):
        X.iloc[rng.choice(n, 5, replace=False), j] = None
    return X if request.param == "pandas" else pl.from_pandas(X)


@pytest.fixture
def outcome():
    return np.random.default_rng(1).integers(0, 2, 60)


NAMES = [
    "age", "age_missing", "income", "income_missing", "smoker", "smoker_missing",
    "city_Lima", "city_Oslo", "city_Rome", "city_missing", "sex_m", "sex_missing",
    "born_year", "born_month", "born_day", "born_weekday", "born_hour",
    "born_elapsed", "born_missing", "same",
]  # fmt: skip


def test_pandas_and_polars_are_equal(people):
    X = people if isinstance(people, pd.DataFrame) else people.to_pandas()
    codes = TabularPreprocessor().fit_transform(X)
    np.testing.assert_array_equal(codes, TabularPreprocessor().fit_transform(people))


def test_names_follow_the_columns_of_the_input(people):
    fitted = TabularPreprocessor().fit(people)
    assert fitted.get_feature_names_out(people.columns).tolist() == NAMES
    assert fitted.n_features_in_ == 7
    assert fitted.n_features_out_ == len(NAMES)
    with pytest.raises(ValueError, match="length equal to number of features"):
        TabularPreprocessor().fit([[1.0]]).get_feature_names_out(["a", "b"])


def test_wrong_names_are_refused(people):
    if isinstance(people, pl.DataFrame):
        people = people.to_pandas()
    fitted = TabularPreprocessor().fit(people)
    assert fitted.feature_names_in_.tolist() == list(people.columns)
    with pytest.raises(ValueError, match="not equal to feature_names_in_"):
        fitted.get_feature_names_out(list("abcdefg"))
    with pytest.raises(ValueError, match="must be in the same order"):
        fitted.transform(people[people.columns[::-1]])
    with pytest.raises(ValueError, match="now missing:\n- city"):
        fitted.transform(people.drop(columns="city"))


def test_equal_names_are_told_apart():
    X = pd.DataFrame({"a": [1.0, None, 2.0], "a_missing": [1.0, 2.0, 3.0]})
    fitted = TabularPreprocessor().set_output(transform="polars").fit(X)
    assert fitted.transform(X).columns == ["a", "a_missing", "a_missing_"]


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output(people, container):
    expected = TabularPreprocessor().fit_transform(people)
    encoder = TabularPreprocessor().set_output(transform=container)
    for found in (encoder.fit_transform(people), encoder.transform(people)):
        assert type(found).__module__.startswith(container)
        np.testing.assert_array_equal(found.to_numpy(), expected)
    if container == "pandas" and isinstance(people, pd.DataFrame):
        people.index = people.index + 100
        assert encoder.transform(people).index.equals(people.index)


def test_a_frame_is_dense_where_auto_would_be_sparse():
    X = pd.DataFrame({"user": [f"u{i}" for i in range(100)]})
    assert sp.issparse(TabularPreprocessor().fit_transform(X))
    with config_context(transform_output="pandas"):
        assert TabularPreprocessor().fit_transform(X).shape == (100, 100)
    asked = TabularPreprocessor(sparse_output=True).set_output(transform="pandas")
    with pytest.raises(ValueError, match="sparse"):
        asked.fit_transform(X)


@pytest.mark.parametrize("copy", [clone, lambda t: pickle.loads(pickle.dumps(t))])
def test_copies_encode_the_same(people, copy):
    fitted = TabularPreprocessor(numeric="piecewise_linear", n_bins=4).fit(people)
    copied = copy(fitted)
    assert copied.get_params() == fitted.get_params()
    if copy is clone:
        with pytest.raises(NotFittedError):
            copied.transform(people)
        copied.fit(people)
    np.testing.assert_array_equal(copied.transform(people), fitted.transform(people))


def test_inside_pipelines_searches_and_unions(people, outcome):
    model = make_pipeline(TabularPreprocessor(), LogisticRegression())
    grid = {
        "tabularpreprocessor__numeric": ["robust", "quantile"],
        "tabularpreprocessor__categorical": ["onehot", "target"],
        "tabularpreprocessor__max_cat_to_onehot": [2],
    }
    search = GridSearchCV(model, grid, cv=3, error_score="raise").fit(people, outcome)
    assert search.predict(people).shape == (60,)
    both = make_union(TabularPreprocessor(), TabularPreprocessor(numeric="standard"))
    assert both.fit_transform(people).shape == (60, 2 * len(NAMES))
    assert np.isfinite(cross_val_score(model, people, outcome, cv=3)).all()


@pytest.mark.filterwarnings("ignore:max_iter=")
@pytest.mark.parametrize("X", ["dense", "sparse"])
def test_before_a_network(people, outcome, X):
    """The columns of the frame decide whether the network sees a sparse matrix."""
    if X == "sparse":
        user = [f"user {i}" for i in range(60)] * 5
        people, outcome = pd.DataFrame({"user": user}), np.tile(outcome, 5)
    network = FFNNClassifier((16,), solver="batch", max_iter=200, random_state=0)
    model = make_pipeline(TabularPreprocessor(dtype=np.float32), network)
    model.fit(people, outcome)
    assert model[-1].coefs_[0].dtype == np.float32
    assert sp.issparse(model[:-1].transform(people)) == (X == "sparse")
    assert model.score(people, outcome) > 0.95


def test_inside_a_column_transformer(people):
    if isinstance(people, pl.DataFrame):
        people = people.to_pandas()
    numbers = make_column_selector(dtype_include="number")
    mixed = make_column_transformer(
        (make_pipeline(TabularPreprocessor(), StandardScaler()), numbers),
        (TabularPreprocessor(), ["city", "born"]),
        verbose_feature_names_out=False,
    )
    assert mixed.fit_transform(people).shape == (60, 16)
    assert "city_Lima" in mixed.get_feature_names_out()


def test_sample_weight_is_routed():
    X = np.array([[0.0], [1.0], [10.0]])
    with config_context(enable_metadata_routing=True):
        encoder = TabularPreprocessor(numeric="standard")
        model = make_pipeline(encoder.set_fit_request(sample_weight=True), Ridge())
        model[-1].set_fit_request(sample_weight=False)
        model.fit(X, [1.0, 2.0, 3.0], sample_weight=[1.0, 1.0, 0.0])
    np.testing.assert_allclose(model[0].transform(X)[:, 0], [-1.0, 1.0, 19.0])


# Arrays


def test_an_array_or_list_of_mixed_objects_is_read_by_column():
    rows = [[1.5, "a", True], [None, "b", False], [2.5, None, True]]
    from_list = TabularPreprocessor().fit(rows)
    assert from_list.kinds_ == ["numeric", "categorical", "boolean"]
    assert from_list.get_feature_names_out().tolist() == [
        "x0", "x0_missing", "x1_b", "x1_missing", "x2",
    ]  # fmt: skip
    array = np.array(rows, dtype=object)
    expected = TabularPreprocessor().fit_transform(array)
    np.testing.assert_array_equal(from_list.transform(rows), expected)
    np.testing.assert_array_equal(
        TabularPreprocessor().fit_transform(pd.DataFrame(rows)), expected
    )


def test_lists_of_numbers_and_arrays_of_strings_and_booleans():
    assert TabularPreprocessor().fit([[1, 2.5], [3, 4]]).kinds_ == ["numeric"] * 2
    assert TabularPreprocessor().fit([["a", "1"]]).kinds_ == ["categorical"] * 2
    assert TabularPreprocessor().fit(np.array([["a"], ["b"]])).kinds_ == ["categorical"]
    booleans = np.array([[True], [False]])
    codes = TabularPreprocessor().fit_transform(booleans)
    np.testing.assert_array_equal(codes, [[1.0], [-1.0]])


def test_a_frame_of_sparse_columns_is_a_sparse_matrix():
    X = sp.random(50, 40, 0.05, format="csr", random_state=0)
    frame = pd.DataFrame(X.toarray()).astype(pd.SparseDtype(np.float64, 0.0))
    if not sp.issparse(check_array(frame, accept_sparse="csc")):
        pytest.skip("this pandas wants a newer scipy for frames of sparse columns")
    codes = TabularPreprocessor().fit_transform(frame)
    assert sp.issparse(codes)
    expected = TabularPreprocessor().fit_transform(X)
    np.testing.assert_array_equal(codes.toarray(), expected.toarray())


def test_frames_with_numbers_for_names():
    X = pd.DataFrame([[1.0, "x"], [2.0, "y"]])
    assert TabularPreprocessor().fit(X).get_feature_names_out().tolist() == [
        "x0", "x1_y",
    ]  # fmt: skip


def test_the_input_is_left_alone(people):
    before = people.clone() if isinstance(people, pl.DataFrame) else people.copy()
    TabularPreprocessor().fit_transform(people)
    assert before.equals(people)
    X = np.array([[1.0, np.nan], [2.0, 3.0], [4.0, 5.0]])
    X.setflags(write=False)
    for numeric in NUMERIC:
        TabularPreprocessor(numeric=numeric).fit_transform(X)


@pytest.mark.parametrize("container", [pd.DataFrame, pl.DataFrame])
def test_precision_of_frames(container):
    single = {"a": np.float32([1, 2, 3]), "c": ["x", "y", "z"]}
    assert TabularPreprocessor().fit(container(single)).dtype_ == np.float32
    double = single | {"b": [1, 2, 3]}
    assert TabularPreprocessor().fit(container(double)).dtype_ == np.float64


# What changes between fit and transform


@pytest.fixture
def fitted():
    X = pd.DataFrame({"a": [1, 2, 3], "c": ["x", "y", "z"], "b": [True, False, True]})
    return TabularPreprocessor().fit(X)


def row(**changes):
    return pd.DataFrame({"a": [1], "c": ["x"], "b": [True]} | changes)


def test_equal_values_of_another_dtype_are_the_same(fitted):
    expected = fitted.transform(row())
    for a in (1.0, True, np.int8(1)):
        np.testing.assert_array_equal(fitted.transform(row(a=[a])), expected)
    same = row(a=pd.Categorical([1]), c=pd.Categorical(["x"]), b=[1.0])
    np.testing.assert_array_equal(fitted.transform(same), expected)
    np.testing.assert_array_equal(fitted.transform(row().astype(object)), expected)


@pytest.mark.parametrize("value", ["1", dt.datetime(2020, 1, 1), dt.timedelta(1)])
def test_a_numeric_column_must_hold_numbers(fitted, value):
    with pytest.raises(ValueError, match="Column 'a' was numeric in fit"):
        fitted.transform(row(a=[value]))


def test_a_date_must_be_a_date():
    X = pd.DataFrame({"when": pd.to_datetime(["2020-01-01", "2020-01-02"])})
    fitted = TabularPreprocessor().fit(X)
    with pytest.raises(ValueError, match="Column 'when' was date in fit, but now"):
        fitted.transform(pd.DataFrame({"when": ["2020-01-01"]}))
    assert not fitted.transform(pd.DataFrame({"when": [None]})).any()


def test_infinity_is_refused_by_name(fitted):
    with pytest.raises(ValueError, match=r"contains infinity .* in column 'a'"):
        fitted.transform(row(a=[np.inf]))
    with pytest.raises(ValueError, match="infinity"):
        TabularPreprocessor().fit([[np.inf]])
    with pytest.raises(ValueError, match="infinity"):
        TabularPreprocessor().fit(sp.csr_array([[np.inf, 0.0]]))
    with pytest.raises(ValueError, match=r"value too large .* in column 'x0'"):
        TabularPreprocessor().fit(np.array([[10**400], [1]], object))


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_a_sparse_matrix_cannot_hold_categories(fitted):
    with pytest.raises(ValueError, match="X is sparse"):
        fitted.transform(sp.csr_array([[1.0, 2.0, 3.0]]))


def test_an_error_leaves_the_fitted_transformer_as_it_was(fitted):
    expected = fitted.transform(row())
    with pytest.raises(ValueError, match="infinity"):
        fitted.fit(pd.DataFrame({"other": [np.inf, 1.0]}))
    np.testing.assert_array_equal(fitted.transform(row()), expected)


@pytest.mark.parametrize("container", [pd.DataFrame, pl.DataFrame])
def test_empty_frames_are_refused(container):
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        TabularPreprocessor().fit(container({"a": []}))
    with pytest.raises(ValueError, match=r"0 (sample|feature)\(s\)"):
        TabularPreprocessor().fit(container())


# Parameters


@pytest.mark.parametrize(
    ("parameters", "allowed"),
    [
        (
            {"numeric": "minmax"},
            "'robust', 'robust_bins', 'standard', 'quantile', 'piecewise_linear'",
        ),
        ({"categorical": None}, "'onehot', 'target'"),
        ({"ordinal": "codes"}, "'rank', 'onehot'"),
        ({"target_type": "numbers"}, "'auto', 'continuous', 'binary', 'multiclass'"),
        ({"min_frequency": 1.0}, "a float between 0 and 1"),
        ({"min_frequency": 0}, "an int of at least 1"),
        ({"max_categories": 0}, "an int of at least 1 or None"),
        ({"max_cat_to_onehot": -1}, "an int of at least 0"),
        ({"n_bins": 2.0}, "an int of at least 1"),
        ({"missing_indicator": "yes"}, "True or False"),
        ({"sparse_output": "csr"}, "True, False or 'auto'"),
        ({"dtype": np.int64}, "numpy.float32, numpy.float64 or None"),
        ({"dtype": "nothing"}, "numpy.float32, numpy.float64 or None"),
    ],
    ids=str,
)
def test_a_bad_parameter_is_named_with_what_is_allowed(parameters, allowed):
    (name, value) = next(iter(parameters.items()))
    with pytest.raises(ValueError, match=f"The '{name}' parameter") as error:
        TabularPreprocessor(**parameters).fit([[1.0], [2.0]])
    assert allowed in str(error.value)
    assert repr(value) in str(error.value)


@pytest.mark.parametrize(
    ("weight", "told"),
    [
        ([1.0, -1.0], "must not be negative"),
        ([0.0, 0.0], "at least one non-zero"),
        ([1.0], "expected"),
        ([[1.0], [1.0]], "1D"),
        ([np.nan, 1.0], "NaN"),
    ],
)
def test_bad_weights_are_refused(weight, told):
    with pytest.raises(ValueError, match=told):
        TabularPreprocessor().fit([[1.0], [2.0]], sample_weight=weight)


# What a user sees


def test_every_parameter_and_attribute_is_documented():
    doc = ClassDoc(TabularPreprocessor)
    documented = [entry.name for entry in doc["Parameters"]]
    assert documented == list(inspect.signature(TabularPreprocessor).parameters)
    fitted = TabularPreprocessor().fit(pd.DataFrame({"a": [1.0]}))
    attributes = {name for name in vars(fitted) if name.endswith("_")}
    assert {entry.name for entry in doc["Attributes"]} == attributes


def test_the_diagram_shows_the_parameters(people):
    fitted = TabularPreprocessor(numeric="quantile").fit(people)
    assert "/generated/skffnn.TabularPreprocessor.html" in fitted._repr_html_()
    assert repr(fitted) == "TabularPreprocessor(numeric='quantile')"


def test_arrays_need_neither_pandas_nor_polars():
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name in ('pandas', 'polars'): raise ImportError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from skffnn import TabularPreprocessor\n"
        "TabularPreprocessor().fit_transform([[1, 'a'], [2, 'b'], [None, 'c']])\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_frame_of_pandas_is_told_by_its_class():
    X = pd.DataFrame({"get_columns": [1.0, 2.0, 4.0], "b": ["x", "y", "x"]})
    assert TabularPreprocessor().fit(X).kinds_ == ["numeric", "categorical"]


@pytest.mark.parametrize(
    "make",
    [
        lambda spans: pd.DataFrame({"latency": spans}),
        lambda spans: pl.DataFrame({"latency": spans}),
        lambda spans: pd.DataFrame(
            {"latency": pd.array(spans, dtype=pd.ArrowDtype(pa.duration("ns")))}
        ),
    ],
)
def test_durations_are_as_precise_as_they_are_given(make):
    spans = np.array([120, 480, 700, 900], "timedelta64[ns]")
    fitted = TabularPreprocessor(numeric="standard").fit(make(spans))
    codes = fitted.transform(make(spans))[:, 0]
    seconds = 1e-9 * spans.astype(float)
    np.testing.assert_allclose(codes, (seconds - seconds.mean()) / seconds.std())


def test_the_same_time_on_two_clocks_is_two_times():
    noon = dt.datetime(2020, 1, 1, 12, tzinfo=dt.UTC)
    there = noon.astimezone(dt.timezone(dt.timedelta(hours=5)))
    assert noon == there
    later = dt.datetime(2021, 6, 1, 5, tzinfo=dt.UTC)
    times = pd.DataFrame({"t": pd.Series([noon, there, None, later], dtype=object)})
    fitted = TabularPreprocessor(numeric="standard").fit(times)
    codes = fitted.transform(times)
    alone = np.vstack([fitted.transform(times[i : i + 1]) for i in range(4)])
    np.testing.assert_array_equal(codes, alone)
    assert not np.array_equal(codes[0], codes[1])


def test_booleans_of_numpy_among_numbers_are_numbers():
    x = pd.DataFrame({"x": pd.Series([np.True_, 0.5, 2.0], dtype=object)})
    codes = TabularPreprocessor(numeric="standard").fit_transform(x)
    plain = TabularPreprocessor(numeric="standard").fit_transform([[1.0], [0.5], [2.0]])
    np.testing.assert_array_equal(codes, plain)


def test_nat_alone_is_missing_in_a_column_of_numbers_or_durations():
    frame = pd.DataFrame(
        {"q": pd.to_timedelta([1, 2, 3, 4], unit="h"), "n": [1.0, 2.0, np.nan, 4.0]}
    )
    model = TabularPreprocessor().fit(frame)
    later, missing = (
        pd.DataFrame({"q": [pd.NaT], "n": [pd.NaT]}),
        frame.iloc[[2]].copy(),
    )
    missing["q"] = pd.to_timedelta([None])
    np.testing.assert_array_equal(model.transform(later), model.transform(missing))
    for name in ("q", "n"):
        with pytest.raises(ValueError, match=f"Column '{name}' was .* holds a date"):
            model.transform(later.assign(**{name: pd.Timestamp("2020-01-01")}))


def test_a_target_with_gaps_cannot_encode_categories():
    frame = pd.DataFrame({"a": ["x", "y"] * 5})
    y = np.where(np.arange(10) == 3, np.nan, 1.0)
    for target in (y, y.astype(object)):
        with pytest.raises(ValueError, match=r"categorical='target' needs all of y"):
            TabularPreprocessor(categorical="target").fit(frame, target)
