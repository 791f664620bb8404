"""Moments to places: pure functions."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from commerce_coordinator.console.admin.timeline import CUT_WIDTH, axis, spell

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_short_story_is_drawn_evenly() -> None:
    line = axis([NOON, after(0.1), after(0.4)])
    assert [line.at(after(at)) for at in (0, 0.1, 0.2, 0.4)] == pytest.approx([0, 25, 50, 100])
    assert line.cuts == []


def test_waiting_for_hours_leaves_room_for_calls_of_milliseconds() -> None:
    line = axis(
        [NOON, after(0.02), after(7200), after(7200.02)], running=[(NOON, after(0.02)), (after(7200), after(7200.02))]
    )
    [cut] = line.cuts
    assert (cut.seconds, cut.end - cut.start) == (pytest.approx(7199.98), pytest.approx(CUT_WIDTH))
    # What runs before and what runs after have the same scale.
    assert line.at(after(0.02)) == pytest.approx(47.5)
    assert 100 - line.at(after(7200)) == pytest.approx(47.5)
    assert line.seconds_cut == pytest.approx(7199.98)


def test_what_runs_for_seconds_looks_long_and_what_waits_as_long_does_not() -> None:
    moments = [NOON, after(0.5), after(4)]
    assert axis(moments, running=[(NOON, after(4))]).cuts == []
    assert len(axis(moments, running=[(NOON, after(0.5))]).cuts) == 1


def test_all_retries_of_a_day_keep_their_order_and_half_of_the_room() -> None:
    delays = [5, 30, 300, 1800, 7200, 18000, 36000, 36000]
    starts = [sum(delays[:number]) for number in range(len(delays) + 1)]
    runs = [(after(start), after(start + 0.05)) for start in starts]
    line = axis([moment for run in runs for moment in run], running=runs)
    places = [line.at(start) for start, _ in runs]
    assert places == sorted(places)
    assert len(line.cuts) == 8
    assert sum(cut.end - cut.start for cut in line.cuts) == pytest.approx(8 * CUT_WIDTH)
    assert all(line.at(end) - line.at(start) > 6 for start, end in runs)


def test_many_cuts_take_no_more_than_half() -> None:
    line = axis([after(day * 86400 + part) for day in range(40) for part in (0, 0.1)])
    assert len(line.cuts) == 39
    assert sum(cut.end - cut.start for cut in line.cuts) == pytest.approx(50)
    assert line.at(after(39 * 86400 + 0.1)) == pytest.approx(100)


def test_one_moment_has_its_place_and_none_is_refused() -> None:
    assert axis([NOON]).at(NOON) == 0
    assert [mark.seconds for mark in axis([NOON]).marks()] == [0]
    with pytest.raises(ValueError, match="at least one moment"):
        axis([])


def test_two_moments_a_day_apart_are_the_two_edges() -> None:
    line = axis([NOON, after(86400)])
    assert (line.at(NOON), line.at(after(86400))) == (0, 100)


def test_what_lies_outside_is_drawn_at_the_edge() -> None:
    line = axis([NOON, after(1)])
    assert (line.at(after(-5)), line.at(after(5))) == (0, 100)


def test_marks_are_round_have_room_and_begin_anew_after_a_cut() -> None:
    even = axis([NOON, after(0.5)]).marks()
    assert [round(mark.seconds, 3) for mark in even] == [0, 0.1, 0.2, 0.3, 0.4]
    cut = axis([NOON, after(0.02), after(300), after(300.02)], running=[(NOON, after(0.02))]).marks()
    assert 300 in [mark.seconds for mark in cut]
    places = [mark.place for mark in cut]
    assert all(right - left > 10.9 for left, right in itertools.pairwise(places))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0004, "0.4 ms"),
        (0.021, "21 ms"),
        (0.9996, "1 s"),
        (1.24, "1.2 s"),
        (59.96, "1 min"),
        (245, "4 min 5 s"),
        (99_000, "27 h 30 min"),
        (3 * 86400 + 4 * 3600, "3 d 4 h"),
    ],
)
def test_spans_are_spelt_for_people(seconds: float, text: str) -> None:
    assert spell(seconds) == text
