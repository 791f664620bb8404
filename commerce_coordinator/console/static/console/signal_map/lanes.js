/* Lanes: each plugin's nodes in rows of their own, so that its group is a box with nobody else inside. */
"use strict";

(function (map) {
  const GAP = 12; // pixels between two items of a column
  const BETWEEN_LANES = 14;
  const SWEEPS = 12;

  /* Sets y of all items: nodes and the points of long arrows, each with lane, column, height and dagre's y, whose order
     within a column is kept. links: pairs of items that an arrow joins. */
  map.intoLanes = function (items, links, lanes, margin) {
    const neighbours = new Map(items.map((item) => [item, []]));
    for (const [one, other] of links) {
      neighbours.get(one).push(other);
      neighbours.get(other).push(one);
    }
    const stacked = lanes
      .map((lane) => laneOf(items.filter((item) => item.lane === lane)))
      .filter((lane) => lane.columns.size);
    place(stacked, margin);
    for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
      for (const lane of stacked) for (const column of lane.columns.values()) align(column, lane, neighbours);
    }
  };

  function laneOf(items) {
    const columns = new Map();
    for (const item of [...items].sort((one, other) => one.y - other.y)) {
      if (!columns.has(item.column)) columns.set(item.column, []);
      columns.get(item.column).push(item);
    }
    const xs = [...columns.keys()].map((column) => column.x);
    const height = Math.max(0, ...[...columns.values()].map(heightOf));
    return { columns, height, first: Math.min(...xs), last: Math.max(...xs) };
  }

  function heightOf(column) {
    return column.reduce((sum, item) => sum + item.height, 0) + GAP * (column.length - 1);
  }

  /* One below the other, each as high up as what lies above its columns lets it. */
  function place(lanes, margin) {
    const bottoms = new Map(lanes.flatMap((lane) => [...lane.columns.keys()]).map((column) => [column, 0]));
    for (const lane of lanes) {
      const over = [...bottoms.keys()].filter((column) => column.x >= lane.first && column.x <= lane.last);
      lane.top = Math.max(...over.map((column) => bottoms.get(column))) + BETWEEN_LANES + margin.top;
      lane.bottom = lane.top + lane.height;
      for (const column of over) bottoms.set(column, lane.bottom + margin.bottom);
      for (const column of lane.columns.values()) {
        let y = lane.top + (lane.height - heightOf(column)) / 2;
        for (const item of column) {
          item.y = y + item.height / 2;
          y += item.height + GAP;
        }
      }
    }
  }

  /* Each item as near to the middle of its neighbours as order, gaps and lane allow: runs of items that push each other
     move as one. */
  function align(column, lane, neighbours) {
    const runs = [];
    let before = 0; // heights and gaps above the item, within the column
    for (const item of column) {
      const near = neighbours.get(item);
      const wanted = near.length ? near.reduce((sum, each) => sum + each.y, 0) / near.length : item.y;
      // As if all items had no height: what they take is added again below.
      runs.push({ sum: wanted - before - item.height / 2, count: 1 });
      before += item.height + GAP;
      while (runs.length > 1 && mean(runs[runs.length - 1]) < mean(runs[runs.length - 2])) {
        const last = runs.pop();
        runs[runs.length - 1].sum += last.sum;
        runs[runs.length - 1].count += last.count;
      }
    }
    const lowest = lane.bottom - heightOf(column);
    let taken = 0;
    let number = 0;
    for (const run of runs) {
      const offset = Math.min(lowest, Math.max(lane.top, mean(run)));
      for (let left = run.count; left; left -= 1) {
        const item = column[number];
        item.y = offset + taken + item.height / 2;
        taken += item.height + GAP;
        number += 1;
      }
    }
  }

  function mean(run) {
    return run.sum / run.count;
  }
})(window.signalMap);
