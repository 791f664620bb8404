"""send_robust where CC_SIGNAL_ORIGINS does not let the process record: the same call goes over HTTP to the API."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from commerce_coordinator.console.supervisor import free_port
from commerce_coordinator.core import oauth
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.exceptions import InvalidPayload, Retry, SendingConfined
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.replay import replay_event
from commerce_coordinator.core.signals.tests.plugin_of_a_test import TestPlugin, plugin_of_a_test
from commerce_coordinator.core.tests.token_server import token_server
from commerce_coordinator.payloads.base import Payload
from commerce_coordinator.payloads.money import Money

pytestmark = pytest.mark.django_db(transaction=True)

SERVICE = "coordinator-service"


class SeatSold(Payload):
    order: str


class TicketPrinted(Payload):
    order: str
    money: Money
    rows: tuple[int, ...] = ()


PRINTED: dict[str, Any] = {"order": "EDX-1", "money": Money(amount=500, currency="USD"), "rows": (7,)}


@pytest.fixture
def shop(live_server: Any, settings: Any) -> Iterator[TestPlugin]:
    """A plugin in a worker that must send through the API, which the live server is."""
    oauth.forget_all()
    with plugin_of_a_test() as shop, token_server(SERVICE) as lms:
        shop.signal("seat_sold", SeatSold, subject="order")
        shop.signal("ticket_printed", TicketPrinted, subject="order")
        settings.CC_API_URL, settings.CC_LMS_URL_ROOT, settings.CC_API_USERNAME = live_server.url, lms, SERVICE
        settings.CC_SIGNAL_ORIGINS, settings.CC_ORIGIN = ["web", "api"], "web"
        yield shop
    oauth.forget_all()


def start(shop: TestPlugin, settings: Any) -> Delivery:
    """A delivery of `seat_sold` that is due; from here on this process is a worker."""
    settings.CC_ORIGIN = "web"
    shop.module.seat_sold.send_robust(sender="test", order="EDX-1")
    settings.CC_ORIGIN = "worker"
    return Delivery.objects.get()


def printer(shop: TestPlugin, *, after: Any = None, times: int = 1) -> list[Any]:
    """The delivery task `print_ticket`, which sends `ticket_printed`; what it got back. `after` may raise."""
    got: list[Any] = []

    @shop.task(sends=["test_shop.ticket_printed"])
    def print_ticket(order: str) -> None:
        for _ in range(times):
            got.append(shop.module.ticket_printed.send_robust(sender=print_ticket, **PRINTED))
        if after is not None:
            after()

    return got


def test_task_sends_through_the_api_by_the_same_call(shop: TestPlugin, settings: Any) -> None:
    got, seen = printer(shop), []

    @shop.receiver
    def note(order: str, money: Money, rows: Any) -> None:
        seen.append((order, money, rows))

    @shop.task
    def post_ticket(order: str) -> None:
        pass

    with shop.routed(seat_sold=["print_ticket"], ticket_printed=["note", "post_ticket"]):
        delivery = start(shop, settings)
        assert deliver(delivery.pk.hex) == "succeeded"
    sent = Dispatch.objects.get(signal="test_shop.ticket_printed")
    attempt = Attempt.objects.get()
    assert (sent.origin, sent.parent_id, sent.attempt_id) == ("api", delivery.pk, attempt.pk)
    assert (sent.trace_id, sent.sender) == (delivery.dispatch.trace_id, "test_shop.print_ticket")
    assert [(call["method"], call["status"]) for call in attempt.calls] == [("POST", 202)]
    assert seen == [("EDX-1", PRINTED["money"], (7,))], "the inline receiver ran in the web process"
    [[(first, noted), (second, posted)]] = got
    assert (first.__name__, second.__name__) == ("note", "post_ticket"), "what the map names, as ever"
    for each, state in ((noted, "succeeded"), (posted, "pending")):
        each.refresh_from_db()
        assert (each.dispatch_id, each.state) == (sent.pk, state)


def test_second_try_adds_nothing(shop: TestPlugin, settings: Any) -> None:
    """It died, or was taken for dead, after the API had recorded."""
    raised = [RuntimeError("after sending")]

    def fail_once() -> None:
        if raised:
            raise raised.pop()

    got = printer(shop, after=fail_once, times=2)
    with shop.routed(seat_sold=["print_ticket"]):
        delivery = start(shop, settings)
        assert deliver(delivery.pk.hex) == "pending"
        assert Dispatch.objects.filter(parent=delivery).count() == 2, "the same twice in one try is two sendings"
        delivery.refresh_from_db()
        with time_machine.travel(delivery.next_attempt_at, tick=False):
            oauth.forget_all()
            assert deliver(delivery.pk.hex) == "succeeded"
    assert len(got) == 4
    assert Dispatch.objects.filter(parent=delivery).count() == 2


def test_key_is_the_one_that_recording_here_would_have_used(shop: TestPlugin, settings: Any) -> None:
    """So an operator may confine a service that runs: a delivery's next try finds what its first recorded itself."""
    raised = [RuntimeError("after sending")]

    def fail_once() -> None:
        if raised:
            raise raised.pop()

    printer(shop, after=fail_once)
    with shop.routed(seat_sold=["print_ticket"]):
        delivery = start(shop, settings)
        settings.CC_SIGNAL_ORIGINS = ["web", "api", "worker"]
        assert deliver(delivery.pk.hex) == "pending"
        settings.CC_SIGNAL_ORIGINS = ["web", "api"]
        delivery.refresh_from_db()
        with time_machine.travel(delivery.next_attempt_at, tick=False):
            assert deliver(delivery.pk.hex) == "succeeded"
    assert Dispatch.objects.get(parent=delivery).origin == "worker"


@pytest.mark.parametrize("wrong", ["CC_API_URL", "CC_LMS_URL_ROOT", "CC_API_USERNAME", "CC_SIGNAL_ORIGINS"])
def test_call_that_fails_is_tried_again_and_nothing_is_lost(shop: TestPlugin, settings: Any, wrong: str) -> None:
    """The API or the LMS is away, or a setting is wrong: mended, it goes on by itself."""
    right = getattr(settings, wrong)
    away = f"http://127.0.0.1:{free_port()}"
    instead = {"CC_API_USERNAME": "somebody", "CC_SIGNAL_ORIGINS": ["web"]}.get(wrong, away)
    printer(shop)
    with shop.routed(seat_sold=["print_ticket"]):
        delivery = start(shop, settings)
        setattr(settings, wrong, instead)
        assert deliver(delivery.pk.hex) == "pending"
        assert Attempt.objects.get().error_class.endswith("Retry")
        assert not Dispatch.objects.filter(parent=delivery).exists()
        setattr(settings, wrong, right)
        delivery.refresh_from_db()
        with time_machine.travel(delivery.next_attempt_at, tick=False):
            assert deliver(delivery.pk.hex) == "succeeded"
    assert Dispatch.objects.filter(parent=delivery).count() == 1


def test_sending_inside_a_transaction_is_refused(shop: TestPlugin, settings: Any) -> None:
    """The call cannot join it. Waiting does not heal that, so the delivery is dead at once, with the reason."""

    @shop.task(sends=["test_shop.ticket_printed"])
    def print_ticket(order: str) -> None:
        with transaction.atomic():
            shop.module.ticket_printed.send_robust(sender="test", **PRINTED)

    with shop.routed(seat_sold=["print_ticket"]):
        delivery = start(shop, settings)
        assert deliver(delivery.pk.hex) == "dead"
    delivery.refresh_from_db()
    assert "cannot join the open transaction" in delivery.error_text
    assert not Dispatch.objects.filter(signal="test_shop.ticket_printed").exists()


def test_command_sends_through_the_api_too(shop: TestPlugin, settings: Any) -> None:
    settings.CC_ORIGIN = "command"
    for _ in range(2):
        assert shop.module.seat_sold.send_robust(sender="test", order="EDX-1") == []
    assert list(Dispatch.objects.values_list("origin", "parent", "sender")) == [("api", None, "test")] * 2
    settings.CC_API_URL = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Retry, match="No answer from the far side"):
        shop.module.seat_sold.send_robust(sender="test", order="EDX-1")


def test_values_are_checked_before_the_call(shop: TestPlugin, settings: Any) -> None:
    anything = shop.signal("anything_happened")
    settings.CC_ORIGIN = "command"
    with pytest.raises(InvalidPayload, match="order"):
        shop.module.seat_sold.send_robust(sender="test")
    with pytest.raises(InvalidPayload, match="must be JSON"):
        anything.send_robust(sender="test", what=object())
    assert not Dispatch.objects.exists()


def test_event_is_not_replayed_by_a_confined_command(shop: TestPlugin, settings: Any) -> None:
    """Its sending belongs into the event's transaction; the admin does it."""
    from commerce_coordinator.core.inbox import webhooks

    class ShopWebhook(webhooks.WebhookView):
        provider = "test_shop"
        signals = {"sold": (shop.module.seat_sold, lambda event, account: {"order": "EDX-1"})}

        def parse(self, body: bytes) -> webhooks.ProviderEvent:
            return webhooks.ProviderEvent(event_id="e", event_type="sold", data={})

    row = InboxEvent.objects.create(
        provider="test_shop",
        event_id="e",
        event_type="sold",
        state="failed",
        raw_body=b"{}",
        received_at=timezone.now(),
    )
    try:
        settings.CC_ORIGIN = "command"
        with pytest.raises(SendingConfined, match="replay in the admin"):
            replay_event(row)
        row.refresh_from_db()
        assert row.state == "failed"
        settings.CC_ORIGIN = "web"
        assert replay_event(row).state == "sent"
    finally:
        webhooks.WebhookView.by_provider.pop("test_shop")
