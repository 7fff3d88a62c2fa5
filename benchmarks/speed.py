"""How fast skffnn is: updates, options, whole fits, predictions, growth, start-up.

Run it from the repository, on a machine that is otherwise idle:

    python benchmarks/speed.py                    # all sections, about an hour
    python benchmarks/speed.py updates predict    # the sections that are named
    python benchmarks/speed.py --quick            # a small part of each, a minute
    python benchmarks/speed.py --threads 1        # on one BLAS thread only

Every section prints a table. What is compared runs in the same process on the same
data and takes turns; times are wall times, from the call to the return, and medians of
several turns. Nothing is subtracted. On two threads the machine must be idle: BLAS
threads that wait for a busy core multiply the times. MLP is the MLPClassifier or
MLPRegressor of scikit-learn; a ratio MLP/skffnn above one means that skffnn is faster.
torch takes part where it is installed; otherwise its columns hold "-".
"""

import argparse
import os
import platform
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import speed_backward
import speed_fits
import speed_growth
import speed_memory
import speed_objective
import speed_options
import speed_predict
import speed_profile
import speed_startup
import speed_updates
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info
from timing import Options, threads

SECTIONS = {
    "updates": speed_updates.run,
    "options": speed_options.run,
    "fits": speed_fits.run,
    "objective": speed_objective.run,
    "predict": speed_predict.run,
    "memory": speed_memory.run,
    "growth": speed_growth.run,
    "backward": speed_backward.run,
    "profile": speed_profile.run,
    "startup": speed_startup.run,
}
# What these measure does not depend on the number of threads.
ONE_THREAD_ONLY = {"memory", "backward", "profile", "startup"}


def main() -> None:
    """Read the command line and run the sections it names."""
    arguments = parse()
    print_header()
    for n_threads in arguments.threads:
        for name in arguments.sections or SECTIONS:
            if name in ONE_THREAD_ONLY and n_threads != min(arguments.threads):
                continue
            with threads(n_threads), warnings.catch_warnings():
                # Fits are stopped on purpose before they have converged.
                warnings.simplefilter("ignore", ConvergenceWarning)
                SECTIONS[name](Options(arguments.quick, n_threads))


def parse() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="section", help=list_sections())
    parser.add_argument("--quick", action="store_true", help="a small part of each")
    parser.add_argument(
        "--threads", type=int, nargs="+", default=[1, 2], help="BLAS threads"
    )
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    return arguments


def list_sections() -> str:
    """Return the help on sections."""
    return "all, or some of: " + ", ".join(SECTIONS)


def print_header() -> None:
    """Print what the numbers depend on."""
    print(f"Python {platform.python_version()}, {processor()}, {os.cpu_count()} cores")
    print(f"load of the machine in the last minute: {load()}")
    packages = ["skffnn", "numpy", "scipy", "scikit-learn", "torch"]
    print(", ".join(f"{name} {version_of(name)}" for name in packages))
    for library in threadpool_info():
        if library["user_api"] == "blas":
            print(
                f"BLAS: {library['internal_api']} {library['version']}, "
                f"kernels for {library.get('architecture', 'unknown')}"
            )


def version_of(package: str) -> str:
    """Return the version, or "-" for what is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "-"


def load() -> str:
    """Return how many processes wanted to run: above zero, they disturb the times."""
    try:
        return f"{os.getloadavg()[0]:.1f}"
    except OSError:
        return "unknown"


def processor() -> str:
    """Return the name of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor() or "unknown processor"


if __name__ == "__main__":
    main()
