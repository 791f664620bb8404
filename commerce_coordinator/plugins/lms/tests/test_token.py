"""One token per process and LMS, over real HTTP and with real threads."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from commerce_coordinator.core.exceptions import Retry

from ..client import lms_client
from .conftest import forget_client
from .fake_lms import Answer, Call, FakeLms, refusal

THREADS = 20
COURSE = "course-v1:DemoX+Baking+2026"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at_once(act: Callable[[], Any]) -> list[Any]:
    """What `act` gave in each of many threads that begin together, or the exception that it raised."""
    ready = threading.Barrier(THREADS)

    def run(_: int) -> Any:
        client = lms_client()
        try:
            ready.wait(10)
            return act()
        except Retry as error:
            return error
        finally:
            client.session.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def look() -> Any:
    return lms_client().enrollment("ann-the-learner", COURSE)


@pytest.fixture
def slow_tokens(lms: FakeLms, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The token's call is answered when the event is set: until then all threads want one."""
    answer, let_go = lms.answer, threading.Event()

    def wait(call: Call) -> Answer:
        if call.path.endswith("/oauth2/access_token"):
            let_go.wait(10)
        return answer(call)

    monkeypatch.setattr(lms, "answer", wait)
    yield let_go
    let_go.set()


def test_one_token_serves_all_threads(lms: FakeLms, slow_tokens: threading.Event) -> None:
    threading.Timer(0.3, slow_tokens.set).start()
    assert at_once(look) == [None] * THREADS
    assert Counter(lms.kinds) == {"token": 1, "look": THREADS}


def test_one_fresh_token_serves_all_threads_whose_calls_were_refused(lms: FakeLms) -> None:
    look()
    refused = threading.Barrier(THREADS)
    answer = lms.answer

    def refuse_together(call: Call) -> Answer:
        if call.headers.get("authorization") != "JWT token-1":
            return answer(call)
        lms.calls.append(("refused", call))
        refused.wait(10)  # each has its 401 before any of them can act on it
        return refusal(401)

    lms.answer = refuse_together  # type: ignore[method-assign]
    lms.calls.clear()
    assert at_once(look) == [None] * THREADS
    assert Counter(lms.kinds) == {"refused": THREADS, "token": 1, "look": THREADS}


def test_one_failed_call_for_a_token_is_told_to_all_who_waited_for_it(
    lms: FakeLms, slow_tokens: threading.Event
) -> None:
    """One after the other they would wait for minutes, each for a time-out of its own."""
    lms.will("token", refusal(503))
    threading.Timer(0.5, slow_tokens.set).start()
    outcomes = at_once(look)
    assert [type(each) for each in outcomes] == [Retry] * THREADS
    assert lms.kinds == ["token"]
    assert look() is None, "the next one asks anew"


@pytest.mark.parametrize(
    "body",
    [[], "token", 7, None, {"access_token": "t", "expires_in": "soon"}, {"access_token": "t", "expires_in": 1e300}],
)
def test_answer_without_a_token_is_tried_again(lms: FakeLms, body: Any) -> None:
    lms.will("token", Answer(body=body))
    with pytest.raises(Retry):
        look()
    assert lms.kinds == ["token"]


def test_token_is_renewed_half_a_minute_before_it_ends(lms: FakeLms) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        look()
        clock.shift(timedelta(seconds=3569))
        look()
        assert lms.tokens == 1
        clock.shift(timedelta(seconds=1))
        look()
        assert lms.tokens == 2


def test_short_lived_token_is_used_for_half_of_its_life(lms: FakeLms) -> None:
    lms.will("token", Answer(body={"access_token": "token-0", "token_type": "JWT", "expires_in": 10}))
    with time_machine.travel(NOON, tick=False) as clock:
        look()
        clock.shift(timedelta(seconds=4))
        look()
        assert lms.kinds.count("token") == 1
        clock.shift(timedelta(seconds=1))
        look()
        assert lms.kinds.count("token") == 2


def test_another_lms_has_a_token_of_its_own(lms: FakeLms, settings: Any) -> None:
    look()
    client = lms_client()
    settings.CC_LMS_CLIENT_ID = "another"
    from .. import client as module

    del module._local.client
    try:
        look()
        assert lms.tokens == 2
    finally:
        client.session.close()
        forget_client()
