"""What dropout leaves out, how often, and what that does to the gradient."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from core_tools import (
    all_rows,
    make_objective,
    make_state,
    numerical_gradient,
    relative_error,
    value_and_gradient,
)
from numpy.testing import assert_allclose, assert_array_equal

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.dropout import LEVELS, Dropout, Thinning
from skffnn.core.network import Network
from skffnn.core.objective import CHUNK
from skffnn.core.passes import NO_MASKS
from skffnn.core.schedules import SCHEDULES
from skffnn.core.typing import Mask

RELU = ACTIVATIONS["relu"]


def make_thinning(rates, hidden=(), max_rows=1000, seed=0, dtype=np.float64, **others):
    network = Network((3, *hidden, 1), (RELU,) * len(hidden))
    state = make_state(np.empty(network.layout.size, dtype))
    state.mask_rng = np.random.default_rng(seed)
    return Thinning(Dropout(rates, **others), network, state, 100, max_rows)


def fixed(masks):
    """Return what leaves out the same in every pass."""

    def thin(X):
        n_rows = X.shape[0]
        return X, {
            layer: Mask(*(part[:n_rows] for part in masks[layer])) for layer in masks
        }

    return thin


def draw_masks(objective, rate=0.4):
    rng = np.random.default_rng(3)
    shapes = [(len(objective.y), w) for w in objective.network.layer_sizes[1:-1]]
    factors = [(rng.random(shape) >= rate) / (1.0 - rate) for shape in shapes]
    return {layer: Mask(f, np.empty_like(f)) for layer, f in enumerate(factors)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "rates", [(0.0, 0.15, 0.15), (0.0, 0.3, 0.05), (0.0, 0.0, 0.5)]
)
def test_units_are_left_out_as_often_as_asked_and_the_mean_is_kept(rates, dtype):
    thin = make_thinning(rates, (40, 70), 500, dtype=dtype)
    _, masks = thin(np.ones((500, 3)))
    assert set(masks) == {layer for layer in (0, 1) if rates[layer + 1]}
    for layer, mask in masks.items():
        rate, n = rates[layer + 1], mask.factor.size
        assert mask.factor.shape == (500, (40, 70)[layer])
        assert mask.factor.dtype == dtype
        # Five standard deviations of a binomial, and the step between two rates.
        slack = 5.0 * np.sqrt(rate * (1.0 - rate) / n)
        left_out = (mask.factor == 0.0).mean()
        assert left_out == pytest.approx(rate, abs=slack + 1.0 / LEVELS)
        assert mask.factor.mean() == pytest.approx(1.0, abs=slack / (1.0 - rate))
        # What is kept is divided by one of the shares next to the one asked for.
        share = 1.0 / mask.factor.max()
        assert set(mask.factor.ravel().tolist()) == {0.0, mask.factor.max()}
        assert abs(share - (1.0 - rate)) < 1.0 / LEVELS
        assert share * LEVELS == pytest.approx(round(share * LEVELS), rel=1e-6)


@pytest.mark.parametrize("rate", [0.0005, 0.15, 0.5, 0.9])
def test_the_rates_of_the_passes_have_the_mean_that_was_asked_for(rate):
    thin, n_passes = make_thinning((0.0, rate), (10,), 1), 4000
    shares = []
    for _ in range(n_passes):
        ((factor, _),) = thin(np.ones((1, 3)))[1].values()
        if factor.any():  # and so shows by what it was divided
            shares.append(1.0 / factor.max())
    slack = 5.0 * 0.5 / LEVELS / np.sqrt(n_passes)
    assert np.mean(shares) == pytest.approx(1.0 - rate, abs=slack)


def test_units_are_left_out_independently():
    _, masks = make_thinning((0.0, 0.5, 0.5), (20, 20), 4000)(np.ones((4000, 3)))
    left_out = np.hstack([mask.factor for mask in masks.values()]) == 0.0
    correlation = np.corrcoef(left_out.T) - np.eye(40)
    assert abs(correlation).max() < 6.0 / np.sqrt(4000)
    between_rows = np.corrcoef(left_out[:-1].ravel(), left_out[1:].ravel())[0, 1]
    assert abs(between_rows) < 6.0 / np.sqrt(left_out.size)


def test_of_a_rate_close_to_one_something_is_left():
    thin = make_thinning((0.0, 0.9995), (40,), 500)
    factor = thin(np.ones((500, 3)))[1][0].factor
    assert set(factor.ravel().tolist()) == {0.0, float(LEVELS)}


def test_every_pass_draws_anew():
    thin = make_thinning((0.0, 0.5), (50,), 10)
    first, second = (thin(np.ones((10, 3)))[1][0].factor.copy() for _ in range(2))
    assert not np.array_equal(first, second)
    again = make_thinning((0.0, 0.5), (50,), 10)
    assert_array_equal(again(np.ones((10, 3)))[1][0].factor, first)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, sp.csr_matrix])
def test_features_are_left_out_of_a_copy(form):
    dense = np.arange(1.0, 3001.0).reshape(1000, 3)
    dense[::2, 1] = 0.0
    X = form(dense.copy())
    thinned, masks = make_thinning((0.25,))(X)
    assert masks == NO_MASKS
    assert type(thinned) is type(X)
    if form is not np.asarray:
        assert thinned.nnz == X.nnz  # entries are left out, the structure is kept
        thinned, X = thinned.toarray(), X.toarray()
    assert_array_equal(X, dense)
    kept = thinned != 0.0
    assert_allclose(thinned[kept], X[kept] / 0.75)
    share = kept.sum() / np.count_nonzero(dense)
    assert share == pytest.approx(0.75, abs=5 * np.sqrt(0.25 * 0.75 / 2500))


def test_the_schedule_is_a_factor_on_the_rates():
    thin = make_thinning((0.0, 0.8), (1000,), 10, schedule=SCHEDULES["linear"]())
    X, shares = np.ones((10, 3)), []
    for thin._state.step in (0, 50, 75):
        shares.append((thin(X)[1][0].factor == 0.0).mean())
    assert_allclose(shares, (0.8, 0.4, 0.2), atol=0.025)
    stream = thin._state.mask_rng.bit_generator.state
    thin._state.step = 100
    assert thin(X) == (X, NO_MASKS)
    assert thin._state.mask_rng.bit_generator.state == stream


@pytest.mark.parametrize("factor", [-0.1, 1.1, float("nan")])
def test_a_factor_that_is_no_share_is_refused(factor):
    thin = make_thinning((0.0, 0.5), (5,), 2, schedule=lambda *_: factor)
    with pytest.raises(ValueError, match=r"factor in \[0, 1\]"):
        thin(np.ones((2, 3)))


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_with_fixed_masks_is_that_of_central_differences(
    activation, layer_norm
):
    objective, params = make_objective(
        activation, hidden=(5, 4), alpha=0.1, weighted=True, layer_norm=layer_norm
    )
    thin = fixed(draw_masks(objective))
    grad, scratch = np.empty_like(params), np.empty_like(params)
    rows = all_rows(objective)
    objective.value_and_gradient(params, grad, rows, thin)
    numerical = numerical_gradient(
        lambda p: objective.value_and_gradient(p, scratch, rows, thin), params, 1e-4
    )
    assert relative_error(grad, numerical) < 1e-7


def test_a_unit_left_out_of_all_rows_has_no_gradient():
    objective, params = make_objective(hidden=(5, 4))
    masks = draw_masks(objective)
    masks[0].factor[:, 2] = 0.0
    grad = np.empty_like(params)
    objective.value_and_gradient(params, grad, all_rows(objective), fixed(masks))
    (W1, b1), (W2, b2), _ = objective.network.layout.views(grad)
    for part in (W1[:, 2], b1[2], W2[2]):
        assert_array_equal(part, 0.0)
    assert np.abs(W1).max() > 0.0
    assert np.abs(b2).max() > 0.0


def test_masks_of_ones_change_nothing():
    objective, params = make_objective(hidden=(5, 4))
    value, grad = value_and_gradient(objective, params)
    shapes = [(len(objective.y), width) for width in (5, 4)]
    ones = {layer: Mask(np.ones(s), np.empty(s)) for layer, s in enumerate(shapes)}
    masked = np.empty_like(grad)
    assert value == objective.value_and_gradient(
        params, masked, all_rows(objective), fixed(ones)
    )
    assert_array_equal(masked, grad)


@pytest.mark.parametrize("sparse", [None, sp.csr_array])
def test_the_pieces_of_a_large_batch_have_masks_of_their_own(sparse):
    n_rows = CHUNK + 100
    objective, params = make_objective(
        hidden=(5, 4), n_rows=n_rows, weighted=True, sparse=sparse
    )

    def evaluate(*parts):
        state = SimpleNamespace(
            params=params, step=0, mask_rng=np.random.default_rng(5)
        )
        dropout = Dropout((0.1, 0.4, 0.3))
        thin = Thinning(dropout, objective.network, state, 1, CHUNK)
        total = np.zeros(len(params) + 1)
        for part in parts:
            grad = np.empty_like(params)
            value = objective.value_and_gradient(params, grad, part, thin)
            total += np.append(grad, value) * (part.stop - part.start) / n_rows
        return total

    at_once = evaluate(slice(0, n_rows))
    assert_allclose(at_once, evaluate(slice(0, CHUNK), slice(CHUNK, n_rows)), rtol=1e-9)
    assert not np.allclose(at_once[-1], value_and_gradient(objective, params)[0])


def test_on_average_a_linear_network_with_dropout_is_the_one_without():
    objective, params = make_objective("identity", hidden=(6, 5), n_rows=4)
    network, rows = objective.network, all_rows(objective)
    through = network.bind(params, None, network.buffers(4, params.dtype))
    plain = through.forward(objective.X).copy()
    state = SimpleNamespace(params=params, step=0, mask_rng=np.random.default_rng(0))
    thin = Thinning(Dropout((0.2, 0.3, 0.3)), objective.network, state, 1, 4)
    draws = []
    for _ in range(4000):
        X, masks = thin(objective.X[rows])
        draws.append(through.forward(X, masks).copy())
    error = np.std(draws, axis=0) / np.sqrt(len(draws))
    assert (np.abs(np.mean(draws, axis=0) - plain) < 5.0 * error).all()
