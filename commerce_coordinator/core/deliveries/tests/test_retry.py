import pytest

from commerce_coordinator.core.deliveries.retry import max_attempts, next_delay, wake_gap

SHIPPED = (5, 30, 300, 1800, 7200, 18000, 36000, 36000)


def test_shipped_schedule_outlasts_a_day_of_outage() -> None:
    least = sum(next_delay(attempt=n, schedule=SHIPPED, chance=0.0) or 0 for n in range(1, max_attempts(SHIPPED)))
    assert least >= 27.5 * 3600


def test_attempts_end_after_the_schedule() -> None:
    assert max_attempts(SHIPPED) == 9
    assert next_delay(attempt=8, schedule=SHIPPED, chance=0.0) == 36000
    assert next_delay(attempt=9, schedule=SHIPPED) is None
    assert next_delay(attempt=1, schedule=()) is None


@pytest.mark.parametrize(("chance", "delay"), [(0.0, 30.0), (0.5, 33.0), (0.999999, 36.0)])
def test_delays_are_spread_by_up_to_a_fifth(chance: float, delay: float) -> None:
    assert next_delay(attempt=2, schedule=SHIPPED, chance=chance) == pytest.approx(delay, abs=0.001)


@pytest.mark.parametrize(("after", "delay"), [(1.0, 30.0), (45.0, 45.0), (3600.0, 60.0), (None, 30.0)])
def test_retry_after_is_honoured_between_once_and_twice_the_delay(after: float | None, delay: float) -> None:
    assert next_delay(attempt=2, schedule=SHIPPED, after=after, chance=0.0) == delay


def test_wake_gap_grows_and_ends_at_ten_minutes() -> None:
    assert [wake_gap(n) for n in range(8)] == [10, 20, 40, 80, 160, 320, 600, 600]
    assert wake_gap(100_000) == 600
