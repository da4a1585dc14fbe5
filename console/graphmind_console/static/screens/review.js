/** The weekly review: its page, its archive, and its sections as tables. */

import { link } from "../address.js";
import { get, part } from "../api.js";
import { h, replace, table } from "../dom.js";
import { fault, load } from "../parts.js";
import { valueCell } from "./explore_result.js";

/** @param {HTMLElement} root @param {string[]} parts */
export async function show(root, [week]) {
  const menu = h("div"), body = h("div"), acts = h("div", { class: "acts" });
  root.append(h("div", { class: "head" }, h("div", null, h("h1", null, "Weekly review"), h("div", { class: "meta" }, week ?? "the latest week")), acts), h("div", { class: "list3" }, menu, body));
  await Promise.all([
    load(menu, () => get("/review/weeks"), ({ items }) => h("ul", { class: "menu" }, items.map((/** @type {any} */ each) => weekOf(each)).map((/** @type {string} */ each) => h("li", null, h("a", { class: "item", href: link(`/review/${part(each)}`), "aria-current": each === week ? "true" : null }, each))))),
    get("/review", { week }).then((found) => {
      replace(body, sections(found));
      replace(acts, h("a", { class: "button", href: `/api/v1/review/${part(week ?? found.week)}.html` }, "The page to share"));
    }, (error) => replace(body, fault(error), h("p", { class: "empty" }, "A review is written once a week, and by ", h("code", null, "graphmind review"), ". New, recurring and fixed causes stand here then, with questions to discuss."))),
  ]);
}

/** @param {any} each @returns {string} */
const weekOf = (each) => (typeof each === "string" ? each : each.week);

/** Facts first, then each list as a table. @param {Record<string, any>} found @returns {any} */
function sections(found) {
  const facts = Object.entries(found).filter(([, value]) => value === null || typeof value !== "object");
  const rest = Object.entries(found).filter(([, value]) => value !== null && typeof value === "object");
  return [h("dl", { class: "small" }, facts.map(([name, value]) => [h("dt", null, words(name)), h("dd", null, valueCell(value, name))])), rest.map(([name, value]) => section(name, value))];
}

/** @param {string} name @param {any} value @returns {any} */
function section(name, value) {
  if (!Array.isArray(value)) return h("section", null, h("h2", null, h("b", null, words(name))), sections(value));
  const head = h("h2", null, h("b", null, words(name)), String(value.length));
  if (!value.length) return h("section", null, head, h("p", { class: "empty small" }, "none in this week"));
  if (typeof value[0] !== "object") return h("section", null, head, h("ul", null, value.map((each) => h("li", null, valueCell(each, name)))));
  const columns = Object.keys(value[0]);
  return h("section", null, head, table({ caption: words(name), rows: value, columns: columns.map((column) => ({ head: words(column), wide: true, num: typeof value[0][column] === "number", cell: (row) => valueCell(row[column], column) })) }));
}

/** @param {string} name */
const words = (name) => name.replaceAll("_", " ");
