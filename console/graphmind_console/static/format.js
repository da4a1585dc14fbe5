/** Numbers, times and names in words. */

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
const second = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** @param {number} value */
export const count = (value) => whole.format(value);

/** "1 trace", "2 traces". @param {number} value @param {string} one @param {string} [many] */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${Math.round(value) === 1 ? one : many}`;

/** A share of 1 as per cent, with a decimal below ten. @param {number | null | undefined} value */
export function percent(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "-";
  const points = value * 100;
  if (points > 99.5 && points < 100) return "> 99 %";
  if (points > 0 && points < 0.1) return "< 0.1 %";
  return `${points < 9.95 && points > 0 ? points.toFixed(1) : points.toFixed(0)} %`;
}

/** @param {number | null | undefined} ms */
export function duration(ms) {
  if (ms === null || ms === undefined) return "-";
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const s = Math.round(ms / 1000), [m, hours, days] = [Math.floor(s / 60), Math.floor(s / 3600), Math.floor(s / 86400)];
  if (hours < 1) return s % 60 ? `${m} m ${s % 60} s` : `${m} m`;
  if (days < 1) return m % 60 ? `${hours} h ${m % 60} m` : `${hours} h`;
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

/** Time of day, with the day unless it is today. @param {number | null | undefined} ms @param {{seconds?: boolean, short?: boolean}} [how] */
export function time(ms, how = {}) {
  if (ms === null || ms === undefined) return "-";
  const at = new Date(ms), text = (how.seconds ? second : clock).format(at);
  const today = at.toDateString() === new Date().toDateString();
  return today || how.short ? text : `${day.format(at)} ${text}`;
}

/** @param {number | null | undefined} ms */
export const utc = (ms) => (ms === null || ms === undefined ? "" : `${new Date(ms).toISOString().replace("T", " ").replace(/\.000Z$|Z$/, "")} UTC`);

/** How much longer something takes, from the logarithm of the ratio. @param {number} shift */
export const shiftWords = (shift) => `${shift < 0 ? "" : "+"}${count(Math.expm1(shift) * 100)} %`;

/** A ratio as "49 ×". @param {number | null | undefined} value */
export function ratio(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "> 1,000";
  return value >= 1000 ? "> 1,000" : value >= 10 ? value.toFixed(0) : value.toFixed(1);
}

/** "model_version+region" to "model version in region". @param {string} kind */
export const kindWords = (kind) => kind.replaceAll("_", " ").replaceAll("+", " + ");

const SYMPTOMS = /** @type {Record<string, string>} */ ({
  error: "fail", slow: "are slow", hang: "hang", short: "end short", storm: "retry in a storm", fork: "fork",
  loop: "go round in circles", wrong: "answer wrongly", metric: "breach a metric",
});
/** @param {string} symptom */
export const symptomWords = (symptom) => SYMPTOMS[symptom] ?? symptom;

/** What stands behind who did something. @param {string | null | undefined} why */
export const because = (why) => (why ? `: ${why}` : "");

/** @param {string} state */
export const stateWords = (state) => state.replaceAll("_", " ");

/** @param {string} id */
export const short = (id) => (id.length > 14 ? `${id.slice(0, 12)}…` : id);
