import gc
import weakref

import numpy as np
import pytest
from core_tools import SPARSE_FORMATS, make_objective
from numpy.testing import assert_allclose, assert_array_equal

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.layout import ParamLayout
from skffnn.core.network import Network
from skffnn.core.passes import first_rows

SIZES = [(3, 1), (2, 4, 1), (5, 1, 3, 2)]

# By the sources of each activation; those that are not named follow He et al.
FAMILY = {"identity": "glorot", "logistic": "glorot", "tanh": "glorot", "selu": "lecun"}
VARIANCE = {
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he": lambda fan_in, _: 2 / fan_in,
    "lecun": lambda fan_in, _: 1 / fan_in,
}
every_size = pytest.mark.parametrize("sizes", SIZES, ids=str)


def initial(activation, sizes, seed=0, dtype=np.float64):
    functions = (ACTIVATIONS[activation],) * (len(sizes) - 2)
    network = Network(sizes, functions)
    params = network.init_params(np.random.default_rng(seed), np.dtype(dtype))
    return params, network.layout.views(params)


@every_size
def test_views_cover_the_vector_once_weights_first(sizes):
    layout = ParamLayout(sizes)
    flat = np.arange(layout.size)
    layers = layout.views(flat)
    weights, biases = [W.ravel() for W, _ in layers], [b for _, b in layers]
    assert_array_equal(np.concatenate(weights + biases), flat)
    assert layout.n_weights == sum(len(W) for W in weights)


@every_size
def test_views_have_the_shapes_of_the_layers_and_write_through(sizes):
    layout = ParamLayout(sizes)
    flat = np.zeros(layout.size)
    for (W, b), fan_in, fan_out in zip(
        layout.views(flat), sizes[:-1], sizes[1:], strict=True
    ):
        assert W.shape == (fan_in, fan_out)
        assert b.shape == (fan_out,)
        W += 1.0
        b += 1.0
    assert_array_equal(flat, 1.0)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_weights_start_with_the_variance_their_activation_asks_for(activation):
    _, layers = initial(activation, (300, 200, 100))
    families = (FAMILY.get(activation, "he"), "glorot")
    for (W, b), family in zip(layers, families, strict=True):
        variance = VARIANCE[family](*W.shape)
        assert W.var() == pytest.approx(variance, rel=0.03)
        assert abs(W.mean()) < 0.02 * np.sqrt(variance)
        bound = np.sqrt(3 * variance)
        assert 0.999 * bound < np.abs(W).max() <= bound
        assert_array_equal(b, 0.0)


def test_the_start_depends_on_seed_and_shapes_only():
    params, _ = initial("tanh", (4, 3, 2), seed=5)
    assert_array_equal(initial("tanh", (4, 3, 2), seed=5)[0], params)
    assert not np.array_equal(initial("tanh", (4, 3, 2), seed=6)[0], params)
    _, tanh = initial("tanh", (4, 3, 2), seed=5)
    _, relu = initial("relu", (4, 3, 2), seed=5)
    assert_allclose(np.ptp(relu[0][0] / tanh[0][0]), 0.0, atol=1e-12)
    assert_array_equal(relu[1][0], tanh[1][0])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float32_starts_where_float64_does_rounded(activation):
    double, _ = initial(activation, (4, 3, 2))
    single, _ = initial(activation, (4, 3, 2), dtype=np.float32)
    assert single.dtype == np.float32
    assert_array_equal(single, double.astype(np.float32))


@pytest.mark.parametrize("sparse", SPARSE_FORMATS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_rows_give_what_dense_rows_give(sparse, dtype):
    dense, params = make_objective(dtype=dtype)
    network, X = dense.network, dense.X
    results = []
    for rows in (X, sparse(X)):
        grad = np.zeros_like(params)  # what sparse rows add to
        through = network.bind(params, grad, network.buffers(len(X), params.dtype))
        raw = through.forward(rows).copy()
        through.delta[...] = raw
        through.backward(rows)
        results.append((raw, grad))
    rtol = 1e-5 if dtype == np.float32 else 1e-12
    for of_dense, of_sparse in zip(*results, strict=True):
        assert of_sparse.dtype == dtype
        assert_allclose(of_sparse, of_dense, rtol=rtol, atol=rtol / 10)


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_buffers_of_fewer_rows_are_the_same_memory(activation):
    network = Network((3, 4, 2), (ACTIVATIONS[activation],))
    buffers = network.buffers(8, np.dtype(float))
    cut = first_rows(buffers, 5)
    assert len(cut) == len(buffers) == 2
    for layer, part in zip(buffers, cut, strict=True):
        for whole, array in zip(layer, part, strict=True):
            assert len(array) == 5
            assert np.shares_memory(whole[:5], array)
            assert not np.shares_memory(whole[5:], array)
        assert (part[1] is part[0]) == (layer[1] is layer[0])


def test_to_predict_there_is_no_delta():
    network = Network((3, 4, 2), (ACTIVATIONS["tanh"],))
    buffers = network.buffers(8, np.dtype(float), to_predict=True)
    assert [delta for _, _, delta in first_rows(buffers, 5)] == [None, None]


@pytest.mark.parametrize("options", [{}, {"layer_norm": True, "input_scale": True}])
@pytest.mark.parametrize("n_members", [1, 2])
def test_buffers_of_a_pass_are_freed_at_once(n_members, options):
    functions = (ACTIVATIONS["tanh"],)
    network = Network((3, 4, 2), functions, n_members=n_members, **options)
    params = np.zeros(network.layout.size)
    buffers = network.buffers(8, params.dtype)
    passes = [
        network.bind(params, np.empty_like(params), first_rows(buffers, n_rows))
        for n_rows in (8, 5)
    ]
    buffer = weakref.ref(buffers[0][0])
    gc.disable()
    try:
        del buffers, passes
        assert buffer() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("options", [{}, {"layer_norm": True, "input_scale": True}])
@pytest.mark.parametrize("n_members", [1, 2])
def test_a_pass_sees_the_parameters_as_they_are(n_members, options):
    functions = (ACTIVATIONS["tanh"],)
    network = Network((3, 4, 2), functions, n_members=n_members, **options)
    rng = np.random.default_rng(0)
    params = rng.normal(size=network.layout.size)
    X, delta = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))

    def both_ways(through, grad):
        grad[: through.n_added(is_sparse=False)] = 0.0
        raw = through.forward(X).copy()
        through.delta[...] = delta
        through.backward(X)
        return raw, grad

    grad, buffers = np.empty_like(params), network.buffers(8, params.dtype)
    through = network.bind(params, grad, buffers)
    both_ways(through, grad)
    params[...] = rng.normal(size=params.shape)
    again = both_ways(through, grad)
    other = np.empty_like(params)
    buffers = network.buffers(8, params.dtype)
    anew = both_ways(network.bind(params, other, buffers), other)
    for one, two in zip(again, anew, strict=True):
        assert_array_equal(one, two)


@pytest.mark.parametrize("max_rows", [1, 3, 8, 100])
@pytest.mark.parametrize("sparse", [np.asarray, *SPARSE_FORMATS])
def test_raw_does_not_depend_on_how_the_rows_are_cut(max_rows, sparse):
    objective, params = make_objective("gelu")
    network = objective.network
    through = network.bind(params, None, network.buffers(8, params.dtype))
    at_once = through.forward(objective.X)
    raw = network.raw(sparse(objective.X), params, max_rows)
    assert raw.shape == (8, 3)
    assert_allclose(raw, at_once, rtol=1e-13, atol=1e-15)


def test_raw_is_a_new_array_each_time():
    objective, params = make_objective()
    first = objective.network.raw(objective.X, params, 8)
    kept = first.copy()
    objective.network.raw(2.0 * objective.X, params, 8)
    assert_array_equal(first, kept)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_backward_knows_all_deltas_before_any_weight_changes(activation):
    objective, params = make_objective(activation)
    before = params.copy()
    params.flags.writeable = False
    network = objective.network
    buffers = network.buffers(8, params.dtype)
    through = network.bind(params, np.empty_like(params), buffers)
    through.delta[...] = through.forward(objective.X)
    through.backward(objective.X)
    assert_array_equal(params, before)


def test_without_hidden_layers_the_network_is_linear():
    rng = np.random.default_rng(0)
    X, W, b = rng.normal(size=(5, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    raw = Network((3, 2), ()).raw(X, np.concatenate([W.ravel(), b]), 5)
    assert_allclose(raw, X @ W + b, rtol=1e-14)


def test_networks_are_equal_if_their_descriptions_are():
    tanh, relu = ACTIVATIONS["tanh"], ACTIVATIONS["relu"]
    assert Network((2, 3, 1), (tanh,)) == Network((2, 3, 1), (tanh,))
    assert Network((2, 3, 1), (tanh,)) != Network((2, 3, 1), (relu,))
    assert Network((2, 3, 1), (tanh,)) != Network((2, 4, 1), (tanh,))


def test_fewer_rows_than_members_may_pass_at_a_time():
    network = Network((3, 4, 2), (ACTIVATIONS["tanh"],), n_members=5)
    rng = np.random.default_rng(0)
    params, X = network.init_params(rng, np.float64), rng.standard_normal((7, 3))
    assert_allclose(network.raw(X, params, 3), network.raw(X, params, 100), rtol=1e-12)


def test_scales_of_members_start_half_a_deviation_about_one():
    network = Network(
        (2000, 2, 1), (ACTIVATIONS["tanh"],), input_scale=True, n_members=4
    )
    params = network.init_params(np.random.default_rng(0), np.float64)
    (scales,) = network.layout.groups(params)["scales"]
    assert scales.mean() == pytest.approx(1.0, abs=0.02)
    assert scales.std() == pytest.approx(0.5, abs=0.02)
