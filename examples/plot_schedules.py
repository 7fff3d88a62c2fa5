"""
Learning rates over a run
=========================

A schedule is a factor on the learning rate, asked before every step. Most of them
follow a curve over the planned run of `max_iter` epochs; "one_cycle" moves the momentum
of "sgd" as well, and any of them may begin with a warm-up.

"adaptive" waits for training to stall, so it has no curve to draw.
"""

# %%
# The curves
# ----------

import matplotlib.pyplot as plt
import numpy as np

from skffnn.core.schedules import SCHEDULES, Cosine, WarmUp

n_steps = 1000
steps = np.arange(n_steps)
share = steps / n_steps
schedules = {name: cls() for name, cls in SCHEDULES.items() if name != "adaptive"}
schedules["WarmUp(Cosine())"] = WarmUp(Cosine())

fig, axes = plt.subplots(2, 5, figsize=(12, 4.6), sharex=True, sharey=True)
for ax, (name, schedule) in zip(axes.flat, schedules.items(), strict=True):
    ax.plot(share, [schedule(step, n_steps) for step in steps])
    momentum = [schedule.momentum(step, n_steps) for step in steps]
    if momentum[0] is not None:
        ax.plot(share, momentum, color="C1", linestyle="--", label="momentum")
        ax.legend(loc="lower center")
    ax.set_title(name)
    ax.set_ylim(-0.03, 1.05)
for ax in axes[-1]:
    ax.set_xlabel("share of the run")
for ax in axes[:, 0]:
    ax.set_ylabel("factor on the rate")
fig.tight_layout()

# %%
# What they are good for
# ----------------------
#
# Ten epochs on the digits, all from the same start: a rate that ends near zero lets the
# last steps settle, and it may begin higher for it. Where the rate is low from the
# start, ten epochs do not get far, and slowing down makes it worse. A function is a
# schedule as well, here one that never changes.

from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skffnn import FFNNClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16.0, y, test_size=0.5, random_state=0
)


def unchanged(step, n_steps):
    return 1.0


chosen = {name: name for name in ("linear", "cosine", "one_cycle", "flat_cosine")}
losses = {}
for name, schedule in {"unchanged": unchanged, **chosen}.items():
    for rate in (0.003, 0.03):
        model = FFNNClassifier(
            (100,),
            "relu",
            preprocessing=None,
            optimizer="adam",
            learning_rate=schedule,
            learning_rate_init=rate,
            max_iter=10,
            n_iter_no_change=10,
            early_stopping=False,
            random_state=0,
        ).fit(X_train, y_train)
        losses[name, rate] = log_loss(y_test, model.predict_proba(X_test))
for name in dict.fromkeys(name for name, _ in losses):
    print(f"{name:12}", *(f"rate {r}: {losses[name, r]:.3f}  " for r in (0.003, 0.03)))
