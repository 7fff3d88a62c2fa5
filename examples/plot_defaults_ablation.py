"""
What each default contributes
=============================

The defaults are a recipe of many parts. Here they are switched off, one at a time, on
three small data sets that come with scikit-learn.

Mind the noise: three data sets and two splits are enough to see that such a recipe is
no magic, and too few to rank its parts. The package's benchmark,
``benchmarks/quality.py``, does this on more data, and its numbers chose the recipe.
"""

# %%
# One thing at a time
# -------------------
# Each entry is the whole recipe but for one parameter. The last is no recipe at all: a
# textbook network of one hidden layer at a constant rate, with standardised features.

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNClassifier, FFNNRegressor, TabularPreprocessor

VARIANTS = {
    "the recipe": {},
    "dropout=0": {"dropout": 0.0},
    "n_members=1": {"n_members": 1},
    "average=False": {"average": False},
    "label_smoothing=0": {"label_smoothing": 0.0},
    "input_scale=False": {"input_scale": False},
    'layer_rates="equal"': {"layer_rates": "equal"},
    "no bins": {"preprocessing": TabularPreprocessor(numeric="robust")},
    "constant rate": {},  # below
    "textbook": {
        "hidden_layer_sizes": (100,),
        "activation": "relu",
        "preprocessing": StandardScaler(),
        "learning_rate": "constant",
    },
}


def constant(step, n_steps):
    return 1.0


def at_a_constant_rate(recipe):
    """Name all that the recipe chose: with a rate of one's own it is not followed."""
    names = ("max_iter", "layer_rates", "dropout", "dropout_schedule", "average")
    names = (*names, "input_scale", "n_members", "learning_rate_init", "optimizer")
    if hasattr(recipe, "label_smoothing_"):
        names = (*names, "label_smoothing")
    return {
        **{name: getattr(recipe, f"{name}_") for name in names},
        "early_stopping": False,
        "n_iter_no_change": recipe.max_iter_ + 1,
        "learning_rate": constant,
    }


# %%
# The scores
# ----------
# Log loss of the classifiers, root mean squared error of the regressor, on half of the
# rows.

digits_X, digits_y = load_digits(return_X_y=True)
tables = {
    "breast cancer": load_breast_cancer(return_X_y=True),
    "digits (300)": (digits_X[:300], digits_y[:300]),
    "diabetes": load_diabetes(return_X_y=True),
}
N_SPLITS = 2
scores = np.full((len(VARIANTS), len(tables), N_SPLITS), np.nan)
start = perf_counter()
for column, (table, (X, y)) in enumerate(tables.items()):
    classifies = table != "diabetes"
    for split in range(N_SPLITS):
        X_train, X_test, y_train, y_test = train_test_split(
            X,
            y,
            test_size=0.5,
            stratify=y if classifies else None,
            random_state=split,
        )
        Network = FFNNClassifier if classifies else FFNNRegressor
        recipe = Network(random_state=split).fit(X_train, y_train)
        for row, (variant, parameters) in enumerate(VARIANTS.items()):
            if variant == "label_smoothing=0" and not classifies:
                continue
            if variant == "constant rate":
                parameters = at_a_constant_rate(recipe)
            model = recipe
            if parameters:
                model = Network(random_state=split, **parameters).fit(X_train, y_train)
            scores[row, column, split] = (
                log_loss(y_test, model.predict_proba(X_test))
                if classifies
                else root_mean_squared_error(y_test, model.predict(X_test))
            )
print(f"{perf_counter() - start:.1f} seconds")

# %%
# The mean over the splits, and in the last column how much larger the loss is than that
# of the whole recipe: the geometric mean over data sets and splits.

means = scores.mean(axis=2)
ratio = scores / scores[0]
overall = np.exp(np.nanmean(np.log(ratio), axis=(1, 2)))
print(f"{'':22}" + "".join(f"{table:>15}" for table in tables) + f"{'ratio':>8}")
for variant, row, total in zip(VARIANTS, means, overall, strict=True):
    cells = "".join(f"{'-' if np.isnan(m) else format(m, '.3f'):>15}" for m in row)
    print(f"{variant:22}{cells}{total:8.2f}")

# %%
# Each dot is one split. Left of the line the network is better without the part.

figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
places = np.arange(len(VARIANTS) - 1)[::-1]
for column, table in enumerate(tables):
    values = ratio[1:, column]
    heights = np.repeat(places + 0.2 * (1 - column), N_SPLITS)
    ax.plot(values.ravel(), heights, "o", markersize=4, alpha=0.8, label=table)
ax.plot(overall[1:], places, "|", color="black", markersize=18, label="mean")
ax.axvline(1.0, color="grey", linewidth=1)
ax.set_yticks(places, list(VARIANTS)[1:])
ax.set(xlabel="test loss, as a share of that of the whole recipe", xscale="log")
ticks = [0.7, 1.0, 1.5, 2.0, 3.0]
ax.set_xticks(ticks, map(str, ticks))
ax.minorticks_off()
ax.legend(fontsize="small")
ax.grid(alpha=0.3, axis="x")
plt.show()

# %%
# No part is worth much on all three sets; what helps on one may cost a little on
# another. Label smoothing keeps the probabilities of the tumours from being too bold.
# The members help where the target is noisy, as with diabetes, and cost something where
# each class has few rows, as each member learns from a quarter of them. Bins need more
# rows than there are here.
#
# All in all the textbook network is behind, but not everywhere and always: with 400
# digits in place of 300 it is ahead on these. Images, with pixels that are all of one
# kind and labels without noise, are not what the recipe was made for.
