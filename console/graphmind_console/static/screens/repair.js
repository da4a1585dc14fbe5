/** One repair: plan, blast radius, steps as they go, effect, and its entries in the audit trail. */

import { asOf, link } from "../address.js";
import { get, part, urlOf } from "../api.js";
import { h, replace, table } from "../dom.js";
import { block, fault, load, moment, stateMark } from "../parts.js";
import { me } from "../session.js";
import { repairActs } from "./repair_acts.js";
import { approvals, blastRadius, planSteps, verification } from "./repair_parts.js";

/** @param {HTMLElement} root @param {string[]} parts @param {AbortSignal} gone */
export async function show(root, [id], gone) {
  const path = `/repairs/${part(id)}`, head = h("div", { class: "head" });
  const plan = block("Plan", "what exactly happens"), effect = block("Effect", "exposed against control"), trail = block("Audit", "every entry of it", h("a", { href: `/api/v1/audit/package/${part(id)}`, download: `${id}.json` }, "package for auditors"));
  root.append(head, h("div", { class: "two" }, h("div", null, plan.node, effect.node), h("div", null, trail.node)));
  const who = await me();
  async function draw() {
    if (gone.aborted) return;
    try {
      const repair = await get(path);
      replace(head, h("div", null, h("h1", { class: "any" }, `${repair.strategy.split("@")[0]} on ${repair.target}`), h("div", { class: "meta" }, stateMark(repair.state), repair.reason && ` · ${repair.reason}`, " · for ", h("a", { href: link(`/incidents/${part(repair.incident_id)}`) }, repair.incident_id), ` · ${repair.root_cause} · asked by ${repair.requested_by} `, moment(repair.requested_ms, { seconds: true }), repair.mode === "dry_run" && " · a dry run: it can never run")), h("div", { class: "acts" }, repairActs(repair, who, draw)));
      replace(plan.body, planSteps(repair), blastRadius(repair), approvals(repair), repair.plan_hash && h("p", { class: "small faint mono any" }, `plan ${repair.plan_hash}`));
      replace(effect.body, verification(repair) ?? h("p", { class: "empty" }, "Measured once it ran: the failing share of exposed traces against a control, until it is decided."));
    } catch (error) { replace(plan.body, fault(error)); }
    await load(trail.body, () => get("/audit", { repair: id, limit: 200 }), (page) => table({ caption: "Audit entries", rows: page.items, empty: "No entry.", columns: [{ head: "at", cell: (e) => moment(e.at_ms, { seconds: true }) }, { head: "who", cell: (e) => e.who }, { head: "what", wide: true, cell: (e) => h("a", { href: link("/audit", { repair: id, seq: e.seq }) }, e.what.replaceAll("_", " ")) }] }));
  }
  await draw();
  if (asOf() !== null || gone.aborted) return;
  const stream = new EventSource(urlOf(`${path}/events`));
  let first = true;
  stream.addEventListener("repair", () => { if (!first) draw(); first = false; });
  stream.onerror = () => stream.close();
  gone.addEventListener("abort", () => stream.close());
}
