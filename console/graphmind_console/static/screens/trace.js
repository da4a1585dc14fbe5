/** One trace: a waterfall with own time, logs beside their spans, what it touched, and links out. */

import { link, param, setParams } from "../address.js";
import { get, part } from "../api.js";
import { h, replace, table } from "../dom.js";
import { count, counted, duration, kindWords } from "../format.js";
import { block, cypher, moment, stateMark } from "../parts.js";

const SPANS_MAX = 600;

/** @param {HTMLElement} root @param {string[]} parts */
export async function show(root, [id]) {
  const trace = await get(`/traces/${part(id)}`);
  const chosen = h("div");
  const items = block("Touched", "and how much more often those fail"), lines = block("Logs", "of no known span");
  items.body.append(touched(trace));
  root.append(header(trace), h("h2", null, h("b", null, "Waterfall"), `${counted(trace.spans.length, "span")}`, trace.hidden_spans > 0 && `, ${count(trace.hidden_spans)} not shown`, h("span", { class: "end small" }, "dark mark: own time ends · striped: recovery")), waterfall(trace, chosen), chosen,
    h("div", { class: "two" }, items.node, h("div", null, trace.loose_lines.length > 0 && (lines.body.append(logs(trace.loose_lines)), lines.node), cypher(trace.query))));
}

/** @param {any} trace */
function header(trace) {
  const out = [["Jaeger", trace.links.jaeger], ["Neo4j Browser", trace.links.neo4j_browser]].filter(([, url]) => url);
  return h("div", { class: "head" }, h("div", null, h("h1", { class: "any" }, `Trace ${trace.trace_id}`),
    h("div", { class: "meta" }, stateMark(trace.outcome), trace.fault_module && [" at ", h("span", { class: "strong" }, trace.fault_module)], trace.error_code && ` · ${trace.error_code}`, ` · ${trace.task ?? "no task"} · `, moment(trace.started_ms, { seconds: true }), ` · ${duration(trace.duration_ms)}`,
      trace.agent && ` · ${trace.agent}`, trace.region && ` · ${trace.region}`, trace.model_version && ` · ${trace.model_version}`, !trace.complete && h("span", { class: "warn" }, " · ▲ spans are missing"), trace.recovered && h("span", { class: "ok" }, " · ✓ recovered"),
      trace.incident_ids.map((/** @type {string} */ each) => [" · ", h("a", { href: link(`/incidents/${part(each)}`) }, each)]), trace.continues.map((/** @type {string} */ each) => [" · links to ", h("a", { href: link(`/traces/${part(each)}`) }, each)]))),
  h("div", { class: "acts" }, out.map(([name, url]) => h("a", { class: "button", href: url, rel: "noreferrer" }, name))));
}

/** @param {any} trace @param {HTMLElement} chosen */
function waterfall(trace, chosen) {
  const from = Math.min(...trace.spans.map((/** @type {any} */ s) => s.started_ms)), until = Math.max(...trace.spans.map((/** @type {any} */ s) => s.started_ms + (s.duration_ms ?? 0)), from + 1);
  const pick = (/** @type {any} */ span) => { setParams({ span: span.span_id }, { redraw: false }); replace(chosen, spanFacts(span)); };
  const first = trace.spans.find((/** @type {any} */ s) => s.span_id === param("span")) ?? trace.spans.find((/** @type {any} */ s) => s.is_fault);
  if (first) replace(chosen, spanFacts(first));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Waterfall" }, h("table", { class: "wf" }, h("caption", { class: "unseen" }, "Spans in their tree"),
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "span"), h("th", { scope: "col" }, `0 to ${duration(until - from)}`), h("th", { class: "num", scope: "col" }, "took"), h("th", { class: "num", scope: "col" }, "own"))),
    h("tbody", null, trace.spans.slice(0, SPANS_MAX).map((/** @type {any} */ span) => row(span, from, until, pick)))));
}

/** @param {any} span @param {number} from @param {number} until @param {(span: any) => void} pick */
function row(span, from, until, pick) {
  const left = ((span.started_ms - from) / (until - from)) * 100, wide = ((span.duration_ms ?? until - span.started_ms) / (until - from)) * 100, own = ((span.self_ms ?? 0) / (until - from)) * 100;
  const indent = h("span", { class: "in" });
  indent.style.width = `${Math.min(span.depth, 16) * 12}px`;
  return h("tr", { class: span.status === "error" || span.is_fault ? "failed" : span.recovery_of ? "recovery" : null },
    h("td", { title: `${span.module ?? ""} ${span.operation ?? ""}` }, indent, h("button", { class: "plain", onclick: () => pick(span) }, span.module ?? span.service ?? "span"), " ", h("span", { class: "small" }, span.operation), span.is_fault && h("span", { class: "bad small strong" }, " ✕ went wrong here"), span.recovery_of && h("span", { class: "ok small" }, " ↻ recovery"), span.log_lines.length > 0 && h("span", { class: "dim small" }, ` ${counted(span.log_lines.length, "log line")}`)),
    h("td", null, h("div", { class: "lane" }, h("i", { "left%": Math.min(99.5, left), "width%": Math.min(wide, 100 - left) }), own > 0.2 && h("b", { "left%": Math.min(99.7, left + Math.min(own, wide)), title: `own time ${duration(span.self_ms)}` }))),
    h("td", { class: "num" }, span.duration_ms === null ? "not ended" : duration(span.duration_ms)), h("td", { class: "num dim" }, duration(span.self_ms)));
}

/** @param {any} span */
function spanFacts(span) {
  const facts = [["operation", span.operation], ["service", span.service], ["agent", span.agent], ["region", span.region], ["model version", span.model_version], ["key", span.kv_key], ["kind", span.kind], ["status", span.status], ["error code", span.error_code], ["message", span.message], ["replaces", span.recovery_of], ["span id", span.span_id], ...Object.entries(span.attributes)].filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("section", { "aria-label": "The span chosen" }, h("h3", null, span.module ?? span.operation ?? "span"), h("div", { class: "two even" }, h("dl", { class: "small" }, facts.map(([name, value]) => [h("dt", null, name), h("dd", null, typeof value === "object" ? JSON.stringify(value) : String(value))])),
    span.log_lines.length ? logs(span.log_lines) : h("p", { class: "empty small" }, "No log line belongs to this span. Lines are joined by trace and span id, or by service and time.")));
}

/** @param {any[]} lines */
const logs = (lines) => table({ caption: "Log lines", rows: lines, columns: [{ head: "at", cell: (l) => moment(l.at_ms, { seconds: true, short: true }) }, { head: "level", cell: (l) => h("span", { class: l.severity === "error" ? "bad" : null }, l.severity) }, { head: "line", wide: true, cell: (l) => h("span", { class: "mono" }, l.text) }] });

/** @param {any} trace */
const touched = (trace) => table({ caption: "Items touched", rows: trace.items, empty: "It touched nothing that graphmind knows: no agent, model, region, tool or key is named in its spans.", columns: [
  { head: "kind", cell: (i) => kindWords(i.kind) }, { head: "name", wide: true, cell: (i) => i.name }, { head: "failing", num: true, cell: (i) => count(i.failing) }, { head: "of traces", num: true, cell: (i) => count(i.traces) }, { head: "lift", num: true, cell: (i) => (i.lift === null ? "-" : `${i.lift.toFixed(1)} ×`) }] });
