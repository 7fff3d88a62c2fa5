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
# Twenty years of weekly sales, made up from a fixed seed: a season, and noise with a
# memory. The task is to predict the mean of the next twelve weeks from the last eight
# and the time of the year. The targets of two neighbours share eleven weeks.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNRegressor, LossCurveDisplay

N_WEEKS, PAST, FUTURE = 1040, 8, 12
rng = np.random.default_rng(0)
week = np.arange(N_WEEKS)
noise = np.zeros(N_WEEKS)
for t in range(1, N_WEEKS):
    noise[t] = 0.8 * noise[t - 1] + rng.normal(scale=0.6)
sales = np.sin(2 * np.pi * week / 52) + noise

windows = np.lib.stride_tricks.sliding_window_view(sales, PAST + FUTURE)
season = 2 * np.pi * week[PAST : PAST + len(windows)] / 52
X = np.column_stack([windows[:, :PAST], np.sin(season), np.cos(season)])
y = windows[:, PAST:].mean(axis=1)
n_train = len(X) - 260  # the last five years are for the end
X_train, y_train = X[:n_train], y[:n_train]
X_test, y_test = X[n_train + FUTURE :], y[n_train + FUTURE :]

# %%
# Two ways to hold out three years
# --------------------------------
# Of the splits of a splitter the last one is used. This one holds out the last three
# years of the training rows, and leaves a gap of twelve weeks before, whose targets
# reach into these years. The other hold-out has as many rows, drawn at random. A
# textbook network at a constant rate shows best what happens, as nothing but the
# hold-out keeps it from learning the rows by heart.

HOLDOUT = 3 * 52
hold_outs = {
    "random": {"validation_fraction": HOLDOUT / n_train},
    "time": {"validation_split": TimeSeriesSplit(2, test_size=HOLDOUT, gap=FUTURE)},
}
networks = {}
for name, parameters in hold_outs.items():
    network = FFNNRegressor(
        hidden_layer_sizes=(100, 100),
        activation="relu",
        preprocessing=None,
        scale_target=False,
        learning_rate="constant",
        learning_rate_init=0.003,
        batch_size=128,
        early_stopping=True,
        n_iter_no_change=20,
        random_state=0,
        **parameters,
    )
    model = make_pipeline(StandardScaler(), network).fit(X_train, y_train)
    networks[name] = network
    future_loss = 0.5 * np.mean(np.square(model.predict(X_test) - y_test))
    print(
        f"{name:>6}: best epoch {network.best_epoch_:2d} of {network.n_iter_}, loss of "
        f"the hold-out {-network.best_validation_score_:.3f}, of the five years after "
        f"it {future_loss:.3f}"
    )

# %%
# What they promise
# -----------------
# The rows drawn at random have neighbours that are trained on. Their loss stays low
# while these are learned by heart, training goes on for longer, and what they promise
# is not kept. The years that follow the training rows say what the future will say, and
# their loss rises as soon as the network learns the noise.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True, layout="constrained")
for ax, (name, network) in zip(axes, networks.items(), strict=True):
    LossCurveDisplay.from_estimator(network, ax=ax, name=name)
    ax.set(title=f"Hold-out: {name}", ylim=(0.0, 0.5))
plt.show()
