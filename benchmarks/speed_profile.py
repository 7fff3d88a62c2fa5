"""Section "profile": where the time of an update goes, part by part.

Each part is called by itself, many times in a row, on data that stay in the cache. What
a fit adds is the loop around them, and what large arrays lose when they take turns in
the cache. The times of sgd and adam include a copy of the gradient.
"""

from typing import Any

import numpy as np
from speed_updates import LARGE_BATCH
from timing import Column, Options, Table, seconds_of, seconds_per_unit
from written_out import product_of_rows

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.losses import LOSSES
from skffnn.core.memory import copied, empty
from skffnn.core.network import Network
from skffnn.core.objective import Objective
from skffnn.core.optimizers import OPTIMIZERS

__all__ = ["run"]

PARTS = ("take", "forward", "loss", "backward", "all of J", "sgd", "adam")


def run(options: Options) -> None:
    """Print the table, one line per network, batch size and dtype."""
    table = Table(
        "profile: microseconds of the parts of an update; all of J is take, forward, "
        f"loss, backward and penalty, {options.heading}",
        Column("network", 21, left=True),
        Column("batch", 5),
        Column("dtype", 8),
        *(Column(name, 9, 1) for name in ("floor", *PARTS)),
    )
    turn_seconds, n_turns = (0.005, 3) if options.quick else (0.02, 5)
    for layer_sizes, large in LARGE_BATCH.items():
        for batch_size in (1, 32, large):
            for dtype in (np.float32, np.float64):
                calls = parts(layer_sizes, batch_size, np.dtype(dtype))
                seconds = seconds_per_unit(calls, turn_seconds, n_turns)
                table.row(
                    "-".join(map(str, layer_sizes)),
                    batch_size,
                    np.dtype(dtype).name,
                    *(1e6 * seconds[name] for name in ("floor", *PARTS)),
                )


def parts(layer_sizes: tuple[int, ...], n_rows: int, dtype: np.dtype) -> dict[str, Any]:
    """Return the parts as contestants; a unit is a call."""
    rng = np.random.default_rng(0)
    n_features, *hidden, n_outputs = layer_sizes
    X = rng.standard_normal((2 * n_rows, n_features)).astype(dtype)
    y = np.eye(n_outputs)[np.arange(2 * n_rows) % n_outputs].astype(dtype)
    kind = "continuous" if n_outputs == 2 else "multiclass"
    name = "squared_error" if n_outputs == 2 else "log_loss"
    loss = LOSSES[name][kind]()
    network = Network(layer_sizes, (ACTIVATIONS["relu"],) * len(hidden))
    objective = Objective(network, loss, 1e-4, X, y, None, n_rows)
    params = network.init_params(rng, dtype)
    grad = empty(params.shape, dtype)
    layers, gradients = network.layout.views(params), network.layout.views(grad)
    rows = rng.permutation(2 * n_rows)[:n_rows]
    X_rows, y_rows = X[rows], y[rows]
    objective.value_and_gradient(params, grad, rows)
    buffers, room = objective._buffers, objective._room(params, grad, n_rows)
    bound = room.bound
    raw = bound.forward(X_rows).copy()

    read = [X_rows, *(a for _, a, _ in buffers[:-1])]
    write_dW = [
        product_of_rows(below, delta, dW)
        for below, (_, _, delta), (dW, _) in zip(read, buffers, gradients, strict=True)
    ]

    def products() -> None:
        below = X_rows
        for (W, _), (z, a, _) in zip(layers, buffers, strict=True):
            below.dot(W, out=z)
            below = a
        for layer in reversed(range(len(layers))):
            delta = buffers[layer][2]
            write_dW[layer]()
            if layer:
                delta.dot(layers[layer][0].T, out=buffers[layer - 1][2])

    def steps(name: str) -> Any:
        optimizer = OPTIMIZERS[name]()
        own, gradient, scratch = copied(params), copied(params), copied(params)
        state = optimizer.init(len(own), network.layout.n_weights, dtype)
        bound_step = optimizer.bind(own, scratch, state, 1.0)

        def step() -> None:
            np.copyto(scratch, gradient)  # the step uses it up
            bound_step(1e-6, 1.0)

        return step

    calls = {
        "floor": products,
        "take": lambda: objective._take(rows, room),
        "forward": lambda: bound.forward(X_rows),
        "loss": lambda: loss.value_and_gradient(y_rows, raw, None, bound.delta),
        "backward": lambda: bound.backward(X_rows),
        "all of J": lambda: objective.value_and_gradient(params, grad, rows),
        "sgd": steps("sgd"),
        "adam": steps("adam"),
    }
    return {name: repeated(call) for name, call in calls.items()}


def repeated(call: Any) -> Any:
    """Return a contestant that calls so many times."""

    def repeat(n_calls: int) -> None:
        for _ in range(n_calls):
            call()

    return lambda n_calls: seconds_of(lambda: repeat(n_calls))
