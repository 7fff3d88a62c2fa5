"""
Rare classes
============

Where one class is rare, a network that is right on average is wrong about the rare one.
``class_weight`` makes its rows heavier; ``loss="focal"`` makes rows lighter that are
already right, of which the frequent class has most.

The data are the handwritten digits that scikit-learn brings: find the eights, of
which all but forty are left out of training.
"""

# %%
# Data
# ----
# Forty eights among about a thousand digits, in training only. In the test set they are
# as frequent as they were.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    confusion_matrix,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skffnn import FFNNClassifier

X, digit = load_digits(return_X_y=True)
y = (digit == 8).astype(int)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.4, stratify=y, random_state=0
)
rare = np.flatnonzero(y_train)
kept = np.setdiff1d(np.arange(len(y_train)), rare[40:])
X_train, y_train = X_train[kept], y_train[kept]
for name, labels in {"training": y_train, "test": y_test}.items():
    print(f"{name}: {labels.sum()} eights among {len(labels)} digits")

# %%
# Four ways
# ---------
# All start at the share of the rare class: the bias of the output is the logarithm of
# its odds, so that no epoch is spent on learning that eights are rare. A textbook
# network with one hidden layer of eight units leaves room for mistakes.

ways = {
    "log_loss": {},
    "log_loss, class_weight": {"class_weight": "balanced"},
    "focal": {"loss": "focal", "gamma": 2.0},
    "focal, class_weight": {"loss": "focal", "class_weight": "balanced"},
}
models = {
    name: make_pipeline(
        MinMaxScaler(),
        FFNNClassifier(
            (8,),
            "relu",
            preprocessing=None,
            learning_rate="constant",
            alpha=1e-3,
            random_state=0,
            **parameters,
        ),
    ).fit(X_train, y_train)
    for name, parameters in ways.items()
}

# %%
# What they find
# --------------
# `class_weight` moves the threshold: more eights are found, and more other digits taken
# for one. How well the scores rank the digits (average precision) is another matter.
# Probabilities of plain log loss are meant for data like the training rows. Weights
# bend them towards a world where both classes are as frequent, to which the test set is
# closer.

print(f"{'':24}found  false alarms  balanced accuracy  average precision  Brier")
for name, model in models.items():
    p = model.predict_proba(X_test)[:, 1]
    predicted = model.predict(X_test)
    (_, false), (_, found) = confusion_matrix(y_test, predicted)
    print(
        f"{name:24}{found:3d}/{y_test.sum()}  {false:12d}"
        f"  {balanced_accuracy_score(y_test, predicted):17.3f}"
        f"  {average_precision_score(y_test, p):17.3f}"
        f"  {brier_score_loss(y_test, p):5.3f}"
    )

# %%
# The focal loss pulls less at what is right already: its probabilities stay further
# from zero and one, on both sides. By itself it is no cure for rarity: here it finds no
# more eights than log loss does.

figure, axes = plt.subplots(1, 4, figsize=(11, 3), sharey=True, layout="constrained")
bins = np.linspace(0.0, 1.0, 26)
for ax, (name, model) in zip(axes, models.items(), strict=True):
    p = model.predict_proba(X_test)[:, 1]
    for label, color in ((0, "tab:blue"), (1, "tab:orange")):
        ax.hist(
            p[y_test == label], bins, color=color, alpha=0.6, log=True,
            label="eights" if label else "other digits",
        )  # fmt: skip
    ax.set(title=name, xlabel="probability of an eight")
    ax.title.set_fontsize("medium")
axes[0].set_ylabel("digits in the test set")
axes[0].legend(fontsize="small")
plt.show()

# %%
# References
# ----------
# Lin, Goyal, Girshick, He and Dollár (2017). Focal loss for dense object detection.
# ICCV.
