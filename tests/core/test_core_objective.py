import tracemalloc

import numpy as np
import pytest
from core_tools import (
    LOSS_CASES,
    SPARSE_FORMATS,
    all_rows,
    make_objective,
    numerical_gradient,
    relative_error,
    value_and_gradient,
)
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import check_grad

import skffnn.core.objective
import skffnn.core.vectors
from skffnn.core.activations import ACTIVATIONS, Activation
from skffnn.core.losses import LOSSES
from skffnn.core.network import Network
from skffnn.core.objective import Objective
from skffnn.core.penalty import Penalty

every_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
every_loss = pytest.mark.parametrize("loss", LOSS_CASES, ids="-".join)


def error_of_gradient(objective, params):
    _, exact = value_and_gradient(objective, params)
    estimate = numerical_gradient(lambda p: value_and_gradient(objective, p)[0], params)
    return relative_error(exact, estimate)


@every_activation
@every_loss
def test_gradient_agrees_with_central_differences(activation, loss):
    objective, params = make_objective(activation, loss, alpha=0.1)
    assert error_of_gradient(objective, params) < 1e-6


@every_activation
@every_loss
def test_gradient_with_weights_and_sparse_rows_agrees_too(activation, loss):
    objective, params = make_objective(
        activation, loss, alpha=0.1, weighted=True, sparse=SPARSE_FORMATS[0]
    )
    assert error_of_gradient(objective, params) < 1e-6


@every_loss
@pytest.mark.parametrize("hidden", [(), (3,), (4, 3, 2)], ids=str)
@pytest.mark.parametrize("n_rows", [1, 8])
@pytest.mark.parametrize("sparse", [None, SPARSE_FORMATS[0]])
def test_gradient_agrees_for_any_number_of_layers(loss, hidden, sparse, n_rows):
    objective, params = make_objective(
        "tanh", loss, hidden, n_rows, alpha=0.1, weighted=True, sparse=sparse
    )
    assert error_of_gradient(objective, params) < 1e-6


@every_loss
@pytest.mark.parametrize("sparse", [None, *SPARSE_FORMATS])
def test_scipy_finds_no_error_in_the_gradient(loss, sparse):
    objective, params = make_objective(
        "softplus", loss, alpha=0.1, weighted=True, sparse=sparse
    )
    error = check_grad(
        lambda p: value_and_gradient(objective, p)[0],
        lambda p: value_and_gradient(objective, p)[1],
        params,
    )
    # Forward differences: their error is of the size of the gradient.
    _, gradient = value_and_gradient(objective, params)
    assert error < 1e-6 * max(1.0, *map(np.linalg.norm, (params, gradient)))


@pytest.mark.parametrize("sparse", [None, *SPARSE_FORMATS])
@pytest.mark.parametrize("picked", [False, True])
@pytest.mark.parametrize("input_scale", [False, True])
def test_working_in_chunks_changes_nothing(monkeypatch, sparse, picked, input_scale):
    settings = {
        "alpha": 0.1,
        "weighted": True,
        "sparse": sparse,
        "input_scale": input_scale,
    }
    rows = np.array([7, 1, 2, 5, 0, 6, 3]) if picked else slice(0, 8)
    objective, params = make_objective(**settings)
    value, grad = value_and_gradient(objective, params, rows)
    monkeypatch.setattr(skffnn.core.objective, "CHUNK", 3)
    chunked, _ = make_objective(**settings)
    value_in_chunks, grad_in_chunks = value_and_gradient(chunked, params, rows)
    assert value_in_chunks == pytest.approx(value, rel=1e-14)
    assert_allclose(grad_in_chunks, grad, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("sparse", [None, *SPARSE_FORMATS])
def test_the_value_is_that_of_all_rows_however_few_a_step_sees(sparse):
    whole, params = make_objective(alpha=0.1, weighted=True, sparse=sparse)
    stochastic = Objective(
        whole.network, whole.loss, 0.1, whole.X, whole.y, whole.weight, max_rows=1
    )
    for rows in (slice(0, 8), np.array([7, 1, 2])):
        expected, _ = value_and_gradient(whole, params, rows)
        assert stochastic.value(params, rows) == pytest.approx(expected, rel=1e-14)
    value, _ = value_and_gradient(whole, params, slice(3, 4))
    assert value_and_gradient(stochastic, params, slice(3, 4))[0] == value


@pytest.mark.parametrize("weighted", [False, True])
def test_equal_batches_estimate_j_without_bias(weighted):
    objective, params = make_objective(alpha=0.1, weighted=weighted)
    batches = np.array([3, 0, 6, 1, 7, 2, 4, 5]).reshape(4, 2)
    estimates = [value_and_gradient(objective, params, rows) for rows in batches]
    value, grad = value_and_gradient(objective, params)
    assert np.mean([v for v, _ in estimates]) == pytest.approx(value, rel=1e-14)
    assert_allclose(np.mean([g for _, g in estimates], axis=0), grad, atol=1e-15)


@pytest.mark.parametrize(
    "rows", [slice(0, 20_000), np.arange(20_000)], ids=["slice", "numbers"]
)
def test_memory_does_not_grow_with_the_rows(rows):
    n_rows, width = 20_000, 50
    X, y = np.zeros((n_rows, 2)), np.zeros((n_rows, 1))
    network = Network((2, width, 1), (ACTIVATIONS["gelu"],))
    params = np.zeros(network.layout.size)
    tracemalloc.start()
    objective = Objective(
        network, LOSSES["squared_error"]["continuous"](), 0.0, X, y, None, n_rows
    )
    value_and_gradient(objective, params, rows)
    raw = network.raw(X, params, skffnn.core.objective.CHUNK)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    one_layer = n_rows * width * raw.itemsize
    assert peak < 0.5 * one_layer


def test_gradient_of_a_data_set_is_the_mean_over_its_rows():
    objective, params = make_objective()
    of_rows = [value_and_gradient(objective, params, slice(i, i + 1)) for i in range(8)]
    value, grad = value_and_gradient(objective, params)
    assert value == pytest.approx(np.mean([v for v, _ in of_rows]), rel=1e-14)
    assert_allclose(grad, np.mean([g for _, g in of_rows], axis=0), atol=1e-15)


def test_weight_two_is_the_row_twice():
    objective, params = make_objective()
    weight = np.array([2.0, 1, 1, 1, 1, 1, 1, 1])
    rows = np.r_[0, 0:8]
    weighted = Objective(
        objective.network,
        objective.loss,
        0.1,
        objective.X,
        objective.y,
        weight / weight.mean(),
        8,
    )
    doubled = Objective(
        objective.network,
        objective.loss,
        0.1,
        objective.X[rows],
        objective.y[rows],
        None,
        9,
    )
    value, grad = value_and_gradient(weighted, params)
    value_twice, grad_twice = value_and_gradient(doubled, params)
    assert value == pytest.approx(value_twice, rel=1e-14)
    assert_allclose(grad, grad_twice, rtol=1e-12, atol=1e-15)


def test_alpha_acts_on_weights_only():
    plain, params = make_objective()
    penalised, _ = make_objective(alpha=0.5)
    value, grad = value_and_gradient(plain, params)
    value_alpha, grad_alpha = value_and_gradient(penalised, params)
    layers = plain.network.layout.views(params)
    squares = sum((W**2).sum() for W, _ in layers)
    assert value_alpha - value == pytest.approx(0.25 * squares)
    added = plain.network.layout.views(grad_alpha - grad)
    for (dW, db), (W, _) in zip(added, layers, strict=True):
        assert_allclose(dW, 0.5 * W, rtol=1e-12, atol=1e-15)
        assert_array_equal(db, 0.0)


@pytest.mark.parametrize("sparse", [None, *SPARSE_FORMATS])
def test_a_slice_and_its_row_numbers_are_the_same_rows(sparse):
    objective, params = make_objective(alpha=0.1, weighted=True, sparse=sparse)
    value, grad = value_and_gradient(objective, params, slice(2, 6))
    value_picked, grad_picked = value_and_gradient(objective, params, np.arange(2, 6))
    assert value_picked == value
    assert_array_equal(grad_picked, grad)


@pytest.mark.parametrize("rows", [slice(0, 8), np.array([5, 0, 3])], ids=str)
def test_data_are_only_read(rows):
    objective, params = make_objective(alpha=0.1, weighted=True)
    arrays = objective.X, objective.y, objective.weight, params
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    value_and_gradient(objective, params, rows)
    for array, copy in zip(arrays, before, strict=True):  # BLAS knows no such flag
        assert_array_equal(array, copy)


@pytest.mark.parametrize("sparse", [None, *SPARSE_FORMATS])
def test_float32_is_the_rounded_float64(sparse):
    single, params = make_objective(
        alpha=0.1, weighted=True, dtype=np.float32, sparse=sparse
    )
    double, _ = make_objective(alpha=0.1, weighted=True)
    value, grad = value_and_gradient(single, params)
    exact, exact_grad = value_and_gradient(double, params.astype(float))
    assert grad.dtype == np.float32
    assert value == pytest.approx(exact, rel=1e-6)
    assert_allclose(grad, exact_grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rows", [slice(0, 8), np.array([5, 0, 3])], ids=str)
def test_the_value_alone_is_the_same_j(rows, monkeypatch):
    monkeypatch.setattr(skffnn.core.objective, "CHUNK", 3)
    objective, params = make_objective(alpha=0.1, weighted=True)
    value, _ = value_and_gradient(objective, params, rows)
    assert objective.value(params, rows) == pytest.approx(value, rel=1e-14)


MORE_PARAMS = [
    {},
    {"layer_norm": True},
    {"input_scale": True},
    {"layer_norm": True, "input_scale": True},
]


@pytest.mark.parametrize(("n_rows", "chunk"), [(1, 8), (2, 8), (8, 7), (8, 1)])
@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("more", MORE_PARAMS)
@pytest.mark.parametrize("sparse", [None, *SPARSE_FORMATS])
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_gradient_of_few_rows_or_of_pieces_agrees(
    monkeypatch, alpha, sparse, more, n_members, n_rows, chunk
):
    monkeypatch.setattr(skffnn.core.objective, "CHUNK", chunk)
    options = {"n_rows": n_rows, "n_members": n_members, "weighted": True, **more}
    objective, params = make_objective(alpha=alpha, sparse=sparse, **options)
    assert error_of_gradient(objective, params) < 1e-6


@pytest.mark.parametrize("chunk", [1, 3, 8])
@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("more", [{}, {"layer_norm": True, "input_scale": True}])
@pytest.mark.parametrize("sparse", [None, SPARSE_FORMATS[0]])
def test_what_was_evaluated_before_does_not_matter(
    monkeypatch, sparse, more, n_members, chunk
):
    monkeypatch.setattr(skffnn.core.objective, "CHUNK", chunk)
    options = {
        "alpha": 0.1,
        "hidden": (5, 4),
        "n_members": n_members,
        "sparse": sparse,
        **more,
    }
    objective, params = make_objective(**options)
    other, grads = params + 0.1, [np.empty_like(params) for _ in range(2)]
    calls = [
        (p, grad, slice(0, n_rows))
        for p in (params, other)
        for grad in (None, *grads)
        for n_rows in (8, 5, 3, 1)
    ]
    order = np.random.default_rng(0).permutation(np.tile(np.arange(len(calls)), 5))
    for p, grad, rows in (calls[number] for number in order):
        fresh, _ = make_objective(**options)
        if grad is None:
            assert objective.value(p, rows) == fresh.value(p, rows)
            continue
        value = objective.value_and_gradient(p, grad, rows)
        expected = np.empty_like(grad)
        assert value == fresh.value_and_gradient(p, expected, rows)
        assert_array_equal(grad, expected)


class Sine(Activation):
    keeps_z = True

    def forward(self, z, out):
        np.sin(z, out=out)

    def backward(self, z, a, delta):
        delta *= np.cos(z)


def test_an_activation_of_the_users_own_is_differentiated_like_the_others():
    objective, params = make_objective()
    network = Network(objective.network.layer_sizes, (Sine(), Sine()))
    own = Objective(network, objective.loss, 0.1, objective.X, objective.y, None, 8)
    assert error_of_gradient(own, params) < 1e-6


@pytest.mark.parametrize("block_bytes", [2**18, 8 * 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("sparse", [None, *SPARSE_FORMATS])
def test_the_elastic_net_and_its_gradient(sparse, l1_ratio, block_bytes, monkeypatch):
    monkeypatch.setattr(skffnn.core.vectors, "BLOCK_BYTES", block_bytes)
    objective, params = make_objective(alpha=0.3, sparse=sparse)
    mixed = Objective(
        objective.network,
        objective.loss,
        0.3,
        objective.X,
        objective.y,
        None,
        len(objective.y),
        l1_ratio,
    )
    free = make_objective(alpha=0.0)[0]
    W = params[: objective.network.layout.n_weights]
    penalty = 0.3 * ((1 - l1_ratio) / 2 * W @ W + l1_ratio * np.abs(W).sum())
    value, grad = value_and_gradient(mixed, params)
    assert value == pytest.approx(value_and_gradient(free, params)[0] + penalty)
    assert value == pytest.approx(mixed.value(params, all_rows(mixed)))
    estimate = numerical_gradient(
        lambda p: value_and_gradient(mixed, p)[0], params, 1e-4
    )
    np.testing.assert_allclose(grad, estimate, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("sparse", [None, *SPARSE_FORMATS])
def test_without_a_penalty_weights_may_be_too_large_to_square(sparse):
    objective, params = make_objective(alpha=0.0, sparse=sparse)
    params[0] = 1e200
    value, grad = value_and_gradient(objective, params)
    assert np.isfinite(value)
    assert np.isfinite(grad).all()


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_what_is_written_first_is_what_would_be_added(l1_ratio):
    w = np.random.default_rng(0).normal(size=9).astype(np.float32)
    added, written = np.zeros_like(w), np.full_like(w, np.nan)
    penalty = Penalty(np.float64(0.3), l1_ratio)  # not a number of Python's
    assert penalty.add_gradient(w, added) == penalty.write_gradient(w, written)
    assert_array_equal(written, added)


def test_no_penalty_has_no_gradient_even_at_infinity():
    w, grad = np.array([np.inf, 1.0]), np.full(2, np.nan)
    assert Penalty(0.0).write_gradient(w, grad) == 0.0
    assert_array_equal(grad, 0.0)


@pytest.mark.parametrize("sparse", [None, *SPARSE_FORMATS])
def test_a_weight_of_zero_is_not_pulled(sparse):
    free, params = make_objective(alpha=0.0, sparse=sparse)
    params[0] = 0.0
    penalized = Objective(
        free.network, free.loss, 0.3, free.X, free.y, None, len(free.y), l1_ratio=1.0
    )
    _, without = value_and_gradient(free, params)
    _, with_penalty = value_and_gradient(penalized, params)
    assert with_penalty[0] == without[0]
    pulled = (
        with_penalty[: free.network.layout.n_weights]
        != without[: free.network.layout.n_weights]
    )
    assert pulled[1:].all()
