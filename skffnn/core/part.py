"""What the parts of a training run have in common: activations, losses, optimizers, ...

They are small frozen dataclasses of hyperparameters.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, dataclass_transform

import numpy as np

__all__ = ["Part", "part"]

Class = TypeVar("Class", bound=type)


@dataclass_transform(frozen_default=True)
def part(cls: Class) -> Class:
    """Make a frozen dataclass of a `Part` with hyperparameters.

    What `Part` has already is not generated anew: with some forty classes that is a
    quarter of the time of ``import skffnn``. A class without any needs no decorator.
    """
    made: Any = dataclass(frozen=True, eq=False, repr=False)(cls)
    return made


@part
class Part:
    """Told by its class and its attributes: equal where these are, and printed so.

    A warm start goes on, and a checkpoint is resumed, where parts are the same.
    """

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self is other or same(attributes(self), attributes(other))

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        given = ", ".join(f"{k}={v!r}" for k, v in attributes(self).items())
        return f"{type(self).__qualname__}({given})"


def attributes(one: Part) -> dict[str, Any]:
    """Return what an object was given, and not what it has remembered since."""
    cls = type(one)
    found = {
        name: value
        for name, value in vars(one).items()
        if not isinstance(getattr(cls, name, None), cached_property)
    }
    for ancestor in cls.__mro__:
        slots = vars(ancestor).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(one, name):
                found[name] = getattr(one, name)
    return found


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal; of what cannot tell, only itself is."""
    if one is other:
        return True
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return type(one) is type(other) and np.array_equal(one, other)
    if isinstance(one, list | tuple) and type(one) is type(other):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    try:
        return bool(one == other)
    except ValueError:  # a table, or a sparse matrix
        return False
