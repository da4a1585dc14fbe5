/** The audit trail: a chain of hashes, proven on demand. */

import { link, param, setParams } from "../address.js";
import { get, part } from "../api.js";
import { h, replace, table } from "../dom.js";
import { count } from "../format.js";
import { fault, field, load, moment, valuesOf } from "../parts.js";

const FILTERS = ["repair", "trace", "task", "strategy"];

/** @param {HTMLElement} root */
export async function show(root) {
  const proof = h("div", { role: "status" }), list = h("div"), one = h("section");
  const asked = Object.fromEntries(FILTERS.map((name) => [name, param(name)]));
  const form = h("form", { class: "filters", onsubmit: (/** @type {Event} */ e) => { e.preventDefault(); setParams({ ...valuesOf(form), cursor: null }, { push: true }); } }, FILTERS.map((name, i) => field(name, name, h("input", { value: asked[name], "data-search": i ? null : "" }))), h("button", null, "Filter"));
  root.append(h("div", { class: "head" }, h("div", null, h("h1", null, "Audit"), h("div", { class: "meta" }, "Every request, decision, step and verdict, each entry hashed over the one before"), proof), h("div", { class: "acts" }, h("button", { onclick: verify }, "Prove the chain"))), form, h("div", { class: "two" }, list, one));
  async function verify() {
    replace(proof, h("span", { class: "waiting" }, "reading the whole trail…"));
    try {
      const found = await get("/audit/verify");
      replace(proof, found.whole ? h("span", { class: "state good" }, "The chain is whole: nothing was changed, cut or put in.") : h("div", null, h("span", { class: "state fail" }, "The trail is not what was written"), found.breaks.map((/** @type {any} */ b) => h("div", { class: "small" }, `entry ${b.seq}: ${b.fault}. ${b.detail}`))));
    } catch (error) { replace(proof, fault(error)); }
  }
  await load(list, () => get("/audit", { ...asked, limit: 100, cursor: param("cursor") }), (page) => {
    const pick = (/** @type {any} */ e) => { setParams({ seq: e.seq }, { redraw: false }); replace(one, entry(e)); };
    const chosen = page.items.find((/** @type {any} */ e) => String(e.seq) === param("seq"));
    if (chosen) replace(one, entry(chosen));
    return [table({ caption: "Audit entries", rows: page.items, empty: "Nothing was asked of repairs yet. The first plan is the first entry.", columns: [
      { head: "entry", num: true, cell: (e) => count(e.seq) }, { head: "at", cell: (e) => moment(e.at_ms, { seconds: true }) }, { head: "who", cell: (e) => e.who }, { head: "what", wide: true, cell: (e) => h("button", { class: "plain", onclick: () => pick(e) }, e.what.replaceAll("_", " ")) },
      { head: "repair", cell: (e) => e.repair_id && h("a", { href: link(`/repairs/${part(e.repair_id)}`) }, e.repair_id) }, { head: "hash", cell: (e) => h("span", { class: "mono faint", title: e.hash }, e.hash.slice(0, 10)) }] }), page.next_cursor && h("p", null, h("a", { href: link("/audit", { ...asked, cursor: page.next_cursor }) }, "later entries"))];
  });
}

/** @param {any} e */
const entry = (e) => [h("h2", null, h("b", null, `Entry ${e.seq}`), e.what), h("dl", { class: "small mono" }, h("dt", null, "before it"), h("dd", null, e.prev_hash), h("dt", null, "its hash"), h("dd", null, e.hash)), h("pre", { tabindex: "0" }, JSON.stringify(e.body, null, 2))];
