"""Keys of our own making sort by time and never meet."""

import itertools
import threading
import time

import pytest

from commerce_coordinator.core import ids
from commerce_coordinator.core.ids import uuid7

# 2026-05-04T03:02:01.123456Z
MOMENT = 1777863721.123456


@pytest.fixture(autouse=True)
def _no_keys_yet(monkeypatch):
    """A frozen time may lie before that of the keys which other tests made."""
    monkeypatch.setattr(ids, "_last", 0)


def test_keys_rise_strictly_one_after_the_other():
    keys = [uuid7() for _ in range(20_000)]
    assert all(one < other for one, other in itertools.pairwise(keys))
    # As text and as bytes, too, which is how databases compare them.
    assert [str(key) for key in keys] == sorted(str(key) for key in keys)
    assert [key.bytes for key in keys] == sorted(key.bytes for key in keys)


def test_keys_rise_though_the_clock_stands_still(time_machine):
    time_machine.move_to(MOMENT, tick=False)
    keys = [uuid7() for _ in range(10_000)]
    assert all(one < other for one, other in itertools.pairwise(keys))


def test_keys_rise_though_the_clock_is_set_back(time_machine):
    time_machine.move_to(MOMENT, tick=False)
    before = uuid7()
    time_machine.move_to(MOMENT - 3600, tick=False)
    assert before < uuid7() < uuid7()


def test_keys_of_threads_rise_in_each_and_never_meet():
    made, start = [], threading.Barrier(8)

    def make():
        start.wait()
        made.append([uuid7() for _ in range(2_000)])

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(keys == sorted(keys) for keys in made)
    assert len({key for keys in made for key in keys}) == 16_000
    # Strictly: even without its random half no key is another's.
    assert len({key.int >> 64 for keys in made for key in keys}) == 16_000


def test_version_and_variant_are_those_of_rfc_9562():
    for _ in range(1_000):
        key = uuid7()
        assert key.version == 7
        assert key.int >> 62 & 0b11 == 0b10
        assert str(key)[14] == "7" and str(key)[19] in "89ab"


@pytest.mark.parametrize("moment", [MOMENT, 0.0, 1777863721.0, 1777863721.999, 4102444800.5])
def test_the_first_48_bits_are_unix_milliseconds(time_machine, moment):
    time_machine.move_to(moment, tick=False)
    assert uuid7().int >> 80 == time.time_ns() // 1_000_000


def test_the_next_12_bits_are_the_milliseconds_fraction(time_machine):
    time_machine.move_to(MOMENT, tick=False)
    fraction = uuid7().int >> 64 & 0xFFF
    assert fraction == time.time_ns() % 1_000_000 * 4096 // 1_000_000
    assert fraction == pytest.approx(0.456 * 4096, abs=1)


def test_the_rest_is_chance(time_machine):
    chances = set()
    for _ in range(100):
        ids._last = 0
        time_machine.move_to(MOMENT, tick=False)
        chances.add(uuid7().int & (1 << 62) - 1)
    assert len(chances) == 100
    # Every bit of it is seen both set and clear.
    assert all({chance >> bit & 1 for chance in chances} == {0, 1} for bit in range(62))
