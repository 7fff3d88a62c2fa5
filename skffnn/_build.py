"""Everything one call of fit needs, put together before the first step."""

import math
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skffnn._data import Data
from skffnn._holdout import Holdout, HoldoutLoss
from skffnn._losses import loss_is_named
from skffnn._resolve import (
    resolve_activations,
    resolve_average,
    resolve_batch_size,
    resolve_dropout,
    resolve_hidden_layer_sizes,
    resolve_layer_rates,
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
from skffnn.core.plan import Plan, Run
from skffnn.core.state import TrainingState
from skffnn.core.typing import Rows

__all__ = ["build_network", "build_run", "draw_seed", "new_state"]


def build_network(estimator: Any, loss: Loss, data: Data) -> Network:
    """Describe the network that the estimator's parameters and the loss ask for."""
    n_outputs = loss.n_outputs(data.target.shape[1])
    hidden = resolve_hidden_layer_sizes(estimator.hidden_layer_sizes)
    activations = resolve_activations(estimator.activation, len(hidden))
    return Network(
        (data.X.shape[1], *hidden, n_outputs),
        activations,
        layer_norm=bool(estimator.layer_norm),
        input_scale=bool(estimator.input_scale),
        n_members=estimator.n_members,
    )


def draw_seed(estimator: Any) -> int:
    """Draw what all random streams of a model are derived from."""
    random_state = check_random_state(estimator.random_state)
    return int(random_state.randint(np.iinfo(np.int32).max))


def new_state(
    estimator: Any, seed: int, network: Network, loss: Loss, data: Data, rows: Rows
) -> TrainingState:
    """Draw weights, and let the output biases start at the best constant of the rows.

    The start, the order of rows and dropout have random streams of their own.
    """
    start, order, masks = map(
        np.random.default_rng, np.random.SeedSequence(seed).spawn(3)
    )
    params = network.init_params(start, data.target.dtype)
    with loss_is_named(estimator):
        constant = loss.best_constant(data.target[rows], data.relative_to_mean(rows))
    network.layout.groups(params)["biases"][-1][...] = constant
    return TrainingState(params, order, masks, seed)


def build_run(
    estimator: Any,
    network: Network,
    loss: Loss,
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
    loss : Loss
        What to make small.
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
    optimizer = resolve_optimizer(estimator)
    schedule = resolve_schedule(estimator, optimizer)
    size = resolve_batch_size(estimator.batch_size, estimator.solver, count(rows))
    rate = resolve_rate(estimator, optimizer)
    plan = Plan(
        optimizer=optimizer,
        rate=rate,
        schedule=schedule,
        batches=Batches(rows, size, estimator.shuffle, ordered=network.n_members > 1),
        max_epochs=1 if incremental else estimator.max_iter,
        planned_epochs=estimator.max_iter,
        tol=estimator.tol,
        keeps_verdict=estimator.warm_start and not incremental,
        max_time=none_is_infinite(estimator.max_time),
        max_grad_norm=none_is_infinite(estimator.max_grad_norm),
        max_norm=none_is_infinite(estimator.max_norm),
        dropout=resolve_dropout(estimator),
        average=resolve_average(estimator),
        layer_rates=resolve_layer_rates(estimator.layer_rates),
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
        score_name=name_of(estimator.scoring),
        exact=isinstance(optimizer, LBFGS),
        incremental=incremental,
    )
    return Run(objective, plan, state, monitor)


def name_of(scoring: Any) -> str:
    """Return what tells one score from another, also after a pickle."""
    if isinstance(scoring, str):
        return scoring
    return getattr(scoring, "__qualname__", repr(scoring))


def none_is_infinite(limit: float | None) -> float:
    """Return a limit of the estimator as a number."""
    return math.inf if limit is None else float(limit)
