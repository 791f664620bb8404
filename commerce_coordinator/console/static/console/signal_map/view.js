/* Shows the signal map: zoom and pan by buttons, keys and mouse; a filter by plugin and name. */
"use strict";

(function (map) {
  const ZOOM = { least: 0.2, most: 2, step: 1.25 };
  const PAN = 80; // pixels

  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const figure = document.getElementById("signal-map");
  const pane = document.getElementById("signal-map-pane");
  const plugins = document.getElementById("signal-map-plugin");
  const words = document.getElementById("signal-map-name");
  const told = document.getElementById("signal-map-told");
  const whole = read("signal-map-data");

  let svg, laid, scale;

  function zoom(wanted) {
    const before = scale || 1;
    // What is in the middle of the pane stays there.
    const x = (pane.scrollLeft + pane.clientWidth / 2) / before;
    const y = (pane.scrollTop + pane.clientHeight / 2) / before;
    scale = Math.min(ZOOM.most, Math.max(ZOOM.least, wanted));
    svg.setAttribute("width", laid.width * scale);
    svg.setAttribute("height", laid.height * scale);
    pane.scrollLeft = x * scale - pane.clientWidth / 2;
    pane.scrollTop = y * scale - pane.clientHeight / 2;
  }

  /* Its width: as high as the window too, the labels of a big map could not be read. */
  function fit() {
    zoom(Math.min(1, (pane.clientWidth - 4) / laid.width));
    pane.scrollTo(0, 0);
  }

  const ACTS = {
    "+": () => zoom(scale * ZOOM.step),
    "-": () => zoom(scale / ZOOM.step),
    0: fit,
    1: () => zoom(1),
    ArrowLeft: () => pane.scrollBy(-PAN, 0),
    ArrowRight: () => pane.scrollBy(PAN, 0),
    ArrowUp: () => pane.scrollBy(0, -PAN),
    ArrowDown: () => pane.scrollBy(0, PAN),
  };
  ACTS["="] = ACTS["+"]; // the same key without Shift

  /* Whatever fits the filter, and what stands directly before or behind it. */
  function filtered() {
    const plugin = plugins.value;
    const word = words.value.trim().toLowerCase();
    if (!plugin && !word) return whole;
    const fits = (node) =>
      (!plugin || node.plugin === plugin) && (node.label + " " + node.key).toLowerCase().includes(word);
    const found = new Set(whole.nodes.filter(fits).map((node) => node.key));
    const edges = whole.edges.filter((edge) => found.has(edge.source) || found.has(edge.target));
    const shown = new Set([...found, ...edges.flatMap((edge) => [edge.source, edge.target])]);
    return { ...whole, nodes: whole.nodes.filter((node) => shown.has(node.key)), edges };
  }

  function show() {
    const picture = filtered();
    told.textContent = picture.nodes.length
      ? picture === whole ? "" : picture.nodes.length + " of " + whole.nodes.length + " shown, with what stands beside them."
      : "Nothing has this name.";
    laid = picture.nodes.length ? map.laidOut(picture) : { nodes: [], edges: [], groups: [], width: 1, height: 1 };
    svg = map.drawn(laid);
    pane.replaceChildren(svg);
    fit();
  }

  /* Bring a node into view and give it the focus; a filter that hides it is taken off. */
  function point(key) {
    const named = () => [...svg.querySelectorAll("a")].find((each) => each.dataset.key === key);
    if (!named()) {
      plugins.value = "";
      words.value = "";
      show();
    }
    const node = named();
    node.scrollIntoView({ block: "center", inline: "center" });
    node.focus({ preventScroll: true, focusVisible: true });
  }

  function bySentences() {
    for (const button of document.querySelectorAll("button[data-show]")) {
      button.hidden = false;
      button.addEventListener("click", () => point(button.dataset.show));
    }
  }

  function byMouse() {
    let from = null;
    let dragged = false;
    pane.addEventListener("mousedown", (event) => {
      if (event.button === 0) from = { x: event.clientX, y: event.clientY, left: pane.scrollLeft, top: pane.scrollTop };
      dragged = false;
    });
    window.addEventListener("mousemove", (event) => {
      if (!from) return;
      dragged = dragged || Math.hypot(event.clientX - from.x, event.clientY - from.y) > 4;
      if (dragged) pane.scrollTo(from.left - (event.clientX - from.x), from.top - (event.clientY - from.y));
    });
    window.addEventListener("mouseup", () => { from = null; });
    // A picture that was dragged by a node stays where it is put; only a click leads on.
    pane.addEventListener("click", (event) => { if (dragged) event.preventDefault(); }, true);
    pane.addEventListener("dragstart", (event) => event.preventDefault());
    pane.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? scale * 1.1 : scale / 1.1);
    }, { passive: false });
  }

  function byKeys() {
    pane.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || !ACTS[event.key]) return;
      event.preventDefault();
      ACTS[event.key]();
    });
    for (const button of figure.querySelectorAll("button[data-act]")) {
      button.addEventListener("click", () => ACTS[button.dataset.act]());
    }
  }

  for (const plugin of whole.plugins) plugins.add(new Option(plugin.label, plugin.key));
  plugins.addEventListener("change", show);
  words.addEventListener("input", show);
  byMouse();
  byKeys();
  bySentences();
  figure.hidden = false;
  show();
})(window.signalMap);
