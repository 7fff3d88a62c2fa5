"""
Early stopping on a time series
===============================

What judges training should look like what comes after it. In a time series that is the
future: a hold-out drawn at random lies between training rows, and its neighbours give
its targets away. `validation_split` takes any splitter of scikit-learn, here
:class:`~sklearn.model_selection.TimeSeriesSplit`.
"""

# %%
# A series
# --------
# Bicycles hired in each hour of two years (Fanaee-T and Gama 2014), with the hour, the
# day, the month and the weather. The last three months are for the end. OpenML has the
# table; without a network this page makes one up, in which the demand drifts.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import fetch_openml
from sklearn.metrics import mean_poisson_deviance
from sklearn.model_selection import TimeSeriesSplit

from skffnn import FFNNRegressor, LossCurveDisplay


def bicycles():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it tries twice
        return fetch_openml(
            "Bike_Sharing_Demand", version=2, n_retries=1, delay=0.1
        ).frame


def made_up_bicycles():
    rng = np.random.default_rng(0)
    hours = np.arange(2 * 365 * 24)
    day, hour = divmod(hours, 24)
    temp = 15.0 - 10.0 * np.cos(2 * np.pi * day / 365) + rng.normal(0.0, 4.0, 730)[day]
    drift = np.cumsum(rng.normal(0.0, 0.05, 730))[day]
    trips = 5 + 200 * np.exp(-(((hour - 15) / 5) ** 2) + 0.03 * temp + drift)
    return pd.DataFrame(
        {"month": day // 30, "hour": hour, "temp": temp, "count": rng.poisson(trips)}
    )


try:
    table = bicycles()
except OSError as error:
    print(f"OpenML is out of reach ({type(error).__name__}): made-up bicycles instead")
    table = made_up_bicycles()

THREE_MONTHS = 91 * 24
past, future = table[:-THREE_MONTHS], table[-THREE_MONTHS:]
X, y = past.drop(columns="count"), past["count"]
X_future, y_future = future.drop(columns="count"), future["count"]

# %%
# Two ways to hold out three months
# ---------------------------------
# Of the splits of a splitter the last one is used; this one holds out the last three
# months of the past. The other hold-out has as many hours, drawn at random. Both say
# when to stop; with ``refit=True`` the network is then trained again, for as long, on
# all rows. The rate is constant, so that nothing but the hold-out keeps the network
# from learning its rows by heart.

hold_outs = {
    "random": {"validation_fraction": THREE_MONTHS / len(X)},
    "time": {"validation_split": TimeSeriesSplit(2, test_size=THREE_MONTHS)},
}
networks = {}
print("hold-out  best epoch  deviance it promises  deviance of the future")
for name, parameters in hold_outs.items():
    network = FFNNRegressor(
        hidden_layer_sizes=(100, 100),
        activation="relu",
        loss="poisson",
        learning_rate="constant",
        learning_rate_init=0.003,
        max_iter=200,
        early_stopping=True,
        n_iter_no_change=15,
        refit=True,
        random_state=0,
        **parameters,
    ).fit(X, y)
    networks[name] = network
    promised = -2 * network.best_validation_score_  # the loss is half the deviance
    paid = mean_poisson_deviance(y_future, network.predict(X_future))
    print(f"{name:8}  {network.best_epoch_:10d}  {promised:20.1f}  {paid:22.1f}")

# %%
# What they promise
# -----------------
# An hour drawn at random has the hours before and after it among the training rows,
# with nearly the same weather and nearly the same demand. Learning them by heart
# lowers its loss, so training goes on for longer, and the deviance it promises is less
# than half of what the future costs. The three months that follow say what the future
# will say. On these bicycles both networks are about as good in the end: one of them
# has trained for half as long, and known what to expect.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True, layout="constrained")
for ax, (name, network) in zip(axes, networks.items(), strict=True):
    LossCurveDisplay.from_estimator(network, ax=ax, name=name)
    ax.set(title=f"Hold-out: {name}", yscale="log")
plt.show()

# %%
# Reference
# ---------
# Fanaee-T and Gama (2014). Event labeling combining ensemble detectors and background
# knowledge. Progress in Artificial Intelligence 2.
