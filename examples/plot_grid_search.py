"""
Grid search over a pipeline with mixed columns
==============================================

Tables hold numbers and categories. scikit-learn's `ColumnTransformer` turns both into
the numbers that a network needs, and a grid search reaches every part of the
pipeline by name.
"""

# %%
# A mixed table
# -------------
# The data are generated, so that it is known what there is to find: Friedman's first
# function (Friedman 1991), in which two features act through their product, a third
# through its square, and two in a straight line; five more have no effect. Two of the
# columns are then cut into ranges, and only the names of the ranges are kept.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import make_friedman1
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skffnn import FFNNRegressor

numbers, target = make_friedman1(n_samples=600, noise=1.0, random_state=0)
X = pd.DataFrame(numbers, columns=[f"x{column}" for column in range(10)])
X["x0"] = pd.cut(X["x0"], 4, labels=["north", "east", "south", "west"])
X["x3"] = pd.cut(X["x3"], 3, labels=["small", "medium", "large"])
y = pd.Series(target, name="y")
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
print(X_train.iloc[:4, :6].round(3))

# %%
# The pipeline
# ------------
# Categories become columns of zeros and ones, numbers are standardised. So is the
# target, by `TransformedTargetRegressor`: then neither `tol` nor the learning rate
# depends on the unit it is measured in.

is_category = X.dtypes == "category"
columns = ColumnTransformer(
    [
        ("category", OneHotEncoder(handle_unknown="ignore"), X.columns[is_category]),
        ("number", StandardScaler(), X.columns[~is_category]),
    ]
)
network = FFNNRegressor(activation="tanh", random_state=0)
model = TransformedTargetRegressor(
    make_pipeline(columns, network), transformer=StandardScaler()
)

# %%
# The search
# ----------
# A name in the grid is the way to the parameter: through the regressor that
# `TransformedTargetRegressor` holds, to the pipeline's step, to its parameter. L-BFGS
# works on full batches, so solver and optimizer vary together, in a list of grids.

step = "regressor__ffnnregressor__"
sizes_and_penalties = {
    step + "hidden_layer_sizes": [(5,), (20,)],
    step + "alpha": [0.001, 0.01, 0.1],
}
grids = [
    {step + "solver": ["batch"], step + "optimizer": ["lbfgs"], **sizes_and_penalties},
    {
        step + "solver": ["mini-batch"],
        step + "optimizer": ["adam"],
        **sizes_and_penalties,
    },
]
search = GridSearchCV(model, grids, cv=3)
search.fit(X_train, y_train)

print("best parameters:")
for name, value in search.best_params_.items():
    print(f"  {name.removeprefix(step)} = {value!r}")

# %%
# The yardstick is ridge regression on the same columns.

ridge = make_pipeline(columns, RidgeCV(alphas=[0.01, 0.1, 1.0, 10.0]))
ridge.fit(X_train, y_train)
ridge_score = ridge.score(X_test, y_test)
print(f"test R2 of the network: {search.score(X_test, y_test):.3f}")
print(f"test R2 of ridge:       {ridge_score:.3f}")

# %%
# What the search has seen: too large a penalty leaves little more than a straight line,
# too small a one lets the larger network learn the noise, most of all with L-BFGS.

results = pd.DataFrame(search.cv_results_)
results.columns = results.columns.str.removeprefix("param_" + step)
figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
for ax, (optimizer, group) in zip(axes, results.groupby("optimizer"), strict=True):
    for sizes, line in group.groupby(group["hidden_layer_sizes"].astype(str)):
        ax.errorbar(
            line["alpha"].astype(float),
            line["mean_test_score"],
            line["std_test_score"],
            marker="o",
            capsize=3,
            label=f"hidden_layer_sizes={sizes}",
        )
    ax.set(title=f"optimizer={optimizer!r}", xlabel="alpha", xscale="log")
    ax.grid(alpha=0.3)
axes[0].set_ylabel("R2 in cross-validation")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
plt.show()

# %%
# References
# ----------
# Friedman (1991). Multivariate adaptive regression splines. Annals of Statistics 19.
