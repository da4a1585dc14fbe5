/** What they share, where it breaks, since when. */

import { link } from "../address.js";
import { part } from "../api.js";
import { timeStrip } from "../charts.js";
import { h } from "../dom.js";
import { bars, whisker } from "../evidence.js";
import { count, counted, duration, kindWords, percent, ratio, short } from "../format.js";
import { cypher, moment } from "../parts.js";

const ROLES = /** @type {Record<string, string>} */ ({ root: "root cause", critical: "where it goes wrong", impact: "impact" });

/** @param {any} incident @param {any} found */
export function drawWhat(incident, found) {
  const failing = incident.trace_ids.length;
  return [
    found.items.length ? found.items.map((/** @type {any} */ each) => cause(incident, each)) : h("p", { class: "empty" },
      `These ${count(failing)} traces fail alike, and nothing that they touch tells them from healthy ones. A cause is named here when one does. `,
      h("a", { href: link("/compare", { a_incident_id: incident.incident_id }) }, "Compare them yourself")),
    incident.unexplained_share > 0.005 && h("p", { class: "why" }, `${percent(incident.unexplained_share)} of these failures would be expected without the cause.`),
    cypher(found.query),
  ];
}

/** @param {any} incident @param {any} each */
function cause(incident, each) {
  const missed = each.unexplained_traces;
  return h("div", { class: `cause${each.rank === 1 ? " first" : ""}` },
    h("span", { class: "n" }, each.rank), h("span", { class: "name" }, each.label, " ", h("span", null, `${kindWords(each.kind)} · ${ROLES[each.role] ?? each.role}`)), h("span", { class: "sure" }, percent(each.confidence)),
    bars({ label: "failing", with: each.failed_with, total: each.failed_total }, { label: "healthy", with: each.passed_with, total: each.passed_total }),
    h("div", { class: "ev" }, h("span", null, "risk"), whisker(each.risk_ratio, each.risk_ratio_low, each.risk_ratio_high), h("span", { class: "nowrap" }, `${ratio(each.risk_ratio)} × (${ratio(each.risk_ratio_low)} to ${ratio(each.risk_ratio_high)})`)),
    h("div", { class: "why" }, missed > 0 ? ["does not explain ", h("a", { href: link("/traces", { incident_id: incident.incident_id, explained: false }) }, counted(missed, "trace"))] : "explains every trace of the incident",
      each.tied.length > 0 && ` · tied with ${each.tied.map(names).join(", ")} (always together here)`,
      each.bounded && [" · active ", moment(each.onset_ms), " to ", moment(each.until_ms)]),
    each.rivals.length > 0 && h("details", null, h("summary", null, `${counted(each.rivals.length, "rival")} that lost`),
      each.rivals.map((/** @type {any} */ rival) => h("div", { class: "why" }, h("span", { class: "strong" }, names(rival.all_of)), `: ${rival.why_lost}`))));
}

/** @param {{kind: string, name: string}[]} items */
const names = (items) => items.map((each) => `${kindWords(each.kind)} ${each.name}`).join(" with ");

/** @param {any} incident @param {any} found */
export function drawWhere(incident, found) {
  const steps = found.critical_path;
  if (!steps.length) return h("p", { class: "empty" }, "None of its traces is left in the archive, so there is no path to show. Traces are kept for the retention that is set.");
  const modules = steps.filter((/** @type {any} */ s, /** @type {number} */ i) => i === 0 || s.module !== steps[i - 1].module || s.is_root);
  const longest = Math.max(...steps.map((/** @type {any} */ s) => Math.max(s.self_ms, s.healthy_self_ms ?? 0)), 1);
  const shown = [...steps].sort((a, b) => Number(b.is_root) - Number(a.is_root) || b.self_ms - a.self_ms).slice(0, 7);
  const { example } = found;
  return [
    h("ol", { class: "path", "aria-label": "Critical path" }, modules.map((/** @type {any} */ s, /** @type {number} */ i) => [i > 0 && h("li", { class: "sep", "aria-hidden": "true" }, "›"),
      h("li", { class: s.is_root ? "root" : null, title: s.operation }, s.module ?? s.operation, s.is_root && ` ${duration(s.self_ms)} · went wrong here`)])),
    example && h("p", { class: "small" }, "failing ", traceLink(example.failing_trace_id), example.healthy_trace_id ? [" beside healthy ", traceLink(example.healthy_trace_id), " of the same task", example.task && ` ${example.task}`] : " · no healthy trace of its task is there to compare"),
    h("div", { class: "aligned" }, h("span", { class: "dim" }, "own time of a step"), h("span"), h("span", { class: "num bad" }, "failing"), h("span", { class: "num ok" }, "healthy"),
      steps.filter((/** @type {any} */ s) => shown.includes(s)).map((/** @type {any} */ s) => [
        h("span", { class: `lab${s.is_root ? " strong" : ""}`, title: `${s.module ?? ""} ${s.operation ?? ""}` }, s.module ?? "", " ", h("span", { class: "dim" }, s.operation)),
        h("span", { class: "bars", "aria-hidden": "true" }, h("i", { class: s.is_root ? "f" : "n", "width%": (s.self_ms / longest) * 100 }), h("i", { class: "h", "width%": ((s.healthy_self_ms ?? 0) / longest) * 100 })),
        h("span", { class: "num" }, duration(s.self_ms)), h("span", { class: "num dim" }, duration(s.healthy_self_ms))])),
    incident.where?.places.length > 0 && h("p", { class: "why" }, incident.where.weak ? "Weak signs, against fault-free times: " : "Against fault-free times: ", incident.where.places.slice(0, 3).map((/** @type {any} */ p) => `${p.service} ${p.operation} (${p.evidence})`).join("; ")),
    cypher(found.query),
  ];
}

/** @param {string} id */
const traceLink = (id) => h("a", { href: link(`/traces/${part(id)}`), title: id }, short(id));

/** @param {any} _incident @param {any} found */
export function drawSinceWhen(_incident, found) {
  if (!found.points.length) return h("p", { class: "empty" }, "No trace of that time is left in the archive.");
  const suspect = found.changes.find((/** @type {any} */ each) => each.of_cause) ?? found.changes[0];
  return [
    timeStrip(found),
    suspect ? h("p", { class: "small" }, suspect.of_cause ? "Suspect change: " : "Nearest change: ", h("span", { class: "strong" }, `${suspect.kind} ${suspect.target}`), " at ", moment(suspect.at_ms, { seconds: true }), `, ${duration(suspect.before_onset_ms)} before the onset`, suspect.author && ` by ${suspect.author}`, suspect.summary && `: ${suspect.summary}`)
      : h("p", { class: "small dim" }, "No change is known shortly before the onset: nothing was deployed, configured or first seen then."),
    found.changes.length > 1 && h("details", null, h("summary", null, `all ${counted(found.changes.length, "change")} near the onset`), h("ul", { class: "small" }, found.changes.map((/** @type {any} */ c) => h("li", null, moment(c.at_ms), ` ${c.kind} ${c.target}`, c.summary && `: ${c.summary}`)))),
    cypher(found.query),
  ];
}
