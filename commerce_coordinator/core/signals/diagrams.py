"""The map in languages of graphs, Mermaid's and Graphviz': plugins are groups. Pure functions.

A signal is round, a delivery task a box, an inline receiver slanted with a dotted arrow; what stands out says why.
"""

import re
from collections.abc import Iterator

from .flow_map import FlowMap, Kind, Node, Trouble

_MERMAID = {
    Kind.SIGNAL: ("([", "])"),
    Kind.TASK: ("[", "]"),
    Kind.INLINE: ("[/", "/]"),
    Kind.WEBHOOK: ("{{", "}}"),
    Kind.OTHER: ("{{", "}}"),
}
_DOT = {
    Kind.SIGNAL: "shape=oval",
    Kind.TASK: "shape=box",
    Kind.INLINE: "shape=parallelogram, style=dashed",
    Kind.WEBHOOK: "shape=hexagon",
    Kind.OTHER: "shape=hexagon",
}
_LETTERS = {Kind.SIGNAL: "s", Kind.TASK: "r", Kind.INLINE: "r"}


def as_mermaid(drawn: FlowMap) -> str:
    """A flow chart in Mermaid's language."""
    found = ["flowchart LR"]
    for plugin, nodes in _groups(drawn):
        found.append(f'  subgraph {_identifier("p", plugin)}["{_name(plugin)}"]')
        for node in nodes:
            opened, closed = _MERMAID[node.kind]
            found.append(f'    {_id(node)}{opened}"{_escaped(_label(node), "<br>")}"{closed}{_class(node)}')
        found.append("  end")
    for source, target in _edges(drawn):
        found.append(f"  {_id(source)} {'-.->' if target.kind is Kind.INLINE else '-->'} {_id(target)}")
    found += [
        "  classDef trouble stroke:#b3261e,stroke-width:3px",
        "  classDef deadEnd stroke-dasharray:2 3,stroke-width:2px",
    ]
    return "\n".join(found)


def as_dot(drawn: FlowMap) -> str:
    """A graph in Graphviz' language."""
    found = ["digraph signals {", "  rankdir=LR;"]
    for plugin, nodes in _groups(drawn):
        found.append(f"  subgraph {_identifier('cluster', plugin)} {{")
        found.append(f'    label="{_name(plugin)}";')
        for node in nodes:
            found.append(f'    {_id(node)} [label="{_escaped(_label(node), chr(92) + "n")}", {_look(node)}];')
        found.append("  }")
    for source, target in _edges(drawn):
        style = " [style=dashed]" if target.kind is Kind.INLINE else ""
        found.append(f"  {_id(source)} -> {_id(target)}{style};")
    return "\n".join([*found, "}"])


def _groups(drawn: FlowMap) -> Iterator[tuple[str, list[Node]]]:
    for plugin in drawn.plugins():
        yield plugin, [node for node in drawn.nodes if node.plugin == plugin]


def _edges(drawn: FlowMap) -> Iterator[tuple[Node, Node]]:
    nodes = {node.key: node for node in drawn.nodes}
    for edge in drawn.edges:
        yield nodes[edge.source], nodes[edge.target]


def _label(node: Node) -> str:
    return f"{node.label}\n{node.trouble}" if node.trouble else node.label


def _class(node: Node) -> str:
    return ":::" + ("deadEnd" if node.trouble is Trouble.UNHEARD else "trouble") if node.trouble else ""


def _look(node: Node) -> str:
    if not node.trouble:
        return _DOT[node.kind]
    return _DOT[node.kind] + (", peripheries=2" if node.trouble is Trouble.UNHEARD else ', color="#b3261e", penwidth=3')


def _name(plugin: str) -> str:
    return plugin.rpartition(".")[2]


def _escaped(text: str, line_break: str) -> str:
    """Within double quotes. A quote of its own becomes a single one, which both languages take as it is."""
    return text.replace("\\", "/").replace('"', "'").replace("\n", line_break)


def _id(node: Node) -> str:
    return _identifier(_LETTERS.get(node.kind, "w"), node.name)


def _identifier(kind: str, path: str) -> str:
    return f"{kind}_{re.sub('[^A-Za-z0-9]', '_', path)}"
