"""The signal map as a table: what the picture shows, for those who do not see it."""

import dataclasses
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from commerce_coordinator.console.admin.showing import NOTHING, badge, link, list_of, to_the_second
from commerce_coordinator.console.flow_stats import Delivered, Sent
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.signals.flow_map import RECEIVERS, Edge, Kind, Node

from .told import QUIET, Told, duration, name_of, percent

_BREAK = SafeString("<wbr>")
_NEW_LINE = SafeString("<br>")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table: one route, or a signal that has none, or a receiver that no signal leads to.

    lines: how many rows the signal's own cells span; 0 in the rows below the first.
    """

    lines: int
    signal: Any = NOTHING
    sent_by: Any = NOTHING
    sent: Any = NOTHING
    receiver: Any = NOTHING
    kind: str = NOTHING
    deliveries: Any = NOTHING
    failed: Any = NOTHING
    median: str = NOTHING
    sends_on: Any = NOTHING
    last_seen: str = NOTHING


def rows(told: Told) -> list[Row]:
    """In the order of the flow: each signal with its receivers; at the end the receivers that get none."""
    found = [row for node in told.nodes.values() if node.kind is Kind.SIGNAL for row in _of_signal(told, node)]
    for node in told.nodes.values():
        if node.kind in RECEIVERS and not told.into.get(node.key):
            found.append(Row(lines=1, **_of_receiver(told, node, Delivered())))
    return found


def _of_signal(told: Told, signal: Node) -> Iterable[Row]:
    sent = told.sent(signal)
    routes = told.out_of.get(signal.key, [])
    senders = [_named(told, edge, told.nodes[edge.source]) for edge in told.into.get(signal.key, ())]
    own = {
        "signal": format_html("{}{}", _linked(told, signal), _remark(signal)),
        "sent_by": _below(senders) or NOTHING,
        "sent": _sent(sent),
    }
    if not routes:
        yield Row(lines=1, last_seen=to_the_second(sent.last_seen), **own)
    for number, edge in enumerate(routes):
        receiver = told.nodes[edge.target]
        found = told.stats.routes.get((signal.name, receiver.name), Delivered())
        received = _of_receiver(told, receiver, found, edge)
        yield Row(lines=0, **received) if number else Row(lines=len(routes), **own, **received)


def _of_receiver(told: Told, receiver: Node, found: Delivered, edge: Edge | None = None) -> dict[str, Any]:
    sends = [_named(told, each, told.nodes[each.target]) for each in told.out_of.get(receiver.key, ())]
    name = _linked(told, receiver)
    return {
        "receiver": format_html("{}{}{}", name, _undeclared(edge) if edge else "", _remark(receiver)),
        "kind": str(receiver.kind),
        "deliveries": _delivered(receiver.name, found),
        "failed": _failed(receiver.name, found),
        "median": duration(found.median) if found.median is not None else NOTHING,
        "sends_on": _below(sends) or NOTHING,
        "last_seen": to_the_second(found.last_seen),
    }


def _linked(told: Told, node: Node) -> SafeString:
    """Its name, which may be broken behind a dot, a slash or an underscore."""
    parts = re.findall(r"[^._/]*[._/]?", name_of(node))
    return link(told.address(node), format_html_join(_BREAK, "{}", ((part,) for part in parts if part)))


def _named(told: Told, edge: Edge, node: Node) -> SafeString:
    """Who sends, or what is sent: with a word where nobody declared it, or where it was not seen."""
    remark = _undeclared(edge)
    if edge.declared and not edge.observed:
        remark = SafeString(' <span class="quiet">(not seen)</span>')
    return format_html("{}{}", _linked(told, node), remark)


def _undeclared(edge: Edge) -> SafeString | str:
    return "" if edge.declared else format_html(" {}", _alarm("undeclared"))


def _remark(node: Node) -> SafeString | str:
    if not node.trouble:
        return ""
    return format_html(" {}", badge(node.trouble) if node.trouble in QUIET else _alarm(node.trouble))


def _alarm(word: str) -> SafeString:
    return format_html('<span class="cc-state cc-bad">{}</span>', word)


def _sent(sent: Sent) -> SafeString | str:
    if not sent.dispatches:
        return NOTHING
    unrouted = [link(list_of(Dispatch, unrouted="1"), f"{sent.unrouted:,} unrouted")] if sent.unrouted else []
    return _below([f"{sent.dispatches:,}", *unrouted])


def _delivered(receiver: str, found: Delivered) -> SafeString | str:
    if not found.total:
        return NOTHING
    parts = [link(list_of(Delivery, receiver=receiver, since="day"), f"{found.total:,}")]
    if found.waiting:
        pending = list_of(Delivery, receiver=receiver, state=Delivery.State.PENDING)
        parts.append(link(pending, f"{found.waiting:,} waiting"))
    return _below(parts)


def _failed(receiver: str, found: Delivered) -> SafeString | str:
    parts: list[SafeString | str] = [percent(found.error_rate)]
    for number, word, state in (
        (found.dead, "dead", Delivery.State.DEAD),
        (found.retrying, "retrying", Delivery.State.PENDING),
    ):
        if number:
            parts.append(link(list_of(Delivery, receiver=receiver, state=state), f"{number:,} {word}"))
    return _below(parts)


def _below(parts: Sequence[SafeString | str]) -> SafeString:
    """One below the other."""
    return format_html_join(_NEW_LINE, "{}", ((part,) for part in parts))
