"""
Quick start: classify a DataFrame
=================================

The whole way from a pandas DataFrame to a tuned and tested classifier: split,
scale, search, score, look. The data are scikit-learn's breast cancer set, 569
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
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

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
# A network trains well on features of similar scale, so a scaler comes first. Inside
# a pipeline it learns its means from the training folds alone.

model = Pipeline(
    [
        ("scale", StandardScaler()),
        ("network", FFNNClassifier(tol=1e-3, random_state=0)),
    ]
)

# %%
# The search
# ----------
# `solver` says how many rows one step sees, `optimizer` what the step does with the
# gradient. Not every pair is possible: "lbfgs" and "rprop" need all rows at once. A
# list of grids keeps impossible pairs out. The stochastic solver takes one step per
# row and hence the most time; one candidate has to do.

network = {
    "network__hidden_layer_sizes": [(20,), (20, 20)],
    "network__alpha": [1e-4, 1e-2],
}
grids = [
    {
        "network__solver": ["batch"],
        "network__optimizer": ["lbfgs", "rprop"],
        **network,
    },
    {
        "network__solver": ["mini-batch"],
        "network__optimizer": ["adam", "sgd"],
        **network,
    },
    {
        "network__solver": ["stochastic"],
        "network__optimizer": ["auto"],
        "network__hidden_layer_sizes": [(20,)],
        "network__alpha": [1e-2],
    },
]
search = GridSearchCV(model, grids, cv=3, scoring="neg_log_loss")
search.fit(X_train, y_train)

print(f"{len(search.cv_results_['params'])} candidates")
print(f"cross-validated log loss of the best: {-search.best_score_:.3f}")
print("best parameters:")
for name, value in search.best_params_.items():
    print(f"  {name} = {value!r}")

# %%
# The test
# --------
# `GridSearchCV` has fitted the best pipeline again on the whole training set. The
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

fitted = best["network"]
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    y_test, y_pred, labels=labels, ax=left, cmap="Blues", colorbar=False
)
left.set_title("Test set")
LossCurveDisplay.from_estimator(best, ax=right)
right.set(
    title=f"Training: {fitted.stop_reason_} after {fitted.n_iter_} epochs",
    ylim=(0, None),
)
right.grid(alpha=0.3)

figure.savefig("plot_quickstart.png", dpi=120)
print("figure saved as plot_quickstart.png")
plt.show()
