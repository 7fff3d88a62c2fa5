"""What keeps weights small and steps short, and what ends a run early on purpose."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from plain import FFNNClassifier, FFNNRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import ElasticNet
from sklearn.preprocessing import scale

from skffnn._holdout import split_rows
from skffnn.core.optimizers import LBFGS, OPTIMIZERS

X, Y = (scale(part) for part in load_diabetes(return_X_y=True))
FIRST_ORDER = [name for name, cls in OPTIMIZERS.items() if cls is not LBFGS]


def flat(model):
    return np.concatenate([part.ravel() for part in model.coefs_ + model.intercepts_])


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_a_linear_model_is_scikit_learns_elastic_net(l1_ratio, as_sparse):
    expected = ElasticNet(alpha=0.2, l1_ratio=l1_ratio, tol=1e-10).fit(X, Y)
    model = FFNNRegressor(
        (),
        solver="batch",
        optimizer="adam",
        alpha=0.2,
        l1_ratio=l1_ratio,
        learning_rate="exponential",
        learning_rate_init=0.1,
        max_iter=800,
        tol=0.0,
        n_iter_no_change=800,
        random_state=0,
    ).fit(sp.csr_array(X) if as_sparse else X, Y)
    np.testing.assert_allclose(model.coefs_[0][:, 0], expected.coef_, atol=2e-3)
    np.testing.assert_allclose(model.intercepts_[0], expected.intercept_, atol=2e-3)


def test_l1_ratio_zero_is_the_penalty_on_squares():
    models = [
        FFNNRegressor((5,), max_time=None, tol=0.1, random_state=0, **parameters)
        for parameters in ({}, {"l1_ratio": 0.0}, {"l1_ratio": 0.5, "alpha": 1e-4})
    ]
    plain, zero, half = (flat(model.fit(X, Y)) for model in models)
    np.testing.assert_array_equal(plain, zero)
    assert not np.array_equal(plain, half)


def test_lbfgs_refuses_a_penalty_with_a_kink():
    with pytest.raises(ValueError, match=r"l1_ratio=0\.5 needs .* such as 'adam'"):
        FFNNRegressor(solver="batch", l1_ratio=0.5).fit(X, Y)
    without = FFNNRegressor(
        (), solver="batch", tol=0.01, alpha=0.0, l1_ratio=0.5, random_state=0
    )
    with pytest.warns(UserWarning, match=r"No effect.*l1_ratio=0\.5"):
        without.fit(X, Y)


def one_step(dtype=np.float64, **parameters):
    """Return the first step of full-batch gradient descent."""
    start, end = (
        FFNNRegressor(
            (10,),
            solver="batch",
            optimizer="sgd",
            momentum=0.0,
            learning_rate_init=rate,
            max_iter=1,
            random_state=0,
            **parameters,
        )
        for rate in (1e-30, 0.1)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start.fit(X.astype(dtype), Y)
        end.fit(X.astype(dtype), Y)
    return flat(end) - flat(start)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_long_gradient_is_shortened_in_its_own_direction(dtype):
    free = one_step(dtype)
    length = np.linalg.norm(free)
    clipped = one_step(dtype, max_grad_norm=0.5 * length / 0.1)
    np.testing.assert_allclose(
        clipped, 0.5 * free, rtol=1e-9 if dtype == np.float64 else 1e-2, atol=1e-7
    )
    np.testing.assert_array_equal(one_step(dtype, max_grad_norm=1e6), free)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_every_optimizer_that_takes_steps_has_its_gradient_clipped(name):
    solver = "batch" if name == "rprop" else "mini-batch"
    models = [
        FFNNRegressor(
            (5,),
            solver=solver,
            optimizer=name,
            max_grad_norm=limit,
            tol=1e9,
            n_iter_no_change=2,
            random_state=0,
        ).fit(X, Y)
        for limit in (None, 1e-3)
    ]
    free, clipped = map(flat, models)
    assert np.isfinite(clipped).all()
    if name != "rprop":  # it goes by the signs
        assert not np.array_equal(free, clipped)


def test_clipping_without_steps_has_no_effect_and_says_so():
    with pytest.warns(UserWarning, match=r"No effect.*max_grad_norm=1\.0"):
        FFNNRegressor(
            (), solver="batch", tol=0.01, max_grad_norm=1.0, random_state=0
        ).fit(X, Y)
    with pytest.warns(UserWarning, match=r"No effect.*l1_ratio=0\.5"):
        FFNNRegressor((), tol=0.1, alpha=0.0, l1_ratio=0.5, random_state=0).fit(X, Y)


@pytest.mark.parametrize("solver", ["batch", "mini-batch", "stochastic"])
def test_a_stop_by_time_is_no_error(solver):
    model = FFNNRegressor(
        (5,), solver=solver, max_time=1e-6, tol=0.0, max_iter=10**6, random_state=0
    ).fit(X, Y)
    assert (model.stop_reason_, model.n_iter_) == ("max_time", 1)
    assert np.isfinite(model.predict(X)).all()


def test_time_that_is_not_used_up_changes_nothing():
    data = load_iris(return_X_y=True)
    models = [
        FFNNClassifier((5,), max_time=t, tol=0.02, random_state=0) for t in (None, 600)
    ]
    none, plenty = (flat(model.fit(*data)) for model in models)
    np.testing.assert_array_equal(none, plenty)


def test_a_stop_by_time_restores_the_best_epoch_on_the_holdout():
    model = FFNNRegressor(
        early_stopping=True, max_time=0.2, n_iter_no_change=10**6, max_iter=10**6,
        learning_rate_init=0.05, random_state=0,
    ).fit(X, Y)  # fmt: skip
    assert model.stop_reason_ == "max_time"
    assert model.best_epoch_ < model.n_iter_
    _, rows = split_rows(len(Y), 0.1, None, model._state.seed)
    loss = 0.5 * np.mean((model.predict(X[rows]) - Y[rows]) ** 2)
    assert loss == pytest.approx(-model.best_validation_score_)
