"""The map as nodes and edges, and in languages of graphs: what is declared, seen, or leads nowhere is told apart."""

import re
from typing import Any

import pytest

from commerce_coordinator.core.deliveries.dispatch import Route
from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.signals import catalogue, routes
from commerce_coordinator.core.signals.diagrams import as_dot, as_mermaid
from commerce_coordinator.core.signals.flow_map import (
    Edge,
    FlowMap,
    Kind,
    Trouble,
    flow_map,
    in_flow_order,
    plugin_of,
    with_observed,
)

from .plugin_of_a_test import shipped_signals_only

SOLD, RESERVED, REFUNDED, CLOSED = (f"shop.signals.{name}" for name in ("sold", "reserved", "refunded", "closed"))
RESERVE, NOTE, MAIL = "hall.tasks.reserve_seat", "shop.receivers.take_note", "mail.tasks.send_ticket"
TILL = "shop.webhooks.Till"


def route(signal: str, receiver: str, kind: Delivery.Kind = Delivery.Kind.TASK) -> Route:
    return Route(signal=signal, receiver=receiver, kind=kind, function=print, target=print)


ROUTES: dict[str, list[Route]] = {
    SOLD: [route(SOLD, RESERVE), route(SOLD, NOTE, Delivery.Kind.INLINE)],
    RESERVED: [route(RESERVED, MAIL)],
    REFUNDED: [],
    CLOSED: [],
}
SENDERS = {SOLD: [TILL], RESERVED: [RESERVE], REFUNDED: ["POST /shop/refund/"], CLOSED: ["take_note"]}


def shop(**changes: Any) -> FlowMap:
    return flow_map(**{"routes": ROUTES, "senders": SENDERS, "unheard": {CLOSED}, **changes})


def troubles(found: FlowMap) -> dict[str, Trouble]:
    return {node.name: node.trouble for node in found.nodes if node.trouble}


def edge(found: FlowMap, source: str, target: str) -> Edge:
    return next(each for each in found.edges if (each.source, each.target) == (source, target))


def test_plugins_hold_their_signals_receivers_and_senders() -> None:
    held = {plugin: {node.label for node in shop().nodes if node.plugin == plugin} for plugin in shop().plugins()}
    assert held == {
        "shop": {"sold", "reserved", "refunded", "closed", "take_note", "Till", "POST /shop/refund/"},
        "hall": {"reserve_seat"},
        "mail": {"send_ticket"},
    }


@pytest.mark.parametrize(
    ("path", "plugin"),
    [
        ("commerce_coordinator.plugins.lms.tasks.enroll_learner", "commerce_coordinator.plugins.lms"),
        ("bookshop.signals.book_sold", "bookshop"),
        ("test_shop.seat_sold", "test_shop"),
        ("signals.sold", "signals"),
        ("print", ""),
    ],
)
def test_plugin_is_the_package(path: str, plugin: str) -> None:
    assert plugin_of(path) == plugin


def test_inline_and_durable_receivers_webhooks_and_other_senders_are_told_apart() -> None:
    kinds = {node.name: node.kind for node in shop().nodes}
    assert [kinds[name] for name in (SOLD, RESERVE, NOTE, TILL, "POST /shop/refund/")] == list(Kind)


def test_sender_that_is_an_inline_receiver_is_that_receiver() -> None:
    assert edge(shop(), f"receiver:{NOTE}", f"signal:{CLOSED}").declared


def test_what_leads_nowhere_says_why() -> None:
    assert troubles(shop()) == {REFUNDED: Trouble.UNROUTED, CLOSED: Trouble.UNHEARD}
    senders = {**SENDERS, SOLD: [], "shop.signals.lost": [RESERVE]}
    assert troubles(shop(senders=senders, tasks=[RESERVE, "shop.tasks.forgotten"])) == {
        REFUNDED: Trouble.UNROUTED,
        CLOSED: Trouble.UNHEARD,
        SOLD: Trouble.NEVER_SENT,
        "shop.signals.lost": Trouble.UNDEFINED,
        "shop.tasks.forgotten": Trouble.UNREACHED,
    }


def test_declared_and_observed_are_told_apart() -> None:
    seen = with_observed(shop(), routes=[(SOLD, RESERVE, "task")], sends=[(TILL, SOLD), (MAIL, REFUNDED)])
    told = {(each.source, each.target): (each.declared, each.observed) for each in seen.edges}
    assert told[f"webhook:{TILL}", f"signal:{SOLD}"] == (True, True)
    assert told[f"signal:{SOLD}", f"receiver:{RESERVE}"] == (True, True)
    assert told[f"signal:{SOLD}", f"receiver:{NOTE}"] == (True, False)
    assert told[f"receiver:{RESERVE}", f"signal:{RESERVED}"] == (True, False)
    assert told[f"receiver:{MAIL}", f"signal:{REFUNDED}"] == (False, True)
    assert len(told) == len(shop().edges) + 1


def test_sender_that_is_known_in_words_is_seen_by_what_has_no_other() -> None:
    for sender in ("", "shop.views.refund"):
        seen = with_observed(shop(), routes=[], sends=[(sender, REFUNDED)])
        assert edge(seen, "other:POST /shop/refund/", f"signal:{REFUNDED}").observed
        assert len(seen.edges) == len(shop().edges)


def test_sender_that_nobody_knows_is_added() -> None:
    seen = with_observed(shop(), routes=[], sends=[("shop.shell", SOLD), ("", SOLD)])
    assert edge(seen, "other:shop.shell", f"signal:{SOLD}") == Edge(
        source="other:shop.shell", target=f"signal:{SOLD}", declared=False, observed=True
    )
    assert len(seen.edges) == len(shop().edges) + 1


def test_signal_that_nobody_declares_to_send_is_no_trouble_once_it_was_sent() -> None:
    drawn = shop(senders={**SENDERS, SOLD: []})
    assert troubles(drawn)[SOLD] is Trouble.NEVER_SENT
    assert SOLD not in troubles(with_observed(drawn, routes=[], sends=[("shop.shell", SOLD)]))


def test_receiver_and_signal_that_only_the_rows_know_stand_out() -> None:
    seen = with_observed(shop(), routes=[("old.signals.sold", "old.receivers.note", "inline")], sends=[])
    found = troubles(seen)
    assert (found["old.signals.sold"], found["old.receivers.note"]) == (Trouble.UNDEFINED, Trouble.UNREACHED)
    assert seen.node("receiver:old.receivers.note").kind is Kind.INLINE


def test_order_is_that_of_the_flow_and_a_circle_has_one_too() -> None:
    labels = [node.label for node in in_flow_order(shop())]
    assert labels.index("Till") < labels.index("sold") < labels.index("reserve_seat") < labels.index("reserved")
    circle = flow_map({SOLD: [route(SOLD, RESERVE)]}, senders={SOLD: [RESERVE]})
    assert [node.label for node in in_flow_order(circle)] == ["sold", "reserve_seat"]


@pytest.mark.parametrize("language", [as_mermaid, as_dot])
def test_languages_of_graphs_group_by_plugin_and_mark_what_stands_out(language: Any) -> None:
    text = language(shop())
    groups = re.findall(r'subgraph \w+(?:\["| \{\n    label=")(\w+)"', text)
    assert groups == ["shop", "hall", "mail"]
    for node in shop().nodes:
        assert len(re.findall(rf'"{re.escape(node.label)}(?:<br>|\\n|")', text)) == 1
    assert re.search(r"refunded(<br>|\\n)unrouted", text)
    assert re.search(r"closed(<br>|\\n)dead end", text)
    assert text.count("take_note") >= 3
    dashed = [line for line in text.splitlines() if "-.->" in line or ("->" in line and "dashed" in line)]
    assert len(dashed) == 1
    assert "s_shop_signals_sold" in dashed[0] and "r_shop_receivers_take_note" in dashed[0]


@pytest.mark.parametrize("language", [as_mermaid, as_dot])
def test_words_of_a_sender_cannot_break_the_language(language: Any) -> None:
    text = language(shop(senders={SOLD: ['a "quoted" \\ sender']}))
    assert "a 'quoted' / sender" in text


@pytest.mark.needs_plugins(
    "stripe", "paypal", "fulfillment", "lms", "notifications", "ecommerce", "order_history", "demo_lms"
)
def test_shipped_map_leads_nowhere_only_where_its_signals_allow_it() -> None:
    with shipped_signals_only():
        drawn = catalogue.drawn(routes.read().routes)
    assert set(troubles(drawn).values()) == {Trouble.UNHEARD}
    assert "signal:commerce_coordinator.plugins.stripe.signals.payment_failed" in {
        node.key for node in drawn.nodes if node.trouble
    }
    assert len({node.key for node in drawn.nodes}) == len(drawn.nodes)
