import pickle

import numpy as np
import pytest
from core_tools import LOSS_CASES, make_targets, numerical_gradient
from scipy.special import expit, softmax
from sklearn.metrics import log_loss, mean_squared_error

from skffnn.core.links import IdentityLink
from skffnn.core.losses import LOSSES

every_loss = pytest.mark.parametrize("case", LOSS_CASES, ids="-".join)


@pytest.fixture(autouse=True)
def numpy_raises():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        yield


def sample(case, n_rows=6, scale=2.0):
    rng = np.random.default_rng(3)
    y = make_targets(case[1], rng, n_rows)
    return y, rng.normal(scale=scale, size=y.shape), rng.uniform(0.1, 2.0, n_rows)


def evaluate(case, y, raw, weight=None):
    gradient = np.full_like(raw, np.nan)
    return LOSSES[case[0]][case[1]]().value_and_gradient(
        y, raw, weight, gradient
    ), gradient


def logistic_log_loss(y, raw, weight):
    return sum(
        log_loss(t, expit(r), sample_weight=weight, normalize=False, labels=[0, 1])
        for t, r in zip(y.T, raw.T, strict=True)
    )


def softmax_log_loss(y, raw, weight):
    labels, p = y.argmax(axis=1), softmax(raw, axis=1)
    return log_loss(labels, p, sample_weight=weight, normalize=False, labels=range(4))


def half_squared_error(y, prediction, weight):
    per_output = mean_squared_error(
        y, prediction, sample_weight=weight, multioutput="raw_values"
    )
    return 0.5 * weight.sum() * per_output.sum()


def logistic_squared_error(y, raw, weight):
    return half_squared_error(y, expit(raw), weight)


IN_SCIKIT_LEARN = {
    ("log_loss", "binary"): logistic_log_loss,
    ("log_loss", "multilabel"): logistic_log_loss,
    ("log_loss", "multiclass"): softmax_log_loss,
    ("squared_error", "continuous"): half_squared_error,
    ("squared_error", "binary"): logistic_squared_error,
    ("squared_error", "multilabel"): logistic_squared_error,
    ("squared_error", "multiclass"): logistic_squared_error,
}


@every_loss
def test_value_is_that_of_scikit_learns_metrics(case):
    y, raw, weight = sample(case)
    value, _ = evaluate(case, y, raw, weight)
    assert value == pytest.approx(IN_SCIKIT_LEARN[case](y, raw, weight), rel=1e-12)


@every_loss
@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_agrees_with_central_differences(case, weighted):
    y, raw, weight = sample(case)
    weight = weight if weighted else None
    _, exact = evaluate(case, y, raw, weight)
    estimate = numerical_gradient(lambda r: evaluate(case, y, r, weight)[0], raw, 1e-3)
    np.testing.assert_allclose(exact, estimate, rtol=1e-6, atol=1e-11)


@every_loss
def test_inputs_are_only_read(case):
    y, raw, weight = sample(case)
    for array in (y, raw, weight):
        array.flags.writeable = False
    evaluate(case, y, raw, weight)


@every_loss
def test_value_and_gradient_are_linear_in_the_weights(case):
    y, raw, weight = sample(case)
    other = weight[::-1].copy()
    parts = [evaluate(case, y, raw, w) for w in (weight, other)]
    value, gradient = evaluate(case, y, raw, weight + 2.0 * other)
    assert value == pytest.approx(parts[0][0] + 2.0 * parts[1][0], rel=1e-12)
    np.testing.assert_allclose(gradient, parts[0][1] + 2.0 * parts[1][1], rtol=1e-12)


@every_loss
def test_no_weight_is_weight_one(case):
    y, raw, _ = sample(case)
    value, gradient = evaluate(case, y, raw)
    value_ones, gradient_ones = evaluate(case, y, raw, np.ones(len(y)))
    assert value == pytest.approx(value_ones, rel=1e-14)
    np.testing.assert_array_equal(gradient, gradient_ones)


@every_loss
def test_weight_two_is_the_row_twice(case):
    y, raw, _ = sample(case)
    weight = np.ones(len(y))
    weight[0] = 2.0
    value, _ = evaluate(case, y, raw, weight)
    twice = np.r_[0, 0 : len(y)]
    assert value == pytest.approx(evaluate(case, y[twice], raw[twice])[0], rel=1e-14)


@every_loss
def test_float32_is_the_rounded_float64(case):
    y, raw, weight = (array.astype(np.float32) for array in sample(case))
    value, gradient = evaluate(case, y, raw, weight)
    exact, exact_gradient = evaluate(case, *(a.astype(float) for a in (y, raw, weight)))
    assert gradient.dtype == np.float32
    assert isinstance(value, float)
    assert value == pytest.approx(exact, rel=1e-6)
    np.testing.assert_allclose(gradient, exact_gradient, rtol=1e-5, atol=1e-6)


@every_loss
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_scores_stay_finite(case, dtype):
    y, raw, weight = (a.astype(dtype) for a in sample(case))
    for score in (np.sign(raw) * dtype(1e4), np.sign(-raw) * dtype(1e4)):
        value, gradient = evaluate(case, y, score, weight)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("kind", LOSSES["log_loss"])
def test_log_loss_of_a_certain_mistake_is_the_score_itself(kind):
    y = np.eye(2) if kind == "multiclass" else np.array([[1.0], [0.0]])
    raw = 1e4 * (0.5 - y)
    wrong, gradient = evaluate(("log_loss", kind), y, raw)
    right, _ = evaluate(("log_loss", kind), y, -raw)
    assert wrong == pytest.approx(2e4 if kind == "multiclass" else 1e4, rel=1e-12)
    assert right == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(gradient, 1.0 - 2.0 * y)


def test_squared_error_of_several_outputs_is_half_the_sum_and_so_is_its_gradient():
    # MLPRegressor averages the value over outputs and sums the gradient.
    case = ("squared_error", "continuous")
    value, gradient = evaluate(case, np.zeros((1, 2)), np.array([[1.0, 2.0]]))
    assert value == 2.5
    np.testing.assert_array_equal(gradient, [[1.0, 2.0]])


@every_loss
def test_losses_without_hyperparameters_are_equal_also_through_pickle(case):
    loss = LOSSES[case[0]][case[1]]()
    assert pickle.loads(pickle.dumps(loss)) == loss


def scores_of_both_signs(case, scale):
    _, raw, _ = sample(case)
    return scale * np.concatenate([raw, -raw])


PROBABILISTIC = [c for c in LOSS_CASES if c[1] != "continuous"]


@pytest.mark.parametrize("case", PROBABILISTIC, ids="-".join)
def test_a_loss_for_classes_has_a_link_that_gives_their_probabilities(case):
    assert case[1] in LOSSES[case[0]][case[1]].link.classifies


@pytest.mark.parametrize("case", PROBABILISTIC, ids="-".join)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_log_probabilities_are_finite_and_those_of_the_probabilities(case, scale):
    link, raw = LOSSES[case[0]][case[1]].link, scores_of_both_signs(case, scale)
    log_p = link.log_inverse(raw)
    assert np.isfinite(log_p).all()
    np.testing.assert_allclose(np.exp(log_p), link.inverse(raw), rtol=1e-11)


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize(
    "name", [n for n, kinds in LOSSES.items() if "binary" in kinds]
)
def test_the_complement_of_a_binary_probability_is_finite_too(name, scale):
    link = LOSSES[name]["binary"].link
    raw = scores_of_both_signs((name, "binary"), scale)
    log_q = link.log_complement(raw)
    assert np.isfinite(log_q).all()
    np.testing.assert_allclose(np.exp(log_q) + link.inverse(raw), 1.0)


@pytest.mark.parametrize("name", [n for n, k in LOSSES.items() if "multiclass" in k])
def test_probabilities_of_the_softmax_sum_to_one(name):
    _, raw, _ = sample((name, "multiclass"))
    link = LOSSES[name]["multiclass"].link
    if link.name == "softmax":
        np.testing.assert_allclose(link.inverse(raw).sum(axis=1), 1.0, rtol=1e-14)


def test_the_identity_link_predicts_the_score():
    raw = np.array([[-1.0, 7.0]])
    np.testing.assert_array_equal(IdentityLink().inverse(raw), raw)
