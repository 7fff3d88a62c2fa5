"""n_members, input_scale and layer_rates through the estimators."""

import copy
import pickle
import warnings
from typing import ClassVar

import numpy as np
import pytest
import scipy.sparse as sp
from plain import FFNNClassifier, FFNNRegressor
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.preprocessing import scale

import skffnn
from skffnn import Checkpoint
from skffnn.core.layer_rates import FanIn, LayerRates
from skffnn.core.losses import LOSSES, SquaredError
from skffnn.core.optimizers import LBFGS, OPTIMIZERS
from skffnn.core.schedules import Schedule

pytestmark = pytest.mark.filterwarnings("ignore:max_iter=")

X, Y = (scale(part)[:120] for part in load_diabetes(return_X_y=True))
STEPPERS = [name for name, cls in OPTIMIZERS.items() if cls is not LBFGS]
MEMBERS = {"n_members": 3, "input_scale": True}
OPTIONS = {
    "members": {"n_members": 3},
    "members with scales": MEMBERS,
    "scale": {"input_scale": True},
    "rates": {"layer_rates": "fan_in"},
    "all": {
        **MEMBERS,
        "layer_rates": "fan_in",
        "layer_norm": True,
        "dropout": 0.2,
        "input_dropout": 0.1,
        "max_norm": 2.0,
        "average": True,
    },
}
every_option = pytest.mark.parametrize("option", OPTIONS)
SPARSE = sp.csr_array(np.where(np.abs(X) > 0.5, X, 0.0))
FORMS = {"dense": X, "float32": X.astype(np.float32), "sparse": SPARSE}
every_form = pytest.mark.parametrize("form", FORMS)
WEIGHT = np.random.default_rng(0).uniform(0.5, 2.0, len(X))


def regressor(**parameters):
    """Return one that trains for all of its epochs."""
    return FFNNRegressor(
        tol=0.0,
        n_iter_no_change=10**6,
        random_state=0,
        **{"hidden_layer_sizes": (8, 6), "max_iter": 4, **parameters},
    )


def classifier(**parameters):
    return FFNNClassifier(
        (8,),
        tol=0.0,
        n_iter_no_change=10**6,
        random_state=0,
        **{"max_iter": 4, **MEMBERS, **parameters},
    )


def flat(model):
    return model._state.params


def assert_same(model, expected):
    np.testing.assert_array_equal(flat(model), flat(expected))
    assert model.loss_curve_ == expected.loss_curve_


def by_hand(coefs, intercepts, X):
    """Feed X forward through rectifiers."""
    a = X
    for W, b in zip(coefs[:-1], intercepts[:-1], strict=True):
        a = np.maximum(a @ W + b, 0.0)
    return (a @ coefs[-1] + intercepts[-1])[:, 0]


# -- Each option keeps the promises of the house ---------------------------------------


@every_option
def test_it_changes_the_model(option):
    model, plain = regressor(**OPTIONS[option]).fit(X, Y), regressor().fit(X, Y)
    assert not np.allclose(model.predict(X), plain.predict(X))


@pytest.mark.parametrize(
    "default", [{"n_members": 1}, {"input_scale": False}, {"layer_rates": "equal"}]
)
def test_the_neutral_value_changes_nothing(default):
    assert_same(regressor(**default).fit(X, Y), regressor().fit(X, Y))


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


@every_option
def test_k_epochs_are_a_chain_of_warm_starts(option):
    whole = regressor(**OPTIONS[option]).fit(X, Y)
    chain = regressor(**OPTIONS[option], warm_start=True).set_params(max_iter=2)
    assert_same(chain.fit(X, Y).fit(X, Y), whole)


@pytest.mark.parametrize(
    "through", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
@every_option
def test_a_copy_goes_on_as_the_model_itself(option, through):
    model = regressor(**OPTIONS[option]).partial_fit(X, Y)
    again = through(model)
    assert_same(again.partial_fit(X, Y), model.partial_fit(X, Y))


class Killed(Exception):
    pass


class Dies(Schedule):
    """A constant rate; of all calls the one whose number is `at` raises."""

    calls = 0
    at = None

    def __call__(self, step, n_steps):
        Dies.calls += 1
        if Dies.calls == Dies.at:
            raise Killed
        return 1.0


@every_option
def test_a_fit_that_was_killed_goes_on(option, tmp_path):
    model = regressor(**OPTIONS[option], learning_rate=Dies())
    whole = clone(model).fit(X, Y)
    file = tmp_path / "fit.npz"
    model.set_params(checkpoint=Checkpoint(file, every_epochs=1))
    Dies.calls, Dies.at = 0, 10
    try:
        with pytest.raises(Killed):
            clone(model).fit(X, Y)
    finally:
        Dies.at = None
    assert file.exists()
    assert_same(clone(model).fit(X, Y), whole)


@every_option
def test_sparse_is_dense(option):
    # Of sparse X, dropout leaves out stored entries: other draws.
    parameters = {k: v for k, v in OPTIONS[option].items() if k != "input_dropout"}
    dense = regressor(**parameters).fit(SPARSE.toarray(), Y)
    sparse = regressor(**parameters).fit(SPARSE, Y)
    np.testing.assert_allclose(flat(sparse), flat(dense), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(sparse.predict(SPARSE), dense.predict(SPARSE.toarray()))


@every_option
def test_random_state_determines_all(option):
    first, second = (regressor(**OPTIONS[option]).fit(X, Y) for _ in range(2))
    assert_same(second, first)
    other = regressor(**OPTIONS[option]).set_params(random_state=1).fit(X, Y)
    assert not np.array_equal(flat(other), flat(first))


@pytest.mark.parametrize("optimizer", STEPPERS)
@every_option
def test_every_optimizer_takes_it(option, optimizer):
    batch = optimizer == "rprop"
    if batch and "n_members" in OPTIONS[option]:
        pytest.skip("members need mini-batches, rprop needs all rows")
    solver = "batch" if batch else "mini-batch"
    model = regressor(solver=solver, optimizer=optimizer, **OPTIONS[option])
    assert model.fit(X, Y).stop_reason_ == "max_iter"
    assert np.isfinite(model.predict(X)).all()


@every_option
def test_a_common_factor_of_weights_changes_nothing(option):
    models = [
        regressor(**OPTIONS[option]).fit(X, Y, sample_weight=factor * WEIGHT)
        for factor in (1.0, 8.0)
    ]
    np.testing.assert_allclose(flat(models[1]), flat(models[0]), rtol=1e-9, atol=1e-12)
    unweighted = regressor(**OPTIONS[option]).fit(X, Y)
    assert not np.allclose(flat(models[0]), flat(unweighted))


# -- Members ---------------------------------------------------------------------------


@pytest.mark.parametrize("input_scale", [False, True])
def test_predictions_follow_from_coefs_and_intercepts(input_scale):
    model = regressor(n_members=3, input_scale=input_scale).fit(X, Y)
    first, middle, last = model.coefs_
    assert first.shape == ((3, 10, 8) if input_scale else (10, 8))
    assert [middle.shape, last.shape] == [(8, 6), (3, 6, 1)]
    assert [b.shape for b in model.intercepts_] == [(8,), (6,), (3, 1)]
    *shared, own = model.intercepts_
    members = [
        by_hand(
            [first[m] if input_scale else first, middle, last[m]], [*shared, own[m]], X
        )
        for m in range(3)
    ]
    np.testing.assert_allclose(model.predict(X), np.mean(members, axis=0), rtol=1e-10)
    assert np.std(members, axis=0).min() > 0.0


def test_scaled_features_are_folded_into_coefs():
    model = regressor(input_scale=True).fit(X, Y)
    assert [W.shape for W in model.coefs_] == [(10, 8), (8, 6), (6, 1)]
    expected = by_hand(model.coefs_, model.intercepts_, X)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-10)
    (scale_,) = model._network.layout.groups(flat(model))["scales"]
    assert not np.allclose(scale_, 1.0)


TARGETS = {
    "binary": (Y > 0.0).astype(int),
    "multiclass": np.digitize(Y, [-0.5, 0.5]),
    "multilabel": np.column_stack([Y > 0.0, X[:, 2] > 0.0, Y < -0.5]).astype(int),
}


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_of_classes(kind, dtype):
    y, rows = TARGETS[kind], X.astype(dtype)
    model = classifier(max_iter=60, learning_rate_init=0.02).fit(rows, y)
    p, log_p, labels = (
        method(rows)
        for method in (model.predict_proba, model.predict_log_proba, model.predict)
    )
    assert p.dtype == log_p.dtype == dtype
    assert np.isfinite(log_p).all()
    np.testing.assert_allclose(np.exp(log_p), p, rtol=1e-5)
    if kind == "multilabel":
        np.testing.assert_array_equal(labels, p > 0.5)
    else:
        np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-5)
        np.testing.assert_array_equal(labels, model.classes_[p.argmax(axis=1)])
    assert model.score(rows, y) > (0.3 if kind == "multilabel" else 0.6)
    far = model.predict_log_proba(rows * 1e4)
    assert np.isfinite(far).all()


@pytest.mark.parametrize("kind", TARGETS)
def test_probabilities_are_the_mean_of_those_of_the_members(kind):
    model = classifier().fit(X, TARGETS[kind])
    first, last = model.coefs_
    shared, own = model.intercepts_
    members = []
    for m in range(3):
        raw = np.maximum(X @ first[m] + shared, 0.0) @ last[m] + own[m]
        members.append(model._loss.link.inverse(raw))
    expected = np.mean(members, axis=0)
    if kind == "binary":
        expected = np.hstack([1.0 - expected, expected])
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-9)


def test_several_targets():
    y = np.column_stack([Y, X[:, 0], -Y])
    model = regressor(**MEMBERS, max_iter=60, learning_rate_init=0.02).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert model.coefs_[-1].shape == (3, 6, 3)
    assert model.score(X, y) > 0.5


def test_a_standard_deviation_is_that_of_the_mixture():
    model = regressor(**MEMBERS, loss="gaussian_nll").fit(X, Y)
    raw = [
        model._network.raw(X, flat(model), 50, lambda raw, m=m: raw[m])
        for m in range(3)
    ]
    means, log_variances = np.array(raw).transpose(2, 0, 1)
    mean, std = model.predict(X, return_std=True)
    np.testing.assert_allclose(mean, means.mean(axis=0))
    variance = np.exp(log_variances).mean(axis=0) + means.var(axis=0)
    np.testing.assert_allclose(std, np.sqrt(variance))


def test_quantiles_never_cross():
    model = regressor(**MEMBERS, loss="quantile", quantile=(0.1, 0.5, 0.9)).fit(X, Y)
    prediction = model.predict(X)
    assert prediction.shape == (len(X), 3)
    assert (np.diff(prediction, axis=1) >= 0.0).all()


@pytest.mark.parametrize("parameters", [{}, {"average": 0.9}])
@pytest.mark.parametrize("scoring", ["loss", "neg_log_loss"])
def test_a_score_of_the_holdout_is_of_pooled_predictions_its_loss_is_not(
    scoring, parameters
):
    y = TARGETS["multiclass"]
    model = FFNNClassifier(
        (20,),
        **MEMBERS,
        early_stopping="auto",
        scoring=scoring,
        learning_rate_init=0.05,
        n_iter_no_change=3,
        random_state=0,
        **parameters,
    ).fit(X[:80], y[:80], X_val=X[80:], y_val=y[80:])
    assert model.stop_reason_ == "early_stopping"
    pooled = log_loss(y[80:], model.predict_proba(X[80:]))
    loss = model.validation_loss_curve_[model.best_epoch_ - 1]
    assert pooled < loss < 2.0 * pooled
    expected = pooled if scoring == "neg_log_loss" else loss
    assert -model.best_validation_score_ == pytest.approx(expected)


def test_rows_held_out_in_order_of_their_class_go_to_all_members():
    class Judging(LOSSES["log_loss"]["multiclass"]):
        seen: ClassVar[list] = []

        def value_and_gradient(self, y, raw, weight, gradient_out):
            self.seen.append(y.argmax(axis=1))
            return super().value_and_gradient(y, raw, weight, gradient_out)

    order = np.argsort(TARGETS["multiclass"], kind="stable")
    y = TARGETS["multiclass"][order]
    model = FFNNClassifier(
        (20,), **MEMBERS, loss=Judging(), max_iter=1, batch_size=32,
        early_stopping=True, random_state=0,
    )  # fmt: skip
    model.fit(X, TARGETS["multiclass"], X_val=X[order], y_val=y)
    held_out = [seen for seen in Judging.seen if len(seen) == len(X)]
    assert held_out
    for seen in held_out:
        for rows in np.split(seen, 3):
            assert set(rows) == {0, 1, 2}


class Recording(SquaredError):
    """Remembers the targets of every batch, of which the first are a member's."""

    def __init__(self):
        self.seen = []

    def value_and_gradient(self, y, raw, weight, gradient_out):
        self.seen.append(y[:, 0].copy())
        return super().value_and_gradient(y, raw, weight, gradient_out)


def test_rows_of_a_single_batch_are_dealt_out_anew_in_each_epoch():
    loss = Recording()
    regressor(**MEMBERS, loss=loss, batch_size=len(X)).fit(X, Y)
    batches = [seen for seen in loss.seen if len(seen) == len(X)][:4]
    first_member = [tuple(sorted(batch[:40])) for batch in batches]
    assert len(set(first_member)) == 4
    for batch in batches:
        np.testing.assert_array_equal(np.sort(batch), np.sort(Y))


def test_without_hidden_layers_there_is_one_member():
    model = regressor(hidden_layer_sizes=())
    expected = model.fit(X, Y).predict(X)
    with pytest.warns(UserWarning, match="No effect with .*: n_members=4"):
        model.set_params(n_members=4).fit(X, Y)
    assert model.n_members_ == 1
    np.testing.assert_array_equal(model.predict(X), expected)
    assert skffnn.FFNNRegressor((), max_iter=2).fit(X, Y).n_members_ == 1


@pytest.mark.parametrize("size", [1, 2])
def test_batches_of_fewer_rows_than_members_are_named(size):
    model = regressor(n_members=3, batch_size=3, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(X, Y)
    model.set_params(batch_size=size)
    message = f"Batches of {size} rows are fewer than the n_members=3 members"
    with pytest.warns(ConvergenceWarning, match=message):
        model.partial_fit(X, Y)
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "batch"},
        {"solver": "batch", "optimizer": "adam"},
        {"solver": "stochastic"},
        {"shuffle": False},
    ],
    ids=str,
)
def test_members_need_rows_that_are_dealt_out(parameters):
    model = regressor(n_members=3).fit(X, Y)
    before = model.predict(X)
    with pytest.raises(ValueError, match=r"^n_members=3 needs solver='mini-batch' and"):
        model.set_params(**parameters).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), before)


def test_without_hidden_layers_there_is_nothing_to_share():
    with pytest.warns(UserWarning, match="No effect.*: n_members=3$"):
        model = regressor(hidden_layer_sizes=(), n_members=3).fit(X, Y)
    assert [W.shape for W in model.coefs_] == [(10, 1)]


@pytest.mark.parametrize("change", [{"n_members": 2}, {"input_scale": False}])
def test_a_fitted_network_stays_what_it_is(change):
    model = regressor(**MEMBERS, warm_start=True).fit(X, Y)
    ((name, value),) = change.items()
    with pytest.raises(ValueError, match=f"{name}={value}.* ask for another"):
        model.set_params(**change).fit(X, Y)


# -- Rates of layers -------------------------------------------------------------------


def test_a_rule_may_be_an_object():
    named, default = (
        regressor(layer_rates=rates, input_scale=True).fit(X, Y)
        for rates in ("fan_in", FanIn())
    )
    assert_same(default, named)
    other = regressor(layer_rates=FanIn(bias=1.0), input_scale=True).fit(X, Y)
    assert not np.array_equal(flat(other), flat(named))
    assert clone(other).layer_rates == FanIn(bias=1.0)


class FrozenFirst(LayerRates):
    def factors(self, layout):
        n_layers = len(layout.shapes["weights"])
        of_layers = [0.0] + [1.0] * (n_layers - 1)
        return {"weights": of_layers, "biases": of_layers}


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("name", STEPPERS)
def test_a_layer_that_is_frozen_after_some_training_stays_where_it_is(name, average):
    solver = "batch" if name == "rprop" else "mini-batch"
    model = regressor(
        hidden_layer_sizes=(8,), solver=solver, optimizer=name, warm_start=True,
        average=average, max_iter=5,
    ).fit(X, Y)  # fmt: skip
    W, V = (weights.copy() for weights in model.coefs_)
    model.set_params(layer_rates=FrozenFirst()).fit(X, Y)
    np.testing.assert_allclose(model.coefs_[0], W, rtol=1e-12)
    assert not np.allclose(model.coefs_[1], V)


def test_an_average_of_another_kind_begins_anew():
    model = regressor(average=0.9, warm_start=True, max_iter=20).fit(X, Y)
    model.set_params(average=True, max_iter=1).fit(X, Y)
    state = model._state
    assert state.average.n == state.step / 21


@pytest.mark.parametrize("field", ["bias", "scale"])
@pytest.mark.parametrize("value", [0.0, -1.0, np.inf])
def test_factors_must_be_positive_and_finite(field, value):
    with pytest.raises(ValueError, match=rf"{field} of FanIn .*\(0, inf\)"):
        FanIn(**{field: value})


def test_lbfgs_has_no_rate():
    with pytest.warns(UserWarning, match="No effect.*: layer_rates='fan_in'$"):
        FFNNRegressor(
            (3,), solver="batch", layer_rates="fan_in", tol=0.1, random_state=0
        ).fit(X, Y)


def test_lbfgs_learns_scales():
    model = FFNNRegressor((10,), solver="batch", input_scale=True, random_state=0)
    assert model.fit(X, Y).score(X, Y) > 0.8


def test_learned_scales_turn_useless_features_down():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 6))
    y = rows[:, 0] - np.abs(rows[:, 1])
    model = FFNNRegressor(
        (30,),
        input_scale=True,
        layer_rates=FanIn(scale=30.0),
        random_state=0,
        max_iter=100,
    ).fit(rows, y)
    scales = np.abs(model._network.layout.groups(flat(model))["scales"][0][0])
    assert scales[2:].max() < 0.5 * scales[:2].min()
