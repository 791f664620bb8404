"""Whatever JSON comes, as any type of the table: a payload, ignored, or failed with a reason. Nothing else, ever."""

import copy
import json
import logging
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from commerce_coordinator.core.inbox.webhooks import ProviderEvent, interpret

from ..table import SIGNALS
from ..webhooks import StripeWebhookView
from .stripe_events import PRIVATE, payment_intent
from .stripe_objects import VALID, VERSIONS, refund, told
from .test_events import LONE_SURROGATE, LONGEST_NUMBER, anything, gently, texts

Path = tuple[str | int, ...]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where each value in this JSON stands, the whole of it first."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from paths(each, (*path, key))


def replaced(whole: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    whole = copy.deepcopy(whole)
    place = whole
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return whole


WHOLE = {name: told(name, found) for name, found in VALID.items()}
#: A payment may be expanded to the object itself.
WHOLE["charge.refund.updated"]["data"]["object"] = refund(payment_intent=payment_intent())

names = st.sampled_from(sorted(SIGNALS))
#: An event whose object may be anything.
versions = st.sampled_from([*VERSIONS, None]) | anything
any_object = st.tuples(names, anything | st.dictionaries(texts, anything, max_size=6), versions).map(
    lambda found: (found[0], told(found[0], found[1], api_version=found[2]))
)


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


@pytest.mark.parametrize("name", sorted(SIGNALS))
@hypothesis.settings(gently, max_examples=60)
@hypothesis.given(data=st.data())
def test_one_value_of_a_valid_event_may_be_anything(name: str, data: Any) -> None:
    path = data.draw(st.sampled_from(list(paths(WHOLE[name]))[1:]))
    judge(name, replaced(WHOLE[name], path, data.draw(anything)))


@hypothesis.settings(gently, max_examples=400)
@hypothesis.given(any_object)
@hypothesis.example(("charge.refunded", told("charge.refunded", {"refunds": {"data": [None]}})))
@hypothesis.example(("refund.created", told("refund.created", refund(amount=LONGEST_NUMBER, currency="mga"))))
@hypothesis.example(("refund.created", told("refund.created", refund(metadata={"refund_request_id": LONE_SURROGATE}))))
@hypothesis.example(("refund.failed", told("refund.failed", refund(failure_reason=LONE_SURROGATE))))
@hypothesis.example(("refund.created", told("refund.created", refund(), created=10**400)))
def test_the_object_of_an_event_may_be_anything(found: tuple[str, Any]) -> None:
    judge(*found)


@pytest.mark.parametrize("name", sorted(SIGNALS))
@pytest.mark.parametrize("path", [("created",), ("api_version",), ("livemode",), ("request",), ("data",)])
@pytest.mark.parametrize(
    "value", [None, "", [], {}, -1, 10**400, 1.5, True, LONE_SURROGATE], ids=lambda each: f"{each!r:.9}"
)
def test_the_events_own_fields_may_be_anything(name: str, path: Path, value: Any) -> None:
    judge(name, replaced(WHOLE[name], path, value))


def judge(name: str, whole: Any) -> None:
    """Interpret it, as JSON that came over the wire."""
    view = StripeWebhookView()
    event = ProviderEvent(event_id="evt_1", event_type=name, data=json.loads(json.dumps(whole)))
    logger, heard = logging.getLogger("commerce_coordinator"), _Heard()
    logger.addHandler(heard)
    try:
        outcome = interpret(view, event, "")
    finally:
        logger.removeHandler(heard)
    assert heard.heard == []
    assert bool(outcome.reason) is (outcome.state != "sent")
    assert bool(outcome.sendings) is (outcome.state == "sent")
    assert not [value for value in PRIVATE if value in outcome.reason]
    for sending in outcome.sendings:  # what passes can be stored, by any database
        json.dumps(sending.payload, ensure_ascii=False).encode()


def test_each_valid_event_passes() -> None:
    """Else the tests above would try variations of what is refused anyway."""
    for name, whole in WHOLE.items():
        event = ProviderEvent(event_id="evt_1", event_type=name, data=whole)
        assert interpret(StripeWebhookView(), event, "").state == "sent", name


def test_a_builder_that_breaks_would_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    signal, _ = SIGNALS["refund.failed"]  # type: ignore[misc]
    monkeypatch.setattr(StripeWebhookView, "signals", {"refund.failed": (signal, lambda event, account: 1 / 0)})
    with pytest.raises(AssertionError, match="could not be built"):
        judge("refund.failed", WHOLE["refund.failed"])
