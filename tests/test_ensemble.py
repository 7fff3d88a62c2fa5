"""Deep ensembles: what the members hold out, and what their mean is worth."""

import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import sklearn
from names import assert_knows_the_names
from plain import FFNNClassifier, FFNNRegressor
from sklearn.base import clone
from sklearn.metrics import d2_pinball_score, log_loss, mean_squared_error, r2_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from skffnn import DeepEnsembleClassifier, DeepEnsembleRegressor
from skffnn._ensemble_members import Fold
from skffnn.core.losses import LOSSES

try:
    from sklearn.callback import ProgressBar
except ImportError:
    ProgressBar = None

pytestmark = pytest.mark.filterwarnings("ignore:max_iter=")

# The only checks that may fail, and must, where members hold out folds, and why.
FOLDS = dict.fromkeys(
    (
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weight_equivalence_on_sparse_data",
    ),
    "the folds hold other rows where a row of weight two is there twice",
)


def classifier(n_estimators=3, **parameters):
    defaults = {"hidden_layer_sizes": (8,), "max_iter": 15}
    member = FFNNClassifier(**{**defaults, **parameters})
    return DeepEnsembleClassifier(member, n_estimators, random_state=0)


def regressor(n_estimators=3, **parameters):
    defaults = {"hidden_layer_sizes": (8,), "max_iter": 15}
    member = FFNNRegressor(**{**defaults, **parameters})
    return DeepEnsembleRegressor(member, n_estimators, random_state=0)


def check(ensemble, exceptions):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(
            ensemble, expected_failed_checks=exceptions, on_fail=None
        )
    failures = {
        r["check_name"]: r["exception"] for r in results if r["status"] == "failed"
    }
    assert failures == {}
    excused = [r["check_name"] for r in results if r["status"] == "xfail"]
    assert sorted(excused) == sorted(exceptions)
    assert len(results) > 45


@pytest.mark.parametrize(
    ("parameters", "exceptions"),
    [({}, {}), ({"early_stopping": True}, FOLDS)],
    ids=["no hold-out", "folds"],
)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_checks(make, parameters, exceptions):
    check(make(2, solver="batch", max_iter=20, **parameters), exceptions)


@pytest.mark.slow
@pytest.mark.parametrize("Ensemble", [DeepEnsembleClassifier, DeepEnsembleRegressor])
def test_checks_of_the_defaults(Ensemble):
    check(Ensemble(n_estimators=2), {})


# What the mean is worth


@pytest.mark.parametrize("data", ["iris", "cancer", "multilabel"])
def test_the_mean_of_the_probabilities(data, request):
    X, y = request.getfixturevalue(data)
    model = classifier().fit(X, y)
    p = model.predict_proba(X)
    each = [member.predict_proba(X) for member in model.estimators_]
    np.testing.assert_allclose(p, np.sum(each, axis=0) / 3.0)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), p)
    if data == "multilabel":
        np.testing.assert_array_equal(model.predict(X), p > 0.5)
    else:
        np.testing.assert_array_equal(model.predict(X), p.argmax(axis=1))


def test_the_log_loss_is_at_most_the_mean_of_the_members(iris):
    """-log is convex (Jensen): this holds on any data, by more than rounding here."""
    X, y = iris
    rng = np.random.default_rng(0)
    for labels in (y, rng.permutation(y)):
        model = classifier().fit(X, labels)
        each = [log_loss(labels, m.predict_proba(X)) for m in model.estimators_]
        assert log_loss(labels, model.predict_proba(X)) < np.mean(each)


def test_the_squared_error_is_that_of_the_members_less_their_spread(diabetes):
    """mean_k (f_k - y)^2 = (mean f - y)^2 + var f (Krogh and Vedelsby 1995)."""
    X, y = diabetes
    model = regressor().fit(X, y)
    mean, std = model.predict(X, return_std=True)
    each = [mean_squared_error(y, m.predict(X)) for m in model.estimators_]
    of_mean = mean_squared_error(y, mean)
    np.testing.assert_allclose(np.mean(each), of_mean + np.mean(np.square(std)))


@pytest.mark.parametrize(
    "loss", [name for name, kinds in LOSSES.items() if "continuous" in kinds]
)
def test_the_moments_are_those_of_the_mixture(diabetes, loss):
    """Section 2.4 of the paper, checked on the raw moments of its components."""
    X, y = diabetes
    y = np.exp(y / 4.0)  # positive, for the losses that ask for it
    model = regressor(loss=loss).fit(X, y)
    mean, std = model.predict(X, return_std=True)
    np.testing.assert_array_equal(model.predict(X), mean)
    first, second = 0.0, 0.0
    for member in model.estimators_:
        mu, sigma = member.predict(X), 0.0
        if loss == "gaussian_nll":
            mu, sigma = member.predict(X, return_std=True)
            assert (sigma > 0.0).all()
        first = first + mu / 3.0
        second = second + (mu**2 + sigma**2) / 3.0
    np.testing.assert_allclose(mean, first)
    np.testing.assert_allclose(std**2, second - first**2, rtol=1e-6, atol=1e-12)


def test_members_whose_loss_ignores_missing_targets_have_moments(diabetes):
    X, y = diabetes
    y = np.where(np.arange(len(y)) % 5, y, np.nan)
    model = regressor(2, missing_targets="ignore").fit(X, y)
    means = [member.predict(X) for member in model.estimators_]
    _, std = model.predict(X, return_std=True)
    np.testing.assert_allclose(std, np.std(means, axis=0))


def test_several_quantiles_are_scored_as_those_of_one_network(diabetes):
    X, y = diabetes
    model = regressor(2, loss="quantile", quantile=(0.1, 0.9)).fit(X, y)
    prediction = model.predict(X)
    shares = [
        d2_pinball_score(y, prediction[:, i], alpha=level)
        for i, level in enumerate((0.1, 0.9))
    ]
    assert model.score(X, y) == pytest.approx(np.mean(shares))
    single = regressor(2).fit(X, y)
    assert single.score(X, y) == pytest.approx(r2_score(y, single.predict(X)))


def test_equal_members_have_no_spread(diabetes):
    X, y = diabetes
    model = DeepEnsembleRegressor(FFNNRegressor((), solver="batch"), 2, random_state=0)
    mean, std = model.fit(X, y).predict(X, return_std=True)
    # A linear model has one minimum: all members find it.
    np.testing.assert_allclose(std, 0.0, atol=1e-3)
    np.testing.assert_allclose(mean, model.estimators_[0].predict(X), atol=1e-3)


def test_scores_are_the_link_of_the_mean(iris, cancer, multilabel):
    X, y = cancer
    model = classifier().fit(X, y)
    scores = model.decision_function(X)
    np.testing.assert_allclose(
        1.0 / (1.0 + np.exp(-scores)), model.predict_proba(X)[:, 1]
    )
    X, y = multilabel
    model = classifier().fit(X, y)
    scores = model.decision_function(X)
    np.testing.assert_allclose(1.0 / (1.0 + np.exp(-scores)), model.predict_proba(X))
    X, y = iris
    model = classifier().fit(X, y)
    scores = np.exp(model.decision_function(X))
    np.testing.assert_allclose(
        scores / scores.sum(1, keepdims=True), model.predict_proba(X)
    )


def test_logarithms_stay_finite(cancer):
    X, y = cancer
    model = classifier().fit(X, y)
    assert np.isfinite(model.predict_log_proba(X * 1e6)).all()
    assert np.isfinite(model.decision_function(X * 1e6)).all()


# What the members see


class Spy(FFNNClassifier):
    """Remembers which rows it was given to split, as the network sees them."""

    def _build(self, settings, targets, data, file, incremental):
        self.parts_ = data.parts
        return super()._build(settings, targets, data, file, incremental)


def parts_of(X, y, sample_weight=None, groups=None):
    member = Spy((2,), max_iter=2, early_stopping=True)
    model = DeepEnsembleClassifier(member, 3, random_state=0)
    model.fit(X, y, sample_weight=sample_weight, groups=groups)
    return [member.parts_ for member in model.estimators_]


def test_hold_outs_partition_the_rows_in_the_proportions_of_the_classes(iris):
    X, y = iris
    parts = parts_of(X, y)
    held_out = np.array([holdout for _, holdout in parts])
    np.testing.assert_array_equal(held_out.sum(axis=0), 1)
    for train, holdout in parts:
        np.testing.assert_array_equal(train, ~holdout)
        counts = np.bincount(y[holdout])
        assert set(counts) <= {16, 17}


def test_groups_are_held_out_as_a_whole(iris):
    X, y = iris
    groups = np.arange(len(X)) % 30
    parts = parts_of(X, y, groups=groups.tolist())
    np.testing.assert_array_equal(sum(holdout for _, holdout in parts), 1)
    for train, holdout in parts:
        assert not set(groups[train]) & set(groups[holdout])


def test_rows_of_weight_zero_are_in_no_fold(iris):
    X, y = iris
    weight = np.ones(len(X))
    weight[::4] = 0.0
    weighted = parts_of(X, y, weight)
    without = parts_of(X[weight > 0], y[weight > 0])
    np.testing.assert_array_equal(weighted, without)


def test_weight_zero_is_no_row(diabetes):
    X, y = diabetes
    weight = np.ones(len(X))
    weight[::3] = 0.0
    model = regressor(early_stopping=True)
    weighted = clone(model).fit(X, y, sample_weight=weight)
    without = clone(model).fit(X[weight > 0], y[weight > 0])
    np.testing.assert_array_equal(weighted.predict(X), without.predict(X))


def test_a_row_without_a_target_is_in_no_fold(diabetes):
    X, y = diabetes[0], diabetes[1].copy()
    y[::3] = np.nan
    there = ~np.isnan(y)
    model = regressor(early_stopping=True, missing_targets="ignore")
    with_gaps, without = clone(model).fit(X, y), clone(model).fit(X[there], y[there])
    np.testing.assert_array_equal(with_gaps.predict(X), without.predict(X))


def test_folds_know_weights_that_are_routed_by_another_name(iris):
    X, y = iris
    weight = np.ones(len(X))
    weight[::4] = 0.0
    expected = classifier(early_stopping=True).fit(X, y, sample_weight=weight)
    with sklearn.config_context(enable_metadata_routing=True):
        model = classifier(early_stopping=True)
        model.estimator.set_fit_request(sample_weight="w")
        model.fit(X, y, w=weight)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


def test_a_class_with_one_member_is_known_to_all(iris):
    X, y = iris
    y = y.copy()
    y[0] = 7
    with pytest.warns(UserWarning, match="not stratified: 3 folds.* rows is 1$"):
        model = classifier(early_stopping=True).fit(X, y)
    assert model.classes_.tolist() == [0, 1, 2, 7]
    for member in model.estimators_:
        assert member.predict_proba(X).shape == (150, 4)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)


def test_members_that_hold_nothing_out_train_on_all_rows(iris):
    X, y = iris
    for early_stopping in (False, "auto"):
        model = classifier(early_stopping=early_stopping).fit(X, y)
        for member in model.estimators_:
            seed = member.random_state
            alone = clone(model.estimator).set_params(random_state=seed).fit(X, y)
            np.testing.assert_array_equal(
                alone.predict_proba(X), member.predict_proba(X)
            )
            assert member.t_ == member.n_iter_ * len(X)


def test_members_that_decide_to_hold_out_have_folds():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10_002, 2)).astype(np.float32)
    parameters = {"hidden_layer_sizes": (2,), "max_iter": 1, "early_stopping": "auto"}
    model = regressor(**parameters, learning_rate="constant").fit(X, X[:, 0])
    assert [member.t_ for member in model.estimators_] == [6668] * 3


def test_a_fold_for_every_member_needs_rows(iris):
    X, y = iris
    with pytest.raises(ValueError, match=r"n_samples=2 rows.*n_splits=3"):
        regressor(early_stopping=True).fit(X[:2], y[:2])
    regressor(early_stopping=False).fit(X[:2], y[:2])


def test_hold_outs_of_ones_own_come_first(iris):
    X, y = iris
    model = classifier(early_stopping=True, validation_split=KFold(5)).fit(X, y)
    assert {member.t_ // member.n_iter_ for member in model.estimators_} == {120}
    model = classifier(early_stopping=True).fit(X, y, X_val=X[::2], y_val=y[::2])
    assert {member.t_ // member.n_iter_ for member in model.estimators_} == {150}
    model = classifier(1, early_stopping=True).fit(X, y)
    assert {member.t_ // member.n_iter_ for member in model.estimators_} == {135}


def test_members_do_not_keep_the_weights(iris):
    X, y = iris
    model = classifier(early_stopping=True).fit(X, y, sample_weight=np.ones(len(X)))
    assert all(member.validation_split is None for member in model.estimators_)
    assert "sample_weight" not in repr(Fold(0, 3, 0, True, np.ones(3)))


# Promises of scikit-learn


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_the_result_does_not_depend_on_n_jobs(iris, backend):
    X, y = iris
    model = classifier(early_stopping=True)
    expected = clone(model).fit(X, y).predict_proba(X)
    with joblib.parallel_config(backend):
        parallel = clone(model).set_params(n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(parallel.predict_proba(X), expected)


def test_members_differ_and_seeds_are_kept(diabetes):
    X, y = diabetes
    few, many = regressor(2).fit(X, y), regressor(4).fit(X, y)
    seeds = [member.random_state for member in many.estimators_]
    assert len(set(seeds)) == 4
    assert [member.random_state for member in few.estimators_] == seeds[:2]
    assert many.predict(X, return_std=True)[1].min() > 0.0


@pytest.mark.parametrize("k", [1, 3])
def test_partial_fit_k_times_is_fit_for_k_epochs(iris, k):
    X, y = iris
    one, other = classifier(max_iter=k).fit(X, y), classifier(max_iter=k)
    for _ in range(k):
        other.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    assert [member.n_iter_ for member in other.estimators_] == [k] * 3


def test_partial_fit_of_the_regressor_goes_on(diabetes):
    X, y = diabetes
    one, other = regressor(max_iter=2).fit(X, y), regressor(max_iter=2)
    other.partial_fit(X, y)
    other = pickle.loads(pickle.dumps(other)).partial_fit(X, y)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


def test_partial_fit_says_why_it_is_not_there():
    assert not hasattr(classifier(early_stopping=True), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit") as caught:
        classifier(solver="batch").partial_fit  # noqa: B018
    assert "lbfgs" in str(caught.value.__cause__)


def test_an_error_leaves_the_ensemble_as_it_was(iris):
    X, y = iris
    model = classifier().fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="labels"):
        model.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="inconsistent"):
        model.fit(X, y[1:])
    with pytest.raises(ValueError, match="n_estimators"):
        model.set_params(n_estimators=0).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), before)


def test_ctrl_c_ends_all_members(iris):
    X, y = iris
    calls = []

    def interrupt(step, n_steps):
        calls.append(step)
        raise KeyboardInterrupt

    model = classifier().fit(X, y)
    before = model.predict_proba(X)
    model.set_params(estimator__learning_rate=interrupt)
    with (
        pytest.warns(UserWarning, match="interrupted"),
        pytest.raises(KeyboardInterrupt),
    ):
        model.fit(X, y)
    assert len(calls) == 1  # the second member did not begin
    np.testing.assert_array_equal(model.predict_proba(X), before)


def test_what_an_ensemble_is_made_of(iris, tmp_path):
    with pytest.raises(ValueError, match="'estimator' parameter"):
        DeepEnsembleClassifier(FFNNRegressor()).fit(*iris)
    with pytest.raises(ValueError, match="members would overwrite"):
        classifier(checkpoint=str(tmp_path / "file")).fit(*iris)


def test_warnings_of_members_point_at_the_user(iris):
    with pytest.warns(UserWarning, match="max_iter=1 epochs") as caught:
        classifier(max_iter=1).fit(*iris)
    assert {warning.filename for warning in caught} == {__file__}


def test_a_grid_search_reaches_the_members(iris):
    grid = {"deepensembleclassifier__estimator__alpha": [1e-2, 1.0]}
    model = make_pipeline(StandardScaler(), classifier(2))
    search = GridSearchCV(model, grid, cv=2).fit(*iris)
    member = search.best_estimator_[-1].estimators_[0]
    assert member.alpha == search.best_params_[next(iter(grid))]


def test_metadata_routing(iris):
    X, y = iris
    weight = np.where(y == 2, 0.0, 1.0)
    model = classifier()
    expected = clone(model).fit(X, y, sample_weight=weight).predict_proba(X)
    with sklearn.config_context(enable_metadata_routing=True):
        model.estimator.set_fit_request(sample_weight=True)
        model.fit(X, y, sample_weight=weight)
        np.testing.assert_array_equal(model.predict_proba(X), expected)
        model.estimator.set_fit_request(sample_weight=None)
        with pytest.raises(ValueError, match="sample_weight"):
            model.fit(X, y, sample_weight=weight)


# What X and y may be


def test_frames_and_sparse_matrices_go_to_the_members(cancer_frame):
    X, y = cancer_frame
    X = X / X.std()
    model = classifier()
    expected = clone(model).fit(X.to_numpy(), y).predict_proba(X.to_numpy())
    for frame in (X, pl.from_pandas(X)):
        fitted = clone(model).fit(frame, y)
        assert_knows_the_names(fitted, frame)
        np.testing.assert_array_equal(fitted.predict_proba(frame), expected)
    fitted = clone(model).fit(sp.csr_matrix(X.to_numpy()), y)
    assert not hasattr(fitted, "feature_names_in_")
    np.testing.assert_allclose(fitted.predict_proba(X.to_numpy()), expected)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_labels_of_any_type(iris, early_stopping):
    X, y = iris
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = classifier(early_stopping=early_stopping)
    expected = clone(model).fit(X, y).predict_proba(X)
    for labels in (names, names.tolist(), pd.Series(names, dtype="category")):
        fitted = clone(model).fit(X, labels)
        assert fitted.classes_.tolist() == sorted(set(names))
        np.testing.assert_array_equal(fitted.predict_proba(X), expected)
    integers = clone(model).fit(X, pd.Series(y, dtype="Int64"))
    assert integers.predict(X).dtype.kind == "i"


@pytest.mark.parametrize("early_stopping", [False, True])
def test_several_targets(iris, multilabel, early_stopping):
    X, Y = multilabel
    model = classifier(early_stopping=early_stopping).fit(X, sp.csr_matrix(Y))
    assert sp.issparse(model.predict(X))
    assert model.predict_proba(X).shape == Y.shape
    model = regressor(early_stopping=early_stopping).fit(X, X[:, :2])
    mean, std = model.predict(X, return_std=True)
    assert mean.shape == std.shape == (150, 2)


def test_float32_stays_float32(iris):
    X, y = iris[0].astype(np.float32), iris[1]
    model = classifier().fit(X, y)
    for method in ("predict_proba", "predict_log_proba", "decision_function"):
        assert getattr(model, method)(X).dtype == np.float32
    mean, std = regressor().fit(X, y.astype(np.float32)).predict(X, return_std=True)
    assert mean.dtype == std.dtype == np.float32


# Callbacks of scikit-learn 1.9


@pytest.mark.skipif(ProgressBar is None, reason="scikit-learn < 1.9")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_progress_bar_follows_members_and_epochs(iris, n_jobs, capsys):
    pytest.importorskip("rich")
    X, y = iris
    model = classifier(max_iter=4)
    expected = clone(model).fit(X, y).predict_proba(X)
    model.set_params(n_jobs=n_jobs).set_callbacks(ProgressBar(max_propagation_depth=2))
    model.fit(X, y)
    printed = capsys.readouterr().out
    assert "DeepEnsembleClassifier" in printed
    assert "FFNNClassifier" in printed
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    assert not [name for name in vars(model.estimators_[0]) if "callback" in name]


@pytest.mark.parametrize("n_groups", [5, 884])
def test_groups_must_be_one_for_each_row(diabetes, n_groups):
    X, y = diabetes
    ensemble = DeepEnsembleRegressor(FFNNRegressor((2,), early_stopping=True), 2)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ensemble.fit(X, y, groups=np.arange(n_groups) % 7)


def test_partial_fit_knows_what_was_set_since_the_last_call(diabetes):
    X, y = diabetes
    ensemble = DeepEnsembleRegressor(FFNNRegressor((4,)), 2, random_state=0)
    ensemble.partial_fit(X, y)
    seeds = [member.random_state for member in ensemble.estimators_]
    ensemble.set_params(estimator__learning_rate_init=0.02).partial_fit(X, y)
    for member, seed in zip(ensemble.estimators_, seeds, strict=True):
        assert member.learning_rate_init_ == 0.02
        assert (member.n_iter_, member.random_state) == (2, seed)
    before = ensemble.predict(X)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes=\(3,\)"):
        ensemble.set_params(estimator__hidden_layer_sizes=(3,)).partial_fit(X, y)
    ensemble.set_params(estimator__hidden_layer_sizes=(4,), n_estimators=3)
    with pytest.raises(ValueError, match="2 members, but n_estimators=3"):
        ensemble.partial_fit(X, y)
    np.testing.assert_array_equal(ensemble.predict(X), before)


def test_scores_of_labels_are_finite_where_probabilities_are_one(multilabel):
    X, y = multilabel
    X = X.astype(np.float32)
    member = FFNNClassifier((8,), max_iter=30)
    ensemble = DeepEnsembleClassifier(member, 2, random_state=0)
    scores = ensemble.fit(X, y).decision_function(200 * X)
    assert scores.max() > 40.0
    assert np.isfinite(scores).all()
    members = [member.decision_function(200 * X) for member in ensemble.estimators_]
    assert (scores <= np.max(members, axis=0) + 1e-3).all()
    assert (scores >= np.min(members, axis=0) - 1e-3).all()


@pytest.mark.parametrize("loss", ["squared_error", "gaussian_nll"])
@pytest.mark.parametrize("unit", [1e-170, 1e155, 1e200])
def test_the_spread_of_the_members_has_any_unit(diabetes, loss, unit):
    X, y = diabetes
    member = FFNNRegressor((4,), loss=loss, scale_target=True, max_iter=3)
    ensemble = DeepEnsembleRegressor(member, 2, random_state=0)
    expected = ensemble.fit(X, y).predict(X, return_std=True)
    scaled = ensemble.fit(X, unit * y).predict(X, return_std=True)
    np.testing.assert_allclose(np.divide(scaled, unit), expected, rtol=1e-6)
