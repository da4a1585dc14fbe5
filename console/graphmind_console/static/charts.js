/** Pictures in time, drawn as SVG at the width of their column. */

import { svg } from "./dom.js";
import { duration, percent, time } from "./format.js";

const [WIDTH, BOTTOM, TOP] = [700, 92, 34];

/**
 * The failing share over time with the onset, its interval, and changes as flags.
 * @param {{points: {at_ms: number, traces: number, failing: number}[], step_ms: number, onset_ms: number, onset_low_ms: number, onset_high_ms: number,
 *   changes: {at_ms: number, kind: string, target: string, of_cause: boolean}[], repairs: {at_ms: number, state: string}[]}} line
 */
export function timeStrip(line) {
  const { points } = line;
  const known = line.changes.slice(0, 4);
  const from = Math.min(points[0].at_ms, ...known.map((each) => each.at_ms).filter((at) => points[0].at_ms - at < 3_600_000));
  const until = points[points.length - 1].at_ms + line.step_ms;
  const x = (/** @type {number} */ at) => ((at - from) / (until - from)) * WIDTH;
  const share = points.map((p) => (p.traces ? p.failing / p.traces : 0));
  const most = Math.max(0.01, ...share);
  const y = (/** @type {number} */ s) => BOTTOM - (s / most) * (BOTTOM - TOP);
  const drawn = points.map((p, i) => `${x(p.at_ms + line.step_ms / 2).toFixed(1)},${y(share[i]).toFixed(1)}`).join(" ");
  const onset = x(line.onset_ms), onRight = onset > WIDTH * 0.7;
  const [low, high] = [x(Math.max(from, line.onset_low_ms)), x(Math.min(until, line.onset_high_ms))];
  return svg("svg", { viewBox: `0 0 ${WIDTH} 132`, width: "100%", role: "img", "aria-label": `The failing share rises to ${percent(most)}; onset ${time(line.onset_ms, { seconds: true })}` },
    svg("line", { x1: 0, x2: WIDTH, y1: BOTTOM, y2: BOTTOM, stroke: "var(--rule)" }),
    svg("rect", { x: low, width: Math.max(3, high - low), y: 16, height: BOTTOM - 16, fill: "var(--bad-fill)", opacity: 0.16 }),
    svg("polyline", { points: drawn, fill: "none", stroke: "var(--bad-fill)", "stroke-width": 2, "stroke-linejoin": "round" }),
    svg("line", { x1: onset, x2: onset, y1: 16, y2: BOTTOM, stroke: "var(--bad)", "stroke-dasharray": "3 3" }),
    svg("text", { x: onset + (onRight ? -6 : 6), y: 12, "text-anchor": onRight ? "end" : "start" }, `onset ${time(line.onset_ms, { seconds: true, short: true })} ± ${duration(Math.max(0, line.onset_high_ms - line.onset_low_ms) / 2)}`),
    svg("text", { class: "d", x: WIDTH, y: y(most) - 6, "text-anchor": "end" }, `at most ${percent(most)}`),
    known.filter((each) => each.at_ms >= from && each.at_ms <= until).map((each, i) => flag(x(each.at_ms), each, i)),
    line.repairs.map((each) => svg("path", { d: `M${x(each.at_ms)} ${BOTTOM}l-4 8h8z`, fill: "var(--ok-fill)" }, svg("title", null, `repair ${each.state}`))),
    ticks(from, until).map((at, i, all) => svg("text", { class: "d", x: x(at), y: 126, "text-anchor": i === 0 ? "start" : i === all.length - 1 ? "end" : "middle" }, time(at, { short: true }))));
}

/** @param {number} at @param {{at_ms: number, kind: string, target: string, of_cause: boolean}} change @param {number} index */
function flag(at, change, index) {
  const colour = change.of_cause ? "var(--accent-fill)" : "var(--faint)";
  const top = 104 + (index % 2) * 0, left = at > WIDTH * 0.6;
  return svg("g", null, svg("path", { d: `M${at} ${BOTTOM + 8}V${TOP + 20}h10l-3 5 3 5h-10`, fill: colour, stroke: colour }),
    index < 1 && svg("text", { x: at + (left ? -4 : 4), y: top + 6, "text-anchor": left ? "end" : "start", class: change.of_cause ? null : "d" }, `${time(change.at_ms, { short: true })} ${change.kind} ${change.target}`),
    svg("title", null, `${time(change.at_ms)} ${change.kind} ${change.target}`));
}

/** @param {number} from @param {number} until */
function ticks(from, until) {
  return [0, 0.25, 0.5, 0.75, 1].map((share) => from + (until - from) * share);
}

/**
 * Lines over time, each with its name at its end: told apart by dashes too.
 * @param {{name: string, points: [number, number][], colour: string, dash?: string}[]} series @param {{label: string, y?: number, yLabel?: string, say?: (value: number) => string}} how
 */
export function lines(series, how) {
  const all = series.flatMap((each) => each.points);
  if (all.length < 2) return null;
  const xs = all.map(([x]) => x), ys = all.map(([, y]) => y).concat(how.y ?? []);
  const [from, until, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(0, ...ys), Math.max(...ys) || 1];
  const x = (/** @type {number} */ v) => ((v - from) / (until - from || 1)) * 600, y = (/** @type {number} */ v) => 100 - ((v - low) / (high - low || 1)) * 84;
  const say = how.say ?? percent;
  return svg("svg", { viewBox: "0 0 700 124", width: "100%", role: "img", "aria-label": how.label },
    svg("line", { x1: 0, x2: 600, y1: y(0), y2: y(0), stroke: "var(--rule)" }),
    how.y !== undefined && [svg("line", { x1: 0, x2: 600, y1: y(how.y), y2: y(how.y), stroke: "var(--warn)", "stroke-dasharray": "6 3" }), svg("text", { x: 606, y: y(how.y) + 4 }, how.yLabel ?? "boundary")],
    series.filter((each) => each.points.length).map((each) => [
      svg("polyline", { points: each.points.map((p) => `${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`).join(" "), fill: "none", stroke: each.colour, "stroke-width": 2, "stroke-dasharray": each.dash ?? null }),
      svg("text", { x: 606, y: y(each.points[each.points.length - 1][1]) + 4 }, `${each.name} ${say(each.points[each.points.length - 1][1])}`)]),
    svg("text", { class: "d", x: 0, y: 120 }, time(from, { seconds: true })), svg("text", { class: "d", x: 600, y: 120, "text-anchor": "end" }, time(until, { seconds: true })));
}

const [BAR, BAR_H] = [160, 14];

/** Seven bars, Monday first. @param {number[]} days */
export function dayBars(days) {
  const most = Math.max(...days, 1), tall = (/** @type {number} */ value) => Math.max((14 * value) / most, 1);
  return svg("svg", { viewBox: "0 0 70 16", width: 70, height: 16, role: "img", "aria-label": `Failing traces from Monday to Sunday: ${days.join(", ")}` },
    days.map((value, i) => svg("rect", { x: i * 10, y: 16 - tall(value), width: 8, height: tall(value), fill: value ? "var(--bad-fill)" : "var(--bar)" })));
}

/** A value beside others of its column: a tick where it stood before, a line for its interval. @param {number} value @param {number | null} before @param {number} most @param {string} label @param {[number, number]} [interval] */
export function valueBar(value, before, most, label, interval) {
  const x = (/** @type {number} */ v) => (Math.min(v, most) / most) * (BAR - 2) + 1;
  return svg("svg", { viewBox: `0 0 ${BAR} ${BAR_H}`, width: BAR, height: BAR_H, role: "img", "aria-label": label },
    svg("rect", { x: 1, y: 3, width: BAR - 2, height: BAR_H - 6, fill: "var(--bar)", opacity: 0.5 }), svg("rect", { x: 1, y: 3, width: x(value) - 1, height: BAR_H - 6, fill: "var(--bad-fill)" }),
    interval && svg("line", { x1: x(interval[0]), x2: x(interval[1]), y1: BAR_H / 2, y2: BAR_H / 2, stroke: "var(--ink)", "stroke-width": 1.5 }),
    before !== null && svg("line", { x1: x(before), x2: x(before), y1: 0, y2: BAR_H, stroke: "var(--accent)", "stroke-width": 2 }));
}

/** A shift from the middle: to the right where it is above 0. @param {number} shift @param {number} most @param {string} label */
export function sideBar(shift, most, label) {
  const middle = BAR / 2, length = (Math.abs(shift) / most) * (middle - 1), right = shift > 0;
  return svg("svg", { viewBox: `0 0 ${BAR} ${BAR_H}`, width: BAR, height: BAR_H, role: "img", "aria-label": label },
    svg("rect", { x: right ? middle : middle - length, y: 3, width: length, height: BAR_H - 6, fill: right ? "var(--bad-fill)" : "var(--accent-fill)" }), svg("line", { x1: middle, x2: middle, y1: 0, y2: BAR_H, stroke: "var(--ink)", "stroke-width": 1.5 }));
}

/** How a bad value spread, left to right: writer, keys, readers. @param {{nodes: any[], edges: any[]}} graph */
export function lineagePicture(graph) {
  /** @type {Map<number, any[]>} */
  const layers = new Map();
  for (const node of graph.nodes) (layers.get(node.layer) ?? layers.set(node.layer, []).get(node.layer))?.push(node);
  const ROWS = 9, columns = [...layers.keys()].sort((a, b) => a - b).slice(0, 6);
  const wide = 700 / Math.max(1, columns.length), at = new Map();
  columns.forEach((layer, i) => (layers.get(layer) ?? []).slice(0, ROWS).forEach((node, row) => at.set(node.id, [i * wide + 12, row * 22 + 14])));
  const tallest = Math.max(...columns.map((layer) => Math.min(ROWS + 1, layers.get(layer)?.length ?? 0)));
  return svg("svg", { viewBox: `0 0 700 ${tallest * 22 + 12}`, width: "100%", role: "img", "aria-label": "How the bad value spread, from its writer on the left to its readers on the right" },
    graph.edges.filter((each) => at.has(each.source) && at.has(each.target)).map((each) => {
      const [a, b] = [at.get(each.source), at.get(each.target)];
      return svg("path", { d: `M${a[0] + 6} ${a[1]}C${(a[0] + b[0]) / 2} ${a[1]} ${(a[0] + b[0]) / 2} ${b[1]} ${b[0] - 6} ${b[1]}`, fill: "none", stroke: "var(--line)" });
    }),
    graph.nodes.filter((each) => at.has(each.id)).map((each) => {
      const [x, y] = at.get(each.id), colour = each.infected ? "var(--bad-fill)" : "var(--warn)";
      return svg("g", null,
        each.kind === "kv_key" ? svg("rect", { x: x - 5, y: y - 5, width: 10, height: 10, fill: each.infected ? colour : "var(--panel)", stroke: colour, "stroke-width": 2 }) : svg("circle", { cx: x, cy: y, r: 5, fill: each.infected ? colour : "var(--panel)", stroke: colour, "stroke-width": 2 }),
        svg("text", { x: x + 10, y: y + 4 }, each.name.length > wide / 8 ? `${each.name.slice(0, Math.floor(wide / 8))}…` : each.name, svg("title", null, each.name)));
    }),
    columns.map((layer, i) => (layers.get(layer)?.length ?? 0) > ROWS && svg("text", { class: "d", x: i * wide + 22, y: ROWS * 22 + 18 }, `and ${(layers.get(layer)?.length ?? 0) - ROWS} more`)));
}
