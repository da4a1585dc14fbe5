/** The state of a screen is its address: filters, selection and time can be sent to a colleague. */

/** @returns {URLSearchParams} */
export const params = () => new URLSearchParams(location.search);

/** @param {string} name @param {string} [otherwise] */
export const param = (name, otherwise = "") => params().get(name) ?? otherwise;

/** The moment that is looked at, epoch ms; null: now. @returns {number | null} */
export function asOf() {
  const text = param("as_of");
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** An address of the console that keeps the moment looked at. @param {string} path @param {Record<string, any>} [values] */
export function link(path, values = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  const at = param("as_of");
  if (at && !query.has("as_of")) query.set("as_of", at);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** Change some of the address's values; null takes one away. @param {Record<string, any>} changed @param {{redraw?: boolean, push?: boolean}} [how] */
export function setParams(changed, how = {}) {
  const query = params();
  for (const [name, value] of Object.entries(changed)) {
    if (value === null || value === undefined || value === "") query.delete(name);
    else query.set(name, String(value));
  }
  const text = query.toString();
  const url = text ? `${location.pathname}?${text}` : location.pathname;
  history[how.push ? "pushState" : "replaceState"](null, "", url);
  if (how.redraw !== false) window.dispatchEvent(new Event("graphmind:address"));
}

/** @param {string} url */
export function go(url) {
  history.pushState(null, "", url);
  window.dispatchEvent(new Event("graphmind:address"));
}
