/** How agents, model versions, regions and keys fare, and how far they drifted. */

import { link, param } from "../address.js";
import { get, part } from "../api.js";
import { lines, sideBar } from "../charts.js";
import { h, table } from "../dom.js";
import { count, duration, percent, shiftWords } from "../format.js";
import { cypher, load, moment } from "../parts.js";

const COLLECTIONS = /** @type {[string, string, string][]} */ ([["agents", "Agents", "agent"], ["model-versions", "Model versions", "model_version"], ["regions", "Regions", "region"], ["kv-keys", "Keys", "kv_key"]]);

/** @param {HTMLElement} root @param {string[]} parts */
export async function show(root, [collection = "agents", name]) {
  const known = COLLECTIONS.find(([path]) => path === collection);
  if (!known) return root.append(h("h1", null, "No such list"), h("p", null, h("a", { href: link("/health") }, "Agents")));
  const body = h("div");
  root.append(h("div", { class: "head" }, h("div", null, h("h1", null, name ?? "Health"), h("div", { class: "meta" }, COLLECTIONS.map(([path, title], i) => [i > 0 && " · ", h("a", { href: link(`/health/${path}`), "aria-current": path === collection && !name ? "page" : null, class: path === collection ? "strong" : null }, title)])))), body);
  const time = { since_ms: param("since_ms"), until_ms: param("until_ms") };
  if (name) return load(body, () => get(`/${collection}/${part(name)}`, time), (one) => drawOne(one, known[2]));
  await load(body, () => get(`/${collection}`, { ...time, limit: 200 }), (page) => [h("p", { class: "small dim" }, "Traces that began ", moment(page.since_ms), " to ", moment(page.until_ms), "; those with most failing traces first."), rows(page.items, collection), page.next_cursor && h("p", { class: "small dim" }, "There are more than these 200."), cypher(page.query)]);
}

/** @param {any[]} items @param {string} collection */
const rows = (items, collection) => table({ caption: "Health", rows: items, empty: "None was touched by a trace in this time.", href: (i) => link(`/health/${collection}/${part(i.name)}`), columns: [
  { head: "name", wide: true, cell: (i) => h("a", { href: link(`/health/${collection}/${part(i.name)}`) }, i.name) }, { head: "traces", num: true, cell: (i) => count(i.traces) }, { head: "failing", num: true, cell: (i) => count(i.failing) },
  { head: "share", num: true, cell: (i) => h("span", { class: i.failing_share > 0.2 ? "bad strong" : null }, percent(i.failing_share)) }, { head: "p95", num: true, cell: (i) => duration(i.p95_ms) }, { head: "drift", num: true, cell: (i) => (i.drift ? i.drift.score.toFixed(2) : "-") },
  { head: "last seen", num: true, cell: (i) => moment(i.last_ms) }, { head: "open incidents", cell: (i) => i.incidents.map((/** @type {string} */ id) => [h("a", { href: link(`/incidents/${part(id)}`) }, id), " "]) }] });

/** @param {{score: number, duration_shift: number, branch_shift: number}} drift */
const drifted = (drift) => h("section", { "aria-label": "Drift" }, h("h3", null, "Drift, against as much time before"),
  h("p", null, drift.score > 0 ? h("span", { class: "state wait" }, "It drifted: ") : h("span", { class: "state good" }, "As before: "), `median time ${shiftWords(drift.duration_shift)}, ways it goes ${drift.branch_shift.toFixed(2)} bits apart${drift.score > 0 ? ` (${drift.score.toFixed(2)} of 1)` : ", not surely different, or too little to matter"}.`),
  drift.score > 0 && sideBar(drift.duration_shift, Math.max(1, Math.abs(drift.duration_shift)), `median time ${shiftWords(drift.duration_shift)}`));

/** @param {any} one @param {string} kind */
function drawOne(one, kind) {
  const points = one.points.filter((/** @type {any} */ p) => p.traces > 0);
  return h("div", { class: "narrow" },
    h("div", { class: "facts" }, [[count(one.traces), "traces"], [count(one.failing), "failing"], [percent(one.failing_share), "failing share"], [duration(one.p95_ms), "p95 of duration"]].map(([value, name]) => h("div", null, h("b", null, value), h("span", null, name)))),
    one.drift && drifted(one.drift),
    h("h3", null, "Failing share"), lines([{ name: "failing", points: points.map((/** @type {any} */ p) => [p.at_ms, p.failing / p.traces]), colour: "var(--bad-fill)" }], { label: "Failing share over time" }),
    h("h3", null, "Duration, 95th percentile"), lines([{ name: "p95", points: points.filter((/** @type {any} */ p) => p.p95_ms !== null).map((/** @type {any} */ p) => [p.at_ms, p.p95_ms]), colour: "var(--accent-fill)" }], { label: "p95 of duration over time", say: duration }),
    h("p", { class: "small" }, h("a", { href: link("/traces", { [kind]: one.name, failing: true }) }, "its failing traces"), " · ", h("a", { href: link("/compare", { [`a_${kind}`]: one.name }) }, "compare with everything else"), one.incidents.map((/** @type {string} */ id) => [" · ", h("a", { href: link(`/incidents/${part(id)}`) }, id)])),
  );
}
