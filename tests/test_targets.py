"""What is predicted has the shape, the type and the probabilities of what was given."""

import numpy as np
import pytest
import scipy.sparse as sp
from plain import FFNNClassifier, FFNNRegressor
from scipy.special import expit, softmax

from skffnn._label_targets import LabelTargets
from skffnn._number_targets import NumberTargets
from skffnn.core.links import LogisticLink
from skffnn.core.losses import LOSSES

pytestmark = pytest.mark.filterwarnings("ignore:max_iter=")
CLASSIFIER_LOSSES = [name for name, kinds in LOSSES.items() if "binary" in kinds]


def quick(Estimator, **parameters):
    return Estimator(**{"max_iter": 20, "random_state": 0, **parameters})


@pytest.mark.parametrize("loss", CLASSIFIER_LOSSES)
def test_binary(cancer, loss):
    X, y = cancer
    model = quick(FFNNClassifier, loss=loss, max_iter=60).fit(X, y)
    p, scores = model.predict_proba(X), model.decision_function(X)
    assert model.n_outputs_ == 1
    assert model.out_activation_ == "logistic"
    assert scores.shape == y.shape
    np.testing.assert_allclose(p[:, 1], expit(scores), rtol=1e-12)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    np.testing.assert_array_equal(model.predict(X), p[:, 1] > 0.5)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), p, rtol=1e-12)
    assert model.score(X, y) > 0.95


@pytest.mark.parametrize("loss", CLASSIFIER_LOSSES)
def test_multiclass(iris, loss):
    X, y = iris
    model = quick(FFNNClassifier, loss=loss, max_iter=200).fit(X, y)
    p, scores = model.predict_proba(X), model.decision_function(X)
    link = {"softmax": lambda raw: softmax(raw, axis=1), "logistic": expit}
    expected = link[model.out_activation_](scores)
    np.testing.assert_allclose(p, expected / expected.sum(axis=1, keepdims=True))
    np.testing.assert_array_equal(model.predict(X), p.argmax(axis=1))
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), p, rtol=1e-12)
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("loss", CLASSIFIER_LOSSES)
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array, sp.csr_matrix])
def test_multilabel(multilabel, loss, container):
    X, Y = multilabel
    model = quick(FFNNClassifier, loss=loss, max_iter=200).fit(X, container(Y))
    p = model.predict_proba(X)
    predicted = model.predict(X)
    assert p.shape == Y.shape
    assert sp.issparse(predicted) == sp.issparse(container(Y))
    predicted = predicted.toarray() if sp.issparse(predicted) else predicted
    np.testing.assert_array_equal(predicted, p > 0.5)
    np.testing.assert_allclose(p, expit(model.decision_function(X)), rtol=1e-12)
    assert (predicted == Y).mean() > 0.9


def test_multilabel_goes_on_without_classes(multilabel):
    X, Y = multilabel
    model = quick(FFNNClassifier).partial_fit(X, Y)
    assert model.partial_fit(X[:10], Y[:10]).n_iter_ == 2
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    named = quick(FFNNClassifier)
    for _ in range(2):
        named.partial_fit(X, Y, classes=["a", "b", "c"])
    with pytest.raises(ValueError, match="not the same"):
        named.partial_fit(X, Y, classes=["a", "b"])


@pytest.mark.parametrize("loss", CLASSIFIER_LOSSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_agree_with_the_scores_where_probabilities_saturate(
    iris, loss, dtype
):
    X, y = (100.0 * iris[0]).astype(dtype), iris[1]
    model = quick(FFNNClassifier, loss=loss).fit(iris[0].astype(dtype), y)
    scores = model.decision_function(X)
    np.testing.assert_array_equal(model.predict(X), scores.argmax(axis=1))


def test_one_class_is_always_predicted(iris):
    X, _ = iris
    model = quick(FFNNClassifier).fit(X, np.full(len(X), "only"))
    assert set(model.predict(X)) == {"only"}
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((len(X), 1)))
    np.testing.assert_array_equal(model.predict_log_proba(X), np.zeros((len(X), 1)))


def test_log_probabilities_stay_finite_where_probabilities_vanish(iris, multilabel):
    X, y = iris
    for target in (y == 0, y, multilabel[1]):
        model = quick(FFNNClassifier, max_iter=2).fit(X, target)
        model.coefs_[-1][...] *= 1e6
        assert np.isfinite(model.predict_log_proba(X)).all()
        assert model.predict_log_proba(X).min() < -1000.0


def test_a_batch_may_lack_a_class(iris):
    X, y = iris
    model = quick(FFNNClassifier)
    for label in (0, 1, 2, 0):
        rows = y == label
        model.partial_fit(X[rows], y[rows], classes=[2, 1, 0])
    assert model.predict_proba(X).shape == (150, 3)
    assert model.n_iter_ == 4


def test_several_regression_targets(diabetes):
    X, y = diabetes
    Y = np.column_stack([y, 2.0 * y, -y])
    model = quick(FFNNRegressor, max_iter=200).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert model.score(X, Y) > 0.4
    for other in (y, Y[:, :2]):
        n_outputs = other.ndim
        with pytest.raises(ValueError, match=f"y has {n_outputs} outputs, but"):
            model.partial_fit(X, other)


def test_sparse_regression_targets_are_numbers_like_others(diabetes):
    X, y = diabetes
    Y = np.column_stack([y, np.zeros_like(y)])
    expected = quick(FFNNRegressor).fit(X, Y).predict(X)
    given = quick(FFNNRegressor).fit(X, sp.csr_matrix(Y)).predict(X)
    np.testing.assert_array_equal(given, expected)


def test_a_linear_model_has_no_hidden_layer(diabetes):
    """Without hidden layers the squared error has Ridge's minimum."""
    from sklearn.linear_model import Ridge

    X, y = diabetes
    alpha = 0.1
    model = FFNNRegressor((), solver="batch", alpha=alpha, tol=1e-9, random_state=0)
    ridge = Ridge(alpha=alpha * len(y)).fit(X, y)
    np.testing.assert_allclose(model.fit(X, y).coefs_[0][:, 0], ridge.coef_, atol=1e-4)
    assert model.n_layers_ == 2


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_linear_model_is_a_logistic_regression(iris, n_classes):
    from sklearn.linear_model import LogisticRegression

    X, y = iris[0][iris[1] < n_classes], iris[1][iris[1] < n_classes]
    alpha = 0.01
    model = FFNNClassifier(
        (), solver="batch", alpha=alpha, tol=1e-9, n_iter_no_change=50, random_state=0
    ).fit(X, y)
    C = 1.0 / (alpha * len(y))
    expected = LogisticRegression(C=C, tol=1e-9, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(
        model.predict_proba(X), expected.predict_proba(X), atol=1e-4
    )


def test_squared_error_of_a_classifier_is_half_the_brier_score(iris):
    X, y = iris
    frozen = FFNNClassifier(
        loss="squared_error",
        alpha=0.0,
        solver="batch",
        optimizer="sgd",
        learning_rate_init=1e-300,
        max_iter=1,
        random_state=0,
    ).fit(X, y)
    cost = 0.5 * np.square(frozen.predict_proba(X) - np.eye(3)[y]).sum() / len(y)
    assert frozen.loss_ == pytest.approx(cost, rel=1e-12)


@pytest.mark.parametrize("scale_target", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("loss", ["squared_error", "quantile", "gaussian_nll"])
def test_predictions_are_clipped_to_the_targets_seen(
    diabetes, scale_target, n_outputs, loss
):
    X, y = diabetes
    y = y if n_outputs == 1 else np.column_stack([y, 10.0 - y])
    seen = y[100:200]
    model = FFNNRegressor(
        (20,), loss=loss, quantile=(0.02, 0.98) if loss == "quantile" else 0.5,
        scale_target=scale_target, learning_rate_init=0.02, max_iter=30, random_state=0,
    ).fit(X[100:200], seen)  # fmt: skip
    far = 5.0 * X
    free = model.predict(far)
    clipped = model.set_params(clip_predictions=True).predict(far)
    low, high = seen.min(axis=0), seen.max(axis=0)
    if loss == "quantile":
        low, high = np.expand_dims(low, -1), np.expand_dims(high, -1)
    assert (free < low).any()
    assert (free > high).any()
    np.testing.assert_allclose(clipped, np.clip(free, low, high), rtol=1e-14)
    if loss == "gaussian_nll":
        mean, std = model.predict(far, return_std=True)
        np.testing.assert_array_equal(mean, clipped)
        assert std.shape == mean.shape


def test_the_range_grows_with_each_block_and_knows_only_rows_with_a_weight(diabetes):
    X, y = diabetes
    model = FFNNRegressor(
        (20,), clip_predictions=True, missing_targets="ignore", random_state=0
    )
    blocks = [slice(0, 50), slice(50, 150)]
    weight, target = np.ones(len(y)), y.copy()
    for block in blocks:
        weight[block.start + y[block].argmax()] = 0.0
        target[block.start + y[block].argmin()] = np.nan
    for stop, block in enumerate(blocks, 1):
        model.partial_fit(X[block], target[block], weight[block])
        known = np.concatenate([np.where(weight > 0, target, np.nan)[b]
                                for b in blocks[:stop]])  # fmt: skip
        far = model.predict(50.0 * X)
        assert far.min() == pytest.approx(np.nanmin(known))
        assert far.max() == pytest.approx(np.nanmax(known))
    low = model.predict(50.0 * X).min()
    with pytest.raises(ValueError, match="contains infinity"):
        model.partial_fit(X, np.where(y > 0, np.inf, -100.0))
    assert model.predict(50.0 * X).min() == low


@pytest.mark.parametrize("n_rows", [100, 10_000])
def test_a_small_spread_far_from_zero_is_learned(n_rows):
    rng = np.random.default_rng(0)
    f = rng.standard_normal(n_rows)
    targets = NumberTargets(1e9 + 1e-3 * f, scaled=True)
    assert targets.encode(1e9 + 1e-3 * f, np.float64).std() == pytest.approx(
        1.0, rel=1e-4
    )


@pytest.mark.parametrize("value", [0.1, -1e300, 1e-300, 0.0])
def test_the_unit_of_a_constant_target_is_one(value):
    weight = np.random.default_rng(0).uniform(size=1001)
    targets = NumberTargets(np.full(1001, value), weight, scaled=True)
    assert np.all(targets.encode(np.full(3, value), np.float64) == 0.0)
    assert targets.decode(np.ones((1, 1))) == value + 1.0


def test_a_probability_that_rounds_to_one_has_no_logarithm(iris):
    X, y = iris
    model = FFNNClassifier((8,), max_iter=10, random_state=0).fit(X, y == 0)
    far = 1e3 * X
    p, log_p = model.predict_proba(far), model.predict_log_proba(far)
    assert (p == 1.0).any()
    np.testing.assert_array_equal(log_p[p == 1.0], 0.0)


def test_a_logistic_probability_of_a_label_is_never_quite_zero_or_one(multilabel):
    X, y = multilabel
    model = FFNNClassifier((8,), max_iter=10, random_state=0).fit(X, y)
    p = model.predict_proba(1e4 * X)
    assert p.min() == np.finfo(p.dtype).tiny
    assert p.max() == 1.0 - np.finfo(p.dtype).epsneg


def test_a_label_as_probable_as_not_is_the_first():
    targets = LabelTargets(np.array(["a", "b"]))
    log_half = LogisticLink().log_inverse(np.zeros((1, 1)))
    assert targets.decode(log_half).tolist() == ["a"]


@pytest.mark.parametrize(
    "change", [{"out_activation": "exp"}, {"loss": "poisson"}, {"scale_target": False}]
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_scale_of_the_targets_stays_that_of_the_first_fit(diabetes, change, method):
    X, y = diabetes[0], np.exp(diabetes[1])
    model = quick(FFNNRegressor, scale_target=True, warm_start=True).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="on the scale of the first fit; scale_target"):
        getattr(model.set_params(**change), method)(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
