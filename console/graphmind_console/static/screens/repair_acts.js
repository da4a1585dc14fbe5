/** What may be asked of a repair: each button says why it cannot be pressed. */

import { asOf } from "../address.js";
import { getVersioned, part, post } from "../api.js";
import { h } from "../dom.js";
import { counted, percent } from "../format.js";
import { askFirst } from "../parts.js";
import { whyNot } from "../session.js";

const BEFORE_RUN = ["proposed", "planned", "awaiting_approval", "approved"];
const UNDOABLE = ["verifying", "succeeded", "ineffective", "inconclusive", "harmful", "failed"];

/** @param {{label: string, role: string, who: any, onclick: () => void, go?: boolean}} spec */
export function act({ label, role, who, onclick, go }) {
  const why = asOf() !== null ? "This is the past: go back to now to act" : whyNot(who, role);
  return h("button", { class: go ? "go" : null, disabled: Boolean(why), title: why || null, onclick }, label);
}

/** @param {any} repair @param {any} who @param {() => void} done */
export function repairActs(repair, who, done) {
  const path = `/repairs/${part(repair.repair_id)}`;
  /** @param {string} verb @param {any} body */
  const change = async (verb, body) => {
    const { etag } = await getVersioned(path);
    await post(`${path}/${verb}`, body, { "if-match": etag });
    done();
  };
  const ask = (/** @type {string} */ verb, /** @type {string} */ title, /** @type {string} */ text, /** @type {(reason: string) => any} */ body) => () => askFirst({ title, text, go: title, act: (reason) => change(verb, body(reason)) });
  const hit = repair.plan?.impact;
  const plan = repair.plan ? `${counted(repair.plan.steps.length, "step")}, touching ${percent(hit.share)} of traffic. The approval holds for exactly this plan.` : "";
  const reason = (/** @type {string} */ text) => ({ reason: text }), decided = (/** @type {string} */ text) => ({ plan_hash: repair.plan_hash, reason: text });
  const { state } = repair;
  return [
    BEFORE_RUN.includes(state) && act({ label: "Cancel", role: "responder", who, onclick: ask("cancel", "Cancel the repair", "It has not run; nothing was changed.", reason) }),
    state === "awaiting_approval" && act({ label: "Reject", role: "approver", who, onclick: ask("reject", "Reject the plan", plan, decided) }),
    state === "awaiting_approval" && act({ label: "Approve plan", role: "approver", go: true, who, onclick: ask("approve", "Approve the plan", plan, decided) }),
    state === "approved" && act({ label: "Run", role: "responder", go: true, who, onclick: ask("run", "Run the repair", plan, () => undefined) }),
    state === "running" && act({ label: "Intercept", role: "responder", who, onclick: ask("intercept", "Intercept the repair", "It stops before its next step, and what it did is undone.", reason) }),
    UNDOABLE.includes(state) && repair.steps.length > 0 && act({ label: "Undo", role: "responder", who, onclick: ask("undo", "Undo the repair", "Last step first, back to the state before.", reason) }),
  ];
}
