import math
import pickle

import pytest

from skffnn.core.schedules import SCHEDULES

STEPS = [0, 1, 9, 99, 10**6]
every_schedule = pytest.mark.parametrize("name", SCHEDULES)


@every_schedule
def test_factors_are_numbers_from_zero_to_one(name):
    factors = [SCHEDULES[name]()(step, 10**6 + 1) for step in STEPS]
    assert all(isinstance(factor, float) and 0.0 <= factor <= 1.0 for factor in factors)


@every_schedule
def test_a_schedule_is_a_value(name):
    schedule = SCHEDULES[name]()
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert math.isfinite(schedule.plateau_factor)


@pytest.mark.parametrize("power_t", [0.0, 0.25, 0.5, 1.0])
def test_invscaling_divides_by_a_power_of_the_step(power_t):
    schedule = SCHEDULES["invscaling"](power_t=power_t)
    assert [schedule(s, 1) for s in STEPS] == pytest.approx(
        [1.0 / (s + 1) ** power_t for s in STEPS]
    )


def test_adaptive_divides_by_five_on_a_plateau_and_the_others_do_not_wait():
    factors = {name: cls().plateau_factor for name, cls in SCHEDULES.items()}
    assert factors.pop("adaptive") == 0.2
    assert set(factors.values()) == {1.0}


@pytest.mark.parametrize("name", ["constant", "adaptive"])
def test_without_a_plateau_the_rate_stays(name):
    assert {SCHEDULES[name]()(step, 10) for step in STEPS} == {1.0}
