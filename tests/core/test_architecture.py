"""Which way the doors of the house open (CONTRIBUTING has the picture)."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import skffnn

ROOT = Path(skffnn.__file__).parent
FILES = {
    ".".join(["skffnn", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(
        ".__init__"
    ): path
    for path in ROOT.rglob("*.py")
}

# module -> what it may import, below skffnn. Whoever opens a new door writes it here.
DOORS = {
    "": {
        "_checkpoint",
        "_classifier",
        "_display",
        "_ensemble_classifier",
        "_ensemble_regressor",
        "_learning_rate",
        "_learning_rate_display",
        "_regressor",
        "preprocessing",
    },
    "_display": set(),
    "_ensemble": {"_base", "_callbacks", "_combinations", "_ensemble_members"},
    "_ensemble_classifier": {"_base", "_classifier", "_ensemble", "core.typing"},
    "_ensemble_regressor": {
        "_base",
        "_ensemble",
        "_ensemble_members",
        "_explained",
        "_regressor",
        "core.typing",
    },
    "_ensemble_members": {
        "_base",
        "_callbacks",
        "_targets",
        "_warnings",
        "core.typing",
    },
    "_rollback": set(),
    "_sparse": set(),
    "_learning_rate": {
        "_auto",
        "_base",
        "_resolve",
        "_warnings",
        "core.divergence",
        "core.optimizers",
        "core.optimizers.base",
        "core.part",
        "core.rates",
        "core.schedules",
        "core.typing",
    },
    "_learning_rate_display": {"_learning_rate", "core.typing"},
    "_classifier": {
        "_base",
        "_checkpoint",
        "_combinations",
        "_docs",
        "_label_targets",
        "_targets",
        "_weights",
        "core.activations",
        "core.averaging",
        "core.layer_rates",
        "core.losses",
        "core.optimizers",
        "core.typing",
    },
    "_regressor": {
        "_base",
        "_checkpoint",
        "_combinations",
        "_docs",
        "_explained",
        "_losses",
        "_number_targets",
        "core.activations",
        "core.averaging",
        "core.layer_rates",
        "core.links",
        "core.losses",
        "core.optimizers",
        "core.typing",
    },
    "_explained": {"core.typing"},
    "_auto": {"_resolve", "core.averaging", "core.batches"},
    "_base": {
        "_auto",
        "_build",
        "_callbacks",
        "_checkpoint",
        "_combinations",
        "_data",
        "_holdout",
        "_inputs",
        "_label_targets",
        "_losses",
        "_observer",
        "_refit",
        "_resolve",
        "_rollback",
        "_scoring",
        "_store",
        "_targets",
        "_threads",
        "_trouble",
        "_warnings",
        "core.activations",
        "core.averaging",
        "core.batches",
        "core.layer_rates",
        "core.losses",
        "core.monitor",
        "core.network",
        "core.objective",
        "core.optimizers",
        "core.plan",
        "core.schedules",
        "core.state",
        "core.training",
        "core.typing",
    },
    "_build": {
        "_data",
        "_holdout",
        "_losses",
        "_resolve",
        "core.batches",
        "core.losses",
        "core.monitor",
        "core.network",
        "core.objective",
        "core.optimizers",
        "core.plan",
        "core.state",
        "core.typing",
    },
    "_store": {
        "_label_targets",
        "_targets",
        "core.monitor",
        "core.optimizers",
        "core.plan",
        "core.state",
    },
    "_trouble": {
        "_warnings",
        "core.batches",
        "core.divergence",
        "core.monitor",
        "core.objective",
        "core.optimizers",
        "core.plan",
        "core.typing",
    },
    "_combinations": {
        "_resolve",
        "_warnings",
        "core.batches",
        "core.losses",
        "core.optimizers",
    },
    "_resolve": {
        "core.activations",
        "core.averaging",
        "core.batches",
        "core.dropout",
        "core.layer_rates",
        "core.network",
        "core.optimizers",
        "core.part",
        "core.schedules",
    },
    "_losses": {
        "_data",
        "_number_targets",
        "_resolve",
        "_targets",
        "core.links",
        "core.losses",
        "core.typing",
    },
    "_docs": {
        "_auto",
        "core.activations",
        "core.batches",
        "core.layer_rates",
        "core.links",
        "core.losses",
        "core.optimizers",
        "core.schedules",
    },
    "_observer": {"_callbacks", "_checkpoint", "core.monitor", "core.state"},
    "_targets": {"_label_targets", "_number_targets", "core.typing"},
    "_label_targets": {"core.typing"},
    "_number_targets": {"core.typing"},
    "_callbacks": set(),
    "_checkpoint": {
        "_data",
        "_warnings",
        "core.checks",
        "core.state",
        "core.state_file",
    },
    "_data": {"_targets", "core.state", "core.typing"},
    "_holdout": {
        "_data",
        "_resolve",
        "_warnings",
        "core.batches",
        "core.losses",
        "core.network",
        "core.objective",
        "core.state",
        "core.typing",
    },
    "_refit": {"_build", "_data", "_losses", "core.monitor", "core.plan", "core.state"},
    "_inputs": {"_auto", "_sparse", "core.batches", "core.typing", "preprocessing"},
    "_scoring": {"_holdout", "_warnings", "core.typing"},
    "_weights": {"core.typing"},
    "_threads": {"core.objective", "core.plan"},
    "_warnings": set(),
    "preprocessing": {"preprocessing._tabular"},
    "preprocessing._tabular": {
        "_rollback",
        "preprocessing._checks",
        "preprocessing._containers",
        "preprocessing._learning",
        "preprocessing._plan",
        "preprocessing._target",
    },
    "preprocessing._learning": {
        "preprocessing._categories",
        "preprocessing._columns",
        "preprocessing._distribution",
        "preprocessing._measures",
        "preprocessing._numeric",
        "preprocessing._plan",
        "preprocessing._target",
    },
    "preprocessing._plan": {
        "preprocessing._categories",
        "preprocessing._containers",
        "preprocessing._measures",
        "preprocessing._numeric",
    },
    "preprocessing._containers": {"_sparse", "preprocessing._columns"},
    "preprocessing._categories": {"preprocessing._columns"},
    "preprocessing._checks": {"preprocessing._numeric"},
    "preprocessing._columns": set(),
    "preprocessing._distribution": set(),
    "preprocessing._measures": {"preprocessing._columns"},
    "preprocessing._numeric": {"preprocessing._distribution"},
    "preprocessing._target": {"preprocessing._checks"},
    "core": set(),
    "core.plan": {
        "core.averaging",
        "core.batches",
        "core.dropout",
        "core.layer_rates",
        "core.monitor",
        "core.objective",
        "core.optimizers",
        "core.rates",
        "core.schedules",
        "core.state",
    },
    "core.training": {
        "core.divergence",
        "core.averaging",
        "core.batches",
        "core.dropout",
        "core.memory",
        "core.monitor",
        "core.objective",
        "core.optimizers",
        "core.plan",
        "core.state",
        "core.typing",
        "core.vectors",
    },
    "core.divergence": {"core.state", "core.typing"},
    "core.monitor": {"core.divergence", "core.state", "core.typing"},
    "core.state": {
        "core.averaging",
        "core.layer_rates",
        "core.memory",
        "core.optimizers",
        "core.typing",
    },
    "core.state_file": {"core.state", "core.typing"},
    "core.objective": {
        "core.batches",
        "core.dropout",
        "core.losses",
        "core.memory",
        "core.network",
        "core.passes",
        "core.penalty",
        "core.typing",
        "core.vectors",
    },
    "core.penalty": {"core.typing", "core.vectors"},
    "core.dropout": {
        "core.network",
        "core.passes",
        "core.schedules",
        "core.state",
        "core.typing",
    },
    "core.network": {
        "core.activations",
        "core.layers",
        "core.layout",
        "core.memory",
        "core.passes",
        "core.typing",
    },
    "core.passes": {"core.layers", "core.typing"},
    "core.memory": {"core.typing"},
    "core.layers": {"core.products", "core.typing", "core.rows"},
    "core.products": {"core.typing"},
    "core.layer_rates": {"core.checks", "core.layout", "core.part", "core.rates"},
    "core.part": set(),
    "core.rates": {"core.typing"},
    "core.layout": {"core.typing"},
    "core.losses": {
        "core.losses.base",
        "core.losses.classification",
        "core.losses.distribution",
        "core.losses.positive",
        "core.losses.regression",
        "core.losses.wrappers",
        "core.typing",
    },
    "core.losses.base": {
        "core.checks",
        "core.links",
        "core.part",
        "core.typing",
    },
    "core.losses.classification": {
        "core.checks",
        "core.links",
        "core.losses.base",
        "core.losses.constants",
        "core.part",
        "core.typing",
        "core.rows",
    },
    "core.losses.constants": {"core.typing"},
    "core.losses.distribution": {
        "core.checks",
        "core.links",
        "core.losses.base",
        "core.losses.constants",
        "core.part",
        "core.typing",
    },
    "core.losses.positive": {
        "core.checks",
        "core.links",
        "core.losses.base",
        "core.losses.constants",
        "core.part",
        "core.typing",
    },
    "core.losses.regression": {
        "core.checks",
        "core.losses.base",
        "core.losses.constants",
        "core.part",
        "core.typing",
        "core.rows",
    },
    "core.losses.wrappers": {
        "core.checks",
        "core.links",
        "core.losses.base",
        "core.part",
        "core.typing",
    },
    "core.links": {"core.part", "core.typing", "core.rows"},
    "core.activations": {"core.checks", "core.part", "core.typing", "core.rows"},
    "core.optimizers": {
        "core.optimizers.adam",
        "core.optimizers.adaptive",
        "core.optimizers.base",
        "core.optimizers.descent",
        "core.optimizers.lbfgs",
    },
    "core.optimizers.adam": {
        "core.checks",
        "core.memory",
        "core.optimizers.base",
        "core.part",
        "core.vectors",
    },
    "core.optimizers.adaptive": {
        "core.checks",
        "core.memory",
        "core.optimizers.base",
        "core.part",
        "core.vectors",
    },
    "core.optimizers.descent": {
        "core.checks",
        "core.memory",
        "core.optimizers.base",
        "core.part",
        "core.rates",
        "core.typing",
        "core.vectors",
    },
    "core.optimizers.lbfgs": {
        "core.checks",
        "core.optimizers.base",
        "core.part",
        "core.typing",
    },
    "core.optimizers.base": {
        "core.part",
        "core.rates",
        "core.typing",
        "core.vectors",
    },
    "core.averaging": {"core.checks", "core.part"},
    "core.batches": {"core.typing"},
    "core.schedules": {"core.checks", "core.part"},
    "core.checks": {"core.typing"},
    "core.typing": set(),
    "core.rows": {"core.typing"},
    "core.vectors": {"core.rates", "core.typing"},
}

every_module = pytest.mark.parametrize("module", FILES)
every_core_module = pytest.mark.parametrize(
    "module", [m for m in FILES if m.startswith("skffnn.core")]
)


def imports(module):
    """Return (module, name) for every import, wherever in the file it stands."""
    found = []
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            found += [(node.module, alias.name) for alias in node.names]
    return found


def arrows(module):
    """Return the modules of skffnn that `module` imports."""
    targets = set()
    for imported, name in imports(module):
        if imported.split(".")[0] == "skffnn":
            submodule = f"{imported}.{name}"
            targets.add(submodule if submodule in FILES else imported)
    return targets


def test_there_is_a_picture_of_every_module():
    below = {module.removeprefix("skffnn").removeprefix(".") for module in FILES}
    assert below == set(DOORS)


@every_module
def test_doors_open_one_way(module):
    allowed = DOORS[module.removeprefix("skffnn").removeprefix(".")]
    assert arrows(module) == {f"skffnn.{target}" for target in allowed}


def test_no_module_imports_itself_round_a_corner():
    TopologicalSorter({module: arrows(module) for module in FILES}).prepare()


@every_core_module
def test_the_core_is_numpy_and_scipy_only(module):
    roots = {imported.split(".")[0] for imported, _ in imports(module)}
    assert roots <= {"numpy", "scipy", "skffnn", *sys.stdlib_module_names}
    assert all(target.startswith("skffnn.core.") for target in arrows(module))


def test_training_is_started_in_one_place():
    starters = {m for m in FILES if ("skffnn.core.training", "train") in imports(m)}
    assert starters == {"skffnn._base"}


@every_module
def test_what_others_keep_private_is_used_in_few_places(module):
    private = {
        imported.split(".")[0]
        for imported, name in imports(module)
        if not imported.startswith("skffnn")
        and any(
            part.startswith("_") and not part.startswith("__")
            for part in [*imported.split("."), name]
        )
    }
    allowed = {
        "skffnn._base": {"sklearn"},
        "skffnn._callbacks": {"sklearn"},
        "skffnn.core.products": {"scipy"},
    }
    assert private <= allowed.get(module, set())


@every_module
def test_only_the_observer_prints(module):
    names = {
        node.id
        for node in ast.walk(ast.parse(FILES[module].read_text()))
        if isinstance(node, ast.Name)
    }
    assert "print" not in names or module == "skffnn._observer"
