"""The update of a network, written out: calls of numpy and BLAS, and nothing else.

No layer, loss, optimizer, schedule or stopping rule can be chosen, nothing is checked,
and every array, view and constant exists before the clock starts. So this is what the
calls themselves take; what skffnn takes beyond it is the price of being a library.
"""

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.linalg import get_blas_funcs
from timing import Contestant, seconds_of

from skffnn.core.memory import empty, zeros

__all__ = [
    "adam",
    "contestant",
    "cut",
    "penalty",
    "plain_sgd",
    "product_of_rows",
    "sgd",
]

ALPHA, RATE, MOMENTUM, BETA_1, BETA_2, EPSILON = 1e-4, 1e-4, 0.9, 0.9, 0.999, 1e-8
BLOCK_BYTES, SMALLEST = 256 * 1024, 1e-3


def contestant(task: Any, X: np.ndarray, y: np.ndarray) -> Contestant:
    """Return the training of a task; a unit is an epoch."""
    n_rows, sizes, dtype = task.batch_size, task.layer_sizes, X.dtype
    dot, ger, scal = get_blas_funcs(("dot", "ger", "scal"), dtype=dtype)
    n_layers = len(sizes) - 1
    n_weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise(sizes))
    n_params = n_weights + sum(sizes[1:])
    rng = np.random.default_rng(0)
    params, grad = zeros(n_params, dtype), empty(n_params, dtype)
    (W, b), (dW, db) = cut(params, sizes), cut(grad, sizes)
    for weights in W:
        bound = math.sqrt(6.0 / len(weights))
        weights[...] = rng.uniform(-bound, bound, weights.shape)
    targets = y if task.is_regression else np.eye(sizes[-1], dtype=dtype)[y]
    a = [empty((n_rows, width), dtype) for width in sizes]
    delta = [empty(part.shape, dtype) for part in a]
    nothing = [zeros(part.shape, dtype) for part in a]
    zero, classes = np.zeros((), dtype), np.ones((sizes[-1], 1), dtype)
    y_rows, ones = np.empty_like(a[-1]), np.ones(n_rows, dtype)
    a_T, W_T = [part.T for part in a], [weights.T for weights in W]
    write_dW = list(map(product_of_rows, a, delta[1:], dW))
    raw, of_raw = a[-1], delta[-1]
    flat_y, flat_of_raw = y_rows.reshape(-1), of_raw.reshape(-1)
    is_first = n_rows == 1
    penalize = penalty(params[:n_weights], grad[:n_weights], is_first)

    def squared_error() -> float:
        np.subtract(raw, y_rows, out=of_raw)
        return 0.5 * dot(flat_of_raw, flat_of_raw)

    def log_loss() -> float:
        shifted = raw - np.maximum.reduce(raw.T.copy(), axis=0)[:, None]
        np.exp(shifted, out=of_raw)
        total = of_raw.dot(classes)
        np.divide(of_raw, total, out=of_raw)
        np.subtract(of_raw, y_rows, out=of_raw)
        np.log(total, out=total)
        return float(total.ravel().dot(ones) - dot(flat_y, shifted.ravel()))

    loss = squared_error if task.is_regression else log_loss

    def objective(rows: np.ndarray) -> float:
        X.take(rows, axis=0, out=a[0], mode="clip")
        targets.take(rows, axis=0, out=y_rows, mode="clip")
        for layer in range(n_layers):
            z = a[layer + 1]
            a[layer].dot(W[layer], out=z)
            ger(1.0, b[layer], ones, 1, 1, a_T[layer + 1], 1, 1, 1)
            if layer < n_layers - 1:
                np.maximum(z, nothing[layer + 1], out=z)
        value = loss() / n_rows
        if is_first:
            value += penalize()
        scal(1.0 / n_rows, flat_of_raw)
        for layer in reversed(range(n_layers)):
            above = delta[layer + 1]
            ones.dot(above, out=db[layer])
            write_dW[layer]()
            if layer:
                above.dot(W_T[layer], out=delta[layer])
                a[layer][...] = np.greater(a[layer], zero)
                np.multiply(delta[layer], a[layer], out=delta[layer])
        if not is_first:
            value += penalize()
        return value

    step = (sgd if task.optimizer == "sgd" else adam)(params, grad)

    def train(n_epochs: int) -> None:
        for _ in range(n_epochs):
            total, order = 0.0, rng.permutation(len(X))
            for start in range(0, len(X), n_rows):
                value = objective(order[start : start + n_rows])
                if not math.isfinite(value):
                    raise ArithmeticError(value)
                step()
                total += value

    return lambda n_epochs: seconds_of(lambda: train(n_epochs))


def cut(
    flat: np.ndarray, layer_sizes: tuple[int, ...]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the weights and the biases of all layers, as views of one vector."""
    shapes = list(pairwise(layer_sizes))
    ends = np.cumsum([a * b for a, b in shapes] + list(layer_sizes[1:]))[:-1]
    *parts, last_bias = np.split(flat, ends)
    weights = [W.reshape(shape) for W, shape in zip(parts, shapes, strict=False)]
    return weights, [*parts[len(shapes) :], last_bias]


def product_of_rows(
    below: np.ndarray, delta: np.ndarray, dW: np.ndarray
) -> Callable[[], object]:
    """Return what computes ``below.T @ delta`` into `dW`, a gradient of weights.

    Of a single row it is added to what is there, which BLAS does in less time: it
    would write zeros before a product of matrices.
    """
    if len(below) > 1:
        return partial(below.T.dot, delta, out=dW)
    ger = get_blas_funcs("ger", dtype=dW.dtype)
    return partial(ger, 1.0, delta, below, 1, 1, dW.T, 1, 1, 1)


def in_blocks(*vectors: np.ndarray) -> list[tuple[np.ndarray, ...]]:
    """Cut vectors into views that share the second-level cache."""
    length = BLOCK_BYTES // vectors[0].itemsize
    return [
        tuple(v[start : start + length] for v in vectors)
        for start in range(0, len(vectors[0]), length)
    ]


def penalty(
    weights: np.ndarray, grad: np.ndarray, is_first: bool = False
) -> Callable[[], float]:
    """Return what computes the penalty and adds its gradient to `grad`.

    Where it comes first, it overwrites what is there.
    """
    axpy, dot = get_blas_funcs(("axpy", "dot"), dtype=weights.dtype)
    blocks = in_blocks(weights, grad)

    def penalize() -> float:
        total = 0.0
        for w, g in blocks:
            if is_first:
                np.multiply(w, ALPHA, out=g)
            else:
                axpy(w, g, len(g), ALPHA)
            total += dot(w, w)
        return 0.5 * ALPHA * total

    return penalize


def sgd(params: np.ndarray, grad: np.ndarray) -> Callable[[], None]:
    """Return a step of gradient descent with Nesterov's momentum."""
    axpy, scal = get_blas_funcs(("axpy", "scal"), dtype=params.dtype)
    all_velocities, factor = zeros(params.size, params.dtype), 1.0
    blocks = in_blocks(params, grad, all_velocities)

    def step() -> None:
        nonlocal factor
        factor *= MOMENTUM
        if factor < SMALLEST:
            scal(factor, all_velocities)
            factor = 1.0
        for p, g, velocity in blocks:
            axpy(g, velocity, len(g), -RATE / factor)
            axpy(velocity, p, len(g), MOMENTUM * factor)
            axpy(g, p, len(g), -RATE)

    return step


def plain_sgd(params: np.ndarray, grad: np.ndarray) -> Callable[[], None]:
    """Return a step of gradient descent."""
    axpy = get_blas_funcs("axpy", dtype=params.dtype)
    return lambda: axpy(grad, params, len(grad), -RATE)


def adam(params: np.ndarray, grad: np.ndarray) -> Callable[[], None]:
    """Return a step of Adam."""
    axpy, scal = get_blas_funcs(("axpy", "scal"), dtype=params.dtype)
    means, squares = (zeros(params.size, params.dtype) for _ in range(2))
    t, of_mean, of_square = 0, 1.0, 1.0
    blocks = in_blocks(params, grad, means, squares)

    def step() -> None:
        nonlocal t, of_mean, of_square
        t, of_mean, of_square = t + 1, of_mean * BETA_1, of_square * BETA_2
        if of_mean < SMALLEST:
            scal(of_mean, means)
            of_mean = 1.0
        if of_square < SMALLEST:
            scal(of_square, squares)
            of_square = 1.0
        root = math.sqrt((1.0 - BETA_2) * of_square)
        correction = math.sqrt(1.0 - BETA_2**t) / (1.0 - BETA_1**t)
        size = RATE * correction * (1.0 - BETA_1) * of_mean / root
        for p, g, mean, square in blocks:
            axpy(g, mean, len(g), 1.0 / of_mean)
            np.multiply(g, g, out=g)
            axpy(g, square, len(g), 1.0 / of_square)
            np.sqrt(square, out=g)
            np.add(g, EPSILON / root, out=g)
            np.divide(mean, g, out=g)
            axpy(g, p, len(g), -size)

    return step
