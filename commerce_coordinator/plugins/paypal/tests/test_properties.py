"""Whatever JSON comes: a payload, ignored, or failed with a reason. Never an exception."""

import copy
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood, InvalidPayload
from commerce_coordinator.core.inbox.webhooks import Meaning, ProviderEvent

from ..webhooks import PayPalWebhookView
from .paypal_events import capture, capture_v1, dispute, event, order, refund, refund_v1, resolved

TABLE: list[tuple[str, Meaning]] = [
    (event_type, meaning)
    for event_type, entry in PayPalWebhookView.signals.items()
    for meaning in (entry if isinstance(entry, list) else [entry])
]
SAMPLES = [
    capture(),
    capture_v1(),
    refund(custom_id="refund:1"),
    refund_v1(),
    order(),
    dispute(),
    resolved("ACCEPTED"),
    resolved("DENIED"),
]

texts = st.text() | st.sampled_from(["", " ", "1.00", "-1", "1e3", "USD", "\ud83d", "PENDING", "COMPLETED", "ACCEPTED"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def paths(found: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Each place in a JSON value."""
    children = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [here, *(path for key, value in children for path in paths(value, (*here, key)))]


@st.composite
def nearly_right(draw: st.DrawFn) -> Any:
    """A sample of PayPal's with up to three places replaced by anything."""
    found = {"resource": copy.deepcopy(draw(st.sampled_from(SAMPLES)))}
    for _ in range(draw(st.integers(0, 3))):
        *parents, last = draw(st.sampled_from(paths(found)[1:]))
        place: Any = found
        for key in parents:
            place = place[key]
        place[last] = draw(json_values)
    return found["resource"]


@settings(max_examples=1500, deadline=None)
@given(
    which=st.sampled_from(TABLE), resource=nearly_right() | json_values, when=st.just("2026-03-01T00:00:00Z") | texts
)
def test_each_builder_gives_a_payload_or_a_reason(which: tuple[str, Meaning], resource: Any, when: str) -> None:
    event_type, (signal, build) = which
    data = event(event_type, resource, create_time=when)
    told = ProviderEvent(event_id="WH-1", event_type=event_type, data=data)
    try:
        built = build(told, "")
        for values in [built] if isinstance(built, Mapping) else built:
            signal.prepare(PayPalWebhookView, values)
    except (EventIgnored, EventNotUnderstood, InvalidPayload) as why:
        assert str(why)
