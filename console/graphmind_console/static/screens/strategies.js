/** Strategies: revisions, who approved them, and what they say. */

import { param, setParams } from "../address.js";
import { get, part, post } from "../api.js";
import { h, replace, table } from "../dom.js";
import { askFirst, load, moment } from "../parts.js";
import { me } from "../session.js";
import { act } from "./repair_acts.js";

/** @param {HTMLElement} root */
export async function show(root) {
  const list = h("div"), one = h("section"), who = await me();
  root.append(h("div", { class: "head" }, h("div", null, h("h1", null, "Strategies"), h("div", { class: "meta" }, "What may be done about which cause. Of each, the revision approved last is used."))), h("div", { class: "two" }, list, one));
  const draw = () => load(list, () => get("/strategies"), ({ items }) => {
    const pick = (/** @type {any} */ s) => { setParams({ key: s.key }, { redraw: false }); replace(one, detail(s, who, draw)); };
    const chosen = items.find((/** @type {any} */ s) => s.key === param("key")) ?? items[0];
    if (chosen) replace(one, detail(chosen, who, draw));
    return table({ caption: "Strategies", rows: items, empty: "None is shipped or configured.", columns: [
      { head: "strategy", wide: true, cell: (s) => [h("button", { class: "plain any", onclick: () => pick(s) }, s.title), " ", h("span", { class: "faint small mono" }, s.key)] }, { head: "level", cell: (s) => s.repair_level },
      { head: "usable", cell: (s) => (s.usable ? h("span", { class: "state good" }, "yes") : h("span", { class: "state wait" }, s.enabled ? "not approved" : "disabled")) }] });
  });
  await draw();
}

/** @param {any} s @param {any} who @param {() => void} done */
function detail(s, who, done) {
  const approve = () => askFirst({ title: `Approve ${s.key}`, text: "Repairs by it may then run under its own rules. Who proposed it cannot approve it.", go: "Approve", bare: true, act: async () => { await post(`/strategies/${part(s.key)}/approve`, undefined); done(); } });
  return [h("h2", null, h("b", null, s.title)), h("dl", { class: "small" }, [["key", s.key], ["from", s.source], ["proposed by", [s.proposed_by, " ", moment(s.proposed_ms)]], ["approved by", s.approved_by.length ? [s.approved_by.join(", "), " ", moment(s.approved_ms)] : "nobody yet"]].map(([name, value]) => [h("dt", null, String(name)), h("dd", null, value)])),
    !s.usable && h("div", { class: "acts" }, act({ label: "Approve this revision", role: "approver", who, onclick: approve })), h("h3", null, "As it is written"), h("pre", { tabindex: "0" }, JSON.stringify(s.document, null, 2))];
}
