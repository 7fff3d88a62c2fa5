"""
================================
Deep ensembles: how sure are you
================================

A network says what it predicts, not how much that is worth. Several networks say both:
by the mean of their answers, and by how much these differ.
"""

# %%
# Probabilities
# -------------
# Which tumours of the Wisconsin breast cancer data are benign? Eight networks train on
# half of them. They are textbook networks of one layer, for a hundred epochs each, with
# a rate that falls to zero.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import (
    DeepEnsembleClassifier,
    DeepEnsembleRegressor,
    FFNNClassifier,
    FFNNRegressor,
)

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)
network = FFNNClassifier(
    (50,), "relu", learning_rate="linear", max_iter=100, early_stopping=False
)
model = DeepEnsembleClassifier(network, 8, random_state=0).fit(X_train, y_train)

# %%
# The members differ, and the mean of their probabilities has a lower log loss than they
# have in the mean. That is no luck: the logarithm is concave.
members = [member.predict_proba(X_test) for member in model.estimators_]
losses = [log_loss(y_test, p) for p in members]
print("members: ", *(f"{loss:.3f}" for loss in losses))
print(f"mean of the members: {np.mean(losses):.3f}")
print(f"the ensemble:        {log_loss(y_test, model.predict_proba(X_test)):.3f}")

# %%
# Numbers
# -------
# How far will a patient's diabetes have progressed after a year? The members stop
# early, each by a fold of its own, so that every patient trains all but one of them.
# Their spread is what they do not know. A scaler takes the place of the preprocessing,
# which would draw in the values that no patient has.
X, y = load_diabetes(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
network = FFNNRegressor(
    (50,),
    "relu",
    preprocessing=None,
    learning_rate="constant",
    learning_rate_init=0.01,
    early_stopping=True,
)
model = make_pipeline(
    StandardScaler(), DeepEnsembleRegressor(network, 8, random_state=0)
).fit(X_train, y_train)
mean, std = model.predict(X_test, return_std=True)
print(f"root mean squared error: {root_mean_squared_error(y_test, mean):.1f}")

# %%
# Now to the same patients with a body mass index that nobody has: there is nothing to
# know about these, and the members disagree. On the left, members and their mean along
# that one feature; on the right, their spread on patients as they are and as they are
# not.
grid = np.linspace(-6.0, 6.0, 200)
scaler, ensemble = model
typical = np.zeros((len(grid), X.shape[1]))
typical[:, X.columns.get_loc("bmi")] = grid
mean, spread = ensemble.predict(typical, return_std=True)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for member in ensemble.estimators_:
    left.plot(grid, member.predict(typical), color="gray", linewidth=0.5)
left.plot(grid, mean, label="mean")
left.fill_between(grid, mean - 2 * spread, mean + 2 * spread, alpha=0.3, label="2 std")
seen = scaler.transform(X_train)[:, X.columns.get_loc("bmi")]
left.plot(seen, np.full_like(seen, left.get_ylim()[0]), "|k", label="patients")
left.set(xlabel="Body mass index, standardised", ylabel="Progression")
left.legend()

elsewhere = scaler.transform(X_test)
elsewhere[:, X.columns.get_loc("bmi")] += 5.0
_, std_elsewhere = ensemble.predict(elsewhere, return_std=True)
right.hist([std, std_elsewhere], bins=20, label=["as they are", "bmi + 5"])
right.set(xlabel="Standard deviation of the members", ylabel="Patients")
right.legend()
plt.show()
