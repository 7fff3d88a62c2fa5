"""Displays follow scikit-learn's convention, and matplotlib is theirs alone."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from plain import FFNNClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import LossCurveDisplay

plt = pytest.importorskip("matplotlib.pyplot")
plt.switch_backend("Agg")


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_the_curves_are_those_of_the_estimator(iris):
    model = FFNNClassifier(early_stopping=True, random_state=0).fit(*iris)
    display = LossCurveDisplay.from_estimator(model)
    epochs = np.arange(1, model.n_iter_ + 1)
    np.testing.assert_array_equal(display.line_.get_xdata(), epochs)
    np.testing.assert_array_equal(display.line_.get_ydata(), model.loss_curve_)
    np.testing.assert_array_equal(
        display.validation_line_.get_ydata(), np.negative(model.validation_scores_)
    )
    best = model.validation_scores_[display.best_epoch - 1]
    assert best == model.best_validation_score_
    assert set(display.best_line_.get_xdata()) == {display.best_epoch}
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == [
        "FFNNClassifier, training",
        "FFNNClassifier, hold-out",
        f"best epoch ({display.best_epoch})",
    ]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("Epoch", "Loss")


def test_a_pipeline_and_axes_of_ones_own(iris):
    model = make_pipeline(StandardScaler(), FFNNClassifier(random_state=0)).fit(*iris)
    figure, ax = plt.subplots()
    display = LossCurveDisplay.from_estimator(model, ax=ax, name="net", color="red")
    assert (display.ax_, display.figure_) == (ax, figure)
    assert display.validation_line_ is None
    assert display.line_.get_label() == "net, training"
    assert display.line_.get_color() == "red"
    assert display.best_epoch == 1 + int(np.argmin(model[-1].loss_curve_))


def test_both_curves_are_losses_and_the_mark_is_where_the_score_was_best(cancer):
    model = FFNNClassifier(
        early_stopping=True, scoring="accuracy", learning_rate_init=0.02, random_state=3
    ).fit(*cancer)
    display = LossCurveDisplay.from_estimator(model)
    np.testing.assert_array_equal(
        display.validation_line_.get_ydata(), model.validation_loss_curve_
    )
    assert display.best_epoch == model.best_epoch_
    assert display.best_epoch != 1 + int(np.argmin(model.validation_loss_curve_))


def test_a_refit_is_shown_beside_the_hold_out_that_told_its_length(iris):
    model = FFNNClassifier(
        early_stopping=True, refit=True, learning_rate_init=0.05, random_state=0
    ).fit(*iris)
    display = LossCurveDisplay.from_estimator(model)
    n_judged = len(model.validation_loss_curve_)
    assert n_judged > model.n_iter_ == display.best_epoch
    assert len(display.line_.get_xdata()) == model.n_iter_
    assert display.validation_line_.get_xdata().tolist() == [*range(1, n_judged + 1)]


def test_a_hold_out_that_came_with_a_warm_start(iris):
    model = FFNNClassifier(warm_start=True, max_iter=5, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(*iris)
        model.set_params(early_stopping=True, max_iter=3).fit(*iris)
    display = LossCurveDisplay.from_estimator(model)
    assert display.line_.get_xdata().tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert display.validation_line_.get_xdata().tolist() == [6, 7, 8]
    assert display.best_epoch >= 6


def test_calls_of_partial_fit_with_and_without_a_hold_out(iris):
    X, y = iris
    model = FFNNClassifier(early_stopping="auto", n_iter_no_change=9, random_state=0)
    for judged in (False, True, False, True, True, False):
        model.partial_fit(
            X, y, [0, 1, 2], **({"X_val": X, "y_val": y} if judged else {})
        )
    display = LossCurveDisplay.from_estimator(model)
    assert display.validation_line_.get_xdata().tolist() == [2, 4, 5]
    assert display.line_.get_xdata().tolist() == [1, 2, 3, 4, 5, 6]
    assert np.isnan(model.validation_scores_).tolist() == [1, 0, 1, 0, 0]
    assert model.best_validation_score_ == np.nanmax(model.validation_scores_)


def test_the_later_of_equal_epochs_is_the_best():
    display = LossCurveDisplay(loss_curve=[3.0, 1.0, 2.0, 1.0, 4.0])
    assert display.best_epoch == 4
    assert display.plot(name="mine").line_.get_label() == "mine, training"
    assert display.plot().line_.get_label() == "training"


def test_what_has_no_curve_is_named(iris):
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(FFNNClassifier())
    with pytest.raises(ValueError, match="got LogisticRegression"):
        LossCurveDisplay.from_estimator(LogisticRegression().fit(*iris))


def test_matplotlib_is_imported_by_plotting_only():
    code = "import sys, skffnn; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
