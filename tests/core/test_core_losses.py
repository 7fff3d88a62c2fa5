import pickle
from dataclasses import replace

import numpy as np
import pytest
from core_tools import LOSS_CASES, make_loss, make_targets, numerical_gradient
from scipy import special, stats
from scipy.special import expit, softmax
from sklearn.metrics import (
    log_loss,
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
    mean_tweedie_deviance,
)

from skffnn.core.links import LINKS, IdentityLink, Link, LogisticLink, SoftmaxLink
from skffnn.core.losses import LOSSES, IgnoringMissing, ThroughLink
from skffnn.core.losses.constants import weighted_quantile

LEVELS = (0.1, 0.5, 0.8)
# Hyperparameters beside the defaults, and losses around a loss: name -> loss, targets.
VARIANTS = {
    "huber 0.4": (make_loss(("huber", "continuous"), delta=0.4), "continuous"),
    "quantile 0.9": (make_loss(("quantile", "continuous"), quantile=0.9), "continuous"),
    "quantiles": (make_loss(("quantile", "continuous"), quantile=LEVELS), "continuous"),
    **{
        f"tweedie {power}": (
            make_loss(("tweedie", "continuous"), power=power), "continuous"
        )
        for power in (1, 1.2, 2)
    },
    **{
        f"smooth {kind}": (make_loss(("log_loss", kind), label_smoothing=0.2), kind)
        for kind in LOSSES["log_loss"]
    },
    **{
        f"focal {kind} {gamma}": (make_loss(("focal", kind), gamma=gamma), kind)
        for kind in LOSSES["focal"]
        for gamma in (0.0, 0.5)
    },
    **{
        f"{name} through {link.name}": (
            ThroughLink(make_loss((name, "continuous")), link), "continuous"
        )
        for name in ("squared_error", "huber", "gaussian_nll")
        for link in LINKS.values()
    },
    **{
        f"{name} with missing": (
            IgnoringMissing(make_loss((name, "continuous"))), "continuous"
        )
        for name, kinds in LOSSES.items()
        if "continuous" in kinds
    },
    "quantiles through exp with missing": (
        IgnoringMissing(
            ThroughLink(
                make_loss(("quantile", "continuous"), quantile=LEVELS), LINKS["exp"]
            )
        ),
        "continuous",
    ),
}  # fmt: skip
CASES = {"-".join(case): (make_loss(case), case[1]) for case in LOSS_CASES} | VARIANTS

every_loss = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
every_registered_loss = pytest.mark.parametrize("case", LOSS_CASES, ids="-".join)


@pytest.fixture(autouse=True)
def numpy_raises():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        yield


def sample(case, n_rows=6, scale=2.0):
    loss, kind = case
    rng = np.random.default_rng(3)
    missing = isinstance(loss, IgnoringMissing)
    inner = loss.loss if missing else loss
    y = make_targets(inner, kind, rng, n_rows)
    if isinstance(inner, ThroughLink):
        y = inner.link.inverse(y)
    if missing:
        y[0, 0] = y[1, 2] = np.nan
    raw = rng.normal(scale=scale, size=(n_rows, loss.n_outputs(y.shape[1])))
    return y, raw, rng.uniform(0.1, 2.0, n_rows)


def evaluate(case, y, raw, weight=None):
    gradient = np.full_like(raw, np.nan)
    value = case[0].value_and_gradient(y, raw, weight, gradient)
    return value, gradient


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


def softmax_squared_error(y, raw, weight):
    return half_squared_error(y, softmax(raw, axis=1), weight)


def focal(y, p, weight):
    """Lin et al. (2017), eq. 4, as it is printed, summed over outputs."""
    return -weight @ (y * (1.0 - p) ** 2 * np.log(p)).sum(axis=1)


def logistic_focal(y, raw, weight):
    return focal(y, expit(raw), weight) + focal(1.0 - y, expit(-raw), weight)


def softmax_focal(y, raw, weight):
    return focal(y, softmax(raw, axis=1), weight)


def summed(metric, factor=1.0, link=lambda raw: raw):
    """Return the sum over outputs of a metric that is a mean over rows."""

    def value(y, raw, weight):
        return (factor * weight.sum()) * sum(
            metric(t, p, sample_weight=weight)
            for t, p in zip(y.T, link(raw).T, strict=True)
        )

    return value


def tweedie_deviance(y, mu, sample_weight):
    return mean_tweedie_deviance(y, mu, sample_weight=sample_weight, power=1.5)


def gaussian_nll(y, raw, weight):
    std = np.exp(0.5 * raw[:, 3:])
    return -weight @ stats.norm.logpdf(y, raw[:, :3], std).sum(axis=1)


IN_SCIKIT_LEARN = {
    ("log_loss", "binary"): logistic_log_loss,
    ("log_loss", "multilabel"): logistic_log_loss,
    ("log_loss", "multiclass"): softmax_log_loss,
    ("squared_error", "continuous"): half_squared_error,
    ("squared_error", "binary"): logistic_squared_error,
    ("squared_error", "multilabel"): logistic_squared_error,
    ("squared_error", "multiclass"): softmax_squared_error,
    ("focal", "binary"): logistic_focal,
    ("focal", "multilabel"): logistic_focal,
    ("focal", "multiclass"): softmax_focal,
    ("absolute_error", "continuous"): summed(mean_absolute_error),
    ("huber", "continuous"): lambda y, raw, weight: (
        weight @ special.huber(1.0, raw - y).sum(axis=1)
    ),
    ("log_cosh", "continuous"): lambda y, raw, weight: (
        weight @ np.log(np.cosh(raw - y)).sum(axis=1)
    ),
    ("quantile", "continuous"): summed(mean_pinball_loss),
    ("poisson", "continuous"): summed(mean_poisson_deviance, 0.5, np.exp),
    ("gamma", "continuous"): summed(mean_gamma_deviance, 0.5, np.exp),
    ("tweedie", "continuous"): summed(tweedie_deviance, 0.5, np.exp),
    ("gaussian_nll", "continuous"): gaussian_nll,
}


@every_registered_loss
def test_value_is_that_of_scikit_learn_or_scipy(case):
    loss = (make_loss(case), case[1])
    y, raw, weight = sample(loss)
    value, _ = evaluate(loss, y, raw, weight)
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


# A mean of exp(1e4) at a variance of exp(-1e4) costs more than a number can hold. Such
# an epoch counts as diverged.
TAME = {name: c for name, c in CASES.items() if name != "gaussian_nll through exp"}


@pytest.mark.parametrize("case", TAME.values(), ids=TAME)
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
    wrong, gradient = evaluate((make_loss(("log_loss", kind)), kind), y, raw)
    right, _ = evaluate((make_loss(("log_loss", kind)), kind), y, -raw)
    assert wrong == pytest.approx(2e4 if kind == "multiclass" else 1e4, rel=1e-12)
    assert right == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(gradient, 1.0 - 2.0 * y)


@pytest.mark.parametrize("added", [-1e4, -40.0, -31.0, 0.0, 15.0, 31.0, 40.0, 1e4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_all_scores_of_a_row_have_in_common_does_not_matter(added, dtype):
    rng = np.random.default_rng(0)
    raw = (rng.uniform(-1.0, 1.0, (6, 3)) + added).astype(dtype)
    y = np.eye(3, dtype=dtype)[[0, 1, 2, 0, 1, 2]]
    case = (make_loss(("log_loss", "multiclass")), "multiclass")
    value, gradient = evaluate(case, y, raw)
    p = softmax(raw.astype(float), axis=1)
    rounding = np.finfo(dtype).eps
    # What is rounded is the logarithm of a sum of exponentials, of six rows.
    error = 6 * float(rounding) * (10.0 + min(abs(added), 32.0))
    assert value == pytest.approx(-np.log((y * p).sum(axis=1)).sum(), abs=error)
    np.testing.assert_allclose(gradient, p - y, rtol=0.0, atol=10 * rounding)


@pytest.mark.parametrize("kind", LOSSES["log_loss"])
def test_the_log_loss_of_a_certain_hit_is_tiny_and_not_negative(kind):
    # As precise as what is left of float32 beyond one, however large the scores are.
    for score in np.linspace(1.0, 60.0, 100):
        raw = np.array([[score, score - 20.0, 0.5]], np.float32)
        y = np.eye(3, dtype=np.float32)[:1]
        if kind != "multiclass":
            raw, y = raw[:, :1], y[:, :1]
        case = (make_loss(("log_loss", kind)), kind)
        value, _ = evaluate(case, y, raw)
        exact, _ = evaluate(case, y.astype(float), raw.astype(float))
        assert value == evaluate(case, y, raw, np.ones(1, np.float32))[0]
        assert value >= 0.0
        assert value == pytest.approx(exact, rel=1e-6, abs=2e-7)


def test_squared_error_of_several_outputs_is_half_the_sum_and_so_is_its_gradient():
    # MLPRegressor averages the value over outputs and sums the gradient.
    case = (make_loss(("squared_error", "continuous")), "continuous")
    value, gradient = evaluate(case, np.zeros((1, 2)), np.array([[1.0, 2.0]]))
    assert value == 2.5
    np.testing.assert_array_equal(gradient, [[1.0, 2.0]])


@every_loss
def test_losses_of_equal_fields_are_equal_also_through_pickle(case):
    loss = case[0]
    assert pickle.loads(pickle.dumps(loss)) == loss == replace(loss)


def scores_of_both_signs(case, scale):
    _, raw, _ = sample((make_loss(case), case[1]))
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
    p = softmax(raw, axis=1) if link.sums_to_one else expit(raw)
    np.testing.assert_allclose(np.exp(log_p), p, rtol=1e-11)
    np.testing.assert_allclose(link.inverse(raw), p, rtol=1e-11)


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
    raw = scores_of_both_signs((name, "multiclass"), 1.0)
    link = LOSSES[name]["multiclass"].link
    if link.name == "softmax":
        np.testing.assert_allclose(link.inverse(raw).sum(axis=1), 1.0, rtol=1e-14)


@pytest.mark.parametrize("link", [LogisticLink(), SoftmaxLink()], ids=repr)
def test_the_largest_score_is_the_largest_probability(link):
    assert link.keeps_order
    raw = np.random.default_rng(0).normal(scale=5.0, size=(200, 4))
    np.testing.assert_array_equal(
        raw.argmax(axis=1), link.log_inverse(raw).argmax(axis=1)
    )


def test_a_link_with_an_inverse_of_its_own_says_itself_that_it_keeps_the_order():
    class Renamed(SoftmaxLink):
        name = "renamed"

    class Other(SoftmaxLink):
        def log_inverse(self, raw):
            return super().log_inverse(-raw)

    class Colder(SoftmaxLink):
        keeps_order = True

        def log_inverse(self, raw):
            return super().log_inverse(2.0 * raw)

    assert [link.keeps_order for link in (Renamed, Other, Colder)] == [
        True,
        False,
        True,
    ]


def test_the_identity_link_predicts_the_score():
    raw = np.array([[-1.0, 7.0]])
    np.testing.assert_array_equal(IdentityLink().inverse(raw), raw)


@pytest.mark.parametrize("name", LINKS)
def test_a_link_its_inverse_and_its_derivative_belong_together(name):
    link, raw = LINKS[name], np.linspace(-3.0, 3.0, 21)[:, None]
    prediction = link.inverse(raw)
    low, high = (float(end) for end in link.range[1:-1].split(","))
    assert (prediction >= low).all()
    assert (prediction <= high).all()
    np.testing.assert_allclose(link.score(prediction), raw, rtol=1e-12, atol=1e-12)
    h, gradient = 1e-5, np.ones_like(raw)
    link.backward(prediction, gradient)
    slope = (link.inverse(raw + h) - link.inverse(raw - h)) / (2.0 * h)
    np.testing.assert_allclose(gradient, slope, rtol=1e-8)


# That of the focal loss has no formula: it starts at the shares of the classes.
WITH_BEST_CONSTANT = {k: c for k, c in CASES.items() if not k.startswith("focal")}


@pytest.mark.parametrize("case", WITH_BEST_CONSTANT.values(), ids=WITH_BEST_CONSTANT)
@pytest.mark.parametrize("weighted", [False, True])
def test_no_constant_is_better_than_the_best(case, weighted):
    loss = case[0]
    y, _, weight = sample(case, n_rows=40)
    weight = weight if weighted else None
    constant = loss.best_constant(y, weight)

    def value(raw):
        return evaluate(case, y, np.tile(raw, (len(y), 1)), weight)[0]

    lowest = value(constant)
    for step in (1e-3, 0.1):
        for k in range(len(constant)):
            for sign in (-1.0, 1.0):
                moved = constant.copy()
                moved[k] += sign * step
                assert value(moved) >= lowest - 1e-9


def test_quantiles_in_order_never_cost_more_than_scores_that_cross():
    loss = make_loss(("quantile", "continuous"), quantile=LEVELS)
    y, raw, _ = sample((loss, "continuous"), n_rows=200)
    y, raw = y[:, :1], raw[:, :3]
    ordered = loss.predict(raw)[:, 0]
    np.testing.assert_array_equal(ordered, np.sort(raw, axis=1))
    crossing, in_order = (
        loss.per_target(y, scores, np.empty_like(raw)) for scores in (raw, ordered)
    )
    assert (in_order <= crossing + 1e-14).all()
    assert (in_order < crossing - 1e-3).any()


@pytest.mark.parametrize(
    "name", [n for n, kinds in LOSSES.items() if "continuous" in kinds]
)
def test_the_loss_of_targets_with_gaps_is_the_sum_over_those_there_are(name):
    loss = make_loss((name, "continuous"))
    case = (IgnoringMissing(loss), "continuous")
    y, raw, weight = sample(case)
    value, gradient = evaluate(case, y, raw, weight)
    total = 0.0
    for t in range(3):
        there = ~np.isnan(y[:, t])
        one = np.ix_(there, range(t, raw.shape[1], 3))
        part, slope = evaluate((loss, ""), y[there, t : t + 1], raw[one], weight[there])
        total += part
        np.testing.assert_allclose(gradient[one], slope, rtol=1e-14)
        assert (gradient[~there, t] == 0.0).all()
    assert value == pytest.approx(total, rel=1e-14)


def test_quantiles_of_rows_with_float32_weights():
    """A sum of float32 stands still at 2^24, where one is added."""
    y = np.linspace(0.0, 1.0, 1001, dtype=np.float32)[:, None]
    weight = np.ones(len(y), np.float32)
    weight[0] = 2.0**24
    level = (2.0**24 + 500.5) / (2.0**24 + 1000.0)
    quantile = LOSSES["quantile"]["continuous"](quantile=level)
    assert quantile.best_constant(y, weight) == pytest.approx(0.501, abs=1e-6)


class HalfCosine(Link):
    """A link of the user's that says no more than it must."""

    def inverse(self, raw):
        return 0.5 - 0.5 * np.cos(raw)


def test_logarithms_of_a_link_of_the_users_are_those_of_its_inverse():
    raw = np.linspace(0.5, 2.5, 9)
    p = HalfCosine().inverse(raw)
    np.testing.assert_allclose(HalfCosine().log_inverse(raw), np.log(p), rtol=1e-14)
    np.testing.assert_allclose(
        HalfCosine().log_complement(raw), np.log(1.0 - p), rtol=1e-14
    )


def test_a_quantile_knows_no_unit_of_the_weights():
    y = np.arange(10.0)[:, None]
    for level in np.arange(1, 10) / 10:
        expected = weighted_quantile(y, None, level)
        assert expected == pytest.approx(10 * level - 0.5)
        for weight in (0.1, 0.3, 7.0):
            assert weighted_quantile(y, np.full(10, weight), level) == expected


def test_the_start_of_a_constant_target_has_a_variance():
    loss = LOSSES["gaussian_nll"]["continuous"]()
    y = np.column_stack([np.full(5, 3.0), np.arange(5.0)])
    expected = [3.0, 2.0, 0.0, np.log(2.0)]
    np.testing.assert_allclose(loss.best_constant(y, None), expected, rtol=1e-14)
