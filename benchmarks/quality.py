"""How good are the predictions, with nothing tuned, of whom, and at what cost?

    python benchmarks/quality.py                    # everything, several hours
    python benchmarks/quality.py --sets iris wine --methods skffnn MLP --splits 1
    python benchmarks/quality.py --tables           # only print what is in the file,
                                                    # of some --sets if you like

Results are appended to benchmarks/quality.csv as they come, so a run that was broken
off goes on where it was; what is there is not measured again. Every method gets the
same raw DataFrame and the same splits, and one thread. Seconds are those of the
processor. Data come through scikit-learn's fetchers: they need a network once, or a
data home.
"""

import argparse
import csv
import sys
import warnings
from pathlib import Path
from time import process_time

import numpy as np
from quality_data import DATA, load, split
from quality_methods import METHODS
from quality_tables import print_tables, read_results
from sklearn.metrics import log_loss, roc_auc_score
from threadpoolctl import threadpool_limits

FILE = Path(__file__).with_suffix(".csv")
FIELDS = [
    "set",
    "split",
    "method",
    "train rows",
    "test rows",
    "seconds",
    "error",
    "log-loss",
    "1-AUC",
    "nRMSE",
]


def judge(model, data, part):
    """Return the metrics of a fitted model on the test rows; lower is better."""
    if not data.classifies:
        residual = np.asarray(model.predict(part.X_test)).ravel() - part.y_test
        return {"nRMSE": np.sqrt(np.mean(residual**2)) / part.y_test.std()}
    p = np.asarray(model.predict_proba(part.X_test), dtype=np.float64)
    p /= p.sum(axis=1, keepdims=True)
    labels = np.asarray(model.classes_)
    scores = p[:, 1] if len(labels) == 2 else p
    auc = roc_auc_score(part.y_test, scores, multi_class="ovr", labels=labels)
    return {
        "error": np.mean(labels[p.argmax(axis=1)] != part.y_test),
        "log-loss": log_loss(part.y_test, p, labels=labels),
        "1-AUC": 1.0 - auc,
    }


def measure(name, data, seed, method):
    """Return one line of the results."""
    part = split(data, seed)
    model = METHODS[method](data.classifies, seed)
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # MLP does not converge, as its users know
        start = process_time()
        model.fit(part.X_train, part.y_train)
        seconds = process_time() - start
        metrics = judge(model, data, part)
    return {
        "set": name,
        "split": seed,
        "method": method,
        "train rows": len(part.y_train),
        "test rows": len(part.y_test),
        "seconds": f"{seconds:.4g}",
        **{metric: f"{value:.6g}" for metric, value in metrics.items()},
    }


def run(sets, methods, n_splits):
    """Measure what the file does not hold yet."""
    known = {(r["set"], r["split"], r["method"]) for r in read_results(FILE)}
    is_new = not FILE.exists()
    with FILE.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if is_new:
            writer.writeheader()
        for name in sets:
            wanted = [
                (seed, method)
                for seed in range(n_splits)
                for method in methods
                if (name, seed, method) not in known
            ]
            data = load(name) if wanted else None
            for seed, method in wanted:
                result = measure(name, data, seed, method)
                writer.writerow(result)
                file.flush()
                print(name, seed, method, result["seconds"], file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=list(DATA), default=list(DATA))
    parser.add_argument(
        "--methods", nargs="+", choices=list(METHODS), default=list(METHODS)
    )
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--tables", action="store_true")
    arguments = parser.parse_args()
    if not arguments.tables:
        run(arguments.sets, arguments.methods, arguments.splits)
    results = read_results(FILE)
    print_tables([r for r in results if r["set"] in arguments.sets], arguments.sets)


if __name__ == "__main__":
    main()
