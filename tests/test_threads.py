"""Fits use as many BLAS threads as pay, and leave the user's setting alone."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from plain import FFNNRegressor
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import ThreadpoolController, threadpool_limits

from skffnn._threads import (
    WORK_FOR_THREADS,
    _is_within,
    blas_threads,
    work_per_update,
)
from skffnn.core.losses import SquaredError
from skffnn.core.objective import CHUNK


def threads():
    """Return the number of threads of each BLAS, by its path."""
    blas = ThreadpoolController().select(user_api="blas").lib_controllers
    return {library.filepath: library.num_threads for library in blas}


class Spy(SquaredError):
    """Notes the threads there are while a network is trained, and may stop it."""

    seen = None
    error = None

    def value_and_gradient(self, y, raw, weight, gradient_out):
        type(self).seen = threads()
        if self.error is not None:
            raise self.error
        return super().value_and_gradient(y, raw, weight, gradient_out)


class Failing(Spy):
    error = ZeroDivisionError("on purpose")


def run_of(X, layer_sizes, batch_size):
    n_weights = sum(m * n for m, n in pairwise(layer_sizes))
    layout = SimpleNamespace(n_weights=n_weights)
    network = SimpleNamespace(layout=layout, layer_sizes=layer_sizes)
    return SimpleNamespace(
        objective=SimpleNamespace(network=network, X=X),
        plan=SimpleNamespace(batches=SimpleNamespace(size=batch_size)),
    )


SMALL = run_of(np.zeros((5, 2)), (2, 3, 1), 5)


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2):
        if set(threads().values()) != {2}:
            pytest.skip("no BLAS here that can be given two threads")
        yield


def fit(n_features=3, n_rows=20, loss=None):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n_rows, n_features)), rng.normal(size=n_rows)
    model = FFNNRegressor(
        (300,),
        solver="batch",
        optimizer="sgd",
        loss=Spy() if loss is None else loss,
        learning_rate_init=1e-6,
        max_iter=2,
        tol=0.0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)


def test_small_products_run_on_one_thread():
    fit()
    assert set(Spy.seen.values()) == {1}
    assert set(threads().values()) == {2}


def test_large_products_have_the_users_threads_and_steps_one():
    fit(n_features=100, n_rows=300)
    numpys = [n for path, n in Spy.seen.items() if "numpy" in path]
    others = [n for path, n in Spy.seen.items() if "numpy" not in path]
    if len(Spy.seen) == 1:
        assert numpys + others == [2]
    else:
        assert (set(numpys), set(others)) == ({2}, {1})
    assert set(threads().values()) == {2}


def test_never_more_than_the_user_allows():
    with threadpool_limits(1):
        fit(n_features=100, n_rows=300)
        assert set(Spy.seen.values()) == {1}
        assert set(threads().values()) == {1}
    assert set(threads().values()) == {2}


def test_an_error_restores_the_threads():
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        fit(loss=Failing())
    assert set(Failing.seen.values()) == {1}
    assert set(threads().values()) == {2}


def test_a_run_in_another_thread_restores_what_there_was():
    limit = threads()
    with blas_threads(SMALL), ThreadPoolExecutor(1) as pool:
        assert set(threads().values()) == {1}
        pool.submit(fit).result(timeout=60)
        assert set(threads().values()) == {1}
    assert threads() == limit


def test_runs_that_overlap_restore_what_was_before_the_first():
    first_inside, second_inside, first_left = Event(), Event(), Event()

    def first():
        with blas_threads(SMALL):
            first_inside.set()
            second_inside.wait(60)
        first_left.set()

    def second():
        first_inside.wait(60)
        with blas_threads(SMALL):
            second_inside.set()
            first_left.wait(60)

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(first), pool.submit(second)]:
            future.result(timeout=120)
    assert set(threads().values()) == {2}


def test_work_is_that_of_the_dense_products_of_a_batch():
    X = np.zeros((5000, 784))
    assert work_per_update(run_of(X, (784, 256, 10), 32)) == 32 * 794 * 256
    assert work_per_update(run_of(X, (784, 256, 10), 5000)) == CHUNK * 794 * 256
    assert work_per_update(run_of(sp.csr_array(X), (784, 256, 10), 32)) == 32 * 2560
    assert work_per_update(SMALL) < WORK_FOR_THREADS


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/env/site-packages/scipy.libs/libscipy_openblas-1.so", True),
        ("/env/site-packages/scipy/.dylibs/libscipy_openblas.dylib", True),
        ("/env/site-packages/numpy.libs/libscipy_openblas64_-1.so", False),
        ("/home/scipy/env/lib/libopenblas.so", False),
    ],
)
def test_whose_a_library_is(path, expected):
    assert _is_within("scipy", Path(path)) is expected
