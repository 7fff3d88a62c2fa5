"""The figure of the quality benchmark: errors against time, both relative to MLP."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from quality_tables import REFERENCE, means, read_results, shifted_mean

__all__ = ["draw"]

PANELS = {"error": "class error", "log-loss": "log-loss", "nRMSE": "nRMSE"}


def relative(results: list[dict], method: str, metric: str) -> tuple[float, float]:
    """Return time and error of a method, each divided by those of the reference."""
    errors, seconds = means(results, metric), means(results, "seconds")
    sets = sorted(set(errors[method]) & set(errors[REFERENCE]))
    own, other = ([errors[m][s] for s in sets] for m in (method, REFERENCE))
    times = [seconds[method][s] / seconds[REFERENCE][s] for s in sets]
    error = shifted_mean(own) / shifted_mean(other)
    return float(np.exp(np.mean(np.log(times)))), error


def draw(results: Path, target: Path) -> None:
    """Draw a file of results into a picture.

    Parameters
    ----------
    results : Path
        What ``quality.py`` wrote.
    target : Path
        The picture.
    """
    lines = read_results(results)
    methods = dict.fromkeys(line["method"] for line in lines)
    marker = dict(zip(methods, "o*sP^Dvdx", strict=False))
    figure, axes = plt.subplots(1, 3, figsize=(11, 4.6), sharex=True)
    for ax, (metric, title) in zip(axes, PANELS.items(), strict=True):
        for method in methods:
            time, error = relative(lines, method, metric)
            ours = method.startswith("skffnn")
            color, size = ("k", 80) if ours else (None, 45)
            ax.scatter(
                time, error, s=size, c=color, marker=marker[method], label=method
            )
        ax.axhline(1.0, color="0.8", zorder=0)
        ax.axvline(1.0, color="0.8", zorder=0)
        ax.set(xscale="log", title=title, xlabel=f"fit time, times {REFERENCE}'s")
        ax.margins(x=0.1, y=0.1)
    axes[0].set_ylabel(f"shifted geometric mean, times {REFERENCE}'s")
    names = axes[0].get_legend_handles_labels()
    figure.legend(*names, loc="lower center", ncols=4, frameon=False)
    figure.tight_layout(rect=(0, 0.11, 1, 1))
    figure.savefig(target, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    here = Path(__file__).parent
    draw(here / "quality.csv", here / "quality.png")
