"""scikit-learn's own checks, for every way to train."""

import os
import subprocess
import sys
import warnings

import pytest
from plain import FFNNClassifier, FFNNRegressor
from sklearn.utils.estimator_checks import check_estimator
from threadpoolctl import threadpool_limits

import skffnn
from skffnn.core.links import LINKS
from skffnn.core.losses import LOSSES
from skffnn.core.optimizers import OPTIMIZERS

WEIGHTS = (
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
)
# The only checks that may fail, and must: by what the configuration does, and why.
EXCEPTIONS = {
    "stochastic": dict.fromkeys(
        WEIGHTS, "a step sees one row: a row of weight two is one step, not two"
    ),
    "small batches": dict.fromkeys(
        WEIGHTS, "batches of fewer rows than the data has hold other rows"
    ),
    "dropout": dict.fromkeys(
        WEIGHTS, "a row of weight two leaves out the same units twice: equal on average"
    ),
    "members": dict.fromkeys(
        WEIGHTS, "a row of weight two is dealt to one member, the row twice to two"
    ),
    "early stopping": dict.fromkeys(
        WEIGHTS, "the hold-out holds other rows, which training never sees"
    ),
}

# Losses and options: which checks their targets do not allow, and why.
NEGATIVE = {
    "check_regressor_multioutput": "its targets are negative, whatever the tag "
    "positive_only says"
}
OTHER_SHAPE = dict.fromkeys(
    (
        "check_estimator_sparse_array",
        "check_estimator_sparse_matrix",
        "check_regressor_multioutput",
        "check_regressors_train",
    ),
    "predictions have an axis more than y, for the quantiles",
)
EXCEPTIONS_OF_LOSSES = {
    "gamma": NEGATIVE,
    "poisson": NEGATIVE,
    "tweedie": NEGATIVE,
    "exp": NEGATIVE,
    "softplus": NEGATIVE,
    (0.05, 0.5, 0.95): OTHER_SHAPE,
}
# Not to be checked at all: hardly any check has targets between these bounds.
BOUNDED = {"logistic": "[0, 1]", "tanh": "[-1, 1]"}

# Each name is that of the estimator with its defaults, and of the one with textbook
# settings in their place.
DEFAULT = [skffnn.FFNNClassifier, skffnn.FFNNRegressor]
PLAIN = [FFNNClassifier, FFNNRegressor]
VARIATIONS = [
    {"preprocessing": None},
    {"early_stopping": True},
    {"n_members": 1},
    {"warm_start": True, "tol": 1e-3},
]
EVERY_PAIR = [
    {"solver": solver, "optimizer": name}
    for name, optimizer in OPTIMIZERS.items()
    for solver in optimizer.solvers
]
# From step to step L-BFGS multiplies differences of rounding. Weights and repeated rows
# agree to seven digits where it ends; on its way through flat country, where it may go
# with a smaller tol, they part in the sixth.
LBFGS = {"solver": "batch", "tol": 1e-3}
CONFIGURATIONS = [
    LBFGS,
    {"solver": "stochastic", "max_iter": 20},
    {"batch_size": 8, "max_iter": 100},
    {"early_stopping": True},
    {"early_stopping": True, "refit": True},
    {"l1_ratio": 0.5, "max_grad_norm": 1.0, "learning_rate": "cosine", "max_iter": 200},
    {"dropout": 0.1, "input_dropout": 0.05, "dropout_schedule": "flat_cosine"},
    # The mean of all steps remembers the first; long ones leave them behind sooner.
    {"average": True, "learning_rate_init": 0.01},
    {"n_members": 3},
    {"solver": "batch", "layer_norm": True},
    # Refitting must find training converged: the checks compare two fits.
    {"warm_start": True, "tol": 1e-3},
]
LONG = [
    {"layer_norm": True, "max_norm": 2.0},
    {"average": 0.9},
    {"input_scale": True, "layer_rates": "fan_in"},
]


LOSS_CONFIGURATIONS = [
    *(
        (Estimator, {"loss": name})
        for Estimator, kind in (
            (FFNNClassifier, "binary"),
            (FFNNRegressor, "continuous"),
        )
        for name, kinds in LOSSES.items()
        if kind in kinds and name != Estimator().loss
    ),
    *(
        (FFNNRegressor, {"out_activation": name})
        for name in LINKS
        if name not in BOUNDED
    ),
    (FFNNClassifier, {"label_smoothing": 0.1}),
    (FFNNRegressor, {"loss": "quantile", "quantile": (0.05, 0.5, 0.95)}),
    (FFNNRegressor, {"missing_targets": "ignore"}),
    (FFNNRegressor, {"clip_predictions": True}),
]


def expected(parameters):
    for value in parameters.values():
        if isinstance(value, str | tuple) and value in EXCEPTIONS_OF_LOSSES:
            return EXCEPTIONS_OF_LOSSES[value]
    if parameters.get("solver") == "stochastic":
        return EXCEPTIONS["stochastic"]
    if "batch_size" in parameters:
        return EXCEPTIONS["small batches"]
    if parameters.get("n_members", 1) > 1:
        return EXCEPTIONS["members"]
    if "dropout" in parameters:
        return EXCEPTIONS["dropout"]
    if parameters.get("early_stopping"):
        return EXCEPTIONS["early stopping"]
    return {}


def run_checks(estimator, parameters):
    """Run all checks: those that fail are the expected ones, all of them."""
    exceptions = expected(parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(
            estimator, expected_failed_checks=exceptions, on_fail=None
        )
    by_status = {}
    for result in results:
        by_status.setdefault(result["status"], []).append(result["check_name"])
    failures = {
        result["check_name"]: repr(result["exception"])
        for result in results
        if result["status"] == "failed"
    }
    assert failures == {}
    assert set(by_status.get("xfail", [])) == set(exceptions)
    assert len(by_status["passed"]) > 45
    return by_status


@pytest.mark.parametrize("Estimator", DEFAULT)
def test_checks_of_the_defaults(Estimator):
    run_checks(Estimator(), {})


@pytest.mark.slow
@pytest.mark.parametrize("parameters", VARIATIONS, ids=str)
@pytest.mark.parametrize("Estimator", DEFAULT)
def test_checks_near_the_defaults(Estimator, parameters):
    run_checks(Estimator(**parameters), parameters)


@pytest.mark.slow
@pytest.mark.parametrize("parameters", LONG, ids=str)
@pytest.mark.parametrize("Estimator", PLAIN)
def test_checks_of_longer_runs(Estimator, parameters):
    run_checks(Estimator(**parameters), parameters)


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
@pytest.mark.parametrize("Estimator", PLAIN)
def test_checks(Estimator, parameters):
    run_checks(Estimator(**parameters), parameters)


def test_checks_with_class_weight():
    run_checks(FFNNClassifier(class_weight="balanced", solver="batch", tol=1e-3), {})


@pytest.mark.parametrize("loss", ["poisson", "gaussian_nll"])
def test_checks_of_positive_targets_and_of_two_scores_for_one(loss):
    run_checks(FFNNRegressor(loss=loss), {"loss": loss})


@pytest.mark.slow
@pytest.mark.parametrize(("Estimator", "parameters"), LOSS_CONFIGURATIONS, ids=str)
def test_checks_of_every_loss(Estimator, parameters):
    run_checks(Estimator(**parameters), parameters)


@pytest.mark.slow
@pytest.mark.parametrize("parameters", EVERY_PAIR, ids=str)
@pytest.mark.parametrize("Estimator", PLAIN)
def test_checks_of_every_solver_and_optimizer(Estimator, parameters):
    budget = {"max_iter": 20} if parameters["solver"] == "stochastic" else {}
    if parameters["optimizer"] == "lbfgs":
        budget = LBFGS
    parameters = {**parameters, **budget}
    run_checks(Estimator(**parameters), parameters)


@pytest.mark.slow
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("Estimator", DEFAULT)
def test_checks_at_a_number_of_threads(Estimator, n_threads):
    with threadpool_limits(n_threads):
        run_checks(Estimator(), {})


@pytest.mark.slow
@pytest.mark.parametrize("Estimator", DEFAULT)
def test_checks_with_the_array_api_of_scipy(Estimator):
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from sklearn.utils.estimator_checks import check_estimator\n"
        f"from skffnn import {Estimator.__name__}\n"
        f"check_estimator({Estimator.__name__}(), on_fail='raise')\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        check=True,
        timeout=300,
    )
