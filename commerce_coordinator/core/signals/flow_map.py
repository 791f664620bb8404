"""The map as nodes and edges: who sends a signal, who gets it, and where it ends. Pure functions over what is declared.

What was seen to happen, which only the rows know, is laid over it by `with_observed`.
"""

import dataclasses
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from commerce_coordinator.core.deliveries.dispatch import Route
from commerce_coordinator.core.paths import ROOMS

from .graph import short


class Kind(StrEnum):
    SIGNAL = "signal"
    TASK = "task"  # a delivery task: run by a worker, durable
    INLINE = "inline"  # a plain function, run where the signal is sent
    WEBHOOK = "webhook"  # a class that declares what it sends
    OTHER = "other"  # a sender that is known in words alone, such as a view


RECEIVERS = frozenset({Kind.TASK, Kind.INLINE})


class Trouble(StrEnum):
    """What stands out, in the words that pictures and tables show."""

    UNROUTED = "unrouted"  # the map says [], and the signal needs a receiver
    UNHEARD = "dead end"  # the map says [], and the signal may do without
    NEVER_SENT = "nobody sends it"
    UNDEFINED = "nobody defines it"  # a signal that a receiver says it sends
    UNREACHED = "no signal leads here"  # a delivery task, or a receiver of the rows, that the map does not name


@dataclasses.dataclass(frozen=True, kw_only=True)
class Node:
    """kind and name together are unique. name: a dotted path; of other senders, what the signal says of them."""

    kind: Kind
    name: str
    plugin: str
    trouble: Trouble | None = None

    @property
    def key(self) -> str:
        return key(self.kind, self.name)

    @property
    def label(self) -> str:
        """The name within its plugin."""
        return self.name if self.kind is Kind.OTHER else self.name.rpartition(".")[2]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Edge:
    """From a sender to a signal, or from a signal to a receiver; `source` and `target` are keys of nodes.

    declared: in the map, or in the sender's code. observed: rows of the looked-at time say that it happened.
    """

    source: str
    target: str
    declared: bool = True
    observed: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlowMap:
    nodes: Sequence[Node]
    edges: Sequence[Edge]

    def node(self, key: str) -> Node:
        return next(node for node in self.nodes if node.key == key)

    def plugins(self) -> list[str]:
        """In the order in which the map names them."""
        return list(dict.fromkeys(node.plugin for node in self.nodes))


def key(kind: Kind, name: str) -> str:
    """A receiver has one key, of whichever kind it is."""
    return f"receiver:{name}" if kind in RECEIVERS else f"{kind}:{name}"


def plugin_of(path: str) -> str:
    """The package of a signal, receiver or webhook: what stands before `.signals.`, `.tasks.` and the like."""
    parts = path.split(".")[:-1]
    while len(parts) > 1 and parts[-1] in ROOMS:
        parts.pop()
    return ".".join(parts)


def flow_map(
    routes: Mapping[str, Sequence[Route]],
    *,
    senders: Mapping[str, Iterable[str]],
    unheard: Collection[str] = (),
    tasks: Iterable[str] = (),
) -> FlowMap:
    """senders: signal -> who declares to send it. unheard: signals that need no receiver. tasks: all delivery tasks."""
    kinds = {route.receiver: Kind(str(route.kind)) for each in routes.values() for route in each}
    stray = [path for path in tasks if path not in kinds]
    names = dict.fromkeys([*routes, *sorted(name for name in senders if name not in routes)])
    nodes = [
        Node(kind=Kind.SIGNAL, name=name, plugin=plugin_of(name), trouble=_trouble(name, routes, senders, unheard))
        for name in names
    ]
    nodes += [Node(kind=kind, name=path, plugin=plugin_of(path)) for path, kind in kinds.items()]
    nodes += [Node(kind=Kind.TASK, name=path, plugin=plugin_of(path), trouble=Trouble.UNREACHED) for path in stray]
    edges = [
        Edge(source=key(Kind.SIGNAL, name), target=key(Kind.TASK, route.receiver))
        for name, each in routes.items()
        for route in each
    ]
    found = {node.key: node for node in nodes}
    for name in names:
        for told in senders.get(name, ()):
            sender = _sender(told, plugin_of(name), {**kinds, **dict.fromkeys(stray, Kind.TASK)})
            found.setdefault(sender.key, sender)
            edges.append(Edge(source=sender.key, target=key(Kind.SIGNAL, name)))
    return FlowMap(nodes=tuple(found.values()), edges=tuple(dict.fromkeys(edges)))


def with_observed(
    declared: FlowMap, *, routes: Collection[tuple[str, str, str]], sends: Collection[tuple[str, str]]
) -> FlowMap:
    """The map with what was seen: (signal, receiver, its kind) of deliveries, (sender, signal) of dispatches.

    What was seen but is not declared is added. A sender is a receiver's or a webhook's path, or any text; "" stands
    for whoever the signal names in words.
    """
    nodes = {node.key: node for node in declared.nodes}
    seen: dict[tuple[str, str], None] = {}
    for signal, receiver, kind in routes:
        for node in (_seen(Kind.SIGNAL, signal), _seen(Kind(kind), receiver)):
            nodes.setdefault(node.key, node)
        seen[key(Kind.SIGNAL, signal), key(Kind.TASK, receiver)] = None
    for sender, signal in sends:
        node = _seen(Kind.SIGNAL, signal)
        nodes.setdefault(node.key, node)
        for source in _sources(sender, key(Kind.SIGNAL, signal), nodes, declared.edges):
            seen[source, key(Kind.SIGNAL, signal)] = None
    edges = [dataclasses.replace(edge, observed=(edge.source, edge.target) in seen) for edge in declared.edges]
    known = {(edge.source, edge.target) for edge in edges}
    edges += [
        Edge(source=source, target=target, declared=False, observed=True)
        for source, target in seen
        if (source, target) not in known
    ]
    sent = {edge.target for edge in edges}
    return FlowMap(nodes=tuple(_is_sent(node, sent) for node in nodes.values()), edges=tuple(edges))


def in_flow_order(drawn: FlowMap) -> list[Node]:
    """Who is sent by nobody first, then what follows; a circle begins where the map names it first."""
    below: dict[str, list[str]] = {}
    for edge in drawn.edges:
        below.setdefault(edge.source, []).append(edge.target)
    targets = {edge.target for edge in drawn.edges}
    nodes = {node.key: node for node in drawn.nodes}
    ordered: dict[str, Node] = {}
    for first in sorted(nodes, key=lambda each: each in targets):  # stable
        waiting = [first]
        while waiting:
            each = waiting.pop()
            if each not in ordered:
                ordered[each] = nodes[each]
                waiting += reversed(below.get(each, []))
    return list(ordered.values())


def _trouble(
    name: str,
    routes: Mapping[str, Sequence[Route]],
    senders: Mapping[str, Iterable[str]],
    unheard: Collection[str],
) -> Trouble | None:
    if name not in routes:
        return Trouble.UNDEFINED
    if not routes[name]:
        return Trouble.UNHEARD if name in unheard else Trouble.UNROUTED
    return None if senders.get(name) else Trouble.NEVER_SENT


def _sender(told: str, plugin: str, receivers: Mapping[str, Kind]) -> Node:
    """Who sends: a receiver, by its path or as the signal's words call it; a class; or whatever the words say."""
    for path, kind in receivers.items():
        if told in (path, short(path), path.rpartition(".")[2]):
            return Node(kind=kind, name=path, plugin=plugin_of(path))
    if re.fullmatch(r"\w+(\.\w+)+", told):
        return Node(kind=Kind.WEBHOOK, name=told, plugin=plugin_of(told))
    return Node(kind=Kind.OTHER, name=told, plugin=plugin)


def _seen(kind: Kind, name: str) -> Node:
    """A node that only the rows know: a receiver or signal that was renamed, or whose plugin is gone."""
    trouble = Trouble.UNDEFINED if kind is Kind.SIGNAL else Trouble.UNREACHED
    return Node(kind=kind, name=name, plugin=plugin_of(name), trouble=trouble)


def _sources(sender: str, signal: str, nodes: dict[str, Node], edges: Sequence[Edge]) -> Iterator[str]:
    """Keys of the nodes that sent it. Whoever is known in words alone is not named in rows: those are taken for him."""
    for kind in (Kind.TASK, Kind.WEBHOOK):
        if key(kind, sender) in nodes:
            yield key(kind, sender)
            return
    worded = [edge.source for edge in edges if edge.target == signal and nodes[edge.source].kind is Kind.OTHER]
    if worded or not sender:
        yield from worded
        return
    node = Node(kind=Kind.OTHER, name=sender, plugin=nodes[signal].plugin)
    nodes.setdefault(node.key, node)
    yield node.key


def _is_sent(node: Node, sent: Collection[str]) -> Node:
    """Nobody declares to send it, but it was sent: no matter of the map's."""
    if node.trouble is Trouble.NEVER_SENT and node.key in sent:
        return dataclasses.replace(node, trouble=None)
    return node
