"""The signal map as the page's script draws it: plugins, nodes and edges, ready for JSON."""

from typing import Any

from commerce_coordinator.core.signals.flow_map import RECEIVERS, Edge, Kind, Node

from .told import KINDS, Told, duration, name_of, percent, state_of


def picture(told: Told) -> dict[str, Any]:
    """Nodes come in the order of the flow. A node's `name` is what a screen reader says, its `figures` are lines."""
    return {
        "plugins": [{"key": plugin, "label": plugin.rpartition(".")[2]} for plugin in _plugins(told)],
        "nodes": [_node(told, node) for node in told.nodes.values()],
        "edges": [{"source": edge.source, "target": edge.target, "state": state_of(edge)} for edge in told.edges],
    }


def _plugins(told: Told) -> list[str]:
    """In the map's order; those that have to do with no other come last, where nobody's arrows cross them."""
    joined = set[str]()
    for edge in told.edges:
        ends = {told.nodes[edge.source].plugin, told.nodes[edge.target].plugin}
        joined |= ends if len(ends) > 1 else set()
    return sorted(told.plugins, key=lambda plugin: plugin not in joined)  # stable


def _node(told: Told, node: Node) -> dict[str, Any]:
    return {
        "key": node.key,
        "kind": node.kind,
        "plugin": node.plugin,
        "label": node.label,
        "figures": _figures(told, node),
        "trouble": node.trouble or "",
        "tone": told.tone(node),
        "name": told.name(node),
        "relations": _relations(told, node),
        "href": told.address(node),
    }


def _figures(told: Told, node: Node) -> list[str]:
    if node.kind is Kind.SIGNAL:
        sent = told.sent(node)
        return [f"{sent.dispatches:,} sent", *([f"{sent.unrouted:,} unrouted"] if sent.unrouted else [])]
    if node.kind not in RECEIVERS:
        return [KINDS[node.kind]]
    found = told.received(node)
    first = [*(["inline"] if node.kind is Kind.INLINE else []), f"{found.total:,}"]
    first += [duration(found.median)] if found.median is not None else []
    lines = [" · ".join(first)]
    lines += [f"{percent(found.error_rate)} failed"] if found.failed else []
    return lines + ([f"{found.waiting:,} waiting"] if found.waiting else [])


def _relations(told: Told, node: Node) -> str:
    """What stands directly before and behind it, in a sentence each."""
    before = [_other(told, edge, edge.source) for edge in told.into.get(node.key, ())]
    behind = [_other(told, edge, edge.target) for edge in told.out_of.get(node.key, ())]
    verbs = ("Sent by", "Goes to") if node.kind is Kind.SIGNAL else ("Gets", "Sends")
    return " ".join(f"{verb} {', '.join(names)}." for verb, names in zip(verbs, (before, behind), strict=True) if names)


def _other(told: Told, edge: Edge, key: str) -> str:
    remark = {"seen": "", "unseen": " (not seen)", "undeclared": " (undeclared)"}[state_of(edge)]
    return name_of(told.nodes[key]) + remark
