import gc
import warnings
import weakref

import numpy as np
import pytest
from plain import FFNNClassifier, FFNNRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, r2_score

import skffnn
from skffnn._holdout import split_rows


def test_the_best_epoch_is_restored(cancer):
    X, y = cancer
    model = FFNNClassifier(
        early_stopping=True, random_state=0, learning_rate_init=0.02
    ).fit(X, y)
    _, holdout = split_rows(len(y), 0.1, y, model._state.seed)
    score = -log_loss(y[holdout], model.predict_proba(X[holdout]))
    assert score == pytest.approx(model.best_validation_score_, rel=1e-12)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.stop_reason_ == "early_stopping"
    assert len(model.validation_scores_) == model.n_iter_


@pytest.mark.parametrize("solver", ["batch", "mini-batch", "stochastic"])
def test_every_solver_stops_early(diabetes, solver):
    X, y = diabetes
    model = FFNNRegressor(
        solver=solver, early_stopping=True, random_state=0, hidden_layer_sizes=(50,)
    ).fit(X, y)
    assert model.stop_reason_ == "early_stopping"
    assert model.n_iter_ < model.max_iter


def test_the_hold_out_has_the_classes_in_proportion():
    y = np.repeat([0, 1, 2], [60, 30, 10])
    train, holdout = split_rows(100, 0.2, y, seed=0)
    np.testing.assert_array_equal(np.bincount(y[holdout]), [12, 6, 2])
    np.testing.assert_array_equal(np.sort(np.r_[train, holdout]), np.arange(100))


def test_held_out_rows_are_not_trained_on(cancer):
    X, y = cancer
    parameters = {"early_stopping": True, "random_state": 0, "max_iter": 5}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = FFNNClassifier(**parameters).fit(X, y)
        _, holdout = split_rows(len(y), 0.1, y, model._state.seed)
        moved = X.copy()
        moved[holdout] += 100.0
        other = FFNNClassifier(**parameters).fit(moved, y)
    assert other.loss_curve_ == model.loss_curve_
    assert other.validation_scores_ != model.validation_scores_


def test_a_class_with_one_member_is_warned_of_and_does_not_break(iris):
    X, y = iris
    y = y.copy()
    y[0] = 3
    with pytest.warns(UserWarning, match="not stratified"):
        model = FFNNClassifier(early_stopping=True, random_state=0).fit(X, y)
    assert list(model.classes_) == [0, 1, 2, 3]


def test_no_row_left_to_train_on_is_an_error():
    with pytest.raises(ValueError, match=r"validation_fraction=0\.9.*n_samples=1"):
        FFNNRegressor(early_stopping=True, validation_fraction=0.9).fit([[1.0]], [1.0])


def test_partial_fit_is_not_offered():
    model = FFNNClassifier(early_stopping=True)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit") as error:
        model.partial_fit([[0.0]], [0], classes=[0, 1])
    assert "early_stopping=True" in str(error.value.__cause__)


def test_a_warm_start_keeps_its_hold_out(cancer):
    X, y = cancer
    seen = []

    def scorer(estimator, X, y):
        seen.append(X)
        return estimator.score(X, y)

    model = FFNNClassifier(
        early_stopping=True, warm_start=True, scoring=scorer, max_iter=2, random_state=0
    )
    for n_epochs in (2, 4):
        with pytest.warns(ConvergenceWarning, match="max_iter=2"):
            model.fit(X, y)
        assert model.n_iter_ == n_epochs
    assert len(seen) > 3
    assert all(np.array_equal(rows, seen[0]) for rows in seen)


def test_a_warm_start_with_the_same_data_and_parameters_has_nothing_to_do(cancer):
    X, y = cancer
    model = FFNNClassifier(warm_start=True, random_state=0).fit(X, y)
    assert model.stop_reason_ == "converged"
    before, epochs = model.coefs_[0].copy(), model.n_iter_
    model.fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], before)
    assert model.n_iter_ == epochs
    assert model.set_params(tol=1e-6).fit(X, y).n_iter_ > epochs


def test_patience_is_exact(iris):
    X, y = iris
    model = FFNNClassifier(tol=100.0, n_iter_no_change=3, random_state=0).fit(X, y)
    # The first epoch has nothing to improve upon; three more do not improve on it.
    assert model.n_iter_ == 4
    assert model.stop_reason_ == "converged"


@pytest.mark.filterwarnings("ignore:max_iter=")
@pytest.mark.parametrize("n_rows", [10_000, 10_001])
def test_auto_holds_out_rows_where_there_are_many(n_rows):
    X = np.random.default_rng(0).normal(size=(n_rows, 2))
    model = FFNNRegressor((2,), early_stopping="auto", max_iter=1).fit(X, X[:, 0])
    assert model.do_early_stopping_ is (n_rows > 10_000)
    assert (model.validation_scores_ is not None) is model.do_early_stopping_


def test_auto_never_holds_out_rows_in_partial_fit():
    X = np.random.default_rng(0).normal(size=(10_001, 2))
    model = FFNNRegressor((2,), early_stopping="auto", random_state=0)
    assert model.partial_fit(X, X[:, 0]).do_early_stopping_ is False
    assert model.validation_scores_ is None


# -- What a closer look has found ------------------------------------------------------


@pytest.mark.filterwarnings("ignore:max_iter=", "ignore:Training diverged")
def test_a_warm_start_keeps_what_the_hold_out_liked_better(diabetes):
    X, y = diabetes
    own = {"X_val": X[300:], "y_val": y[300:]}
    model = FFNNRegressor((30,), warm_start=True, early_stopping=True, random_state=0)
    model.fit(X[:300], y[:300], **own)
    before, epoch = model.predict(X), model.best_epoch_
    model.set_params(learning_rate_init=1.0, max_iter=3).fit(X[:300], y[:300], **own)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.best_epoch_ == epoch
    assert model.best_validation_score_ == model.validation_scores_[epoch - 1]
    model.set_params(early_stopping=False, learning_rate_init=1e-3)
    model.fit(X[:300], y[:300])
    assert model.best_epoch_ is None


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_a_warm_start_with_nothing_to_do_keeps_its_best_epoch(iris):
    model = FFNNClassifier(
        (8,), warm_start=True, early_stopping=True, learning_rate_init=0.02,
        random_state=0,
    ).fit(*iris)  # fmt: skip
    epoch = model.best_epoch_
    assert model.fit(*iris).best_epoch_ == epoch > 0


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_what_judges_is_named_where_nothing_is_held_out(diabetes):
    X, y = diabetes
    halves = [(np.arange(200), np.arange(200, 299))]
    model = FFNNRegressor(
        early_stopping="auto", validation_split=halves, scoring="r2", refit=True,
        max_iter=1, random_state=0,
    )  # fmt: skip
    with pytest.warns(UserWarning, match=r"No effect.*scoring='r2', validation_split="):
        model.fit(X[:299], y[:299])


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_a_stream_that_diverges_goes_back_one_call_only(diabetes):
    X, y = diabetes
    own = {"X_val": X[300:], "y_val": y[300:]}
    model = FFNNRegressor(
        (30,), "relu", optimizer="sgd", early_stopping="auto", n_iter_no_change=50,
        learning_rate_init=0.05, random_state=0,
    )  # fmt: skip
    for _ in range(30):
        model.partial_fit(X[:300], y[:300], **own)
    before = model.coefs_[0].copy()
    with pytest.warns(UserWarning, match="diverged"):
        model.partial_fit(1e200 * X[:300], y[:300], **own)
    np.testing.assert_array_equal(model.coefs_[0], before)


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_a_target_of_the_hold_out_is_named(diabetes):
    X, y = diabetes
    counts = np.abs(np.round(y)) + 1.0
    model = FFNNRegressor(loss="poisson", early_stopping=True, max_iter=1)
    with pytest.raises(ValueError, match=r"In X_val, y_val .* got -3\.0"):
        model.fit(X, counts, X_val=X, y_val=np.where(counts > 1.0, -3.0, counts))


@pytest.mark.parametrize("parameters", [{}, {"scoring": "accuracy"}, {"refit": True}])
def test_the_data_do_not_outlive_the_fit(iris, parameters):
    X = iris[0].copy()
    data = weakref.ref(X)
    model = FFNNClassifier(early_stopping=True, max_iter=5, random_state=0)
    model.set_params(**parameters)
    gc.collect()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, iris[1])
        del X
        assert data() is None
    finally:
        gc.enable()


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_a_scorer_judges_what_predict_returns(diabetes):
    X, y = diabetes
    y = 1e8 + y  # float32 has steps of eight there
    model = skffnn.FFNNRegressor(
        (8,), scoring="r2", early_stopping=True, max_iter=5, random_state=0
    )
    model.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    assert model.best_validation_score_ == model.score(X[300:], y[300:])
    before = model.predict(X)
    assert before.dtype == np.float64
    model.set_params(early_stopping="auto")
    model.partial_fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    assert model.validation_scores_[-1] == pytest.approx(
        r2_score(y[300:], model.predict(X[300:])), abs=1e-9
    )


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_a_scorer_that_refuses_missing_targets_is_named(diabetes):
    X, y = diabetes
    y = np.column_stack([y, y])
    y[::3, 0] = np.nan
    model = FFNNRegressor(
        (4,), missing_targets="ignore", early_stopping=True, scoring="r2", max_iter=3
    )
    with pytest.raises(ValueError, match=r"scoring='r2' cannot judge the .*: Input"):
        model.fit(X, y)
    own = model.set_params(scoring=lambda estimator, X, y: estimator.score(X, y))
    assert len(own.fit(X, y).validation_scores_) == 3


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_a_hold_out_smaller_than_the_classes_is_not_stratified():
    X = np.random.default_rng(0).standard_normal((60, 2))
    y = np.arange(60) % 10
    model = FFNNClassifier((4,), early_stopping=True, max_iter=2)
    with pytest.warns(UserWarning, match="not stratified: 6 of 60 rows cannot .* 10"):
        model.fit(X, y)


@pytest.mark.parametrize("warm_start", [False, True])
def test_patience_with_a_hold_out_is_none_without_one(diabetes, warm_start):
    X, y = diabetes
    model = FFNNRegressor(
        early_stopping=True, scoring="r2", warm_start=warm_start, random_state=0
    ).fit(X, y)
    assert model.best_validation_score_ > 0.0  # no loss is below minus this
    model.set_params(early_stopping="auto")
    for _ in range(model.n_iter_no_change + 1):
        model.partial_fit(X, y)
    assert model.stop_reason_ != "converged"


def test_a_lowered_rate_is_that_of_one_fit(diabetes):
    X, y = diabetes
    model = FFNNRegressor(
        solver="mini-batch", optimizer="sgd", learning_rate="adaptive", tol=0.1,
        n_iter_no_change=2, random_state=0,
    ).fit(X, y)  # fmt: skip
    assert model.stop_reason_ == "converged"
    model.partial_fit(X, y)
    assert model._state.rate == model.learning_rate_init_


def test_after_a_refit_curves_go_on_at_the_right_epoch(diabetes):
    X, y = diabetes
    model = FFNNRegressor(
        early_stopping=True, refit=True, learning_rate_init=0.02, random_state=0
    ).fit(X, y)
    assert len(model.validation_scores_) > model.n_iter_
    model.set_params(early_stopping="auto")
    model.partial_fit(X, y, X_val=X[:50], y_val=y[:50])
    assert len(model.validation_scores_) == model.n_iter_
    assert len(model.validation_loss_curve_) == len(model.loss_curve_)


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_missing_targets_are_no_weights_that_a_scorer_should_take(diabetes):
    X, y = diabetes[0], diabetes[1].copy()
    y[::10] = np.nan
    model = FFNNRegressor(
        missing_targets="ignore", early_stopping=True, max_iter=5, random_state=0,
        scoring=lambda model, X, y: r2_score(y, model.predict(X)),
    )  # fmt: skip
    there = ~np.isnan(y)
    model.fit(X, y)  # a warning would be an error
    model.fit(X, y, X_val=X, y_val=y)
    scores = model.validation_scores_
    model.fit(X[there], y[there], X_val=X[there], y_val=y[there])
    assert model.validation_scores_ == scores
