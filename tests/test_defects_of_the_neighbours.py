"""What other networks for scikit-learn get wrong, and ours must not."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from plain import FFNNClassifier, FFNNRegressor
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_wine
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV

import skffnn
from skffnn._holdout import split_rows
from skffnn.core.objective import CHUNK

quiet = pytest.mark.filterwarnings("ignore:max_iter=")


def test_01_value_and_gradient_of_several_outputs_agree(diabetes):
    """L-BFGS needs about as many evaluations as iterations where they do."""
    X, y = diabetes
    Y = np.column_stack([y] * 4)
    evaluations = []

    class Counting(type(FFNNRegressor(tol=1.0).fit(X, Y)._loss)):
        def value_and_gradient(self, *args):
            evaluations.append(1)
            return super().value_and_gradient(*args)

    model = FFNNRegressor((20,), solver="batch", loss=Counting(), random_state=0)
    model.fit(X, Y)
    assert len(evaluations) < 1.5 * model.n_iter_ + 5


@quiet
def test_02_a_nan_loss_does_not_run_on(diabetes):
    X, y = diabetes
    with pytest.warns(UserWarning, match="diverged"):
        model = FFNNRegressor(optimizer="sgd", learning_rate_init=1e9).fit(X, y)
    assert model.n_iter_ < 5


def test_03_partial_fit_does_not_repeat_one_permutation(iris):
    X, y = iris
    model = FFNNClassifier(batch_size=10, random_state=0)
    orders = []

    class Spy(type(model.fit(X, y)._loss)):
        def value_and_gradient(self, target, *args):
            orders[-1].append(target.copy())
            return super().value_and_gradient(target, *args)

    model = FFNNClassifier(batch_size=10, random_state=0, loss=Spy())
    for _ in range(2):
        orders.append([])
        model.partial_fit(X, y, classes=[0, 1, 2])
    assert not np.array_equal(np.vstack(orders[0]), np.vstack(orders[1]))


def test_04_n_iter_counts(iris):
    model = FFNNClassifier(random_state=0)
    assert [model.partial_fit(*iris, classes=[0, 1, 2]).n_iter_ for _ in range(3)] == [
        1,
        2,
        3,
    ]


def test_05_a_batch_may_consist_of_rows_of_weight_zero(iris):
    X, y = iris
    weight = np.zeros(len(y))
    weight[::10] = 1.0
    model = FFNNClassifier(batch_size=5, shuffle=False, random_state=0, tol=0.01)
    assert np.isfinite(model.fit(X, y, sample_weight=weight).loss_)


@quiet
def test_06_the_penalty_does_not_depend_on_batch_size_or_weight_scale(diabetes):
    X, y = diabetes
    shrunken = [
        np.linalg.norm(
            FFNNRegressor((), alpha=1.0, batch_size=size, learning_rate_init=0.01,
                          optimizer="sgd", max_iter=100, random_state=0)
            .fit(X, y, sample_weight=np.full(len(y), scale)).coefs_[0]
        )
        for size, scale in [(20, 1.0), (200, 1.0), (20, 50.0)]
    ]  # fmt: skip
    np.testing.assert_allclose(shrunken, shrunken[0], rtol=0.05)


def test_07_early_stopping_goes_by_the_loss(cancer):
    model = FFNNClassifier(early_stopping=True, random_state=0).fit(*cancer)
    assert len(set(model.validation_scores_)) > 0.9 * model.n_iter_
    assert max(model.validation_scores_) < 0.0


@quiet
def test_08_a_warm_start_restores_its_best_weights(cancer):
    X, y = cancer
    model = FFNNClassifier(
        early_stopping=True, warm_start=True, random_state=0, learning_rate_init=0.05
    ).fit(X, y)
    model.set_params(learning_rate_init=0.3, n_iter_no_change=5).fit(X, y)
    assert model.best_validation_score_ > model.validation_scores_[-1]
    _, rows = split_rows(len(y), 0.1, y, model._state.seed)
    loss = log_loss(y[rows], model.predict_proba(X[rows]))
    assert loss == pytest.approx(-model.best_validation_score_)


def test_09_patience_is_exact(iris):
    for patience in (1, 3, 10):
        model = FFNNClassifier(tol=100.0, n_iter_no_change=patience).fit(*iris)
        assert model.n_iter_ == 1 + patience


def test_10_a_batch_without_a_class_goes_with_warm_start(iris):
    X, y = iris
    model = FFNNClassifier(warm_start=True, random_state=0)
    model.partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X[y < 2], y[y < 2])
    assert model.fit(X[y < 2], y[y < 2]).predict_proba(X).shape == (150, 3)


def test_11_a_warm_start_of_another_size_is_a_clear_error(iris):
    model = FFNNClassifier(warm_start=True, random_state=0).fit(*iris)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes=\(3,\)"):
        model.set_params(hidden_layer_sizes=(3,)).fit(*iris)


def test_12_an_option_without_effect_is_said(iris):
    with pytest.warns(UserWarning, match=r"No effect .*momentum=0\.5"):
        FFNNClassifier(momentum=0.5, random_state=0).fit(*iris)


@quiet
def test_13_lbfgs_has_a_loss_curve_and_keeps_float32(iris):
    X, y = iris
    model = FFNNClassifier(solver="batch", max_iter=5).fit(X.astype(np.float32), y)
    assert len(model.loss_curve_) == 5
    assert model.coefs_[0].dtype == np.float32


def test_14_log_probabilities_are_finite(iris):
    model = FFNNClassifier(random_state=0).fit(*iris)
    assert np.isfinite(model.predict_log_proba(1e4 * iris[0])).all()


def test_15_a_pickle_is_not_four_times_the_weights():
    X = np.random.default_rng(0).normal(size=(40, 500))
    model = FFNNRegressor((200,), early_stopping=True, tol=0.01, random_state=0)
    model.fit(X, X[:, 0])
    assert len(pickle.dumps(model)) < 1.2 * model._state.params.nbytes


def test_16_predict_does_not_hold_all_activations():
    import tracemalloc

    X = np.random.default_rng(0).normal(size=(30 * CHUNK, 5))
    model = FFNNRegressor((300,), tol=1.0, random_state=0).fit(X[:100], X[:100, 0])
    tracemalloc.start()
    model.predict(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.2 * len(X) * 300 * 8


def test_17_only_the_first_two_parameters_are_positional():
    with pytest.raises(TypeError, match="positional"):
        FFNNClassifier((5,), "relu", "batch")


def test_18_a_lone_class_member_and_a_float_size_have_clear_messages(iris):
    X, y = iris
    y = np.where(np.arange(150) == 0, 7, y)
    with pytest.warns(UserWarning, match="not stratified"):
        FFNNClassifier(early_stopping=True, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes.*\(10\.0,\)"):
        FFNNClassifier((10.0,)).fit(X, y)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_digits, load_diabetes])
@pytest.mark.parametrize("seed", [0, 1])
def test_19_the_defaults_do_not_warn(load, seed):
    raw = {"scaled": False} if load is load_diabetes else {}
    X, y = load(return_X_y=True, **raw)
    name = "FFNNRegressor" if load is load_diabetes else "FFNNClassifier"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        getattr(skffnn, name)(random_state=seed).fit(X, y)


def test_20_nullable_labels_stay_integers(iris):
    X, y = iris
    model = FFNNClassifier(random_state=0).fit(X, pd.Series(y, dtype="Int64"))
    assert model.predict(X).dtype == np.int64


@quiet
def test_21_nothing_is_densified_or_reshaped_unasked(iris):
    X, y = iris
    model = FFNNRegressor(max_iter=1, random_state=0).fit(sp.csr_array(X), y.tolist())
    assert model.predict(sp.csr_array(X)).shape == y.shape


@quiet
def test_22_no_state_leaks_between_the_folds_of_a_search(iris):
    search = GridSearchCV(
        FFNNClassifier(max_iter=3, warm_start=True, random_state=0),
        {"alpha": [1e-3, 1e-3]}, cv=3,
    ).fit(*iris)  # fmt: skip
    scores = np.array([search.cv_results_[f"split{i}_test_score"] for i in range(3)])
    np.testing.assert_array_equal(scores[:, 0], scores[:, 1])
    assert search.best_estimator_.n_iter_ == 3


@quiet
def test_23_sparse_features_weights_and_partial_fit_are_taken_together(iris):
    X, y = iris
    weight = np.linspace(0.5, 2.0, len(y))
    model = FFNNClassifier(random_state=0)
    model.partial_fit(sp.csr_matrix(X), y, classes=[0, 1, 2], sample_weight=weight)
    assert model.n_iter_ == 1
