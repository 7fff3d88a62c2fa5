import numpy as np
import pytest
from core_tools import make_state

from skffnn.core.monitor import Monitor
from skffnn.core.state import Average
from skffnn.core.state_file import pack


@pytest.fixture
def state():
    return make_state(np.zeros(2))


def test_the_mean_weight_is_that_of_all_rows_seen(state):
    state.see_weights(np.array([1.0, 2.0]), 2)
    state.see_weights(None, 1)
    state.see_weights(np.array([4.0, 5.0, 6.0]), 3)
    assert state.mean_weight == pytest.approx(19.0 / 6.0, rel=1e-15)


@pytest.mark.parametrize("weight", [0.1, 0.3, 100.0])
def test_the_mean_of_equal_weights_is_exact(state, weight):
    for n_rows in (3, 7, 10):
        state.see_weights(np.full(n_rows, weight), n_rows)
    assert state.mean_weight == weight


def test_a_new_call_is_judged_by_its_own_epochs(state):
    state.best_loss, state.stalled_epochs, state.rate_factor = 0.1, 5, 0.04
    state.begin_call()
    monitor = Monitor(tol=0.0, patience=1)
    monitor.begin(state)
    assert [monitor.judge(loss, state) for loss in (3.0, 2.0, 1.0)] == [None] * 3
    assert state.rate_factor == 1.0


def test_a_call_that_goes_on_keeps_its_patience(state):
    for loss in (1.0, 2.0):
        monitor = Monitor(tol=0.0, patience=2)
        monitor.begin(state)
        assert monitor.judge(loss, state) is None
    monitor.begin(state)
    assert monitor.judge(2.0, state) is not None


def test_a_copy_shares_nothing(state):
    Monitor(tol=0.0, patience=1).begin(state)
    state.average = Average(np.zeros(2))
    state.optimizer_state = {"velocity": np.zeros(2), "history": [np.zeros(2)]}
    copy = state.copy()
    for curve in (
        "loss_curve", "validation_loss_curve", "validation_scores", "rate_halvings"
    ):  # fmt: skip
        getattr(copy, curve).append(1)
        assert getattr(state, curve) == []
    for array in (
        copy.params, copy.average.iterate, copy.optimizer_state["velocity"],
        copy.optimizer_state["history"][0],
        copy.progress.last_params, copy.progress.best_params,
    ):  # fmt: skip
        array += 1.0
    copy.progress.n_halvings = 3
    for array in (
        state.params, state.average.iterate, state.optimizer_state["velocity"],
        state.optimizer_state["history"][0],
        state.progress.last_params, state.progress.best_params,
    ):  # fmt: skip
        np.testing.assert_array_equal(array, 0.0)
    assert state.progress.n_halvings == 0
    assert copy.rng.random() == state.rng.random()


def test_a_new_call_forgets_what_only_one_call_has_in_common(state):
    state.see_weights(np.array([3.0, 5.0]), 2)
    state.stalled_epochs = 5
    state.begin_call()
    assert state.stalled_epochs == 0
    state.see_weights(np.array([2.0]), 1)
    assert state.mean_weight == 2.0


def test_what_is_no_array_of_numbers_is_in_no_checkpoint():
    with pytest.raises(TypeError, match="holds arrays and numbers, but not array"):
        pack({"names": np.array(["a", None], dtype=object)}, {})
