"""What a run will do is decided by the seed alone, before anything runs."""

import math
from collections import Counter
from itertools import pairwise

import pytest

from commerce_coordinator.tests.chaos import breaking, faults, stream
from commerce_coordinator.tests.chaos.cluster import COMPRESSED

SEEDS = range(30)


def test_same_seed_same_faults_and_another_seed_others() -> None:
    assert faults.plan(7, 300) == faults.plan(7, 300)
    assert faults.described(faults.plan(7, 300)) == faults.described(faults.plan(7, 300))
    assert faults.plan(7, 300) != faults.plan(8, 300)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_target_has_one_fault_at_a_time_and_all_are_over_at_the_end(seed: int) -> None:
    planned = faults.plan(seed, 300)
    assert all(before.at <= after.at for before, after in pairwise(planned))
    assert all(each.ends_at <= 300 for each in planned)
    for target in {each.target for each in planned}:
        of_target = [each for each in planned if each.target == target]
        assert all(before.ends_at < after.at for before, after in pairwise(of_target))


@pytest.mark.parametrize("seed", SEEDS)
def test_five_minutes_have_every_kind_and_some_of_them_at_once(seed: int) -> None:
    planned = faults.plan(seed, 300)
    assert {each.kind for each in planned} == {kind.name for kind in faults.KINDS}
    assert any(before.ends_at > after.at for before, after in pairwise(planned))


def test_every_process_and_server_is_met() -> None:
    met = {each.target for seed in SEEDS for each in faults.plan(seed, 300)}
    assert met == {"web", *faults.WORKERS, *faults.RELAYS, "broker", "database", "lms"}


@pytest.mark.parametrize("kind", faults.KINDS, ids=lambda kind: kind.name)
def test_every_kind_can_be_done(kind: faults.Kind) -> None:
    assert breaking.has_a_way(kind.name)


def test_times_of_the_faults_fit_the_compressed_settings() -> None:
    lease, read_timeout = float(COMPRESSED["CC_LEASE_SECONDS"]), float(COMPRESSED["CC_LMS_READ_TIMEOUT"])
    assert faults.PAST_THE_LEASE[0] > lease > float(COMPRESSED["CC_TASK_TIME_LIMIT"])
    assert read_timeout < breaking.TOO_LONG


def test_same_seed_same_stream_and_another_seed_another() -> None:
    assert stream.plan(7, 200, 60) == stream.plan(7, 200, 60)
    assert stream.plan(7, 200, 60) != stream.plan(8, 200, 60)


def test_a_fifth_is_sent_several_times_and_some_of_it_at_once() -> None:
    planned = stream.plan(1, 5000, 300)
    several = [each for each in planned if len(each.at) > 1]
    assert math.isclose(len(several) / len(planned), stream.SENT_SEVERAL_TIMES, abs_tol=0.03)
    at_once = [each for each in several if len(set(each.at)) == 1]
    assert 0.4 < len(at_once) / len(several) < 0.6


def test_event_ids_are_distinct_and_some_payments_have_two_events() -> None:
    planned = stream.plan(1, 1000, 300)
    assert len({each.event_id for each in planned}) == 1000
    payments = Counter(each.purchase.payment_id for each in planned)
    assert 0.02 < sum(count > 1 for count in payments.values()) / len(payments) < 0.08
    # A purchase is one and the same in all its events.
    assert len(payments) == len({each.purchase for each in planned})


def test_body_is_of_the_purchase() -> None:
    planned = stream.plan(1, 10, 10)[0]
    body = planned.body()
    assert body["id"] == planned.event_id
    assert body["data"]["object"]["id"] == planned.purchase.payment_id
    assert body["data"]["object"]["metadata"]["course_keys"].split(",") == list(planned.purchase.courses)
