"""
From a CSV file to probabilities
================================

Tables have names, numbers, categories and gaps. `FFNNClassifier` takes a DataFrame with
all of them as it is, and its probabilities can be taken at their word, which a
calibration curve shows.
"""

# %%
# The table
# ---------
# The passengers of the Titanic, from OpenML: who survived? Where there is no network,
# the breast cancer data that come with scikit-learn take their place. Of these we make
# a table like one that was filled in by hand: one measurement becomes a size, one a
# word, and a tenth of the entries is lost. What follows is the same for both, and the
# output says which of them it was.

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.calibration import calibration_curve
from sklearn.datasets import fetch_openml, load_breast_cancer
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from skffnn import FFNNClassifier


def titanic():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it tries twice
        X, y = fetch_openml(
            "titanic", version=1, return_X_y=True, n_retries=1, delay=0.1
        )
    # The number of the lifeboat, and that of the body, tell the answer.
    table = X.drop(columns=["boat", "body", "name", "ticket", "cabin", "home.dest"])
    return table.assign(survived=y.astype(int)), "survived"


def tumours():
    X, benign = load_breast_cancer(return_X_y=True, as_frame=True)
    table = X.filter(like="mean").copy()
    rng = np.random.default_rng(0)
    table = table.mask(rng.random(table.shape) < 0.1)
    size = table.pop("mean area")
    table["size"] = pd.cut(size, [0, 400, 800, 9999], labels=["S", "M", "L"])
    concave = table.pop("mean concave points")
    table["outline"] = np.where(concave > 0.05, "dented", "round")
    table.loc[concave.isna(), "outline"] = None
    return table.assign(benign=benign), "benign"


try:
    table, target = titanic()
except OSError as error:  # no network
    print(f"OpenML is out of reach ({type(error).__name__}): tumours instead")
    table, target = tumours()

with TemporaryDirectory() as folder:
    path = Path(folder) / "table.csv"
    table.to_csv(path, index=False)
    table = pd.read_csv(path)

y = table.pop(target)
print(f"{target}: {y.mean():.0%} of {len(table)} rows")
print(pd.DataFrame({"dtype": table.dtypes, "missing": table.isna().sum()}))

# %%
# Fit and look inside
# -------------------
# What the network sees of these columns, the fitted preprocessor tells: gaps have a
# column of their own, categories one each, numbers a code of several.

model = FFNNClassifier(random_state=0).fit(table, y)
names = model.preprocessor_.get_feature_names_out()
print(f"{table.shape[1]} columns become {len(names)}:")
for column, kind in zip(table.columns, model.preprocessor_.kinds_, strict=True):
    codes = [name for name in names if name.startswith(column)]
    print(f"  {column:23}{kind:12}{len(codes):2} codes, the last: {codes[-1]}")

# %%
# Probabilities
# -------------
# Each row is predicted by a network that was trained without it, in a cross-validation
# of five folds.

folds = StratifiedKFold(5, shuffle=True, random_state=0)
p = cross_val_predict(
    FFNNClassifier(random_state=0), table, y, cv=folds, method="predict_proba"
)[:, 1]
base = np.full(len(y), y.mean())
for name, probability in {"network": p, "share of the class": base}.items():
    print(
        f"{name:20} log loss {log_loss(y, probability):.3f}  "
        f"Brier score {brier_score_loss(y, probability):.3f}"
    )

# %%
# Where the network says 70 %, it should be right about 70 times in 100. In the figure
# each point is a sixth of the rows: above, the share of the class among them against
# the mean of what was predicted; the bars are two standard errors. Below, how often
# each probability was predicted.

observed, predicted = calibration_curve(y, p, n_bins=6, strategy="quantile")
error = 2 * np.sqrt(observed * (1 - observed) / (len(y) / len(observed)))
figure, (above, below) = plt.subplots(
    2, 1, figsize=(5.5, 6), sharex=True, height_ratios=[3, 1], layout="constrained"
)
above.plot([0, 1], [0, 1], "--", color="grey", label="perfectly calibrated")
above.errorbar(predicted, observed, error, marker="o", capsize=3, label="network")
above.set(ylabel=f"share of {target!r}", title="Calibration, by cross-validation")
above.legend()
below.hist(p, bins=25, range=(0, 1))
below.set(xlabel=f"predicted probability of {target!r}", ylabel="rows")
for ax in (above, below):
    ax.grid(alpha=0.3)
plt.show()
