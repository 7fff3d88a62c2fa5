"""
Quick start: classify a DataFrame
=================================

The whole way from a pandas DataFrame to a tuned and tested classifier: split, fit,
search, score, look. The data are scikit-learn's breast cancer set, 569
tumours with 30 measurements each, benign or malignant.
"""

# %%
# The data
# --------
# A test set is put aside first. The names of the columns stay with the data all the
# way through.

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from sklearn.model_selection import GridSearchCV, train_test_split

from skffnn import FFNNClassifier, LossCurveDisplay

X, codes = load_breast_cancer(return_X_y=True, as_frame=True)
y = codes.map({0: "malignant", 1: "benign"})
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=0
)
print(X_train.iloc[:3, :4])

# %%
# The model
# ---------
# Nothing has to be done to the columns, which differ in scale by a factor of a million:
# the network's preprocessing looks after that, and the default settings are made for
# tables like this one.

model = FFNNClassifier(random_state=0).fit(X_train, y_train)
print(f"test accuracy of the default: {model.score(X_test, y_test):.3f}")

# %%
# The search
# ----------
# `solver` says how many rows one step sees, `optimizer` what the step does with the
# gradient. As soon as one of them is named, the network is a textbook one, whose size
# and penalty are worth a search. Not every pair is possible: "lbfgs" and "rprop" need
# all rows at once. A list of grids keeps impossible pairs out. The first grid is the
# recipe that the defaults follow, with less dropout and with more. The stochastic
# solver takes one step per row and hence the most time; one candidate has to do.

textbook = {
    "activation": ["relu"],
    "hidden_layer_sizes": [(20,), (20, 20)],
    "alpha": [1e-4, 1e-2],
    "tol": [1e-3],
}
grids = [
    {"dropout": [0.0, "auto", 0.4]},
    {"solver": ["batch"], "optimizer": ["lbfgs", "rprop"], **textbook},
    {"solver": ["mini-batch"], "optimizer": ["adam", "sgd"], **textbook},
    {
        "solver": ["stochastic"],
        "activation": ["relu"],
        "hidden_layer_sizes": [(20,)],
        "alpha": [1e-2],
        "tol": [1e-2],
    },
]
search = GridSearchCV(
    FFNNClassifier(random_state=0), grids, cv=3, scoring="neg_log_loss"
)
search.fit(X_train, y_train)

print(f"{len(search.cv_results_['params'])} candidates")
print(f"cross-validated log loss of the best: {-search.best_score_:.3f}")
print("best parameters:")
for name, value in search.best_params_.items():
    print(f"  {name} = {value!r}")

# %%
# The test
# --------
# `GridSearchCV` has fitted the best candidate again on the whole training set. The
# test set is used once.

best = search.best_estimator_
y_pred = best.predict(X_test)
labels = list(best.classes_)
print(f"test accuracy: {best.score(X_test, y_test):.3f}")
print(f"confusion matrix (rows are true, columns predicted: {', '.join(labels)}):")
print(confusion_matrix(y_test, y_pred, labels=labels))

# %%
# The figure
# ----------
# Left, where the model errs. Right, how the training went: `loss_curve_` holds the
# objective of every epoch, and `stop_reason_` says why training ended.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    y_test, y_pred, labels=labels, ax=left, cmap="Blues", colorbar=False
)
left.set_title("Test set")
LossCurveDisplay.from_estimator(best, ax=right)
right.set(
    title=f"Training: {best.stop_reason_} after {best.n_iter_} epochs",
    ylim=(0, None),
)
right.grid(alpha=0.3)

figure.savefig("plot_quickstart.png", dpi=120)
print("figure saved as plot_quickstart.png")
plt.show()
