"""The same training in torch: an eager loop over shuffled batches.

It is the plain loop of a tutorial with what costs time left out: no data loader, and no
loss read on the way. The model and the tensors exist before the clock starts.
`weight_decay` is the penalty on the weights that the others have too.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from timing import Contestant, seconds_of, torch

__all__ = ["IMPLEMENTATIONS", "contestant", "network", "torch", "train"]

# Two ways in which torch's optimizers take a step on the CPU.
IMPLEMENTATIONS = ("foreach", "fused")


def network(layer_sizes: tuple[int, ...], dtype: str) -> Any:
    """Return affine layers with relu between them, initialised as torch does."""
    layers: list[Any] = []
    for fan_in, fan_out in pairwise(layer_sizes):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1]).to(getattr(torch, dtype))


def optimizer(name: str, model: Any, rate: float, implementation: str) -> Any:
    """Return the optimizer, with the defaults of both estimators."""
    how = {"lr": rate, "weight_decay": 1e-4, implementation: True}
    if name == "adam":
        return torch.optim.Adam(model.parameters(), **how)
    return torch.optim.SGD(model.parameters(), momentum=0.9, nesterov=True, **how)


def train(
    model: Any, step: Any, loss: Any, X: Any, y: Any, batch_size: int, n_epochs: int
) -> None:
    """Train `model` with the optimizer `step`."""
    for _ in range(n_epochs):
        for rows in torch.randperm(len(X)).split(batch_size):
            raw = model(X.index_select(0, rows))
            step.zero_grad()
            loss(raw, y.index_select(0, rows)).backward()
            step.step()


def contestant(task: Any, X: np.ndarray, y: np.ndarray, how: str) -> Contestant:
    """Return the training of a task; a unit is an epoch."""
    data = torch.from_numpy(X), torch.from_numpy(y)
    loss = torch.nn.MSELoss() if task.is_regression else torch.nn.CrossEntropyLoss()

    def run(n_epochs: int) -> float:
        model = network(task.layer_sizes, task.dtype)
        step = optimizer(task.optimizer, model, 1e-4, how)
        return seconds_of(
            lambda: train(model, step, loss, *data, task.batch_size, n_epochs)
        )

    return run
