/** The API: one way to ask, one kind of error. */

import { asOf } from "./address.js";

const ROOT = "/api/v1";

/** An answer that is a problem document (RFC 9457). */
export class ApiError extends Error {
  /** @param {number} status @param {string} detail @param {string} path */
  constructor(status, detail, path) {
    super(detail);
    this.status = status;
    this.path = path;
  }
}

/** @typedef {Record<string, string | number | boolean | string[] | null | undefined>} Params */

/** @param {string} path @param {Params} [params] @returns {Promise<any>} */
export async function get(path, params = {}) {
  const at = asOf();
  return (await ask("GET", path, at === null ? params : { ...params, as_of_ms: at })).body;
}

/** With the version that a change must name. @param {string} path @returns {Promise<{body: any, etag: string}>} */
export const getVersioned = (path) => ask("GET", path, {});

/** @param {string} path @param {any} body @param {Record<string, string>} [headers] @returns {Promise<any>} */
export const post = async (path, body, headers) => (await ask("POST", path, {}, body, headers)).body;

/** @param {string} path @returns {Promise<any>} */
export const remove = async (path) => (await ask("DELETE", path, {})).body;

/** @param {string} path @param {Params} [params] */
export function urlOf(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined || value === "") continue;
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  }
  const text = query.toString();
  return `${ROOT}${path}${text ? `?${text}` : ""}`;
}

/** @param {string} method @param {string} path @param {Params} params @param {any} [body] @param {Record<string, string>} [headers] */
async function ask(method, path, params, body, headers = {}) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  if (body !== undefined) headers = { "content-type": "application/json", ...headers };
  let answer;
  try {
    answer = await fetch(urlOf(path, params), { method, headers, credentials: "same-origin", ...sent });
  } catch {
    throw new ApiError(0, "The server does not answer. Is graphmind serve still running?", path);
  }
  if (answer.status === 401) return toLogin();
  const text = await answer.text();
  const json = text && (answer.headers.get("content-type") ?? "").includes("json") ? JSON.parse(text) : null;
  if (!answer.ok) throw new ApiError(answer.status, json?.detail ?? answer.statusText, path);
  return { body: json, etag: answer.headers.get("etag") ?? "" };
}

/** Come back to the same screen after the login. @returns {Promise<any>} */
function toLogin() {
  sessionStorage.setItem("graphmind:back", location.pathname + location.search);
  location.assign("/login");
  return new Promise(() => {});
}

/** A path part. @param {string} text */
export const part = (text) => encodeURIComponent(text);
