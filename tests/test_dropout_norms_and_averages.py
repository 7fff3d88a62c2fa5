"""dropout, layer_norm, max_norm and average: what they promise, alone and together."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from plain import FFNNClassifier, FFNNRegressor
from scipy.special import binom
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale

from skffnn.core.averaging import PolynomialAverage
from skffnn.core.losses import SquaredError
from skffnn.core.network import Network
from skffnn.core.optimizers import LBFGS, OPTIMIZERS

pytestmark = pytest.mark.filterwarnings("ignore:max_iter=")

X, Y = (scale(part)[:120] for part in load_diabetes(return_X_y=True))
STEPPERS = [name for name, cls in OPTIMIZERS.items() if cls is not LBFGS]
DROPOUT = {"dropout": 0.3, "input_dropout": 0.1, "dropout_schedule": "flat_cosine"}
OPTIONS = {
    "dropout": DROPOUT,
    "layer_norm": {"layer_norm": True},
    "max_norm": {"max_norm": 0.5},
    "average": {"average": True},
    "exponential average": {"average": 0.9},
    "polynomial average": {"average": PolynomialAverage(degree=3.0)},
    "all": {**DROPOUT, "layer_norm": True, "max_norm": 0.5, "average": True},
}
every_option = pytest.mark.parametrize("option", OPTIONS)
FORMS = {
    "dense": X,
    "float32": X.astype(np.float32),
    "sparse": sp.csr_array(np.where(np.abs(X) > 0.5, X, 0.0)),
}
every_form = pytest.mark.parametrize("form", FORMS)
WEIGHT = np.random.default_rng(0).uniform(0.5, 2.0, len(X))


def regressor(**parameters):
    """Return one that trains for all of its epochs."""
    return FFNNRegressor(
        (8, 6),
        tol=0.0,
        n_iter_no_change=10**6,
        random_state=0,
        **{"max_iter": 4, **parameters},
    )


def flat(model):
    return model._state.params


def assert_same(model, expected):
    np.testing.assert_array_equal(flat(model), flat(expected))
    assert model.loss_curve_ == expected.loss_curve_
    # A fit that is not to go on keeps the mean only.
    average, other = model._state.average, expected._state.average
    if average is not None and other is not None:
        np.testing.assert_array_equal(average.iterate, other.iterate)
        assert average.n == other.n


# -- Each option keeps the promises of the house ---------------------------------------


@every_option
def test_it_changes_the_model(option):
    assert not np.array_equal(
        regressor(**OPTIONS[option]).fit(X, Y).predict(X),
        regressor().fit(X, Y).predict(X),
    )


@every_form
@every_option
def test_k_epochs_are_k_calls_of_partial_fit(option, form):
    data = FORMS[form], Y
    whole = regressor(**OPTIONS[option]).fit(*data, sample_weight=WEIGHT)
    pieces = regressor(**OPTIONS[option])
    for _ in range(4):
        pieces.partial_fit(*data, sample_weight=WEIGHT)
    assert_same(pieces, whole)
    assert pieces.predict(FORMS[form]).dtype == FORMS[form].dtype


@pytest.mark.parametrize("solver", ["batch", "stochastic"])
@every_option
def test_epochs_of_other_solvers_are_calls_too(option, solver):
    parameters = {"solver": solver, "optimizer": "adam", **OPTIONS[option]}
    whole = regressor(**parameters).fit(X[:50], Y[:50])
    pieces = regressor(**parameters)
    for _ in range(4):
        pieces.partial_fit(X[:50], Y[:50])
    assert_same(pieces, whole)


@every_option
def test_k_epochs_are_a_chain_of_warm_starts(option):
    # A curve over the run would be another one for a run of two epochs.
    parameters = {**OPTIONS[option], "dropout_schedule": "constant"}
    if "dropout" not in parameters:
        del parameters["dropout_schedule"]
    whole = regressor(**parameters).fit(X, Y)
    chain = regressor(**parameters, warm_start=True).set_params(max_iter=2)
    assert_same(chain.fit(X, Y).fit(X, Y), whole)


@pytest.mark.parametrize(
    "through", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
@every_option
def test_a_copy_goes_on_as_the_model_itself(option, through):
    model = regressor(**OPTIONS[option])
    model.partial_fit(X, Y).partial_fit(X, Y)
    again = through(model)
    for each in (model, again):
        each.partial_fit(X, Y)
    assert_same(again, model)


@every_option
def test_sparse_is_dense(option):
    # Of sparse X, dropout leaves out stored entries: other draws.
    parameters = {k: v for k, v in OPTIONS[option].items() if k != "input_dropout"}
    dense = regressor(**parameters).fit(FORMS["sparse"].toarray(), Y)
    sparse = regressor(**parameters).fit(FORMS["sparse"], Y)
    np.testing.assert_allclose(flat(sparse), flat(dense), rtol=1e-7, atol=1e-9)


@every_option
def test_prediction_is_the_network_with_the_fitted_parameters(option):
    model = regressor(**OPTIONS[option]).fit(X, Y)
    network = Network(
        (X.shape[1], 8, 6, 1),
        model._network.activations,
        layer_norm="layer_norm" in OPTIONS[option],
    )
    parts = [*model.coefs_, *model.intercepts_, *model.layer_norm_gains_]
    params = np.concatenate([part.ravel() for part in parts])
    np.testing.assert_allclose(network.raw(X, params, 50)[:, 0], model.predict(X))
    np.testing.assert_array_equal(model.predict(X), model.predict(X))
    np.testing.assert_allclose(model.predict(X[:1]), model.predict(X)[:1])


@pytest.mark.parametrize("optimizer", STEPPERS)
@every_option
def test_every_optimizer_takes_it(option, optimizer):
    solver = "batch" if optimizer == "rprop" else "mini-batch"
    parameters = {"solver": solver, "optimizer": optimizer, **OPTIONS[option]}
    model = regressor(**parameters).fit(X, Y)
    assert model.stop_reason_ == "max_iter"
    assert np.isfinite(model.predict(X)).all()


def test_a_grid_search_over_all_of_them():
    grid = [
        {name: [value] for name, value in option.items()} for option in OPTIONS.values()
    ]
    search = GridSearchCV(regressor(), grid, cv=2).fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(set(search.cv_results_["mean_test_score"])) == len(OPTIONS)


@every_option
def test_an_epoch_that_diverges_is_taken_back_whole(option):
    def rate(step, n_steps):
        rate.calls += 1
        return 1e200 if rate.calls == 10 else 1.0

    rate.calls = 0
    parameters = {"learning_rate": rate, "warm_start": True, **OPTIONS[option]}
    model = regressor(**parameters).fit(X, Y)
    if option not in ("layer_norm", "all"):  # which no weight is too large for
        assert model.rate_halvings_
    assert model.stop_reason_ == "max_iter"
    assert np.isfinite(model.predict(X)).all()
    if model.average:
        assert model._state.average.n == model._state.step


# -- Dropout ---------------------------------------------------------------------------


class Recording(SquaredError):
    """Remembers the targets of every batch."""

    def __init__(self):
        self.seen = []

    def value_and_gradient(self, y, raw, weight, gradient_out):
        self.seen.append(y.copy())
        return super().value_and_gradient(y, raw, weight, gradient_out)


@pytest.mark.parametrize("option", [{"dropout": 0.5}, {"input_dropout": 0.5}, DROPOUT])
def test_the_batches_are_the_same_with_dropout_and_without(option):
    losses = [Recording(), Recording()]
    for loss, parameters in zip(losses, ({}, option), strict=True):
        regressor(loss=loss, **parameters).fit(X, Y)
    for plain, dropped in zip(*(loss.seen for loss in losses), strict=True):
        np.testing.assert_array_equal(plain, dropped)


def test_dropout_of_nothing_is_no_dropout():
    plain = regressor().fit(X, Y)
    for nothing in (
        {"dropout": 0.0},
        {"dropout": [0.0, 0.0], "input_dropout": 0},
        {"dropout": 0.5, "input_dropout": 0.5, "dropout_schedule": lambda *_: 0.0},
    ):
        assert_same(regressor(**nothing).fit(X, Y), plain)


def test_one_rate_for_all_layers_is_one_for_each():
    assert_same(
        regressor(dropout=0.2).fit(X, Y), regressor(dropout=(0.2, 0.2)).fit(X, Y)
    )
    assert not np.array_equal(
        flat(regressor(dropout=(0.2, 0.0)).fit(X, Y)),
        flat(regressor(dropout=(0.0, 0.2)).fit(X, Y)),
    )


@pytest.mark.parametrize("name", ["dropout", "input_dropout", "average"])
def test_lbfgs_refuses_what_does_not_stand_still(name):
    with pytest.raises(ValueError, match=rf"^{name}=0\.5 needs .* such as 'adam'"):
        FFNNRegressor(solver="batch", **{name: 0.5}).fit(X, Y)


def test_lbfgs_takes_a_dropout_that_leaves_nothing_out():
    parameters = {"solver": "batch", "tol": 0.01, "random_state": 0}
    plain = FFNNRegressor((5,), **parameters).fit(X, Y)
    assert_same(FFNNRegressor((5,), dropout=[0.0], **parameters).fit(X, Y), plain)


def test_a_run_whose_dropout_follows_a_curve_is_meant_to_reach_its_end():
    model = FFNNRegressor(
        (5,), dropout=0.1, dropout_schedule="linear", max_iter=2, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y)


def test_a_schedule_may_not_raise_the_rate():
    for wrong in (2.0, -0.5):
        model = regressor(dropout=0.1, dropout_schedule=lambda *_, w=wrong: w)
        with pytest.raises(ValueError, match=r"dropout.* factor|'dropout_schedule'"):
            model.fit(X, Y)
    with pytest.raises(ValueError, match=r"'dropout_schedule' parameter .* class"):
        regressor(dropout=0.1, dropout_schedule=Recording).fit(X, Y)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"dropout_schedule": "linear"}, "dropout_schedule='linear'"),
        ({"hidden_layer_sizes": (), "dropout": 0.5}, r"dropout=0\.5"),
        ({"hidden_layer_sizes": (), "layer_norm": True}, "layer_norm=True"),
        ({"hidden_layer_sizes": (), "max_norm": 1.0}, r"max_norm=1\.0"),
        ({"solver": "batch", "max_norm": 1.0}, r"max_norm=1\.0"),
    ],
    ids=str,
)
def test_what_has_no_effect_is_named(parameters, named):
    with pytest.warns(UserWarning, match=f"No effect.*: {named}$"):
        FFNNRegressor(tol=0.1, max_iter=3, **parameters).fit(X, Y)


def test_the_exponent_has_an_effect_on_either_schedule():
    models = [
        regressor(dropout=0.3, dropout_schedule="invscaling", power_t=p)
        for p in (0.1, 2.0)
    ]
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "No effect")
        slow, fast = (model.fit(X, Y) for model in models)
    assert not np.array_equal(flat(slow), flat(fast))


# -- Layer normalisation ---------------------------------------------------------------


def test_gains_are_fitted_attributes():
    model = regressor(layer_norm=True).fit(X, Y)
    assert [gain.shape for gain in model.layer_norm_gains_] == [(8,), (6,)]
    assert not np.allclose(model.layer_norm_gains_[0], 1.0)
    model.layer_norm_gains_[1][...] = 0.0  # then only biases are left
    assert np.ptp(model.predict(X)) == pytest.approx(0.0, abs=1e-12)
    assert regressor().fit(X, Y).layer_norm_gains_ == []


def test_lbfgs_learns_with_layer_norm():
    model = FFNNRegressor((30,), solver="batch", layer_norm=True, random_state=0)
    assert model.fit(X, Y).score(X, Y) > 0.9


def test_a_fitted_network_stays_what_it_is():
    model = regressor(warm_start=True).fit(X, Y).set_params(layer_norm=True)
    with pytest.raises(ValueError, match=r"layer_norm=True, .* ask for another"):
        model.fit(X, Y)


# -- Norms of weights ------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [{}, {"average": True}, {"layer_norm": True}])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_hidden_unit_reads_with_longer_weights_than_allowed(dtype, parameters):
    model = regressor(max_norm=0.3, learning_rate_init=0.1, **parameters)
    for _ in range(4):
        model.partial_fit(X.astype(dtype), Y)
        norms = [np.linalg.norm(W, axis=0) for W in model.coefs_]
        assert all(norm.max() <= 0.3 * (1.0 + 1e-6) for norm in norms[:-1])
    assert norms[-1].max() > 0.3  # the output layer is free
    assert norms[0].max() == pytest.approx(0.3, rel=0.1)


def test_a_limit_that_nobody_reaches_changes_nothing():
    assert_same(regressor(max_norm=1e6).fit(X, Y), regressor().fit(X, Y))


# -- Averages --------------------------------------------------------------------------


def iterates(n, **parameters):
    """Return the parameters after each of `n` steps on all rows."""
    model = regressor(solver="batch", optimizer="adam", max_iter=n, **parameters)
    steps = [flat(model.partial_fit(X, Y)).copy() for _ in range(n)]
    return np.array(steps), model


@pytest.mark.parametrize("average", [True, 0.5, 0.9, 0.999])
def test_the_parameters_are_the_mean_of_the_iterates(average):
    steps, plain = iterates(20)
    means, model = iterates(20, average=average)
    for n in range(1, 21):
        weight = np.ones(n) if average is True else average ** np.arange(n)[::-1]
        expected = np.average(steps[:n], axis=0, weights=weight)
        np.testing.assert_allclose(means[n - 1], expected, rtol=1e-9, atol=1e-12)
    # The average looks on: training is the same.
    assert model.loss_curve_ == plain.loss_curve_
    np.testing.assert_array_equal(model._state.average.iterate, steps[-1])


@pytest.mark.parametrize("degree", [0.0, 1.0, 4.0, 30.0])
def test_a_polynomial_average_weighs_by_the_binomials(degree):
    # The recursion of Shamir and Zhang (2013), solved: iterate k of n counts in
    # proportion to (k + degree - 1 over degree), which is k^degree / degree! at length.
    steps, _ = iterates(20)
    means, _ = iterates(20, average=PolynomialAverage(degree))
    k = np.arange(1, 21)
    expected = np.average(steps, axis=0, weights=binom(k + degree - 1.0, degree))
    np.testing.assert_allclose(means[-1], expected, rtol=1e-9, atol=1e-12)


def test_the_last_iterates_make_up_most_of_a_polynomial_average():
    n, average = 3000, PolynomialAverage()
    share = np.zeros(n)
    for k in range(1, n + 1):
        share *= 1.0 - average.weight(k)
        share[k - 1] = average.weight(k)
    assert share.sum() == pytest.approx(1.0)
    last = share[-n // 30 :].sum()
    assert last == pytest.approx(1.0 - np.exp(-1.0), abs=0.03)


def test_an_average_can_be_begun_and_ended_at_any_time():
    steps, _ = iterates(3)
    model = regressor(solver="batch", optimizer="adam", max_iter=3)
    model.partial_fit(X, Y).set_params(average=True)
    model.partial_fit(X, Y).partial_fit(X, Y)
    np.testing.assert_allclose(flat(model), steps[1:].mean(axis=0), rtol=1e-9)
    model.set_params(average=False).partial_fit(X, Y)
    assert model._state.average is None


def test_an_average_begins_anew_after_another_optimizer():
    model = regressor(solver="batch", optimizer="adam", average=True, warm_start=True)
    model.fit(X, Y).set_params(optimizer="lbfgs", average=False).fit(X, Y)
    start = flat(model).copy()
    model.set_params(optimizer="sgd", average=True, learning_rate_init=1e-12)
    np.testing.assert_allclose(flat(model.fit(X, Y)), start, rtol=1e-6)


def test_a_fit_that_is_not_to_go_on_keeps_the_mean_only():
    model = regressor(average=True).fit(X, Y)
    assert model._state.average is None
    start = flat(model).copy()
    model.set_params(learning_rate_init=1e-12).partial_fit(X, Y)
    np.testing.assert_allclose(flat(model), start, rtol=1e-6)
    assert model._state.average.n == model._state.step / 5


@pytest.mark.parametrize("average", [True, 0.9])
def test_the_holdout_judges_the_average_and_gives_it_back(average):
    model = FFNNRegressor(
        (20,),
        average=average,
        early_stopping="auto",
        learning_rate_init=0.05,
        n_iter_no_change=3,
        random_state=0,
    ).fit(X[:80], Y[:80], X_val=X[80:], y_val=Y[80:])
    error = 0.5 * np.mean((model.predict(X[80:]) - Y[80:]) ** 2)
    assert model.stop_reason_ == "early_stopping"
    assert error == pytest.approx(-model.best_validation_score_)
    assert error == pytest.approx(min(model.validation_loss_curve_))


def test_an_average_calms_noisy_steps(cancer):
    X, y = cancer
    noisy, calm = (
        FFNNClassifier(
            (),
            solver="stochastic",
            learning_rate_init=0.1,
            max_iter=10,
            tol=0.0,
            average=average,
            random_state=0,
        )
        for average in (False, True)
    )
    losses = [
        -np.mean(model.fit(X, y).predict_log_proba(X)[np.arange(len(y)), y])
        for model in (noisy, calm)
    ]
    assert losses[1] < 0.7 * losses[0]
