"""How many BLAS threads a run uses: never more than the user allows, often just one.

Threads wait for each other at the end of every product. Below a millisecond that costs
more than the other threads' help is worth, and on a busy machine very much more.

numpy and scipy may carry a BLAS each, with threads of its own, and those of one go on
spinning after a product on the cores that the other's need. On two cores an update of a
50-256-256-256-10 network with 32 rows then took 20 ms instead of 0.4. So the products,
numpy's, may have threads; what scipy's BLAS does, mostly the optimizer's, runs on one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np
from threadpoolctl import ThreadpoolController

from skffnn.core.objective import CHUNK
from skffnn.core.plan import Run

__all__ = ["blas_threads"]

# Rows of a batch times weights from which on two threads, on two idle cores, make an
# update a third faster or more. It takes about 0.5 ms on one thread in float32.
WORK_FOR_THREADS = 8e6

# The limit holds for the whole process: one run at a time sets and restores it.
_IN_CONTROL = Lock()


@contextmanager
def blas_threads(run: Run) -> Iterator[None]:
    """Limit BLAS to the threads that pay for this run, and restore it afterwards.

    A run that begins while another one is in control, in another thread or in a
    callback, takes BLAS as it is.
    """
    if not _IN_CONTROL.acquire(blocking=False):
        yield
        return
    try:
        few = work_per_update(run) < WORK_FOR_THREADS
        with (_blas() if few else _blas_of_steps()).limit(limits=1):
            yield
    finally:
        _IN_CONTROL.release()


def work_per_update(run: Run) -> int:
    """Return rows times weights of the dense products that pass at once."""
    network, X = run.objective.network, run.objective.X
    n_weights = network.layout.n_weights
    if not isinstance(X, np.ndarray):  # sparse products are not BLAS's
        n_weights -= network.layer_sizes[0] * network.layer_sizes[1]
    return min(run.plan.batches.size, CHUNK) * n_weights


@cache
def _blas() -> ThreadpoolController:
    """Return every BLAS library of this process."""
    return ThreadpoolController().select(user_api="blas")


@cache
def _blas_of_steps() -> ThreadpoolController:
    """Return scipy's BLAS, or none where it is numpy's as well."""
    paths = {library.filepath for library in _blas().lib_controllers}
    of_scipy = {path for path in paths if _is_within("scipy", Path(path))}
    return _blas().select(filepath=sorted(of_scipy) if of_scipy < paths else [])


def _is_within(package: str, library: Path) -> bool:
    """Tell whether a library lies in ``package.libs`` or ``package/.dylibs``."""
    return any(part.split(".")[0] == package for part in library.parts[-3:-1])
