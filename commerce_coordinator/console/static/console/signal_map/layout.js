/* Where each node, arrow and group of the signal map goes.

   dagre finds the columns, from left to right, and an order within each that crosses few arrows. Its own groups take
   several times the room, since they may share no row: here each plugin gets a lane of its own across the columns that
   it has, and lanes are pushed together (lanes.js). */
"use strict";

window.signalMap = {};

(function (map) {
  const LINE = 16; // pixels, of a line of text
  const WIDEST = 118; // of a name, before it is broken at a _ or a /
  const PADDING = { x: 10, y: 6 };
  const SLANT = 12; // what a slanted or pointed shape takes on either side
  const GROUP = { side: 8, top: 26, bottom: 8 };

  let context;

  function widthOf(text, bold) {
    context = context || document.createElement("canvas").getContext("2d");
    context.font = (bold ? "600 " : "") + "13px " + getComputedStyle(document.body).fontFamily;
    return context.measureText(text).width;
  }

  function broken(label) {
    const lines = [""];
    for (const part of label.match(/[^_/ ]+[_/ ]*|[_/ ]+/g) || []) {
      const last = lines.length - 1;
      if (lines[last] && widthOf(lines[last] + part, true) > WIDEST) lines.push(part);
      else lines[last] += part;
    }
    return lines;
  }

  /* Lines of a node: its name, its figures, and what is wrong, in words. */
  function linesOf(node) {
    const sign = node.tone === "bad" ? "⚠ " : "⊣ ";
    const below = [...node.figures, ...(node.trouble ? [sign + node.trouble] : [])];
    return [...broken(node.label).map((text) => ({ text, bold: true })), ...below.map((text) => ({ text, bold: false }))];
  }

  function sized(node) {
    const lines = linesOf(node);
    const side = PADDING.x + (node.kind === "task" ? 0 : SLANT);
    const width = Math.ceil(Math.max(...lines.map(({ text, bold }) => widthOf(text, bold)))) + 2 * side;
    return { ...node, lines, width, height: lines.length * LINE + 2 * PADDING.y };
  }

  /* nodes: with x, y (of the middle), width, height. edges: with the points that they go through, each with the width of
     its column. groups: plugins with x, y, width, height. */
  map.laidOut = function (picture) {
    const graph = new window.dagre.graphlib.Graph();
    graph.setGraph({ rankdir: "LR", nodesep: 14, edgesep: 6, ranksep: 38 });
    const nodes = picture.nodes.map(sized);
    for (const { key, width, height } of nodes) graph.setNode(key, { width, height });
    for (const edge of picture.edges) graph.setEdge(edge.source, edge.target, {});
    window.dagre.layout(graph);

    for (const node of nodes) Object.assign(node, { x: graph.node(node.key).x, y: graph.node(node.key).y, lane: node.plugin });
    const byKey = new Map(nodes.map((node) => [node.key, node]));
    const columns = columnsOf(nodes);
    const edges = picture.edges.map((edge) => {
      const target = byKey.get(edge.target);
      const between = graph.edge(edge.source, edge.target).points.slice(1, -1);
      const points = between.filter((point) => columns.has(Math.round(point.x)));
      return { ...edge, between: points.map(({ x, y }) => ({ x, y, height: 4, lane: target.lane })) };
    });
    const items = [...nodes, ...edges.flatMap((edge) => edge.between)];
    for (const item of items) item.column = columns.get(Math.round(item.x));
    moveRight(columns, nodes);
    const links = edges.flatMap((edge) => {
      const way = [byKey.get(edge.source), ...edge.between, byKey.get(edge.target)];
      return way.slice(1).map((item, number) => [way[number], item]);
    });
    map.intoLanes(items, links, picture.plugins.map((each) => each.key), GROUP);

    // By column and then by row: the order of the flow, in which Tab goes.
    nodes.sort((one, other) => one.column.x - other.column.x || one.y - other.y);
    const groups = groupsOf(picture.plugins, nodes);
    return {
      nodes,
      edges: edges.map((edge) => ({ ...edge, points: wayOf(byKey.get(edge.source), edge.between, byKey.get(edge.target)) })),
      groups,
      width: Math.max(...groups.map((group) => group.x + group.width)) + GROUP.side,
      height: Math.max(...groups.map((group) => group.y + group.height)) + GROUP.side,
    };
  };

  /* Column by the middle of its nodes: x, left, right. */
  function columnsOf(nodes) {
    const columns = new Map();
    for (const { x, width } of nodes) {
      const column = columns.get(Math.round(x)) || { x, left: x, right: x };
      column.left = Math.min(column.left, x - width / 2);
      column.right = Math.max(column.right, x + width / 2);
      columns.set(Math.round(x), column);
    }
    return columns;
  }

  /* The first one leaves room for its group's side. */
  function moveRight(columns, nodes) {
    const shift = 2 * GROUP.side - Math.min(...[...columns.values()].map((column) => column.left));
    for (const node of nodes) node.x += shift;
    for (const column of columns.values()) for (const side of ["x", "left", "right"]) column[side] += shift;
  }

  /* From one side of the source to the facing side of the target. It rises and falls between columns alone, so that it
     crosses no node. */
  function wayOf(source, between, target) {
    const back = target.column.x < source.column.x;
    const [out, into] = back ? ["left", "right"] : ["right", "left"];
    const beside = back ? 7 : 0; // not on top of the arrow that goes the other way
    const side = (node, name) => node.x + (name === "left" ? -node.width / 2 : node.width / 2);
    const start = { x: side(source, out), y: source.y + beside };
    const end = { x: side(target, into), y: target.y + beside };
    const points = [
      start,
      { x: source.column[out], y: start.y },
      ...between.flatMap(({ column, y }) => [{ x: column[into], y }, { x: column[out], y }]),
      { x: target.column[into], y: end.y },
      end,
    ];
    return points.filter(({ x, y }, number) => !number || x !== points[number - 1].x || y !== points[number - 1].y);
  }

  function groupsOf(plugins, nodes) {
    return plugins.flatMap((plugin) => {
      const inside = nodes.filter((node) => node.plugin === plugin.key);
      if (!inside.length) return [];
      const left = Math.min(...inside.map((node) => node.x - node.width / 2)) - GROUP.side;
      const right = Math.max(...inside.map((node) => node.x + node.width / 2)) + GROUP.side;
      const top = Math.min(...inside.map((node) => node.y - node.height / 2)) - GROUP.top;
      const bottom = Math.max(...inside.map((node) => node.y + node.height / 2)) + GROUP.bottom;
      return [{ ...plugin, x: left, y: top, width: right - left, height: bottom - top }];
    });
  }

  map.LINE = LINE;
  map.SLANT = SLANT;
})(window.signalMap);
