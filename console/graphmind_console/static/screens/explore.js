/** The library of questions with their parameters, and Cypher of one's own. Both only read. */

import { link, param, params, setParams } from "../address.js";
import { get, part, post } from "../api.js";
import { h, replace, table } from "../dom.js";
import { count } from "../format.js";
import { cypher, fault, field, load, valuesOf } from "../parts.js";
import { valueCell, resultGraph } from "./explore_result.js";

/** @param {HTMLElement} root @param {string[]} parts */
export async function show(root, [name]) {
  const { items } = await get("/questions");
  const menu = h("div"), right = h("div");
  const search = h("input", { type: "search", placeholder: "find a question", "data-search": "", "aria-label": "Find a question", oninput: () => list() });
  root.append(h("div", { class: "head" }, h("div", null, h("h1", null, "Explore"), h("div", { class: "meta" }, `${items.length} questions to the graph, and Cypher of your own; both only read`))), h("div", { class: "list3" }, h("div", null, search, menu), right));
  function list() {
    const words = search.value.toLowerCase();
    const fit = items.filter((/** @type {any} */ q) => `${q.title} ${q.asks} ${q.name}`.toLowerCase().includes(words));
    const groups = [...new Set(fit.map((/** @type {any} */ q) => q.category ?? "questions"))];
    replace(menu, h("ul", { class: "menu" }, h("li", null, h("a", { href: link("/explore"), "aria-current": name ? null : "true" }, "Cypher")),
      groups.map((group) => [h("li", null, h("h3", null, String(group).replaceAll("_", " "))), fit.filter((/** @type {any} */ q) => (q.category ?? "questions") === group).map((/** @type {any} */ q) => h("li", null, h("a", { href: link(`/explore/${part(q.name)}`), "aria-current": q.name === name ? "true" : null, class: "item" }, q.title)))])));
  }
  list();
  const question = items.find((/** @type {any} */ q) => q.name === name);
  if (question) return showQuestion(right, question);
  if (name) return right.append(h("p", { class: "empty" }, `There is no question ${name}.`));
  showEditor(right);
}

/** @param {HTMLElement} root @param {any} question */
async function showQuestion(root, question) {
  const answer = h("section");
  const given = params();
  const form = h("form", { class: "filters", onsubmit: (/** @type {Event} */ e) => { e.preventDefault(); setParams({ ...valuesOf(form), asked: 1 }, { push: true }); } },
    question.parameters.map((/** @type {any} */ p) => field(p.name, p.name, h("input", { value: given.get(p.name) ?? p.default ?? "", title: p.meaning, required: p.default === null, inputmode: p.type === "string" ? null : "numeric", "aria-description": p.meaning }))), h("button", { class: "go" }, "Ask"));
  root.append(h("h2", null, h("b", null, question.title)), h("p", null, question.asks), form, h("dl", { class: "small" }, question.parameters.map((/** @type {any} */ p) => [h("dt", null, p.name), h("dd", null, p.meaning)])), answer);
  const ready = question.parameters.every((/** @type {any} */ p) => p.default !== null || given.get(p.name));
  if (!ready) return replace(answer, h("p", { class: "empty" }, "Fill in what it needs, and ask."));
  const values = Object.fromEntries(question.parameters.map((/** @type {any} */ p) => [p.name, given.get(p.name) ?? p.default]).filter((/** @type {any[]} */ [, value]) => value !== null && value !== ""));
  await load(answer, () => post(`/questions/${part(question.name)}`, { parameters: values }), (found) => [
    h("h3", null, `${count(found.rows.length)} rows`), table({ caption: question.title, rows: found.rows, empty: "The graph has no row for these parameters.", columns: found.columns.map((/** @type {any} */ c) => ({ head: h("span", { title: c.meaning }, c.name), wide: true, num: typeof found.rows[0]?.[c.name] === "number", cell: (/** @type {any} */ r) => valueCell(r[c.name], c.name) })) }),
    resultGraph(found.columns.map((/** @type {any} */ c) => c.name), found.rows.map((/** @type {any} */ r) => found.columns.map((/** @type {any} */ c) => r[c.name]))), cypher(found.query ?? (question.cypher && { cypher: question.cypher, parameters: values, browser_url: null }))]);
}

const FIRST = "MATCH (i:Incident)-[:CAUSED_BY]->(c)\nRETURN i.title AS incident, c.label AS cause, c.confidence AS confidence\nORDER BY confidence DESC LIMIT 20";

/** @param {HTMLElement} root */
function showEditor(root) {
  const answer = h("section", { role: "status" });
  const text = h("textarea", { rows: 9, name: "query", spellcheck: "false", "aria-label": "Cypher", onkeydown: (/** @type {KeyboardEvent} */ e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); run(); } } }, param("query", FIRST));
  const values = h("input", { name: "parameters", value: param("parameters", "{}"), class: "mono", "aria-label": "Parameters as JSON" });
  root.append(h("form", { onsubmit: (/** @type {Event} */ e) => { e.preventDefault(); run(); } }, text, h("div", { class: "filters" }, h("label", null, "parameters", values), h("button", { class: "go" }, "Run"), h("span", { class: "small dim" }, "ctrl + enter · only statements that read are run"))), answer);
  async function run() {
    setParams({ query: text.value, parameters: values.value === "{}" ? null : values.value }, { redraw: false });
    let given;
    try { given = JSON.parse(values.value || "{}"); } catch { return replace(answer, fault(new Error('The parameters are no JSON. Expected something like {"limit": 10}'))); }
    await load(answer, () => post("/cypher", { query: text.value, parameters: given, limit: 500 }), (found) => [
      h("h3", null, `${count(found.rows.length)} rows in ${found.seconds.toFixed(2)} s`, found.truncated && h("span", { class: "warn" }, " · ▲ there are more")),
      table({ caption: "Answer", rows: found.rows, empty: "No row.", columns: found.columns.map((/** @type {string} */ c, /** @type {number} */ i) => ({ head: c, wide: true, num: typeof found.rows[0]?.[i] === "number", cell: (/** @type {any[]} */ r) => valueCell(r[i], c) })) }), resultGraph(found.columns, found.rows),
      cypher({ cypher: text.value, parameters: given, browser_url: found.browser_url })]);
  }
  if (param("query")) run();
}
