"""
Dropout, norms and averages
===========================

A network with more weights than rows to learn from can learn the rows by heart,
mistakes included. Four ways to keep it from doing so, or to calm its steps, are
compared here on a small data set in which some labels are wrong.
"""

# %%
# The data are images of handwritten digits, 8 x 8 pixels each. 300 of them are for
# training, and every tenth of their labels is drawn at random. The test labels are
# right.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skffnn import FFNNClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16.0, y, train_size=300, stratify=y, random_state=0
)
rng = np.random.default_rng(0)
wrong = rng.random(300) < 0.1
y_train[wrong] = rng.integers(10, size=wrong.sum())

# %%
# All five are textbook networks that start from the same weights and see the same
# batches. The test rows are passed as a validation set, so that
# `validation_loss_curve_` records their loss after each epoch; with this much patience
# they never end a run. That it ends without having converged is what we want here, so
# nobody needs to be warned.

warnings.simplefilter("ignore", ConvergenceWarning)
options = {
    "nothing": {},
    "dropout=0.5": {"dropout": 0.5},
    "layer_norm=True": {"layer_norm": True},
    "max_norm=1.0": {"max_norm": 1.0},
    "average=True": {"average": True},
}
models = {
    name: FFNNClassifier(
        (128, 128),
        "relu",
        preprocessing=None,
        learning_rate="constant",
        batch_size=32,
        learning_rate_init=0.003,
        max_iter=100,
        early_stopping="auto",
        n_iter_no_change=101,
        random_state=0,
        **parameters,
    ).fit(X_train, y_train, X_val=X_test, y_val=y_test)
    for name, parameters in options.items()
}

# %%
# The first column is the objective as training met it in the last epoch: with units
# left out, and before each step. The others are the loss on the test rows.

print(f"{'':17}{'train':>8}{'test':>8}{'lowest test':>13}{'in epoch':>10}")
for name, model in models.items():
    test = np.array(model.validation_loss_curve_)
    print(
        f"{name:17}{model.loss_curve_[-1]:8.3f}{test[-1]:8.3f}{test.min():13.3f}"
        f"{test.argmin() + 1:10}"
    )

# %%

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
for name, model in models.items():
    epochs = np.arange(1, model.n_iter_ + 1)
    left.plot(epochs, model.loss_curve_, label=name)
    right.plot(epochs, model.validation_loss_curve_)
left.set(xlabel="epoch", ylabel="training loss, along the way", yscale="log")
right.set(xlabel="epoch", ylabel="test loss", yscale="log")
figure.legend(loc="outside upper center", ncols=5)
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

# %%
# Without anything, the test loss is lowest after a dozen epochs and then rises, while
# the training loss keeps falling: the wrong labels are being learned. With dropout the
# training loss stays higher, and the test loss falls for longer, to a value that the
# others do not reach. Layer normalisation makes training faster, not the network
# simpler. The weights of a unit cannot grow beyond the bound of `max_norm`, which at
# this value changes the curve only a little. The average of the steps has the same
# training curve as no average, by design, and a smoother test curve; the mean of all
# steps remembers the first ones, so it begins late.
