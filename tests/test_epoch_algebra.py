"""One epoch is one epoch, however it is asked for: bit for bit."""

import copy
import pickle

import numpy as np
import pytest
from plain import FFNNClassifier, FFNNRegressor

from skffnn.core.optimizers import OPTIMIZERS
from skffnn.core.schedules import SCHEDULES

STEPPERS = [
    {"solver": solver, "optimizer": name}
    for name, optimizer in OPTIMIZERS.items()
    for solver in optimizer.solvers
    if name != "lbfgs"
]
pytestmark = pytest.mark.filterwarnings("ignore:max_iter=")


def never_stalling(Estimator, **parameters):
    return Estimator(
        hidden_layer_sizes=(7,),
        tol=0.0,
        n_iter_no_change=10**6,
        random_state=3,
        **{"batch_size": 16, **parameters}
        if parameters.get("solver", "mini-batch") == "mini-batch"
        else parameters,
    )


def flat(model):
    return np.concatenate([a.ravel() for a in (*model.coefs_, *model.intercepts_)])


@pytest.mark.parametrize("parameters", STEPPERS, ids=str)
def test_k_epochs_are_k_calls_of_partial_fit(iris, parameters):
    X, y = iris[0][::3], iris[1][::3]
    whole = never_stalling(FFNNClassifier, max_iter=4, **parameters).fit(X, y)
    pieces = never_stalling(FFNNClassifier, **parameters)
    for _ in range(4):
        pieces.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_array_equal(flat(pieces), flat(whole))
    assert pieces.loss_curve_ == whole.loss_curve_
    assert pieces.n_iter_ == whole.n_iter_ == 4
    assert pieces.t_ == whole.t_ == 4 * len(X)


@pytest.mark.parametrize("parameters", STEPPERS, ids=str)
def test_k_epochs_are_a_chain_of_warm_starts(diabetes, parameters):
    X, y = diabetes[0][:60], diabetes[1][:60]
    whole = never_stalling(FFNNRegressor, max_iter=4, **parameters).fit(X, y)
    chain = never_stalling(
        FFNNRegressor, max_iter=1, warm_start=True, **parameters
    ).fit(X, y)
    chain.fit(X, y).set_params(max_iter=2).fit(X, y)
    np.testing.assert_array_equal(flat(chain), flat(whole))
    assert chain.loss_curve_ == whole.loss_curve_


@pytest.mark.parametrize("parameters", STEPPERS, ids=str)
@pytest.mark.parametrize(
    "preserve", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy]
)
def test_a_pickle_goes_on_where_the_model_was(iris, parameters, preserve):
    X, y = iris[0][::3], iris[1][::3]
    model = never_stalling(FFNNClassifier, **parameters)
    interrupted = never_stalling(FFNNClassifier, **parameters)
    for _ in range(4):
        model.partial_fit(X, y, classes=[0, 1, 2])
        interrupted.partial_fit(X, y, classes=[0, 1, 2])
        interrupted = preserve(interrupted)
    np.testing.assert_array_equal(flat(interrupted), flat(model))


def test_weights_keep_the_algebra(iris):
    X, y = iris
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    whole = never_stalling(FFNNClassifier, max_iter=3).fit(X, y, sample_weight=weight)
    pieces = never_stalling(FFNNClassifier)
    for _ in range(3):
        pieces.partial_fit(X, y, classes=[0, 1, 2], sample_weight=weight)
    np.testing.assert_array_equal(flat(pieces), flat(whole))


def test_one_epoch_of_a_full_mini_batch_is_one_batch_step(iris):
    X, y = iris
    rate = {"learning_rate_init": 0.01, "optimizer": "adam", "max_iter": 3}
    batch = never_stalling(FFNNClassifier, solver="batch", **rate).fit(X, y)
    mini = never_stalling(FFNNClassifier, batch_size=len(y), shuffle=False, **rate)
    np.testing.assert_array_equal(flat(mini.fit(X, y)), flat(batch))


def test_stochastic_is_a_mini_batch_of_one(iris):
    X, y = iris
    one = never_stalling(FFNNClassifier, solver="stochastic", max_iter=2).fit(X, y)
    mini = never_stalling(FFNNClassifier, optimizer="sgd", batch_size=1, max_iter=2)
    np.testing.assert_array_equal(flat(mini.fit(X, y)), flat(one))


def test_a_planned_schedule_goes_on_with_partial_fit(iris):
    X, y = iris
    asked = []

    def linear(step, n_steps):
        asked.append((step, n_steps))
        return 1.0 - step / n_steps

    parameters = {"learning_rate": linear, "max_iter": 3}
    whole = never_stalling(FFNNClassifier, **parameters).fit(X, y)
    by_fit, asked[:] = list(asked), []
    pieces = never_stalling(FFNNClassifier, **parameters)
    for _ in range(3):
        pieces.partial_fit(X, y, classes=[0, 1, 2])
    assert asked == by_fit == [(step, 30) for step in range(30)]
    np.testing.assert_array_equal(flat(pieces), flat(whole))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("name", [k for k, v in SCHEDULES.items() if v().planned])
def test_a_curve_over_the_run_goes_on_with_partial_fit(iris, name, optimizer):
    X, y = iris
    parameters = {"learning_rate": name, "optimizer": optimizer, "max_iter": 3}
    whole = never_stalling(FFNNClassifier, **parameters).fit(X, y)
    pieces = never_stalling(FFNNClassifier, **parameters)
    for _ in range(3):
        pieces.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_array_equal(flat(pieces), flat(whole))


@pytest.mark.parametrize("learning_rate", ["invscaling", "adaptive"])
def test_a_schedule_goes_on_with_partial_fit(iris, learning_rate):
    X, y = iris
    parameters = {"learning_rate": learning_rate, "n_iter_no_change": 2, "tol": 10.0}
    whole = FFNNClassifier(max_iter=6, random_state=0, **parameters).fit(X, y)
    pieces = FFNNClassifier(random_state=0, **parameters)
    for _ in range(whole.n_iter_):
        pieces.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_array_equal(flat(pieces), flat(whole))


def test_fit_starts_anew_and_partial_fit_goes_on_from_it(iris):
    X, y = iris
    model = never_stalling(FFNNClassifier, max_iter=2).fit(X, y)
    once = flat(model)
    assert model.partial_fit(X, y).n_iter_ == 3
    assert not np.array_equal(flat(model), once)
    np.testing.assert_array_equal(flat(model.fit(X, y)), once)
