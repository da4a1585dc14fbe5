/** Who is logged in, what the server needs, and API keys. */

import { get, part, post, remove } from "../api.js";
import { h, replace, table } from "../dom.js";
import { askFirst, block, fault, field, load, moment, valuesOf } from "../parts.js";
import { me, whyNot } from "../session.js";
import { act } from "./repair_acts.js";

/** @param {HTMLElement} root */
export async function show(root) {
  const who = await me();
  const you = block("You", ""), server = block("Server", "what it needs to answer"), keys = block("API keys", "for programs and people");
  you.body.append(h("dl", null, h("dt", null, "name"), h("dd", null, who.name), h("dt", null, "role"), h("dd", null, who.role ?? "none"), h("dt", null, "logged in by"), h("dd", null, { local: "the token of the data folder", key: "an API key", oidc: "the OpenID provider", sender: "a sender's token" }[who.kind] ?? who.kind), who.expires_ms && [h("dt", null, "until"), h("dd", null, moment(who.expires_ms))]),
    h("p", null, h("button", { onclick: logOut }, "Log out")));
  root.append(h("div", { class: "head" }, h("h1", null, "Settings")), h("div", { class: "two even" }, h("div", null, you.node, server.node), h("div", null, keys.node)));
  const why = whyNot(who, "admin");
  await Promise.all([load(server.body, readiness, (ready) => table({ caption: "What the server needs", rows: ready.checks, columns: [{ head: "part", cell: (c) => c.name }, { head: "state", cell: (c) => h("span", { class: `state ${c.ready ? "good" : "fail"}` }, c.ready ? "ready" : "not ready") }, { head: "", wide: true, cell: (c) => c.detail }] })),
    why ? replace(keys.body, h("p", { class: "empty" }, `${why}.`)) : showKeys(keys.body, who)]);
}

/** @returns {Promise<any>} */
const readiness = async () => (await fetch("/readyz")).json();

async function logOut() {
  await fetch("/logout", { method: "POST" });
  location.assign("/login");
}

/** @param {HTMLElement} root @param {any} who */
async function showKeys(root, who) {
  const list = h("div"), made = h("div", { role: "status" });
  const form = h("form", { class: "filters", onsubmit: create }, field("name", "name", h("input", { required: true, maxlength: 64 })), field("role", "role", h("select", null, ["viewer", "responder", "approver", "admin"].map((role) => h("option", null, role)))), field("expires_days", "days until it ends", h("input", { type: "number", min: "1", max: "36500", placeholder: "never" })), h("button", null, "Make a key"));
  root.append(form, made, list);
  const draw = () => load(list, () => get("/keys"), ({ items }) => table({ caption: "API keys", rows: items, empty: "None. A key lets a program or a colleague in with a role.", columns: [{ head: "name", cell: (k) => k.name }, { head: "role", cell: (k) => k.role }, { head: "made", num: true, cell: (k) => moment(k.created_ms) }, { head: "ends", num: true, cell: (k) => (k.expires_ms ? moment(k.expires_ms) : "never") },
    { head: "", num: true, cell: (k) => act({ label: "Revoke", role: "admin", who, onclick: () => askFirst({ title: `Revoke ${k.name}`, text: "It opens nothing from then on, and its sessions end.", go: "Revoke", bare: true, act: async () => { await remove(`/keys/${part(k.name)}`); await draw(); } }) }) }] }));
  await draw();
  /** @param {Event} event */
  async function create(event) {
    event.preventDefault();
    const asked = valuesOf(form);
    try {
      const key = await post("/keys", { name: asked.name, role: asked.role, expires_days: asked.expires_days ? Number(asked.expires_days) : null });
      replace(made, h("p", null, "Shown this once, keep it now: ", h("code", { class: "any" }, key.token)));
      await draw();
    } catch (error) { replace(made, fault(error)); }
  }
}
