/** The verdict in five blocks: what, where, since when, who else, what to do. */

import { link } from "../address.js";
import { get, part } from "../api.js";
import { h, replace } from "../dom.js";
import { count, counted, duration, percent, stateWords, symptomWords, utc } from "../format.js";
import { block, load, moment, stateMark } from "../parts.js";
import { drawSinceWhen, drawWhat, drawWhere } from "./incident_verdict.js";
import { exposure, lineage, similar } from "./incident_others.js";
import { showPicture } from "./incident_picture.js";
import { showRepair } from "./incident_repair.js";

/** @param {HTMLElement} root @param {string[]} parts @param {AbortSignal} gone */
export async function show(root, [id], gone) {
  const path = `/incidents/${part(id)}`;
  const incident = await get(path);
  const acts = h("div", { class: "acts" });
  const what = block("What", "they share");
  const where = block("Where", "it breaks");
  const when = block("Since when", "");
  const who = block("Who else", "is exposed now");
  const map = block("Topology", "causes in the middle, traces collapsed to counts");
  const todo = block("What to do", "", null, "todo");
  root.append(header(incident, acts), h("div", { class: "two" }, h("div", null, what.node, where.node, when.node), h("div", null, who.node, todo.node)), map.node, tracesLink(incident));
  document.title = `${incident.title} · graphmind`;
  const [exposed, spread] = [h("div"), h("div")];
  who.body.append(exposed, spread);
  const past = h("div"), repair = h("div");
  todo.body.append(past, repair);
  const graph = showPicture(map.body, path, gone);
  await Promise.all([
    load(what.body, () => get(`${path}/causes`), (found) => drawWhat(incident, found)),
    load(where.body, () => get(`${path}/evidence`), (found) => drawWhere(incident, found)),
    load(when.body, () => get(`${path}/timeline`), (found) => drawSinceWhen(incident, found)),
    load(exposed, () => get(`${path}/exposure`), exposure),
    incident.symptom === "wrong" || incident.causes.some((/** @type {any} */ each) => each.kind.includes("kv_key")) ? load(spread, () => get(`${path}/lineage`), lineage) : replace(spread),
    load(past, () => get(`${path}/similar`), similar),
    graph.ready, showRepair({ incident, root: repair, acts, gone, outline: graph.outline }),
  ]);
}

/** @param {any} incident @param {HTMLElement} acts */
function header(incident, acts) {
  const failing = incident.trace_count ?? incident.trace_ids.length;
  const cause = incident.causes[0];
  const place = incident.root_module ? ` at ${incident.root_module}` : "";
  const codes = Object.keys(incident.error_codes);
  const dot = " · ";
  return h("div", { class: "head" },
    h("div", null,
      h("h1", null, `${counted(failing, "trace")} ${symptomWords(incident.symptom)}${place}`, cause ? ` because of ${cause.label}` : ", and no shared cause is known"),
      h("div", { class: "meta" }, stateMark(incident.state), incident.repair_state && [dot, "repair ", stateMark(incident.repair_state)],
        dot, h("span", { class: "strong" }, cause ? `${percent(incident.confidence)} sure` : "not explained"), dot, "since ", moment(incident.onset_ms, { seconds: true }),
        ` (${duration((incident.until_ms ?? Date.now()) - incident.onset_ms)})`, dot, `severity ${incident.severity}`, codes.length > 0 && [dot, codes.slice(0, 2).join(", ")], dot,
        `${counted(incident.agent_count, "agent")}, ${counted(incident.task_count, "task type")}, ${counted(incident.region_count, "region")}`, dot,
        h("span", { class: "faint", title: utc(incident.opened_ms) }, incident.incident_id))),
    acts);
}

/** @param {any} incident */
function tracesLink(incident) {
  const failing = incident.trace_count ?? incident.trace_ids.length;
  return h("p", { class: "small dim" }, h("a", { href: link("/traces", { incident_id: incident.incident_id }) }, `All ${count(failing)} failing traces`), " · ",
    h("a", { href: link("/compare", { a_incident_id: incident.incident_id }) }, "Compare them against everything else"),
    incident.history.length > 0 && [" · was ", incident.history.slice(-4).map((/** @type {any} */ each, /** @type {number} */ i) => [i > 0 && ", ", stateWords(each.state), " ", moment(each.at_ms)])]);
}
