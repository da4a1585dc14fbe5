/** All incidents, filtered; the filters are in the address. */

import { link, param, params, setParams } from "../address.js";
import { get } from "../api.js";
import { h } from "../dom.js";
import { choice, field, load, valuesOf } from "../parts.js";
import { incidentLines } from "./now.js";

const SYMPTOMS = ["error", "slow", "hang", "short", "storm", "fork", "loop", "wrong", "metric"];
const FILTERS = ["q", "symptom", "severity", "state"];

/** @param {HTMLElement} root */
export async function show(root) {
  const list = h("div");
  root.append(h("div", { class: "head" }, h("h1", null, "Incidents")), filters(), list);
  if (param("focus")) /** @type {HTMLElement} */ (root.querySelector("[data-search]")).focus();
  const asked = Object.fromEntries(FILTERS.map((name) => [name, param(name)]));
  await load(list, () => get("/incidents", { ...asked, limit: 50, cursor: param("cursor") }), (page) => (page.items.length
    ? [incidentLines(page.items), page.next_cursor && h("p", null, h("a", { href: link("/incidents", { ...asked, cursor: page.next_cursor }) }, "older incidents"))]
    : h("p", { class: "empty" }, [...params().keys()].some((name) => FILTERS.includes(name)) ? ["No incident fits these filters. ", h("a", { href: link("/incidents") }, "Show all")] : "No incident was found yet. They appear here when traces fail together.")));
}

function filters() {
  const form = h("form", { class: "filters", role: "search", onsubmit: (/** @type {Event} */ e) => { e.preventDefault(); apply(); }, onchange: apply },
    field("q", "Search", h("input", { type: "search", "data-search": "", value: param("q"), placeholder: "words, cause, id" })),
    field("symptom", "Symptom", choice(SYMPTOMS, param("symptom"))),
    field("severity", "Severity", choice(["critical", "major", "minor"], param("severity"))),
    field("state", "State", choice(["opened", "growing", "steady", "recovering", "closed", "reopened"], param("state"))));
  function apply() { setParams({ ...valuesOf(form), cursor: null, focus: null }, { push: true }); }
  return form;
}

