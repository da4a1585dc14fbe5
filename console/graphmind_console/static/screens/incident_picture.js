/** The topology of an incident, expanded on demand, with its table twin. */

import { param, setParams } from "../address.js";
import { get } from "../api.js";
import { h, replace } from "../dom.js";
import { canDraw, drawGraph, legend, nodeTable } from "../graph.js";
import { count, kindWords, percent } from "../format.js";
import { cypher, fault } from "../parts.js";

const FIRST = 40, ALL = 1500;

/** @param {HTMLElement} root @param {string} path @param {AbortSignal} gone */
export function showPicture(root, path, gone) {
  /** @type {any} */
  let drawn = null;
  /** @type {Set<string>} */
  let outlined = new Set();
  let expand = param("expand") || null, most = Number(param("nodes")) || FIRST;
  const drawable = canDraw();
  const box = h("div", { class: "graph", role: "img", "aria-label": "Topology; the same as a table below" }), picked = h("div", { class: "small", role: "status" }), said = h("div", { class: "small dim" }), twin = h("details", { open: !drawable }), shownCypher = h("div"), signs = h("div");
  root.append(drawable ? box : h("p", { class: "empty" }, "This browser draws no WebGL, so the topology is shown as a table."), picked, said, signs, twin, shownCypher);

  async function read() {
    const picture = await get(`${path}/topology`, { nodes_max: most, expand });
    if (gone.aborted) return;
    replace(said, hidden(picture), picture.hidden_nodes > 0 && most < ALL && [" · ", h("button", { class: "plain", onclick: () => more({ nodes: ALL }) }, `show up to ${count(ALL)}`)], (most > FIRST || expand) && [" · ", h("button", { class: "plain", onclick: () => more({ nodes: null, expand: null }) }, "only the most important")]);
    replace(twin, h("summary", null, "as table"), nodeTable(picture.nodes, (node) => (outlined.has(node.node_id) ? " (a plan would touch it)" : "")));
    replace(shownCypher, cypher(picture.query));
    if (!drawable) return;
    replace(signs, legend(picture.nodes));
    drawn?.end();
    replace(box);
    drawn = await drawGraph(box, picture, { onSelect: select, outlined });
    root.dataset.nodes = String(picture.nodes.length);
  }
  /** @param {{nodes?: number | null, expand?: string | null}} changed */
  function more(changed) {
    if (changed.nodes !== undefined) most = changed.nodes ?? FIRST;
    if (changed.expand !== undefined) expand = changed.expand;
    setParams(changed, { redraw: false });
    read().catch((error) => replace(said, fault(error)));
  }
  /** @param {any} node */
  function select(node) {
    replace(picked, h("span", { class: "strong any" }, node.name), ` ${kindWords(node.kind)} · ${count(node.traces)} failing, ${count(node.others)} other (${percent(node.failing_share)} fail) `,
      !["incident", "cause", "traces"].includes(node.kind) && h("button", { class: "plain", onclick: () => more({ expand: node.node_id }) }, "expand its neighbours"));
  }
  gone.addEventListener("abort", () => drawn?.end());
  return {
    ready: read().catch((error) => replace(said, fault(error))),
    /** @param {Set<string>} ids */
    outline(ids) { outlined = ids; drawn?.outline(ids); },
  };
}

/** @param {any} picture */
function hidden(picture) {
  const left = [picture.hidden_traces > 0 && `${count(picture.hidden_traces)} traces`, picture.hidden_nodes > 0 && `${count(picture.hidden_nodes)} nodes touched by the fewest traces`].filter(Boolean);
  return left.length ? `hidden: ${left.join(", ")}` : `all ${count(picture.nodes.length)} nodes are shown`;
}
