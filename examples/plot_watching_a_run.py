"""
Watching a run
==============

What a training run does can be read while it runs, followed by callbacks, and drawn
when it is over. Callbacks are scikit-learn's, from version 1.9 on.
"""

# %%
# Lines
# -----
# `verbose` prints the first ten epochs, then every tenth, from the hundredth on every
# hundredth, and why training ended.

import matplotlib.pyplot as plt
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from skffnn import FFNNClassifier, LossCurveDisplay

X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, stratify=y, random_state=0)
model = FFNNClassifier(max_iter=40, verbose=True, random_state=0)
model.fit(X_train, y_train)

# %%
# A callback of one's own
# -----------------------
# A callback has four methods, and what it asks for in their signatures it is given.
# Below fit, whose own task begins first and ends last, each epoch is a task. If the end
# of an epoch is answered with True, training ends, and the model is what it is then;
# with a hold-out, as here by the recipe, what it was after its best epoch.


class UntilAccuracy:
    def __init__(self, wanted):
        self.wanted = wanted

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name != "epoch":
            return False
        return fitted_estimator.score(X_val, y_val) >= self.wanted

    def teardown(self, estimator, context):
        pass


hasty = FFNNClassifier(max_iter=40, random_state=0)
hasty.set_callbacks(UntilAccuracy(0.96)).fit(X_train, y_train)
print(f"{hasty.n_iter_} epochs ({hasty.stop_reason_}): {hasty.score(X_val, y_val):.3f}")

# %%
# Through a grid search
# ---------------------
# A callback that an estimator has is handed to its clones, so the monitor below sees
# each epoch of each fit of a search. It scores the rows that are trained on. A progress
# bar belongs to the search instead:
# ``search.set_callbacks(ProgressBar(max_propagation_depth=None))`` shows a bar for the
# search, and one for each fit that counts its epochs.

monitor = ScoringMonitor(scoring="neg_log_loss")
network = FFNNClassifier(max_iter=40, random_state=0).set_callbacks(monitor)
grid = {"hidden_layer_sizes": [(4,), (16,), (64,)]}
search = GridSearchCV(network, grid, cv=2, refit=False).fit(X_train, y_train)
log = monitor.get_logs().data_as_pandas
epochs = log[log["task_name"] == "epoch"]

# %%
# Curves
# ------
# `LossCurveDisplay` draws the loss of a fitted network, and that of its hold-out, which
# the recipe makes where there are 300 rows or more. With several members the loss of
# the hold-out is that of single ones.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
LossCurveDisplay.from_estimator(model, ax=axes[0])
axes[0].set(title="LossCurveDisplay", yscale="log")
runs = epochs.groupby("parent_task_id_path", sort=False)
for number, (_, run) in enumerate(runs):
    candidate, fold = divmod(number, 2)
    layers = grid["hidden_layer_sizes"][candidate]
    axes[1].plot(
        run["task_id"] + 1, -run["neg_log_loss"], color=f"C{candidate}",
        label=f"hidden_layer_sizes={layers}" if fold == 0 else None,
    )  # fmt: skip
axes[1].set(title="ScoringMonitor in a grid search", yscale="log")
axes[1].set(xlabel="Epoch", ylabel="Log-loss of the training rows")
axes[1].legend(fontsize="small")
plt.show()
