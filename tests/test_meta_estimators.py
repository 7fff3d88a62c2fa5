"""The estimators inside everything that scikit-learn wraps around estimators."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from plain import FFNNClassifier, FFNNRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_score,
    learning_curve,
)
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skffnn.core.activations import LeakyReLU
from skffnn.core.optimizers.adam import Adam

pytestmark = pytest.mark.filterwarnings("ignore:max_iter=")


def classifier(**parameters):
    return FFNNClassifier(**{"max_iter": 50, "random_state": 0, **parameters})


def regressor(**parameters):
    return FFNNRegressor(**{"max_iter": 100, "random_state": 0, **parameters})


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search_over_the_ways_to_train(cancer, n_jobs):
    grid = [
        {"solver": ["batch"], "optimizer": ["lbfgs", "rprop"], "alpha": [1e-4, 1e-2]},
        {"solver": ["mini-batch"], "optimizer": ["adam", Adam(beta_2=0.95)]},
        {
            "activation": ["tanh", LeakyReLU(0.1), ("tanh",)],
            "hidden_layer_sizes": [8, (8,)],
        },
    ]
    search = GridSearchCV(classifier(), grid, cv=2, n_jobs=n_jobs).fit(*cancer)
    assert search.best_score_ > 0.95
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_halving_with_epochs_as_the_resource(iris):
    search = HalvingGridSearchCV(
        classifier(), {"learning_rate_init": [1e-5, 1e-3, 1e-2]}, cv=2,
        resource="max_iter", min_resources=5, max_resources=80, random_state=0,
    ).fit(*iris)  # fmt: skip
    assert search.best_params_["learning_rate_init"] > 1e-5


def test_a_frame_of_mixed_columns(diabetes):
    X, y = diabetes
    frame = pd.DataFrame(X[:, :3], columns=["age", "sex", "bmi"])
    frame["group"] = pd.cut(frame["bmi"], 3, labels=["low", "mid", "high"])
    columns = ColumnTransformer(
        [
            ("scale", StandardScaler(), ["age", "bmi"]),
            ("code", OneHotEncoder(), ["group"]),
        ]
    )
    model = make_pipeline(columns, regressor()).fit(frame, y)
    assert model.score(frame, y) > 0.2


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration(cancer, method):
    model = CalibratedClassifierCV(classifier(max_iter=20), method=method, cv=2)
    assert model.fit(*cancer).score(*cancer) > 0.95


@pytest.mark.parametrize(
    "model",
    [
        BaggingClassifier(classifier(), n_estimators=3, random_state=0),
        AdaBoostClassifier(classifier(max_iter=5), n_estimators=3, random_state=0),
        StackingClassifier(
            [("a", classifier()), ("b", classifier(activation="tanh"))],
            LogisticRegression(),
        ),
        TunedThresholdClassifierCV(classifier(), cv=2),
        make_pipeline(StandardScaler(), classifier()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_around_a_classifier(cancer, model):
    assert model.fit(*cancer).score(*cancer) > 0.93


@pytest.mark.parametrize(
    "model",
    [
        BaggingRegressor(regressor(), n_estimators=3, random_state=0),
        AdaBoostRegressor(regressor(), n_estimators=3, random_state=0),
        StackingRegressor(
            [("a", regressor()), ("b", regressor(activation="tanh"))], RidgeCV()
        ),
        TransformedTargetRegressor(regressor(), transformer=StandardScaler()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_around_a_regressor(diabetes, model):
    assert model.fit(*diabetes).score(*diabetes) > 0.4


def test_several_outputs(multilabel):
    model = MultiOutputClassifier(classifier()).fit(*multilabel)
    assert model.predict(multilabel[0]).shape == multilabel[1].shape


def test_inspection(diabetes):
    X, y = diabetes
    model = regressor().fit(X, y)
    importance = permutation_importance(model, X, y, n_repeats=3, random_state=0)
    assert importance.importances_mean.max() > 0.1
    dependence = partial_dependence(model, X, [2], kind="average", grid_resolution=10)
    assert dependence["average"].shape == (1, 10)


def test_a_learning_curve_grown_by_partial_fit(iris):
    sizes, _, scores = learning_curve(
        classifier(), *iris, cv=3, exploit_incremental_learning=True, shuffle=True,
        train_sizes=[0.3, 0.6, 1.0], random_state=0,
    )  # fmt: skip
    assert scores.shape == (3, 3)
    assert np.isfinite(scores).all()
    assert len(sizes) == 3


def test_weights_are_routed(cancer):
    X, y = cancer
    weight = np.where(y == 1, 2.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        model = (
            classifier(max_iter=10)
            .set_fit_request(sample_weight=True)
            .set_score_request(sample_weight=True)
            .set_partial_fit_request(sample_weight=True, classes=True)
        )
        search = GridSearchCV(model, {}, cv=2).fit(X, y, sample_weight=weight)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, model).fit(X, y, sample_weight=weight)
    alone = classifier(max_iter=10).fit(X, y, sample_weight=weight).predict_proba(X)
    np.testing.assert_array_equal(search.predict_proba(X), alone)
    np.testing.assert_allclose(pipeline.predict_proba(X), alone, rtol=1e-6)
    unweighted = classifier(max_iter=10).fit(X, y).predict_proba(X)
    assert not np.allclose(unweighted, alone)


def test_cross_validation_is_reproducible(iris):
    first, second = (cross_val_score(classifier(), *iris, cv=3) for _ in range(2))
    np.testing.assert_array_equal(first, second)
