/** The sections of a weekly review. */

import { link } from "../address.js";
import { part } from "../api.js";
import { dayBars, sideBar, valueBar } from "../charts.js";
import { h, table } from "../dom.js";
import { count, counted, duration, percent, shiftWords } from "../format.js";
import { moment, stateMark } from "../parts.js";

/** @param {any} found */
export function facts(found) {
  const share = (/** @type {number} */ failing, /** @type {number} */ traces) => (traces ? percent(failing / traces) : "-");
  const shown = [
    [count(found.traces), `traces; ${count(found.traces_before)} the week before`], [share(found.failing, found.traces), `failing; ${share(found.failing_before, found.traces_before)} the week before`],
    [count(found.new.length), "new causes"], [count(found.recurring.length), "recurring"], [count(found.resolved.length), "resolved"], [found.saved_s === null ? "-" : duration(found.saved_s * 1000), "saved by repairs"]];
  return h("div", { class: "facts" }, shown.map(([value, name]) => h("div", null, h("b", null, value), h("span", null, name))));
}

/** @param {any[]} found */
export function questions(found) {
  if (!found.length) return h("p", { class: "empty" }, "Nothing in this week asks for a decision.");
  return h("ol", { class: "asks" }, found.map((each) => h("li", null, each.text, each.evidence.map((/** @type {any} */ one) => h("div", { class: "small" },
    h("a", { href: one.href }, one.label), " · ", h("a", { href: link(`/explore/${part(one.question)}`, { ...one.parameters, asked: 1 }) }, `ask the graph: ${one.question.replaceAll("_", " ")}`))))));
}

/** Share of traces that failed, day by hour of UTC. @param {any} found */
export function strip(found) {
  const most = Math.max(...found.days.flatMap((/** @type {any} */ day) => day.hours.map((/** @type {number | null} */ share) => share ?? 0)));
  const cells = (/** @type {any} */ day, /** @type {number} */ number) => day.hours.map((/** @type {number | null} */ share, /** @type {number} */ hour) => {
    const since = found.since_ms + (number * 24 + hour) * 3_600_000, said = `${day.day} ${hour}:00 UTC: ${percent(share)} failed`;
    if (share === null) return h("td", { class: "none" });
    const td = h("td", null, share > 0 ? h("a", { href: link("/traces", { since_ms: since, until_ms: since + 3_600_000, failing: true }), title: said, "aria-label": said }) : h("span", { title: said }));
    if (share > 0) td.style.background = `rgb(var(--heat) / ${(0.18 + 0.82 * Math.sqrt(share / most)).toFixed(2)})`;
    return td;
  });
  return [h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Failures by day" }, h("table", { class: "heat" }, h("caption", { class: "unseen" }, "Share of traces that failed, by day and hour"), h("colgroup", null, h("col", { class: "name" }), Array.from({ length: 24 }, () => h("col"))),
    h("tbody", null, found.days.map((/** @type {any} */ day, /** @type {number} */ number) => h("tr", null, h("th", { scope: "row" }, day.day), cells(day, number))),
      h("tr", null, h("th", null, ""), ["00", "06", "12", "18"].map((hour) => h("td", { class: "axis", colspan: 6 }, hour)))))),
  h("p", { class: "small dim" }, most ? `At most ${percent(most)} of an hour's traces failed; hours of UTC.` : "Nothing failed.")];
}

/** @param {any[]} found @param {string} empty */
export const causes = (found, empty) => table({ caption: empty, rows: found, empty, columns: [
  { head: "cause", wide: true, cell: (c) => [h("span", { class: "strong" }, c.cause), h("div", { class: "why" }, `${c.symptom.replaceAll("_", " ")}; ${c.said}`)] },
  { head: "incidents", cell: (c) => c.incident_ids.slice(0, 3).map((/** @type {string} */ id) => h("div", null, h("a", { href: link(`/incidents/${part(id)}`) }, id))) },
  { head: "Mon-Sun", cell: (c) => dayBars(c.days) }, { head: "failing", num: true, cell: (c) => count(c.failing) }, { head: "before", num: true, cell: (c) => count(c.failing_before) },
  { head: "sure", num: true, cell: (c) => percent(c.confidence) }, { head: "weeks", cell: (c) => (c.weeks.length > 3 ? `${c.weeks[0]} ... ${c.weeks[c.weeks.length - 1]} (${c.weeks.length})` : c.weeks.join(", ")) },
  { head: "repair", cell: (c) => (c.repair ? stateMark(c.repair) : h("span", { class: "dim" }, "none")) }] });

/** @param {any} found */
export function groups(found) {
  const parts = (/** @type {any} */ g) => {
    const lists = /** @type {[string, string[]][]} */ ([["members", g.members], ["joined", g.joined], ["left", g.left]]).filter(([, names]) => names.length);
    return h("details", null, h("summary", null, lists.map(([word, names]) => `${names.length} ${word}`).join(", ")), lists.map(([word, names]) => h("div", { class: "small any" }, h("b", null, word), `: ${names.join(", ")}`)));
  };
  return [table({ caption: "What fails together", rows: found.topology, empty: "Nothing failed together in this week or the one before.", columns: [
    { head: "community", wide: true, cell: (g) => h("span", { class: "strong" }, g.name) }, { head: "standing", cell: (g) => g.standing }, { head: "failing", num: true, cell: (g) => count(g.failing) }, { head: "before", num: true, cell: (g) => count(g.failing_before) }, { head: "parts", cell: parts }] }),
  found.topology.length > 0 && h("p", { class: "small" }, h("a", { href: link("/explore/failing_together", week(found)) }, "ask the graph what fails together"))];
}

/** @param {any} found */
export function faults(found) {
  const most = Math.max(...found.faults.map((/** @type {any} */ f) => Math.max(f.failing, f.failing_before)), 1);
  return [table({ caption: "Where traces went wrong", rows: found.faults, empty: "No trace failed in this week.", columns: [
    { head: "path, from the root", wide: true, cell: (f) => f.path || "not located" }, { head: "outcome", cell: (f) => stateMark(f.outcome) }, { head: "failing", num: true, cell: (f) => count(f.failing) },
    { head: "", cell: (f) => valueBar(f.failing, f.failing_before, most, `${count(f.failing)} failing, ${count(f.failing_before)} before`) }, { head: "before", num: true, cell: (f) => count(f.failing_before) }] }),
  found.faults.length > 0 && h("p", { class: "small" }, h("a", { href: link("/traces", { since_ms: found.since_ms, until_ms: found.until_ms, failing: true }) }, "the failing traces of the week"))];
}

/** @param {any} found */
export function paths(found) {
  return [table({ caption: "Frequent failing paths", rows: found.paths, empty: "On no path did more traces fail than elsewhere.", columns: [
    { head: "path, from the root", wide: true, cell: (p) => p.path.join(" > ") }, { head: "failing", num: true, cell: (p) => count(p.failing) }, { head: "before", num: true, cell: (p) => (p.failing_before === null ? "-" : count(p.failing_before)) },
    { head: "share that fails", num: true, cell: (p) => percent(p.failing / (p.failing + p.passed)) }, { head: "times the usual", num: true, cell: (p) => p.lift.toFixed(1) }] }),
  found.paths.length > 0 && h("p", { class: "small" }, h("a", { href: link("/explore/frequent_failing_paths", week(found)) }, "ask the graph for the paths"))];
}

const COLLECTIONS = /** @type {Record<string, string>} */ ({ model_version: "model-versions", region: "regions", agent: "agents", kv_key: "kv-keys" });

/** A thing with a page of its own becomes a link there, to the time of the review. @param {any} found @param {string} kind @param {string} name @param {string} [text] */
const thing = (found, kind, name, text = name) => (COLLECTIONS[kind] ? h("a", { href: link(`/health/${COLLECTIONS[kind]}/${part(name)}`, { since_ms: found.since_ms, until_ms: found.until_ms }) }, text) : text);

/** @param {any} found */
export function league(found) {
  const most = Math.max(...found.league.map((/** @type {any} */ r) => r.high), 0.001);
  return table({ caption: "Versions and regions", rows: found.league, empty: "No trace names a model version or a region.", columns: [
    { head: "name", wide: true, cell: (r) => [thing(found, r.kind, r.name), h("div", { class: "why" }, r.kind.replaceAll("_", " "))] }, { head: "traces", num: true, cell: (r) => count(r.traces) }, { head: "failing share", num: true, cell: (r) => percent(r.share) },
    { head: "95 % interval; the week before", cell: (r) => valueBar(r.share, r.share_before, most, `${percent(r.share)}, between ${percent(r.low)} and ${percent(r.high)}`, [r.low, r.high]) }, { head: "before", num: true, cell: (r) => percent(r.share_before) },
    { head: "trend", cell: (r) => h("span", { class: r.trend === "worse" ? "bad strong" : r.trend === "better" ? "ok strong" : "dim" }, r.trend) }] });
}

/** @param {any} found */
export const leave = (found) => table({ caption: "Versions to leave", rows: found.advices, empty: "No version is sure to fail clearly more often than the traces without it.", columns: [
  { head: "leave", wide: true, cell: (a) => thing(found, "model_version", a.leave) }, { head: "go back to", wide: true, cell: (a) => (a.go_to ? thing(found, "model_version", a.go_to) : h("span", { class: "dim" }, "none is better")) }, { head: "why", wide: true, cell: (a) => h("span", { class: "why" }, a.why) }] });

/** @param {any} found */
export function drifts(found) {
  const most = Math.max(...found.drifts.map((/** @type {any} */ d) => Math.abs(d.response_shift)), 0.001);
  return table({ caption: "Drift of agents", rows: found.drifts, empty: "No agent answers more slowly, or goes other ways, than in the week before.", columns: [
    { head: "agent", wide: true, cell: (d) => thing(found, "agent", d.agent) }, { head: "before", num: true, cell: (d) => duration(d.was_mean_ms) }, { head: "now", num: true, cell: (d) => duration(d.mean_ms) },
    { head: "shift", num: true, cell: (d) => shiftWords(d.response_shift) }, { head: "faster, slower", cell: (d) => sideBar(d.response_shift, most, shiftWords(d.response_shift)) },
    { head: "other ways", num: true, cell: (d) => `${d.branch_shift.toFixed(2)} bits` }, { head: "since", cell: (d) => moment(d.since_ms) }] });
}

/** @param {any[]} found */
export const repairs = (found) => table({ caption: "Repairs", rows: found, empty: "No repair was asked for in this week.", href: (r) => link(`/repairs/${part(r.repair_id)}`), columns: [
  { head: "asked for", cell: (r) => moment(r.requested_ms) }, { head: "strategy", wide: true, cell: (r) => h("a", { href: link(`/repairs/${part(r.repair_id)}`) }, r.strategy) }, { head: "incident", cell: (r) => [h("a", { href: link(`/incidents/${part(r.incident_id)}`) }, r.incident_id), h("div", { class: "why" }, r.cause)] },
  { head: "by", cell: (r) => r.operator }, { head: "verdict", cell: (r) => stateMark(r.verdict || r.state) }, { head: "to verdict", num: true, cell: (r) => (r.effect_s === null ? "-" : duration(r.effect_s * 1000)) }, { head: "saved", num: true, cell: (r) => h("span", { title: r.why }, r.saved_s === null ? "-" : duration(r.saved_s * 1000)) }] });

/** @param {any} found */
export function risks(found) {
  const named = (/** @type {string} */ name) => { const [kind, ...rest] = name.split(" "); return thing(found, kind, rest.join(" "), name); };
  return [table({ caption: "Quiet risks", rows: found.risks, empty: "No single point and no busy key was found.", columns: [{ head: "risk", cell: (r) => r.kind }, { head: "what", wide: true, cell: (r) => named(r.name) }, { head: "why", wide: true, cell: (r) => r.said }] }),
    found.risks.length > 0 && h("p", { class: "small" }, h("a", { href: link("/explore/quiet_risks", week(found)) }, `ask the graph about ${counted(found.risks.length, "risk")} of this sort`))];
}

/** @param {any} found */
const week = (found) => ({ from_ms: found.since_ms, until_ms: found.until_ms, asked: 1 });
