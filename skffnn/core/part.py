"""What the parts of a training run have in common: activations, losses, optimizers, ...

They are small frozen dataclasses of hyperparameters.
"""

from dataclasses import dataclass
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
        mine, theirs = vars(self), vars(other)
        return mine.keys() == theirs.keys() and all(
            map(np.array_equal, mine.values(), theirs.values())
        )

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        attributes = ", ".join(f"{k}={v!r}" for k, v in vars(self).items())
        return f"{type(self).__qualname__}({attributes})"
