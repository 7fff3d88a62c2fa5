"""torch in float64: its derivatives by autograd, its optimizers step by step."""

from itertools import zip_longest

import numpy as np
import pytest

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.batches import Batches
from skffnn.core.layer_rates import FanIn
from skffnn.core.losses import LOSSES
from skffnn.core.monitor import Monitor
from skffnn.core.network import Network
from skffnn.core.objective import Objective
from skffnn.core.optimizers import OPTIMIZERS, FirstOrder
from skffnn.core.plan import Plan, Run
from skffnn.core.schedules import Constant
from skffnn.core.state import TrainingState
from skffnn.core.training import train
from skffnn.core.typing import Mask

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle

F = torch.nn.functional

TORCH_ACTIVATIONS = {
    "identity": lambda z: z,
    "logistic": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, 0.01),
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "mish": F.mish,
    # torch's softplus is the identity beyond its threshold.
    "softplus": lambda z: F.softplus(z, threshold=700.0),
}


def binary_log_loss(raw, y):
    return F.binary_cross_entropy_with_logits(raw, y, reduction="none").sum(dim=1)


def half_square(prediction, y):
    return 0.5 * F.mse_loss(prediction, y, reduction="none").sum(dim=1)


def logistic_half_square(raw, y):
    return half_square(torch.sigmoid(raw), y)


def softmax_half_square(raw, y):
    return half_square(torch.softmax(raw, dim=1), y)


def torch_loss(module, factor=1.0):
    """Return the sum over targets of one of torch's losses."""
    return lambda raw, y: factor * module(reduction="none")(raw, y).sum(dim=1)


def logistic_focal(raw, y):
    p = torch.sigmoid(raw)
    p_true = y * p + (1.0 - y) * (1.0 - p)
    return (-((1.0 - p_true) ** 2) * torch.log(p_true)).sum(dim=1)


def softmax_focal(raw, y):
    log_p = (y * F.log_softmax(raw, dim=1)).sum(dim=1)
    return -((1.0 - torch.exp(log_p)) ** 2) * log_p


def log_cosh(raw, y):
    return torch.log(torch.cosh(raw - y)).sum(dim=1)


def half_poisson_deviance(raw, y):
    return (torch.xlogy(y, y) - y * raw - y + torch.exp(raw)).sum(dim=1)


def half_gamma_deviance(raw, y):
    mu = torch.exp(raw)
    return (torch.log(mu / y) + y / mu - 1.0).sum(dim=1)


def half_tweedie_deviance(raw, y):
    mu = torch.exp(raw)
    return (4.0 * y**0.5 * -1.0 + 2.0 * y * mu**-0.5 + 2.0 * mu**0.5).sum(dim=1)


def gaussian_nll(raw, y):
    mean, log_variance = raw.chunk(2, dim=1)
    nll = torch.nn.GaussianNLLLoss(full=True, eps=0.0, reduction="none")
    return nll(mean, y, torch.exp(log_variance)).sum(dim=1)


# (raw, y) -> the loss of each row.
TORCH_LOSSES = {
    ("log_loss", "binary"): binary_log_loss,
    ("log_loss", "multilabel"): binary_log_loss,
    ("log_loss", "multiclass"): lambda raw, y: F.cross_entropy(
        raw, y, reduction="none"
    ),
    ("squared_error", "continuous"): half_square,
    ("squared_error", "binary"): logistic_half_square,
    ("squared_error", "multilabel"): logistic_half_square,
    ("squared_error", "multiclass"): softmax_half_square,
    ("focal", "binary"): logistic_focal,
    ("focal", "multilabel"): logistic_focal,
    ("focal", "multiclass"): softmax_focal,
    ("absolute_error", "continuous"): torch_loss(torch.nn.L1Loss),
    ("huber", "continuous"): torch_loss(torch.nn.HuberLoss),
    ("log_cosh", "continuous"): log_cosh,
    ("quantile", "continuous"): torch_loss(torch.nn.L1Loss, 0.5),
    ("poisson", "continuous"): half_poisson_deviance,
    ("gamma", "continuous"): half_gamma_deviance,
    ("tweedie", "continuous"): half_tweedie_deviance,
    ("gaussian_nll", "continuous"): gaussian_nll,
}

LOSS_CASES = [(name, kind) for name, kinds in LOSSES.items() for kind in kinds]
every_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
every_loss = pytest.mark.parametrize("loss", LOSS_CASES, ids="-".join)


def tensor(array):
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def make_targets(loss, kind, rng, n_rows):
    if kind == "continuous":
        y = rng.normal(size=(n_rows, 3))
        return y if loss.target_range == "(-inf, inf)" else np.exp(y)
    if kind == "multiclass":
        return np.eye(4)[rng.integers(4, size=n_rows)]
    n_outputs = {"binary": 1, "multilabel": 3}[kind]
    return rng.integers(2, size=(n_rows, n_outputs)).astype(float)


class Problem:
    """J on random data, and the same in torch."""

    def __init__(
        self,
        activation="tanh",
        loss=("log_loss", "multiclass"),
        alpha=0.0,
        layer_norm=False,
        input_scale=False,
    ):
        rng = np.random.default_rng(0)
        self.X = rng.normal(size=(12, 3))
        loss_object = LOSSES[loss[0]][loss[1]]()
        self.y = make_targets(loss_object, loss[1], rng, 12)
        weight = rng.uniform(0.1, 2.0, 12)
        self.weight = weight / weight.mean()
        functions = (ACTIVATIONS[activation],) * 2
        n_outputs = loss_object.n_outputs(self.y.shape[1])
        sizes = (3, 5, 4, n_outputs)
        self.network = Network(sizes, functions, layer_norm, input_scale)
        self.params = self.network.init_params(rng, np.dtype(float))
        self.params += rng.normal(scale=0.2, size=self.params.shape)
        self.objective = Objective(
            self.network,
            loss_object,
            alpha,
            self.X,
            self.y,
            self.weight,
            12,
        )
        self.alpha = alpha
        self._activation = TORCH_ACTIVATIONS[activation]
        self._loss = TORCH_LOSSES[loss]

    def tensors(self):
        """Return all weights, then all biases, as leaves of torch's graph."""
        groups = self.network.layout.groups(self.params)
        return [[tensor(part) for part in groups[k]] for k in ("weights", "biases")]

    def gains(self):
        """Return the gains of layer normalisation, likewise."""
        return [tensor(g) for g in self.network.layout.groups(self.params)["gains"]]

    def torch_value(
        self, weights, biases, rows=slice(None), gains=(), factors=(), scale=1.0
    ):
        a = torch.from_numpy(self.X[rows]) * scale
        layers = zip_longest(weights[:-1], biases[:-1], gains, factors)
        for W, b, gain, factor in layers:
            z = a @ W if gain is None else F.layer_norm(a @ W, b.shape, gain)
            a = self._activation(z + b)
            if factor is not None:
                a = a * torch.from_numpy(factor)
        raw = a @ weights[-1] + biases[-1]
        losses = self._loss(raw, torch.from_numpy(self.y[rows]))
        penalty = sum((W**2).sum() for W in weights)
        weight = torch.from_numpy(self.weight[rows])
        return (weight * losses).mean() + 0.5 * self.alpha * penalty


def flat(tensors):
    return np.concatenate([t.detach().numpy().ravel() for t in tensors])


def test_torch_has_an_answer_for_the_whole_registry():
    assert set(TORCH_ACTIVATIONS) == set(ACTIVATIONS)
    assert set(TORCH_LOSSES) == set(LOSS_CASES)
    first_order = {n for n, cls in OPTIMIZERS.items() if issubclass(cls, FirstOrder)}
    assert set(TORCH_OPTIMIZERS) == first_order


@every_activation
def test_activations_and_their_derivatives(activation):
    z = np.concatenate([-np.logspace(2, -3, 100), np.logspace(-3, 2, 100)])
    f, z_torch = ACTIVATIONS[activation], tensor(z)
    a_torch = TORCH_ACTIVATIONS[activation](z_torch)
    a_torch.sum().backward()
    a, delta = np.empty_like(z), np.ones_like(z)
    f.forward(z, a)
    np.testing.assert_allclose(a, a_torch.detach().numpy(), rtol=0, atol=1e-10)
    f.backward(z if f.keeps_z else a, a, delta)
    np.testing.assert_allclose(delta, z_torch.grad.numpy(), rtol=0, atol=1e-10)


@every_loss
def test_losses_and_their_gradients(loss):
    rng = np.random.default_rng(0)
    loss_object = LOSSES[loss[0]][loss[1]]()
    y = make_targets(loss_object, loss[1], rng, 10)
    raw = tensor(rng.normal(scale=2.0, size=(10, loss_object.n_outputs(y.shape[1]))))
    weight = rng.uniform(0.1, 2.0, 10)
    exact = (
        torch.from_numpy(weight) * TORCH_LOSSES[loss](raw, torch.from_numpy(y))
    ).sum()
    exact.backward()
    gradient = np.empty(raw.shape)
    value = loss_object.value_and_gradient(y, raw.detach().numpy(), weight, gradient)
    assert value == pytest.approx(exact.item(), abs=1e-10)
    np.testing.assert_allclose(gradient, raw.grad.numpy(), rtol=0, atol=1e-10)


@every_activation
@every_loss
def test_the_gradient_of_the_whole_network(activation, loss):
    problem = Problem(activation, loss, alpha=0.1)
    weights, biases = problem.tensors()
    exact = problem.torch_value(weights, biases)
    exact.backward()
    grad = np.empty_like(problem.params)
    value = problem.objective.value_and_gradient(problem.params, grad, slice(0, 12))
    assert value == pytest.approx(exact.item(), abs=1e-10)
    expected = flat([t.grad for t in [*weights, *biases]])
    np.testing.assert_allclose(grad, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("layer_norm", [False, True])
@every_activation
def test_layer_norm_and_fixed_masks(activation, layer_norm, dropped):
    problem = Problem(activation, alpha=0.1, layer_norm=layer_norm)
    weights, biases = problem.tensors()
    gains = problem.gains()
    rng = np.random.default_rng(1)
    factors = [(rng.random((12, width)) < 0.6) / 0.6 for width in (5, 4)]
    masks = {layer: Mask(f, np.empty_like(f)) for layer, f in enumerate(factors)}
    if not dropped:
        factors, masks = [], {}
    exact = problem.torch_value(weights, biases, gains=gains, factors=factors)
    exact.backward()
    grad = np.empty_like(problem.params)
    value = problem.objective.value_and_gradient(
        problem.params, grad, slice(0, 12), lambda X: (X, masks)
    )
    assert value == pytest.approx(exact.item(), abs=1e-10)
    expected = flat([t.grad for t in [*weights, *biases, *gains]])
    np.testing.assert_allclose(grad, expected, rtol=0, atol=1e-10)


# name -> (our hyperparameters, torch's optimizer of (weights, biases), rate). Where the
# bias correction of Adam meets epsilon the papers differ, so epsilon is small there.
TORCH_OPTIMIZERS = {
    "sgd": (
        {"momentum": 0.8, "nesterovs_momentum": True},
        lambda W, b: torch.optim.SGD([*W, *b], lr=0.05, momentum=0.8, nesterov=True),
        0.05,
    ),
    "adam": (
        {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-10},
        lambda W, b: torch.optim.Adam([*W, *b], lr=0.02, betas=(0.8, 0.99), eps=1e-10),
        0.02,
    ),
    "adamw": (
        {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-10, "weight_decay": 0.3},
        lambda W, b: torch.optim.AdamW(
            [{"params": W, "weight_decay": 0.3}, {"params": b, "weight_decay": 0.0}],
            lr=0.02,
            betas=(0.8, 0.99),
            eps=1e-10,
        ),
        0.02,
    ),
    "nadam": (
        {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6},
        lambda W, b: torch.optim.NAdam([*W, *b], lr=0.02, betas=(0.8, 0.99), eps=1e-6),
        0.02,
    ),
    "rmsprop": (
        {"rho": 0.9, "epsilon": 1e-6},
        lambda W, b: torch.optim.RMSprop([*W, *b], lr=0.01, alpha=0.9, eps=1e-6),
        0.01,
    ),
    "adagrad": (
        {"epsilon": 1e-6},
        lambda W, b: torch.optim.Adagrad([*W, *b], lr=0.05, eps=1e-6),
        0.05,
    ),
    "adadelta": (
        {"rho": 0.8, "floor": 1e-4},
        lambda W, b: torch.optim.Adadelta([*W, *b], lr=0.9, rho=0.8, eps=1e-4),
        0.9,
    ),
    "rprop": (
        {"shrink": 0.4, "grow": 1.1, "min_step": 1e-5, "max_step": 0.05},
        lambda W, b: torch.optim.Rprop(
            [*W, *b], lr=0.003, etas=(0.4, 1.1), step_sizes=(1e-5, 0.05)
        ),
        0.003,
    ),
}
N_STEPS = 60


def trajectories(name, batches):
    """Take a step on each batch in turn; return both paths, our gradients and J."""
    problem = Problem(alpha=0.01)
    hyperparameters, make_torch, rate = TORCH_OPTIMIZERS[name]
    weights, biases = problem.tensors()
    theirs = make_torch(weights, biases)
    ours = OPTIMIZERS[name](**hyperparameters)
    params, layout = problem.params.copy(), problem.network.layout
    state = ours.init(layout.size, layout.n_weights, params.dtype)
    grad = np.empty_like(params)
    path, torch_path, gradients, values = [], [], [], []
    for step in range(N_STEPS):
        rows = batches[step % len(batches)]
        values.append(problem.objective.value_and_gradient(params, grad, rows))
        gradients.append(grad.copy())
        ours.step(params, grad, state, rate, values[-1])
        path.append(params.copy())
        theirs.zero_grad()
        problem.torch_value(weights, biases, rows).backward()
        theirs.step()
        torch_path.append(flat([*weights, *biases]))
    return np.array(path), np.array(torch_path), np.array(gradients), np.array(values)


@pytest.mark.parametrize("name", [n for n in TORCH_OPTIMIZERS if n != "rprop"])
def test_trajectories_over_mini_batches(name):
    batches = [slice(0, 4), slice(4, 8), slice(8, 12)]
    path, torch_path, _, _ = trajectories(name, batches)
    assert np.abs(path[-1] - path[0]).max() > 0.05
    np.testing.assert_allclose(path, torch_path, rtol=0, atol=1e-6)


def test_rprop_is_torchs_while_j_falls():
    # torch's is iRprop-, which takes no step back; ours, iRprop+, does if J has grown.
    path, torch_path, gradients, values = trajectories("rprop", [slice(0, 12)])
    assert (np.diff(values) <= 0.0).all()
    flips = gradients[1:] * gradients[:-1] < 0.0
    assert flips.sum() > 10
    np.testing.assert_allclose(path, torch_path, rtol=0, atol=1e-6)


class Nobody:
    """An observer that looks away."""

    def epoch_begins(self, state):
        pass

    def epoch_ends(self, state):
        return False

    def epoch_fails(self, state):
        raise AssertionError("no epoch should diverge")


@pytest.mark.parametrize("input_scale", [False, True])
@pytest.mark.parametrize("name", ["sgd", "adam", "rmsprop"])
def test_rates_of_layers_are_torchs_groups_of_parameters(name, input_scale):
    problem = Problem(alpha=0.01, input_scale=input_scale)
    hyperparameters, make_torch, rate = TORCH_OPTIMIZERS[name]
    rate *= 0.1
    weights, biases = problem.tensors()
    scales = [
        tensor(s) for s in problem.network.layout.groups(problem.params)["scales"]
    ]
    # 16 / sqrt(fan_in), of 3, 5 and 4 inputs.
    factors = [16.0 / 3.0**0.5, 16.0 / 5.0**0.5, 8.0]
    theirs = make_torch(weights, biases)
    defaults = {**theirs.defaults}
    groups = [
        *(
            {"params": [W], "lr": rate * f}
            for W, f in zip(weights, factors, strict=True)
        ),
        {"params": biases, "lr": rate * 1.6},
        *({"params": [scale], "lr": rate * 6.0} for scale in scales),
    ]
    theirs = type(theirs)([{**defaults, **group} for group in groups])
    for _ in range(20):
        for rows in (slice(0, 4), slice(4, 8), slice(8, 12)):
            theirs.zero_grad()
            factor = scales[0] if scales else 1.0
            problem.torch_value(weights, biases, rows, scale=factor).backward()
            theirs.step()
    streams = map(np.random.default_rng, range(2))
    state = TrainingState(problem.params.copy(), *streams, seed=0)
    plan = Plan(
        optimizer=OPTIMIZERS[name](**hyperparameters),
        rate=rate,
        schedule=Constant(),
        batches=Batches(slice(0, 12), 4, False),
        max_epochs=20,
        tol=0.0,
        keeps_verdict=False,
        layer_rates=FanIn(),
    )
    monitor = Monitor(0.0, 1000, rate=rate, exact=False)
    train(Run(problem.objective, plan, state, monitor), Nobody())
    assert np.abs(state.params - problem.params).max() > 0.05
    expected = flat([*weights, *biases, *scales])
    np.testing.assert_allclose(state.params, expected, rtol=0, atol=1e-6)
