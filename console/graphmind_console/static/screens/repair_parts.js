/** A repair as a person reads it: plan, blast radius, how far it got, and whether it worked. */

import { lines } from "../charts.js";
import { h, table } from "../dom.js";
import { count, counted, duration, percent } from "../format.js";
import { moment, stateMark } from "../parts.js";

/** @param {any} repair */
export function planSteps(repair) {
  if (!repair.plan) return h("p", { class: "empty" }, repair.reason || "It has no plan yet.");
  const runs = new Map(repair.steps.map((/** @type {any} */ each) => [each.number, each]));
  return h("ol", { class: "steps" }, repair.plan.steps.map((/** @type {any} */ step) => {
    const ran = runs.get(step.number);
    return h("li", null, h("span", { class: "n" }, step.number), h("span", { class: "any" }, step.summary), h("span", { class: "dim" }, ran ? stateMark(ran.state) : `${step.level} level`),
      h("small", null, `now: ${values(step.before)} · undo: ${step.undo ? `${step.undo.action} ${step.undo.target} ${values(step.undo.params)}` : `none. ${step.undoes_with}`}`),
      step.preconditions.length > 0 && h("small", null, `only if ${step.preconditions.join(", ")}`), ran?.detail && h("small", null, ran.detail));
  }));
}

/** @param {Record<string, any>} of */
function values(of) {
  const all = Object.entries(of).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`);
  return all.length ? all.slice(0, 5).join(", ") : "nothing set";
}

/** @param {any} repair */
export function blastRadius(repair) {
  const hit = repair.plan?.impact;
  if (!hit) return null;
  return h("p", { class: "small" }, "Touches ", h("span", { class: "strong" }, `${counted(hit.traces, "trace")}, ${percent(hit.share)} of traffic`), `, ${counted(hit.agents.length, "agent")}, ${counted(hit.tasks.length, "task")}, ${counted(hit.regions.length, "region")}`,
    hit.unfinished > 0 && `; ${count(hit.unfinished)} still run`, hit.hot_restart !== null && (hit.hot_restart ? "; agents restart without losing work" : "; agents lose work when they restart"),
    hit.snapshots > 0 && `; snapshots for ${count(hit.snapshots)}`, hit.context_lost.length > 0 && h("span", { class: "bad" }, `; the context of ${counted(hit.context_lost.length, "task")} would be lost`),
    hit.expected_gain > 0 && `. About ${count(hit.expected_gain)} failures an hour would stop`, repair.plan.warnings.map((/** @type {string} */ each) => h("span", { class: "warn" }, ` ▲ ${each}`)));
}

/** Nodes of a picture that a plan would touch. @param {any} repair @returns {Set<string>} */
export function touched(repair) {
  const hit = repair?.plan?.impact;
  if (!hit) return new Set();
  const targets = repair.plan.steps.map((/** @type {any} */ step) => step.call.target);
  return new Set([...hit.agents.map((/** @type {string} */ n) => `agent:${n}`), ...hit.regions.map((/** @type {string} */ n) => `region:${n}`), ...targets.flatMap((/** @type {string} */ n) => [n, ...["agent", "agent_class", "model_version", "model", "kv_key", "tool", "region", "module", "route"].map((kind) => `${kind}:${n}`)])]);
}

/** @param {any} repair */
export function approvals(repair) {
  return repair.approvals.length > 0 && h("p", { class: "small" }, repair.approvals.map((/** @type {any} */ each) => h("span", null, each.approved ? "Approved" : "Rejected", " by ", h("span", { class: "strong" }, each.who), ` (${each.role}) `, moment(each.at_ms, { seconds: true }), each.reason && `: ${each.reason}`, ". ")));
}

/** Readings seen while the page is open, by repair: what a live chart is drawn of. @type {Map<string, any[]>} */
const seen = new Map();

/** Whether it worked: exposed traces against control, and the boundary that decides. @param {any} repair */
export function verification(repair) {
  const { verification: known } = repair;
  if (!repair.verdict && !Object.keys(known).length) return null;
  const numbers = known.numbers ?? {};
  return h("div", null, h("h3", null, "Did it work?"),
    repair.verdict ? h("p", null, stateMark(repair.verdict), ` ${repair.reason}`) : h("p", { class: "small dim" }, "The effect is being measured.", known.eta_s && ` About ${duration(known.eta_s * 1000)} until there is traffic enough to tell.`),
    rates(numbers), live(repair.repair_id, known), figures(known));
}

/** @param {Record<string, number>} numbers */
function rates(numbers) {
  const rows = [["exposed", "exposed"], ["control", "bystander"], ["took over", "recipient"]].filter(([, group]) => numbers[`${group}_n`] > 0);
  if (!rows.length) return null;
  return h("div", null, rows.map(([name, group], i) => h("div", { class: "ev" }, h("span", null, name), h("div", { class: `track ${i ? "h" : "f"}` }, h("i", { "width%": numbers[`${group}_rate`] * 100 })), h("span", { class: "nowrap" }, `${count(numbers[`${group}_bad`])} of ${count(numbers[`${group}_n`])} fail`))),
    h("p", { class: "why" }, `healthy ${percent(numbers.rate_healthy)} · in the incident ${percent(numbers.rate_incident)} · decided well below ${percent(numbers.bound_healthy)}, without effect above ${percent(numbers.bound_nothing)}`));
}

/** @param {string} id @param {any} known */
function live(id, known) {
  const points = seen.get(id) ?? [];
  if (known.at_ms && known.numbers && points[points.length - 1]?.at_ms !== known.at_ms) points.push(known);
  seen.set(id, points);
  const of = (/** @type {string} */ name) => /** @type {[number, number][]} */ (points.filter((p) => typeof p.numbers[name] === "number").map((p) => [p.at_ms, p.numbers[name]]));
  return lines([{ name: "exposed", points: of("exposed_rate"), colour: "var(--bad-fill)" }, { name: "control", points: of("bystander_rate"), colour: "var(--accent-fill)", dash: "6 3" }],
    { label: "Failing share of exposed traces against control, since this page was opened", y: known.numbers?.bound_healthy, yLabel: "boundary" });
}

/** @param {Record<string, any>} known */
function figures(known) {
  const rows = Object.entries(flat(known)).filter(([, value]) => ["number", "string", "boolean"].includes(typeof value) && value !== "");
  return rows.length > 0 && h("details", null, h("summary", null, "the figures"), table({ caption: "Figures of the verification", rows, columns: [{ head: "figure", wide: true, cell: ([name]) => name.replaceAll("_", " ") }, { head: "value", num: true, cell: ([name, value]) => (name.endsWith("_ms") && value > 1e11 ? moment(value) : name.endsWith("_ms") ? duration(value) : typeof value === "number" ? Number(value.toPrecision(4)) : String(value)) }] }));
}

/** @param {Record<string, any>} of @param {string} [under] @returns {Record<string, any>} */
function flat(of, under = "") {
  return Object.fromEntries(Object.entries(of).flatMap(([name, value]) => (value && typeof value === "object" && !Array.isArray(value) ? Object.entries(flat(value, `${under}${name} `)) : [[`${under}${name}`, value]])));
}
