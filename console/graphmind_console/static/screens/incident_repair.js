/** What to do: the plan of the newest repair, or the choice of a strategy for the first. */

import { link } from "../address.js";
import { get, part, post, urlOf } from "../api.js";
import { h, replace } from "../dom.js";
import { because, count } from "../format.js";
import { askFirst, fault, stateMark } from "../parts.js";
import { me } from "../session.js";
import { act, repairActs } from "./repair_acts.js";
import { approvals, blastRadius, planSteps, touched, verification } from "./repair_parts.js";

const ENDED = ["expired", "rejected", "cancelled", "rolled_back", "intercepted", "suppressed", "failed", "ineffective", "harmful", "inconclusive", "succeeded"];

/** @param {{incident: any, root: HTMLElement, acts: HTMLElement, gone: AbortSignal, outline: (ids: Set<string>) => void}} on */
export async function showRepair(on) {
  const { incident, root, acts, gone, outline } = on;
  const path = `/incidents/${part(incident.incident_id)}`, own = `incident:${incident.incident_id}`;
  /** @type {EventSource | null} */
  let stream = null;
  gone.addEventListener("abort", () => stream?.close());
  replace(root, h("p", { class: "waiting" }, "looking for what can be done…"));
  async function draw() {
    if (gone.aborted) return;
    try {
      const [who, page, { suppressed }] = await Promise.all([me(), get("/repairs", { incident_id: incident.incident_id, limit: 10 }), get("/repairs/switches")]);
      const kept = suppressed.find((/** @type {any} */ each) => each.target === own);
      const newest = page.items[0];
      const repair = newest && (await get(`/repairs/${part(newest.repair_id)}`));
      outline(touched(repair));
      const plans = !repair || ENDED.includes(repair.state);
      const found = plans ? await get(`${path}/repairs/choices`) : null;
      replace(acts, kept ? act({ label: "Lift", role: "responder", who, onclick: lift }) : act({ label: "Suppress", role: "responder", who, onclick: suppress }), repair && repairActs(repair, who, draw),
        !kept && found?.matches.length && act({ label: "Plan a repair", role: "responder", go: true, who, onclick: () => plan(null, draw) }));
      replace(root, kept && h("p", { class: "strong" }, `Repairs are suppressed by ${kept.by}${because(kept.why)}.`), repair && shown(repair, page.items.length), found && choices(found, who));
      if (repair && !plans && !stream) follow(repair.repair_id);
    } catch (error) {
      replace(root, proposed(incident.command), fault(error));
    }
  }
  /** @param {string} id */
  function follow(id) {
    stream = new EventSource(urlOf(`/repairs/${part(id)}/events`));
    let first = true;
    stream.addEventListener("repair", () => { if (!first) draw(); first = false; });
    stream.onerror = () => stream?.close();
  }
  /** @param {{strategy_id: string, title: string} | null} strategy @param {() => void} done */
  function plan(strategy, done) {
    askFirst({
      title: "Plan a repair", text: `${strategy?.title ?? "The best match"}: reads the present state of each target and says what exactly would happen. Nothing is changed.`, go: "Plan",
      act: async () => { await post(`${path}/repairs`, { strategy: strategy?.strategy_id ?? null }, { "idempotency-key": oneTimeKey() }); done(); }, bare: true,
    });
  }
  /** @param {string} title @param {string} text @param {number | null} until_ms */
  const turn = (title, text, until_ms) => () => askFirst({ title, text, go: title.split(" ")[0], act: async (reason) => { await post("/repairs/suppress", { target: own, reason, until_ms }); await draw(); } });
  const suppress = turn("Suppress repairs", "No repair of this incident is planned or run until that is lifted.", null);
  const lift = turn("Lift the suppression", "Repairs of this incident may be planned and run again.", 0);
  /** @param {any} found @param {any} who */
  function choices(found, who) {
    return h("div", null, found.matches.length ? h("ol", { class: "steps" }, found.matches.slice(0, 4).map((/** @type {any} */ each, /** @type {number} */ i) => h("li", null, h("span", { class: "n" }, i + 1), h("span", null, h("span", { class: "strong" }, each.title), " ", h("span", { class: "dim" }, each.key)),
      act({ label: "Plan", role: "responder", who, onclick: () => plan(each, draw) }), h("small", null, `${each.repair_level} level · ${each.record.tried ? each.record.words : each.elsewhere.words} · ${each.reasons.join("; ")}`))))
      : h("p", null, found.summary), proposed(incident.command),
    found.others.length > 0 && h("details", null, h("summary", null, `why ${count(found.others.length)} other strategies do not fit`), h("dl", { class: "small" }, found.others.map((/** @type {any} */ each) => [h("dt", null, each.title), h("dd", null, each.reasons.join("; "))]))));
  }
  await draw();
}

/** @param {any} repair @param {number} all */
function shown(repair, all) {
  return h("div", null, h("p", null, h("a", { class: "strong", href: link(`/repairs/${part(repair.repair_id)}`) }, repair.strategy), " on ", h("span", { class: "any" }, repair.target), " ", stateMark(repair.state), repair.reason && h("span", { class: "dim small" }, ` ${repair.reason}`)),
    planSteps(repair), blastRadius(repair), approvals(repair), verification(repair), all > 1 && h("p", { class: "small" }, h("a", { href: link("/repairs", { incident_id: repair.incident_id }) }, `all ${count(all)} repairs of this incident`)));
}

/** Also where the page came without TLS, so that `crypto.randomUUID` is not there. */
const oneTimeKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {any} command */
function proposed(command) {
  if (!command.repair_path.length) return null;
  return h("div", null, h("h3", null, "Proposed by the diagnosis"), h("ol", { class: "path" }, command.repair_path.map((/** @type {string} */ each, /** @type {number} */ i) => [i > 0 && h("li", { class: "sep", "aria-hidden": "true" }, "›"), h("li", null, each.replaceAll("_", " "))])),
    h("p", { class: "small dim" }, command.reasons.join("; "), ` Would touch ${count(command.touches.traces)} traces and ${count(command.touches.agents.length)} agents.`));
}
