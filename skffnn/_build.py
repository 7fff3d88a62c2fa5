"""Everything one call of fit needs, put together before the first step."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skffnn._data import Data
from skffnn._holdout import Holdout, HoldoutLoss
from skffnn._resolve import (
    resolve_activations,
    resolve_batch_size,
    resolve_hidden_layer_sizes,
    resolve_loss,
    resolve_optimizer,
    resolve_rate,
    resolve_schedule,
)
from skffnn.core.batches import Batches, count
from skffnn.core.monitor import Monitor, StopReason
from skffnn.core.network import Network
from skffnn.core.objective import Objective
from skffnn.core.optimizers import LBFGS
from skffnn.core.state import TrainingState
from skffnn.core.training import Plan, Run
from skffnn.core.typing import Rows

__all__ = ["build_network", "build_refit", "build_run", "draw_seed", "new_state"]


def build_network(estimator: Any, n_features: int, n_outputs: int) -> Network:
    """Describe the network that the estimator's parameters ask for."""
    hidden = resolve_hidden_layer_sizes(estimator.hidden_layer_sizes)
    activations = resolve_activations(estimator.activation, len(hidden))
    return Network((n_features, *hidden, n_outputs), activations)


def draw_seed(estimator: Any) -> int:
    """Draw what all random streams of a model are derived from."""
    random_state = check_random_state(estimator.random_state)
    return int(random_state.randint(np.iinfo(np.int32).max))


def new_state(seed: int, network: Network, dtype: np.dtype) -> TrainingState:
    """Draw parameters; their start and the order of rows have streams of their own."""
    start, order = np.random.SeedSequence(seed).spawn(2)
    params = network.init_params(np.random.default_rng(start), dtype)
    return TrainingState(params, np.random.default_rng(order), seed)


def build_run(
    estimator: Any,
    network: Network,
    data: Data,
    rows: Rows,
    holdout: Holdout | None,
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
    rows : slice or ndarray of int
        Which of its rows to train on.
    holdout : Holdout or None
        What judges training.
    state : TrainingState
        Where to start.
    incremental : bool
        True for the single epoch of partial_fit: patience, plateaus and the mean of
        the weights then carry over from the calls before.
    """
    loss = resolve_loss(estimator.loss, data.kind)
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
    weight = data.relative_weight(state.mean_weight)
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
        holdout_loss=None if holdout is None else HoldoutLoss(network, loss, holdout),
        exact=isinstance(optimizer, LBFGS),
        incremental=incremental,
    )
    return Run(objective, plan, state, monitor)


def build_refit(
    estimator: Any, data: Data, judged: TrainingState, reason: StopReason
) -> Run:
    """Put the training on all rows together that follows one with a hold-out.

    It begins with the same parameters and takes the best number of epochs, whatever
    becomes of the training loss. Time is not limited again.

    Parameters
    ----------
    estimator : FFNNClassifier or FFNNRegressor
        Its parameters are read.
    data : Data
        All rows.
    judged : TrainingState
        That of the training with a hold-out, whose verdicts are kept.
    reason : StopReason
        Why that one ended.
    """
    network = build_network(estimator, data.X.shape[1], data.target.shape[1])
    state = new_state(judged.seed, network, judged.params.dtype)
    rows = slice(0, data.n_rows)
    run = build_run(estimator, network, data, rows, None, state, incremental=False)
    state.best_epoch = judged.best_epoch
    state.validation_loss_curve = list(judged.validation_loss_curve)
    state.validation_scores = list(judged.validation_scores)
    plan = replace(run.plan, max_epochs=judged.best_epoch, max_time=math.inf)
    if run.monitor.plateau_factor == 1.0:
        run.monitor.patience = math.inf
    return replace(run, plan=plan, refit=reason)


def none_is_infinite(limit: float | None) -> float:
    """Return a limit of the estimator as a number."""
    return math.inf if limit is None else float(limit)
