"""scikit-learn's callbacks see every epoch; before 1.9 there are none, and no harm."""

import sys
from typing import ClassVar

import numpy as np
import pytest
from plain import FFNNClassifier, FFNNRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

try:
    from sklearn.callback import ProgressBar, ScoringMonitor
except ImportError:
    ProgressBar = ScoringMonitor = None

needs_callbacks = pytest.mark.skipif(
    ScoringMonitor is None, reason="scikit-learn < 1.9"
)
pytestmark = pytest.mark.filterwarnings("ignore:max_iter=")


class Recorder:
    """Follows the FitCallback protocol and notes what it is told."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.events = []
        self.scores = []

    def setup(self, estimator, context):
        self.events.append(("setup", context.task_name))

    def teardown(self, estimator, context):
        self.events.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator, context, *, X=None):
        self.events.append(("begin", context.task_name))

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, fitted_estimator=None
    ):
        self.events.append(("end", context.task_name))
        if context.task_name == "epoch" and fitted_estimator is not None:
            self.scores.append(fitted_estimator.score(X, y))
            return len(self.scores) == self.stop_after
        return False


def test_without_callbacks_nothing_is_left_behind(iris):
    model = FFNNClassifier(max_iter=2, random_state=0).fit(*iris)
    assert not [name for name in vars(model) if "callback" in name]
    if "sklearn.callback" not in sys.modules:
        assert not hasattr(model, "set_callbacks")


@needs_callbacks
@pytest.mark.parametrize("solver", ["batch", "mini-batch", "stochastic"])
def test_every_epoch_is_a_task(iris, solver):
    recorder = Recorder()
    model = FFNNClassifier(solver=solver, max_iter=4, random_state=0)
    model.set_callbacks(recorder).fit(*iris)
    epoch = [("begin", "epoch"), ("end", "epoch")]
    assert recorder.events == [
        ("setup", "fit"), ("begin", "fit"), *(epoch * 4), ("end", "fit"),
        ("teardown", "fit"),
    ]  # fmt: skip
    assert recorder.scores[-1] == model.score(*iris)
    assert model.n_iter_ == 4


@needs_callbacks
@pytest.mark.parametrize("solver", ["batch", "mini-batch", "stochastic"])
def test_a_callback_can_stop_training(iris, solver):
    model = FFNNClassifier(solver=solver, random_state=0)
    model.set_callbacks(Recorder(stop_after=3)).fit(*iris)
    assert model.n_iter_ == 3
    assert model.stop_reason_ == "callback"


@needs_callbacks
def test_the_epochs_of_a_refit_are_tasks_as_well(iris):
    recorder = Recorder()
    model = FFNNClassifier(
        early_stopping=True, refit=True, learning_rate_init=0.05, random_state=0
    )
    model.set_callbacks(recorder).fit(*iris)
    n_epochs = len(model.validation_scores_) + model.n_iter_
    assert recorder.events.count(("begin", "epoch")) == n_epochs
    assert recorder.events.count(("end", "epoch")) == n_epochs
    assert recorder.scores[-1] == model.score(*iris)


@needs_callbacks
def test_a_callback_does_not_change_the_model(iris):
    model = FFNNClassifier(max_iter=5, random_state=0).fit(*iris)
    watched = FFNNClassifier(max_iter=5, random_state=0).set_callbacks(Recorder())
    np.testing.assert_array_equal(watched.fit(*iris).coefs_[0], model.coefs_[0])


@needs_callbacks
def test_a_monitor_scores_frames_without_a_warning(cancer_frame):
    X, y = cancer_frame
    monitor = ScoringMonitor(scoring="accuracy")
    model = FFNNClassifier(max_iter=4, random_state=0).set_callbacks(monitor)
    model.fit(X / X.max(), y)
    log = monitor.get_logs().data
    assert len([row for row in log if row["task_name"] == "epoch"]) == 4
    assert log[-1]["accuracy"] == model.score(X / X.max(), y)


@needs_callbacks
def test_a_monitor_scores_with_the_weights(diabetes):
    X, y = diabetes
    weight = np.where(y > 0, 5.0, 0.5)
    monitor = ScoringMonitor(scoring="r2")
    model = FFNNRegressor(max_iter=3, random_state=0).set_callbacks(monitor)
    model.fit(X, y, sample_weight=weight)
    assert monitor.get_logs().data[-1]["r2"] == pytest.approx(model.score(X, y, weight))


@needs_callbacks
def test_a_monitor_works_inside_pipeline_and_grid_search(cancer_frame):
    X, y = cancer_frame
    model = FFNNClassifier(max_iter=3, random_state=0)
    monitor = ScoringMonitor(scoring="accuracy")
    pipeline = make_pipeline(StandardScaler(), model.set_callbacks(monitor))
    search = GridSearchCV(pipeline, {"ffnnclassifier__alpha": [0.0, 0.1]}, cv=2)
    search.fit(X, y)
    rows = monitor.get_logs(select="all")
    assert sum(len(log.data) for log in rows) >= 3 * 5


@needs_callbacks
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_progress_bar_propagates_through_a_grid_search(iris, n_jobs, capsys):
    pipeline = make_pipeline(
        StandardScaler(), FFNNClassifier(max_iter=3, random_state=0)
    )
    search = GridSearchCV(
        pipeline, {"ffnnclassifier__alpha": [0.0, 0.1]}, cv=2, n_jobs=n_jobs
    )
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(*iris)
    assert "FFNNClassifier" in capsys.readouterr().out


@needs_callbacks
def test_callbacks_are_torn_down_when_fit_fails(iris):
    recorder = Recorder()
    model = FFNNClassifier(learning_rate=lambda *_: "x", random_state=0)
    with pytest.raises(ValueError, match="learning_rate"):
        model.set_callbacks(recorder).fit(*iris)
    assert recorder.events[-1] == ("teardown", "fit")


@needs_callbacks
@pytest.mark.filterwarnings("ignore:Training diverged")
def test_an_epoch_that_was_broken_off_is_ended(iris):
    recorder = Recorder()
    X, y = iris
    model = FFNNRegressor(learning_rate_init=1e10, optimizer="sgd", random_state=0)
    model.set_callbacks(recorder).fit(X, y)
    assert model.stop_reason_ == "diverged"
    begun = recorder.events.count(("begin", "epoch"))
    assert begun == recorder.events.count(("end", "epoch")) >= 1


@needs_callbacks
def test_a_kept_snapshot_is_a_model_of_its_own(iris):
    X, y = iris

    class Keeper(Recorder):
        kept: ClassVar[list] = []

        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            if context.task_name == "epoch":
                self.kept.append(fitted_estimator)

    parameters = {"max_iter": 4, "warm_start": True, "random_state": 0}
    model = FFNNClassifier(**parameters).set_callbacks(Keeper()).fit(X, y)
    twin = FFNNClassifier(**parameters).fit(X, y)
    assert [len(m.loss_curve_) for m in Keeper.kept] == [1, 2, 3, 4]
    short = FFNNClassifier(**{**parameters, "max_iter": 2}).fit(X, y)
    np.testing.assert_array_equal(Keeper.kept[1].coefs_[0], short.coefs_[0])
    Keeper.kept[1].set_callbacks().partial_fit(X, y)
    np.testing.assert_array_equal(
        model.set_callbacks().fit(X, y).coefs_[0], twin.fit(X, y).coefs_[0]
    )
