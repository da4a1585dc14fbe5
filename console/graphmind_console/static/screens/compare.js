/** What separates two cohorts of traces, by the same statistics as incidents. */

import { link, param, setParams } from "../address.js";
import { post } from "../api.js";
import { h } from "../dom.js";
import { bars, whisker } from "../evidence.js";
import { count, kindWords, percent, ratio } from "../format.js";
import { load, moment, valuesOf } from "../parts.js";
import { FILTERS, traceFields } from "./traces.js";

/** @param {HTMLElement} root */
export async function show(root) {
  const [a, b] = [cohort("a_"), cohort("b_")];
  const form = h("form", { onsubmit: (/** @type {Event} */ e) => { e.preventDefault(); setParams(valuesOf(form), { push: true }); } },
    h("div", { class: "two even" }, h("fieldset", { class: "plainset" }, h("legend", { class: "strong" }, "These traces"), h("div", { class: "filters" }, traceFields(a, "a_"))),
      h("fieldset", { class: "plainset" }, h("legend", { class: "strong" }, "against these, or everything else"), h("div", { class: "filters" }, traceFields(b, "b_")))),
    h("p", null, h("button", { class: "go" }, "Compare")));
  const list = h("section", { class: "narrow" });
  root.append(h("div", { class: "head" }, h("div", null, h("h1", null, "Compare"), h("div", { class: "meta" }, "What do these traces touch more often than those?"))), form, list);
  if (!Object.keys(a).length) return list.append(h("p", { class: "empty" }, "Say which traces, for instance failing: true and a region. What separates them from the others then stands here, the surest first. ", h("a", { href: link("/compare", { a_failing: "true" }) }, "Failing traces against everything else")));
  await load(list, () => post("/compare", { a: { filter: typed(a) }, b: Object.keys(b).length ? { filter: typed(b) } : null }), drawn);
}

/** @param {string} before @returns {Record<string, string>} */
const cohort = (before) => Object.fromEntries(FILTERS.map((name) => [name, param(before + name)]).filter(([, value]) => value));

/** @param {Record<string, string>} of */
const typed = (of) => Object.fromEntries(Object.entries(of).map(([name, value]) => [name, name === "failing" ? value === "true" : name.endsWith("_ms") ? Number(value) : value]));

/** @param {any} found */
function drawn(found) {
  return [
    h("h2", null, h("b", null, "What separates them"), ` ${count(found.a_traces)} traces against ${count(found.b_traces)}`, found.since_ms && [" of ", moment(found.since_ms), " to ", moment(found.until_ms)], h("span", { class: "end small" }, `${count(found.tested)} items tested`)),
    found.separating.length ? found.separating.slice(0, 30).map((/** @type {any} */ each, /** @type {number} */ i) => h("div", { class: `cause${i === 0 ? " first" : ""}` }, h("span", { class: "n" }, i + 1),
      h("span", { class: "name" }, each.name, " ", h("span", null, kindWords(each.kind), each.is_cause && " · a shared cause of these")), h("span", { class: "sure" }, percent(each.confidence)),
      bars({ label: "these", with: each.a_with, total: each.a_total }, { label: "those", with: each.b_with, total: each.b_total }),
      h("div", { class: "ev" }, h("span", null, "ratio"), whisker(each.risk_ratio, each.risk_ratio_low, each.risk_ratio_high), h("span", { class: "nowrap" }, `${ratio(each.risk_ratio)} × (${ratio(each.risk_ratio_low)} to ${ratio(each.risk_ratio_high)})`)),
      each.tied.length > 0 && h("div", { class: "why" }, `on exactly the same traces: ${each.tied.slice(0, 6).join(", ")}`)))
      : h("p", { class: "empty" }, found.a_traces ? "Nothing that they touch tells them from the others." : "No trace fits the first filter."),
  ];
}
