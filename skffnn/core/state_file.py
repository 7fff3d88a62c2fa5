"""A training state in a file: written at once or not at all, read without running code.

The file is numpy's ``.npz``: arrays, and one JSON text for all that is none. Reading it
checks the sums that zip archives carry: a damaged file is never taken for a whole one.
"""

import json
import os
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile, is_zipfile

import numpy as np

from skffnn.core.state import Average, Progress, TrainingState
from skffnn.core.typing import Array

__all__ = ["part_of", "read_state", "write_state"]

# Known from the plan of the run, and of interest between runs only.
LEFT_OUT = ("optimizer", "layer_rates", "averaging", "finished")


def write_state(path: Path, state: TrainingState, label: dict[str, Any]) -> None:
    """Replace `path` by a file that holds `state` and `label`.

    At every moment there is the old file or the new one, whole, even if the process is
    killed or the machine loses power.

    Parameters
    ----------
    path : Path
        Where to.
    state : TrainingState
        What to keep. After reading, `go_on_with` must be told the optimizer, the rates
        and the average again.
    label : dict
        Whatever else JSON can hold.

    Raises
    ------
    TypeError
        If an optimizer's state holds more than arrays and numbers.
    """
    arrays: dict[str, Array] = {}
    content = {
        field.name: pack(getattr(state, field.name), arrays)
        for field in fields(state)
        if field.name not in LEFT_OUT
    }
    text = json.dumps({"label": label, "state": content})
    arrays["text"] = np.frombuffer(text.encode(), np.uint8)
    write_atomically(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def read_state(path: Path) -> tuple[TrainingState, dict[str, Any]]:
    """Return what `write_state` has written.

    Raises
    ------
    ValueError
        If the file is damaged, or something else.
    """
    try:
        if not is_zipfile(path):
            raise ValueError("it is no archive of arrays, or not a whole one")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as entries:
            arrays = dict(entries)
        text = json.loads(arrays.pop("text").tobytes())
        content = {name: unpack(v, arrays) for name, v in text["state"].items()}
        return TrainingState(**content), text["label"]
    except (BadZipFile, EOFError, KeyError, TypeError, ValueError, OSError) as error:
        raise ValueError(
            f"{str(path)!r} cannot be read as a checkpoint: {error}"
        ) from error


def pack(value: Any, arrays: dict[str, Array]) -> Any:
    """Return `value` as JSON can hold it, and put its arrays into `arrays`."""
    if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
        name = f"array_{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"array" if isinstance(value, np.ndarray) else "scalar": name}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return {type(value).__name__: [pack(entry, arrays) for entry in value]}
    if isinstance(value, dict):
        return {"dict": {name: pack(entry, arrays) for name, entry in value.items()}}
    if isinstance(value, np.random.Generator):
        return {"generator": pack(value.bit_generator.state, arrays)}
    if is_dataclass(value) and type(value).__name__ in CLASSES:
        entries = {f.name: getattr(value, f.name) for f in fields(value)}
        return {type(value).__name__: pack(entries, arrays)}
    raise TypeError(f"A checkpoint holds arrays and numbers, but not {value!r}")


def unpack(value: Any, arrays: dict[str, Array]) -> Any:
    """Return what `pack` was given."""
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "scalar":
        return arrays[content][()]
    if kind == "dict":
        return {name: unpack(entry, arrays) for name, entry in content.items()}
    if kind == "generator":
        return generator(unpack(content, arrays))
    if kind in CLASSES:
        return CLASSES[kind](**unpack(content, arrays))
    entries = [unpack(entry, arrays) for entry in content]
    return tuple(entries) if kind == "tuple" else entries


CLASSES = {"Average": Average, "Progress": Progress}


def generator(state: dict[str, Any]) -> np.random.Generator:
    """Return a generator that goes on from `state`."""
    rng = np.random.default_rng()
    rng.bit_generator.state = state
    return rng


def part_of(path: Path) -> Path:
    """Return the file beside `path` that becomes the new one once it is whole."""
    return path.with_name(path.name + ".part")


def write_atomically(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let `write` write the new file, bring it to the disk, then give it its name."""
    part = part_of(path)
    with part.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    if os.name == "posix":  # the new name is on the disk when its folder is
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
