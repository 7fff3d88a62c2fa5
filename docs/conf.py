"""Sphinx configuration, and the tables that are made from the registries."""

import inspect
import os
import re
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

# Examples and their timings should not depend on the number of cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from skffnn import FFNNRegressor, __version__
from skffnn._auto import AUTO
from skffnn._docs import textbook_value
from skffnn.core.activations import ACTIVATIONS
from skffnn.core.batches import SOLVERS
from skffnn.core.layer_rates import LAYER_RATES
from skffnn.core.losses import LOSSES
from skffnn.core.optimizers import OPTIMIZERS, FirstOrder
from skffnn.core.schedules import SCHEDULES

HERE = Path(__file__).parent

# -- Project ---------------------------------------------------------------------------

project = "skffnn"
author = "The skffnn developers"
project_copyright = author
release = version = __version__

# -- Sphinx ----------------------------------------------------------------------------

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "registries", "auto_examples/*.ipynb"]
default_role = "literal"
smartquotes = False  # quotes in docstrings are Python's

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

# -- Examples --------------------------------------------------------------------------

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
}

# -- HTML ------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "skffnn"
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}

# -- Tables from the registries --------------------------------------------------------


def table(title: str, header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a reStructuredText list-table."""
    lines = [f".. list-table:: {title}", "   :header-rows: 1", ""]
    for row in [header, *rows]:
        first, *others = row
        lines.append(f"   * - {first}")
        lines.extend(f"     - {cell}" for cell in others)
    return "\n".join(lines) + "\n"


def summary(thing: object) -> str:
    """Return the first paragraph of the docstring, with markup characters escaped."""
    paragraph = (inspect.getdoc(thing) or "").split("\n\n")[0]
    return re.sub(r"([*`|_\\])", r"\\\1", " ".join(paragraph.split()))


def name(text: str) -> str:
    """Return a name as the user writes it."""
    return f'``"{text}"``'


def activation_table() -> str:
    rows = [
        (name(key), summary(type(activation)), activation.init)
        for key, activation in ACTIVATIONS.items()
    ]
    return table("Activations", ("Name", "Function", "Initial weights"), rows)


def loss_table() -> str:
    rows = [
        (name(key), kind, loss.link.name, summary(loss))
        for key, losses in LOSSES.items()
        for kind, loss in losses.items()
    ]
    return table("Losses", ("Name", "Targets", "Link", "What a row costs"), rows)


def optimizer_table() -> str:
    def rate(optimizer: type, solver: str) -> str:
        if solver not in optimizer.solvers:
            return "not possible"
        if not issubclass(optimizer, FirstOrder):
            return "no rate"
        return format(optimizer.auto_rate[solver], "g")

    rows = [
        (
            name(key),
            summary(optimizer),
            *(rate(optimizer, solver) for solver in SOLVERS),
        )
        for key, optimizer in OPTIMIZERS.items()
    ]
    return table(
        "Optimizers, and their automatic learning rate on each solver",
        ("Name", "Method", *map(name, SOLVERS)),
        rows,
    )


def schedule_table() -> str:
    rows = [(name(key), summary(schedule)) for key, schedule in SCHEDULES.items()]
    return table("Schedules", ("Name", "Factor on the learning rate"), rows)


def default_table() -> str:
    rows = [(f"`{key}`", auto.rule, textbook_value(key)) for key, auto in AUTO.items()]
    return table('What "auto" means', ("Parameter", "By the recipe", "Elsewhere"), rows)


def layer_rates_table() -> str:
    rows = [(name(key), summary(rule)) for key, rule in LAYER_RATES.items()]
    return table("Rates of layers", ("Name", "Factors on the learning rate"), rows)


REGULARISERS = {
    "alpha": {"alpha": 0.1},
    "weight_decay": {"weight_decay": 0.1},
    "l1_ratio": {"alpha": 0.1, "l1_ratio": 0.5},
    "dropout": {"dropout": 0.5},
    "input_dropout": {"input_dropout": 0.5},
    "layer_norm": {"layer_norm": True},
    "max_norm": {"max_norm": 1.0},
    "average": {"average": True},
    "max_grad_norm": {"max_grad_norm": 1.0},
}
TRAINING = {
    "early_stopping": {"early_stopping": True, "validation_fraction": 0.25},
    "refit": {"early_stopping": True, "validation_fraction": 0.25, "refit": True},
    "learning_rate": {"learning_rate": "cosine"},
    "layer_rates": {"layer_rates": "fan_in"},
    "momentum": {"momentum": 0.5},
    "max_time": {"max_time": 60.0},
    "checkpoint": {"checkpoint": str(HERE / "registries/tried.ckpt")},
    "warm_start": {"warm_start": True},
    "shuffle": {"shuffle": False},
    "max_fun": {"max_fun": 10},
    "partial_fit": {},
}
PARTS = {
    "n_members": {"n_members": 2},
    "input_scale": {"input_scale": True},
    "layer_rates": {"layer_rates": "fan_in"},
}


def answer(
    option: str, parameters: dict[str, object], solver: str, optimizer: str
) -> str:
    """Try an option, and return what comes of it."""
    X, y = np.eye(4), np.arange(4.0)
    model = FFNNRegressor(
        (2,), preprocessing=None, solver=solver, optimizer=optimizer, max_iter=1
    )
    if not parameters:  # a method
        return "yes" if hasattr(model, option) else "not available"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.set_params(**parameters).fit(X, y)
        except ValueError as error:
            if not str(error).startswith(f"{option}="):
                raise
            return "refused"
    if any(f" {option}=" in str(warning.message) for warning in caught):
        return "no effect"
    return "yes"


def options_table(options: dict[str, dict[str, object]]) -> str:
    """Return which options work with which optimizers, on which solvers."""

    def cell(option: str, key: str) -> str:
        solvers = OPTIMIZERS[key].solvers
        answers = {s: answer(option, options[option], s, key) for s in solvers}
        if len(set(answers.values())) == 1:
            return answers.popitem()[1]
        return "; ".join(f"{name(s)}: {a}" for s, a in answers.items())

    rows = [
        (
            name(key),
            ", ".join(map(name, optimizer.solvers)),
            *(cell(option, key) for option in options),
        )
        for key, optimizer in OPTIMIZERS.items()
    ]
    return table(
        '"refused" is an error, "no effect" a warning',
        ("Optimizer", "Solvers", *(f"`{option}`" for option in options)),
        rows,
    )


def write_registries() -> None:
    """Write the tables that the pages include."""
    folder = HERE / "registries"
    folder.mkdir(exist_ok=True)
    tables = {
        "activations": activation_table(),
        "defaults": default_table(),
        "losses": loss_table(),
        "optimizers": optimizer_table(),
        "schedules": schedule_table(),
        "layer_rates": layer_rates_table(),
        "regularisation": options_table(REGULARISERS),
        "members": options_table(PARTS),
        "training": options_table(TRAINING),
    }
    for stem, text in tables.items():
        path = folder / f"{stem}.rst"
        # A file that is written anew is a page that is read anew.
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


write_registries()

# -- The figure of the quality benchmark, from its results -----------------------------

sys.path.insert(0, str(HERE.parent / "benchmarks"))

from quality_figure import draw

draw(HERE.parent / "benchmarks/quality.csv", HERE / "registries/quality.png")
