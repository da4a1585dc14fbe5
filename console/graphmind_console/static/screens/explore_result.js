/** Rows of an answer: values as text, ids as links, and pairs of columns as a graph. */

import { link } from "../address.js";
import { part } from "../api.js";
import { h } from "../dom.js";
import { canDraw, drawGraph } from "../graph.js";
import { moment } from "../parts.js";

const NODES_MAX = 300;

/** @param {any} value @param {string} name */
export function valueCell(value, name) {
  if (value === null || value === undefined) return h("span", { class: "faint" }, "-");
  if (typeof value === "number") return /at$|_ms$|Ms$/.test(name) && value > 1e11 && value < 1e14 ? moment(value, { seconds: true }) : Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
  if (typeof value === "string" && /^inc-[0-9a-f]+$/.test(value)) return h("a", { href: link(`/incidents/${part(value)}`) }, value);
  if (typeof value === "string" && /trace/i.test(name) && /^[0-9a-f]{16,32}$/.test(value)) return h("a", { href: link(`/traces/${part(value)}`), class: "mono" }, value);
  if (Array.isArray(value) && value.every((each) => typeof each !== "object")) return value.slice(0, 12).join(", ") + (value.length > 12 ? ` and ${value.length - 12} more` : "");
  return typeof value === "object" ? h("code", null, JSON.stringify(value)) : String(value);
}

/** The first two columns of names, joined by their rows; null where there are none. @param {string[]} columns @param {any[][]} rows */
export function resultGraph(columns, rows) {
  const named = columns.map((_, i) => i).filter((i) => rows.length > 0 && rows.every((row) => typeof row[i] === "string"));
  if (named.length < 2 || !canDraw()) return null;
  const picture = joined(columns, rows, named[0], named[1]);
  const box = h("div", { class: "graph", role: "img", "aria-label": "The rows as a graph; the table above says the same" });
  const details = h("details", null, h("summary", null, `as graph: ${columns[named[0]]} to ${columns[named[1]]}`), box);
  details.addEventListener("toggle", () => { if (details.open && !box.childNodes.length) drawGraph(box, picture, { onSelect: () => {} }); });
  return details;
}

/** Two columns of nodes, in the order of the rows. @param {string[]} columns @param {any[][]} rows @param {number} a @param {number} b */
function joined(columns, rows, a, b) {
  /** @type {Map<string, any>} */
  const nodes = new Map();
  const edges = [];
  for (const row of rows) {
    for (const i of [a, b]) {
      const id = `${i}:${row[i]}`, known = nodes.get(id);
      if (known) known.traces += 1;
      else if (nodes.size < NODES_MAX) nodes.set(id, { node_id: id, kind: columns[i], name: row[i], traces: 1, others: 0, failing_share: 0, mark: null, x: i === a ? -1 : 1, y: 0 });
    }
    edges.push({ source: `${a}:${row[a]}`, target: `${b}:${row[b]}`, kind: "ROW", traces: 1 });
  }
  for (const side of [-1, 1]) {
    const of = [...nodes.values()].filter((each) => each.x === side);
    of.forEach((each, i) => { each.y = of.length > 1 ? (i / (of.length - 1)) * 2 - 1 : 0; });
  }
  return { nodes: [...nodes.values()], edges };
}
