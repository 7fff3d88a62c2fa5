"""
A fit that is killed
====================

With a `checkpoint`, `fit` writes down how far it has come. Here a process is killed in
the middle of its training, with a signal that nothing can catch; a second one is given
the same script, goes on from the file, and comes to the same model, bit for bit, as a
third one that was left alone.
"""

# %%
# The script
# ----------
# Every ten epochs are a checkpoint. It prints the epoch from which it goes on, and
# leaves the loss curve and the weights behind.

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np

SCRIPT = """
import sys
import numpy as np
from sklearn.datasets import load_digits
from skffnn import Checkpoint, FFNNClassifier

checkpoint, result = sys.argv[1:]
X, y = load_digits(return_X_y=True)
model = FFNNClassifier(
    max_iter=200, random_state=0, verbose=1,
    checkpoint=Checkpoint(checkpoint, every_epochs=10),
).fit(X, y)
np.savez(result, loss_curve=model.loss_curve_, weights=model.coefs_[0])
"""
folder = TemporaryDirectory()
here = Path(folder.name)


def start(checkpoint, result):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, here / checkpoint, here / result],
        stdout=subprocess.PIPE,
        text=True,
    )


# %%
# Killed, and started again
# -------------------------

killed = start("run.ckpt", "run.npz")
while killed.poll() is None and not (here / "run.ckpt").exists():
    time.sleep(0.01)
time.sleep(0.2)
killed.kill()
killed.communicate()
print(
    f"killed: exit code {killed.returncode}, files {[f.name for f in here.iterdir()]}"
)

output, _ = start("run.ckpt", "run.npz").communicate()
print(output.splitlines()[0])
print(output.splitlines()[-1])
start("other.ckpt", "uninterrupted.npz").communicate()
print(f"after the end: files {sorted(f.name for f in here.iterdir())}")

# %%
# The same model
# --------------

resumed = np.load(here / "run.npz")
uninterrupted = np.load(here / "uninterrupted.npz")
same = {name: np.array_equal(resumed[name], uninterrupted[name]) for name in resumed}
print(f"equal to the last bit: {same}")

# %%
# The loss curve that was resumed lies on the one that never stopped.

epoch = int(output.split("Resumed after epoch ")[1].split()[0])
figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
epochs = np.arange(1, 1 + len(resumed["loss_curve"]))
alone = uninterrupted["loss_curve"]
ax.plot(epochs, alone, color="lightgray", linewidth=6, label="left alone")
for name, part in {"killed": epochs <= epoch, "resumed": epochs >= epoch}.items():
    ax.plot(epochs[part], resumed["loss_curve"][part], label=name)
ax.axvline(epoch, color="gray", linestyle=":", label="last checkpoint")
ax.set(xlabel="Epoch", ylabel="Loss", yscale="log")
ax.legend()
plt.show()

folder.cleanup()
