"""What a run leaves behind: fitted attributes."""

from dataclasses import replace
from typing import Any

import numpy as np

from skffnn._label_targets import LabelTargets
from skffnn._targets import Targets
from skffnn.core.monitor import StopReason
from skffnn.core.optimizers import LBFGS
from skffnn.core.plan import Run
from skffnn.core.state import TrainingState

__all__ = ["fitted_attributes", "snapshot"]


def fitted_attributes(
    targets: Targets,
    run: Run,
    state: TrainingState,
    reason: StopReason | None,
) -> dict[str, Any]:
    """Return all that makes an estimator a fitted one, by attribute name."""
    network, loss = run.objective.network, run.objective.loss
    scores = state.validation_scores or None
    has_rate = not isinstance(run.plan.optimizer, LBFGS)
    attributes = {
        "_network": network,
        "_loss": loss,
        "_state": state,
        "_targets": targets,
        "n_layers_": len(network.layer_sizes),
        "n_outputs_": network.layer_sizes[-1],
        "out_activation_": loss.link.name,
        "n_iter_": state.epoch,
        "t_": state.rows_seen,
        "loss_": state.loss_curve[-1] if state.loss_curve else np.nan,
        "loss_curve_": state.loss_curve,
        "best_loss_": state.lowest_loss if state.loss_curve else np.nan,
        "validation_loss_curve_": state.validation_loss_curve or None,
        "validation_scores_": scores,
        "best_validation_score_": float(np.nanmax(scores)) if scores else None,
        "best_epoch_": state.best_epoch or None,
        "do_early_stopping_": run.refit is not None
        or run.monitor.holdout_loss is not None,
        "rate_halvings_": state.rate_halvings,
        "stop_reason_": reason if reason is None else str(reason),
        "optimizer_": run.plan.optimizer,
        "batch_size_": run.plan.batches.size,
        "learning_rate_init_": run.plan.rate if has_rate else None,
    }
    if isinstance(targets, LabelTargets):
        attributes["classes_"] = targets.classes
    return attributes


def snapshot(targets: Targets, run: Run) -> dict[str, Any]:
    """Return the fitted attributes as if training ended now, for a callback to keep."""
    state = replace(run.state.copy(), progress=None)
    return fitted_attributes(targets, run, state, None)
