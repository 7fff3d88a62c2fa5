import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skffnn.core.batches import SOLVERS, Batches, auto_batch_size, count, spread

HELD_IN = np.array([1, 2, 4, 6, 7, 9, 10])
ROWS = {"all": slice(0, 7), "from the middle": slice(3, 10), "some": HELD_IN}

any_rows = pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
any_size = pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
any_order = pytest.mark.parametrize("shuffle", [False, True])


def numbers(rows):
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows


def epochs(batches, n_epochs=1, seed=0):
    rng = np.random.default_rng(seed)
    return [[numbers(rows) for rows in batches.epoch(rng)] for _ in range(n_epochs)]


@any_rows
@any_size
@any_order
def test_an_epoch_visits_every_row_once(rows, size, shuffle):
    for epoch in epochs(Batches(rows, size, shuffle), 2):
        assert_array_equal(np.sort(np.concatenate(epoch)), numbers(rows))


@any_rows
@any_size
@any_order
def test_only_the_last_batch_may_be_shorter(rows, size, shuffle):
    batches = Batches(rows, size, shuffle)
    *full, last = [len(batch) for batch in epochs(batches)[0]]
    assert full == [size] * len(full)
    assert 1 <= last <= size
    assert len(batches) == len(full) + 1


@any_rows
@any_size
def test_unshuffled_rows_come_in_order(rows, size):
    epoch = epochs(Batches(rows, size, shuffle=False))[0]
    assert_array_equal(np.concatenate(epoch), numbers(rows))


@any_rows
def test_shuffled_epochs_differ_and_repeat_with_the_seed(rows):
    batches = Batches(rows, 2, shuffle=True)
    first, second = (np.concatenate(epoch) for epoch in epochs(batches, 2))
    assert not np.array_equal(first, second)
    again, _ = (np.concatenate(epoch) for epoch in epochs(batches, 2))
    assert_array_equal(first, again)
    other, _ = (np.concatenate(epoch) for epoch in epochs(batches, 2, seed=1))
    assert not np.array_equal(first, other)


def test_shuffling_leaves_the_given_rows_as_they_are():
    rows = HELD_IN.copy()
    epochs(Batches(rows, 2, shuffle=True))
    assert_array_equal(rows, HELD_IN)


def test_one_batch_of_all_rows_uses_no_randomness():
    rng = np.random.default_rng(0)
    list(Batches(slice(0, 7), 7, shuffle=True).epoch(rng))
    assert rng.random() == np.random.default_rng(0).random()


def test_solvers_are_named_after_the_rows_of_one_step():
    seen = {name: solver(1000, 32) for name, solver in SOLVERS.items()}
    assert seen == {"batch": 1000, "mini-batch": 32, "stochastic": 1}


@pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
@pytest.mark.parametrize("n_rows", [1, 5, 1000])
def test_no_solver_asks_for_more_rows_than_there_are(solver, n_rows):
    assert 1 <= solver(n_rows, 32) <= n_rows


@pytest.mark.parametrize("n_rows", range(1, 65))
def test_few_rows_make_one_batch(n_rows):
    assert auto_batch_size(n_rows) == n_rows


@pytest.mark.parametrize("n_rows", [65, 100, 255, 1000, 1001, 4097, 20_011, 10**6])
def test_auto_batches_are_as_large_as_may_be_and_leave_no_small_one(n_rows):
    most = max(16, min(256, n_rows // 16))
    last_is_half_full = [
        size for size in range(1, most + 1) if (n_rows - 1) % size + 1 >= size / 2
    ]
    assert auto_batch_size(n_rows) == max(last_is_half_full)


def test_auto_batches_are_256_rows_a_sixteenth_of_the_data_or_16():
    assert auto_batch_size(80) == 16
    assert auto_batch_size(16 * 100) == 100
    assert auto_batch_size(2**20) == 256


@any_rows
@pytest.mark.parametrize("most", [1, 3, 7, 100])
def test_rows_are_spread_over_all(rows, most):
    some = numbers(spread(rows, most))
    assert 1 <= len(some) <= most
    assert len(set(np.diff(np.searchsorted(numbers(rows), some)))) <= 1
    assert some[0] == numbers(rows)[0]
    if most >= 7:
        assert_array_equal(some, numbers(rows))


def test_count_is_the_number_of_rows():
    assert [count(rows) for rows in ROWS.values()] == [7, 7, 7]
