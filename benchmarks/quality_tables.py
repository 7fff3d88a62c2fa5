"""The tables of the quality benchmark, from its results."""

import csv
from pathlib import Path

import numpy as np

__all__ = [
    "METRICS",
    "REFERENCE",
    "means",
    "print_tables",
    "read_results",
    "shifted_mean",
]

METRICS = ("error", "log-loss", "1-AUC", "nRMSE")
REFERENCE = "MLP"
# Added to an error before its logarithm is taken, so that a set on which somebody makes
# no mistake does not decide everything.
SHIFT = 0.01


def read_results(path: Path) -> list[dict]:
    """Return all lines of a file of results; an empty field is no entry."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        lines = [{k: v for k, v in line.items() if v} for line in csv.DictReader(file)]
    for line in lines:
        line["split"] = int(line["split"])
        for name in ("train rows", "test rows"):
            line[name] = int(line[name])
        for name in ("seconds", *METRICS):
            if name in line:
                line[name] = float(line[name])
    return lines


def means(results: list[dict], what: str) -> dict[str, dict[str, float]]:
    """Return method -> set -> mean over splits."""
    values: dict[str, dict[str, list[float]]] = {}
    for line in results:
        if what in line:
            by_set = values.setdefault(line["method"], {})
            by_set.setdefault(line["set"], []).append(line[what])
    return {m: {s: float(np.mean(v)) for s, v in d.items()} for m, d in values.items()}


def shifted_mean(values: list[float]) -> float:
    """Return exp(mean(log(value + 0.01))), the shifted geometric mean."""
    return float(np.exp(np.mean(np.log(np.array(values) + SHIFT))))


def print_tables(results: list[dict], sets: list[str]) -> None:
    """Print the summary, then every metric on every set."""
    rows = {line["set"]: line["train rows"] for line in results}
    methods = list(dict.fromkeys(line["method"] for line in results))
    n_splits = len({line["split"] for line in results})
    print(f"quality: {len(rows)} data sets, {n_splits} splits, one thread, untuned")
    print_summary(results, methods)
    print_duels(results, methods)
    for metric in METRICS:
        print_metric(metric, means(results, metric), sets, methods, rows)
    print_metric("seconds", means(results, "seconds"), sets, methods, rows)


def print_summary(results: list[dict], methods: list[str]) -> None:
    """Print shifted geometric means, and what they are of the reference's."""
    print(f"\nsummary: shifted geometric means; in brackets against {REFERENCE}, in %")
    print(
        f"\n{'method':22}" + "".join(f"{m:>18}" for m in METRICS) + f"{'fit time':>18}"
    )
    for method in methods:
        cells = [summary_cell(results, method, metric) for metric in METRICS]
        cells.append(time_cell(results, method))
        print(f"{method:22}" + "".join(f"{cell:>18}" for cell in cells))


def summary_cell(results: list[dict], method: str, metric: str) -> str:
    values = means(results, metric)
    if method not in values or REFERENCE not in values:
        return "-"
    names = sorted(set(values[method]) & set(values[REFERENCE]))
    own = shifted_mean([values[method][name] for name in names])
    ratio = own / shifted_mean([values[REFERENCE][name] for name in names])
    note = "" if len(names) == len(values[REFERENCE]) else f"*{len(names)}"
    return f"{own:.4f} ({100.0 * (ratio - 1.0):+.1f}){note}"


def time_cell(results: list[dict], method: str) -> str:
    """Seconds per 1000 rows, geometric mean, and times the reference's."""
    seconds = means(results, "seconds")
    rows = {line["set"]: line["train rows"] for line in results}
    names = sorted(set(seconds[method]) & set(seconds[REFERENCE]))
    per_row = np.exp(
        np.mean([np.log(1e3 * seconds[method][n] / rows[n]) for n in names])
    )
    ratio = np.exp(
        np.mean([np.log(seconds[method][n] / seconds[REFERENCE][n]) for n in names])
    )
    return f"{per_row:.3f} s (x{ratio:.2f})"


def print_duels(results: list[dict], methods: list[str]) -> None:
    """Print on how many sets the first network wins and loses, by metric."""
    print("\nsets on which skffnn is better and worse than others")
    print(f"\n{'against':22}" + "".join(f"{metric:>18}" for metric in METRICS))
    for method in methods:
        if method == "skffnn":
            continue
        cells = []
        for metric in METRICS:
            values = means(results, metric)
            ours, theirs = values.get("skffnn", {}), values.get(method, {})
            pairs = [(ours[name], theirs[name]) for name in set(ours) & set(theirs)]
            better = sum(a < b for a, b in pairs)
            worse = sum(a > b for a, b in pairs)
            cells.append(f"{better} : {worse}")
        print(f"{method:22}" + "".join(f"{cell:>18}" for cell in cells))


def print_metric(
    metric: str,
    values: dict[str, dict[str, float]],
    sets: list[str],
    methods: list[str],
    rows: dict[str, int],
) -> None:
    """Print one metric on every set: the mean over splits."""
    widths = [max(len(method), 8) + 2 for method in methods]
    heads = zip(methods, widths, strict=True)
    print(f"\n{metric}\n")
    print(f"{'set':16}{'rows':>6}" + "".join(f"{m:>{width}}" for m, width in heads))
    for name in sets:
        if not any(name in by_set for by_set in values.values()):
            continue
        line = f"{name:16}{rows[name]:>6}"
        for method, width in zip(methods, widths, strict=True):
            value = values.get(method, {}).get(name)
            line += f"{'-' if value is None else format(value, '.4f'):>{width}}"
        print(line)
