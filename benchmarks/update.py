"""Time one update of skffnn against scikit-learn's MLPClassifier and MLPRegressor.

Run it from the repository, on a machine that is otherwise idle:

    python benchmarks/update.py            # one or two minutes
    python benchmarks/update.py --quick    # two of the networks, some seconds

Both libraries fit the same network to the same rows in the same process, with the
same batch size, optimizer and precision, on one BLAS thread. A fit runs a fixed number
of epochs; its wall time, from the call to the return, is divided by its number of
updates. Nothing is subtracted: validation, shuffling and the bookkeeping of an epoch
are part of what a user waits for, and spread over so many updates that they hardly
count. The two take turns, and the median of several turns is reported.

Networks with two outputs are regressors, those with ten are classifiers. The ratio is
the time of scikit-learn divided by that of skffnn: above one, skffnn is faster.
"""

import argparse
import warnings
from dataclasses import dataclass
from itertools import product
from statistics import geometric_mean, median
from time import perf_counter

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from skffnn import FFNNClassifier, FFNNRegressor

NETWORKS = [(20, 100, 2), (20, 100, 100, 2), (64, 100, 10), (784, 256, 10)]
BATCH_SIZES = [1, 32, 200]
DTYPES = [np.float64, np.float32]
OPTIMIZERS = ["sgd", "adam"]
UPDATES_PER_EPOCH = 25
NEVER = 10**9


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    layer_sizes: tuple[int, ...]
    batch_size: int
    dtype: type
    optimizer: str

    @property
    def is_regression(self) -> bool:
        return self.layer_sizes[-1] == 2

    @property
    def n_rows(self) -> int:
        """Enough for whole batches only, and for every class to occur."""
        return self.batch_size * max(UPDATES_PER_EPOCH, 500 // self.batch_size)

    def data(self):
        rng = np.random.default_rng(0)
        n_features, *_, n_outputs = self.layer_sizes
        X = rng.standard_normal((self.n_rows, n_features)).astype(self.dtype)
        if self.is_regression:
            return X, rng.standard_normal((self.n_rows, n_outputs)).astype(self.dtype)
        return X, rng.permutation(self.n_rows) % n_outputs

    def models(self, n_epochs):
        """Return ours and scikit-learn's, which differ in the name of the optimizer."""
        common = {
            "hidden_layer_sizes": self.layer_sizes[1:-1],
            "batch_size": self.batch_size,
            "learning_rate_init": 1e-4,
            "max_iter": n_epochs,
            "tol": 0.0,
            "n_iter_no_change": NEVER,
            "random_state": 0,
        }
        ours = FFNNRegressor if self.is_regression else FFNNClassifier
        theirs = MLPRegressor if self.is_regression else MLPClassifier
        return (
            ours(solver="mini-batch", optimizer=self.optimizer, **common),
            theirs(solver=self.optimizer, **common),
        )


def seconds_of_fit(model, X, y):
    """Time one fit and make sure that it ran all its epochs."""
    start = perf_counter()
    model.fit(X, y)
    seconds = perf_counter() - start
    assert model.n_iter_ == model.max_iter
    return seconds


def microseconds_per_update(case, turn_seconds, n_turns):
    """Return the median times of ours and scikit-learn's, taken in turns."""
    X, y = case.data()
    # One epoch of each warms up; the slower one decides how many make a turn.
    epoch = max(seconds_of_fit(model, X, y) for model in case.models(1))
    n_epochs = max(2, round(turn_seconds / epoch))
    n_updates = n_epochs * case.n_rows // case.batch_size
    turns = [
        [seconds_of_fit(model, X, y) for model in case.models(n_epochs)]
        for _ in range(n_turns)
    ]
    return [1e6 * median(times) / n_updates for times in zip(*turns, strict=True)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    quick = parser.parse_args().quick
    networks = NETWORKS[::2] if quick else NETWORKS
    turn_seconds, n_turns = (0.05, 3) if quick else (0.1, 5)

    print(f"{'':16}{'':>6}{'':>9}{'':>11}{'microseconds per update':>26}")
    print(
        f"{'network':16}{'batch':>6}{'dtype':>9}{'optimizer':>11}"
        f"{'skffnn':>12}{'scikit-learn':>14}{'ratio':>8}"
    )
    ratios = []
    for settings in product(networks, BATCH_SIZES, DTYPES, OPTIMIZERS):
        case = Case(*settings)
        ours, theirs = microseconds_per_update(case, turn_seconds, n_turns)
        ratios.append(theirs / ours)
        name = "-".join(map(str, case.layer_sizes))
        print(
            f"{name:16}{case.batch_size:6}{np.dtype(case.dtype).name:>9}"
            f"{case.optimizer:>11}{ours:12.1f}{theirs:14.1f}{ratios[-1]:8.2f}",
            flush=True,
        )
    print(
        f"ratio: geometric mean {geometric_mean(ratios):.2f}, "
        f"lowest {min(ratios):.2f}, highest {max(ratios):.2f}"
    )


if __name__ == "__main__":
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # Both are stopped on purpose before they have converged.
        warnings.simplefilter("ignore", ConvergenceWarning)
        main()
