"""
Learning from a stream
======================

Rows arrive in blocks, each is seen once, and between two blocks the model may go to
disk and come back in another process. `partial_fit` is made for that: every call
trains one epoch on the rows it is given and goes on exactly where the last one
ended, with the same optimizer state and the same stream of random numbers.
"""

# %%
# A stream
# --------
# The data are scikit-learn's handwritten digits in an order made up for this example:
# at first only the digits 0 to 4 arrive, later all ten.

import pickle

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits

from skffnn import FFNNClassifier

BLOCK = 40
X, y = load_digits(return_X_y=True)
X = X / 16.0  # grey values from 0 to 1, known before the first row arrives

rng = np.random.default_rng(0)
small, large = np.flatnonzero(y < 5), np.flatnonzero(y >= 5)
first_rows = rng.permutation(small)[:600]
other_rows = rng.permutation(np.concatenate([large, np.setdiff1d(small, first_rows)]))
order = np.concatenate([first_rows, other_rows])
blocks = [order[start : start + BLOCK] for start in range(0, len(order), BLOCK)]
print(f"{len(blocks)} blocks of {BLOCK} rows")

# %%
# Test, then train
# ----------------
# Each block is predicted before it is learned, so every row is a test row first: the
# prequential score (Gama, Sebastião and Rodrigues 2013). `classes` names all labels
# there will ever be. It is needed in the first call, which holds no digit above 4. The
# automatic learning rate expects many passes over the rows; here there is one, so a
# larger rate is chosen. `preprocessing` would take its statistics from the first block;
# as the scale is known, and later blocks are not like the first, there is none.

model = FFNNClassifier(
    (50,),
    "relu",
    preprocessing=None,
    batch_size=8,
    learning_rate_init=0.01,
    random_state=0,
)
model.partial_fit(X[blocks[0]], y[blocks[0]], classes=np.arange(10))
scores = []
for rows in blocks[1:]:
    model = pickle.loads(pickle.dumps(model))  # to another process and back
    scores.append(model.score(X[rows], y[rows]))
    model.partial_fit(X[rows], y[rows])

print(f"{model.n_iter_} calls, {model.t_} rows seen")
print(f"mean prequential accuracy: {np.mean(scores):.3f}")
print(f"over the last ten blocks:  {np.mean(scores[-10:]):.3f}")

# %%
# The pickles have changed nothing. A model that stayed in memory has the same
# weights, bit for bit.

stayed = clone(model)
for rows in blocks:
    stayed.partial_fit(X[rows], y[rows], classes=np.arange(10))
same = all(map(np.array_equal, stayed.coefs_, model.coefs_))
print(f"the same weights without pickling: {same}")

# %%
# The score falls when new digits begin to arrive, and recovers.

window = 5
smooth = np.convolve(scores, np.ones(window) / window, mode="valid")
numbers = np.arange(2, len(blocks) + 1)
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(numbers, scores, ".", color="grey", label="one block")
ax.plot(numbers[window - 1 :], smooth, label=f"mean of the last {window} blocks")
ax.axvline(len(first_rows) / BLOCK + 1, linestyle="--", color="black", linewidth=1)
ax.text(len(first_rows) / BLOCK + 1.4, 0.05, "digits 5 to 9 arrive")
ax.set(xlabel="block", ylabel="accuracy before learning it", ylim=(0, 1.02))
ax.legend(loc="lower right")
ax.grid(alpha=0.3)
plt.show()

# %%
# References
# ----------
# Gama, Sebastião and Rodrigues (2013). On evaluating stream learning algorithms.
# Machine Learning 90.
