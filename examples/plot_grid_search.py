"""
Grid search over solvers and the preprocessing
==============================================

Tables hold numbers and categories, and the network takes both. What it does with them,
and how it is trained, are parameters like any others, which a grid search reaches by
name.
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
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_friedman1
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skffnn import FFNNRegressor, TabularPreprocessor

numbers, target = make_friedman1(n_samples=600, noise=1.0, random_state=0)
X = pd.DataFrame(numbers, columns=[f"x{column}" for column in range(10)])
X["x0"] = pd.cut(X["x0"], 4, labels=["north", "east", "south", "west"])
X["x3"] = pd.cut(X["x3"], 3, labels=["small", "medium", "large"])
y = pd.Series(target, name="y")
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
print(X_train.iloc[:4, :6].round(3))

# %%
# The search
# ----------
# Textbook networks in two grids, as L-BFGS works on full batches and so solver and
# optimizer vary together; and the recipe that the defaults follow, with two codes of
# the numbers. ``preprocessing__numeric`` is the `numeric` of the preprocessor. The
# target needs no scaling, the network does so itself.

model = FFNNRegressor(preprocessing=TabularPreprocessor(n_bins=8), random_state=0)
textbook = {
    "activation": ["tanh"],
    "hidden_layer_sizes": [(5,), (20,)],
    "alpha": [0.001, 0.01, 0.1],
}
grids = [
    {"solver": ["batch"], "optimizer": ["lbfgs"], **textbook},
    {"solver": ["mini-batch"], "optimizer": ["adam"], **textbook},
    {"optimizer": ["auto"], "preprocessing__numeric": ["robust", "robust_bins"]},
]
search = GridSearchCV(model, grids, cv=3)
search.fit(X_train, y_train)

results = pd.DataFrame(search.cv_results_)
results.columns = results.columns.str.removeprefix("param_")
best_of = results.loc[results.groupby("optimizer")["mean_test_score"].idxmax()]
columns = ["hidden_layer_sizes", "alpha", "preprocessing__numeric", "mean_test_score"]
best_of = best_of.set_index("optimizer")[columns].astype(object)
print(best_of.fillna("default").to_string())

# %%
# The yardstick is ridge regression on the same columns.

is_category = X.dtypes == "category"
encoder = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore"), X.columns[is_category]),
    (StandardScaler(), X.columns[~is_category]),
)
ridge = make_pipeline(encoder, RidgeCV(alphas=[0.01, 0.1, 1.0, 10.0]))
ridge.fit(X_train, y_train)
print(f"test R2 of the best network: {search.score(X_test, y_test):.3f}")
print(f"test R2 of ridge:            {ridge.score(X_test, y_test):.3f}")

# %%
# What the search has seen of the textbook networks: too large a penalty leaves little
# more than a straight line, too small a one lets the larger network learn the noise,
# most of all with L-BFGS. The dashed line is the recipe, whose dropout and averages do
# the same work without a search.

recipe = results.loc[results["optimizer"] == "auto", "mean_test_score"].max()
results = results[results["optimizer"] != "auto"]
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
    ax.axhline(recipe, linestyle="--", color="black", linewidth=1, label="recipe")
    ax.grid(alpha=0.3)
axes[0].set_ylabel("R2 in cross-validation")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
plt.show()

# %%
# References
# ----------
# Friedman (1991). Multivariate adaptive regression splines. Annals of Statistics 19.
