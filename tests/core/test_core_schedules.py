import itertools
import math
import pickle

import pytest

from skffnn.core.schedules import (
    SCHEDULES,
    Adaptive,
    Constant,
    Cosine,
    CosineLog,
    Exponential,
    FlatCosine,
    Linear,
    OneCycle,
    Step,
    WarmUp,
)

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


def factors(schedule, steps, n_steps=100):
    return [schedule(step, n_steps) for step in steps]


def test_linear_is_a_straight_line():
    assert factors(Linear(), [0, 25, 50, 99]) == pytest.approx([1, 0.75, 0.5, 0.01])
    assert factors(Linear(final=0.2), [0, 50, 100]) == pytest.approx([1, 0.6, 0.2])


def test_cosine_is_half_a_wave():
    expected = [1, (1 + math.cos(math.pi / 4)) / 2, 0.5, 0.0]
    assert factors(Cosine(), [0, 25, 50, 100]) == pytest.approx(expected)
    assert factors(Cosine(final=0.5), [0, 50, 100]) == pytest.approx([1, 0.75, 0.5])


def test_flat_cosine_is_that_of_realmlp():
    def by_the_paper(t):
        return 0.5 * (1.0 + math.cos(math.pi * (max(1.0, 2.0 * t) - 1.0)))

    expected = [by_the_paper(step / 100) for step in range(101)]
    assert factors(FlatCosine(), range(101)) == pytest.approx(expected)
    assert set(factors(FlatCosine(), range(51))) == {1.0}
    late = FlatCosine(flat=0.8, final=0.5)
    assert factors(late, [80, 90, 100]) == pytest.approx([1.0, 0.75, 0.5])


def test_exponential_decays_by_the_same_share_at_every_step():
    values = factors(Exponential(final=0.01), range(101))
    ratios = [b / a for a, b in itertools.pairwise(values)]
    assert ratios == pytest.approx([0.01**0.01] * 100)
    assert values[-1] == pytest.approx(0.01)


def test_step_has_stages_of_equal_length():
    values = factors(Step(decay=0.1, n_stages=3), range(9), n_steps=9)
    assert values == pytest.approx([1.0] * 3 + [0.1] * 3 + [0.01] * 3)
    assert Step()(9, 9) == pytest.approx(0.01)


@pytest.mark.parametrize("n_steps", [7, 30, 49, 300])
@pytest.mark.parametrize("n_stages", [1, 3, 7])
def test_no_stage_begins_late(n_steps, n_stages):
    values = factors(Step(0.5, n_stages), range(n_steps), n_steps)
    first = [-(-stage * n_steps // n_stages) for stage in range(n_stages)]
    assert [values[step] for step in first] == [0.5**i for i in range(n_stages)]


def test_one_cycle_goes_up_and_down_and_its_momentum_down_and_up():
    cycle = OneCycle(warm_up=0.25, start=0.1, final=0.0)
    expected = [0.1, 0.55, 1.0, 0.5]
    assert factors(cycle, [0, 50, 100, 250], 400) == pytest.approx(expected)
    assert cycle(400, 400) == pytest.approx(0.0)
    momenta = [cycle.momentum(step, 400) for step in (0, 50, 100, 250, 400)]
    assert momenta == pytest.approx([0.95, 0.9, 0.85, 0.9, 0.95])


def test_cosine_log_has_four_waves_each_twice_as_long():
    ends = [0, 1, 3, 7, 15]
    assert factors(CosineLog(), ends, 15) == pytest.approx([0] * 5, abs=1e-12)
    tops = [2**k * math.sqrt(2) - 1 for k in range(4)]
    assert factors(CosineLog(), tops, 15) == pytest.approx([1.0] * 4)


def test_warm_up_leads_to_any_other_schedule():
    assert factors(WarmUp(steps=4), range(6)) == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    up = WarmUp(Cosine(), steps=0.1)
    assert factors(up, [0, 4, 9]) == pytest.approx([0.1, 0.5, 1.0])
    assert factors(up, [10, 55, 100]) == pytest.approx([1.0, 0.5, 0.0])
    assert WarmUp(Adaptive(0.3)).plateau_factor == 0.3
    assert (WarmUp().planned, WarmUp(Cosine()).planned) == (False, True)
    for step in (10, 37, 55, 100):
        later = OneCycle().momentum(step - 10, 90)
        assert WarmUp(OneCycle()).momentum(step, 100) == later
    assert WarmUp(Constant()).momentum(0, 100) is None


def test_beyond_the_planned_run_a_schedule_stays_where_it_ended():
    for name in ("linear", "cosine", "exponential", "step", "one_cycle"):
        schedule = SCHEDULES[name]()
        assert schedule(150, 100) == schedule(100, 100)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Linear(final=2.0), "final"),
        (lambda: Cosine(final=-1), "final"),
        (lambda: Exponential(final=0.0), "final"),
        (lambda: Step(decay=0.0), "decay"),
        (lambda: Step(n_stages=0), "n_stages"),
        (lambda: OneCycle(warm_up=1.0), "warm_up"),
        (lambda: OneCycle(low_momentum=1.0), "low_momentum"),
        (lambda: FlatCosine(flat=1.0), "flat"),
        (lambda: FlatCosine(final=-0.1), "final"),
        (lambda: Adaptive(factor=1.0), "factor"),
        (lambda: WarmUp(steps=0), "steps"),
        (lambda: WarmUp("cosine"), "schedule"),
    ],
)
def test_what_is_not_allowed_is_named(make, name):
    with pytest.raises(ValueError, match=f"^{name} of "):
        make()


def test_one_is_one_step_and_no_share():
    assert factors(WarmUp(steps=1), range(3)) == [1.0, 1.0, 1.0]


def test_momentum_waits_for_the_end_of_the_warm_up():
    cycle = OneCycle()
    warm = WarmUp(cycle, steps=10)
    start = cycle.momentum(0, 90)
    assert [warm.momentum(step, 100) for step in range(11)] == [start] * 11
    assert warm.momentum(30, 100) == cycle.momentum(20, 90) != start
    assert warm.momentum(10, 10) == start
