"""Section "backward": the time of the backward pass over that of the forward pass.

Both passes of the core are called directly, one after the other as in training. By the
count of matrix products the ratio is two, less what the first layer saves: nobody
needs the gradient with respect to X.
"""

from itertools import pairwise, product
from time import perf_counter

import numpy as np
from speed_updates import LARGE_BATCH, QUICK_NETWORKS
from timing import Column, Options, Table, seconds_per_unit

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.network import Network

__all__ = ["run"]


def run(options: Options) -> None:
    """Print the table."""
    networks = QUICK_NETWORKS if options.quick else list(LARGE_BATCH)
    table = Table(
        f"backward: microseconds of the two passes, relu, {options.heading}",
        Column("network", 21, left=True),
        Column("batch", 5),
        Column("dtype", 8),
        Column("forward", 9, 1),
        Column("backward", 9, 1),
        Column("ratio", 6, 2),
        Column("by products", 11, 2),
    )
    turn_seconds, n_turns = (0.05, 3) if options.quick else (0.2, 5)
    for layer_sizes, dtype in product(networks, ("float32", "float64")):
        passes = Passes(layer_sizes, LARGE_BATCH[layer_sizes], dtype)
        times = seconds_per_unit(
            {"forward": passes.forward, "backward": passes.backward},
            turn_seconds,
            n_turns,
        )
        forward, backward = 1e6 * times["forward"], 1e6 * times["backward"]
        table.row(
            "-".join(map(str, layer_sizes)),
            LARGE_BATCH[layer_sizes],
            dtype,
            forward,
            backward,
            backward / forward,
            ratio_by_products(layer_sizes),
        )


def ratio_by_products(layer_sizes: tuple[int, ...]) -> float:
    """Return how many multiplications backward has per one of forward."""
    products = [fan_in * fan_out for fan_in, fan_out in pairwise(layer_sizes)]
    return (2 * sum(products) - products[0]) / sum(products)


class Passes:
    """One network with random weights and one batch; a unit is a pass."""

    def __init__(
        self, layer_sizes: tuple[int, ...], n_rows: int, dtype_name: str
    ) -> None:
        rng, dtype = np.random.default_rng(0), np.dtype(dtype_name)
        relu = (ACTIVATIONS["relu"],) * (len(layer_sizes) - 2)
        network = Network(layer_sizes, relu)
        params = network.init_params(rng, dtype)
        buffers = network.buffers(n_rows, dtype)
        self._bound = network.bind(params, np.empty_like(params), buffers)
        self._X = rng.standard_normal((n_rows, layer_sizes[0]), dtype)
        self._delta = rng.standard_normal((n_rows, layer_sizes[-1]), dtype)

    def forward(self, n_passes: int) -> float:
        """Return the seconds of so many forward passes."""
        return self._run(n_passes)[0]

    def backward(self, n_passes: int) -> float:
        """Return the seconds of so many backward passes, each after its forward one."""
        return self._run(n_passes)[1]

    def _run(self, n_passes: int) -> tuple[float, float]:
        forward = backward = 0.0
        for _ in range(n_passes):
            start = perf_counter()
            self._bound.forward(self._X)
            forward += perf_counter() - start
            self._bound.delta[...] = self._delta
            start = perf_counter()
            self._bound.backward(self._X)
            backward += perf_counter() - start
        return forward, backward
