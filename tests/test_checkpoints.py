"""A fit that was killed goes on where it was, and ends in the same model."""

import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from plain import FFNNClassifier, FFNNRegressor
from sklearn.base import clone
from sklearn.model_selection import ShuffleSplit, TimeSeriesSplit, cross_val_score

from skffnn import Checkpoint
from skffnn._checkpoint import CheckpointFile
from skffnn.core.optimizers import OPTIMIZERS
from skffnn.core.schedules import Schedule
from skffnn.core.state_file import read_state

pytestmark = pytest.mark.filterwarnings("ignore:max_iter=")


class Killed(Exception):
    pass


class Kills(Schedule):
    """A rate that falls with the step; some calls, over all fits, raise."""

    calls = 0
    at = ()

    def __call__(self, step, n_steps):
        Kills.calls += 1
        if Kills.calls in Kills.at:
            raise Killed
        return 1.0 - 0.5 * step / n_steps


def flat(model):
    return np.concatenate([a.ravel() for a in (*model.coefs_, *model.intercepts_)])


def fit_with_kills(model, at, *args, **kwargs):
    """Call fit until it ends, with a new estimator each time, as a script would."""
    Kills.calls, Kills.at = 0, at
    n_kills = 0
    try:
        while True:
            try:
                return clone(model).fit(*args, **kwargs), n_kills
            except Killed:
                n_kills += 1
    finally:
        Kills.at = ()


def assert_same(model, expected):
    np.testing.assert_array_equal(flat(model), flat(expected))
    for name in (
        "loss_curve_", "validation_scores_", "validation_loss_curve_", "best_epoch_",
        "n_iter_", "t_", "stop_reason_", "rate_halvings_", "best_loss_",
    ):  # fmt: skip
        assert getattr(model, name) == getattr(expected, name), name


def every(tmp_path, n_epochs=1):
    return Checkpoint(tmp_path / "run.ckpt", every_epochs=n_epochs)


STEPPERS = [
    {"solver": solver, "optimizer": name}
    for name, optimizer in OPTIMIZERS.items()
    for solver in optimizer.solvers
    if name not in ("lbfgs", "rprop") and solver != "stochastic"
]


@pytest.mark.parametrize("n_epochs", [1, 3])
@pytest.mark.parametrize("parameters", STEPPERS, ids=str)
def test_every_optimizer_resumes(iris, tmp_path, parameters, n_epochs):
    X, y = iris
    parameters = {
        "learning_rate": Kills(),
        "max_iter": 8,
        "random_state": 0,
        **parameters,
    }
    plain = FFNNClassifier((5,), **parameters).fit(X, y)
    model = FFNNClassifier((5,), checkpoint=every(tmp_path, n_epochs), **parameters)
    steps = plain._state.step // 8
    at = [4 * steps, 6 * steps + 1]
    resumed, n_kills = fit_with_kills(model, at, X, y)
    assert n_kills == 2
    assert Kills.calls < at[-1] + 8 * steps  # the last life did not start anew
    assert_same(resumed, plain)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "parameters",
    [
        {"early_stopping": True, "learning_rate_init": 0.05},
        {"early_stopping": True, "learning_rate_init": 0.05, "refit": True},
        {"early_stopping": True, "scoring": "r2", "refit": True, "shuffle": False},
        {"early_stopping": True, "validation_split": TimeSeriesSplit(3)},
        {"optimizer": "sgd", "learning_rate_init": 0.8, "max_iter": 12},
        {"max_grad_norm": 0.1, "l1_ratio": 0.5, "max_iter": 12},
        {"dropout": 0.3, "input_dropout": 0.1, "dropout_schedule": "flat_cosine"},
        {"layer_norm": True, "max_norm": 0.5, "average": True},
        {"average": 0.9, "dropout": 0.2, "early_stopping": True, "refit": True},
        {"average": True, "optimizer": "sgd", "learning_rate_init": 0.8},
    ],
    ids=str,
)
def test_every_kind_of_run_resumes_wherever_it_was(
    diabetes, tmp_path, parameters, dtype
):
    X, y = diabetes[0].astype(dtype), diabetes[1]
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    weight[::7] = 0.0
    settings = {
        "learning_rate": Kills(),
        "max_iter": 60,
        "random_state": 0,
        **parameters,
    }
    Kills.calls = 0
    plain = FFNNRegressor((8,), **settings).fit(X, y, weight)
    n_calls = Kills.calls
    model = FFNNRegressor((8,), checkpoint=every(tmp_path, 2), **settings)
    at = range(70, 10 * n_calls, 71)
    resumed, n_kills = fit_with_kills(model, at, X, y, weight)
    assert n_kills >= 2
    assert Kills.calls < at.stop  # no life had to start anew
    assert_same(resumed, plain)
    assert resumed.predict(X).dtype == dtype


def test_own_rows_and_sparse_features_resume(cancer, tmp_path):
    X, y = sp.csr_array(cancer[0]), cancer[1]
    own = {"X_val": X[400:], "y_val": y[400:], "sample_weight_val": y[400:] + 1.0}
    settings = {"learning_rate": Kills(), "early_stopping": "auto", "random_state": 0}
    plain = FFNNClassifier((8,), max_iter=15, **settings).fit(X[:400], y[:400], **own)
    model = FFNNClassifier((8,), max_iter=15, checkpoint=every(tmp_path), **settings)
    resumed, n_kills = fit_with_kills(model, [50, 80], X[:400], y[:400], **own)
    assert n_kills == 2
    assert_same(resumed, plain)


def test_an_end_that_was_not_reached_is_not_trained_beyond(iris, tmp_path, monkeypatch):
    """Killed after the checkpoint of the last epoch, before fit has ended."""
    X, y = iris
    epochs = []

    def scorer(estimator, X, y):
        epochs.append(estimator.n_iter_)
        return estimator.score(X, y)

    model = FFNNClassifier(
        early_stopping=True, scoring=scorer, n_iter_no_change=2, tol=0.1,
        checkpoint=every(tmp_path), random_state=0,
    )  # fmt: skip
    with monkeypatch.context() as context:
        context.setattr(CheckpointFile, "remove", lambda _self: None)
        model.fit(X, y)
    epochs.clear()
    again = clone(model).fit(X, y)
    assert epochs == []
    assert_same(again, model)
    assert again.stop_reason_ == "early_stopping"


def interrupted_file(tmp_path, X, y, **parameters):
    """Leave a checkpoint behind and return an estimator that would resume it."""
    settings = {
        "learning_rate": Kills(),
        "batch_size": 30,
        "max_iter": 9,
        "random_state": 0,
        **parameters,
    }
    model = FFNNClassifier((5,), checkpoint=every(tmp_path), **settings)
    Kills.calls, Kills.at = 0, [13]
    with pytest.raises(Killed):
        clone(model).fit(X, y)
    Kills.at = ()
    assert (tmp_path / "run.ckpt").exists()
    return model


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(3)], ids=str)
def test_a_seed_that_nobody_knows_is_kept(iris, tmp_path, random_state):
    model = interrupted_file(
        tmp_path, *iris, random_state=random_state, early_stopping=True
    )
    state, _ = read_state(tmp_path / "run.ckpt")
    if random_state is not None:
        random_state.randint(10)  # what the next fit would draw is another seed
    model.fit(*iris)
    assert model._state.seed == state.seed
    assert model.validation_scores_[: state.epoch] == state.validation_scores
    assert model.n_iter_ == 9


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"alpha": 0.5}, "alpha=0.0001 there and 0.5 here"),
        ({"hidden_layer_sizes": (6,)}, r"hidden_layer_sizes=\(5,\) there"),
        ({"early_stopping": True}, "early_stopping=False there and True here"),
        ({"X": 0}, "Different are X. Remove"),
        ({"y": 0}, "Different are y. Remove"),
        ({"sample_weight": 2}, "Different are sample_weight. Remove"),
    ],
    ids=str,
)
def test_another_fit_is_not_resumed_and_what_differs_is_named(
    iris, tmp_path, change, named
):
    X, y = iris
    model = interrupted_file(tmp_path, X, y)
    arguments = {"X": X, "y": y}
    for name, value in change.items():
        if name == "X":
            arguments["X"] = np.where(np.arange(600).reshape(150, 4) == 7, 0.0, X)
        elif name == "y":
            arguments["y"] = y[::-1]
        elif name == "sample_weight":
            arguments[name] = np.arange(1.0, 151.0)
        else:
            model.set_params(**{name: value})
    with pytest.raises(ValueError, match=f"run.ckpt' is of another fit.*{named}"):
        model.fit(**arguments)
    assert not hasattr(model, "coefs_")


def test_a_hold_out_that_is_new_is_the_only_thing_named(iris, tmp_path):
    model = interrupted_file(tmp_path, *iris).set_params(early_stopping="auto")
    with pytest.raises(ValueError, match=r"X_val, y_val\. Remove") as raised:
        model.fit(*iris, X_val=iris[0], y_val=iris[1])
    assert "None there and None here" not in str(raised.value)


def test_other_rows_held_out_are_named(iris, tmp_path):
    drawn = ShuffleSplit(1, test_size=0.2)
    model = interrupted_file(
        tmp_path, *iris, early_stopping=True, validation_split=drawn
    )
    with pytest.raises(ValueError, match=r"Different are the rows held out\. Remove"):
        model.fit(*iris)


def test_what_does_not_change_the_model_may_change(iris, tmp_path, capsys):
    model = interrupted_file(tmp_path, *iris)
    model.set_params(verbose=1, max_time=1e6).fit(*iris)
    assert model.n_iter_ == 9
    first = capsys.readouterr().out.splitlines()[0]
    assert first == f"Resumed after epoch 2 from {str(tmp_path / 'run.ckpt')!r}"


@pytest.mark.parametrize("kept", [0, 10, 500, -1, "flipped", "text", "npy", "other"])
def test_a_damaged_file_is_named(iris, tmp_path, kept):
    model = interrupted_file(tmp_path, *iris)
    path = tmp_path / "run.ckpt"
    content = path.read_bytes()
    if kept == "flipped":
        middle = len(content) // 2
        content = (
            content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        )
    elif kept == "text":
        content = b"epoch 3"
    elif isinstance(kept, int):
        content = content[:kept]
    path.write_bytes(content)
    if kept in ("npy", "other"):
        with path.open("wb") as file:
            (np.save if kept == "npy" else np.savez)(file, np.arange(3))
    with pytest.raises(ValueError, match=r"run\.ckpt' cannot be read as a checkpoint"):
        model.fit(*iris)
    assert path.exists()


def test_a_checkpoint_runs_no_code(iris, tmp_path):
    interrupted_file(tmp_path, *iris)
    with np.load(tmp_path / "run.ckpt", allow_pickle=False) as file:
        text = json.loads(file["text"].tobytes())
        assert all(array.dtype != object for array in file.values())
    assert text["label"]["fit"]["estimator"] == "FFNNClassifier"
    assert text["state"]["epoch"] == 2


def test_ctrl_c_keeps_the_file(iris, tmp_path):
    X, y = iris

    class Interrupts(Kills):
        def __call__(self, step, n_steps):
            try:
                return super().__call__(step, n_steps)
            except Killed:
                raise KeyboardInterrupt from None

    settings = {"learning_rate": Interrupts(), "max_iter": 9, "random_state": 0}
    plain = FFNNClassifier((5,), **settings).fit(X, y)
    model = FFNNClassifier((5,), checkpoint=every(tmp_path), **settings)
    Kills.calls, Kills.at = 0, [13]
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, y)
    assert (tmp_path / "run.ckpt").exists()
    assert_same(model.fit(X, y), plain)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_does_not_end_the_fit(iris, tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("skffnn._checkpoint.write_state", fails)
    model = FFNNClassifier(max_iter=2, checkpoint=every(tmp_path), random_state=0)
    with pytest.warns(
        UserWarning, match="could not be written: .*No space left"
    ) as told:
        model.fit(*iris)
    assert model.n_iter_ == 2
    assert len([one for one in told if "No space" in str(one.message)]) == 1


def test_a_file_that_cannot_be_removed_is_told(iris, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.unlink", fails)
    model = FFNNClassifier(max_iter=2, checkpoint=every(tmp_path), random_state=0)
    with pytest.warns(UserWarning, match="could not be removed: .*Permission denied"):
        model.fit(*iris)
    assert model.n_iter_ == 2


def test_a_state_that_a_file_cannot_hold_is_named(iris, tmp_path):
    class Odd(type(OPTIMIZERS["sgd"]())):
        def init(self, n_params, n_weights, dtype):
            return {**super().init(n_params, n_weights, dtype), "odd": {1, 2}}

    model = FFNNClassifier(optimizer=Odd(), max_iter=2, checkpoint=every(tmp_path))
    with pytest.raises(TypeError, match=r"arrays and numbers, but not \{1, 2\}"):
        model.fit(*iris)


def test_a_checkpoint_does_not_change_the_model_nor_its_pickle(diabetes, tmp_path):
    X, y = diabetes
    plain = FFNNRegressor(max_iter=5, random_state=0).fit(X, y)
    model = FFNNRegressor(max_iter=5, random_state=0, checkpoint=every(tmp_path))
    assert_same(model.fit(X, y), plain)
    assert len(pickle.dumps(model)) < len(pickle.dumps(plain)) + 1000


def test_seconds_decide_as_well(diabetes, tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(
        "skffnn._checkpoint.write_state",
        lambda _path, state, _label: written.append(state.epoch),
    )
    for settings, epochs in [
        ({"every_epochs": 2}, [2, 4, 6]),
        ({"every_seconds": 1e-9}, [1, 2, 3, 4, 5, 6, 7]),
        ({"every_seconds": 1e-9, "every_epochs": 2}, [1, 2, 3, 4, 5, 6, 7]),
        ({"every_seconds": 1e9}, []),
        ({}, []),
    ]:
        checkpoint = Checkpoint(tmp_path / "a", **settings)
        FFNNRegressor((3,), max_iter=7, checkpoint=checkpoint).fit(*diabetes)
        assert written == epochs
        written.clear()


def test_folds_one_after_the_other_may_share_a_path(iris, tmp_path):
    model = FFNNClassifier(max_iter=3, checkpoint=every(tmp_path), random_state=0)
    assert len(cross_val_score(model, *iris, cv=3)) == 3


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"solver": "batch"}, "checkpoint=.* needs an optimizer that takes steps"),
        ({"warm_start": True}, "checkpoint=.*warm_start=True"),
        (
            {"checkpoint": "no/such/folder/a"},
            r"'checkpoint' parameter .*no/such/folder/a",
        ),
        ({"checkpoint": "."}, "'checkpoint' parameter must be the path of a file"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said(iris, tmp_path, parameters, message):
    model = FFNNClassifier(**{"checkpoint": str(tmp_path / "a"), **parameters})
    with pytest.raises(ValueError, match=message):
        model.fit(*iris)


def test_wrong_settings_are_named_where_they_are_made():
    for settings, name in [
        ({"path": 3}, "path"),
        ({"path": "a", "every_epochs": 0}, "every_epochs"),
        ({"path": "a", "every_epochs": 1.5}, "every_epochs"),
        ({"path": "a", "every_seconds": 0.0}, "every_seconds"),
    ]:
        with pytest.raises(ValueError, match=f"{name} of Checkpoint must"):
            Checkpoint(**settings)


def test_partial_fit_says_that_it_writes_none(iris, tmp_path):
    model = FFNNRegressor(checkpoint=every(tmp_path), random_state=0)
    with pytest.warns(UserWarning, match="No effect.*checkpoint"):
        model.partial_fit(*iris)
    assert list(tmp_path.iterdir()) == []


# Imports once, then lets a child fit and kills it, again and again.
LIVES = """
import os, pickle, random, signal, sys, time, warnings
import numpy as np
from skffnn import Checkpoint, FFNNClassifier

folder, n_kills, parameters = sys.argv[1], int(sys.argv[2]), eval(sys.argv[3])
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 10))
y = (X[:, 0] * X[:, 1] + 0.5 * rng.normal(size=300) > 0).astype(int)

def fit(result, checkpoint=None):
    model = FFNNClassifier((16,), checkpoint=checkpoint, random_state=0, **parameters)
    model.fit(X, y)
    kept = [model.coefs_, model.intercepts_, model.loss_curve_, model.stop_reason_,
            model.validation_scores_, model.best_epoch_, model.n_iter_]
    with open(result, "wb") as file:
        pickle.dump(kept, file)

def start():
    pid = os.fork()
    if not pid:
        try:
            fit(folder + "/killed", Checkpoint(folder + "/run.ckpt", every_epochs=1))
        finally:
            os._exit(0 if os.path.exists(folder + "/killed") else 1)
    return pid

random.seed(int(sys.argv[4]))
begun = time.perf_counter()
fit(folder + "/plain")
alone = time.perf_counter() - begun
n_done = 0
while n_done < n_kills:
    pid = start()
    time.sleep(random.uniform(0.0, 2.0 * alone / n_kills))
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if not os.WIFSIGNALED(status):
        assert os.WEXITSTATUS(status) == 0, "a fit could not be resumed"
        os.remove(folder + "/killed")  # it was done before: from the start again
        continue
    n_done += 1
_, status = os.waitpid(start(), 0)
assert status == 0, "the last fit could not be resumed"
with open(folder + "/plain", "rb") as a, open(folder + "/killed", "rb") as b:
    assert a.read() == b.read(), "not the same model"
print("kills", n_done)
"""
RUNS = [
    {"max_iter": 400, "tol": 0.0, "n_iter_no_change": 10**6},
    {
        "early_stopping": True,
        "refit": True,
        "scoring": "roc_auc",
        "n_iter_no_change": 150,
        "learning_rate_init": 0.003,
    },
]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("parameters", RUNS, ids=["adam", "refit"])
def test_twenty_kills_at_random_moments_change_nothing(tmp_path, parameters):
    seed = int.from_bytes(os.urandom(4))
    done = subprocess.run(
        [sys.executable, "-c", LIVES, str(tmp_path), "20", repr(parameters), str(seed)],
        capture_output=True, text=True, timeout=300,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.stdout == "kills 20\n", f"seed {seed}: {done.stderr}"
    assert not (tmp_path / "run.ckpt").exists()


def test_nothing_is_left_of_a_write_that_was_killed(iris, tmp_path):
    (tmp_path / "run.ckpt.part").write_bytes(b"half of it")
    FFNNClassifier((4,), max_iter=1, checkpoint=every(tmp_path, 100)).fit(*iris)
    assert list(tmp_path.iterdir()) == []
