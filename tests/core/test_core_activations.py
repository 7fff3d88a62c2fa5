import pickle
from dataclasses import fields

import numpy as np
import pytest
from core_tools import slope
from scipy.integrate import quad
from scipy.special import erfc, expit
from scipy.stats import norm

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.network import Network

# Klambauer et al. (2017), eq. 14, in closed form.
SELU_ALPHA = -np.sqrt(2 / np.pi) / (erfc(1 / np.sqrt(2)) * np.exp(0.5) - 1)
SELU_SCALE = 1.0507009873554805

CLOSED_FORMS = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "selu": lambda z: (
        SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0)))
    ),
    "gelu": lambda z: z * norm.cdf(z),
    "silu": lambda z: z * expit(z),
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)),
    "softplus": lambda z: np.logaddexp(0, z),
}
WIDE = np.concatenate([-np.logspace(3, -6, 200), [0.0], np.logspace(-6, 3, 200)])
HYPERPARAMETERS = [
    (n, field.name) for n, f in ACTIVATIONS.items() for field in fields(f)
]

every_activation = pytest.mark.parametrize("name", ACTIVATIONS)


@pytest.fixture(autouse=True)
def numpy_raises():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        yield


def apply(name, z):
    out = np.full_like(z, np.nan)
    ACTIVATIONS[name].forward(z.copy(), out)
    return out


def multiply_by_derivative(name, z, delta):
    """Hand over the buffers as `Pass.backward` does."""
    f = ACTIVATIONS[name]
    z = z.copy()
    a = np.full_like(z, np.nan) if f.keeps_z else z
    f.forward(z, a)
    delta = delta.copy()
    f.backward(z, a, delta)
    return delta


@every_activation
def test_value_is_the_closed_form(name):
    a = apply(name, WIDE)
    np.testing.assert_allclose(a, CLOSED_FORMS[name](WIDE), rtol=1e-13, atol=1e-14)


@every_activation
def test_derivative_agrees_with_central_differences(name):
    z = np.linspace(-4.0, 4.0, 100)
    assert np.abs(z).min() > 0.01, "kinks are at zero"
    exact = multiply_by_derivative(name, z, np.ones_like(z))
    np.testing.assert_allclose(exact, slope(lambda x: apply(name, x), z), rtol=1e-6)


@every_activation
def test_derivative_far_out_is_that_of_the_asymptote(name):
    z = np.array([-1000.0, -300.0, -60.0, 60.0, 300.0, 1000.0])
    exact = multiply_by_derivative(name, z, np.ones_like(z))
    asymptote = slope(CLOSED_FORMS[name], z, h=1.0)
    np.testing.assert_allclose(exact, asymptote, rtol=1e-9, atol=1e-12)


@every_activation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_that_are_almost_too_large_are_not(name, dtype):
    z = np.array([-1e25, 1e25], dtype)
    asymptote = slope(CLOSED_FORMS[name], np.array([-1e3, 1e3]), h=1.0)
    exact = multiply_by_derivative(name, z, np.ones_like(z))
    np.testing.assert_allclose(exact, asymptote, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(apply(name, z)[1] / z[1], asymptote[1], atol=1e-6)


@every_activation
def test_backward_multiplies_what_delta_held(name):
    rng = np.random.default_rng(0)
    z, delta = rng.normal(size=(2, 5, 3))
    derivative = multiply_by_derivative(name, z, np.ones_like(z))
    product = multiply_by_derivative(name, z, delta)
    np.testing.assert_allclose(product, delta * derivative, rtol=1e-14)


@every_activation
def test_what_is_bound_does_the_same_again_and_again(name):
    f, rng = ACTIVATIONS[name], np.random.default_rng(0)
    z, delta = np.empty((2, 5, 3))
    a = np.empty_like(z) if f.keeps_z else z
    forward, backward = f.bind(z, a, delta)
    for _ in range(2):
        given, above = rng.normal(size=(2, 5, 3))
        z[...], delta[...] = given, above
        forward()
        np.testing.assert_array_equal(a, apply(name, given))
        backward()
        np.testing.assert_array_equal(delta, multiply_by_derivative(name, given, above))


@every_activation
def test_without_a_way_back_the_value_is_the_same(name):
    f, z = ACTIVATIONS[name], np.random.default_rng(0).normal(size=(5, 3))
    expected = apply(name, z)
    a = np.empty_like(z) if f.keeps_z else z
    forward, _ = f.bind(z, a, None)
    forward()
    np.testing.assert_array_equal(a, expected)


@pytest.mark.parametrize("alpha", [1e-8, 0.5, 1.0, 1e8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_derivative_of_elu_is_its_scale_right_of_zero(alpha, dtype):
    elu = type(ACTIVATIONS["elu"])(alpha=alpha, scale=3.0)
    z, delta = np.array([-1.0, 1e-3, 2.0], dtype), np.ones(3, dtype)
    elu.forward(z, z)
    elu.backward(z, z, delta)
    left = 3.0 * alpha * np.exp(-1.0)
    np.testing.assert_allclose(delta, [left, 3.0, 3.0], rtol=1e-6)


@every_activation
def test_a_subclass_may_have_methods_of_its_own(name):
    class Doubled(type(ACTIVATIONS[name])):
        def forward(self, z, out):
            super().forward(z, out)
            out *= 2.0

        def backward(self, z, a, delta):
            delta *= 2.0

    z, delta = np.ones((2, 1, 3))
    a = np.empty_like(z)
    forward, backward = Doubled().bind(z, a, delta)
    forward()
    np.testing.assert_array_equal(a, 2.0 * apply(name, np.ones((1, 3))))
    backward()
    np.testing.assert_array_equal(delta, 2.0)


@pytest.mark.parametrize("name", [n for n, f in ACTIVATIONS.items() if not f.keeps_z])
def test_forward_may_write_over_its_input(name):
    z = WIDE.copy()
    ACTIVATIONS[name].forward(z, z)
    np.testing.assert_array_equal(z, apply(name, WIDE))


@every_activation
def test_there_is_a_second_buffer_only_if_the_derivative_needs_z(name):
    f = ACTIVATIONS[name]
    (z, a, _), _ = Network((2, 3, 1), (f,)).buffers(4, np.dtype(float))
    assert (a is z) == (not f.keeps_z)


@every_activation
def test_float32_is_the_rounded_float64(name):
    z = WIDE.astype(np.float32)
    value = apply(name, z)
    delta = multiply_by_derivative(name, z, np.ones_like(z))
    assert value.dtype == delta.dtype == np.float32
    z = z.astype(float)
    np.testing.assert_allclose(value, apply(name, z), rtol=2e-6, atol=2e-6)
    exact = multiply_by_derivative(name, z, np.ones_like(z))
    np.testing.assert_allclose(delta, exact, rtol=2e-6, atol=2e-6)


@every_activation
def test_equal_hyperparameters_make_equal_activations_also_through_pickle(name):
    f = ACTIVATIONS[name]
    assert pickle.loads(pickle.dumps(f)) == f
    assert hash(type(f)()) == hash(f)


@pytest.mark.parametrize(("name", "field"), HYPERPARAMETERS)
@pytest.mark.parametrize("value", [np.nan, np.inf, "much", None])
def test_a_bad_hyperparameter_is_named(name, field, value):
    cls = type(ACTIVATIONS[name])
    with pytest.raises(ValueError, match=rf"{field} of {cls.__name__}.*got"):
        cls(**{field: value})


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("leaky_relu", "slope", 0.0),
        ("leaky_relu", "slope", 1.0),
        ("elu", "alpha", 0.0),
        ("elu", "scale", -1.0),
        ("selu", "scale", 0.0),
    ],
)
def test_hyperparameters_out_of_range_are_refused(name, field, value):
    with pytest.raises(ValueError, match=rf"{field}.*{value}"):
        type(ACTIVATIONS[name])(**{field: value})


def test_hyperparameters_do_what_they_say():
    z = np.array([-100.0, -1.0, 2.0])
    out = np.empty_like(z)
    type(ACTIVATIONS["leaky_relu"])(slope=0.5).forward(z, out)
    np.testing.assert_array_equal(out, [-50.0, -0.5, 2.0])
    type(ACTIVATIONS["elu"])(alpha=3.0, scale=2.0).forward(z, out)
    np.testing.assert_allclose(out, [-6.0, 6.0 * np.expm1(-1.0), 4.0])


@pytest.mark.parametrize(("power", "moment"), [(1, 0.0), (2, 1.0)])
def test_selu_keeps_mean_zero_and_variance_one(power, moment):
    def integrand(z):
        return apply("selu", np.array([z]))[0] ** power * norm.pdf(z)

    left, right = quad(integrand, -10, 0)[0], quad(integrand, 0, 10)[0]
    assert left + right == pytest.approx(moment, abs=1e-9)


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_the_derivative_at_a_kink_is_that_of_its_left(name):
    z, delta = np.zeros((1, 3)), np.ones((1, 3))
    ACTIVATIONS[name].forward(z, z)
    ACTIVATIONS[name].backward(z, z, delta)
    np.testing.assert_array_equal(delta, getattr(ACTIVATIONS[name], "slope", 0.0))
