"""Bad luck loses nothing that was finished."""

import re
import warnings

import numpy as np
import pytest
from plain import FFNNClassifier, FFNNRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning

import skffnn
from skffnn.core import training
from skffnn.core.monitor import Monitor
from skffnn.core.schedules import Schedule

SOLVERS = ["batch", "mini-batch", "stochastic"]


class Interrupt(Schedule):
    """Ctrl-C at a certain step."""

    def __init__(self, at):
        object.__setattr__(self, "at", at)

    def __call__(self, step, n_steps):
        if step == self.at:
            raise KeyboardInterrupt
        return 1.0


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_interrupt_keeps_the_best_finished_epoch(iris, solver):
    X, y = iris
    parameters = {"solver": solver, "optimizer": "sgd", "random_state": 0}
    if solver == "mini-batch":
        parameters["batch_size"] = 30
    steps = {"batch": 1, "mini-batch": 5, "stochastic": 150}[solver]
    model = FFNNClassifier(learning_rate=Interrupt(3 * steps), **parameters)
    with pytest.warns(UserWarning, match="interrupted after epoch 3"):
        model.fit(X, y)
    assert model.stop_reason_ == "interrupted"
    with pytest.warns(ConvergenceWarning):
        finished = FFNNClassifier(max_iter=3, **parameters).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], finished.coefs_[0])
    assert model.set_params(learning_rate="constant").partial_fit(X, y).n_iter_ == 4


def test_an_interrupt_of_lbfgs_keeps_what_was_finished(diabetes):
    X, y = diabetes
    calls = []

    class InterruptingLoss(type(FFNNRegressor().fit(X, y)._loss)):
        def value_and_gradient(self, *args):
            calls.append(1)
            if len(calls) == 20:
                raise KeyboardInterrupt
            return super().value_and_gradient(*args)

    model = FFNNRegressor(solver="batch", loss=InterruptingLoss(), random_state=0)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, y)
    assert model.score(X, y) > 0.3
    assert len(model.loss_curve_) == model.n_iter_ > 5


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divergence_stops_at_once_and_restores(diabetes, solver, dtype):
    X, y = diabetes
    model = FFNNRegressor(
        solver=solver, optimizer="sgd", learning_rate_init=5.0, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match=r"preprocessing.*learning_rate_init=5"):
        model.fit((100.0 * X).astype(dtype), y)
    assert model.stop_reason_ == "diverged"
    assert model.n_iter_ < 50
    assert len(model.loss_curve_) == model.n_iter_
    assert np.isfinite(model.predict(X)).all()


def test_a_diverging_partial_fit_leaves_a_usable_model(diabetes):
    X, y = diabetes
    model = FFNNRegressor(optimizer="sgd", random_state=0).partial_fit(X, y)
    before = model.predict(X)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.partial_fit(1e200 * X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    model.partial_fit(X, y)
    assert np.isfinite(model.predict(X)).all()


def test_a_loss_that_is_not_finite_ends_lbfgs(diabetes):
    X, y = diabetes
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model = FFNNRegressor(solver="batch", random_state=0).fit(1e160 * X, y)
    assert model.stop_reason_ == "diverged"
    assert np.isfinite(model.coefs_[0]).all()


@pytest.mark.parametrize("activation", ["tanh", "identity"])
def test_a_loss_that_explodes_but_stays_finite_has_diverged(diabetes, activation):
    X, y = diabetes
    model = FFNNRegressor(
        (20,), activation, solver="batch", optimizer="sgd", momentum=0.0,
        learning_rate_init=30.0, max_iter=12, n_iter_no_change=3, random_state=0,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.fit(X, y)
    assert model.stop_reason_ == "diverged"
    assert model.score(X, y) > -3.0


@pytest.mark.parametrize(
    ("parameters", "reason", "message"),
    [
        ({"max_iter": 2}, "max_iter", "max_iter=2 epochs ended"),
        ({"solver": "batch", "max_iter": 2}, "max_iter", "max_iter=2 epochs ended"),
        ({"solver": "batch", "max_fun": 3}, "max_fun", "max_fun=3 evaluations ended"),
    ],
)
def test_a_budget_that_ran_out_is_said(iris, parameters, reason, message):
    model = FFNNClassifier(random_state=0, **parameters)
    with pytest.warns(ConvergenceWarning, match=message):
        model.fit(*iris)
    assert model.stop_reason_ == reason


def test_a_budget_that_nobody_named_is_said_too(iris):
    model = skffnn.FFNNClassifier(
        (2,), optimizer="adam", tol=0.0, n_iter_no_change=5000, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="max_iter=1000 epochs ended"):
        model.fit(*iris)


def test_the_warning_points_at_the_users_line(iris):
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        FFNNClassifier(max_iter=2, random_state=0).fit(*iris)
        FFNNClassifier(batch_size=9, solver="stochastic", max_iter=2).fit(*iris)
    assert {w.filename for w in record} == {__file__}


def printed(capsys, X, y, **parameters):
    model = FFNNClassifier(random_state=0, **parameters).fit(X, y)
    return model, capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_prints_epochs_and_why_training_ended(iris, capsys, early_stopping):
    parameters = {"early_stopping": early_stopping, "learning_rate_init": 0.002}
    model, lines = printed(capsys, *iris, verbose=2, **parameters)
    pattern = r"loss [\d.e-]+, (validation score -[\d.e-]+, )?rate 0.002, \d+\.\d s"
    for epoch, line in enumerate(lines[:-1], start=1):
        assert re.fullmatch(f"Epoch {epoch}: {pattern}", line)
        assert ("validation score" in line) == early_stopping
    assert len(lines) == model.n_iter_ + 1
    reason = f"End after epoch {model.n_iter_} \\({model.stop_reason_}\\): "
    assert re.fullmatch(reason + pattern, lines[-1])
    assert printed(capsys, *iris, **parameters)[1] == []


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_verbose_prints_long_runs_at_growing_intervals(iris, capsys):
    never = {"tol": 0.0, "n_iter_no_change": 1000, "max_iter": 320}
    _, lines = printed(capsys, *iris, verbose=True, **never)
    epochs = [int(line.split()[1].rstrip(":")) for line in lines[:-1]]
    assert epochs == [*range(1, 11), *range(20, 100, 10), 100, 200, 300]


@pytest.mark.filterwarnings("ignore:max_iter=")
def test_lbfgs_prints_and_records_its_iterations(iris, capsys):
    model, lines = printed(capsys, *iris, solver="batch", max_iter=7, verbose=1)
    assert len(lines) - 1 == model.n_iter_ == 7
    assert not any("rate" in line for line in lines)
    assert np.all(np.diff(model.loss_curve_) < 0)


def test_a_schedule_of_the_users_may_end_as_planned(iris):
    def linear(step, n_steps):
        return 1.0 - step / n_steps

    model = FFNNClassifier(learning_rate=linear, max_iter=20, random_state=0).fit(*iris)
    assert model.stop_reason_ == "max_iter"
    assert model.n_iter_ == 20


def test_a_stream_row_by_row_does_not_diverge_by_default():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 20))
    y = X @ rng.normal(size=20) / np.sqrt(20)
    model = FFNNRegressor(solver="stochastic", random_state=0)
    for row in range(len(y)):
        model.partial_fit(X[row : row + 1], y[row : row + 1])
    assert model.score(X, y) > 0.5


def test_a_stream_that_diverges_keeps_what_it_had(diabetes):
    X, y = diabetes
    model = FFNNRegressor(
        solver="stochastic", learning_rate_init=20.0, momentum=0.0, random_state=0
    )

    def stream():
        for start in range(0, 400, 10):
            model.partial_fit(X[start : start + 10], y[start : start + 10])

    with pytest.warns(ConvergenceWarning, match="diverged"):
        stream()
    assert np.abs(model.coefs_[0]).max() < 1e3
    model.set_params(learning_rate_init=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(X, y)


@pytest.mark.parametrize("known", [False, True])
def test_a_warning_that_is_an_error_leaves_a_whole_model(iris, known):
    X, y = iris
    model = FFNNClassifier(max_iter=2, random_state=0)
    if known:
        with pytest.warns(ConvergenceWarning):
            model.fit(X[:, :3], y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConvergenceWarning):
            model.fit(X, y)
    assert model.n_features_in_ == 4
    assert model.predict(X).shape == (150,)


@pytest.mark.filterwarnings("ignore:max_iter=")
@pytest.mark.parametrize("parameters", [{}, {"solver": "batch"}], ids=str)
def test_an_exception_on_the_way_leaves_the_model_as_it_was(iris, parameters):
    X, y = iris
    model = FFNNClassifier(warm_start=True, max_iter=5, random_state=0, **parameters)
    before = model.fit(X, y).predict_proba(X)

    class Breaks(type(model._loss)):
        calls = 0

        def value_and_gradient(self, *args):
            type(self).calls += 1
            if self.calls == 12:
                raise RuntimeError("broken")
            return super().value_and_gradient(*args)

    with pytest.raises(RuntimeError, match="broken"):
        model.set_params(loss=Breaks(), max_iter=20).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), before)
    assert len(model.loss_curve_) == model.n_iter_ == 5
    assert model.set_params(loss="log_loss").fit(X, y).n_iter_ > 5


def test_a_hold_out_that_is_not_finite_is_said(diabetes):
    from skffnn._holdout import split_rows

    X, y = diabetes
    model = FFNNRegressor(early_stopping=True, random_state=0).fit(X, y)
    _, holdout = split_rows(len(y), 0.1, None, model._state.seed)
    X = X.copy()
    X[holdout[0]] = 1e200
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.fit(X, y)
    assert model.stop_reason_ == "diverged"


def test_the_advice_after_lbfgs_is_not_about_a_rate_it_does_not_have(diabetes):
    X, y = diabetes
    with pytest.warns(ConvergenceWarning, match="preprocessing") as record:
        FFNNRegressor(solver="batch", random_state=0).fit(1e160 * X, y)
    assert "learning_rate" not in str(record[0].message)


def test_lbfgs_does_not_converge_in_silence_where_a_loss_is_clipped():
    X, _ = load_diabetes(return_X_y=True)
    y = np.random.default_rng(0).poisson(np.exp(20.0 * X[:, 2]))
    model = FFNNRegressor(
        (10,), "relu", loss="poisson", solver="batch", tol=1e-3, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="much larger than that of the same"):
        model.fit(1e3 * X, y)
    assert model.stop_reason_ == "converged"
    model.fit(X, y)


def test_a_module_of_the_users_may_have_a_similar_name(iris):
    code = "def fit(model, X, y):\n    return model.fit(X, y)\n"
    module = {"__name__": "skffnn_project"}
    exec(compile(code, "skffnn_project.py", "exec"), module)
    model = FFNNClassifier(max_iter=1, random_state=0)
    with pytest.warns(ConvergenceWarning) as record:
        module["fit"](model, *iris)
    assert record[0].filename == "skffnn_project.py"


@pytest.mark.filterwarnings("ignore:Training was interrupted")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_interrupt_at_any_moment_leaves_curves_of_one_length(
    iris, early_stopping, monkeypatch
):
    judge = Monitor._patience_is_over

    def interrupted(*args):
        judge(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(Monitor, "_patience_is_over", interrupted)
    model = FFNNClassifier((4,), early_stopping=early_stopping, max_iter=5)
    model.fit(*iris)
    n_rows = 135 if early_stopping else 150
    assert (len(model.loss_curve_), model.n_iter_, model.t_) == (1, 1, n_rows)
    assert model.stop_reason_ == "interrupted"


@pytest.mark.filterwarnings("ignore:Training was interrupted")
@pytest.mark.parametrize("look", ["leave_a_lost_average", "has_exploded"])
def test_an_interrupt_after_the_last_epoch_loses_nothing(iris, look, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, look, interrupted)
    model = FFNNClassifier((4,), average=True, max_iter=5).fit(*iris)
    assert (model.stop_reason_, model.n_iter_) == ("interrupted", 5)
