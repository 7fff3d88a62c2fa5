"""
Prediction intervals
====================

A prediction without an interval says nothing of how far off it may be. Two losses give
one, from one network each: ``loss="quantile"`` with several quantiles at once, and
``loss="gaussian_nll"``, which predicts a standard deviation beside the mean.

The data are those of the diabetes study that scikit-learn brings: ten measurements of
442 patients, and how far the disease had progressed a year later.
"""

# %%
# Data
# ----
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNRegressor

X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)

# %%
# Quantiles
# ---------
# Between the quantiles 0.05 and 0.95 nine patients of ten should be. With several
# quantiles the predictions have a column for each, in increasing order: they never
# cross. Intervals of a network that has learned its training rows by heart are too
# narrow for new ones; a strong penalty keeps it from that.

settings = {"hidden_layer_sizes": (20,), "activation": "relu", "alpha": 0.1}
settings |= {"learning_rate": "constant", "max_iter": 2000}
quantiles = [0.05, 0.5, 0.95]
by_quantiles = make_pipeline(
    StandardScaler(),
    FFNNRegressor(loss="quantile", quantile=quantiles, random_state=0, **settings),
).fit(X_train, y_train)
low, median, high = by_quantiles.predict(X_test).T

# %%
# A normal distribution
# ---------------------
# ``predict(X, return_std=True)`` returns mean and standard deviation, as Gaussian
# processes do in scikit-learn. If residuals are normal, 90 % of them are within 1.645
# standard deviations.

normal = make_pipeline(
    StandardScaler(), FFNNRegressor(loss="gaussian_nll", random_state=0, **settings)
).fit(X_train, y_train)
center, std = normal.predict(X_test, return_std=True)

# %%
# Coverage
# --------
# How many of the patients that neither network has seen are in their intervals?

intervals = {
    "quantiles": (low, high),
    "normal": (center - 1.645 * std, center + 1.645 * std),
    "constant": tuple(np.quantile(y_train, [0.05, 0.95])),
}
for name, (lower, upper) in intervals.items():
    covered = ((lower <= y_test) & (y_test <= upper)).mean()
    width = np.mean(upper - lower)
    print(f"{name:9}  coverage {covered:.3f}  mean width {width:.0f}", end="  ")
    losses = [
        mean_pinball_loss(y_test, np.broadcast_to(edge, y_test.shape), alpha=level)
        for level, edge in ((0.05, lower), (0.95, upper))
    ]
    print(f"pinball loss of both ends {sum(losses):.1f}")

# %%
# Both are narrower than the interval that is the same for all patients, and not wrong
# much more often. That of the normal distribution grows with the prediction; quantiles
# may also lie unevenly around the median: upwards there is more room for those who are
# expected to do well.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
centers = {"quantiles": median, "normal": center}
for ax, (name, middle) in zip(axes, centers.items(), strict=True):
    order = np.argsort(middle)
    lower, upper = intervals[name]
    rank = np.arange(len(order))
    ax.fill_between(rank, lower[order], upper[order], alpha=0.3, label="90 % interval")
    ax.plot(rank, middle[order], label="median" if name == "quantiles" else "mean")
    ax.plot(rank, y_test[order], ".", color="black", markersize=3, label="patients")
    ax.set(title=name, xlabel="patients, by prediction")
axes[0].set_ylabel("progression")
axes[0].legend(loc="upper left", fontsize="small")
plt.show()

# %%
# References
# ----------
# Koenker and Bassett (1978). Regression quantiles. Econometrica 46.
#
# Nix and Weigend (1994). Estimating the mean and variance of the target probability
# distribution. IEEE International Conference on Neural Networks.
