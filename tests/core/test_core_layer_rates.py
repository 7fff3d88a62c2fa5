"""Layer rates: each layer's parameters have a factor on the learning rate."""

import numpy as np
import pytest
from core_tools import FIRST_ORDER, make_objective, make_plan, make_state, run
from numpy.testing import assert_allclose, assert_array_equal

from skffnn.core.batches import Batches
from skffnn.core.layer_rates import LAYER_RATES, LayerRates
from skffnn.core.layout import ParamLayout
from skffnn.core.optimizers import OPTIMIZERS
from skffnn.core.rates import Piecewise
from skffnn.core.schedules import Linear

GRADIENTS = np.random.default_rng(0).normal(size=(5, 4))
START = np.array([1.0, -2.0, 0.5, 3.0])
every_first_order = pytest.mark.parametrize("name", FIRST_ORDER)


def walk(name, rate, dtype=np.float64):
    optimizer = OPTIMIZERS[name]()
    params = START.astype(dtype)
    state = optimizer.init(len(params), 2, params.dtype)
    for value, grad in enumerate(GRADIENTS.astype(dtype)):
        optimizer.step(params, grad.copy(), state, rate, 10.0 - value)
    assert params.dtype == dtype
    return params


@every_first_order
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_rate_of_a_stretch_is_what_that_rate_for_all_gives_it(name, dtype):
    rates = Piecewise((1, 3, 4), (0.1, 0.02, 0.3))
    together = walk(name, rates, dtype)
    alone = [walk(name, rate, dtype)[i] for i, rate in enumerate(np.asarray(rates))]
    assert_allclose(together, alone, rtol=1e-12 if dtype == np.float64 else 1e-5)


@pytest.mark.parametrize("rule", LAYER_RATES.values(), ids=LAYER_RATES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_rate_is_positive_and_keeps_the_dtype_of_the_parameters(rule, dtype):
    layout = ParamLayout((3, 4, 2), True, True)
    rate = rule.rate(layout)
    assert np.all(np.asarray(rate) > 0.0)
    product = 0.5 * -rate * np.ones(layout.size, dtype)
    assert product.dtype == dtype
    assert product.shape == (layout.size,)


def test_a_rate_by_layer_stands_for_a_vector():
    rate = Piecewise((2, 5), (1.0, 3.0))
    vector = np.array([1.0, 1.0, 3.0, 3.0, 3.0])
    grad = np.arange(5.0)
    assert_array_equal(rate, vector)
    for product in (rate * grad, grad * rate):
        assert_array_equal(product, vector * grad)
    assert np.float64(2.0) * rate == rate * np.float64(2.0) == 2.0 * rate
    assert_array_equal(rate / grad[1:2], vector / grad[1:2])
    assert 2.0 * rate == rate * 2.0 == rate / 0.5 == Piecewise((2, 5), (2.0, 6.0))
    assert -rate == Piecewise((2, 5), (-1.0, -3.0))


class Given(LayerRates):
    def __init__(self, **factors):
        self.given = factors

    def factors(self, layout):
        return self.given


def test_a_schedule_may_answer_with_a_number_of_numpy():
    objective, params = make_objective()
    rule = Given(weights=[1.0, 1.0, 0.0])
    one, other = (
        trained(objective, params, "adam", layer_rates=rule, schedule=schedule)
        for schedule in (Linear(final=0.5), Linear(final=np.float64(0.5)))
    )
    assert_array_equal(one, other)


def test_neighbours_with_the_same_factor_are_one_stretch():
    layout = ParamLayout((3, 4, 2))
    assert Given().rate(layout) == 1.0
    assert Given(weights=[0.5, 0.5], biases=[0.5, 0.5]).rate(layout) == 0.5
    frozen = Given(weights=[0.0, 1.0], biases=[0.0, 1.0]).rate(layout)
    assert frozen == Piecewise((12, 20, 24, 26), (0.0, 1.0, 0.0, 1.0))


@pytest.mark.parametrize(
    "factors", [[1.0], [1.0, -0.1], [1.0, np.nan], [np.inf, 1.0], 0.5, ["a", "b"], None]
)
def test_factors_that_cannot_be_are_named(factors):
    with pytest.raises(ValueError, match=r"2 numbers .* for the 'weights', got"):
        Given(weights=factors).rate(ParamLayout((3, 4, 2)))


def test_kinds_that_there_are_not_are_named():
    with pytest.raises(ValueError, match=r"keys of \['weights', .* got \{'weight': 0"):
        Given(weight=0.0).rate(ParamLayout((3, 4, 2)))


@every_first_order
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_factor_of_zero_freezes(name, dtype):
    params = walk(name, Piecewise((2, 4), (0.0, 0.1)), dtype)
    assert_array_equal(params[:2], START[:2].astype(dtype))
    assert (params[2:] != START[2:]).all()


def test_weights_of_256_inputs_learn_at_the_rate_and_others_by_the_root():
    layout = ParamLayout((256, 64, 4), input_scale=True)
    groups = layout.groups(np.asarray(LAYER_RATES["fan_in"].rate(layout)))
    assert [set(W.ravel()) for W in groups["weights"]] == [{1.0}, {2.0}]
    assert [set(b) for b in groups["biases"]] == [{1.6}, {1.6}]
    assert set(groups["scales"][0].ravel()) == {6.0}


def trained(objective, params, optimizer, **changes):
    state = make_state(params)
    run(objective, make_plan(objective, optimizer, **changes), state)
    return state.params


def test_a_step_of_sgd_is_the_gradient_times_rate_and_factor():
    objective, params = make_objective(input_scale=True)
    grad = np.empty_like(params)
    objective.value_and_gradient(params, grad, slice(0, 8))
    after = trained(
        objective,
        params,
        OPTIMIZERS["sgd"](momentum=0.0),
        batches=Batches(slice(0, 8), 8, False),
        max_epochs=1,
        layer_rates=LAYER_RATES["fan_in"],
    )
    factors = LAYER_RATES["fan_in"].rate(objective.network.layout)
    assert_allclose(after, params - 0.01 * factors * grad, rtol=1e-12)


def test_equal_rates_change_nothing():
    objective, params = make_objective()
    equal = trained(objective, params, "adam", layer_rates=LAYER_RATES["equal"])
    adam, expected, grad = OPTIMIZERS["adam"](), params.copy(), np.empty_like(params)
    layout = objective.network.layout
    state = adam.init(layout.size, layout.n_weights, params.dtype)
    for start in [0, 2, 4, 6] * 10:
        value = objective.value_and_gradient(expected, grad, slice(start, start + 2))
        adam.step(expected, grad, state, 0.01, value)
    assert_array_equal(equal, expected)
