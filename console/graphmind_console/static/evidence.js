/** Evidence bars: the share of failing traces that touch something above the share of healthy ones. */

import { h, svg } from "./dom.js";
import { count, percent, ratio } from "./format.js";

/**
 * @typedef {{label: string, with: number, total: number}} Side
 * @param {Side} failing @param {Side} healthy
 */
export function bars(failing, healthy) {
  return h("div", { class: "ev" }, bar("f", failing), bar("h", healthy));
}

/** @param {string} kind @param {Side} side */
function bar(kind, side) {
  const share = side.total ? side.with / side.total : 0;
  const said = side.total ? `${count(side.with)} of ${count(side.total)} (${percent(share)})` : "none to compare";
  return [h("span", null, side.label), h("div", { class: `track ${kind}`, role: "img", "aria-label": `${side.label}: ${said} touch it` }, h("i", { "width%": (share * 100).toFixed(1) })), h("span", { class: "nowrap" }, said)];
}

const [LOW, HIGH] = [0.1, 1000];

/** A ratio with its interval on a logarithmic scale; 1 is the line that says nothing. @param {number} value @param {number | null} low @param {number | null} high */
export function whisker(value, low, high) {
  const at = (/** @type {number} */ v) => (Math.log(Math.min(HIGH, Math.max(LOW, v)) / LOW) / Math.log(HIGH / LOW)) * 396 + 2;
  const finite = (/** @type {number | null} */ v, /** @type {number} */ otherwise) => (v === null || v === undefined || !Number.isFinite(v) ? otherwise : v);
  const [l, m, r] = [at(finite(low, value)), at(finite(value, HIGH)), at(finite(high, value ?? HIGH))];
  return svg("svg", { viewBox: "0 0 400 14", class: "whisker", preserveAspectRatio: "none", role: "img", "aria-label": `risk ratio ${ratio(value)}, 95 % interval from ${ratio(low)}` },
    svg("line", { x1: at(1), x2: at(1), y1: 0, y2: 14, stroke: "var(--rule)", "stroke-dasharray": "2 2" }),
    svg("line", { x1: l, x2: r, y1: 7, y2: 7, stroke: "var(--ink)", "stroke-width": 1.5 }),
    [l, r].map((x) => svg("line", { x1: x, x2: x, y1: 3, y2: 11, stroke: "var(--ink)", "stroke-width": 1.5 })),
    svg("rect", { x: m - 3, y: 4, width: 6, height: 6, fill: "var(--ink)" }));
}
