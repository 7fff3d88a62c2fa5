"""What judges early stopping: loss or scorer; fraction, splitter or own rows; refit."""

import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from plain import FFNNClassifier, FFNNRegressor
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    get_scorer,
    make_scorer,
    max_error,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    PredefinedSplit,
    TimeSeriesSplit,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import _base
from skffnn._holdout import split_rows
from skffnn.core.training import train

pytestmark = pytest.mark.filterwarnings("ignore:max_iter=")
EAGER = {"early_stopping": True, "learning_rate_init": 0.02, "random_state": 0}
STOPPING = {"early_stopping": True, "random_state": 0}
ESTIMATORS = [FFNNClassifier, FFNNRegressor]


def flat(model):
    return np.concatenate([a.ravel() for a in (*model.coefs_, *model.intercepts_)])


def held_out(model, X, y):
    strata = y if isinstance(model, FFNNClassifier) else None
    _, rows = split_rows(len(y), 0.1, strata, model._state.seed)
    return X[rows], y[rows], rows


@pytest.mark.parametrize(
    "scoring", ["accuracy", "roc_auc", "neg_log_loss", "average_precision"]
)
def test_the_epoch_with_the_best_score_is_restored(cancer, scoring):
    X, y = cancer
    model = FFNNClassifier(scoring=scoring, **EAGER).fit(X, y)
    X_out, y_out, _ = held_out(model, X, y)
    score = get_scorer(scoring)(model, X_out, y_out)
    assert score == model.best_validation_score_ == max(model.validation_scores_)
    assert model.validation_scores_[model.best_epoch_ - 1] == score
    assert model.n_iter_ > model.best_epoch_ or model.validation_scores_[-1] == score


def test_restoring_changes_the_parameters(cancer):
    """The best epoch is not the last one, and its parameters are another vector."""
    X, y = cancer
    model = FFNNClassifier(scoring="neg_log_loss", **EAGER).fit(X, y)
    last = FFNNClassifier(scoring="neg_log_loss", max_iter=model.best_epoch_, **EAGER)
    assert model.best_epoch_ < model.n_iter_
    np.testing.assert_array_equal(flat(model), flat(last.fit(X, y)))
    assert last.best_epoch_ == last.n_iter_


def test_of_equal_scores_the_last_epoch_is_restored(cancer):
    X, y = cancer
    model = FFNNClassifier(scoring=lambda *_: 0.5, n_iter_no_change=3, **STOPPING)
    model.fit(X, y)
    assert (model.best_epoch_, model.n_iter_) == (4, 4)


@pytest.mark.parametrize("patience", [1, 3, 10])
def test_patience_with_a_score_is_exact(cancer, patience):
    scores = iter([0.1, 0.5, 0.3, *[0.4] * 20])
    model = FFNNClassifier(
        scoring=lambda *_: next(scores), n_iter_no_change=patience, **STOPPING
    ).fit(*cancer)
    assert model.n_iter_ == 2 + patience
    assert model.best_epoch_ == 2
    assert model.stop_reason_ == "early_stopping"


def test_the_loss_is_recorded_beside_the_score(cancer):
    X, y = cancer
    by_score = FFNNClassifier(scoring="accuracy", max_iter=8, **STOPPING).fit(X, y)
    by_loss = FFNNClassifier(max_iter=8, **STOPPING).fit(X, y)
    assert by_score.validation_loss_curve_ == by_loss.validation_loss_curve_
    assert by_loss.validation_scores_ == [-v for v in by_loss.validation_loss_curve_]
    assert len(by_score.validation_scores_) == 8


def test_the_loss_as_a_scorer_stops_where_the_loss_does(cancer):
    X, y = cancer
    # Probabilities that round to zero, the scorer takes for larger ones.
    settings = {**EAGER, "batch_size": 64}
    by_loss = FFNNClassifier(**settings).fit(X, y)
    by_score = FFNNClassifier(scoring="neg_log_loss", **settings).fit(X, y)
    assert by_score.validation_scores_ == pytest.approx(by_loss.validation_scores_)
    np.testing.assert_array_equal(flat(by_score), flat(by_loss))


def test_a_scorer_sees_labels_weights_and_a_fitted_model(iris):
    X, y = iris
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    weight = np.random.default_rng(0).uniform(0.1, 2.0, len(y))
    seen = []

    def scorer(estimator, X, y, sample_weight=None):
        seen.append((X, y, sample_weight, estimator.n_iter_, type(estimator)))
        return estimator.score(X, y, sample_weight)

    model = FFNNClassifier(scoring=scorer, class_weight="balanced", **STOPPING)
    model.fit(X, names, sample_weight=weight)
    X_out, y_out, rows = held_out(model, X, names)
    assert len(seen) == model.n_iter_ == seen[-1][3] + 1
    np.testing.assert_array_equal(seen[0][0], X_out)
    np.testing.assert_array_equal(seen[0][1], y_out)
    np.testing.assert_array_equal(seen[0][2], weight[rows])
    assert seen[0][4] is FFNNClassifier


def test_a_metric_without_weights_is_said_to_ignore_them(diabetes):
    X, y = diabetes
    model = FFNNRegressor(scoring="neg_max_error", max_iter=3, **STOPPING)
    with pytest.warns(UserWarning, match=r"scoring='neg_max_error' takes no sample_w"):
        model.fit(X, y, sample_weight=np.ones(len(y)))
    X_out, y_out, _ = held_out(model, X, y)
    assert model.best_validation_score_ == -max_error(y_out, model.predict(X_out))


def test_a_score_that_is_not_a_number_is_named(diabetes):
    model = FFNNRegressor(scoring=lambda *_: np.nan, **STOPPING)
    with pytest.raises(ValueError, match=r"scoring=.* must return a number, got nan"):
        model.fit(*diabetes)


@pytest.mark.parametrize("kind", ["sparse", "float32", "frame", "multilabel"])
def test_scoring_takes_all_kinds_of_data(cancer_frame, multilabel, kind):
    if kind == "multilabel":
        X, y = multilabel
    else:
        X, y = cancer_frame
        X = X / X.max()
        if kind != "frame":
            X = X.to_numpy(np.float32)
        if kind == "sparse":
            X = sp.csr_array(X)
    model = FFNNClassifier(scoring="accuracy", max_iter=5, **STOPPING).fit(X, y)
    assert len(model.validation_scores_) == 5
    assert model.coefs_[0].dtype == (
        np.float32 if kind in ("sparse", "float32") else float
    )


@pytest.mark.parametrize("change", ["scoring", "X_val"])
def test_a_warm_start_with_another_judge_has_something_to_do(cancer, change):
    X, y = cancer
    own = {"X_val": X[400:], "y_val": y[400:]}
    model = FFNNClassifier(warm_start=True, **EAGER).fit(X[:400], y[:400], **own)
    epochs = model.n_iter_
    assert model.fit(X[:400], y[:400], **own).n_iter_ == epochs
    if change == "scoring":
        model.set_params(scoring="accuracy")
    else:
        own["X_val"] = -own["X_val"]
    assert model.fit(X[:400], y[:400], **own).n_iter_ > epochs


def test_scoring_survives_clone_pickle_grid_search_and_warm_start(cancer):
    X, y = cancer
    scorer = make_scorer(balanced_accuracy_score)
    model = FFNNClassifier(scoring=scorer, max_iter=5, warm_start=True, **STOPPING)
    model = pickle.loads(pickle.dumps(clone(model).fit(X, y)))
    assert len(model.fit(X, y).validation_scores_) == 10
    search = GridSearchCV(clone(model), {"scoring": ["loss", "accuracy"]}, cv=2)
    assert search.fit(X, y).best_score_ > 0.8


def test_groups_stay_together(cancer):
    X, y = cancer
    groups = np.arange(len(y)) // 10
    splitter = GroupShuffleSplit(n_splits=1, test_size=0.2, random_state=0)
    seen = []

    def scorer(estimator, X, y):
        seen.append(X)
        return 0.0

    model = FFNNClassifier(validation_split=splitter, scoring=scorer, **STOPPING)
    model.fit(X, y, groups=groups)
    ((train, test),) = splitter.split(X, y, groups)
    np.testing.assert_array_equal(seen[0], X[test])
    assert model.t_ == model.n_iter_ * len(train)
    with pytest.raises(ValueError, match=r"validation_split=Group.*'groups'"):
        model.fit(X, y)


@pytest.mark.parametrize(
    ("splitter", "held_out"),
    [
        (TimeSeriesSplit(3, test_size=20), slice(422, 442)),
        (KFold(4), slice(332, 442)),
        (PredefinedSplit([0] * 40 + [-1] * 402), slice(0, 40)),
        ([(np.arange(100), np.arange(400, 442))], slice(400, 442)),
        ([(np.arange(442) < 300, np.arange(442) >= 420)], slice(420, 442)),
    ],
    ids=lambda v: type(v).__name__,
)
def test_the_last_split_of_a_splitter_is_the_hold_out(diabetes, splitter, held_out):
    X, y = diabetes
    model = FFNNRegressor(scoring="r2", validation_split=splitter, **STOPPING)
    model.fit(X, y)
    score = model.score(X[held_out], y[held_out])
    assert model.best_validation_score_ == pytest.approx(score, rel=1e-12)


def test_a_splitter_counts_rows_of_weight_zero(diabetes):
    X, y = diabetes
    weight = np.ones(len(y))
    weight[::3] = 0.0
    split = [(np.arange(300), np.arange(300, 442))]
    model = FFNNRegressor(validation_split=split, **STOPPING)
    model.fit(X, y, sample_weight=weight)
    kept = np.flatnonzero(weight)
    own = FFNNRegressor(**STOPPING).fit(
        X[kept[kept < 300]],
        y[kept[kept < 300]],
        X_val=X[kept[kept >= 300]],
        y_val=y[kept[kept >= 300]],
    )
    np.testing.assert_array_equal(flat(model), flat(own))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ([([0, 1], [1, 2])], r"both trains on rows and holds them out: \[1\]"),
        ([([0, 1], [2, 5000])], "cannot split n_samples=442 rows"),
        ([([0, 1], [])], "leaves 2 rows to train on and holds out 0"),
        ([], "cannot split n_samples=442 rows"),
        ([3], "cannot split n_samples=442 rows"),
        ([(np.arange(400), np.arange(500))], "cannot split n_samples=442 rows"),
        (KFold(500), "cannot split n_samples=442 rows"),
    ],
)
def test_a_split_that_is_none_is_named(diabetes, split, message):
    model = FFNNRegressor(validation_split=split, **STOPPING)
    with pytest.raises(ValueError, match=r"validation_split=.*" + message) as raised:
        model.fit(*diabetes)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize("solver", ["batch", "mini-batch", "stochastic"])
def test_own_rows_judge_like_the_same_rows_held_out(diabetes, solver):
    X, y = diabetes
    weight = np.random.default_rng(0).uniform(0.1, 2.0, len(y))
    parameters = {"solver": solver, "max_iter": 20, "scoring": "r2", **STOPPING}
    split = [(np.arange(300), np.arange(300, 442))]
    model = FFNNRegressor(validation_split=split, **parameters)
    model.fit(X, y, sample_weight=weight)
    own = FFNNRegressor(**parameters).fit(
        X[:300], y[:300], weight[:300],
        X_val=X[300:], y_val=y[300:], sample_weight_val=weight[300:],
    )  # fmt: skip
    assert own.validation_scores_ == pytest.approx(model.validation_scores_)
    assert own.validation_loss_curve_ == pytest.approx(model.validation_loss_curve_)
    assert own.best_epoch_ == model.best_epoch_
    np.testing.assert_allclose(flat(own), flat(model), rtol=1e-8)


def test_auto_means_yes_where_own_rows_are_passed(cancer):
    X, y = cancer
    parameters = {"max_iter": 20, "random_state": 0}
    auto = FFNNClassifier(early_stopping="auto", **parameters)
    auto.fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    assert auto.do_early_stopping_
    assert auto.t_ == 400 * auto.n_iter_


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X_val": None}, "must be passed together, got y_val only"),
        ({"y_val": None}, "must be passed together, got X_val only"),
        ({"X_val": None, "y_val": None, "sample_weight_val": [1.0]}, "weight_val only"),
        ({"X_val": np.ones((3, 2))}, "X_val.* has 2 features, but"),
        ({"X_val": np.full((3, 4), np.nan)}, "X_val.*contains NaN"),
        ({"y_val": [0, 1]}, "y_val.*inconsistent numbers of samples"),
        ({"sample_weight_val": [1.0, -1.0, 1.0]}, "sample_weight_val: .*negative"),
        ({"sample_weight_val": np.zeros(3)}, "at least one non-zero"),
    ],
    ids=str,
)
def test_wrong_own_rows_are_named(iris, Estimator, arguments, message):
    X, y = iris
    model = Estimator(early_stopping=True, random_state=0, max_iter=2).fit(X, y)
    before = model.predict(X)
    own = {"X_val": X[:3], "y_val": y[:3], **arguments}
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, **own)
    np.testing.assert_array_equal(model.predict(X), before)


def test_an_unknown_label_in_own_rows_is_named(iris):
    X, y = iris
    with pytest.raises(ValueError, match=r"y_val.*labels \[2\] that are not in"):
        FFNNClassifier(early_stopping=True).fit(X[:100], y[:100], X_val=X, y_val=y)


def test_own_rows_without_early_stopping_are_an_error(iris):
    X, y = iris
    for fit in (FFNNClassifier().fit, FFNNRegressor().partial_fit):
        with pytest.raises(ValueError, match="early_stopping=False"):
            fit(X, y, X_val=X, y_val=y)


def test_what_own_rows_leave_without_effect_is_said(iris):
    X, y = iris
    model = FFNNClassifier(
        refit=True,
        validation_fraction=0.3,
        validation_split=KFold(),
        max_iter=2,
        **STOPPING,
    )
    with pytest.warns(UserWarning, match="No effect") as record:
        model.fit(X, y, X_val=X, y_val=y, groups=y)
    for name in ("refit=True", "validation_fraction=0.3", "KFold", "groups"):
        assert name in str(record[0].message)
    model = FFNNClassifier(scoring="accuracy", refit=True, max_iter=2)
    with pytest.warns(UserWarning, match="scoring='accuracy', refit=True"):
        model.fit(X, y)


def test_a_pipeline_transforms_own_rows(cancer_frame):
    X, y = cancer_frame
    parameters = {"max_iter": 20, "scoring": "roc_auc", **STOPPING}
    with config_context(enable_metadata_routing=True):
        network = FFNNClassifier(**parameters).set_fit_request(X_val=True, y_val=True)
        model = Pipeline(
            [
                ("scale", StandardScaler().set_output(transform="pandas")),
                ("net", network),
            ],
            transform_input=["X_val"],
        )
        model.fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    scaler = StandardScaler().set_output(transform="pandas").fit(X[:400])
    by_hand = FFNNClassifier(**parameters).fit(
        scaler.transform(X[:400]),
        y[:400],
        X_val=scaler.transform(X[400:]),
        y_val=y[400:],
    )
    assert model[-1].validation_scores_ == by_hand.validation_scores_


def test_groups_of_a_grid_search_are_for_its_own_splitter(cancer):
    X, y = cancer
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            FFNNClassifier(max_iter=2), {"alpha": [0.0, 0.1]}, cv=GroupKFold(2)
        )
        search.fit(X, y, groups=np.arange(len(y)) // 10)
    assert search.best_estimator_.n_iter_ == 2


def test_groups_are_routed_through_a_grid_search(cancer):
    X, y = cancer
    splitter = GroupShuffleSplit(n_splits=1, random_state=0)
    with config_context(enable_metadata_routing=True):
        model = FFNNClassifier(validation_split=splitter, max_iter=2, **STOPPING)
        model.set_fit_request(groups=True)
        search = GridSearchCV(model, {"alpha": [0.0, 0.1]}, cv=2)
        search.fit(X, y, groups=np.arange(len(y)) // 10)
    assert search.best_estimator_.do_early_stopping_


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_calls_of_partial_fit_with_own_rows_are_a_fit_that_stops_early(
    diabetes, optimizer
):
    X, y = diabetes
    own = {"X_val": X[300:], "y_val": y[300:]}
    parameters = {
        "early_stopping": "auto", "learning_rate_init": 0.02, "optimizer": optimizer,
        "random_state": 0, "scoring": "r2",
    }  # fmt: skip
    whole = FFNNRegressor(**parameters).fit(X[:300], y[:300], **own)
    pieces = FFNNRegressor(**parameters)
    for epoch in range(1, whole.n_iter_ + 1):
        pieces.partial_fit(X[:300], y[:300], **own)
        assert len(pieces.validation_scores_) == pieces.n_iter_ == epoch
        assert (pieces.stop_reason_ == "early_stopping") == (epoch == whole.n_iter_)
        pieces = pickle.loads(pickle.dumps(pieces))
    assert whole.stop_reason_ == "early_stopping"
    assert pieces.best_epoch_ == whole.best_epoch_ < whole.n_iter_
    np.testing.assert_array_equal(flat(pieces), flat(whole))
    assert pieces.score(X[300:], y[300:]) == pieces.best_validation_score_


def test_after_patience_is_over_only_a_better_call_changes_the_model(diabetes):
    X, y = diabetes
    own = {"X_val": X[300:], "y_val": y[300:]}
    model = FFNNRegressor(
        early_stopping="auto",
        learning_rate_init=0.02,
        n_iter_no_change=2,
        random_state=0,
    )
    best = -np.inf
    for _ in range(60):
        model.partial_fit(X[:300], y[:300], **own)
        if model.stop_reason_ == "early_stopping":
            score = -0.5 * np.mean((model.predict(X[300:]) - y[300:]) ** 2)
            assert score == pytest.approx(model.best_validation_score_)
            assert score >= best
            best = score
    assert np.isfinite(best)


def test_partial_fit_may_change_what_judges_it(diabetes):
    X, y = diabetes
    model = FFNNRegressor(early_stopping="auto", random_state=0)
    model.partial_fit(X, 1e-3 * y).partial_fit(X, y, X_val=X, y_val=y)
    assert model._state.best_loss == model.validation_loss_curve_[1]
    model.partial_fit(X, y)
    assert (model.n_iter_, len(model.validation_scores_)) == (3, 2)


@pytest.mark.parametrize("option", [{"refit": True}, {"validation_split": KFold(3)}])
def test_partial_fit_says_what_it_cannot_do(diabetes, option):
    model = FFNNRegressor(early_stopping="auto", random_state=0, **option)
    ((name, _),) = option.items()
    with pytest.warns(UserWarning, match=f"No effect .*: {name}="):
        model.partial_fit(*diabetes)
    model.partial_fit(*diabetes)  # once is enough


@pytest.mark.parametrize("learning_rate", ["constant", "adaptive"])
def test_calls_that_nothing_judges_leave_patience_and_the_best_as_they_are(
    diabetes, learning_rate
):
    X, y = diabetes
    noise = np.random.default_rng(0).normal(size=len(y))
    model = FFNNRegressor(
        early_stopping="auto", n_iter_no_change=3, learning_rate_init=0.05,
        learning_rate=learning_rate, random_state=0,
    )  # fmt: skip
    for call in range(200):
        judged = {"X_val": X, "y_val": noise} if call % 2 else {}
        model.partial_fit(X, y, **judged)
        if model.stop_reason_ == "early_stopping":
            break
        scores = model.validation_scores_
        best = None if scores is None else 1 + int(np.nanargmax(scores))
        assert model.best_epoch_ == best
    else:
        raise AssertionError("it never stops")
    assert model.best_epoch_ == 1 + int(np.nanargmax(model.validation_scores_))
    score = -0.5 * np.mean((model.predict(X) - noise) ** 2)
    assert score == pytest.approx(model.best_validation_score_)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"optimizer": "sgd", "learning_rate": "invscaling"},
        {"solver": "batch"},
        {"solver": "stochastic"},
        {"validation_split": KFold(4), "scoring": "r2"},
    ],
    ids=str,
)
def test_refit_is_a_fit_on_all_rows_for_the_best_number_of_epochs(diabetes, parameters):
    X, y = diabetes
    parameters = {"hidden_layer_sizes": (20,), "random_state": 0, **parameters}
    model = FFNNRegressor(early_stopping=True, refit=True, **parameters).fit(X, y)
    judged = FFNNRegressor(early_stopping=True, **parameters).fit(X, y)
    assert model.stop_reason_ == judged.stop_reason_ == "early_stopping"
    assert model.best_epoch_ == judged.best_epoch_ == model.n_iter_
    assert model.validation_scores_ == judged.validation_scores_
    assert model.do_early_stopping_
    assert model.t_ == len(y) * model.n_iter_
    for name in ("scoring", "validation_split"):
        parameters.pop(name, None)
    plain = FFNNRegressor(max_iter=model.n_iter_, n_iter_no_change=10**6, **parameters)
    np.testing.assert_array_equal(flat(model), flat(plain.fit(X, y)))
    assert model.loss_curve_ == plain.loss_curve_


def test_refit_of_a_planned_run_follows_the_same_plan(diabetes):
    X, y = diabetes
    asked = []

    def linear(step, n_steps):
        asked.append(step / n_steps)
        return 1.0 - step / n_steps

    model = FFNNRegressor(learning_rate=linear, max_iter=40, refit=True, **EAGER)
    model.fit(X, y)
    assert model.n_iter_ == model.best_epoch_ < 40
    assert asked[-1] == pytest.approx(model.n_iter_ / 40, abs=1 / 40)


def test_refit_lowers_the_rate_where_its_own_training_stalls(diabetes):
    parameters = {
        "optimizer": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.3,
        "n_iter_no_change": 2, "random_state": 0,
    }  # fmt: skip
    model = FFNNRegressor(early_stopping=True, refit=True, **parameters).fit(*diabetes)
    plain = FFNNRegressor(max_iter=model.best_epoch_, **parameters)
    constant = clone(plain).set_params(learning_rate="constant", n_iter_no_change=10**6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        plain.fit(*diabetes)
        constant.fit(*diabetes)
    np.testing.assert_array_equal(flat(model), flat(plain))
    assert np.abs(flat(model) - flat(constant)).max() > 1e-3


def test_refit_says_if_the_best_epoch_was_not_found(diabetes):
    model = FFNNRegressor(refit=True, max_iter=3, **STOPPING)
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        model.fit(*diabetes)
    assert model.n_iter_ == model.best_epoch_


def test_refit_after_a_training_that_was_broken_off_does_not_happen(diabetes):
    model = FFNNRegressor(refit=True, max_time=1e-9, **STOPPING).fit(*diabetes)
    assert model.stop_reason_ == "max_time"
    assert model.t_ < len(diabetes[1])


def test_refit_is_limited_by_its_epochs_alone(diabetes, monkeypatch):
    runs = []

    def recorded(run, observer):
        runs.append(run)
        return train(run, observer)

    monkeypatch.setattr(_base, "train", recorded)
    FFNNRegressor(refit=True, max_time=1000.0, **STOPPING).fit(*diabetes)
    first, second = runs
    assert first.plan.max_time == 1000.0
    assert second.plan.max_time == second.monitor.patience == np.inf
    assert second.plan.max_epochs == first.state.best_epoch


def test_refit_and_warm_start_exclude_each_other(diabetes):
    model = FFNNRegressor(refit=True, warm_start=True, **STOPPING)
    with pytest.raises(ValueError, match=r"refit=True.*warm_start"):
        model.fit(*diabetes)


def test_refit_is_printed(diabetes, capsys):
    model = FFNNRegressor(refit=True, verbose=1, **EAGER).fit(*diabetes)
    before, after = capsys.readouterr().out.split("Refit on all rows: ")
    assert "validation score" in before
    assert after.startswith(f"{model.best_epoch_} epochs\nEpoch 1: ")
    assert "validation score" not in after


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_pickle_after_early_stopping_is_about_the_weights(Estimator):
    X = np.random.default_rng(0).normal(size=(100, 300))
    y = (X[:, 0] > 0).astype(float)
    for parameters in ({}, {"scoring": lambda *_: 1.0}, {"refit": True}):
        model = Estimator((200,), tol=1e-2, **parameters, **STOPPING).fit(X, y)
        weights = sum(a.nbytes for a in (*model.coefs_, *model.intercepts_))
        model.set_params(scoring="loss")
        assert len(pickle.dumps(model)) < 1.2 * weights


def test_a_weight_of_two_in_own_rows_is_the_row_twice(cancer):
    X, y = cancer
    weight = 1.0 + (np.arange(169) % 2)
    twice = np.repeat(np.arange(400, 569), weight.astype(int))
    parameters = {"scoring": "accuracy", "max_iter": 10, **STOPPING}
    weighted = FFNNClassifier(**parameters).fit(
        X[:400], y[:400], X_val=X[400:], y_val=y[400:], sample_weight_val=weight
    )
    repeated = FFNNClassifier(**parameters).fit(
        X[:400], y[:400], X_val=X[twice], y_val=y[twice]
    )
    assert weighted.validation_scores_ == pytest.approx(repeated.validation_scores_)
    losses = repeated.validation_loss_curve_
    assert weighted.validation_loss_curve_ == pytest.approx(losses, rel=1e-12)
    assert accuracy_score(y, weighted.predict(X)) > 0.9


def test_nothing_is_warned_of_in_a_frame_with_names(cancer_frame):
    X, y = cancer_frame
    model = FFNNClassifier(scoring="accuracy", early_stopping=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X / X.max(), y)
    assert list(model.feature_names_in_) == list(X.columns)


def test_scores_of_different_kinds_do_not_compare(iris):
    X, y = iris
    model = FFNNClassifier(
        (8,), early_stopping="auto", scoring="accuracy", n_iter_no_change=3,
        random_state=0,
    )  # fmt: skip
    held_out = {"X_val": X, "y_val": y}
    for _ in range(40):
        model.partial_fit(X, y, classes=[0, 1, 2], **held_out)
    assert model.best_validation_score_ > 0.5  # no log-loss is below minus this
    model.set_params(scoring="loss")
    for _ in range(5):
        model.partial_fit(X, y, **held_out)
    assert model.stop_reason_ != "early_stopping"
    assert model.best_epoch_ == model.n_iter_
