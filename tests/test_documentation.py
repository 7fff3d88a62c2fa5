"""What README and docs show runs as it stands, page by page."""

import ast
import re
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.datasets import make_classification
from sklearn.metrics import make_scorer, mean_pinball_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupShuffleSplit,
    TimeSeriesSplit,
    TunedThresholdClassifierCV,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import skffnn
from skffnn.core.activations import Tanh
from skffnn.core.losses import Huber
from skffnn.core.optimizers import SGD, FirstOrder
from skffnn.core.schedules import Constant, Exponential

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.rst"))]
IN_MARKDOWN = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
IN_REST = re.compile(
    r"^( *)\.\. code-block:: python\n\n((?:\1 +.*\n|\n)+)", re.MULTILINE
)
# Lines left out: the snippet is an excerpt.
ELLIPSIS = re.compile(r"^ +\.\.\.$", re.MULTILINE)
HAS_CALLBACKS = find_spec("sklearn.callback") is not None
# Searches over dozens of fits with all rows of a real data set.
LONG = {"README", "quick_start"}


def snippets(page):
    """Return the Python code of a page, top to bottom."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        return IN_MARKDOWN.findall(text)
    return [dedent(code) for _, code in IN_REST.findall(text)]


def at_hand():
    """Return what a page takes for granted: imports, data, the reader's own parts."""
    X, y = make_classification(120, 4, n_informative=3, n_redundant=0, random_state=0)
    numbers = {name: X[:, i] for i, name in enumerate("abcd")}
    return {
        **{name: getattr(skffnn, name) for name in skffnn.__all__},
        "np": np,
        "sklearn": sklearn,
        "FirstOrder": FirstOrder,
        "Exponential": Exponential,
        "GridSearchCV": GridSearchCV,
        "GroupShuffleSplit": GroupShuffleSplit,
        "MLPClassifier": MLPClassifier,
        "Pipeline": Pipeline,
        "StandardScaler": StandardScaler,
        "TimeSeriesSplit": TimeSeriesSplit,
        "TunedThresholdClassifierCV": TunedThresholdClassifierCV,
        "make_pipeline": make_pipeline,
        "make_scorer": make_scorer,
        "mean_pinball_loss": mean_pinball_loss,
        "X": X,
        "y": y,
        "X_test": X[:5],
        "X_val": X[100:],
        "y_val": y[100:],
        "blocks": [(X[:50], y[:50]), (X[50:100], y[50:100])],
        "classes": [0, 1],
        "patients": np.arange(120) // 4,
        "weight": np.linspace(0.5, 2.0, 120),
        "frame": pd.DataFrame({**numbers, "kind": np.where(y, "good", "bad")}),
        "grid": {"alpha": [0.0, 1e-4]},
        "model": skffnn.FFNNClassifier(random_state=0).fit(X, y),
        "Softsign": Tanh,
        "PseudoHuber": lambda width: Huber(delta=width),
        "MyOptimizer": SGD,
        "my_schedule": Constant(),
    }


def can_run(code):
    """Return whether a snippet is whole, and for the installed scikit-learn."""
    return not ELLIPSIS.search(code) and (HAS_CALLBACKS or "callback" not in code)


def run(code, names):
    """Execute the code; parameters of an estimator that is only shown are checked."""
    for statement in ast.parse(code).body:
        if isinstance(statement, ast.Expr):
            shown = eval(ast.unparse(statement), names)
            if isinstance(shown, BaseEstimator):
                shown._validate_params()
        else:
            exec(ast.unparse(statement), names)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            page, id=page.stem, marks=[pytest.mark.slow] if page.stem in LONG else []
        )
        for page in PAGES
        if snippets(page)
    ],
)
def test_the_snippets_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = at_hand()
    with sklearn.config_context():  # a page may change it
        for code in filter(can_run, snippets(page)):
            run(code, names)


def test_no_snippet_is_overlooked():
    shown = [re.findall("[`:] ?python\n", page.read_text("utf-8")) for page in PAGES]
    assert [len(snippets(page)) for page in PAGES] == [len(found) for found in shown]
