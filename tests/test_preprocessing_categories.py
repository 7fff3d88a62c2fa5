"""TabularPreprocessor on categories: one-hot, rare ones, target means."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from skffnn import TabularPreprocessor


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def cities(rng):
    shares = np.array([0.4, 0.3, 0.2, 0.06, 0.03, 0.01])
    return pd.DataFrame({"city": rng.choice(list("abcdef"), 300, p=shares)})


@pytest.fixture
def streets(rng):
    """Two columns of many categories."""
    return pd.DataFrame(
        {
            "street": rng.choice([f"s{i}" for i in range(40)], 400),
            "zip": rng.choice([f"z{i}" for i in range(30)], 400),
        }
    )


def test_weights_whose_sum_overflows_keep_the_categories(rng):
    city = pd.DataFrame({"city": np.tile(list("abcd"), 50)})
    weight = rng.uniform(0.5, 1.0, 200)
    for options in ({"min_frequency": 0.01}, {"categorical": "target"}):
        usual, large = (
            TabularPreprocessor(**options).fit(city, np.arange(200.0), sample_weight=w)
            for w in (weight, weight * 1e307)
        )
        np.testing.assert_allclose(large.transform(city), usual.transform(city), 1e-9)


def test_categories_may_be_tuples():
    pairs = pd.DataFrame({"pair": pd.Categorical([("a", 1), ("b", 2), ("a", 1)])})
    fitted = TabularPreprocessor().fit(pairs)
    assert fitted.categories_[0].tolist() == [("a", 1), ("b", 2)]
    np.testing.assert_array_equal(fitted.transform(pairs)[:, 0], [-1.0, 1.0, -1.0])


# One-hot


def test_one_hot_is_that_of_scikit_learn(cities):
    fitted = TabularPreprocessor().fit(cities)
    theirs = OneHotEncoder(sparse_output=False).fit(cities)
    np.testing.assert_array_equal(fitted.transform(cities), theirs.transform(cities))
    names = theirs.get_feature_names_out()
    assert fitted.get_feature_names_out().tolist() == names.tolist()
    np.testing.assert_array_equal(fitted.categories_[0], theirs.categories_[0])


@pytest.mark.parametrize(
    "rare",
    [
        {"min_frequency": 20},
        {"min_frequency": 0.1},
        {"max_categories": 4},
        {"min_frequency": 0.02, "max_categories": 3},
    ],
)
def test_rare_categories_are_those_of_scikit_learn(cities, rare):
    fitted = TabularPreprocessor(**rare).fit(cities)
    theirs = OneHotEncoder(sparse_output=False, **rare).fit(cities)
    np.testing.assert_array_equal(fitted.transform(cities), theirs.transform(cities))
    assert fitted.get_feature_names_out()[-1] == "city_infrequent"
    np.testing.assert_array_equal(
        fitted.infrequent_categories_[0], theirs.infrequent_categories_[0]
    )


def test_as_many_categories_as_allowed_are_all_kept(cities):
    fitted = TabularPreprocessor(max_categories=6).fit(cities)
    assert fitted.infrequent_categories_ == [None]
    assert fitted.n_features_out_ == 6


def test_two_categories_are_one_column_of_signs():
    X = pd.DataFrame({"a": ["x", "y", None, "x"]})
    fitted = TabularPreprocessor().fit(X)
    assert fitted.get_feature_names_out().tolist() == ["a_y", "a_missing"]
    new = pd.DataFrame({"a": ["x", "y", None, "unseen"]})
    np.testing.assert_array_equal(
        fitted.transform(new).T, [[-1, 1, 0, 0], [0, 0, 1, 0]]
    )


def test_grouping_may_leave_two():
    X = pd.DataFrame({"a": list("xxxxyz")})
    fitted = TabularPreprocessor(min_frequency=2).fit(X)
    assert fitted.get_feature_names_out().tolist() == ["a_infrequent"]
    np.testing.assert_array_equal(fitted.transform(X)[:, 0], [-1, -1, -1, -1, 1, 1])


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize(
    "values", [["x", "x"], [True, True], [False, False], [None, "x"]]
)
def test_a_single_category_is_zeros(values):
    fitted = TabularPreprocessor(missing_indicator=False)
    assert not fitted.fit(pd.DataFrame({"a": values})).transform([["x"], [True]]).any()


def test_unseen_and_missing_are_zeros_and_told_apart(cities):
    cities.loc[:9, "city"] = None
    fitted = TabularPreprocessor().fit(cities)
    codes = fitted.transform(pd.DataFrame({"city": ["nowhere", None]}))
    assert not codes[:, :-1].any()
    np.testing.assert_array_equal(codes[:, -1], [0.0, 1.0])


@pytest.mark.parametrize(
    "options", [{}, {"min_frequency": 0.1}, {"min_frequency": 25, "max_categories": 3}]
)
def test_weight_two_is_the_row_twice_and_weight_zero_none(cities, rng, options):
    times = rng.integers(0, 3, len(cities))
    times[cities["city"] == "f"] = 0
    repeated = cities.loc[cities.index.repeat(times)]
    expected = TabularPreprocessor(**options).fit(repeated)
    found = TabularPreprocessor(**options).fit(cities, sample_weight=times)
    assert "f" not in found.categories_[0]
    assert found.get_feature_names_out().tolist() == (
        expected.get_feature_names_out().tolist()
    )
    np.testing.assert_array_equal(found.transform(cities), expected.transform(cities))


def test_thousands_of_categories_stay_sparse(rng):
    X = pd.DataFrame(
        {
            "user": [f"u{i}" for i in rng.integers(0, 3000, 2000)],
            "age": rng.normal(size=2000),
        }
    )
    codes = TabularPreprocessor().fit_transform(X)
    assert isinstance(codes, sp.csr_array)
    assert codes.nnz == 4_000
    dense = TabularPreprocessor(sparse_output=False).fit_transform(X)
    np.testing.assert_array_equal(codes.toarray(), dense)


def test_few_categories_are_dense(cities):
    assert isinstance(TabularPreprocessor().fit_transform(cities), np.ndarray)


def test_numbers_strings_and_gaps_in_one_column():
    X = np.array([[1], ["1"], [None], [2.5], [np.nan], [1]], dtype=object)
    fitted = TabularPreprocessor().fit(X)
    assert fitted.kinds_ == ["categorical"]
    np.testing.assert_array_equal(fitted.transform(X).sum(axis=1), np.ones(6))
    np.testing.assert_array_equal(fitted.transform(X)[:, -1], [0, 0, 1, 0, 1, 0])


# Order


def test_ordered_categories_are_ranks_in_their_order():
    order = ["small", "medium", "large", "huge"]
    sizes = pd.Categorical(["large", "small", None, "medium"], order, ordered=True)
    X = pd.DataFrame({"size": sizes})
    ranks = TabularPreprocessor(numeric="standard").fit_transform(X)
    np.testing.assert_allclose(ranks[:, 0], np.array([1, -1, 0, 0]) * np.sqrt(1.5))
    one_hot = TabularPreprocessor(ordinal="onehot").fit(X)
    assert one_hot.get_feature_names_out().tolist() == [
        "size_small", "size_medium", "size_large", "size_missing",
    ]  # fmt: skip
    nominal = X.astype({"size": pd.CategoricalDtype(order)})
    assert TabularPreprocessor().fit(nominal).kinds_ == ["categorical"]


# Target means


def targets(kind, n, rng):
    if kind == "continuous":
        return rng.normal(size=n)
    labels = np.array(["no", "yes", "maybe"][: 2 if kind == "binary" else 3])
    return labels[rng.integers(0, len(labels), n)]


@pytest.mark.filterwarnings("ignore:`TargetEncoder.shuffle` and")
@pytest.mark.parametrize("kind", ["continuous", "binary", "multiclass"])
def test_target_means_are_those_of_scikit_learn(streets, rng, kind):
    """The encoding is theirs, standardised, and so is the cross-fitting."""
    y = targets(kind, len(streets), rng)
    theirs = TargetEncoder(random_state=3)
    crossed, plain = theirs.fit_transform(streets, y), theirs.transform(streets)
    ours = TabularPreprocessor(numeric="standard", categorical="target", random_state=3)
    found = ours.fit_transform(streets, y)
    mean, std = plain.mean(axis=0), plain.std(axis=0)
    np.testing.assert_allclose(found, (crossed - mean) / std, atol=1e-9)
    found = ours.transform(streets)
    np.testing.assert_allclose(found, (plain - mean) / std, atol=1e-9)
    names = ours.get_feature_names_out().tolist()
    if kind == "multiclass":
        labels = ["maybe", "no", "yes"]
        assert names[:3] == [f"street_target_{label}" for label in labels]
    else:
        assert names == ["street_target", "zip_target"]


def test_no_row_is_encoded_by_its_own_target(streets, rng):
    y = targets("continuous", len(streets), rng)
    options = {"categorical": "target", "random_state": 0, "numeric": "standard"}
    before = TabularPreprocessor(**options).fit(streets, y)
    encoded = before.fit_transform(streets, y)
    y[7] += 1e-3
    after = TabularPreprocessor(**options).fit_transform(streets, y)
    # The scale, common to all rows, is learned from all of them.
    mine = abs(after - encoded)[7]
    others = abs(after - encoded)[streets["street"] == streets["street"][7]]
    assert mine[0] < 0.1 * others[:, 0].max()


def test_few_categories_stay_one_hot(streets, cities, rng):
    X = pd.concat([streets[:300], cities], axis=1)
    fitted = TabularPreprocessor(categorical="target").fit(X, rng.normal(size=300))
    names = fitted.get_feature_names_out().tolist()
    assert names == ["street_target", "zip_target", *(f"city_{c}" for c in "abcdef")]
    fitted.set_params(max_cat_to_onehot=5).fit(X, rng.normal(size=300))
    assert fitted.get_feature_names_out()[-1] == "city_target"


@pytest.mark.parametrize("unit", [1.0, 2.0])
def test_weighted_target_means_are_those_of_repeated_rows(streets, rng, unit):
    y = targets("continuous", len(streets), rng)
    times = rng.integers(0, 3, len(streets))
    rows = np.repeat(np.arange(len(streets)), times * int(unit))
    weighted = TabularPreprocessor(categorical="target")
    weighted.fit(streets, y, sample_weight=times * unit)
    repeated = TabularPreprocessor(categorical="target")
    repeated.fit(streets.iloc[rows], y[rows])
    np.testing.assert_allclose(
        weighted.transform(streets), repeated.transform(streets), atol=1e-9
    )


def test_rows_of_weight_zero_do_not_change_the_cross_fitting(streets, rng):
    y = targets("continuous", len(streets), rng)
    weight = (rng.random(len(streets)) < 0.8).astype(float)
    kept = weight > 0
    encoder = TabularPreprocessor(categorical="target", random_state=0)
    found = encoder.fit_transform(streets, y, sample_weight=weight)
    expected = encoder.fit_transform(streets[kept], y[kept])
    np.testing.assert_allclose(found[kept], expected, atol=1e-12)


def test_an_unseen_category_is_encoded_by_the_mean_of_all_and_a_missing_one_by_zero(
    streets, rng
):
    streets.loc[:20, "zip"] = None
    y = targets("continuous", len(streets), rng)
    encoder = TabularPreprocessor(categorical="target").fit(streets, y)
    new = pd.DataFrame({"street": ["nowhere", None], "zip": [None, "nowhere"]})
    codes = encoder.transform(new)
    np.testing.assert_array_equal(codes[[1, 0], [0, 1]], [0.0, 0.0])
    np.testing.assert_array_equal(codes[:, 2], [1.0, 0.0])
    # A category with the mean of all rows is encoded the same.
    more = pd.concat([streets, pd.DataFrame({"street": ["mean"], "zip": ["mean"]})])
    encoder.fit(more, np.append(y, y.mean()))
    np.testing.assert_allclose(
        encoder.transform(more.iloc[-1:]),
        encoder.transform(pd.DataFrame({"street": ["nowhere"], "zip": ["nowhere"]})),
        atol=1e-12,
    )


def test_several_targets_give_several_means(streets, rng):
    Y = rng.normal(size=(len(streets), 2))
    encoder = TabularPreprocessor(categorical="target", random_state=0)
    both = encoder.fit_transform(streets, Y)
    assert encoder.get_feature_names_out()[:2].tolist() == [
        "street_target_0", "street_target_1",
    ]  # fmt: skip
    for k in range(2):
        np.testing.assert_allclose(
            both[:, k::2], encoder.fit_transform(streets, Y[:, k]), atol=1e-12
        )


def test_counts_can_be_numbers_or_classes(streets, rng):
    y = rng.integers(0, 4, len(streets))
    encoder = TabularPreprocessor(categorical="target")
    assert encoder.fit_transform(streets, y).shape[1] == 8
    encoder.set_params(target_type="continuous")
    assert encoder.fit_transform(streets, y).shape[1] == 2


def test_a_class_of_weight_zero_is_none(streets, rng):
    y = rng.integers(0, 3, len(streets))
    encoder = TabularPreprocessor(categorical="target")
    encoder.fit(streets, y, sample_weight=y != 2)
    assert encoder.n_features_out_ == 2


@pytest.mark.parametrize(
    "container", [list, pl.Series, pd.Series, lambda y: pd.Series(y, dtype="category")]
)
def test_labels_in_any_container(streets, rng, container):
    y = targets("multiclass", len(streets), rng)
    encoder = TabularPreprocessor(categorical="target", random_state=0)
    expected = encoder.fit_transform(streets, y)
    np.testing.assert_array_equal(
        encoder.fit_transform(streets, container(y)), expected
    )


def test_target_means_need_a_target(streets):
    encoder = TabularPreprocessor(categorical="target")
    with pytest.raises(ValueError, match="requires y to be passed"):
        encoder.fit(streets)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        encoder.fit(streets, [1.0, 2.0])
    with pytest.raises(ValueError, match="'multilabel-indicator'"):
        encoder.fit(streets, np.eye(2, dtype=int)[np.arange(len(streets)) % 2])
    encoder.set_params(target_type="binary")
    with pytest.raises(ValueError, match="y has 3 classes"):
        encoder.fit(streets, np.arange(len(streets)) % 3)
    assert not hasattr(encoder, "n_features_in_")


def test_only_rows_that_train_a_model_need_folds():
    X, y = np.array([["a"], ["b"], ["c"], ["a"]], object), [1.5, 2.0, 3.0, 5.0]
    encoder = TabularPreprocessor(categorical="target", max_cat_to_onehot=0)
    means = encoder.fit(X, y).transform(X)
    assert means.shape == (4, 1)
    assert means[0] == means[3]
    with pytest.raises(ValueError, match="n_splits=5"):
        encoder.fit_transform(X, y)


def test_classes_are_one_column(cities, rng):
    encoder = TabularPreprocessor(categorical="target", target_type="multiclass")
    with pytest.raises(ValueError, match="1d array"):
        encoder.fit(cities, rng.integers(0, 3, (len(cities), 2)))
