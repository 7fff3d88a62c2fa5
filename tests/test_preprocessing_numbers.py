"""TabularPreprocessor on numbers: formulas, weights, invariances, sparse matrices."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import norm
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from skffnn import TabularPreprocessor
from skffnn.preprocessing._distribution import Distribution
from skffnn.preprocessing._numeric import NUMERIC

every_encoding = pytest.mark.parametrize("numeric", NUMERIC)
QUANTILES = np.linspace(0.0, 1.0, 13)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def X(rng):
    """Normal, heavy-tailed, with ties, mostly zero, constant, with gaps, all gaps."""
    X = rng.normal(size=(120, 7))
    X[:, 1] = rng.standard_cauchy(120) * 1e6
    X[:, 2] = rng.integers(0, 4, 120)
    X[:, 3] *= rng.random(120) < 0.1
    X[:, 4] = 7.0
    X[rng.random(120) < 0.2, 5] = np.nan
    X[:, 6] = np.nan
    return X


# Weighted statistics


@pytest.mark.parametrize("n", [1, 2, 5, 10, 97])
def test_quantiles_are_those_of_numpy(rng, n):
    values = rng.integers(0, 30, n) / 7.0
    expected = np.quantile(values, QUANTILES, method="averaged_inverted_cdf")
    found = Distribution.of(values).quantiles(QUANTILES)
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("unit", [1.0, 0.1, 1 / 3, 1e-9, 1e9])
def test_weighted_quantiles_are_those_of_repeated_values(rng, unit):
    values = rng.integers(0, 30, 60) / 7.0
    times = rng.integers(0, 4, 60)
    expected = Distribution.of(np.repeat(values, times)).quantiles(QUANTILES)
    there = times > 0
    weighted = Distribution.of(values[there], times[there] * unit)
    np.testing.assert_array_equal(weighted.quantiles(QUANTILES), expected)


@every_encoding
def test_weight_two_is_the_row_twice_and_weight_zero_none(X, rng, numeric):
    times = rng.integers(0, 3, len(X))
    of_repeated = TabularPreprocessor(numeric=numeric).fit(np.repeat(X, times, axis=0))
    for unit in (1.0, 0.1):
        weighted = TabularPreprocessor(numeric=numeric)
        weighted.fit(X, sample_weight=times * unit)
        np.testing.assert_allclose(
            weighted.transform(X), of_repeated.transform(X), rtol=1e-12, atol=1e-12
        )


def test_a_row_of_weight_zero_cannot_make_an_indicator():
    X, weight = [[1.0], [np.nan], [2.0]], [1, 0, 1]
    fitted = TabularPreprocessor().fit(X, sample_weight=weight)
    assert fitted.get_feature_names_out().tolist() == ["x0"]
    assert fitted.fit_transform(X, sample_weight=weight).shape == (3, 1)


# Formulas


def test_robust_is_the_formula_of_realmlp(rng):
    x = rng.standard_cauchy(101)
    q25, q50, q75 = np.quantile(x, [0.25, 0.5, 0.75], method="averaged_inverted_cdf")
    z = (x - q50) / (q75 - q25)
    found = TabularPreprocessor().fit_transform(x[:, None])[:, 0]
    np.testing.assert_allclose(found, z / np.sqrt(1.0 + (z / 3.0) ** 2), rtol=1e-12)
    assert np.abs(found).max() < 3.0


def test_robust_scales_by_the_range_where_the_quartiles_coincide():
    x = np.array([0.0] * 8 + [4.0, 10.0])
    z = 2.0 * x / 10.0
    found = TabularPreprocessor().fit_transform(x[:, None])[:, 0]
    np.testing.assert_allclose(found, z / np.sqrt(1.0 + (z / 3.0) ** 2))


@pytest.mark.parametrize("weighted", [False, True])
def test_standard_is_that_of_scikit_learn(X, rng, weighted):
    weight = rng.random(len(X)) if weighted else None
    ours = TabularPreprocessor(numeric="standard", missing_indicator=False)
    theirs = StandardScaler().fit(X[:, :6], sample_weight=weight).transform(X[:, :6])
    np.testing.assert_allclose(
        ours.fit(X[:, :6], sample_weight=weight).transform(X[:, :6]),
        np.nan_to_num(theirs),
        atol=1e-12,
    )


def test_quantile_gives_normal_scores_of_middle_ranks():
    x = np.array([3.0, 1.0, 1.0, 8.0])
    expected = norm.ppf([0.625, 0.25, 0.25, 0.875])
    fitted = TabularPreprocessor(numeric="quantile").fit(x[:, None])
    np.testing.assert_allclose(fitted.transform(x[:, None])[:, 0], expected)
    between = fitted.transform([[2.0], [-100.0], [100.0]])[:, 0]
    np.testing.assert_allclose(between, norm.ppf([(0.25 + 0.625) / 2, 0.25, 0.875]))


def test_quantile_agrees_with_scikit_learn_on_many_rows(rng):
    x = rng.lognormal(size=(5000, 1))
    theirs = QuantileTransformer(output_distribution="normal", n_quantiles=1000)
    found = TabularPreprocessor(numeric="quantile").fit_transform(x)
    inner = (x > np.quantile(x, 0.05)) & (x < np.quantile(x, 0.95))
    np.testing.assert_allclose(found[inner], theirs.fit_transform(x)[inner], atol=0.01)


def piecewise_linear(x, edges):
    """Equation 1 of Gorishniy et al. (2022), case by case."""
    n_bins = len(edges) - 1
    codes = np.empty(n_bins)
    for t in range(1, n_bins + 1):
        if x < edges[t - 1] and t > 1:
            codes[t - 1] = 0.0
        elif x >= edges[t] and t < n_bins:
            codes[t - 1] = 1.0
        else:
            codes[t - 1] = (x - edges[t - 1]) / (edges[t] - edges[t - 1])
    return codes


def test_piecewise_linear_is_equation_1(rng):
    x = rng.normal(size=200)
    edges = np.quantile(x, np.linspace(0, 1, 9), method="averaged_inverted_cdf")
    fitted = TabularPreprocessor(numeric="piecewise_linear", n_bins=8).fit(x[:, None])
    new = np.concatenate([x, edges, [-10.0, 10.0]])
    codes = fitted.transform(new[:, None])
    expected = [piecewise_linear(v, edges) for v in new]
    np.testing.assert_allclose(codes, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(edges[0] + codes @ np.diff(edges), new, atol=1e-12)


def test_piecewise_linear_has_fewer_bins_where_quantiles_coincide():
    X = np.column_stack([np.arange(12) % 2, np.arange(12), np.ones(12)])
    fitted = TabularPreprocessor(numeric="piecewise_linear", n_bins=3).fit(X)
    assert fitted.get_feature_names_out().tolist() == [
        "x0_bin_0", "x1_bin_0", "x1_bin_1", "x1_bin_2", "x2_bin_0",
    ]  # fmt: skip
    codes = fitted.transform(X)
    np.testing.assert_array_equal(codes[:, 0], X[:, 0])
    assert not codes[:, 4].any()


@every_encoding
def test_codes_grow_with_the_number(X, numeric):
    fitted = TabularPreprocessor(numeric=numeric).fit(X[:, :3])
    grid = np.linspace(-5.0, 5.0, 201)[:, None] * [1.0, 1e7, 1.0]
    assert (np.diff(fitted.transform(grid), axis=0) >= 0.0).all()


# Invariances


@every_encoding
@pytest.mark.parametrize(("scale", "shift"), [(4.0, 0.0), (0.5, -8.0), (1e6, 3e6)])
def test_the_unit_of_a_column_changes_nothing(rng, numeric, scale, shift):
    X = rng.normal(size=(80, 3))
    expected = TabularPreprocessor(numeric=numeric).fit_transform(X)
    found = TabularPreprocessor(numeric=numeric).fit_transform(X * scale + shift)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@every_encoding
def test_the_order_of_rows_and_columns_changes_nothing(X, rng, numeric):
    rows, columns = rng.permutation(len(X)), rng.permutation(X.shape[1])
    fitted = TabularPreprocessor(numeric=numeric).fit(X)
    other = TabularPreprocessor(numeric=numeric).fit(X[rows][:, columns])
    names = [f"x{j}" for j in columns]
    place = {name: i for i, name in enumerate(fitted.get_feature_names_out())}
    order = [place[name] for name in other.get_feature_names_out(names)]
    np.testing.assert_allclose(
        other.transform(X[:, columns]), fitted.transform(X)[:, order], rtol=1e-12
    )


@every_encoding
def test_a_constant_or_empty_column_is_zeros_whatever_comes_later(X, numeric):
    fitted = TabularPreprocessor(numeric=numeric).fit(X[:, [4, 6]])
    assert not fitted.transform([[7.0, np.nan], [8.0, 3.0], [np.nan, -1.0]]).any()


@every_encoding
def test_rounding_is_no_information(rng, numeric):
    x = np.where(rng.random(50) < 0.5, 0.3, 0.1 + 0.2)
    assert len(np.unique(x)) == 2
    codes = TabularPreprocessor(numeric=numeric).fit_transform(x[:, None])
    assert not codes.any()


@pytest.mark.parametrize("numeric", ["robust_bins", "piecewise_linear"])
def test_edges_that_differ_by_rounding_coincide(rng, numeric):
    x = np.where(rng.random(400) < 0.5, 0.3, 0.1 + 0.2)
    x[:80] = 100.0 * rng.random(80)
    fitted = TabularPreprocessor(numeric=numeric, n_bins=8).fit(x[:, None])
    codes = fitted.transform([[0.3], [0.1 + 0.2]])
    assert np.abs(codes[1] - codes[0]).max() < 1e-12


def test_quartiles_that_differ_by_rounding_coincide(rng):
    x = np.where(rng.random(50) < 0.5, 0.3, 0.1 + 0.2)
    x[:2] = 0.0, 100.0
    codes = TabularPreprocessor().fit_transform(x[:, None])
    assert np.abs(codes[2:]).max() < 1e-12


@every_encoding
def test_missing_is_zero_with_an_indicator(X, numeric):
    fitted = TabularPreprocessor(numeric=numeric).fit(X)
    names = fitted.get_feature_names_out().tolist()
    assert [name for name in names if "missing" in name] == ["x5_missing"]
    codes = fitted.transform(X)
    gaps = np.isnan(X[:, 5])
    np.testing.assert_array_equal(codes[:, names.index("x5_missing")], gaps)
    of_column = [i for i, name in enumerate(names) if name in ("x5", "x5_bin_0")]
    assert not codes[np.ix_(gaps, of_column)].any()
    without = TabularPreprocessor(numeric=numeric, missing_indicator=False).fit(X)
    assert "x5_missing" not in without.get_feature_names_out()


@every_encoding
@pytest.mark.parametrize("values", [[-1e308, 0.0, 1e308], [0.0, 5e-324, 0.0]])
def test_extreme_numbers_stay_finite(numeric, values):
    fitted = TabularPreprocessor(numeric=numeric, dtype=np.float32)
    for X in (values, [1.0, 2.0, 3.0]):
        fitted.fit(np.reshape(X, (-1, 1)))
        assert np.isfinite(fitted.transform([[-1.7e308], [1.7e308], [0.0]])).all()


# Precision


@every_encoding
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_of_arrays_is_kept_or_what_is_asked_for(X, numeric, dtype):
    given = X.astype(dtype)
    kept = TabularPreprocessor(numeric=numeric).fit(given)
    assert kept.transform(given).dtype == kept.transform(X).dtype == dtype
    for asked in (np.float32, "float64"):
        encoder = TabularPreprocessor(numeric=numeric, dtype=asked)
        assert encoder.fit_transform(given).dtype == np.dtype(asked)


def test_float32_output_is_the_rounded_float64_output(X):
    single = TabularPreprocessor(dtype=np.float32).fit_transform(X)
    expected = TabularPreprocessor().fit_transform(X).astype(np.float32)
    np.testing.assert_array_equal(single, expected)


# Sparse matrices


@pytest.fixture
def S(rng):
    """Sparse, with gaps, negative numbers, an empty, a full and a constant column."""
    dense = rng.normal(size=(150, 8)) * (rng.random((150, 8)) < 0.15)
    dense[:, 5] = 0.0
    dense[:, 6] = rng.normal(size=150) + 5.0
    dense[:, 7] = 3.0
    dense[:3, 0] = np.nan
    return dense


@every_encoding
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("container", [sp.csr_array, sp.csc_matrix, sp.coo_array])
def test_sparse_is_dense_minus_what_a_row_of_zeros_becomes(
    S, rng, numeric, weighted, container
):
    weight = rng.random(len(S)).round(1) if weighted else None
    options = {"numeric": numeric, "n_bins": 6}
    dense = TabularPreprocessor(**options).fit(S, sample_weight=weight)
    sparse = TabularPreprocessor(**options, sparse_output=True)
    D = sparse.fit(container(S), sample_weight=weight).transform(container(S))
    assert sp.issparse(D)
    assert D.format == "csr"
    np.testing.assert_allclose(
        D.toarray() + sparse.offset_, dense.transform(S), atol=1e-12
    )
    np.testing.assert_allclose(
        sparse.offset_, dense.transform(np.zeros((1, 8)))[0], atol=1e-12
    )
    # Nothing is stored where nothing was, but for columns that were full anyway.
    names = sparse.get_feature_names_out()
    source = [int(name[1]) for name in names]
    assert not D.toarray()[(S == 0.0)[:, source]].any()


@every_encoding
def test_a_frame_of_a_sparse_matrix_is_the_dense_encoding(S, numeric):
    fitted = TabularPreprocessor(numeric=numeric).set_output(transform="pandas")
    frame = fitted.fit_transform(sp.csr_array(S))
    dense = TabularPreprocessor(numeric=numeric).fit_transform(S)
    np.testing.assert_allclose(frame.to_numpy(), dense, atol=1e-12)
    assert not fitted.sparse_output_
    assert not fitted.offset_.any()


@every_encoding
def test_one_fitted_map_for_every_container(S, numeric):
    for X in (S, sp.csr_array(S)):
        for sparse_output in (True, False, "auto"):
            fitted = TabularPreprocessor(numeric=numeric, sparse_output=sparse_output)
            codes = [fitted.fit(X).transform(Z) for Z in (S, sp.csc_array(S))]
            assert len({sp.issparse(Z) for Z in codes}) == 1
            dense = [Z.toarray() if sp.issparse(Z) else Z for Z in codes]
            np.testing.assert_allclose(dense[0], dense[1], atol=1e-12)


def test_sparse_output_where_it_is_smaller():
    thin = sp.random(200, 50, 0.05, format="csr", random_state=0)
    thick = sp.random(200, 50, 0.9, format="csr", random_state=0)
    assert sp.issparse(TabularPreprocessor().fit_transform(thin))
    fitted = TabularPreprocessor().fit(thick)
    assert isinstance(fitted.transform(thick), np.ndarray)
    np.testing.assert_allclose(
        fitted.transform(thick), TabularPreprocessor().fit_transform(thick.toarray())
    )
    assert not fitted.offset_.any()


def test_a_large_sparse_matrix_is_never_dense(rng):
    """Dense, it would take 40 GB."""
    shape = (5_000_000, 1_000)
    places = tuple(rng.integers(0, n, 5_000) for n in shape)
    X = sp.csr_array((rng.normal(size=5_000), places), shape)
    assert TabularPreprocessor().fit_transform(X).nnz == X.nnz


def test_duplicate_entries_add_up():
    entries = ([1.0, 2.0, 5.0], ([0, 0, 1], [0, 0, 0]))
    twice = sp.csr_array(sp.coo_array(entries, (3, 1)))
    raw = sp.csr_matrix((np.array([1.0, 2.0, 5.0]), [0, 0, 0], [0, 2, 3, 3]), (3, 1))
    fitted = TabularPreprocessor(sparse_output=True).fit(raw)
    expected = TabularPreprocessor(sparse_output=True).fit_transform(twice)
    np.testing.assert_array_equal(fitted.transform(raw).toarray(), expected.toarray())
    assert raw.nnz == 3


def test_a_pickled_transformer_still_takes_sparse_matrices(S):
    fitted = TabularPreprocessor(sparse_output=True).fit(sp.csr_array(S))
    restored = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(
        restored.transform(sp.csr_array(S)).toarray(),
        fitted.transform(sp.csr_array(S)).toarray(),
    )


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.float32])
def test_sparse_matrices_of_any_real_dtype(rng, dtype):
    X = (rng.random((60, 4)) < 0.2).astype(dtype)
    D = TabularPreprocessor(sparse_output=True).fit_transform(sp.csr_array(X))
    expected = TabularPreprocessor().fit_transform(X.astype(np.float64))
    np.testing.assert_allclose(D.toarray(), expected, rtol=1e-6)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
def test_a_weight_that_is_lost_in_the_sum_leaves_the_codes_finite(container):
    X = container([[1.0], [2.0], [0.0], [3.0]])
    weight = [1.0, 1.0, 1e-20, 1e-20]
    encoded = TabularPreprocessor(numeric="quantile").fit_transform(X, None, weight)
    assert np.isfinite(encoded.toarray() if sp.issparse(encoded) else encoded).all()


def test_robust_bins_are_both_codes_side_by_side(rng):
    X = np.column_stack([rng.normal(size=200), np.arange(200) % 2])
    Z = np.vstack([X, [[-100.0, 0.0], [100.0, 1.0]]])
    found = TabularPreprocessor(numeric="robust_bins", n_bins=8).fit(X).transform(Z)
    robust = TabularPreprocessor().fit(X).transform(Z)
    bins = TabularPreprocessor(numeric="piecewise_linear", n_bins=8)
    bins = bins.fit(X[:, :1]).transform(Z[:, :1])
    np.testing.assert_allclose(found[:, [0, 9]], robust)  # two values have no bins
    expected = np.clip(bins, 0.0, 1.0) / 2.0 - 0.25
    np.testing.assert_allclose(found[:, 1:9], expected, atol=1e-12)
