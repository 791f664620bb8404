"""Statements per accepted event and per delivery, as MariaDB counts them on the connection. Runs inside a site."""

from importlib import import_module

from django.test import Client

from commerce_coordinator.plugins.demo_lms.purchase import fresh_order_number, payment_intent_succeeded, signed

from .inside import statements
from .rig import SECRET


def per_event(webhook: str) -> dict[str, int]:
    """Of one accepted event."""
    client = Client(HTTP_HOST="127.0.0.1")
    accept(client, webhook)  # the first one connects
    return statements(lambda: accept(client, webhook))


def per_delivery(webhook: str) -> dict[str, int]:
    """Of one delivery that succeeds."""
    accept(Client(HTTP_HOST="127.0.0.1"), webhook)
    deliveries = import_module("commerce_coordinator.core.deliveries.models").Delivery.objects
    deliver = import_module("commerce_coordinator.core.deliveries.tasks").deliver
    key = deliveries.get(state="pending").pk
    found = statements(lambda: deliver(key.hex))
    if deliveries.get(pk=key).state != "succeeded":
        raise RuntimeError("The delivery whose statements were counted did not succeed.")
    return found


def accept(client: Client, webhook: str) -> None:
    """Post one signed event. Raises RuntimeError when the answer is not 200."""
    body, headers = signed(payment_intent_succeeded(fresh_order_number(), username="benchmark"), SECRET)
    answer = client.post(
        webhook, data=body, content_type="application/json", HTTP_STRIPE_SIGNATURE=headers["Stripe-Signature"]
    )
    if answer.status_code != 200:
        raise RuntimeError(f"The event was answered with {answer.status_code}.")
