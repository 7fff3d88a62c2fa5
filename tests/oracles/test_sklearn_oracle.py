"""MLPClassifier and MLPRegressor, from the same start weights on unshuffled batches.

How both are brought to the same start: each is fitted for one epoch, MLP's weights are
overwritten by a copy of ours, and both go on with ``warm_start=True``. MLP makes a new
optimizer in every call of fit; ours is forgotten where fit ran without warm_start. So
the runs compared begin with equal weights (biases not zero) and empty momenta.

MLP divides alpha by the rows of a batch, we do not: ours = theirs / rows.
"""

import numpy as np
import pytest
from plain import FFNNClassifier, FFNNRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    # scikit-learn before 1.7 passes options that scipy has deprecated since.
    "ignore:scipy.optimize. The `disp` and `iprint`:DeprecationWarning",
)

N_ROWS, BATCH_SIZE, EPOCHS = 40, 8, 10
ALPHA = 0.05

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]
TARGETS = ["binary", "multiclass", "multilabel", "one output"]
OPTIMIZERS = {
    "sgd": {"optimizer": "sgd", "momentum": 0.0, "learning_rate_init": 0.05},
    "momentum": {
        "optimizer": "sgd",
        "momentum": 0.8,
        "nesterovs_momentum": False,
        "learning_rate_init": 0.05,
    },
    "nesterov": {"optimizer": "sgd", "momentum": 0.8, "learning_rate_init": 0.05},
    "adam": {
        "optimizer": "adam",
        "beta_1": 0.8,
        "beta_2": 0.99,
        "epsilon": 1e-6,
        "learning_rate_init": 0.01,
    },
}


def data(target):
    """Return noisy data.

    Where classes can be separated, the line search of L-BFGS tries scores so large that
    scikit-learn clips the probabilities, and its value there is not the log loss.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, 5))
    score = np.sin(X[:, :3]) + rng.normal(size=(N_ROWS, 3))
    y = {
        "binary": (score[:, 0] > 0).astype(int),
        "multiclass": score.argmax(axis=1),
        "multilabel": (score > 0).astype(int),
        "one output": score[:, 0],
        "three outputs": score,
        "counts": rng.poisson(np.exp(score[:, 0])),
    }[target]
    return X, y


def twins(target, solver, activation="tanh", **settings):
    """Return our estimator and scikit-learn's, with equal weights, and their data.

    `solver` is scikit-learn's word for it.
    """
    regression = target.endswith(("output", "outputs", "counts"))
    shared = {
        "hidden_layer_sizes": (6, 4),
        "activation": activation,
        "max_iter": 1,
        "random_state": 0,
        "tol": 0.0,
        "n_iter_no_change": 1000,
    }
    if solver != "lbfgs":
        shared |= {"batch_size": BATCH_SIZE, "shuffle": False}
    shared |= settings
    alpha = shared.pop("alpha", ALPHA)
    rows = shared.get("batch_size", N_ROWS)
    ours = (FFNNRegressor if regression else FFNNClassifier)(
        **shared,
        solver="batch" if solver == "lbfgs" else "mini-batch",
        optimizer=solver,
        alpha=alpha / rows,
    )
    theirs = (MLPRegressor if regression else MLPClassifier)(
        **shared, solver=solver, alpha=alpha
    )
    X, y = data(target)
    ours.fit(X, y)
    theirs.fit(X, y)
    theirs.coefs_ = [W.copy() for W in ours.coefs_]
    theirs.intercepts_ = [b.copy() for b in ours.intercepts_]
    return ours, theirs, X, y


def train_on(ours, theirs, X, y, epochs):
    for model in (ours, theirs):
        model.set_params(warm_start=True, max_iter=epochs).fit(X, y)


def assert_same_loss_curves(ours, theirs):
    """Compare all epochs but the first, in which they had weights of their own."""
    a, b = ours.loss_curve_[1:], theirs.loss_curve_[1:]
    assert len(a) == EPOCHS
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-8)


def assert_same_weights(ours, theirs, atol=1e-8):
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=atol)


def twins_of_optimizer(target, name, **settings):
    settings = {**OPTIMIZERS[name], **settings}
    return twins(target, settings.pop("optimizer"), **settings)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("target", [*TARGETS, "three outputs"])
def test_equal_weights_predict_the_same(target, activation):
    ours, theirs, X, _ = twins(target, "adam", activation)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=0, atol=1e-12)
    if hasattr(theirs, "predict_proba"):
        np.testing.assert_allclose(
            ours.predict_proba(X), theirs.predict_proba(X), rtol=0, atol=1e-12
        )
        np.testing.assert_allclose(
            ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=0, atol=1e-11
        )


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_first_order_steps_follow_scikit_learn(optimizer, target, activation):
    ours, theirs, X, y = twins_of_optimizer(target, optimizer, activation=activation)
    start = ours.coefs_[0].copy()
    train_on(ours, theirs, X, y, EPOCHS)
    assert np.abs(ours.coefs_[0] - start).max() > 1e-3
    assert_same_weights(ours, theirs)
    assert_same_loss_curves(ours, theirs)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_several_outputs_follow_it_too_for_its_gradient_is_the_sum(optimizer):
    ours, theirs, X, y = twins_of_optimizer("three outputs", optimizer)
    train_on(ours, theirs, X, y, EPOCHS)
    assert_same_weights(ours, theirs)


def test_the_loss_of_several_outputs_is_the_sum_where_scikit_learn_averages():
    ours, theirs, X, y = twins_of_optimizer("three outputs", "sgd", alpha=0.0)
    train_on(ours, theirs, X, y, EPOCHS)
    np.testing.assert_allclose(
        ours.loss_curve_[1:], 3.0 * np.array(theirs.loss_curve_[1:]), rtol=1e-12
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("target", TARGETS)
def test_lbfgs_follows_scikit_learn(target, activation):
    ours, theirs, X, y = twins(target, "lbfgs", activation)
    train_on(ours, theirs, X, y, EPOCHS)
    assert ours.n_iter_ == 1 + theirs.n_iter_
    assert_same_weights(ours, theirs)
    assert ours.loss_ == pytest.approx(theirs.loss_, abs=1e-8)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_short_last_batch_follows_it_without_alpha(optimizer):
    ours, theirs, X, y = twins_of_optimizer(
        "multiclass", optimizer, alpha=0.0, batch_size=7
    )
    train_on(ours, theirs, X, y, EPOCHS)
    assert_same_weights(ours, theirs)
    assert_same_loss_curves(ours, theirs)


@pytest.mark.skipif(
    "loss" not in MLPRegressor().get_params(), reason="scikit-learn before 1.7"
)
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, "lbfgs"])
def test_poisson_is_that_of_scikit_learn(optimizer):
    if optimizer == "lbfgs":
        ours, theirs, X, y = twins("counts", "lbfgs", loss="poisson")
    else:
        ours, theirs, X, y = twins_of_optimizer("counts", optimizer, loss="poisson")
    train_on(ours, theirs, X, y, EPOCHS)
    assert_same_weights(ours, theirs)
    assert ours.loss_ == pytest.approx(theirs.loss_, abs=1e-8)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6)
