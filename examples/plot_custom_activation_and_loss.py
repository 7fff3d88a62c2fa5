"""
An activation and a loss of your own
====================================

An activation is a class with two methods, a loss a class with one. An instance of
either is passed to the estimator as it is; nothing has to be registered.

The example fits a curve to data with outliers. Squared error lets a few wild rows
pull the curve away, a loss that grows in a straight line does not.
"""

# %%
# An activation
# -------------
# Softsign, ``f(z) = z / (1 + |z|)`` (Bergstra et al. 2009), bends like the hyperbolic
# tangent but flattens out more slowly. Its derivative follows from its value alone:
# ``f'(z) = (1 - |a|)^2`` with ``a = f(z)``. So `keeps_z` may stay False, and the
# network saves a buffer. ``forward`` writes into ``out``, which may be ``z`` itself;
# ``backward`` multiplies ``delta`` in place.

from dataclasses import dataclass
from typing import ClassVar

import matplotlib.pyplot as plt
import numpy as np

from skffnn import FFNNRegressor
from skffnn.core.activations import Activation
from skffnn.core.losses import SeparableLoss


@dataclass(frozen=True)
class Softsign(Activation):
    """f(z) = z / (1 + |z|), f' = (1 - |a|)^2."""

    init: ClassVar[str] = "glorot"

    def forward(self, z, out):
        np.divide(z, 1.0 + np.abs(z), out=out)

    def backward(self, z, a, delta):
        delta *= np.square(1.0 - np.abs(a))


# %%
# A loss
# ------
# The pseudo-Huber loss (Hartley and Zisserman 2004, appendix 6.8, here halved) is half
# the squared residual near zero and a straight line of slope ``width`` far away:
# ``width^2 * (sqrt(1 + (r / width)^2) - 1)``. A frozen dataclass makes ``width`` a
# hyperparameter that is compared, copied and pickled with the object. The loss returns
# what each target costs and writes the derivative by the raw score; weights and sums
# are the base class's.


@dataclass(frozen=True)
class PseudoHuber(SeparableLoss):
    """width^2 * (sqrt(1 + (r / width)^2) - 1), summed over targets, r = raw - y."""

    width: float = 1.0

    def per_target(self, y, raw, gradient_out):
        np.subtract(raw, y, out=gradient_out)
        root = np.sqrt(1.0 + np.square(gradient_out / self.width))
        gradient_out /= root
        return self.width**2 * (root - 1.0)


# %%
# Both derivatives are checked
# ----------------------------
# A wrong derivative does not raise an error, it trains badly. Central differences find
# it: ``(f(x + h) - f(x - h)) / 2h`` must agree with what the class says.


def largest_error_of_activation(activation, h=1e-6):
    z = np.linspace(-4.0, 4.0, 80).reshape(-1, 2)  # zero is not among them
    upper, lower, a, delta = (np.empty_like(z) for _ in range(4))
    activation.forward(z + h, out=upper)
    activation.forward(z - h, out=lower)
    activation.forward(z, out=a)
    delta.fill(1.0)
    activation.backward(a, a, delta)
    return np.abs((upper - lower) / (2 * h) - delta).max()


def largest_error_of_loss(loss, h=1e-6):
    rng = np.random.default_rng(0)
    y, raw = rng.normal(size=(2, 20, 3))
    weight = rng.uniform(0.5, 2.0, size=20)
    gradient, unused = np.empty_like(raw), np.empty_like(raw)
    loss.value_and_gradient(y, raw, weight, gradient)
    differences = np.empty_like(raw)
    for index in np.ndindex(raw.shape):
        shift = np.zeros_like(raw)
        shift[index] = h
        upper = loss.value_and_gradient(y, raw + shift, weight, unused)
        lower = loss.value_and_gradient(y, raw - shift, weight, unused)
        differences[index] = (upper - lower) / (2 * h)
    return np.abs(differences - gradient).max()


print(f"Softsign:    {largest_error_of_activation(Softsign()):.1e}")
print(f"PseudoHuber: {largest_error_of_loss(PseudoHuber(width=0.3)):.1e}")
assert largest_error_of_activation(Softsign()) < 1e-8
assert largest_error_of_loss(PseudoHuber(width=0.3)) < 1e-8

# %%
# In use
# ------
# A sine with a little noise; one row in eight is lifted far above it. X and y go to the
# network as they are, so ``width`` is in units of y.

rng = np.random.default_rng(1)
x = np.sort(rng.uniform(-3.0, 3.0, 200))
truth = np.sin(x)
y = truth + rng.normal(scale=0.1, size=200)
outliers = rng.random(200) < 0.125
y[outliers] += rng.uniform(2.0, 4.0, outliers.sum())
X = x[:, None]

losses = {
    "squared error": "squared_error",
    "pseudo-Huber": PseudoHuber(width=0.1),
}
models = {
    name: FFNNRegressor(
        (20,),
        Softsign(),
        preprocessing=None,
        scale_target=False,
        solver="batch",
        loss=loss,
        tol=1e-5,
        random_state=0,
    ).fit(X, y)
    for name, loss in losses.items()
}
for name, model in models.items():
    error = np.abs(model.predict(X) - truth).mean()
    print(f"{name:13}  mean distance from the sine: {error:.3f}")

# %%
# The straight line of the pseudo-Huber loss holds every outlier to the same pull,
# however far away it is.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(x[~outliers], y[~outliers], ".", color="grey", markersize=4, label="rows")
ax.plot(x[outliers], y[outliers], "x", color="grey", markersize=5, label="outliers")
ax.plot(x, truth, "--", color="black", linewidth=1, label="sine")
for name, model in models.items():
    ax.plot(x, model.predict(X), linewidth=2, label=name)
ax.set(xlabel="x", ylabel="y")
ax.legend(loc="upper left", fontsize="small")
plt.show()

# %%
# References
# ----------
# Bergstra, Desjardins, Lamblin and Bengio (2009). Quadratic polynomials learn better
# image features. Technical report 1337, Université de Montréal.
#
# Hartley and Zisserman (2004). Multiple view geometry in computer vision. Cambridge
# University Press.
