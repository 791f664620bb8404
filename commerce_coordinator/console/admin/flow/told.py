"""What the signal map says of a node and an edge, in words and links: in the picture, its names, and the table."""

import functools

from django.utils.html import format_html
from django.utils.safestring import SafeString

from commerce_coordinator.console.admin.showing import NOTHING, list_of, roughly, utc
from commerce_coordinator.console.flow_stats import Delivered, FlowStats, Sent
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.webhooks import WebhookView
from commerce_coordinator.core.signals.flow_map import RECEIVERS, Edge, FlowMap, Kind, Node, Trouble, in_flow_order
from commerce_coordinator.core.signals.graph import short

KINDS = {
    Kind.SIGNAL: "signal",
    Kind.TASK: "delivery task",
    Kind.INLINE: "inline receiver",
    Kind.WEBHOOK: "webhook",
    Kind.OTHER: "sender",
}

#: What a signal's own definition allows does not alarm.
QUIET = frozenset({Trouble.UNHEARD})

#: A share of failures from which a receiver alarms although nothing of it is dead yet.
MANY_FAILING = 0.05

#: Sentences above the picture.
MOST_TOLD = 20

#: A sentence above the picture. The button, which takes the script, shows where in the picture it is.
_TOLD = (
    '<a href="{}">{}</a>'
    '<button type="button" class="cc-map-show" data-show="{}" aria-label="Show {} in the picture" hidden>Show</button>'
)


class Told:
    """The map and the figures of its edges."""

    def __init__(self, drawn: FlowMap, stats: FlowStats) -> None:
        self.stats = stats
        self.nodes = {node.key: node for node in in_flow_order(drawn)}
        self.edges, self.plugins = drawn.edges, drawn.plugins()
        self.into: dict[str, list[Edge]] = {}
        self.out_of: dict[str, list[Edge]] = {}
        for edge in drawn.edges:
            self.into.setdefault(edge.target, []).append(edge)
            self.out_of.setdefault(edge.source, []).append(edge)

    @property
    def span(self) -> str:
        """Of what time the figures are."""
        return f"since {utc(self.stats.since)[11:19]} UTC" if self.stats.bounded else "in 24 h"

    def sent(self, node: Node) -> Sent:
        """Of a signal."""
        return self.stats.signals.get(node.name, Sent())

    def received(self, node: Node) -> Delivered:
        """Of a receiver, of all signals."""
        return self._received.get(node.name, Delivered())

    @functools.cached_property
    def _received(self) -> dict[str, Delivered]:
        found: dict[str, Delivered] = {}
        for (_, receiver), each in self.stats.routes.items():
            found[receiver] = found[receiver] + each if receiver in found else each
        return found

    def tone(self, node: Node) -> str:
        """bad: somebody should look. quiet: the flow ends here on purpose. Empty: nothing special."""
        if node.kind in RECEIVERS:
            found = self.received(node)
            wrong = bool(found.dead) or (found.error_rate or 0) >= MANY_FAILING
        else:
            wrong = node.kind is Kind.SIGNAL and bool(self.sent(node).unrouted)
        if wrong or (node.trouble and node.trouble not in QUIET):
            return "bad"
        return "quiet" if node.trouble else ""

    def name(self, node: Node) -> str:
        """What a screen reader says."""
        parts = [f"{KINDS[node.kind]} {name_of(node)}"]
        if node.trouble:
            parts.append(str(node.trouble))
        if node.kind is Kind.SIGNAL:
            sent = self.sent(node)
            parts.append(f"{sent.dispatches:,} sent {self.span}")
            parts += [f"{sent.unrouted:,} of them unrouted"] if sent.unrouted else []
        elif node.kind in RECEIVERS:
            found = self.received(node)
            parts.append(f"{found.total:,} {'delivery' if found.total == 1 else 'deliveries'} {self.span}")
            parts += [f"{percent(found.error_rate)} failed"] if found.error_rate is not None else []
            parts += [f"median {duration(found.median)}"] if found.median is not None else []
            parts += [f"{found.waiting:,} waiting"] if found.waiting else []
        return ", ".join(parts)

    def address(self, node: Node) -> str:
        """The rows that the figures are of: what failed, where something did."""
        if node.kind is Kind.SIGNAL:
            return list_of(Dispatch, signal=node.name, **({"unrouted": "1"} if self.sent(node).unrouted else {}))
        if node.kind in RECEIVERS:
            found = self.received(node)
            if found.dead:
                return list_of(Delivery, receiver=node.name, state=Delivery.State.DEAD)
            return list_of(Delivery, receiver=node.name, **({"since": "day"} if found.total else {}))
        if provider := _providers().get(node.name):
            return list_of(InboxEvent, provider=provider)
        signals = [self.nodes[edge.target].name for edge in self.out_of.get(node.key, ())]
        return list_of(Dispatch, signal=signals[0]) if len(signals) == 1 else list_of(Dispatch)

    def attention(self) -> list[SafeString]:
        """What stands out, in sentences; empty when all is well."""
        found = [
            format_html(_TOLD, self.address(node), self.name(node), node.key, name_of(node))
            for node in self.nodes.values()
            if self.tone(node) == "bad"
        ]
        for edge in self.edges:
            if not edge.declared:
                source, target = name_of(self.nodes[edge.source]), name_of(self.nodes[edge.target])
                found.append(format_html("{} → {}: seen, but neither the map nor code declares it", source, target))
        if len(found) > MOST_TOLD:
            found[MOST_TOLD:] = [format_html("and {} more, in the table", len(found) - MOST_TOLD)]
        return found


def name_of(node: Node) -> str:
    return node.name if node.kind is Kind.OTHER else short(node.name)


def state_of(edge: Edge) -> str:
    """seen: declared and observed. unseen: declared alone. undeclared: observed alone."""
    return ("seen" if edge.observed else "unseen") if edge.declared else "undeclared"


def percent(share: float | None) -> str:
    """Of a share from 0 to 1."""
    if share is None:
        return NOTHING
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


def duration(milliseconds: float) -> str:
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s" if milliseconds < 60_000 else roughly(milliseconds / 1000)


def _providers() -> dict[str, str]:
    return {f"{view.__module__}.{view.__qualname__}": name for name, view in WebhookView.by_provider.items()}
