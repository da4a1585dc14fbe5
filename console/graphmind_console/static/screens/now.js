/** Is something wrong? Open incidents, where failures sit in time, live repairs, and where we are blind. */

import { asOf, link } from "../address.js";
import { get, part } from "../api.js";
import { h } from "../dom.js";
import { count, percent, time } from "../format.js";
import { block, load, moment, stateMark } from "../parts.js";

const OVER = ["closed"];
const EVERY_MS = 15_000;

/** @param {HTMLElement} root @param {string[]} _parts @param {AbortSignal} gone */
export async function show(root, _parts, gone) {
  const wrong = block("Open incidents", "newest first", h("a", { href: link("/incidents") }, "all incidents"));
  const heat = block("Where traces fail", "module by minute, last hour");
  const repairs = block("Repairs", "that run or wait", h("a", { href: link("/repairs") }, "all repairs"));
  const capture = block("What we see", "and where we are blind");
  root.append(h("h1", { class: "unseen" }, "Now"), h("div", { class: "two even" }, h("div", null, wrong.node, repairs.node), h("div", null, heat.node, capture.node)));
  const draw = () => Promise.all([
    load(wrong.body, () => get("/incidents", { limit: 100 }), openIncidents),
    load(heat.body, () => get("/heatmap", { minutes: 60 }), heatMap),
    load(repairs.body, () => get("/repairs", { limit: 50 }), liveRepairs),
    load(capture.body, () => get("/capture"), captureHealth),
  ]);
  await draw();
  if (asOf() !== null) return;
  const timer = setInterval(() => { if (!document.hidden) draw(); }, EVERY_MS);
  gone.addEventListener("abort", () => clearInterval(timer));
}

/** @param {{items: any[]}} page */
function openIncidents({ items }) {
  const open = items.filter((each) => !OVER.includes(each.state));
  const over = items.filter((each) => OVER.includes(each.state));
  return [
    open.length ? incidentLines(open) : h("p", { class: "empty" }, h("span", { class: "state good" }, "Nothing is open. "),
      " An incident appears here as one sentence, within seconds of five traces that fail for one reason.",
      items.length === 0 && [" Nothing was ever found: send telemetry to this server's OTLP ports, or try ", h("code", null, "graphmind demo"), "."]),
    over.length > 0 && [h("h3", null, "Over lately"), incidentLines(over.slice(0, 8))],
  ];
}

/** @param {any[]} items */
export function incidentLines(items) {
  return h("ul", { class: "lines" }, items.map((each) => h("li", null, h("a", { class: "item", href: link(`/incidents/${part(each.incident_id)}`) },
    h("span", { class: "any" }, each.sentence ?? each.title),
    !each.sentence && h("span", { class: "sure" }, each.confidence ? `${percent(each.confidence)} sure` : "no cause found"),
    h("span", { class: "sub" }, stateMark(each.state), ` · ${each.severity} · since `, moment(each.onset_ms),
      each.repair_state && [" · repair ", stateMark(each.repair_state)], ` · ${each.incident_id}`)))));
}

/** @param {any} map */
function heatMap(map) {
  if (!map.cells.length) return h("p", { class: "empty" }, "No trace passed any module in this hour. Cells fill as traces arrive; the time slider shows earlier hours.");
  const steps = Math.max(1, Math.round((map.until_ms - map.since_ms) / map.step_ms));
  const at = new Map(map.cells.map((/** @type {any} */ cell) => [`${cell.module}\n${Math.floor((cell.at_ms - map.since_ms) / map.step_ms)}`, cell]));
  const indices = Array.from({ length: steps }, (_, i) => i);
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Heat map" }, h("table", { class: "heat" },
    h("caption", { class: "unseen" }, "Failing traces by module and minute"), h("colgroup", null, h("col", { class: "name" }), indices.map(() => h("col"))),
    h("tbody", null, map.modules.slice(0, 14).map((/** @type {string} */ module) => h("tr", null, h("th", { scope: "row", title: module }, module), indices.map((i) => heatCell(at.get(`${module}\n${i}`), map)))),
      h("tr", null, h("th", null, ""), [0, 1, 2, 3].map((quarter) => h("td", { class: "axis", colspan: Math.floor(steps / 4) + (quarter === 3 ? steps % 4 : 0) }, time(map.since_ms + quarter * Math.floor(steps / 4) * map.step_ms, { short: quarter > 0 })))))));
}

/** @param {any} cell @param {any} map */
function heatCell(cell, map) {
  if (!cell) return h("td", { class: "none" });
  const share = cell.traces ? cell.failing / cell.traces : 0;
  const said = `${cell.module} ${time(cell.at_ms)}: ${count(cell.failing)} of ${count(cell.traces)} traces went wrong here`;
  const td = h("td", null, cell.failing > 0 ? h("a", { href: link("/traces", { module: cell.module, since_ms: cell.at_ms, until_ms: cell.at_ms + map.step_ms, failing: true }), title: said, "aria-label": said }) : h("span", { title: said }));
  if (share > 0) td.style.background = `rgb(var(--heat) / ${(0.18 + 0.82 * Math.min(1, Math.sqrt(share))).toFixed(2)})`;
  return td;
}

const LIVE = ["proposed", "planned", "awaiting_approval", "approved", "running", "verifying", "rolling_back"];

/** @param {{items: any[]}} page */
function liveRepairs({ items }) {
  const live = items.filter((each) => LIVE.includes(each.state));
  if (!live.length) return h("p", { class: "empty" }, items.length ? `None runs or waits; ${count(items.length)} are over.` : "None yet. A repair appears here when it is planned from an incident, and shows its steps while it runs.");
  return h("ul", { class: "lines" }, live.map((each) => h("li", null, h("a", { class: "item", href: link(`/repairs/${part(each.repair_id)}`) },
    h("span", { class: "any" }, `${each.strategy} on ${each.target}`), stateMark(each.state), h("span", { class: "sub" }, `${each.reason || each.root_cause} · asked by ${each.requested_by} `, moment(each.requested_ms))))));
}

/** @param {any} seen */
function captureHealth(seen) {
  const lost = Object.entries(seen.dropped).filter(([, n]) => Number(n) > 0), worst = [...seen.agents, ...seen.modules].filter((each) => each.complete_ratio < 0.98).slice(0, 5);
  return [
    h("div", { class: "facts" }, fact(count(seen.traces), "traces"), fact(count(seen.spans), "spans"), fact(percent(seen.complete_ratio), "traces complete"), fact(count(lost.reduce((sum, [, n]) => sum + Number(n), 0)), "spans dropped")),
    lost.length > 0 && h("p", { class: "warn small" }, "Dropped: ", lost.map(([reason, n]) => `${count(Number(n))} ${reason}`).join(", ")),
    worst.length ? h("p", { class: "small dim" }, "Least complete: ", worst.map((each) => `${each.name} ${percent(each.complete_ratio)}`).join(", ")) : h("p", { class: "small dim" }, "No agent and no module is a blind spot."),
  ];
}

/** @param {string} value @param {string} name */
const fact = (value, name) => h("div", null, h("b", null, value), h("span", null, name));
