"""
Counts
======

How many? The answer is never negative, and the larger it is, the more it scatters:
squared error minds neither. ``loss="poisson"`` predicts ``exp(raw)``, which is
positive, and weighs a miss by what can be expected there.

The counts are bicycles hired in an hour, two years of them, by the time of day, the day
and the weather (Fanaee-T and Gama 2014).
"""

# %%
# Data
# ----
# OpenML has the table. Without a network this page counts bicycles drawn from a made-up
# rate by hour, temperature and kind of day.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import fetch_openml
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mean_poisson_deviance
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skffnn import FFNNRegressor


def bicycles():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it tries twice
        return fetch_openml(
            "Bike_Sharing_Demand", version=2, n_retries=1, delay=0.1
        ).frame


def made_up_bicycles():
    rng = np.random.default_rng(0)
    hour = np.tile(np.arange(24), 500)
    temp = rng.normal(15.0, 8.0, len(hour))
    workingday = rng.random(len(hour)) < 5 / 7
    rush = 400 * np.exp(-np.abs(hour - 8)) + 500 * np.exp(-np.abs(hour - 17) / 2)
    trips = 5 + np.where(workingday, rush, 300 * np.exp(-(((hour - 14) / 5) ** 2)))
    count = rng.poisson(trips * np.exp(0.05 * (temp - 15.0)))
    return pd.DataFrame(
        {"hour": hour, "temp": temp, "workingday": workingday, "count": count}
    )


try:
    table = bicycles()
except OSError as error:
    print(f"OpenML is out of reach ({type(error).__name__}): made-up bicycles instead")
    table = made_up_bicycles()

y = table.pop("count")
X_train, X_test, y_train, y_test = train_test_split(
    table, y, train_size=4000, random_state=0
)
for hour, hired in y_train.groupby(X_train["hour"]):
    if hour in (4, 17):
        print(f"at {hour} o'clock {hired.mean():.0f} +- {hired.std():.0f} bicycles")

# %%
# Three models
# ------------
# The linear model is scikit-learn's, with a coefficient for each hour, weekday, and so
# on; it multiplies their effects. The two networks take the table as it is. They have
# the default settings and differ in their loss alone.

categories = [column for column in X_train if X_train[column].nunique() <= 24]
linear = make_pipeline(
    make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), categories),
        remainder=StandardScaler(),
    ),
    PoissonRegressor(alpha=1e-4, max_iter=1000),
)
models = {
    "linear, poisson": linear,
    "network, squared error": FFNNRegressor(random_state=0),
    "network, poisson": FFNNRegressor(loss="poisson", random_state=0),
}
predictions = {
    name: model.fit(X_train, y_train).predict(X_test) for name, model in models.items()
}

# %%
# What they are worth
# -------------------
# The deviance of Poisson's distribution allows no prediction of zero or less: those of
# the squared error are lifted to a tenth of a bicycle first.


def deviance(y_true, prediction):
    return mean_poisson_deviance(y_true, np.maximum(prediction, 0.1))


print(f"{'':24}deviance  mean error  below zero  lowest prediction")
for name, prediction in predictions.items():
    print(
        f"{name:24}{deviance(y_test, prediction):8.2f}"
        f"  {np.abs(prediction - y_test).mean():10.1f}"
        f"  {(prediction < 0).mean():10.2%}  {prediction.min():17.1f}"
    )

# %%
# By the hour
# -----------
# The network finds that people ride to work, and only on some days; the linear model
# knows one shape of day. Where hundreds of bicycles are on the road, both networks are
# as good. At night, where there are few, squared error has no reason to be exact.

hour = X_test["hour"].to_numpy()
works = X_test["workingday"].astype(str).to_numpy() == "True"
hours = np.arange(24)
figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
poisson = predictions["network, poisson"]
for day, days in {"working day": works, "other day": ~works}.items():
    rows = [days & (hour == h) for h in hours]
    (line,) = axes[0].plot(hours, [poisson[r].mean() for r in rows], label=day)
    counted = [y_test[r].mean() for r in rows]
    axes[0].plot(hours, counted, "o", color=line.get_color(), markersize=4)
axes[0].set(title="counted (dots), network (lines)", ylabel="bicycles in an hour")
for name, prediction in predictions.items():
    by_hour = [deviance(y_test[hour == h], prediction[hour == h]) for h in hours]
    axes[1].plot(hours, by_hour, label=name)
axes[1].set(title="mean deviance", yscale="log")
for ax in axes:
    ax.set_xlabel("hour")
    ax.legend(fontsize="small")
plt.show()

# %%
# Reference
# ---------
# Fanaee-T and Gama (2014). Event labeling combining ensemble detectors and background
# knowledge. Progress in Artificial Intelligence 2.
