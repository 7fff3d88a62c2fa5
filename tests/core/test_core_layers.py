"""Layer normalisation and feature scales: their equations and gradients."""

import numpy as np
import pytest
from core_tools import (
    SPARSE_FORMATS,
    make_objective,
    numerical_gradient,
    relative_error,
    value_and_gradient,
)
from numpy.testing import assert_allclose, assert_array_equal

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.layout import ParamLayout

FORMS = [None, *SPARSE_FORMATS]


def normalized(h, epsilon=1e-5):
    """Ba, Kiros and Hinton (2016), eq. 3, with torch's epsilon."""
    mean, variance = h.mean(axis=1, keepdims=True), h.var(axis=1, keepdims=True)
    return (h - mean) / np.sqrt(variance + epsilon)


def test_gains_and_scales_lie_behind_weights_and_biases():
    layout = ParamLayout((3, 4, 2, 1), layer_norm=True, input_scale=True)
    flat = np.arange(layout.size)
    groups = layout.groups(flat)
    assert list(groups) == ["weights", "biases", "gains", "scales"]
    assert_array_equal(
        np.concatenate([part.ravel() for kind in groups.values() for part in kind]),
        flat,
    )
    assert [gain.shape for gain in groups["gains"]] == [(4,), (2,)]
    assert [scale.shape for scale in groups["scales"]] == [(1, 3)]
    assert layout.n_weights == 3 * 4 + 4 * 2 + 2
    layers = layout.views(flat)
    assert [len(layer) for layer in layers] == [4, 3, 2]
    assert all(array.base is flat for layer in layers for array in layer[2:])


@pytest.mark.parametrize(("option", "n_ones"), [("layer_norm", 9), ("input_scale", 3)])
def test_training_starts_from_the_same_weights_and_factors_of_one(option, n_ones):
    start, other = (
        make_objective(hidden=(5, 4), **{option: value})[0].network
        for value in (False, True)
    )
    rng = np.random.default_rng
    plain = start.init_params(rng(0), np.dtype(float))
    params = other.init_params(rng(0), np.dtype(float))
    assert_array_equal(params, np.append(plain, np.ones(n_ones)))


@pytest.mark.parametrize("sparse", FORMS)
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_forward_is_the_equation(activation, sparse):
    objective, params = make_objective(
        activation, hidden=(5, 4), layer_norm=True, sparse=sparse
    )
    a = objective.X if sparse is None else objective.X.toarray()
    *hidden, (W, b) = objective.network.layout.views(params)
    for W_hidden, b_hidden, gain in hidden:
        a = gain * normalized(a @ W_hidden) + b_hidden
        ACTIVATIONS[activation].forward(a.copy(), a)
    assert_allclose(objective.network.raw(objective.X, params, 3), a @ W + b)


@pytest.mark.parametrize("sparse", FORMS)
@pytest.mark.parametrize("hidden", [(), (5, 4)], ids=str)
@pytest.mark.parametrize("layer_norm", [False, True])
def test_scaled_features_are_features_times_their_scale(layer_norm, hidden, sparse):
    objective, params = make_objective(
        hidden=hidden, layer_norm=layer_norm, input_scale=True, sparse=sparse
    )
    plain, _ = make_objective(hidden=hidden, layer_norm=layer_norm)
    scale = params[-3:]
    X = plain.X * scale
    expected = plain.network.raw(X, params[:-3], 8)
    assert_allclose(objective.network.raw(objective.X, params, 8), expected)
    W = objective.network.weights(params)[0]
    assert_allclose(W, plain.network.weights(params[:-3])[0] * scale[:, None])


@pytest.mark.parametrize("input_scale", [False, True])
@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("sparse", FORMS)
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "identity"])
def test_the_gradient_is_that_of_central_differences(
    activation, sparse, layer_norm, input_scale
):
    objective, params = make_objective(
        activation,
        hidden=(5, 4),
        alpha=0.1,
        weighted=True,
        layer_norm=layer_norm,
        input_scale=input_scale,
        sparse=sparse,
    )
    _, grad = value_and_gradient(objective, params)
    numerical = numerical_gradient(
        lambda p: value_and_gradient(objective, p)[0], params, 1e-4
    )
    assert relative_error(grad, numerical) < 1e-7


def test_the_penalty_leaves_gains_alone():
    (plain, params), (penalised, _) = (
        make_objective(hidden=(5,), layer_norm=True, alpha=alpha)
        for alpha in (0.0, 1.0)
    )
    value, grad = value_and_gradient(plain, params)
    with_penalty, grad_of_both = value_and_gradient(penalised, params)
    added = plain.network.layout.groups(grad_of_both - grad)
    assert_array_equal(added["gains"][0], 0.0)
    assert with_penalty > value


def test_scale_of_the_weights_below_does_not_matter():
    objective, params = make_objective(hidden=(40,), layer_norm=True)
    W = objective.network.layout.views(params)[0][0]
    W *= 1000.0  # epsilon can tell, the less the larger the variance is
    expected = objective.network.raw(objective.X, params, 8)
    W *= 1000.0
    scaled = objective.network.raw(objective.X, params, 8)
    assert_allclose(scaled, expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_has_the_same_answer_in_any_batch(dtype):
    objective, params = make_objective(hidden=(50, 30), layer_norm=True, dtype=dtype)
    X, raw = objective.X, objective.network.raw
    together = raw(X, params, 8)
    assert together.dtype == dtype
    one_by_one = np.vstack([raw(X[i : i + 1], params, 8) for i in range(8)])
    rtol = 1e-12 if dtype == np.float64 else 1e-4
    assert_allclose(one_by_one, together, rtol=rtol, atol=rtol)
    assert_allclose(raw(X[::-1], params, 8)[::-1], together, rtol=rtol, atol=rtol)
