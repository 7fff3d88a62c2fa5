"""class_weight is a sample weight that goes by the label."""

import numpy as np
import pytest
import scipy.sparse as sp
from plain import FFNNClassifier
from sklearn.datasets import load_iris, make_classification
from sklearn.metrics import recall_score
from sklearn.model_selection import PredefinedSplit
from sklearn.preprocessing import scale
from sklearn.utils.class_weight import compute_sample_weight

from skffnn._weights import class_weighted

X, Y = load_iris(return_X_y=True)
X = scale(X)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
MULTILABEL = np.c_[Y == 0, Y == 1, X[:, 0] > 0].astype(int)


def fitted(y=Y, sample_weight=None, **parameters):
    model = FFNNClassifier((5,), solver="batch", tol=1e-3, random_state=0, **parameters)
    return model.fit(X, y, sample_weight=sample_weight)


def assert_same(one, other):
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-8)


def test_a_dict_multiplies_the_sample_weight():
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(Y))
    by_class = {"setosa": 2.0, "virginica": 0.5}
    factor = np.select([Y == 0, Y == 2], [2.0, 0.5], 1.0)
    expected = fitted(NAMES, weight * factor)
    assert_same(fitted(NAMES, weight, class_weight=by_class), expected)


@pytest.mark.parametrize("y", [Y, NAMES, MULTILABEL], ids=["int", "str", "multilabel"])
def test_balanced_is_scikit_learns(y):
    rows = np.r_[0:20, 50:100, 100:110]
    expected = compute_sample_weight("balanced", y[rows])
    np.testing.assert_allclose(
        class_weighted("balanced", y[rows], None, np.unique(Y)), expected, rtol=1e-12
    )


def test_balanced_takes_weight_two_for_the_row_twice():
    weight = np.random.default_rng(0).integers(0, 3, len(Y)).astype(float)
    rows = np.repeat(np.arange(len(Y)), weight.astype(int))
    given = class_weighted("balanced", Y, weight, np.unique(Y))
    repeated = class_weighted("balanced", Y[rows], None, np.unique(Y))
    once, first = np.unique(rows, return_index=True)
    np.testing.assert_allclose(given[once], weight[once] * repeated[first], rtol=1e-12)
    assert not given[weight == 0].any()


def test_a_multilabel_indicator_has_a_dict_per_column():
    dicts = [{0: 1.0, 1: 3.0}, {1: 0.5}, {}]
    expected = np.where(Y == 0, 3.0, 1.0) * np.where(Y == 1, 0.5, 1.0)
    for y in (MULTILABEL, sp.csr_matrix(MULTILABEL)):
        weight = class_weighted(dicts, y, None, np.arange(3))
        np.testing.assert_array_equal(weight, expected)
    assert_same(fitted(MULTILABEL, class_weight=dicts), fitted(MULTILABEL, expected))


def test_weight_zero_leaves_a_class_out():
    model = fitted(class_weight={2: 0.0})
    assert model.classes_.tolist() == [0, 1, 2]
    assert set(model.predict(X)) <= {0, 1}
    assert_same(model, fitted(sample_weight=1.0 * (Y < 2)))


def test_partial_fit_takes_a_dict():
    by_class = {0: 3.0, 2: 0.5}
    factor = np.select([Y == 0, Y == 2], [3.0, 0.5], 1.0)
    model = FFNNClassifier((5,), class_weight=by_class, random_state=0)
    plain = FFNNClassifier((5,), random_state=0)
    for _ in range(3):
        model.partial_fit(X, Y, classes=[0, 1, 2])
        plain.partial_fit(X, Y, classes=[0, 1, 2], sample_weight=factor)
    assert_same(model, plain)


def test_partial_fit_cannot_balance_what_it_has_not_seen():
    model = FFNNClassifier(class_weight="balanced")
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as error:
        model.partial_fit(X, Y, classes=[0, 1, 2])
    assert "compute_class_weight" in str(error.value.__cause__)


def test_balanced_finds_more_of_the_rare_class():
    features, labels = make_classification(
        2000, weights=[0.95], class_sep=0.7, random_state=0
    )
    recall = {}
    for class_weight in (None, "balanced"):
        model = FFNNClassifier(
            (10,), class_weight=class_weight, max_iter=20, tol=0.0, random_state=0
        )
        with pytest.warns(match="max_iter"):
            model.fit(features, labels)
        recall[class_weight] = recall_score(labels, model.predict(features))
    assert recall["balanced"] > recall[None] + 0.1


@pytest.mark.parametrize(
    ("class_weight", "y", "message"),
    [
        ({3: 1.0}, Y, r"names the classes \[3\], but y has only \[0, 1, 2\]"),
        ({0: -1.0}, Y, r"not negative or infinite, got \{0: -1.0\}"),
        ({0: np.nan}, Y, "not negative or infinite"),
        ({0: "heavy"}, Y, r"must hold numbers .* got \{0: 'heavy'\}"),
        ([{0: 1.0}], Y, "'balanced' or a dict"),
        ({0: 1.0}, MULTILABEL, "a list of dicts"),
        ([{0: 1.0}], MULTILABEL, "one dict for each of the 3 columns of y. Got 1"),
        ("even", Y, "'class_weight' parameter"),
        ([1, 2, 3], MULTILABEL, r"a list of dicts .* Got \[1, 2, 3\]"),
        ({0: 0.0, 1: 0.0, 2: 0.0}, Y, "class_weight leaves no row a weight above zero"),
    ],
)
def test_what_is_not_allowed_is_named(class_weight, y, message):
    with pytest.raises(ValueError, match=message):
        fitted(y, class_weight=class_weight)


def test_a_class_may_be_missing_in_a_fold():
    rows = Y > 0
    by_class = {0: 5.0, 1: 1.0, 2: 3.0}
    model = FFNNClassifier((5,), class_weight=by_class, max_iter=2, random_state=0)
    with pytest.warns(match="max_iter"):
        model.fit(X[rows], Y[rows])
    assert model.classes_.tolist() == [1, 2]


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_a_class_that_is_left_out_is_in_no_part_of_a_split():
    judges = np.arange(len(Y)) % 5 == 0
    settings = {
        "class_weight": {0: 0.0}, "early_stopping": True, "max_iter": 3,
        "random_state": 0,
    }  # fmt: skip
    split = PredefinedSplit(np.where(judges, 0, -1))
    model = FFNNClassifier((4,), validation_split=split, **settings).fit(X, Y)
    assert model.t_ == 3 * 80
    own = FFNNClassifier((4,), **settings)
    own.fit(X[~judges], Y[~judges], X_val=X[judges], y_val=Y[judges])
    np.testing.assert_allclose(
        model.validation_loss_curve_, own.validation_loss_curve_, rtol=1e-10
    )


def test_balanced_gives_nothing_to_a_class_without_weight():
    y, weight = np.array([0, 0, 1, 2]), np.array([1.0, 1.0, 1.0, 0.0])
    balanced = class_weighted("balanced", y, weight, np.arange(3))
    np.testing.assert_allclose(balanced, [0.75, 0.75, 1.5, 0.0])
