"""Numbers that books print, computed by the classes that train."""

import numpy as np
import pytest
from core_tools import UserLoss

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.losses import LOSSES
from skffnn.core.network import Network
from skffnn.core.objective import Objective
from skffnn.core.optimizers import OPTIMIZERS

GRADIENT_DESCENT = OPTIMIZERS["sgd"](momentum=0.0)
ONE_ROW = slice(0, 1)


def descend(params, grad, rate):
    state = GRADIENT_DESCENT.init(len(params), len(params), params.dtype)
    GRADIENT_DESCENT.step(params, grad.copy(), state, rate, 0.0)


def test_a_neuron_weighs_its_inputs_and_adds_its_bias():
    neuron = Network((2, 1), ())
    raw = neuron.raw(np.array([[150.0, 34.0]]), np.array([0.2, 0.5, 3.0]), 1)
    assert raw == pytest.approx(50.0)


def test_the_cost_of_two_outputs_is_a_sum_of_squares():
    y, output = np.array([[0.0, 1.0]]), np.array([[0.25, 0.65]])
    half = LOSSES["squared_error"]["continuous"]()
    gradient = np.empty_like(output)
    assert 2.0 * half.value_and_gradient(y, output, None, gradient) == pytest.approx(
        0.185
    )
    assert UserLoss().value_and_gradient(y, output, None, gradient) == pytest.approx(
        0.185
    )


def test_one_weight_takes_one_step():
    h, w, output, target = 0.0125, 0.1, 1.2, 1.0
    params = np.array([w, output - h * w])
    objective = Objective(
        Network((1, 1), ()),
        UserLoss(),
        0.0,
        np.array([[h]]),
        np.array([[target]]),
        None,
        1,
    )
    grad = np.empty(2)
    objective.value_and_gradient(params, grad, ONE_ROW)
    assert grad[0] == pytest.approx(0.005)
    descend(params, grad, 0.01)
    assert params[0] == pytest.approx(0.09995)


class TestTwoTwoTwo:
    """Inputs (0.2, 0.3), logistic neurons, no biases, targets (0.99, 0.01)."""

    X, y = np.array([[0.2, 0.3]]), np.array([[0.99, 0.01]])
    # One column per neuron: h1, h2 and o1, o2.
    W1 = np.array([[0.15, 0.35], [0.25, 0.45]])
    W2 = np.array([[0.55, 0.75], [0.65, 0.85]])
    W5 = 4  # from h1 to o1

    @pytest.fixture
    def params(self):
        return np.concatenate([self.W1.ravel(), self.W2.ravel(), np.zeros(4)])

    @pytest.fixture
    def objective(self):
        network = Network((2, 2, 2), (ACTIVATIONS["logistic"],))
        loss = LOSSES["squared_error"]["multilabel"]()
        return Objective(network, loss, 0.0, self.X, self.y, None, 1)

    def test_forward(self, objective, params):
        hidden = Network((2, 2), ()).raw(self.X, np.r_[self.W1.ravel(), 0.0, 0.0], 1)
        ACTIVATIONS["logistic"].forward(hidden, hidden)
        assert hidden[0] == pytest.approx([0.526, 0.551], abs=5e-4)
        raw = objective.network.raw(self.X, params, 1)
        assert raw[0] == pytest.approx([0.648, 0.863], abs=5e-4)
        output = objective.loss.link.inverse(raw)[0]
        assert output == pytest.approx([0.656, 0.703], abs=5e-4)

    def test_backward(self, objective, params):
        grad = np.empty_like(params)
        cost = objective.value_and_gradient(params, grad, ONE_ROW)
        assert cost == pytest.approx(0.296, abs=5e-4)
        assert grad[self.W5] == pytest.approx(-0.0396, abs=5e-5)

    def test_update(self, objective, params):
        grad = np.empty_like(params)
        objective.value_and_gradient(params, grad, ONE_ROW)
        descend(params, grad, 0.5)
        assert params[self.W5] == pytest.approx(0.570, abs=5e-4)

    def test_the_hidden_layer_learns_from_the_old_output_weights(
        self, objective, params
    ):
        def s(z):
            return 1.0 / (1.0 + np.exp(-z))

        h = s(self.X @ self.W1)
        o = s(h @ self.W2)
        delta_output = (o - self.y) * o * (1.0 - o)
        delta_hidden = delta_output @ self.W2.T * h * (1.0 - h)
        grad = np.empty_like(params)
        objective.value_and_gradient(params, grad, ONE_ROW)
        descend(params, grad, 0.5)
        (W1, b1), (W2, b2) = objective.network.layout.views(params)
        np.testing.assert_allclose(W1, self.W1 - 0.5 * self.X.T @ delta_hidden)
        np.testing.assert_allclose(W2, self.W2 - 0.5 * h.T @ delta_output)
        np.testing.assert_allclose(b1, -0.5 * delta_hidden[0])
        np.testing.assert_allclose(b2, -0.5 * delta_output[0])
