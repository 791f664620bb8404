"""The catalogue of signals: in the documentation, for programs, and out of the code alone."""

from typing import Any

import pytest
from django.test import Client

from commerce_coordinator.console.supervisor import ROOT
from commerce_coordinator.core.rest.testing import as_user
from commerce_coordinator.core.signals.tests.plugin_of_a_test import plugin_of_a_test
from commerce_coordinator.payloads.base import Payload, PrivateText

from .typed import Typed

PAYMENT_CAPTURED = "commerce_coordinator.plugins.stripe.signals.payment_captured"


class SeatSold(Payload):
    """A seat was sold."""

    order_number: str
    row: int = 1
    username: PrivateText = ""


@pytest.fixture
def shop(settings: Any) -> Any:
    with plugin_of_a_test() as plugin:

        @plugin.task(sends=["test_shop.seat_sold"])
        def sell() -> None:
            """Sell a seat. For money."""

        @plugin.receiver
        def count(row: int) -> None:
            """Count the rows: all of them."""

        plugin.signal(
            "seat_sold", SeatSold, subject="order_number", unique_by=["order_number"], sent_by="the box office"
        )
        plugin.signal("hall_filled", needs_receiver=False)
        plugin.map["test_shop.seat_sold"] = ["test_shop.count"]
        settings.CC_SIGNALS = plugin.whole_map
        yield plugin


@pytest.mark.needs_plugins("stripe", "paypal", "fulfillment", "lms", "notifications", "ecommerce", "order_history")
def test_page_of_the_documentation_is_what_is_written_now() -> None:
    written = (ROOT / "docs" / "catalogue.rst").read_text(encoding="utf-8")
    assert Typed("catalogue", "--shipped").out == written, "python manage.py catalogue --shipped > docs/catalogue.rst"


def test_page_tells_of_each_signal_who_sends_and_who_gets_it(shop: Any) -> None:
    out = Typed("catalogue").out
    entry = out[out.index("test_shop.seat_sold\n***") :]
    for line in (
        "A seat was sold.",
        ":Sent by: ``test_shop.sell``, ``the box office``",
        ":Received by: ``test_shop.count`` (inline)",
        ":Once per: ``order_number``",
        ":Carries: ``order_number``, ``row`` (optional), ``username`` (optional, private)",
    ):
        assert line in entry
    assert ":Received by: nobody: news that nobody need hear\n:Carries: any values" in out


@pytest.mark.django_db
def test_programs_get_the_same_with_the_schema(shop: Any, client: Client) -> None:
    answer = client.get("/api/v1/signals/", headers=as_user("lms-worker", lms_user_id=7, staff=True))
    assert answer.status_code == 200
    found = {each["name"]: each for each in answer.json()["signals"]}
    assert list(found) == sorted(found)
    sold = found["test_shop.seat_sold"]
    assert sold["schema"]["required"] == ["order_number"]
    assert sold["schema"]["properties"]["username"]["private"] is True
    assert (sold["short"], sold["subject"], sold["unique_by"]) == (
        "test_shop.seat_sold",
        "order_number",
        ["order_number"],
    )
    assert sold["senders"] == ["test_shop.sell", "the box office"]
    assert sold["receivers"] == [
        {"receiver": "test_shop.count", "kind": "inline", "documentation": "Count the rows"},
    ]
    assert found["test_shop.hall_filled"]["schema"] is None
    assert answer.json()["map"]


@pytest.mark.django_db
def test_catalogue_is_for_staff(client: Client) -> None:
    assert client.get("/api/v1/signals/").status_code == 401
    assert client.get("/api/v1/signals/", headers=as_user("ann", lms_user_id=8)).status_code == 403
