/** Who else touches the cause, how a bad value spread, and what worked before. */

import { link } from "../address.js";
import { part } from "../api.js";
import { lineagePicture } from "../charts.js";
import { h, table } from "../dom.js";
import { count, counted, duration, percent } from "../format.js";
import { cypher, moment } from "../parts.js";

const NAMED_MAX = 6;

/** @param {any} found */
export function exposure(found) {
  if (!found.traces) return h("p", { class: "empty" }, "No cause is known, so nobody can be told exposed. With a cause, everyone who touches it is counted here, the healthy ones apart.");
  /** @type {[string, string[], string | null][]} */
  const rows = [
    ["tasks", found.tasks, null], ["agents", found.agents, "agents"], ["regions", found.regions, "regions"], ["keys touched", found.keys, "kv-keys"], ["keys written by the cause", found.written_keys, "kv-keys"],
  ];
  return [
    h("table", null, h("thead", null, h("tr", null, h("th", { scope: "col" }, "since ", moment(found.since_ms, { short: true }), found.last_ms && [", last ", moment(found.last_ms, { short: true })]), h("th", { class: "num", scope: "col" }, "failing"), h("th", { class: "num", scope: "col" }, "healthy so far"))),
      h("tbody", null, h("tr", null, h("td", null, "traces that touch the cause"), h("td", { class: "num bad" }, count(found.failing)), h("td", { class: "num ok" }, count(found.still_healthy))))),
    h("table", { class: "oneline" }, h("tbody", null, rows.filter(([, names]) => names.length).map(([label, names, kind]) => h("tr", null, h("td", { class: "nowrap dim" }, label), h("td", { class: "small" }, named(names, kind)), h("td", { class: "num" }, count(names.length)))))),
    
    cypher(found.query),
  ];
}

/** @param {string[]} names @param {string | null} kind @returns {any} */
function named(names, kind) {
  const one = (/** @type {string} */ name) => (kind ? h("a", { href: link(`/health/${kind}/${part(name)}`) }, name) : name);
  const shown = names.slice(0, NAMED_MAX).map((name, i) => [i > 0 && ", ", one(name)]);
  return [shown, names.length > NAMED_MAX && ` and ${count(names.length - NAMED_MAX)} more`];
}

/** @param {any} found */
export function lineage(found) {
  const origin = found.patient_zero;
  return [
    h("h3", null, "How the bad value spread"),
    origin ? h("p", { class: "small" }, "First written by ", h("a", { href: link(`/traces/${part(origin.trace_id)}`) }, origin.agent ?? origin.trace_id), ` to ${origin.key} at `, moment(origin.at_ms, { seconds: true }), `; explains ${count(origin.explained)} failures (${percent(origin.share)})`)
      : h("p", { class: "small dim" }, "No write explains these failures: the value was not passed on by keys."),
    found.nodes.length > 1 && [lineagePicture(found),
      h("p", { class: "small dim" }, `${count(found.infected)} infected, ${count(found.at_risk)} at risk`, found.hidden_nodes > 0 && `, ${count(found.hidden_nodes)} not drawn`, found.lost_by_rollback.length > 0 && ` · a roll-back would lose healthy writes to ${counted(found.lost_by_rollback.length, "key")}`),
      h("details", null, h("summary", null, "as table"), table({ caption: "Lineage as a table", rows: found.nodes, columns: [
        { head: "step", num: true, cell: (n) => n.layer }, { head: "kind", cell: (n) => (n.kind === "kv_key" ? "key" : "trace") }, { head: "name", wide: true, cell: (n) => n.name }, { head: "", cell: (n) => (n.infected ? "infected" : "at risk") }] }))],
    cypher(found.query),
  ];
}

const VERDICTS = /** @type {Record<string, string>} */ ({ effective: "worked", ineffective: "did not help", harmful: "did harm", inconclusive: "inconclusive" });

/** @param {any} found */
export function similar(found) {
  const { worked } = found;
  if (!found.matches.length) return h("p", { class: "small dim" }, found.verdict === null ? "Too little of it is left to look for similar cases." : "New: no past case is like it. When one is, what worked then stands here.");
  return [
    h("p", null, h("span", { class: "strong" }, found.verdict === "seen before" ? "Seen before" : "Similar cases"), `: ${counted(found.matches.length, "case")}`,
      worked ? [", ", h("span", { class: "ok strong" }, `${worked.strategy} worked ${worked.effective} of ${worked.of}`), worked.median_s !== null && `, median ${duration(worked.median_s * 1000)}`] : ", none repaired with a known effect"),
    h("details", null, h("summary", null, "the cases"), table({ caption: "Similar cases", rows: found.matches, href: (m) => link(`/incidents/${part(m.incident_id)}`), columns: [
      { head: "case", wide: true, cell: (m) => h("a", { href: link(`/incidents/${part(m.incident_id)}`) }, m.title) }, { head: "alike", num: true, cell: (m) => percent(m.score) },
      { head: "repair", wide: true, cell: (m) => (m.strategy ? `${m.strategy}: ${VERDICTS[m.verdict] ?? "no verdict"}${m.seconds_to_effect ? ` in ${duration(m.seconds_to_effect * 1000)}` : ""}` : "none") }] })),
    cypher(found.query),
  ];
}
