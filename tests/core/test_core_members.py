"""Several members in one network: what each computes, and what is made of them all."""

from itertools import pairwise

import numpy as np
import pytest
from core_tools import (
    LOSS_CASES,
    SPARSE_FORMATS,
    make_loss,
    make_objective,
    numerical_gradient,
    relative_error,
    value_and_gradient,
)
from numpy.testing import assert_allclose, assert_array_equal

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.batches import Batches
from skffnn.core.layers import deal
from skffnn.core.layout import ParamLayout
from skffnn.core.links import LINKS, ExpLink, Link, SoftmaxLink
from skffnn.core.losses import LOSSES, IgnoringMissing, ThroughLink
from skffnn.core.network import Network

FORMS = [None, *SPARSE_FORMATS]
DTYPES = [np.float32, np.float64]
MEMBERS = 3
every_form = pytest.mark.parametrize("sparse", FORMS)
with_and_without = [
    pytest.mark.parametrize("layer_norm", [False, True]),
    pytest.mark.parametrize("input_scale", [False, True]),
]


def in_all_networks(test):
    for mark in with_and_without:
        test = mark(test)
    return test


def alone(network, params, member):
    """Return the network that one member is by itself, and its parameters."""
    single = Network(
        network.layer_sizes,
        network.activations,
        network.layer_norm,
        network.input_scale,
    )
    groups = network.layout.groups(params)
    *hidden, last = groups["weights"]
    *biases, last_bias = groups["biases"]
    scales = [scale[member] for scale in groups["scales"]]
    parts = (*hidden, last[member], *biases, last_bias[member], *groups["gains"])
    return single, np.concatenate([part.ravel() for part in (*parts, *scales)])


# -- Rows ------------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", [0, 1, 2, 7, 8, 9, 1000])
@pytest.mark.parametrize("n_members", [1, 2, 5, 8])
def test_every_row_is_dealt_to_one_member_and_shares_are_even(n_rows, n_members):
    owned = np.arange(n_members), np.arange(n_members) ** 2
    first, second, shares = zip(*deal(n_rows, *owned), strict=True)
    assert_array_equal([first, second], owned)
    rows = np.concatenate([np.arange(n_rows)[share] for share in shares])
    assert_array_equal(rows, np.arange(n_rows))
    sizes = [share.stop - share.start for share in shares]
    assert max(sizes) - min(sizes) <= 1


def test_one_batch_of_all_rows_is_dealt_out_anew_in_each_epoch():
    rng = np.random.default_rng(0)
    batches = Batches(slice(5, 15), 10, True, ordered=True)
    epochs = [next(batches.epoch(rng)) for _ in range(3)]
    for rows, others in pairwise(epochs):
        assert not np.array_equal(rows, others)
    for rows in epochs:
        assert_array_equal(np.sort(rows), np.arange(5, 15))
    as_they_are = Batches(slice(5, 15), 10, True)
    assert next(as_they_are.epoch(rng)) == slice(5, 15)


# -- Parameters ------------------------------------------------------------------------


def test_members_have_a_scale_and_an_output_layer_of_their_own():
    layout = ParamLayout((3, 4, 2, 1), input_scale=True, n_members=MEMBERS)
    shapes = layout.shapes
    assert shapes["weights"] == [(3, 4), (4, 2), (MEMBERS, 2, 1)]
    assert shapes["biases"] == [(4,), (2,), (MEMBERS, 1)]
    assert shapes["scales"] == [(MEMBERS, 3)]
    assert layout.n_weights == 3 * 4 + 4 * 2 + MEMBERS * 2
    one = ParamLayout((3, 4, 2, 1), input_scale=True)
    assert layout.size - one.size == (MEMBERS - 1) * (2 + 1 + 3)


def test_members_differ_at_the_start():
    network = Network(
        (50, 4, 1), (ACTIVATIONS["relu"],), input_scale=True, n_members=MEMBERS
    )
    groups = network.layout.groups(
        network.init_params(np.random.default_rng(0), np.dtype(float))
    )
    for own in (groups["weights"][-1], groups["scales"][0]):
        assert len({part.tobytes() for part in own}) == MEMBERS
    scale = groups["scales"][0]
    assert scale.mean() == pytest.approx(1.0, abs=0.2)
    assert scale.std() == pytest.approx(0.5, abs=0.1)


# -- Forward and backward --------------------------------------------------------------


@in_all_networks
@every_form
def test_an_answer_pools_those_of_single_networks(layer_norm, input_scale, sparse):
    objective, params = make_objective(
        hidden=(5, 4),
        layer_norm=layer_norm,
        input_scale=input_scale,
        n_members=MEMBERS,
        sparse=sparse,
    )
    network, X = objective.network, objective.X
    singles = [alone(network, params, member) for member in range(MEMBERS)]
    answers = [single.raw(X, own, 8) for single, own in singles]
    assert_allclose(network.raw(X, params, 3), np.mean(answers, axis=0), rtol=1e-12)
    largest = network.raw(X, params, 3, lambda raw: raw.max(axis=0))
    assert_allclose(largest, np.max(answers, axis=0), rtol=1e-12)
    weights = network.weights(params)
    for member, (single, own) in enumerate(singles):
        *others, last = single.weights(own)
        assert_allclose(weights[-1][member], last)
        first = weights[0][member] if input_scale else weights[0]
        assert_allclose(first, others[0])


@in_all_networks
@pytest.mark.parametrize("n_rows", [2, 8])
@every_form
def test_the_gradient_is_that_of_central_differences(
    layer_norm, input_scale, n_rows, sparse
):
    objective, params = make_objective(
        hidden=(5, 4),
        n_rows=n_rows,
        alpha=0.1,
        weighted=True,
        layer_norm=layer_norm,
        input_scale=input_scale,
        n_members=MEMBERS,
        sparse=sparse,
    )
    _, grad = value_and_gradient(objective, params)
    numerical = numerical_gradient(
        lambda p: value_and_gradient(objective, p)[0], params, 1e-4
    )
    assert relative_error(grad, numerical) < 1e-7


def test_in_training_each_member_answers_for_its_rows():
    objective, params = make_objective(
        input_scale=True, n_members=MEMBERS, weighted=True
    )
    value, grad = value_and_gradient(objective, params)
    rows = [share for _, share in deal(8, np.arange(MEMBERS))]
    losses = []
    for member, share in enumerate(rows):
        raw = objective.network.raw(
            objective.X[share], params, 8, lambda raw, m=member: raw[m]
        )
        gradient = np.empty_like(raw)
        losses.append(
            objective.loss.value_and_gradient(
                objective.y[share], raw, objective.weight[share], gradient
            )
        )
    assert value == pytest.approx(sum(losses) / 8, rel=1e-12)
    # A member without rows learns nothing from them.
    objective.value_and_gradient(params, grad, slice(0, 2))
    groups = objective.network.layout.groups(grad)
    for own in (groups["weights"][-1], groups["biases"][-1], groups["scales"][0]):
        learns = [bool(np.any(part)) for part in own]
        assert learns == [False, True, True]


@every_form
def test_a_value_without_training_deals_rows_out_too(sparse):
    objective, params = make_objective(
        loss=("log_loss", "multiclass"),
        input_scale=True,
        n_members=MEMBERS,
        sparse=sparse,
        weighted=True,
    )
    rows = np.array([5, 0, 3, 2, 7])
    expected = objective.value_and_gradient(params, np.empty_like(params), rows)
    assert objective.value(params, rows) == pytest.approx(expected, rel=1e-12)


# -- Pools -----------------------------------------------------------------------------

EVERY_LINK = {**LINKS, "softmax": SoftmaxLink()}
every_link = pytest.mark.parametrize("link", EVERY_LINK.values(), ids=EVERY_LINK)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
POOLED_LOSSES = {
    **{"-".join(case): make_loss(case) for case in LOSS_CASES},
    "quantiles": LOSSES["quantile"]["continuous"]((0.1, 0.5, 0.9)),
}
IDENTITY = {
    name: loss
    for name, loss in POOLED_LOSSES.items()
    if name.split("-")[-1] in ("continuous", "quantiles")
    and loss.link == LINKS["identity"]
}
POOLED_LOSSES |= {
    f"{name} through {link.name}": ThroughLink(loss, link)
    for name, loss in IDENTITY.items()
    for link in LINKS.values()
    if link != LINKS["identity"]
}
POOLED_LOSSES |= {
    f"{name} with gaps": IgnoringMissing(loss)
    for name, loss in POOLED_LOSSES.items()
    if isinstance(loss, ThroughLink) or name in IDENTITY
}
every_loss = pytest.mark.parametrize("loss", POOLED_LOSSES.values(), ids=POOLED_LOSSES)
EXTREME = [-1e6, -800.0, -90.0, -20.0, 0.0, 20.0, 90.0, 800.0, 1e6]


def scores(loss, dtype, n_members=4, n_rows=6):
    """Return scores of each member for three targets, or classes."""
    rng = np.random.default_rng(0)
    raw = rng.normal(scale=2.0, size=(n_members, n_rows, loss.n_outputs(3)))
    return raw.astype(dtype)


def tolerance(dtype):
    return {"rtol": 200 * np.finfo(dtype).eps, "atol": 50 * np.finfo(dtype).eps}


@every_link
@every_dtype
def test_pooled_scores_of_a_link_predict_the_mean(link, dtype):
    raw = np.random.default_rng(0).normal(scale=3.0, size=(4, 6, 3)).astype(dtype)
    pooled = link.pool(raw)
    assert pooled.dtype == dtype
    assert pooled.shape == (6, 3)
    mean = np.mean([link.inverse(member) for member in raw], axis=0)
    assert_allclose(link.inverse(pooled), mean, **tolerance(dtype))


@every_link
@every_dtype
def test_pooled_scores_are_finite_where_predictions_reach_an_end(link, dtype):
    raw = np.array([[EXTREME, EXTREME], [EXTREME, EXTREME[::-1]]], dtype)
    pooled = link.pool(raw)
    assert np.isfinite(pooled).all()
    mean = np.mean([link.inverse(member) for member in raw], axis=0)
    if link.name == "exp":  # what is clipped is the mean of two, not each of them
        ratio = link.inverse(pooled) / mean
        assert ((ratio > 0.99) & (ratio < 2.01)).all()
        return
    assert_allclose(link.inverse(pooled), mean, **tolerance(dtype))


@every_link
@every_dtype
def test_the_pool_of_one_is_itself(link, dtype):
    raw = np.linspace(-4.0, 4.0, 18).reshape(1, 6, 3).astype(dtype)
    difference = link.pool(raw) - raw[0]
    if link.sums_to_one:  # only differences of scores matter
        difference -= difference.mean(axis=1, keepdims=True)
    # The slope of tanh at 4 loses three digits.
    assert np.abs(difference).max() < 5e3 * np.finfo(dtype).eps


@every_loss
@every_dtype
def test_pooled_scores_of_a_loss_predict_the_mean(loss, dtype):
    raw = scores(loss, dtype)
    pooled = loss.pool(raw)
    assert pooled.dtype == dtype
    assert pooled.shape == raw.shape[1:]
    mean = np.mean([loss.predict(member) for member in raw], axis=0)
    assert_allclose(loss.predict(pooled), mean, **tolerance(dtype))
    alone = loss.pool(raw[:1])
    assert_allclose(loss.predict(alone), loss.predict(raw[0]), **tolerance(dtype))


@every_loss
@every_dtype
def test_pooled_scores_of_a_loss_are_finite(loss, dtype):
    rng = np.random.default_rng(0)
    raw = rng.choice(np.array(EXTREME, dtype), (4, 50, loss.n_outputs(3)))
    assert np.isfinite(loss.pool(raw)).all()


GAUSSIANS = {n: loss for n, loss in POOLED_LOSSES.items() if "gaussian" in n}


@pytest.mark.parametrize("loss", GAUSSIANS.values(), ids=GAUSSIANS)
@every_dtype
def test_a_pool_of_normal_distributions_has_the_moments_of_their_mixture(loss, dtype):
    raw = scores(loss, dtype)
    means = np.array([loss.predict(member) for member in raw])
    deviations = np.array([loss.predict_std(member) for member in raw])
    second = np.mean(means**2 + deviations**2, axis=0)
    expected = np.sqrt(second - means.mean(axis=0) ** 2)
    std = loss.predict_std(loss.pool(raw))
    assert_allclose(std, expected, rtol=1e-5 if dtype == np.float32 else 1e-12)


def test_probabilities_of_a_pool_keep_their_logarithms():
    # 800 units apart: the mean of 1 and e^-800 is 1/2, that of two e^-800 is e^-800.
    raw = np.array([[[800.0, 0.0, 0.0]], [[0.0, 800.0, 0.0]]])
    softmax = SoftmaxLink()
    log_p = softmax.log_inverse(softmax.pool(raw))
    assert_allclose(log_p, [[-np.log(2.0), -np.log(2.0), -800.0]])
    logistic = LINKS["logistic"]
    pooled = logistic.pool(np.full((2, 1, 1), -800.0))
    assert_allclose(logistic.log_inverse(pooled), -800.0)


def test_an_infinite_prediction_is_not_hidden():
    raw = np.full((2, 1, 1), np.inf)
    assert np.isinf(LINKS["identity"].pool(raw)).all()
    assert np.isinf(LINKS["softplus"].pool(raw)).all()


def test_a_link_of_a_user_needs_its_score_to_be_pooled():
    class Cubic(Link):
        name = "cubic"

        def inverse(self, raw):
            return raw**3

    class CubicWithScore(Cubic):
        def score(self, prediction):
            return np.cbrt(prediction)

    raw = np.array([[[1.0]], [[-2.0]]])
    with pytest.raises(NotImplementedError, match="has no score"):
        Cubic().pool(raw)
    assert_allclose(CubicWithScore().pool(raw), np.cbrt(-3.5))
    assert_allclose(ExpLink().pool(raw), np.log((np.e + np.e**-2) / 2.0))
