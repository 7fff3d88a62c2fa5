"""What the updates were meant to reach, next to what was measured."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import geometric_mean

from rivals import Task
from timing import ratio

__all__ = ["Cell", "print_targets"]

SMALL = [(20, 100, 2), (20, 100, 100, 2), (64, 100, 10)]
MIDDLE = [(50, 256, 256, 256, 10), (784, 256, 10)]
LARGEST = [(784, 1024, 1024, 10)]


@dataclass(frozen=True)
class Cell:
    """One line of a table of updates: microseconds by contestant."""

    task: Task
    microseconds: dict[str, float]

    @property
    def gain(self) -> float:
        """How many times faster than scikit-learn."""
        return self.microseconds["MLP"] / self.microseconds["skffnn"]

    def gain_of(self, name: str) -> float | None:
        """How many times faster than scikit-learn another contestant is."""
        return ratio(self.microseconds["MLP"], self.microseconds.get(name))

    @property
    def over_floor(self) -> float | None:
        """How many times slower than the matrix products alone."""
        return ratio(self.microseconds["skffnn"], self.microseconds.get("floor"))

    @property
    def best_torch(self) -> float | None:
        """The fastest one of torch's implementations."""
        times = [t for name, t in self.microseconds.items() if name.startswith("torch")]
        return min(times, default=None)

    @property
    def name(self) -> str:
        """All that tells the cell from others."""
        task = self.task
        return f"{task.name} batch {task.batch_size} {task.dtype} {task.optimizer}"


def print_targets(dense: list[Cell], sparse: list[Cell]) -> None:
    """Print one line per target, for the cells that were measured."""
    print("\ntargets of the updates\n")
    small_batches = choose(dense, SMALL, lambda size: size <= 32)
    print_gain("small networks, batch 1 and 32", small_batches, 4.0)
    print_gain("small networks, largest batch", choose(dense, SMALL, large), 2.5)
    for layer_sizes in MIDDLE:
        cells = choose(dense, [layer_sizes], large)
        print_gain(f"{name_of(layer_sizes)}, batch 256", cells, 1.5)
        print_floor(f"{name_of(layer_sizes)}, batch 256", cells, 1.35)
    cells = choose(dense, LARGEST, large)
    print_gain(f"{name_of(LARGEST[0])}, batch 256", cells, 1.2)
    print_floor(f"{name_of(LARGEST[0])}, batch 256", cells, 1.12)
    plain = [c for c in sparse if c.task.optimizer == "sgd" and c.task.more]
    default = [c for c in sparse if c.task.optimizer == "sgd" and not c.task.more]
    print_gain("sparse X, sgd", default, 3.0)
    print_gain("sparse X, sgd without momentum", plain, 3.0)
    print_gain("sparse X, adam", [c for c in sparse if c.task.optimizer == "adam"], 1.5)
    print_torch(dense)
    print_all(dense)


def name_of(layer_sizes: tuple[int, ...]) -> str:
    """As in the tables."""
    return "-".join(map(str, layer_sizes))


def large(batch_size: int) -> bool:
    """Tell the largest batch of a network from the others."""
    return batch_size >= 200


def choose(
    cells: list[Cell],
    networks: list[tuple[int, ...]],
    of_size: Callable[[int], bool],
) -> list[Cell]:
    """Return the cells of these networks and batch sizes."""
    return [
        cell
        for cell in cells
        if cell.task.layer_sizes in networks and of_size(cell.task.batch_size)
    ]


def print_gain(what: str, cells: list[Cell], target: float) -> None:
    """Print the lowest and the mean MLP/skffnn, if any was measured.

    Where some are too low, also in how many cells the same written out, the bare
    products, or the bare passes over the weights already are.
    """
    if not cells:
        return
    gains = [cell.gain for cell in cells]
    print(
        f"{what:40} MLP/skffnn >= {target:<5.2f} lowest {min(gains):5.2f}, "
        f"geometric mean {geometric_mean(gains):5.2f}  {verdict(min(gains) >= target)}"
    )
    missed = [cell for cell in cells if cell.gain < target]
    if missed:
        print(f"    missed in {len(missed)} of {len(cells)} cells")
    for name in ("written", "floor", "passes"):
        bounds = [g for cell in missed if (g := cell.gain_of(name)) is not None]
        if bounds:
            print(
                f"    in {sum(bound < target for bound in bounds)} of these "
                f"MLP/{name} is below {target:.2f} too: lowest {min(bounds):.2f}, "
                f"geometric mean {geometric_mean(bounds):.2f}"
            )


def print_floor(what: str, cells: list[Cell], target: float) -> None:
    """Print the highest skffnn/floor, if any was measured."""
    ratios = [cell.over_floor for cell in cells if cell.over_floor is not None]
    if not ratios:
        return
    highest = max(ratios)
    print(
        f"{what:40} skffnn/floor <= {target:<5.2f} highest {highest:5.2f}"
        f"  {verdict(highest <= target)}"
    )


def print_all(cells: list[Cell]) -> None:
    """Print what all cells have in common."""
    gains = [cell.gain for cell in cells]
    line = (
        f"all {len(cells)} cells: MLP/skffnn {min(gains):.2f} to {max(gains):.2f}, "
        f"geometric mean {geometric_mean(gains):.2f}"
    )
    torch = [c.best_torch / c.microseconds["skffnn"] for c in cells if c.best_torch]
    if torch:
        line += f"; torch/skffnn, geometric mean {geometric_mean(torch):.2f}"
    print(line)


def verdict(reached: bool) -> str:
    """Say it in a word."""
    return "reached" if reached else "MISSED"


def print_torch(cells: list[Cell]) -> None:
    """Print where torch was faster than skffnn: nowhere is the target."""
    both = [cell for cell in cells if cell.best_torch is not None]
    if not both:
        return
    faster = [c for c in both if c.best_torch < c.microseconds["skffnn"]]
    print(f"torch faster than skffnn: {len(faster)} of {len(both)} cells")
    for cell in faster:
        times = cell.best_torch / cell.microseconds["skffnn"]
        print(f"    {cell.name}: torch/skffnn {times:.2f}")
