"""
Counts
======

How many? The answer is never negative, and the larger it is, the more it scatters:
squared error minds neither. ``loss="poisson"`` predicts ``exp(raw)``, which is
positive, and weighs a miss by what can be expected there.

No data set of counts comes with scikit-learn, so the counts are drawn here: trips with
hired bicycles in an hour, by the hour of the day, temperature and whether it is a
working day, with a rate that is known. So predictions can be held against the truth.
"""

# %%
# Data
# ----
# Two rush hours on working days, one broad afternoon otherwise; warmth multiplies both.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mean_poisson_deviance
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNRegressor


def bump(hour, center, width):
    return np.exp(-0.5 * ((hour - center) / width) ** 2)


def rate(hour, temperature, working):
    rush = 6.0 * bump(hour, 8.0, 1.0) + 7.0 * bump(hour, 17.5, 1.5)
    trips = 0.2 + np.where(working, rush, 4.0 * bump(hour, 14.5, 3.5))
    return trips * np.exp(0.05 * (temperature - 15.0))


rng = np.random.default_rng(0)
n_hours = 4000
X = np.column_stack(
    [
        rng.integers(24, size=n_hours),
        rng.normal(15.0, 8.0, n_hours),
        rng.random(n_hours) < 5 / 7,
    ]
)
truth = rate(*X.T)
y = rng.poisson(truth)
print(f"{(y == 0).mean():.0%} of the hours have no trip, one has {y.max()}")
X_train, X_test, y_train, y_test, _, truth_test = train_test_split(
    X, y, truth, random_state=0
)

# %%
# Three models
# ------------
# scikit-learn's linear Poisson regression is what ``FFNNRegressor((), loss="poisson")``
# would be. The two networks have the default settings and differ in their loss alone.

models = {
    "linear, poisson": make_pipeline(StandardScaler(), PoissonRegressor(alpha=1e-4)),
    "network, squared error": FFNNRegressor(random_state=0),
    "network, poisson": FFNNRegressor(loss="poisson", random_state=0),
}
for model in models.values():
    model.fit(X_train, y_train)

# %%
# The deviance of Poisson's distribution allows no prediction of zero or less: those of
# the squared error are lifted to a small positive number first.

print(f"{'':24}deviance  mean error of the rate  lowest prediction")
for name, model in models.items():
    prediction = model.predict(X_test)
    deviance = mean_poisson_deviance(y_test, np.maximum(prediction, 1e-3))
    error = np.abs(prediction - truth_test).mean()
    print(f"{name:24}{deviance:8.3f}  {error:22.3f}  {prediction.min():17.3f}")
print(f"{'the truth':24}{mean_poisson_deviance(y_test, truth_test):8.3f}")

# %%
# A day at 20 degrees
# -------------------

hours = np.linspace(0.0, 23.0, 200)
figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, working in zip(axes, (1.0, 0.0), strict=True):
    day = np.column_stack(
        [hours, np.full_like(hours, 20.0), np.full_like(hours, working)]
    )
    ax.plot(hours, rate(*day.T), "--", color="black", linewidth=1, label="truth")
    for name, model in models.items():
        ax.plot(hours, model.predict(day), label=name)
    ax.axhline(0.0, color="grey", linewidth=0.5)
    ax.set(title="working day" if working else "other day", xlabel="hour")
axes[0].set_ylabel("trips in an hour")
axes[1].legend(fontsize="small")
plt.show()
