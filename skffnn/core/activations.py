"""An activation bends what a layer computed: ``a = f(z)``, element by element.

To add one: write a class with ``forward`` and ``backward`` and put it into
`ACTIVATIONS`. Validation, documentation and tests find it there.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import ClassVar

import numpy as np
from scipy.special import ndtr

from skffnn.core.checks import require
from skffnn.core.part import Part, part
from skffnn.core.rows import at_most, masking, rectifying, softplus_tail
from skffnn.core.typing import Array

__all__ = ["ACTIVATIONS", "Activation"]


class Activation(Part, ABC):
    """A function of one number, with its derivative.

    Attributes
    ----------
    init : {"glorot", "he", "lecun"}
        How the weights that feed this activation start, a key of
        `skffnn.core.network.INITIAL_VARIANCE`.
    keeps_z : bool
        False where the derivative follows from ``a`` alone: then ``z`` and ``a`` are
        the same buffer. True where it needs more, that `forward` leaves in ``z``:
        ``z`` itself, or what would else be computed twice.
    """

    init: ClassVar[str] = "he"
    keeps_z: ClassVar[bool] = False

    @abstractmethod
    def forward(self, z: Array, out: Array) -> None:
        """Write f(z) into `out`.

        Parameters
        ----------
        z : ndarray of shape (rows, width)
            Pre-activations. With `keeps_z` only `backward` reads them afterwards, and
            something else may be left in their place.
        out : ndarray of shape (rows, width)
            Receives the activations. May be `z` itself, but not with `keeps_z`.
        """

    @abstractmethod
    def backward(self, z: Array, a: Array, delta: Array) -> None:
        """Multiply `delta` by f'(z) in place.

        Parameters
        ----------
        z : ndarray of shape (rows, width)
            With `keeps_z` what `forward` left there, else ``a``.
        a : ndarray of shape (rows, width)
            Activations. Nobody reads `z` and `a` afterwards: both may be
            overwritten.
        delta : ndarray of shape (rows, width)
            Holds dJ/da, becomes dJ/dz.
        """

    def bind(
        self, z: Array, a: Array, delta: Array
    ) -> tuple[Callable[[], object], Callable[[], object]]:
        """Return `forward` and `backward` of many passes through the same arrays.

        To be overridden only where something can be made ready for them.

        Parameters
        ----------
        z, a, delta : ndarray of shape (rows, width)
            As above. `delta` is None where no pass goes backward.
        """
        return partial(self.forward, z, a), partial(self.backward, z, a, delta)


class Identity(Activation):
    """f(z) = z."""

    init: ClassVar[str] = "glorot"

    def forward(self, z: Array, out: Array) -> None:
        if out is not z:
            out[...] = z

    def backward(self, z: Array, a: Array, delta: Array) -> None:
        return


class Logistic(Activation):
    """f(z) = 1 / (1 + exp(-z)), computed as (1 + tanh(z/2)) / 2, f' = a (1 - a)."""

    init: ClassVar[str] = "glorot"

    def forward(self, z: Array, out: Array) -> None:
        np.multiply(z, 0.5, out=out)
        np.tanh(out, out=out)
        out *= 0.5
        out += 0.5

    def backward(self, z: Array, a: Array, delta: Array) -> None:
        delta *= a
        np.subtract(1.0, a, out=a)
        delta *= a


class Tanh(Activation):
    """f(z) = tanh(z), f' = 1 - a^2."""

    init: ClassVar[str] = "glorot"

    def forward(self, z: Array, out: Array) -> None:
        np.tanh(z, out=out)

    def backward(self, z: Array, a: Array, delta: Array) -> None:
        np.multiply(a, a, out=a)
        np.subtract(1.0, a, out=a)
        delta *= a


class ReLU(Activation):
    """f(z) = max(z, 0) (Nair and Hinton 2010), f'(0) taken as 0."""

    def forward(self, z: Array, out: Array) -> None:
        rectifying(z, out)()

    def backward(self, z: Array, a: Array, delta: Array) -> None:
        masking(a, delta)()

    def bind(
        self, z: Array, a: Array, delta: Array
    ) -> tuple[Callable[[], object], Callable[[], object]]:
        if type(self) is not ReLU:  # it may have methods of its own
            return super().bind(z, a, delta)
        return rectifying(z, a), masking(a, delta)


@part
class LeakyReLU(Activation):
    """f(z) = z for z > 0, else slope * z (Maas et al. 2013).

    Parameters
    ----------
    slope : float in (0, 1), default=0.01
        The derivative left of zero.
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        require(self, slope="(0, 1)")

    def forward(self, z: Array, out: Array) -> None:
        np.maximum(z, self.slope * z, out=out)

    def backward(self, z: Array, a: Array, delta: Array) -> None:
        # Where it is False, a loop with `where` takes ten times as long as a product.
        a[...] = a > 0.0
        a.clip(self.slope, 1.0, out=a)
        delta *= a


@part
class ELU(Activation):
    """f(z) = scale * (z for z > 0, else alpha * (exp(z) - 1)) (Clevert et al. 2016).

    Left of zero the derivative is ``a + scale * alpha``.

    Parameters
    ----------
    alpha : float > 0, default=1.0
        What the function approaches, negated, far left of zero.
    scale : float > 0, default=1.0
        Factor on the whole function.
    """

    alpha: float = 1.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        require(self, alpha="(0, inf)", scale="(0, inf)")

    def forward(self, z: Array, out: Array) -> None:
        left = at_most(z, 0.0)
        np.expm1(left, out=left)
        left *= self.alpha * self.scale
        rectifying(z, out)()
        if self.scale != 1.0:
            out *= self.scale
        out += left

    def backward(self, z: Array, a: Array, delta: Array) -> None:
        # A loop with `where` takes three times as long as all of these.
        derivative = at_most(a, 0.0)
        derivative += self.scale * self.alpha
        if self.alpha != 1.0:  # it jumps at zero, to the scale
            a[...] = a > 0.0
            derivative -= derivative * a
            a *= self.scale
            derivative += a
        delta *= derivative


@part
class SELU(ELU):
    """ELU with constants that keep mean 0 and variance 1 (Klambauer et al. 2017)."""

    init: ClassVar[str] = "lecun"
    alpha: float = 1.6732632423543772
    scale: float = 1.0507009873554805


class GELU(Activation):
    """f(z) = z * Phi(z) with the normal distribution function Phi, exact.

    Hendrycks and Gimpel (2016), eq. 1. f' = Phi(z) + z * phi(z), which `forward` leaves
    in ``z``.
    """

    keeps_z: ClassVar[bool] = True

    def forward(self, z: Array, out: Array) -> None:
        cdf = self._value(z, out)
        # On the way back it would take a second cdf, half of the time of both ways.
        density = z.clip(-40.0, 40.0)  # there it is zero, and squares stay finite
        np.square(density, out=density)
        density *= -0.5
        np.exp(density, out=density)
        z *= density
        z *= 1.0 / math.sqrt(2.0 * math.pi)  # np.sqrt would widen float32
        z += cdf

    def backward(self, z: Array, a: Array, delta: Array) -> None:
        delta *= z

    def bind(
        self, z: Array, a: Array, delta: Array
    ) -> tuple[Callable[[], object], Callable[[], object]]:
        forward, backward = super().bind(z, a, delta)
        if delta is None and type(self) is GELU:  # nobody will need the derivative
            forward = partial(self._value, z, a)
        return forward, backward

    def _value(self, z: Array, out: Array) -> Array:
        """Write f(z) into `out` and return Phi(z)."""
        cdf = ndtr(z)
        np.multiply(z, cdf, out=out)
        return cdf


class SiLU(Activation):
    """f(z) = z * s(z), s the logistic function (Elfwing et al. 2018).

    f' = s + a (1 - s).
    """

    keeps_z: ClassVar[bool] = True

    def forward(self, z: Array, out: Array) -> None:
        s = np.empty_like(z)
        Logistic().forward(z, s)
        np.multiply(z, s, out=out)
        z[...] = s

    def backward(self, z: Array, a: Array, delta: Array) -> None:
        s = z
        a -= a * s
        a += s
        delta *= a


class Mish(Activation):
    """f(z) = z * tanh(softplus(z)) (Misra 2020).

    With e = exp(z): tanh(softplus(z)) = n / (n + 2), where n = e (e + 2), and
    f' = (n + 4 a (e + 1) / (e + 2)) / (n + 2). Beyond z = 40, where a is z, e stays as
    it is: float32 can hold its square.
    """

    keeps_z: ClassVar[bool] = True

    def forward(self, z: Array, out: Array) -> None:
        e = at_most(z, 40.0)
        np.exp(e, out=e)
        np.add(e, 2.0, out=out)
        out *= e
        out /= out + 2.0
        out *= z
        z[...] = e

    def backward(self, z: Array, a: Array, delta: Array) -> None:
        # Without a second exponential: less than half the time.
        e = z
        n = e + 2.0
        a *= 4.0
        a /= n
        n *= e
        e += 1.0
        a *= e
        a += n
        n += 2.0
        a /= n
        delta *= a


class Softplus(Activation):
    """f(z) = log(1 + exp(z)) (Dugas et al. 2001), f' = 1 - exp(-a)."""

    def forward(self, z: Array, out: Array) -> None:
        tail = softplus_tail(z)
        rectifying(z, out)()
        out += tail

    def backward(self, z: Array, a: Array, delta: Array) -> None:
        np.negative(a, out=a)
        np.expm1(a, out=a)
        delta *= a
        np.negative(delta, out=delta)


ACTIVATIONS: dict[str, Activation] = {
    "identity": Identity(),
    "logistic": Logistic(),
    "tanh": Tanh(),
    "relu": ReLU(),
    "leaky_relu": LeakyReLU(),
    "elu": ELU(),
    "selu": SELU(),
    "gelu": GELU(),
    "silu": SiLU(),
    "mish": Mish(),
    "softplus": Softplus(),
}
