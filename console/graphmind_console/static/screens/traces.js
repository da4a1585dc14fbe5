/** Traces by filter; of one incident, those that its cause explains and those that it does not. */

import { link, param, setParams } from "../address.js";
import { get, part } from "../api.js";
import { h, table } from "../dom.js";
import { duration, kindWords, short } from "../format.js";
import { choice, cypher, field, load, moment, stateMark, valuesOf } from "../parts.js";

const SYMPTOMS = ["error", "slow", "hang", "short", "storm", "fork", "loop", "wrong", "metric"];
const OUTCOMES = ["ok", "failed", "slow", "hung", "short", "wrong", "incomplete"];
export const FILTERS = ["symptom", "outcome", "failing", "task", "agent", "module", "region", "model_version", "kv_key", "incident_id", "since_ms", "until_ms"];

/** @param {HTMLElement} root */
export async function show(root) {
  const list = h("div");
  const asked = Object.fromEntries(FILTERS.map((name) => [name, param(name)]));
  const of = param("incident_id"), explained = param("explained");
  root.append(h("div", { class: "head" }, h("div", null, h("h1", null, of ? "Traces of an incident" : "Traces"), h("div", { class: "meta" }, of && [h("a", { href: link(`/incidents/${part(of)}`) }, of), explained && (explained === "true" ? " · those that a cause explains" : " · those that no cause explains")],
    asked.since_ms && [" from ", moment(Number(asked.since_ms))], asked.until_ms && [" to ", moment(Number(asked.until_ms))]))), filters(asked), list);
  const ask = of && explained ? () => get(`/incidents/${part(of)}/traces`, { explained, limit: 100, cursor: param("cursor") }) : () => get("/traces", { ...asked, limit: 100, cursor: param("cursor") });
  await load(list, ask, (page) => [
    table({ caption: "Traces", rows: page.items, empty: ["No trace fits these filters. ", h("a", { href: link("/traces") }, "Show all")], href: (t) => link(`/traces/${part(t.trace_id)}`), columns: [
      { head: "began", cell: (t) => moment(t.started_ms, { seconds: true }) }, { head: "trace", cell: (t) => h("a", { href: link(`/traces/${part(t.trace_id)}`), title: t.trace_id, class: "mono" }, short(t.trace_id)) },
      { head: "task", cell: (t) => t.task ?? "" }, { head: "outcome", cell: (t) => stateMark(t.outcome) }, { head: "went wrong at", wide: true, cell: (t) => t.fault_module ?? (t.symptoms.length ? t.root_module : "") ?? "" },
      { head: "agent", wide: true, cell: (t) => t.agent ?? "" }, { head: "region", cell: (t) => t.region ?? "" }, { head: "took", num: true, cell: (t) => duration(t.duration_ms) }] }),
    page.next_cursor && h("p", null, h("a", { href: link("/traces", { ...asked, explained, cursor: page.next_cursor }) }, "more traces")), cypher(page.query)]);
}

/** @param {Record<string, string>} asked */
function filters(asked) {
  const form = h("form", { class: "filters", onsubmit: (/** @type {Event} */ e) => { e.preventDefault(); apply(); }, onchange: apply }, traceFields(asked));
  function apply() { setParams({ ...valuesOf(form), cursor: null }, { push: true }); }
  return form;
}

/** The filters of a cohort as fields. @param {Record<string, string>} asked @param {string} [before] */
export function traceFields(asked, before = "") {
  const text = (/** @type {string} */ name, /** @type {boolean} */ first = false) => field(before + name, kindWords(name), h("input", { value: asked[name] ?? "", autocomplete: "off", "data-search": first ? "" : null }));
  return [text("agent", !before), field(`${before}failing`, "failing", choice(["true", "false"], asked.failing)), field(`${before}outcome`, "outcome", choice(OUTCOMES, asked.outcome)), field(`${before}symptom`, "symptom", choice(SYMPTOMS, asked.symptom)),
    text("module"), text("region"), text("model_version"), text("task"), text("incident_id")];
}
