"""
Three solvers on one data set
=============================

The solver says how many rows one update of the weights sees: all of them
(``"batch"``), a few (``"mini-batch"``) or one (``"stochastic"``). Fewer rows make an
update cheaper and its gradient noisier. Here the same network is trained on the same
data by each of them, until it has converged by its own standard.
"""

# %%
# The data are 1797 images of handwritten digits, 8 x 8 pixels each.

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skffnn import FFNNClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16.0, y, test_size=0.25, stratify=y, random_state=0
)

# %%
# The same optimizer, gradient descent with momentum, runs on all three solvers. The
# second line is what ``optimizer="auto"`` means for full batches, L-BFGS. The learning
# rates are the automatic ones. As the optimizer is named, all else that is left open
# has the value of the textbooks: a constant rate, no dropout, one member.

models = {
    f"{solver}, {optimizer}": FFNNClassifier(
        (30,),
        "relu",
        preprocessing=None,
        solver=solver,
        optimizer=optimizer,
        tol=1e-3,
        random_state=0,
    )
    for solver, optimizer in [
        ("batch", "sgd"),
        ("batch", "lbfgs"),
        ("mini-batch", "sgd"),
        ("stochastic", "sgd"),
    ]
}
seconds = {}
for name, model in models.items():
    start = perf_counter()
    model.fit(X_train, y_train)
    seconds[name] = perf_counter() - start


# %%
# `t_` counts the rows that training has seen and `batch_size_` those of one update;
# an epoch has as many updates as it takes to see every row once.

n_rows = len(X_train)


def updates_per_epoch(model):
    return int(np.ceil(n_rows / model.batch_size_))


print(f"{'':18}{'rows per':>10}{'':>8}{'':>9}{'':>9}{'':>9}{'test':>10}")
print(
    f"{'solver, optimizer':18}{'update':>10}{'epochs':>8}{'updates':>9}"
    f"{'seconds':>9}{'J':>9}{'accuracy':>10}"
)
for name, model in models.items():
    print(
        f"{name:18}{model.batch_size_:10}{model.n_iter_:8}"
        f"{model.n_iter_ * updates_per_epoch(model):9}{seconds[name]:9.2f}"
        f"{model.loss_:9.4f}{model.score(X_test, y_test):10.3f}"
    )

# %%
# `loss_curve_` holds the objective J of every epoch, averaged over its updates. The
# seconds of a fit are spread evenly over its epochs. An iteration of L-BFGS counts as
# one update here, although its line search may evaluate the gradient more than once.

figure, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4.2), sharey=True, layout="constrained"
)
for name, model in models.items():
    epochs = np.arange(1, model.n_iter_ + 1)
    left.plot(epochs * updates_per_epoch(model), model.loss_curve_, label=name)
    right.plot(epochs * seconds[name] / model.n_iter_, model.loss_curve_)
left.set(xlabel="updates", ylabel="objective J", xscale="log", yscale="log")
right.set(xlabel="seconds", xscale="log")
figure.legend(loc="outside upper center", ncols=4)
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

# %%
# Counted in updates, the stochastic solver needs by far the most: each of its gradients
# is one row's opinion, and its learning rate has to be small to average over them.
# Counted in seconds, it is not far behind, for its updates are cheap; but they are not
# a thousand times cheaper than those of the full batch, because every call of numpy has
# a price of its own. Mini-batches see enough rows to use numpy well, and few enough to
# take many steps. L-BFGS, which learns the curvature as it goes, makes the most of
# every update, and each of them costs at least a pass over all rows.
