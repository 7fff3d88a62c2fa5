"""What the tests of the core share: small problems and numerical derivatives."""

import numpy as np
import scipy.sparse as sp

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.batches import Batches
from skffnn.core.losses import LOSSES, Loss
from skffnn.core.monitor import Monitor
from skffnn.core.network import Network
from skffnn.core.objective import Objective
from skffnn.core.optimizers import LBFGS, OPTIMIZERS, FirstOrder
from skffnn.core.plan import Plan, Run
from skffnn.core.schedules import SCHEDULES
from skffnn.core.state import TrainingState
from skffnn.core.training import train

LOSS_CASES = [(name, kind) for name, kinds in LOSSES.items() for kind in kinds]
FIRST_ORDER = [n for n, cls in OPTIMIZERS.items() if issubclass(cls, FirstOrder)]


def slope(f, z, h=1e-3):
    """Differentiate element by element: central differences of fourth order."""
    near, far = f(z + h) - f(z - h), f(z + 2 * h) - f(z - 2 * h)
    return (8.0 * near - far) / (12.0 * h)


def numerical_gradient(f, x, h=1e-4):
    """Differentiate a number by every entry of `x`."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        unit = np.zeros_like(x)
        unit[index] = 1.0
        gradient[index] = slope(lambda t, unit=unit: f(x + t * unit), 0.0, h)
    return gradient


def relative_error(a, b):
    return np.linalg.norm(a - b) / max(np.linalg.norm(a), np.linalg.norm(b))


def make_loss(case, **hyperparameters):
    return LOSSES[case[0]][case[1]](**hyperparameters)


def make_targets(loss, kind, rng, n_rows):
    """Return targets of a kind that a loss allows."""
    if kind == "continuous":
        y = rng.normal(size=(n_rows, 3))
        return y if loss.target_range == "(-inf, inf)" else np.exp(y)
    if kind == "multiclass":
        return np.eye(4)[rng.integers(4, size=n_rows)]
    n_outputs = {"binary": 1, "multilabel": 3}[kind]
    return rng.integers(2, size=(n_rows, n_outputs)).astype(float)


def make_objective(
    activation="tanh",
    loss=("squared_error", "continuous"),
    hidden=(4, 3),
    n_rows=8,
    alpha=0.0,
    weighted=False,
    sparse=None,
    dtype=np.float64,
    max_rows=None,
    layer_norm=False,
    input_scale=False,
    n_members=1,
):
    """Return an objective on random data, and params with biases that are not zero."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(n_rows, 3)) * (rng.random((n_rows, 3)) < 0.7)).astype(dtype)
    loss_object = make_loss(loss)
    y = make_targets(loss_object, loss[1], rng, n_rows).astype(dtype)
    weight = None
    if weighted:
        weight = rng.uniform(0.1, 3.0, n_rows)
        weight = (weight / weight.mean()).astype(dtype)
    functions = (ACTIVATIONS[activation],) * len(hidden)
    n_outputs = loss_object.n_outputs(y.shape[1])
    network = Network(
        (3, *hidden, n_outputs), functions, layer_norm, input_scale, n_members
    )
    params = network.init_params(rng, dtype)
    params += rng.normal(scale=0.3, size=params.shape).astype(dtype)
    objective = Objective(
        network,
        loss_object,
        alpha,
        X if sparse is None else sparse(X),
        y,
        weight,
        max_rows or n_rows,
    )
    return objective, params


SPARSE_FORMATS = [sp.csr_matrix, sp.csr_array]


def all_rows(objective):
    return slice(0, len(objective.y))


def value_and_gradient(objective, params, rows=None):
    grad = np.full_like(params, np.nan)
    rows = all_rows(objective) if rows is None else rows
    return objective.value_and_gradient(params, grad, rows), grad


def make_plan(objective, optimizer="sgd", **changes):
    """Return a plan of unshuffled mini-batches of two rows at a constant rate."""
    if isinstance(optimizer, str):
        optimizer = OPTIMIZERS[optimizer]()
    batch_only = optimizer.solvers == ("batch",)
    settings = {
        "rate": 0.01,
        "schedule": SCHEDULES["constant"](),
        "batches": Batches(
            all_rows(objective), len(objective.y) if batch_only else 2, False
        ),
        "max_epochs": 10,
        "tol": 1e-10,
        "keeps_verdict": False,
    }
    return Plan(optimizer=optimizer, **{**settings, **changes})


def make_state(params):
    order, masks = np.random.default_rng(1), np.random.default_rng(2)
    return TrainingState(params.copy(), order, masks, seed=1)


class Recorder:
    """An observer that keeps a copy of the parameters after every epoch."""

    def __init__(self, stop_after=None):
        self.params = []
        self.begun = self.failed = 0
        self._stop_after = stop_after

    def epoch_begins(self, state):
        self.begun += 1

    def epoch_ends(self, state):
        self.params.append(state.params.copy())
        return state.epoch == self._stop_after

    def epoch_fails(self, state):
        self.failed += 1


def run(objective, plan, state, observer=None, patience=1000, tol=0.0, **monitor):
    """Train, and return why it stopped."""
    exact = isinstance(plan.optimizer, LBFGS)
    monitor = Monitor(tol, patience, rate=plan.rate, exact=exact, **monitor)
    return train(Run(objective, plan, state, monitor), observer or Recorder())


class UserLoss(Loss):
    """The square without its half, as the textbook has it: (raw - y)^2."""

    def value_and_gradient(self, y, raw, weight, gradient_out):
        gradient_out[...] = 2.0 * (raw - y)
        return float(np.square(raw - y).sum())
