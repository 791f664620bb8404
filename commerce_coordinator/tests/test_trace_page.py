"""Every hop of a purchase, as it went through real processes, stands on the page of its trace."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from commerce_coordinator.core.signals.graph import short

from .service import Purchase, RunningService

pytestmark = pytest.mark.slow


def logged_in(service: RunningService) -> requests.Session:
    """The browser of an operator who may see all."""
    code = "from django.contrib.auth import get_user_model as m; m().objects.create_superuser('op', password='op')"
    service.manage("shell", "-v0", "-c", code)
    session, address = requests.Session(), f"{service.url}/admin/login/"
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', session.get(address, timeout=20).text)
    assert token is not None
    data = {"username": "op", "password": "op", "csrfmiddlewaretoken": token[1], "next": "/admin/"}
    assert "Log out" in session.post(address, data=data, headers={"Referer": address}, timeout=20).text
    return session


def hops(dispatches: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """(kind, name) of each hop as `manage.py trace --json` tells it."""
    for dispatch in dispatches:
        yield "signal", short(dispatch["signal"])
        for delivery in dispatch["deliveries"]:
            yield "delivery", short(delivery["receiver"])
            for attempt in delivery["attempts"]:
                yield "try", f"try {attempt['number']}"
                for call in attempt["calls"]:
                    is_step = "step" in call
                    yield (("step", short(call["step"])) if is_step else ("call", f"{call['method']} {call['path']}"))
                yield from hops(attempt["sent"])
            yield from hops(delivery["sent"])


def lines(content: str) -> list[tuple[str, str]]:
    """(kind, name) of each line of the page."""
    found = re.findall(r'<tr class="cc-k-(\w+)[^"]*">.*?<span class="cc-name"[^>]*>(.*?)</span>', content, re.DOTALL)
    return [(kind, html.unescape(name)) for kind, name in found]


def test_every_hop_of_a_purchase_is_on_its_page(service: RunningService) -> None:
    purchase = Purchase(service)
    assert purchase.post().status_code == 200
    purchase.assert_in_effect_once()
    [story] = json.loads(service.manage("trace", purchase.order_number, "--json").stdout)
    expected = [("event", "stripe payment_intent.succeeded"), *hops(story["dispatches"])]
    kinds = [kind for kind, _ in expected]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "event": 1, "signal": 8, "delivery": 9, "try": 9, "step": kinds.count("step"), "call": 6
    }  # fmt: skip
    assert kinds.count("step") >= 1

    session = logged_in(service)
    payment = purchase.event["data"]["object"]["id"]
    for reference in (purchase.event["id"], story["trace_id"], purchase.order_number, payment):
        page = session.get(f"{service.url}/admin/trace/", params={"q": reference}, timeout=20).text
        assert sorted(lines(page)) == sorted(expected), reference
    assert "9 of 9 deliveries succeeded" in page
