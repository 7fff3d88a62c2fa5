"""A run that diverges goes back to its last good epoch and tries half the rate."""

import pickle

import numpy as np
import pytest
from plain import FFNNClassifier, FFNNRegressor
from sklearn.datasets import make_regression
from sklearn.exceptions import ConvergenceWarning

import skffnn
from skffnn.core.divergence import MAX_HALVINGS
from skffnn.core.optimizers import OPTIMIZERS
from skffnn.core.schedules import Constant, Schedule

pytestmark = pytest.mark.filterwarnings("ignore:max_iter=")
STEPS = 5  # of an epoch on iris


class Spike(Schedule):
    """One, but for some calls, which are counted from zero."""

    def __init__(self, *calls, factor=1e200):
        self.calls, self.factor, self.n = set(calls), factor, 0

    def __call__(self, step, n_steps):
        self.n += 1
        return self.factor if self.n - 1 in self.calls else 1.0


def flat(model):
    return np.concatenate([a.ravel() for a in (*model.coefs_, *model.intercepts_)])


def stepping(schedule, **parameters):
    return FFNNRegressor(
        (),
        batch_size=30,
        learning_rate=schedule,
        random_state=0,
        tol=0.0,
        **parameters,
    )


@pytest.mark.parametrize(
    "optimizer", [n for n in OPTIMIZERS if n not in ("lbfgs", "rprop")]
)
def test_an_epoch_that_diverges_is_taken_back(iris, optimizer):
    X, y = iris
    parameters = {"shuffle": False, "optimizer": optimizer, "max_iter": 4}
    model = stepping(Spike(2 * STEPS + 3), **parameters).fit(X, y)
    assert model.rate_halvings_ == [3]
    assert model.n_iter_ == len(model.loss_curve_) == 4
    assert model.stop_reason_ == "max_iter"
    # By hand: two good epochs, then two at half the rate, the optimizer starting anew.
    by_hand = stepping(Constant(), **{**parameters, "max_iter": 2}).fit(X, y)
    by_hand.set_params(
        learning_rate_init=0.5 * by_hand.learning_rate_init_, warm_start=True
    )
    np.testing.assert_array_equal(flat(model), flat(by_hand.fit(X, y)))


def test_steps_that_were_taken_back_do_not_count(iris):
    X, y = iris
    model = stepping(Spike(2 * STEPS + 3), max_iter=4).fit(X, y)
    assert model._state.step == 4 * STEPS
    assert model.t_ == 4 * len(y)


def test_a_rate_that_is_too_high_finds_one_that_is_not(diabetes):
    X, y = diabetes
    model = FFNNRegressor(
        optimizer="sgd", learning_rate_init=0.5, max_iter=30, random_state=0
    ).fit(X, y)
    assert 1 <= len(model.rate_halvings_) <= MAX_HALVINGS
    assert model.n_iter_ == 30
    assert model.score(X, y) > 0.4


def test_a_run_that_does_not_diverge_has_an_empty_history(iris):
    assert FFNNClassifier(max_iter=3, random_state=0).fit(*iris).rate_halvings_ == []


def test_it_gives_up_in_the_end_and_restores_the_best_epoch(iris):
    X, y = iris
    after_two = range(2 * STEPS, 1000)
    model = stepping(Spike(*after_two), max_iter=10)
    with pytest.warns(ConvergenceWarning, match="epoch 2: .* at a rate 32 times lower"):
        model.fit(X, y)
    assert model.rate_halvings_ == [3] * MAX_HALVINGS
    assert model.stop_reason_ == "diverged"
    good = stepping("constant", max_iter=2).fit(X, y)
    np.testing.assert_array_equal(flat(model), flat(good))
    assert model._state.rate_factor == 1.0


def test_the_history_is_printed(iris, capsys):
    stepping(Spike(STEPS + 1), max_iter=3, verbose=1).fit(*iris)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "Epoch 2 diverged: back to the end of epoch 1, at half the rate"
    assert [line[:8] for line in lines[2:]] == ["Epoch 2:", "Epoch 3:", "End afte"]


def test_a_hold_out_that_explodes_takes_the_epoch_back(diabetes):
    X, y = diabetes
    far = np.full((1, X.shape[1]), 1e150)
    parameters = {"max_iter": 3, "early_stopping": True, "random_state": 0}
    with pytest.warns(ConvergenceWarning, match="diverged after epoch 0"):
        model = FFNNRegressor(**parameters).fit(X, y, X_val=1e10 * far, y_val=[0.0])
    assert model.rate_halvings_ == [1] * MAX_HALVINGS
    assert model.best_epoch_ is None
    assert model.validation_scores_ is None


def test_the_halved_rate_goes_on_with_partial_fit(iris):
    X, y = iris
    spike = Spike(2 * STEPS + 3)
    whole = stepping(Spike(2 * STEPS + 3), max_iter=5).fit(X, y)
    pieces = stepping(spike, max_iter=5)
    for _ in range(5):
        pieces.partial_fit(X, y)
    assert pieces.rate_halvings_ == whole.rate_halvings_ == [3]
    np.testing.assert_array_equal(flat(pieces), flat(whole))
    assert pickle.loads(pickle.dumps(pieces)).rate_halvings_ == [3]


def test_a_bad_block_does_not_slow_down_the_stream_for_ever(diabetes):
    X, y = diabetes
    model = FFNNRegressor(optimizer="sgd", random_state=0).partial_fit(X, y)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.partial_fit(1e200 * X, y)
    assert model._state.rate_factor == 1.0


def test_a_new_fit_begins_at_the_full_rate(iris):
    X, y = iris
    model = stepping(Spike(STEPS), max_iter=3, warm_start=True).fit(X, y)
    assert model._state.rate_factor == 0.5
    assert model.fit(X, y)._state.rate_factor == 1.0
    assert model.rate_halvings_ == [2]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_rate_far_too_high_for_the_recipe_is_halved_until_it_learns(
    early_stopping, seed
):
    """Its average would remember an epoch that went far off to the end."""
    X, y = make_regression(400, 6, noise=5.0, random_state=0)
    model = skffnn.FFNNRegressor(
        (20,), "relu", preprocessing=None, scale_target=False, learning_rate_init=3.0,
        max_iter=30, early_stopping=early_stopping, random_state=seed,
    ).fit(X, y)  # fmt: skip
    assert model.rate_halvings_
    assert max(model.loss_curve_) < 1000.0 * np.var(y)
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize(
    "parameters",
    [{"optimizer": "rmsprop"}, {"learning_rate": "cosine", "max_iter": 30}],
    ids=str,
)
def test_an_end_that_is_much_worse_than_a_constant_is_told(parameters):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 5))
    y = X[:, 0] + np.sin(2 * X[:, 1])
    model = FFNNRegressor((20,), scale_target=True, random_state=0, **parameters)
    with pytest.warns(ConvergenceWarning, match="much larger than that of the same"):
        model.fit(1000.0 * X, y)
    assert model.score(1000.0 * X, y) < -1.0


@pytest.mark.parametrize("solver", ["batch", "mini-batch"])
def test_rows_that_lie_in_an_order_are_no_sign_of_divergence(solver):
    X = np.random.default_rng(0).normal(size=(1200, 3))
    y = 100.0 * (X[:, 0] + X[:, 1])
    y[:600] = 0.0
    X = np.column_stack([X, np.arange(1200) < 600])
    model = skffnn.FFNNRegressor(solver=solver, scale_target=False, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.99
    assert model.rate_halvings_ == []


def test_what_was_tried_is_said_of_one_call(diabetes):
    X, y = diabetes
    model = FFNNRegressor((4,), optimizer="sgd", learning_rate_init=1e6)
    for _ in range(3):
        with pytest.warns(ConvergenceWarning, match="at a rate 32 times lower"):
            model.partial_fit(X, y)
