"""The page of all signals in the admin: whoever reads dispatches finds what each means and carries, and who gets it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.core.signals.tests.plugin_of_a_test import TestPlugin, plugin_of_a_test
from commerce_coordinator.payloads.base import Payload, PrivateText
from commerce_coordinator.tests.browser import Browser

from .test_admin_rows import client_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/signals/"
READ, READ_DELIVERIES = "deliveries.view_dispatch", "deliveries.view_delivery"


class Buyer(Payload):
    name: PrivateText


class SeatSold(Payload):
    """A seat <was> sold."""

    order_number: str
    row: int | None = None
    username: PrivateText = ""
    buyers: tuple[Buyer, ...] = ()


@pytest.fixture
def shop(settings: Any) -> Iterator[TestPlugin]:
    with plugin_of_a_test() as plugin:

        @plugin.task(sends=["test_shop.seat_sold"])
        def sell() -> None:
            pass

        @plugin.receiver
        def count(row: int | None) -> None:
            """Count the rows. All of them."""

        plugin.signal(
            "seat_sold", SeatSold, subject="order_number", unique_by=["order_number"], sent_by="the box office"
        )
        plugin.signal("hall_filled", needs_receiver=False)
        plugin.signal("hall_emptied")
        plugin.map["test_shop.seat_sold"] = ["test_shop.count"]
        settings.CC_SIGNALS = plugin.whole_map
        yield plugin


def section(content: str, signal: str) -> str:
    """The part of one signal, without what only arranges it."""
    part = content[content.index(f'<h2 id="{signal}"') :]
    return " ".join(part[: part.index("</section>")].split())


def text(client: Client) -> str:
    response = client.get(PAGE)
    assert response.status_code == 200
    return response.content.decode()


def test_signal_is_told_with_who_sends_it_who_gets_it_and_what_it_carries(shop: TestPlugin) -> None:
    sold = section(text(client_of(READ, READ_DELIVERIES)), "test_shop.seat_sold")
    assert "A seat &lt;was&gt; sold.<br><code>test_shop.seat_sold</code>" in sold
    assert (
        '<span title="test_shop.sell">test_shop.sell</span>, <span title="the box office">the box office</span>' in sold
    )
    assert "</a> (inline): Count the rows." in sold
    assert "<dt>Once per</dt><dd>order_number</dd>" in sold
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>', sold)
    assert rows == [
        ("order_number", "text", "yes", "no"),
        ("row", "whole number or null", "no", "no"),
        ("username", "text", "no", "yes"),
        ("buyers", "list of Buyer", "no", "in part"),
    ]
    assert "<details>" in sold and "&quot;$defs&quot;" in sold


def test_signal_that_nobody_gets_says_whether_that_matters(shop: TestPlugin) -> None:
    content = text(client_of(READ))
    assert "nobody: news that nobody need hear" in section(content, "test_shop.hall_filled")
    emptied = section(content, "test_shop.hall_emptied")
    assert "nobody: each sending waits as unrouted" in emptied
    assert "nobody who says so" in emptied and "It carries any values." in emptied


def test_every_signal_has_an_anchor_and_a_link_to_its_dispatches(shop: TestPlugin) -> None:
    client = client_of(READ, READ_DELIVERIES)
    content = text(client)
    anchors = re.findall(r'<h2 id="([^"]+)"', content)
    assert set(re.findall(r'<li><a href="#([^"]+)"', content)) == set(anchors) == set(shop.whole_map)
    assert len(anchors) == len(set(anchors))
    links = re.findall(r'href="(/admin/deliveries/[^"]+)"', section(content, "test_shop.seat_sold"))
    assert links == [
        "/admin/deliveries/delivery/?receiver=test_shop.count",
        "/admin/deliveries/dispatch/?signal=test_shop.seat_sold",
    ]
    assert [client.get(link).status_code for link in links] == [200, 200]


def test_whoever_reads_dispatches_may_read_it_and_sees_no_link_that_is_not_for_him(shop: TestPlugin) -> None:
    content = text(client_of(READ))
    assert "/admin/deliveries/delivery/" not in content
    assert '<a href="/admin/signals/" aria-current="page">Signals</a>' in content


def test_nobody_else_may_read_it(client: Client) -> None:
    assert client_of("inbox.view_inboxevent").get(PAGE).status_code == 403
    answer = client.get(PAGE)
    assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, "/admin/login/")


def test_page_reads_no_table_of_the_flow(shop: TestPlugin) -> None:
    client = client_of(READ)
    with CaptureQueriesContext(connection) as statements:
        text(client)
    assert [each["sql"] for each in statements if re.search(r"deliveries_|inbox_", each["sql"])] == []


@pytest.mark.needs_chromium
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_page_is_used_by_keyboard_and_read_aloud(
    shop: TestPlugin, browser: Browser, live_server: Any, tmp_path: Path, width: int, dark: bool
) -> None:
    get_user_model().objects.create_superuser(username="op", password="op-of-a-test")
    page = browser.page(width=width, dark=dark)
    page.log_in(live_server.url, "op", "op-of-a-test")
    page.open(f"{live_server.url}{PAGE}#test_shop.seat_sold")
    read = page.accessible()
    assert 'heading "test_shop.seat_sold" (level 2, focused)' in read
    assert 'navigation "All signals"' in read and 'region "test_shop.seat_sold"' in read
    assert 'link "Dispatches of test_shop.seat_sold"' in read
    assert "$defs" not in page.text()
    page.evaluate("document.getElementById('test_shop.seat_sold').parentElement.querySelector('summary').focus()")
    page.press("Enter")
    page.wait_for("$defs")
    # Nothing is wider than the window: what is, scrolls by itself.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(tmp_path / "signals.png", height=2000)
    assert not page.problems
