"""The range test against the one problem where the largest stable rate is known."""

from typing import ClassVar

import numpy as np
import pytest
import scipy.sparse as sp
from plain import FFNNClassifier, FFNNRegressor
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skffnn
from skffnn import LearningRateCurveDisplay, learning_rate_curve
from skffnn.core.losses import LOSSES
from skffnn.core.optimizers import OPTIMIZERS, FirstOrder
from skffnn.core.optimizers.descent import SGD

TESTABLE = [
    name
    for name, optimizer in OPTIMIZERS.items()
    if issubclass(optimizer, FirstOrder) and optimizer.uses_schedule
]


def linear(**parameters):
    """Least squares by gradient descent: J is a quadratic in the parameters."""
    return FFNNRegressor(
        (),
        solver="batch",
        optimizer=SGD(momentum=0.0, nesterovs_momentum=False),
        alpha=0.0,
        random_state=0,
        **parameters,
    )


def quadratic(scales):
    """Return X, whose X^T X / n is diagonal with the squares of `scales`, and y."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, len(scales)))
    X -= X.mean(axis=0)
    X = np.linalg.qr(X)[0] * np.sqrt(len(X)) * scales
    y = rng.normal(size=len(X))
    return X, y - y.mean()


@pytest.mark.filterwarnings("ignore:The loss was lowest at")
@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_loss_rises_where_the_rate_exceeds_two_over_the_curvature(scale):
    """Where all curvatures are c, a step multiplies the distance by |1 - rate * c|."""
    X, y = quadratic(np.full(3, scale))
    curvature = scale**2  # the bias is at its best from the start
    curve = learning_rate_curve(
        linear(),
        X,
        y,
        min_rate=1.5 / curvature,
        max_rate=2.7 / curvature,
        n_steps=20,
        smoothing=0.0,
    )
    rises = np.diff(curve.losses) > 0.0
    np.testing.assert_array_equal(rises, curve.rates[:-1] > 2.0 / curvature)
    assert rises.any()
    assert not rises.all()


def test_no_step_below_two_over_the_largest_curvature_makes_the_loss_larger():
    X, y = quadratic(np.array([0.3, 1.0, 3.0]))
    curve = learning_rate_curve(linear(), X, y, min_rate=1e-3, n_steps=300)
    first_rise = int(np.argmax(np.diff(curve.losses) > 0.0))
    limit = 2.0 / 3.0**2
    assert curve.rates[first_rise] > limit
    assert curve.rates[-1] < 10.0  # it exploded before the end
    lowest = curve.rates[np.argmin(curve.smoothed_losses)]
    assert curve.suggested_rate == lowest / 10.0 < limit


def test_the_steps_are_those_of_the_estimator():
    """One step at a constant rate is what fit does in one epoch of the batch solver."""
    X, y = quadratic(np.array([1.0, 2.0]))
    with pytest.warns(UserWarning, match="still falling"):
        curve = learning_rate_curve(
            linear(), X, y, min_rate=0.1, max_rate=0.3, n_steps=3
        )
    model = linear(
        learning_rate=lambda step, n_steps: 3.0 ** (step / (n_steps - 1)),
        learning_rate_init=0.1,
        max_iter=3,
    ).fit(X, y)
    np.testing.assert_allclose(curve.rates, [0.1, 0.1 * np.sqrt(3.0), 0.3])
    np.testing.assert_array_equal(curve.losses, model.loss_curve_)


def test_smoothing_is_the_bias_corrected_moving_average(iris):
    model = FFNNClassifier(batch_size=10, random_state=0)
    curve = learning_rate_curve(model, *iris, n_steps=50, smoothing=0.8)
    for n in (1, 2, 17, len(curve.losses)):
        decays = 0.8 ** np.arange(n)[::-1]
        expected = decays @ curve.losses[:n] / decays.sum()
        np.testing.assert_allclose(curve.smoothed_losses[n - 1], expected)


@pytest.mark.parametrize("name", TESTABLE)
def test_every_optimizer_that_has_a_rate(cancer, name):
    model = FFNNClassifier((10,), optimizer=name, random_state=0)
    curve = learning_rate_curve(model, *cancer, n_steps=60, max_rate=1e6)
    assert np.isfinite(curve.losses).all()
    ratios = curve.rates[1:] / curve.rates[:-1]
    np.testing.assert_allclose(ratios, 1e12 ** (1.0 / 59.0))
    assert 1e-6 < curve.suggested_rate < 1e5


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - set(TESTABLE)))
def test_an_optimizer_without_a_rate_is_refused(iris, name):
    model = FFNNClassifier(solver="batch", optimizer=name)
    with pytest.raises(ValueError, match=f"optimizer='{name}'.* no learning rate"):
        learning_rate_curve(model, *iris)


def test_the_estimator_is_left_as_it_was(iris):
    model = FFNNClassifier(
        optimizer="sgd",
        momentum=0.5,
        early_stopping=True,
        validation_fraction=0.2,
        refit=True,
        learning_rate="invscaling",
        power_t=0.3,
        verbose=1,
        random_state=0,
    )
    before, attributes = model.get_params(), set(vars(model))
    curve = learning_rate_curve(model, *iris)
    assert model.get_params() == before
    assert set(vars(model)) == attributes
    again = learning_rate_curve(clone(model), *iris)
    np.testing.assert_array_equal(curve.losses, again.losses)


@pytest.mark.skipif(
    not hasattr(FFNNClassifier, "set_callbacks"), reason="scikit-learn < 1.9"
)
def test_callbacks_do_not_follow_a_test(iris):
    class Untouchable:
        def setup(self, estimator, context):
            raise AssertionError("a test is no fit")

        teardown = on_fit_task_begin = on_fit_task_end = setup

    model = FFNNClassifier(random_state=0).set_callbacks(Untouchable())
    curve = learning_rate_curve(model, *iris)
    without = learning_rate_curve(FFNNClassifier(random_state=0), *iris)
    np.testing.assert_array_equal(curve.losses, without.losses)
    with pytest.raises(AssertionError, match="a test is no fit"):
        model.fit(*iris)  # which they do follow


def test_weight_two_is_the_row_twice(diabetes):
    X, y = diabetes
    rows = np.arange(50)
    weight = np.where(rows < 20, 2.0, 1.0)
    twice = np.concatenate([rows, rows[:20]])
    weighted = learning_rate_curve(linear(), X[rows], y[rows], sample_weight=weight)
    repeated = learning_rate_curve(linear(), X[twice], y[twice])
    n = min(len(weighted.losses), len(repeated.losses)) - 20
    np.testing.assert_allclose(weighted.losses[:n], repeated.losses[:n])


def test_a_pipeline_transforms_first(cancer_frame):
    X, y = cancer_frame
    network = FFNNClassifier((5,), random_state=0)
    piped = learning_rate_curve(make_pipeline(StandardScaler(), network), X, y)
    scaled = learning_rate_curve(network, StandardScaler().fit_transform(X), y)
    np.testing.assert_array_equal(piped.losses, scaled.losses)
    alone = learning_rate_curve(
        make_pipeline(network), StandardScaler().fit_transform(X), y
    )
    np.testing.assert_array_equal(alone.losses, scaled.losses)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_rate": 0.0}, "0 < min_rate"),
        ({"min_rate": 1.0, "max_rate": 0.1}, "max_rate=0.1"),
        ({"max_rate": np.inf}, "finite"),
        ({"n_steps": 1}, "n_steps must be an int of at least 2, got 1"),
        ({"smoothing": 1.0}, r"smoothing must be a number in \[0, 1\), got 1.0"),
    ],
)
def test_arguments_that_are_not_allowed(iris, arguments, message):
    with pytest.raises(ValueError, match=message):
        learning_rate_curve(FFNNClassifier(), *iris, **arguments)


def test_what_cannot_be_tested_is_named(iris):
    with pytest.raises(ValueError, match="got LogisticRegression"):
        learning_rate_curve(LogisticRegression(), *iris)
    X, y = iris
    with pytest.raises(ValueError, match="loss of the first step is not finite"):
        learning_rate_curve(FFNNRegressor(random_state=0), X * 1e200, y)
    with pytest.raises(ValueError, match="target y is None"):
        learning_rate_curve(FFNNClassifier(), X, None)


def test_a_sparse_indicator_is_tested_as_a_dense_one(iris):
    X, y = iris
    labels = np.stack([y == 1, y == 2], axis=1).astype(int)
    dense, sparse = (
        learning_rate_curve(FFNNClassifier(random_state=0), X, targets)
        for targets in (labels, sp.csr_array(labels))
    )
    assert dense.losses.tolist() == sparse.losses.tolist()


def test_a_range_that_ends_too_low_is_told(iris):
    model = FFNNClassifier(random_state=0)
    with pytest.warns(UserWarning, match="still falling at max_rate=0.001"):
        learning_rate_curve(model, *iris, max_rate=1e-3)


@pytest.mark.parametrize("seed", [3, 5, 6])
def test_one_row_that_fits_by_chance_decides_nothing(seed):
    model = skffnn.FFNNRegressor(32, solver="stochastic", random_state=seed)
    curve = learning_rate_curve(model, *load_diabetes(return_X_y=True))
    assert np.argmin(curve.smoothed_losses) == 0
    assert curve.suggested_rate > 1e-5


def test_a_range_that_begins_too_high_is_told():
    X, y = quadratic(np.full(3, 1.0))
    with pytest.warns(UserWarning, match=r"lowest at the rate 3\.*, .* min_rate=3\.0"):
        learning_rate_curve(
            linear(), X, y, min_rate=3.0, max_rate=4.0, n_steps=20, smoothing=0.0
        )


@pytest.mark.parametrize("n_rows", [50, 150])
@pytest.mark.parametrize("hidden", [(5,), ()], ids=str)
@pytest.mark.parametrize("name", ["FFNNClassifier", "FFNNRegressor"])
def test_the_recipe_of_the_defaults_is_tested_without_a_warning(
    iris, name, hidden, n_rows
):
    X, y = iris[0][-n_rows:], iris[1][-n_rows:] % 2 + np.arange(n_rows) % 2
    y = y % 2
    model = getattr(skffnn, name)(hidden, random_state=0)
    curve = learning_rate_curve(model, X, y)
    assert 1e-5 < curve.suggested_rate < 1.0


def test_the_display_shows_the_curve(iris):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    model = FFNNClassifier(random_state=0)
    curve = learning_rate_curve(model, *iris)
    pipeline = make_pipeline(model)
    display = LearningRateCurveDisplay.from_estimator(pipeline, *iris, color="red")
    np.testing.assert_array_equal(display.line_.get_xydata()[:, 1], curve.losses)
    np.testing.assert_array_equal(display.smoothed_line_.get_xdata(), curve.rates)
    assert set(display.suggested_line_.get_xdata()) == {curve.suggested_rate}
    assert display.line_.get_label() == "FFNNClassifier, each step"
    assert display.smoothed_line_.get_color() == "red"
    assert display.ax_.get_xscale() == "log"
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == (
        "Learning rate",
        "Loss",
    )
    bare = LearningRateCurveDisplay(rates=curve.rates, losses=curve.losses).plot()
    assert bare.smoothed_line_ is bare.suggested_line_ is None
    plt.close("all")


def test_a_row_of_weight_zero_is_no_row_of_the_recipe(iris):
    X, y = iris
    weight = np.zeros(len(X))
    weight[::3] = 1.0  # so few that the recipe is another one
    model = skffnn.FFNNClassifier(random_state=0)
    weighted = learning_rate_curve(model, X, y, sample_weight=weight)
    few = learning_rate_curve(model, X[::3], y[::3])
    np.testing.assert_array_equal(weighted.losses, few.losses)


def test_a_schedule_of_dropout_is_the_estimators_own(iris):
    def losses(power_t):
        model = FFNNClassifier(
            (9,), dropout=0.5, dropout_schedule="invscaling", power_t=power_t,
            random_state=0,
        )  # fmt: skip
        return learning_rate_curve(model, *iris, n_steps=10).losses

    assert not np.array_equal(losses(0.5), losses(2.0))


def test_an_interrupt_goes_on(iris):
    class Interrupted(LOSSES["log_loss"]["multiclass"]):
        calls: ClassVar[list] = []

        def value_and_gradient(self, *arguments):
            self.calls.append(arguments)
            if len(self.calls) == 3:
                raise KeyboardInterrupt
            return super().value_and_gradient(*arguments)

    model = FFNNClassifier(loss=Interrupted())
    with (
        pytest.warns(UserWarning, match="interrupted"),
        pytest.raises(KeyboardInterrupt),
    ):
        learning_rate_curve(model, *iris)


def test_a_loss_that_explodes_early_ends_a_short_test():
    X = np.random.default_rng(1).standard_normal((200, 5))
    model = FFNNRegressor((3,), optimizer="sgd", random_state=0)
    curve = learning_rate_curve(
        model, X, X.sum(axis=1), n_steps=12, min_rate=0.01, max_rate=1e4
    )
    assert len(curve.rates) < 10
    assert curve.suggested_rate < 0.3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"solver": "adam"}, "solver='adam' names an optimizer"),
        ({"optimizer": "adamm"}, "'optimizer' parameter"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes"),
    ],
)
def test_wrong_parameters_of_the_estimator_are_named(wrong, message):
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        learning_rate_curve(FFNNRegressor(**wrong), X, y)
