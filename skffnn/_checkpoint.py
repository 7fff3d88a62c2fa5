"""Fits that survive their process: the state of training in a file."""

import os
import re
from dataclasses import dataclass
from hashlib import blake2b
from math import inf
from numbers import Integral
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import scipy.sparse as sp

from skffnn._data import Data
from skffnn._warnings import warn
from skffnn.core.checks import require
from skffnn.core.state import TrainingState
from skffnn.core.state_file import part_of, read_state, write_state

__all__ = ["Checkpoint", "CheckpointFile"]

AUTO_SECONDS = 60.0
# Parameters that do not decide what a fit comes to, given the time.
FREE = ("checkpoint", "max_time", "verbose")


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often `fit` writes down how far it has come.

    Pass it, or only the path, as `checkpoint` to an estimator. At the end of an epoch
    the whole state of training is written: parameters, state of the optimizer, random
    stream, patience, best epoch. If `fit` is killed, the same call, with the same data
    and parameters, goes on from there and returns bit for bit the model of a fit that
    was not. When `fit` has ended, the file is removed; after Ctrl-C it is kept.

    The file is replaced atomically. It holds numbers and text, and no code is run when
    it is read.

    Parameters
    ----------
    path : str or path-like
        The file. Its folder must exist. Each fit needs one of its own.
    every_epochs : int >= 1 or None, default=None
        Epochs from one writing to the next.
    every_seconds : float > 0 or None, default=None
        Seconds after which the end of an epoch is written down, likewise. If both are
        None, it is 60.

    See Also
    --------
    FFNNClassifier : Has the parameter `checkpoint`.
    FFNNRegressor : Likewise.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skffnn import Checkpoint, FFNNClassifier
    >>> checkpoint = Checkpoint("iris.ckpt", every_epochs=100)
    >>> model = FFNNClassifier(checkpoint=checkpoint, random_state=0)
    >>> model = model.fit(*load_iris(return_X_y=True))  # doctest: +SKIP
    """

    path: str | os.PathLike[str]
    every_epochs: int | None = None
    every_seconds: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.path, str | os.PathLike):
            raise ValueError(f"path of Checkpoint must be a path, got {self.path!r}")
        if self.every_epochs is not None:
            require(self, every_epochs="[1, inf)")
            if not isinstance(self.every_epochs, Integral):
                raise ValueError(
                    f"every_epochs of Checkpoint must be an int, got "
                    f"{self.every_epochs!r}"
                )
        if self.every_seconds is not None:
            require(self, every_seconds="(0, inf)")


class CheckpointFile:
    """The file of one call of fit.

    An error while writing it is a warning, the first time.

    Parameters
    ----------
    estimator : FFNNClassifier or FFNNRegressor
        Being fitted; has a `checkpoint`.
    data : Data
        What on.

    Attributes
    ----------
    refit : str or None
        Why the training with a hold-out ended, in the one that repeats it.
    """

    def __init__(self, estimator: Any, data: Data) -> None:
        given = estimator.checkpoint
        checkpoint = given if isinstance(given, Checkpoint) else Checkpoint(given)
        self.path = Path(checkpoint.path)
        if not self.path.parent.is_dir() or self.path.is_dir():
            raise ValueError(
                "The 'checkpoint' parameter must be the path of a file in a folder "
                f"that exists. Got {str(self.path)!r}."
            )
        epochs, seconds = checkpoint.every_epochs, checkpoint.every_seconds
        if epochs is None and seconds is None:
            seconds = AUTO_SECONDS
        self._every_epochs: float = inf if epochs is None else epochs
        self._every_seconds = inf if seconds is None else seconds
        self._fit = describe(estimator, data)
        self._n_epochs = 0
        self._written = monotonic()
        self._has_warned = False
        self.refit: str | None = None

    def read(self) -> TrainingState | None:
        """Return where the last call stood, or None if there is nothing to resume.

        Raises
        ------
        ValueError
            If the file is damaged, or that of another fit.
        """
        if not self.path.exists():
            return None
        state, label = read_state(self.path)
        self.refit = label["repeats"]
        different = differences(label["fit"], self._fit)
        if different:
            raise ValueError(
                f"The checkpoint {str(self.path)!r} is of another fit. Different are "
                f"{', '.join(different)}. Remove the file to start anew, or choose "
                "another path."
            )
        return state

    def epoch_ends(self, state: TrainingState) -> None:
        """Write, if it is time to."""
        self._n_epochs += 1
        late = monotonic() - self._written >= self._every_seconds
        if late or self._n_epochs >= self._every_epochs:
            try:
                write_state(self.path, state, {"fit": self._fit, "repeats": self.refit})
            except OSError as error:  # no reason to lose what has been trained
                if not self._has_warned:
                    warn(f"The checkpoint could not be written: {error}")
                self._has_warned = True
            self._n_epochs = 0
            self._written = monotonic()

    def remove(self) -> None:
        """Fit has ended: there is nothing to resume."""
        try:
            self.path.unlink(missing_ok=True)
            part_of(self.path).unlink(missing_ok=True)
        except OSError as error:  # the model is there
            warn(f"The checkpoint could not be removed: {error}")


def describe(estimator: Any, data: Data) -> dict[str, str]:
    """Return parameters and hashes of data, which must be the same to resume a fit."""
    parameters = estimator.get_params(deep=False)
    fit = {k: without_address(v) for k, v in parameters.items() if k not in FREE}
    fit["estimator"] = type(estimator).__name__
    arrays = {"X": data.X, "y": data.target, "sample_weight": data.sample_weight}
    if data.parts is not None:
        arrays["the rows held out"] = np.stack(data.parts)
    if data.validation is not None:
        own = data.validation
        arrays |= {"X_val": own.X, "y_val": own.target}
        arrays["sample_weight_val"] = own.sample_weight
    return fit | {name: digest(array) for name, array in arrays.items()}


def without_address(value: Any) -> str:
    """Return the repr of `value`, the same in every process."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def digest(array: Any) -> str:
    """Return dtype, shape and a hash of the content."""
    if array is None:
        return "None"
    parts = (
        (array.data, array.indices, array.indptr) if sp.issparse(array) else (array,)
    )
    content = blake2b(digest_size=16)
    for part in parts:
        content.update(np.ascontiguousarray(part).view(np.uint8).data)
    return f"{array.dtype} {array.shape} {content.hexdigest()}"


def differences(there: dict[str, str], here: dict[str, str]) -> list[str]:
    """Return the names of what differs, with the values of parameters."""
    names = [
        name
        for name in {**here, **there}
        if here.get(name, "None") != there.get(name, "None")
    ]
    return [
        name
        if re.search("[0-9a-f]{32}", f"{there.get(name)}{here.get(name)}")
        else f"{name}={there.get(name)} there and {here.get(name)} here"
        for name in names
    ]
