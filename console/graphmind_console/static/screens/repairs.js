/** Repairs by state, and how strategies grew: which revision had which effect. */

import { link, param } from "../address.js";
import { get, part, post } from "../api.js";
import { h, replace, table } from "../dom.js";
import { because, count, duration } from "../format.js";
import { askFirst, load, moment, stateMark } from "../parts.js";
import { me } from "../session.js";
import { act } from "./repair_acts.js";

const COLUMNS = /** @type {[string, string[]][]} */ ([
  ["Waiting for people", ["proposed", "planned", "awaiting_approval", "approved"]], ["Running", ["running", "verifying", "rolling_back"]], ["Worked", ["succeeded"]],
  ["Did not", ["ineffective", "inconclusive", "harmful", "rolled_back", "failed", "intercepted", "expired", "rejected", "cancelled", "suppressed"]],
]);

/** @param {HTMLElement} root */
export async function show(root) {
  const acts = h("div", { class: "acts" }), off = h("div"), board = h("div"), of = param("incident_id");
  root.append(h("div", { class: "head" }, h("div", null, h("h1", null, of ? "Repairs of an incident" : "Repairs"), of && h("div", { class: "meta" }, h("a", { href: link(`/incidents/${part(of)}`) }, of))), acts), off, board);
  const who = await me();
  const turn = (/** @type {boolean} */ on) => () => askFirst({ title: on ? "Stop all repairs" : "Release the stop", go: on ? "Stop" : "Release", text: on ? "Each that runs stops before its next step, and what it did is undone. None begins until the stop is released." : "Repairs may run again.", act: async (reason) => { await post("/repairs/stop", { on, reason }); await switches(); } });
  async function switches() {
    const { stop, suppressed } = await get("/repairs/switches");
    replace(acts, stop.on ? act({ label: "Release the stop", role: "approver", who, onclick: turn(false) }) : act({ label: "Stop all repairs", role: "responder", who, onclick: turn(true) }));
    replace(off, stop.on && h("p", { class: "strong" }, `All repairs are stopped by ${stop.by}${because(stop.why)}.`), suppressed.map((/** @type {any} */ each) => h("p", null, h("span", { class: "any" }, each.target), ` is suppressed by ${each.by}${because(each.why)}`, each.until_ms && [", until ", moment(each.until_ms)])));
  }
  await switches();
  await load(board, () => get("/repairs", { incident_id: of, limit: 200 }), ({ items }) => (items.length ? [h("div", { class: "board" }, COLUMNS.map(([title, states]) => column(title, items.filter((/** @type {any} */ r) => states.includes(r.state))))), evolution(items)]
    : h("p", { class: "empty" }, "No repair was planned yet. Open an incident and plan one: it moves from left to right here, and what worked is remembered for the next case.")));
}

/** @param {string} title @param {any[]} items */
const column = (title, items) => h("section", { "aria-label": title }, h("h2", null, h("b", null, title), count(items.length)), items.length ? h("ul", { class: "lines" }, items.slice(0, 30).map((each) => h("li", null, h("a", { class: "item", href: link(`/repairs/${part(each.repair_id)}`) }, h("span", { class: "any" }, each.strategy.split("@")[0]), h("span", { class: "sub" }, stateMark(each.state), " · ", each.target, " · ", moment(each.requested_ms)))))) : h("p", { class: "empty small" }, "none"));

/** Strategy, revision, effect. @param {any[]} items */
function evolution(items) {
  /** @type {Map<string, any[]>} */
  const byKey = new Map();
  for (const each of items) byKey.set(each.strategy, [...(byKey.get(each.strategy) ?? []), each]);
  const rows = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, of]) => ({ key, of, known: of.filter((each) => each.verdict), effective: of.filter((each) => each.verdict.startsWith("effective")) }));
  return h("section", null, h("h2", null, h("b", null, "Evolution"), "which revision of a strategy had which effect"), table({ caption: "Strategies and their effects", rows, columns: [
    { head: "strategy", cell: (r) => h("a", { href: link("/strategies", { key: r.key }) }, r.key.split("@")[0]) }, { head: "revision", cell: (r) => h("span", { class: "mono" }, r.key.split("@")[1] ?? "") }, { head: "against", wide: true, cell: (r) => [...new Set(r.of.map((/** @type {any} */ each) => each.root_cause))].slice(0, 3).join(", ") },
    { head: "repairs", num: true, cell: (r) => count(r.of.length) }, { head: "worked", num: true, cell: (r) => (r.known.length ? `${r.effective.length} of ${r.known.length}` : "not known yet") },
    { head: "took", num: true, cell: (r) => { const took = r.of.filter((/** @type {any} */ each) => each.executed_ms && each.started_ms).map((/** @type {any} */ each) => each.executed_ms - each.started_ms); return took.length ? duration(took.sort((/** @type {number} */ a, /** @type {number} */ b) => a - b)[Math.floor(took.length / 2)]) : "-"; } }] }));
}
