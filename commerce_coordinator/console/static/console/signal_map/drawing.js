/* The signal map as SVG: nodes are links, so that keyboard, mouse and screen reader find them as such. */
"use strict";

(function (map) {
  const SVG = "http://www.w3.org/2000/svg";

  function element(name, attributes, ...inside) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    made.append(...inside);
    return made;
  }

  /* One marker per look, since not every browser lets a marker take its line's colour. */
  function arrowHead(state) {
    const path = element("path", { d: "M 0 0 L 10 5 L 0 10 z", class: "cc-head cc-" + state });
    const size = { viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 9, markerHeight: 9 };
    return element("marker", { id: "cc-head-" + state, orient: "auto", markerUnits: "userSpaceOnUse", ...size }, path);
  }

  /* Through all points, level at each of them. */
  function line(points) {
    return points
      .map(({ x, y }, number) => {
        if (!number) return "M " + x + " " + y;
        const before = points[number - 1];
        if (before.y === y) return "H " + x;
        const middle = (before.x + x) / 2;
        return "C " + middle + " " + before.y + " " + middle + " " + y + " " + x + " " + y;
      })
      .join(" ");
  }

  function edge(each) {
    const names = "cc-edge cc-" + each.state;
    return element("path", { d: line(each.points), class: names, "marker-end": "url(#cc-head-" + each.state + ")" });
  }

  function shape(node) {
    const { width, height } = node;
    const [left, right, top, bottom] = [-width / 2, width / 2, -height / 2, height / 2];
    if (node.kind === "signal" || node.kind === "task") {
      return element("rect", { x: left, y: top, width, height, rx: node.kind === "signal" ? 18 : 3 });
    }
    const slant = map.SLANT;
    const corners =
      node.kind === "inline"
        ? [[left + slant, top], [right, top], [right - slant, bottom], [left, bottom]]
        : [[left, 0], [left + slant, top], [right - slant, top], [right, 0], [right - slant, bottom], [left + slant, bottom]];
    return element("polygon", { points: corners.map((corner) => corner.join(",")).join(" ") });
  }

  function link(node) {
    const first = (-(node.lines.length - 1) * map.LINE) / 2;
    const texts = node.lines.map(({ text, bold }, number) =>
      element("text", { y: first + number * map.LINE, class: bold ? "cc-label" : "cc-figures" }, text)
    );
    const names = ["cc-node", "cc-kind-" + node.kind, node.tone && "cc-tone-" + node.tone].filter(Boolean).join(" ");
    return element(
      "a",
      { href: node.href, class: names, transform: "translate(" + node.x + " " + node.y + ")", "aria-label": node.name, "data-key": node.key },
      element("title", {}, node.relations || node.name),
      shape(node),
      ...texts
    );
  }

  function group(each) {
    const { x, y, width, height } = each;
    return element(
      "g",
      { class: "cc-group", "aria-hidden": "true" },
      element("rect", { x, y, width, height, rx: 6 }),
      element("text", { x: x + 10, y: y + 13 }, each.label)
    );
  }

  map.drawn = function (laid) {
    const heads = element("defs", {}, ...["seen", "unseen", "undeclared"].map(arrowHead));
    const edges = element("g", { "aria-hidden": "true" }, ...laid.edges.map(edge));
    return element(
      "svg",
      { viewBox: "0 0 " + laid.width + " " + laid.height, role: "group", "aria-label": "Signals and receivers, in the order of the flow" },
      heads,
      ...laid.groups.map(group),
      edges,
      ...laid.nodes.map(link)
    );
  };
})(window.signalMap);
