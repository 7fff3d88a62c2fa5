"""A learning rate: one for all parameters, or one for each stretch of the vector."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np

from skffnn.core.typing import Array

__all__ = ["Piecewise", "Rate"]


@dataclass(frozen=True)
class Piecewise:
    """One number for each of several stretches of a vector.

    Multiplied with an array, or divided by one, it is the vector that it stands for.

    Parameters
    ----------
    stops : tuple of int
        Where each stretch ends, the last at the length of the vector.
    values : tuple of float
        The number of each.
    """

    # Products with numpy's numbers and arrays are those defined here.
    __array_ufunc__: ClassVar[None] = None
    stops: tuple[int, ...]
    values: tuple[float, ...]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.repeat(self.values, np.diff(self.stops, prepend=0)).astype(dtype)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return self.__array__(other.dtype) * other
        return Piecewise(self.stops, tuple(other * value for value in self.values))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self * (1.0 / other)

    def __neg__(self) -> "Piecewise":
        return -1.0 * self


Rate: TypeAlias = float | Piecewise
