import math
import pickle
from dataclasses import fields

import numpy as np
import pytest
from core_tools import FIRST_ORDER
from numpy.testing import assert_allclose, assert_array_equal

from skffnn.core import vectors
from skffnn.core.batches import SOLVERS
from skffnn.core.optimizers import LBFGS, OPTIMIZERS
from skffnn.core.rates import Piecewise

every_first_order = pytest.mark.parametrize("name", FIRST_ORDER)
RATE = 0.1
START = np.array([1.0, -2.0, 0.5])
FIRST, SECOND = np.array([3.0, -0.2, 0.7]), np.array([-1.0, -0.4, 0.7])

NUMBERS = [
    (name, field.name)
    for name, cls in OPTIMIZERS.items()
    for field in fields(cls)
    if type(field.default) in (int, float)
]


def steps(optimizer, *gradients, values=None, dtype=np.float64, n_weights=2):
    """Return the parameters after each step from START."""
    params = START.astype(dtype)
    state = optimizer.init(len(params), n_weights, np.dtype(dtype))
    path = []
    for grad, value in zip(gradients, values or [1.0] * len(gradients), strict=True):
        optimizer.step(params, grad.astype(dtype), state, RATE, value)
        path.append(params.copy())
    return path


def descend(optimizer, params, state, n_steps, rate=RATE):
    """Walk on 1/2 x'Ax with A = diag(1, 4, 10)."""
    A = np.array([1.0, 4.0, 10.0], dtype=params.dtype)
    for _ in range(n_steps):
        value = 0.5 * float(params @ (A * params))
        optimizer.step(params, A * params, state, rate, value)
    return 0.5 * float(params @ (A * params))


@every_first_order
def test_a_convex_quadratic_goes_down(name):
    optimizer = OPTIMIZERS[name]()
    for rate in optimizer.auto_rate.values():
        params = START.copy()
        state = optimizer.init(3, 3, params.dtype)
        before = descend(optimizer, params, state, 0)
        assert descend(optimizer, params, state, 100, rate) < before


@pytest.mark.parametrize("odd", ["0.9", None, [0.9], np.array(0.9)])
def test_a_hyperparameter_must_be_a_number(odd):
    with pytest.raises(ValueError, match=r"momentum of SGD must be a number in \[0, 1"):
        OPTIMIZERS["sgd"](momentum=odd)


def test_a_number_of_numpy_becomes_one_of_python_which_widens_no_array():
    adam = OPTIMIZERS["adam"](epsilon=np.float64(1e-6), beta_1=np.float32(0.5))
    assert type(adam.epsilon) is type(adam.beta_1) is float
    assert adam == OPTIMIZERS["adam"](epsilon=1e-6, beta_1=0.5)


@every_first_order
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_are_in_place_and_keep_the_dtype(name, dtype):
    optimizer = OPTIMIZERS[name]()
    home = np.ones(5, dtype)
    state = optimizer.init(3, 2, home.dtype)
    for _ in range(3):
        assert optimizer.step(home[1:4], np.ones(3, dtype), state, RATE, 1.0) is None
    assert (home[1:4] < 1.0).all()
    assert_array_equal(home[[0, 4]], 1.0)
    assert {v.dtype for v in state.values() if isinstance(v, np.ndarray)} <= {
        np.dtype(dtype)
    }


@every_first_order
def test_state_is_plain_and_survives_pickle_bit_for_bit(name):
    optimizer = OPTIMIZERS[name]()
    params = START.copy()
    state = optimizer.init(3, 2, params.dtype)
    descend(optimizer, params, state, 7)
    assert {type(v) for v in state.values()} <= {np.ndarray, int, float}
    thawed_optimizer, thawed, thawed_state = pickle.loads(
        pickle.dumps((optimizer, params, state))
    )
    descend(optimizer, params, state, 7)
    descend(thawed_optimizer, thawed, thawed_state, 7)
    assert_array_equal(thawed, params)


@every_first_order
def test_a_zero_gradient_at_the_start_moves_nothing(name):
    (after,) = steps(OPTIMIZERS[name](), np.zeros(3), n_weights=0)
    assert_array_equal(after, START)


@every_first_order
def test_there_is_a_rate_for_every_solver_it_can_run_on(name):
    cls = OPTIMIZERS[name]
    assert set(cls.auto_rate) == set(cls.solvers)
    assert all(rate > 0.0 for rate in cls.auto_rate.values())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_shared_parameters_are_fields_and_solvers_exist(name):
    cls = OPTIMIZERS[name]
    assert set(cls.shared) <= {field.name for field in fields(cls)}
    assert set(cls.solvers) <= set(SOLVERS)
    assert pickle.loads(pickle.dumps(cls())) == cls()


def test_only_lbfgs_and_rprop_need_all_rows():
    needy = {name for name, cls in OPTIMIZERS.items() if cls.solvers == ("batch",)}
    assert needy == {"lbfgs", "rprop"}


@pytest.mark.parametrize(("name", "field"), NUMBERS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, "much", None])
def test_a_bad_hyperparameter_is_named(name, field, value):
    cls = OPTIMIZERS[name]
    with pytest.raises(ValueError, match=rf"{field} of {cls.__name__}.*got"):
        cls(**{field: value})


DECAYS = [(n, f) for n, f in NUMBERS if f in ("momentum", "rho", "beta_1", "beta_2")]


@pytest.mark.parametrize(("name", "field"), DECAYS)
def test_a_decay_of_one_would_forget_nothing_and_is_refused(name, field):
    with pytest.raises(ValueError, match=field):
        OPTIMIZERS[name](**{field: 1.0})
    OPTIMIZERS[name](**{field: 0.0})


def test_sgd_with_momentum_is_polyaks():
    sgd = OPTIMIZERS["sgd"](momentum=0.9, nesterovs_momentum=False)
    one, two = steps(sgd, FIRST, SECOND)
    assert_allclose(one, START - RATE * FIRST)
    assert_allclose(two, one + 0.9 * (one - START) - RATE * SECOND)


def test_sgd_without_momentum_is_gradient_descent():
    one, two = steps(OPTIMIZERS["sgd"](momentum=0.0), FIRST, SECOND)
    assert_allclose(one, START - RATE * FIRST)
    assert_allclose(two, one - RATE * SECOND)


def test_nesterovs_momentum_takes_the_gradient_where_the_momentum_leads():
    # Sutskever et al. (2013), eqs. 3 and 4, with parameters theta; the optimizer
    # stores the look-ahead theta + mu v.
    A, mu = np.array([1.0, 4.0, 10.0]), 0.9
    theta, v = START.copy(), np.zeros(3)
    sgd = OPTIMIZERS["sgd"](momentum=mu, nesterovs_momentum=True)
    params, state = START.copy(), sgd.init(3, 3, np.dtype(float))
    for _ in range(5):
        v = mu * v - RATE * A * (theta + mu * v)
        theta = theta + v
        sgd.step(params, A * params, state, RATE, 1.0)
        assert_allclose(params, theta + mu * v, atol=1e-15)


def test_adam_is_that_of_its_paper():
    # Kingma and Ba (2015), section 2: bias correction folded into the rate.
    b1, b2, eps = 0.8, 0.95, 1e-3
    path = steps(OPTIMIZERS["adam"](beta_1=b1, beta_2=b2, epsilon=eps), FIRST, SECOND)
    m = v = np.zeros(3)
    theta = START
    for t, (g, params) in enumerate(zip([FIRST, SECOND], path, strict=True), start=1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        rate = RATE * np.sqrt(1 - b2**t) / (1 - b1**t)
        theta = theta - rate * m / (np.sqrt(v) + eps)
        assert_allclose(params, theta, rtol=1e-12)


def test_the_first_step_of_adam_is_the_rate_in_every_direction():
    (one,) = steps(OPTIMIZERS["adam"](epsilon=1e-15), FIRST)
    assert_allclose(one, START - RATE * np.sign(FIRST), rtol=1e-12)


def test_adamw_decays_weights_and_not_biases():
    (plain,) = steps(OPTIMIZERS["adam"](), FIRST)
    (decayed,) = steps(OPTIMIZERS["adamw"](weight_decay=0.3), FIRST, n_weights=2)
    assert_allclose(decayed[:2], plain[:2] - RATE * 0.3 * START[:2], rtol=1e-12)
    assert decayed[2] == plain[2]


def test_adamw_without_decay_is_adam():
    plain = steps(OPTIMIZERS["adam"](), FIRST, SECOND)
    undecayed = steps(OPTIMIZERS["adamw"](weight_decay=0.0), FIRST, SECOND)
    assert_array_equal(undecayed, plain)


def test_nadam_looks_ahead():
    # Dozat (2016), algorithm 2, with its momentum schedule.
    b1, b2, eps = 0.8, 0.95, 1e-3
    gradients = [FIRST, SECOND, FIRST]
    path = steps(OPTIMIZERS["nadam"](beta_1=b1, beta_2=b2, epsilon=eps), *gradients)
    mu = [b1 * (1 - 0.5 * 0.96 ** (0.004 * t)) for t in range(1, 5)]
    m = v = np.zeros(3)
    theta = START
    for t, (g, params) in enumerate(zip(gradients, path, strict=True), start=1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        ahead = mu[t] * m / (1 - np.prod(mu[: t + 1]))
        ahead = ahead + (1 - mu[t - 1]) * g / (1 - np.prod(mu[:t]))
        theta = theta - RATE * ahead / (np.sqrt(v / (1 - b2**t)) + eps)
        assert_allclose(params, theta, rtol=1e-12)


def test_rmsprop_divides_by_the_root_of_the_decayed_mean_square():
    one, two = steps(OPTIMIZERS["rmsprop"](rho=0.8, epsilon=1e-3), FIRST, SECOND)
    square = 0.2 * FIRST**2
    assert_allclose(one, START - RATE * FIRST / (np.sqrt(square) + 1e-3))
    square = 0.8 * square + 0.2 * SECOND**2
    assert_allclose(two, one - RATE * SECOND / (np.sqrt(square) + 1e-3))


def test_adagrad_divides_by_the_root_of_the_sum_of_squares():
    one, two = steps(OPTIMIZERS["adagrad"](epsilon=1e-3), FIRST, SECOND)
    assert_allclose(one, START - RATE * FIRST / (np.abs(FIRST) + 1e-3))
    assert_allclose(two, one - RATE * SECOND / (np.hypot(FIRST, SECOND) + 1e-3))


def test_adadelta_steps_in_the_unit_of_the_parameters():
    # Zeiler (2012), algorithm 1, times the rate.
    rho, eps = 0.8, 1e-3
    path = steps(OPTIMIZERS["adadelta"](rho=rho, floor=eps), FIRST, SECOND)
    square = step_square = np.zeros(3)
    theta = START
    for g, params in zip([FIRST, SECOND], path, strict=True):
        square = rho * square + (1 - rho) * g**2
        step = np.sqrt((step_square + eps) / (square + eps)) * g
        step_square = rho * step_square + (1 - rho) * step**2
        theta = theta - RATE * step
        assert_allclose(params, theta, rtol=1e-12)


class TestRprop:
    """Igel and Hüsken (2003), iRprop+: one parameter with J given for every step."""

    @staticmethod
    def path(gradients, values, **hyperparameters):
        gradients = [np.full(3, g) for g in gradients]
        path = steps(OPTIMIZERS["rprop"](**hyperparameters), *gradients, values=values)
        return [params[0] - START[0] for params in path]

    def test_the_size_of_the_gradient_does_not_matter(self):
        assert self.path([1e-9], [1.0]) == pytest.approx([-RATE])
        assert self.path([-1e9], [1.0]) == pytest.approx([RATE])

    def test_steps_grow_while_the_sign_stays(self):
        path = self.path([1, 2, 3], [3.0, 2.0, 1.0])
        assert np.diff([0.0, *path]) == pytest.approx([-0.1, -0.12, -0.144])

    def test_a_flip_after_which_j_has_grown_takes_the_step_back(self):
        path = self.path([1, -1], [1.0, 2.0])
        assert path == pytest.approx([-0.1, 0.0], abs=1e-15)

    @pytest.mark.parametrize("before", [1.0, 2.0])
    def test_a_flip_after_which_j_has_not_grown_stays_where_it_is(self, before):
        path = self.path([1, -1], [before, 1.0])
        assert path == pytest.approx([-0.1, -0.1])

    def test_the_step_after_a_flip_is_half_as_long_and_does_not_grow_yet(self):
        path = self.path([1, -1, -1, -1], [2.0, 1.0, 1.0, 1.0])
        assert np.diff(path) == pytest.approx([0.0, 0.05, 0.06])

    def test_a_growing_j_without_a_flip_takes_nothing_back(self):
        path = self.path([1, 1], [1.0, 2.0])
        assert path == pytest.approx([-0.1, -0.22])

    def test_steps_stay_within_their_bounds(self):
        path = self.path([1, 1, 1], [3.0, 2.0, 1.0], max_step=0.11)
        assert np.diff(path) == pytest.approx([-0.11, -0.11])
        path = self.path([1, -1, 1, 1], [3.0, 2.0, 1.0, 0.0], min_step=0.08)
        assert np.diff(path) == pytest.approx([0.0, -0.08, -0.096])


class TestLBFGS:
    @staticmethod
    def minimize(max_iter=100, tol=1e-10, stop_after=None, **hyperparameters):
        A = np.array([1.0, 4.0, 10.0])
        values = []

        def iteration_ends(x, value):
            values.append(value)
            return len(values) == stop_after

        reason, x, value = LBFGS(**hyperparameters).minimize(
            lambda x: (0.5 * float(x @ (A * x)), A * x),
            START,
            iteration_ends,
            max_iter,
            tol,
        )
        assert value == pytest.approx(0.5 * float(x @ (A * x)), abs=1e-15)
        return reason, x, values

    def test_a_convex_quadratic_is_solved(self):
        reason, x, values = self.minimize()
        assert reason == "converged"
        assert_allclose(x, 0.0, atol=1e-5)
        assert values == sorted(values, reverse=True)

    def test_it_says_what_stopped_it(self):
        assert self.minimize(max_iter=2)[0] == "max_iter"
        assert self.minimize(max_fun=2)[0] == "max_fun"
        reason, _, values = self.minimize(stop_after=2)
        assert reason == "stopped"
        assert len(values) == 2

    def test_the_start_is_only_read(self):
        before = START.copy()
        self.minimize()
        assert_array_equal(START, before)


@every_first_order
@pytest.mark.parametrize("rate", [RATE, Piecewise((2, 5, 11), (0.1, 0.02, 0.3))])
def test_blocks_of_any_length_take_the_same_steps(name, rate, monkeypatch):
    optimizer = OPTIMIZERS[name]()
    grads = np.random.default_rng(0).normal(size=(4, 11))
    results = []
    for length in (8 * 100, 8 * 3):
        monkeypatch.setattr(vectors, "BLOCK_BYTES", length)
        params = np.ones(11)
        state = optimizer.init(11, 7, params.dtype)
        for grad in grads:
            optimizer.step(params, grad.copy(), state, rate, 1.0)
        results.append(params)
    assert_allclose(*results, rtol=1e-14)


@every_first_order
@pytest.mark.parametrize("factors", [1.0, Piecewise((2, 5, 11), (1.0, 0.2, 3.0))])
def test_bound_to_its_vectors_it_takes_the_same_steps(name, factors, monkeypatch):
    monkeypatch.setattr(vectors, "BLOCK_BYTES", 8 * 3)
    optimizer = OPTIMIZERS[name]()
    params, own, grad = np.ones(11), np.ones(11), np.empty(11)
    state, own_state = (optimizer.init(11, 7, params.dtype) for _ in range(2))
    step = optimizer.bind(own, grad, own_state, factors)
    for n, gradient in enumerate(np.random.default_rng(0).normal(size=(4, 11))):
        rate, value = RATE / (1 + n), 1.0 - n
        optimizer.step(params, gradient.copy(), state, rate * factors, value)
        grad[...] = gradient
        step(rate, value)
        assert_allclose(own, params, rtol=1e-14)


@pytest.mark.parametrize("name", ["sgd", "adamw", "rprop"])
def test_a_subclass_may_have_a_step_of_its_own(name):
    class Noted(OPTIMIZERS[name]):
        def step(self, params, grad, state, rate, value):
            notes.append((rate, value))
            super().step(params, grad, state, rate, value)

    notes, results = [], []
    for optimizer in (OPTIMIZERS[name](), Noted()):
        params, grad = START.copy(), FIRST.copy()
        state = optimizer.init(len(params), 2, params.dtype)
        optimizer.bind(params, grad, state, 0.5)(RATE, 1.0)
        results.append(params)
    assert notes == [(0.5 * RATE, 1.0)]
    assert_array_equal(*results)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_what_fades_is_the_same_whenever_its_vector_is_touched(share):
    vector, factor = np.array([1.0, -2.0]), 1.0
    for n in range(1, 30):
        factor = vectors.faded(vector, factor, share)
        assert vectors.SMALLEST_FACTOR <= factor <= 1.0
        assert_allclose(factor * vector, share**n * np.array([1.0, -2.0]))


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_step_without_momentum_is_what_the_next_one_remembers(nesterov):
    optimizer = OPTIMIZERS["sgd"](nesterovs_momentum=nesterov)
    params, velocity, expected = np.zeros(1), 0.0, 0.0
    state = optimizer.init(1, 1, params.dtype)
    moments, gradients = [0.9, 0.9, 0.0, 0.9, 0.9], [1.0, 1.0, -1.0, -1.0, -1.0]
    for momentum, g in zip(moments, gradients, strict=True):
        step = optimizer.with_momentum(momentum)
        step.step(params, np.array([g]), state, RATE, 1.0)
        velocity = momentum * velocity - RATE * g
        expected += momentum * velocity - RATE * g if nesterov else velocity
        assert_allclose(params, expected, rtol=1e-12, atol=1e-15)
