"""
====================
Which learning rate?
====================

The range test of Smith (2017) answers in a fraction of the time of a fit: train with a
rate that grows from step to step, and look where the loss falls, and where it explodes.
"""

# %%
# Handwritten digits, and two optimizers. Of each, the test takes 200 steps.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score

from skffnn import FFNNClassifier, LearningRateCurveDisplay

X, y = load_digits(return_X_y=True)

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
rates = {}
for ax, optimizer in zip(axes, ("adam", "sgd"), strict=True):
    model = FFNNClassifier((50,), "relu", optimizer=optimizer, random_state=0)
    display = LearningRateCurveDisplay.from_estimator(
        model, X, y, max_rate=100.0, ax=ax, name=optimizer
    )
    ax.set(yscale="log")
    rates[optimizer] = display.suggested_rate
plt.show()

# %%
# Far to the left nothing is learned, far to the right everything is forgotten. The
# suggested rate is a tenth of that where the smoothed loss is lowest. Five epochs at
# this rate, and at a hundredth of it:
for optimizer, rate in rates.items():
    for factor in (1.0, 0.01):
        network = FFNNClassifier(
            (50,),
            "relu",
            optimizer=optimizer,
            learning_rate="linear",  # a planned run: it means to end after 5 epochs
            learning_rate_init=rate * factor,
            max_iter=5,
            random_state=0,
        )
        score = cross_val_score(network, X, y).mean()
        print(f"{optimizer:5} rate {rate * factor:.2g}: accuracy {score:.3f}")
