"""What a user of scikit-learn finds when looking at the estimators."""

import inspect
import pickle
import subprocess
import sys
import warnings
from dataclasses import FrozenInstanceError, dataclass
from functools import cached_property

import joblib
import numpy as np
import pandas as pd
import plain
import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc
from numpydoc.validate import validate
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

import skffnn
from skffnn import FFNNClassifier, FFNNRegressor
from skffnn.core.activations import ACTIVATIONS, ELU, Activation, LeakyReLU
from skffnn.core.averaging import Averaging
from skffnn.core.layer_rates import LayerRates
from skffnn.core.links import Link
from skffnn.core.losses import LOSSES, Loss
from skffnn.core.optimizers import OPTIMIZERS, FirstOrder
from skffnn.core.part import Part
from skffnn.core.schedules import SCHEDULES, Schedule

PROPERTIES = {"coefs_", "intercepts_", "layer_norm_gains_", "feature_names_in_"}
ESTIMATORS = [FFNNClassifier, FFNNRegressor]
PAIRS = [(FFNNClassifier, MLPClassifier), (FFNNRegressor, MLPRegressor)]


class Snake(Activation):
    """f(z) = z + sin(z)^2; a user's own, without a dataclass."""

    keeps_z = True

    def forward(self, z, out):
        np.add(z, np.sin(z) ** 2, out=out)

    def backward(self, z, a, delta):
        delta *= 1.0 + np.sin(2.0 * z)


def test_what_few_programs_need_is_imported_when_it_is_asked_for():
    code = """
import sys
import skffnn
assert not [m for m in sys.modules if "_ensemble" in m and m.startswith("skffnn")]
assert dir(skffnn) == sorted(skffnn.__all__)
assert all(hasattr(skffnn, name) for name in skffnn.__all__)
assert skffnn.DeepEnsembleRegressor is skffnn.DeepEnsembleRegressor
assert not hasattr(skffnn, "DeepEnsemble")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("Ours", "Theirs"), PAIRS)
def test_the_parameters_of_mlp_are_ours_in_the_same_order(Ours, Theirs):
    ours = list(inspect.signature(Ours).parameters)
    theirs = list(inspect.signature(Theirs).parameters)
    kept = [name for name in ours if name in theirs]
    assert set(theirs) - set(kept) <= {"loss"}
    assert ours[:2] == ["hidden_layer_sizes", "activation"]
    others = [name for name in kept if name != "loss"]
    assert others == [name for name in theirs if name in others]
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    assert all(
        inspect.signature(Ours).parameters[n].kind is keyword_only for n in ours[2:]
    )


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_every_parameter_and_attribute_is_documented(Estimator, iris):
    doc = ClassDoc(Estimator)
    documented = [parameter.name for parameter in doc["Parameters"]]
    assert documented == list(inspect.signature(Estimator).parameters)
    model = Estimator(early_stopping=True, random_state=0).fit(*iris)
    public = {name for name in vars(model) if name.endswith("_") and name[0] != "_"}
    attributes = {attribute.name for attribute in doc["Attributes"]}
    assert public | PROPERTIES == attributes
    for registry in (ACTIVATIONS, OPTIMIZERS, SCHEDULES):
        assert all(f'"{name}"' in Estimator.__doc__ for name in registry)
    assert "{" not in Estimator.__doc__.replace('{"', "")


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_every_method_documents_its_arguments(Estimator):
    for name, method in inspect.getmembers(Estimator, inspect.isfunction):
        if name.startswith(("_", "get_", "set_")) or "sklearn" in method.__module__:
            continue
        documented = [p.name for p in FunctionDoc(method)["Parameters"]]
        assert documented == list(inspect.signature(method).parameters)[1:], name


ENSEMBLES = ["DeepEnsembleClassifier", "DeepEnsembleRegressor"]
PUBLIC = [
    *(f"skffnn.{Estimator.__name__}" for Estimator in ESTIMATORS),
    *(
        f"skffnn.{Estimator.__name__}.{method}"
        for Estimator in ESTIMATORS
        for method in ("fit", "partial_fit", "predict")
    ),
    "skffnn.FFNNRegressor.score",
    *(f"skffnn.FFNNClassifier.{m}" for m in ("predict_proba", "predict_log_proba")),
    "skffnn.FFNNClassifier.decision_function",
    "skffnn.TabularPreprocessor",
    *(
        f"skffnn.TabularPreprocessor.{method}"
        for method in ("fit", "fit_transform", "transform", "get_feature_names_out")
    ),
    "skffnn.core.activations.Activation",
    "skffnn.core.losses.Loss",
    "skffnn.core.losses.SeparableLoss",
    "skffnn.core.links.Link",
    "skffnn.core.optimizers.Optimizer",
    "skffnn.core.optimizers.FirstOrder",
    "skffnn.core.optimizers.Blockwise",
    "skffnn.core.layer_rates.LayerRates",
    "skffnn.core.averaging.Averaging",
    "skffnn.core.schedules.Schedule",
    "skffnn.core.network.Network",
    "skffnn.core.objective.Objective",
    "skffnn.core.training.train",
    "skffnn.Checkpoint",
    *(f"skffnn.{Ensemble}" for Ensemble in ENSEMBLES),
    *(
        f"skffnn.{Ensemble}.{method}"
        for Ensemble in ENSEMBLES
        for method in ("fit", "partial_fit", "predict")
    ),
    *(
        f"skffnn.DeepEnsembleClassifier.{method}"
        for method in ("decision_function", "predict_proba", "predict_log_proba")
    ),
    "skffnn.DeepEnsembleRegressor.score",
    "skffnn.LossCurveDisplay",
    "skffnn.LossCurveDisplay.from_estimator",
    "skffnn.LossCurveDisplay.plot",
    "skffnn.learning_rate_curve",
    "skffnn.LearningRateCurveDisplay",
    "skffnn.LearningRateCurveDisplay.from_estimator",
    "skffnn.LearningRateCurveDisplay.plot",
]
# Examples, "See Also" and long summaries are not for every method; returned values have
# names, as in scikit-learn.
NOT_ASKED = {"EX01", "SA01", "SA04", "ES01", "RT02"}


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_are_numpydoc(name):
    errors = dict(validate(name)["errors"])
    assert {k: v for k, v in errors.items() if k not in NOT_ASKED} == {}


def test_the_names_of_the_package():
    assert set(skffnn.__all__) == {
        "Checkpoint",
        "DeepEnsembleClassifier",
        "DeepEnsembleRegressor",
        "FFNNClassifier",
        "FFNNRegressor",
        "LearningRateCurveDisplay",
        "LossCurveDisplay",
        "TabularPreprocessor",
        "__version__",
        "learning_rate_curve",
    }
    assert all(
        isinstance(name, str) and hasattr(skffnn, name) for name in skffnn.__all__
    )


@pytest.mark.parametrize("name", LOSSES)
def test_fitted_attributes(name, iris):
    kinds, (X, y) = LOSSES[name], iris
    Estimator = plain.FFNNClassifier if "binary" in kinds else plain.FFNNRegressor
    model = Estimator((5, 4), loss=name, random_state=0).fit(X, y + 1)
    assert [W.shape for W in model.coefs_[:2]] == [(4, 5), (5, 4)]
    assert [b.shape for b in model.intercepts_[:2]] == [(5,), (4,)]
    assert model.n_layers_ == 4
    assert model.n_iter_ == len(model.loss_curve_)
    assert model.t_ == 150 * model.n_iter_
    assert model.loss_ == model.loss_curve_[-1]
    assert model.best_loss_ == min(model.loss_curve_)
    assert model.validation_scores_ is None
    assert model.best_validation_score_ is None
    assert type(model.optimizer_) is OPTIMIZERS["adam"]
    assert model.batch_size_ == 15
    assert model.learning_rate_init_ == 0.001
    assert model.stop_reason_ in ("converged", "max_iter")


@pytest.mark.parametrize(
    ("parameters", "solver"),
    [
        ({}, "mini-batch"),
        ({"batch_size": 1}, "stochastic"),
        ({"solver": "stochastic"}, "stochastic"),
        ({"solver": "batch", "optimizer": "adam"}, "batch"),
        ({"solver": "batch", "optimizer": "adam", "batch_size": 1}, "batch"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:No effect.*batch_size=1")
def test_the_automatic_rate_goes_by_the_parameters(iris, parameters, solver):
    X, _ = iris
    model = FFNNRegressor(**parameters)
    for n_rows in (10, 1, 150):
        model.partial_fit(X[:n_rows], X[:n_rows, 0])
        assert model.learning_rate_init_ == model.optimizer_.auto_rate[solver]


@pytest.mark.parametrize(
    ("solver", "name"),
    [("batch", "lbfgs"), ("mini-batch", "adam"), ("stochastic", "sgd")],
)
@pytest.mark.filterwarnings("ignore:max_iter=")
def test_auto_is_resolved(iris, solver, name):
    model = plain.FFNNClassifier(solver=solver, max_iter=5, random_state=0).fit(*iris)
    assert type(model.optimizer_) is OPTIMIZERS[name]
    assert hasattr(model, "partial_fit") == (name != "lbfgs")
    assert (model.learning_rate_init_ is None) == (name == "lbfgs")


def test_own_objects_survive_clone_and_pickle(iris):
    X, y = iris
    model = FFNNClassifier((6, 6), (Snake(), LeakyReLU(0.2)), random_state=0)
    copy = clone(model).fit(X, y)
    again = pickle.loads(pickle.dumps(copy))
    np.testing.assert_array_equal(again.predict_proba(X), copy.predict_proba(X))
    again.set_params(warm_start=True).fit(X, y)
    assert clone(again).get_params()["activation"][1] == LeakyReLU(0.2)


@pytest.mark.parametrize("Estimator", [FFNNRegressor, plain.FFNNRegressor])
def test_a_pickle_is_about_the_weights(Estimator, tmp_path):
    X = np.random.default_rng(0).normal(size=(50, 300))
    model = Estimator((200,), tol=1e-2, random_state=0).fit(X, X[:, 0])
    weights = sum(a.nbytes for a in (*model.coefs_, *model.intercepts_))
    assert len(pickle.dumps(model)) < 1.2 * weights
    joblib.dump(model, tmp_path / "model")
    loaded = joblib.load(tmp_path / "model", mmap_mode="r")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_coefs_are_views_that_can_be_set(iris):
    model = plain.FFNNClassifier(random_state=0).fit(*iris)
    model.coefs_[1][...] = 0.0
    model.intercepts_[1][...] = [0.0, 9.0, 0.0]
    assert set(model.predict(iris[0])) == {1}


def test_the_diagram_links_to_the_documentation(iris):
    model = FFNNClassifier(random_state=0)
    for html in (model._repr_html_(), model.fit(*iris)._repr_html_()):
        assert "skffnn.FFNNClassifier.html" in html


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_repr_shows_what_was_changed(Estimator):
    assert repr(Estimator((5,), "tanh")) == (
        f"{Estimator.__name__}(activation='tanh', hidden_layer_sizes=(5,))"
    )


def test_importing_brings_in_no_heavy_module():
    code = (
        "import skffnn, sys\n"
        "print([m for m in ('matplotlib', 'polars', 'torch') if m in sys.modules])"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "[]"


def test_global_numpy_seed_is_honoured(iris):
    scores = []
    for _ in range(2):
        np.random.seed(7)  # noqa: NPY002
        scores.append(FFNNClassifier(tol=0.01).fit(*iris).predict_proba(iris[0]))
    np.testing.assert_array_equal(*scores)


@dataclass(frozen=True)
class SignDescent(FirstOrder):
    """params -= rate * sign(grad); a user's own."""

    def init(self, n_params, n_weights, dtype):
        return {}

    def step(self, params, grad, state, rate, value):
        params -= rate * np.sign(grad)


@dataclass(frozen=True)
class Halves(LayerRates):
    """Every parameter learns at half the rate; a user's own."""

    def factors(self, layout):
        return {kind: [0.5] * len(shapes) for kind, shapes in layout.shapes.items()}


class LastTwo(Averaging):
    """The mean of half the mean so far and half the last iterate; a user's own."""

    def weight(self, n):
        return 1.0 if n == 1 else 0.5


class Plain(Part):
    """No dataclass; a user's own."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


class Slotted(Part):
    __slots__ = ("slope",)

    def __init__(self, slope):
        self.slope = slope


class Remembering(Slotted):
    @cached_property
    def twice(self):
        return 2 * self.slope


def test_slots_are_attributes_and_what_is_remembered_is_none():
    assert Slotted(1.0) == Slotted(1.0) != Slotted(2.0)
    assert repr(Slotted(1.0)) == "Slotted(slope=1.0)"
    one = Remembering(1.0)
    assert one.twice == 2.0
    assert one == Remembering(1.0)
    assert repr(one) == "Remembering(slope=1.0)"


@pytest.mark.parametrize(
    "base", [Activation, Averaging, FirstOrder, LayerRates, Link, Loss, Schedule]
)
def test_parts_are_equal_where_class_and_attributes_are(base):
    assert issubclass(base, Part)
    one = Plain(a=1.0, b=np.arange(3), c=ELU(0.5), d=(1, "x"))
    assert one == Plain(a=1.0, b=np.arange(3), c=ELU(0.5), d=(1, "x"))
    assert hash(one) == hash(pickle.loads(pickle.dumps(one)))
    for name, value in {"a": 2.0, "b": np.arange(4), "c": ELU(), "d": (1, "y")}.items():
        assert one != Plain(**{**vars(one), name: value})
    assert one != Plain(a=1.0)
    for odd in (np.nan, ((1, 2), 3), {"x": np.arange(2)}, pd.DataFrame({"x": [None]})):
        odd_one = Plain(a=odd)
        assert odd_one == odd_one
        assert (odd_one == Plain(a=odd)) is True
    assert ELU(0.5) != LeakyReLU(0.5)
    assert repr(Plain(a=1.0, c=ELU(0.5))) == "Plain(a=1.0, c=ELU(alpha=0.5, scale=1.0))"
    with pytest.raises(FrozenInstanceError):
        ELU().alpha = 2.0


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"optimizer": SignDescent()}, None),
        (
            {"layer_rates": Halves(), "learning_rate_init": 0.02},
            {"learning_rate_init": 0.01},
        ),
        ({"average": LastTwo()}, None),
    ],
    ids=["optimizer", "layer_rates", "average"],
)
def test_parts_of_your_own_train(iris, parts, named):
    X, y = iris
    given = {"optimizer": "sgd", "learning_rate_init": 0.01, "max_iter": 60, "tol": 0.0}
    own = plain.FFNNClassifier((10,), random_state=0, **{**given, **parts})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        own.fit(X, y)
        assert own.score(X, y) > 0.9
        restored = pickle.loads(pickle.dumps(own))
        np.testing.assert_array_equal(restored.predict_proba(X), own.predict_proba(X))
        if named is not None:
            other = plain.FFNNClassifier((10,), random_state=0, **{**given, **named})
            other.fit(X, y)
            np.testing.assert_allclose(own.coefs_[0], other.coefs_[0], rtol=1e-12)
