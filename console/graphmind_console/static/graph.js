/** An incident as a picture: sigma draws what the server laid out. Its table twin says the same. */

import { h, table } from "./dom.js";
import { count, kindWords, percent } from "./format.js";

const ICONS = /** @type {Record<string, string>} */ ({
  incident: "!", cause: "★", agent: "A", agent_class: "A", model_version: "M", model: "M", region: "R", tool: "T", kv_key: "K", module: "□",
  prompt: "P", prompt_version: "P", traces: "≡", task: "J", cluster: "C", node: "N", host: "H", route: "↝", error_code: "E",
});
/** The picture is wider than high: the layout is stretched to it. */
const WIDE = 2;
const NODES_MAX = 1500, LABEL_MAX = 32;

/**
 * @typedef {{node_id: string, kind: string, name: string, traces: number, others: number, failing_share: number, mark: string | null, x: number, y: number}} Node
 * @typedef {{source: string, target: string, kind: string, traces: number}} Edge
 */

/** Where WebGL is off, nothing is drawn and the table stands alone. */
export function canDraw() {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl2") ?? canvas.getContext("webgl"));
}

/**
 * Draw into an element that is in the page. Returns what ends it and outlines nodes.
 * @param {HTMLElement} box @param {{nodes: Node[], edges: Edge[]}} picture @param {{onSelect: (node: Node) => void, outlined?: Set<string>}} how
 */
export async function drawGraph(box, picture, how) {
  const { Sigma, Graph, NodePointProgram } = await import("./vendor/sigma.js");
  const colours = coloursOf(box);
  const graph = new Graph({ type: "directed", multi: true });
  const most = Math.max(1, ...picture.nodes.map((each) => each.traces));
  const [least, more] = picture.nodes.length > 200 ? [2, 5] : [5, 10];
  for (const node of picture.nodes.slice(0, NODES_MAX)) {
    graph.addNode(node.node_id, {
      x: node.x * WIDE, y: -node.y, size: least + Math.sqrt(node.traces / most) * more, color: node.kind === "cause" || node.kind === "incident" ? colours.cause : colours.node,
      label: node.kind === "incident" ? "the incident" : cut(node.name), forceLabel: node.kind === "cause" || node.kind === "incident" || (picture.nodes.length < 100 && node.mark !== null),
    });
  }
  const begun = performance.now();
  const sigma = new Sigma(graph, box, {
    labelColor: { color: colours.ink }, labelFont: "system-ui, sans-serif", labelSize: 12, labelDensity: 0.6, labelGridCellSize: 90, labelRenderedSizeThreshold: 7,
    defaultDrawNodeHover: () => {}, stagePadding: 40, allowInvalidContainer: true, zIndex: true,
    // Sigma's circles are instances of a triangle, for each of which a GL without a graphics processor takes a millisecond.
    nodeProgramClasses: { circle: NodePointProgram },
  });
  const draw = layersOf(sigma, picture, colours, () => how.outlined ?? new Set());
  sigma.on("afterRender", draw);
  sigma.on("clickNode", (/** @type {{node: string}} */ event) => { const found = picture.nodes.find((each) => each.node_id === event.node); if (found) how.onSelect(found); });
  draw();
  box.dataset.drawnMs = (performance.now() - begun).toFixed(0);
  return { end: () => sigma.kill(), outline: (/** @type {Set<string>} */ ids) => { how.outlined = ids; draw(); } };
}

/** @param {string} name */
const cut = (name) => (name.length > LABEL_MAX ? `${name.slice(0, LABEL_MAX - 1)}…` : name);

/** @param {Element} box */
function coloursOf(box) {
  const style = getComputedStyle(box), of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return { ink: of("--ink"), edge: of("--line"), node: of("--bar"), cause: of("--bad-fill"), bad: of("--bad-fill"), ok: of("--ok-fill"), panel: of("--panel"), accent: of("--accent"), faint: of("--faint") };
}

/**
 * Edges below sigma's nodes, and what nodes say above them. Both are plain canvases: where GL is done by the processor, WebGL takes
 * seconds for thousands of edges, and a canvas milliseconds.
 * @param {any} sigma @param {{nodes: Node[], edges: Edge[]}} picture @param {Record<string, string>} colours @param {() => Set<string>} outlined
 */
function layersOf(sigma, picture, colours, outlined) {
  const under = h("canvas", { class: "layer", "aria-hidden": "true" }), over = h("canvas", { class: "layer", "aria-hidden": "true" });
  sigma.getContainer().prepend(under);
  sigma.getContainer().append(over);
  const widths = byWidth(picture);
  return () => {
    const { width, height } = sigma.getDimensions(), places = placesOf(sigma, picture.nodes);
    drawEdges(cleared(under, width, height), widths, places, colours.edge);
    const pen = cleared(over, width, height), hit = outlined();
    for (const node of picture.nodes) {
      const at = places.get(node.node_id);
      if (!at || at.x < -30 || at.y < -30 || at.x > width + 30 || at.y > height + 30) continue;
      ring(pen, at, at.r, node, colours);
      if (hit.has(node.node_id)) outline(pen, at, at.r, colours);
    }
  };
}

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number} height @returns {CanvasRenderingContext2D} */
function cleared(canvas, width, height) {
  const dense = window.devicePixelRatio || 1, pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  canvas.width = width * dense;
  canvas.height = height * dense;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  pen.scale(dense, dense);
  return pen;
}

/** @param {any} sigma @param {Node[]} nodes @returns {Map<string, {x: number, y: number, r: number}>} */
const placesOf = (sigma, nodes) => new Map(nodes.slice(0, NODES_MAX).map((node) => [node.node_id, { ...sigma.graphToViewport({ x: node.x * WIDE, y: -node.y }), r: sigma.scaleSize(sigma.getNodeDisplayData(node.node_id).size) }]));

/** Edges by how wide they are drawn: the more traces, the wider. @param {{nodes: Node[], edges: Edge[]}} picture @returns {Map<number, Edge[]>} */
function byWidth({ nodes, edges }) {
  const most = Math.max(1, ...nodes.map((each) => each.traces)), found = /** @type {Map<number, Edge[]>} */ (new Map());
  for (const edge of edges) {
    const width = Math.round(2 * (0.5 + 2 * Math.sqrt(edge.traces / most))) / 2;
    if (!found.has(width)) found.set(width, []);
    found.get(width)?.push(edge);
  }
  return found;
}

/** @param {CanvasRenderingContext2D} pen @param {Map<number, Edge[]>} widths @param {Map<string, {x: number, y: number}>} places @param {string} colour */
function drawEdges(pen, widths, places, colour) {
  pen.strokeStyle = colour;
  for (const [width, edges] of widths) {
    pen.lineWidth = width;
    for (const edge of edges) {
      const from = places.get(edge.source), to = places.get(edge.target);
      if (!from || !to) continue;
      pen.beginPath();
      pen.moveTo(from.x, from.y);
      pen.lineTo(to.x, to.y);
      pen.stroke();
    }
  }
}

/** @param {CanvasRenderingContext2D} pen @param {{x: number, y: number}} at @param {number} r @param {Node} node @param {Record<string, string>} colours */
function ring(pen, at, r, node, colours) {
  pen.lineWidth = Math.max(1.5, r / 4);
  pen.strokeStyle = node.kind === "traces" || node.failing_share < 1 ? colours.ok : colours.bad;
  arc(pen, at, r, 0, 1);
  pen.strokeStyle = colours.bad;
  if (node.failing_share > 0) arc(pen, at, r, 0, node.failing_share);
  if (r > 6) {
    pen.fillStyle = node.kind === "cause" || node.kind === "incident" ? colours.panel : colours.ink;
    pen.font = `600 ${Math.round(Math.min(14, r))}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(iconOf(node.kind), at.x, at.y + 0.5);
  }
  if (!node.mark) return;
  pen.fillStyle = colours.bad;
  pen.font = "600 11px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.fillText({ hot_zone: "▲ hot", break_point: "✕ breaks here", loop: "↻ loop" }[node.mark] ?? node.mark, at.x, at.y + r + 10);
}

/** @param {CanvasRenderingContext2D} pen @param {{x: number, y: number}} at @param {number} r @param {number} from @param {number} to */
function arc(pen, at, r, from, to) {
  pen.beginPath();
  pen.arc(at.x, at.y, r, -Math.PI / 2 + from * 2 * Math.PI, -Math.PI / 2 + to * 2 * Math.PI);
  pen.stroke();
}

/** @param {CanvasRenderingContext2D} pen @param {{x: number, y: number}} at @param {number} r @param {Record<string, string>} colours */
function outline(pen, at, r, colours) {
  pen.save();
  pen.setLineDash([5, 3]);
  pen.lineWidth = 2;
  pen.strokeStyle = colours.accent;
  arc(pen, at, r + 6, 0, 1);
  pen.restore();
}

const MARKS = /** @type {Record<string, string>} */ ({ hot_zone: "hot zone", break_point: "breaks here", loop: "loop" });

/** The same as rows. @param {Node[]} nodes @param {(node: Node) => any} [more] */
export const nodeTable = (nodes, more) => table({
  caption: "The topology as a table", rows: nodes, empty: "No nodes.",
  columns: [
    { head: "kind", cell: (n) => kindWords(n.kind) }, { head: "name", wide: true, cell: (n) => [n.name, more?.(n)] },
    { head: "failing", num: true, cell: (n) => count(n.traces) }, { head: "other", num: true, cell: (n) => count(n.others) },
    { head: "share", num: true, cell: (n) => percent(n.failing_share) }, { head: "mark", cell: (n) => (n.mark ? MARKS[n.mark] ?? n.mark : "") },
  ],
});

/** What the signs mean. @param {Node[]} nodes */
export const legend = (nodes) => h("div", { class: "legend" }, h("span", null, "size: traces"), h("span", null, "ring: failing share"), h("span", null, "dashed: a plan would touch it"),
  [...new Set(nodes.map((each) => each.kind))].sort().map((kind) => h("span", null, h("b", null, iconOf(kind)), ` ${kindWords(kind)}`)));

/** @param {string} kind */
const iconOf = (kind) => ICONS[kind] ?? kind.slice(0, 1).toUpperCase();
