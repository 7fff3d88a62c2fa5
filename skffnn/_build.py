"""Everything one call of fit needs, put together before the first step."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skffnn._holdout import split_rows
from skffnn._resolve import (
    resolve_activations,
    resolve_batch_size,
    resolve_early_stopping,
    resolve_hidden_layer_sizes,
    resolve_loss,
    resolve_optimizer,
    resolve_rate,
    resolve_schedule,
)
from skffnn.core.batches import Batches, count
from skffnn.core.losses import Loss
from skffnn.core.monitor import Monitor
from skffnn.core.network import Network
from skffnn.core.objective import Objective
from skffnn.core.optimizers import LBFGS
from skffnn.core.state import TrainingState, mean_of
from skffnn.core.training import Plan, Run
from skffnn.core.typing import Array, Features, Rows, TargetKind

__all__ = ["Data", "build_network", "build_run", "new_state"]


@dataclass(frozen=True)
class Data:
    """The training data, validated and encoded.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Features.
    target : ndarray of shape (n_samples, n_outputs)
        Targets as the network sees them.
    weight : ndarray of shape (n_samples,) or None
        Sample weights, all positive.
    kind : str
        What the targets are.
    strata : ndarray of shape (n_samples,) or None
        Labels that a hold-out should represent.
    """

    X: Features
    target: Array
    weight: Array | None
    kind: TargetKind
    strata: Array | None


def build_network(estimator: Any, n_features: int, n_outputs: int) -> Network:
    """Describe the network that the estimator's parameters ask for."""
    hidden = resolve_hidden_layer_sizes(estimator.hidden_layer_sizes)
    activations = resolve_activations(estimator.activation, len(hidden))
    return Network((n_features, *hidden, n_outputs), activations)


def new_state(estimator: Any, network: Network, dtype: np.dtype) -> TrainingState:
    """Draw parameters; their start and the order of rows have streams of their own."""
    random_state = check_random_state(estimator.random_state)
    seed = int(random_state.randint(np.iinfo(np.int32).max))
    start, order = np.random.SeedSequence(seed).spawn(2)
    params = network.init_params(np.random.default_rng(start), dtype)
    return TrainingState(params, np.random.default_rng(order), seed)


def build_run(
    estimator: Any,
    network: Network,
    data: Data,
    state: TrainingState,
    incremental: bool,
) -> Run:
    """Put one call of fit, or of partial_fit, together.

    Parameters
    ----------
    estimator : FFNNClassifier or FFNNRegressor
        Its parameters are read.
    network : Network
        What to train.
    data : Data
        What on.
    state : TrainingState
        Where to start.
    incremental : bool
        True for the single epoch of partial_fit: patience, plateaus and the mean of
        the weights then carry over from the calls before.
    """
    loss = resolve_loss(estimator.loss, data.kind)
    n_rows = data.X.shape[0]
    rows: Rows = slice(0, n_rows)
    holdout_loss = None
    # partial_fit sees rows once and holds none out.
    if not incremental and resolve_early_stopping(estimator.early_stopping, n_rows):
        rows, holdout = split_rows(
            n_rows, estimator.validation_fraction, data.strata, state.seed
        )
        holdout_loss = HoldoutLoss(network, loss, data, holdout)

    optimizer = resolve_optimizer(estimator)
    schedule = resolve_schedule(estimator, optimizer)
    size = resolve_batch_size(estimator.batch_size, estimator.solver, count(rows))
    rate = resolve_rate(estimator, optimizer)
    plan = Plan(
        optimizer=optimizer,
        rate=rate,
        schedule=schedule,
        batches=Batches(rows, size, estimator.shuffle),
        max_epochs=1 if incremental else estimator.max_iter,
        planned_epochs=estimator.max_iter,
        tol=estimator.tol,
        resumable=estimator.warm_start and not incremental,
        max_time=none_is_infinite(estimator.max_time),
        max_grad_norm=none_is_infinite(estimator.max_grad_norm),
    )

    if not incremental:
        state.begin_call()
    state.see_weights(None if data.weight is None else data.weight[rows], count(rows))
    weight = relative_weight(data, state.mean_weight)
    objective = Objective(
        network,
        loss,
        estimator.alpha,
        data.X,
        data.target,
        weight,
        size,
        estimator.l1_ratio,
    )

    monitor = Monitor(
        tol=estimator.tol,
        patience=estimator.n_iter_no_change,
        plateau_factor=schedule.plateau_factor,
        rate=rate,
        holdout_loss=holdout_loss,
        exact=isinstance(optimizer, LBFGS),
    )
    return Run(objective, plan, state, monitor)


def none_is_infinite(limit: float | None) -> float:
    """Return a limit of the estimator as a number."""
    return math.inf if limit is None else float(limit)


class HoldoutLoss:
    """Mean loss on rows that are not trained on, without the penalty."""

    def __init__(self, network: Network, loss: Loss, data: Data, rows: Rows) -> None:
        mean = 1.0 if data.weight is None else mean_of(data.weight[rows])
        self._rows = rows
        self._objective = Objective(
            network,
            loss,
            0.0,
            data.X,
            data.target,
            relative_weight(data, mean),
            count(rows),
        )

    def __call__(self, params: Array) -> float:
        return self._objective.value(params, self._rows)


def relative_weight(data: Data, mean: float) -> Array | None:
    """Return the weights divided by `mean`; None where all of them are one."""
    if data.weight is None and mean == 1.0:
        return None
    weight = 1.0 if data.weight is None else data.weight
    relative = np.broadcast_to(weight / mean, len(data.target))
    return None if (relative == 1.0).all() else relative.astype(data.target.dtype)
