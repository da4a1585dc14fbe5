/** Small parts that many screens are made of. */

import { ApiError } from "./api.js";
import { h, replace } from "./dom.js";
import { stateWords, time, utc } from "./format.js";

/**
 * Fill an element when its answer is there; a fault is told in its place, and the rest of the screen stands.
 * @param {HTMLElement} element @param {() => Promise<any>} ask @param {(answer: any) => any} draw
 */
export async function load(element, ask, draw) {
  element.setAttribute("aria-busy", "true");
  if (!element.childNodes.length) replace(element, h("p", { class: "waiting" }, "reading…"));
  try {
    const answer = await ask();
    replace(element, draw(answer));
  } catch (error) {
    if (!(error instanceof ApiError)) console.error(error);
    replace(element, fault(error));
  }
  element.removeAttribute("aria-busy");
  return element;
}

/** @param {any} error */
export const fault = (error) => h("p", { class: "fault", role: "alert" }, error instanceof ApiError && error.status
  ? `${error.message} (${error.status} from ${error.path})` : error.message);

/** A moment: local time, UTC on hover. @param {number | null | undefined} ms @param {{seconds?: boolean, short?: boolean}} [how] */
export const moment = (ms, how) => h("time", { title: utc(ms), datetime: ms ? new Date(ms).toISOString() : null, class: "nowrap" }, time(ms, how));

const KINDS = /** @type {Record<string, string>} */ ({
  opened: "open", growing: "open", steady: "open", recovering: "wait", reopened: "open", mitigating: "wait", closed: "done", merged: "done", resolved: "good",
  awaiting_approval: "wait", planned: "wait", approved: "wait", running: "wait", executing: "wait", verifying: "wait", executed: "wait",
  succeeded: "good", verified: "good", effective: "good", failed: "fail", rolled_back: "fail", rejected: "done", cancelled: "done", proposed: "wait",
  harmful: "fail", ineffective: "fail", inconclusive: "done", firing: "fail", ok: "good", error: "fail", hung: "fail", slow: "wait", wrong: "fail",
});
/** A state in words with its sign: colour is never alone. @param {string} state */
export const stateMark = (state) => h("span", { class: `state ${KINDS[state] ?? KINDS[state.split("/")[0]] ?? "wait"}` }, stateWords(state));

/** A section with its heading: a bold word, the rest, and what stands at its end. @param {string} word @param {string} rest @param {any} [end] @param {string} [id] */
export function block(word, rest, end, id) {
  const body = h("div");
  const node = h("section", { "aria-label": `${word} ${rest}`, id }, h("h2", null, h("b", null, word), rest, end && h("span", { class: "end" }, end)), body);
  return { node, body };
}

/** The statement that gives the same from Neo4j Browser. @param {any} query */
export function cypher(query) {
  if (!query?.cypher) return null;
  const text = query.parameters && Object.keys(query.parameters).length
    ? `:params ${JSON.stringify(query.parameters)}\n\n${query.cypher.trim()}` : query.cypher.trim();
  const said = h("span", { class: "dim small", role: "status" });
  return h("details", { class: "cypher" }, h("summary", null, "show the Cypher"), h("pre", { tabindex: "0" }, text),
    h("div", { class: "acts" }, h("button", { onclick: () => copy(text, said) }, "Copy"),
      query.browser_url && h("a", { class: "button", href: query.browser_url, rel: "noreferrer" }, "Open in Neo4j Browser"), said));
}

/** @param {string} text @param {Element} said */
async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = "copied";
  } catch {
    said.textContent = "the browser allows no copy here: mark the text";
  }
}

/** Ask before something is done, and for a reason where one is kept. @param {{title: string, text: any, go: string, act: (reason: string) => Promise<any>, value?: string, label?: string, bare?: boolean}} spec */
export function askFirst({ title, text, go, act, value = "", label = "Reason, for the audit trail", bare = false }) {
  const reason = h("input", { id: "reason", value, maxlength: "2000", autocomplete: "off" });
  const said = h("div", { role: "status" });
  const dialog = h("dialog", { "aria-labelledby": "ask-title" },
    h("form", { onsubmit: submit }, h("h2", { id: "ask-title" }, title), h("div", null, text), !bare && h("label", { for: "reason" }, label, reason), said,
      h("div", { class: "acts" }, h("button", { type: "button", onclick: () => dialog.close() }, "Not now"), h("button", { class: "go" }, go))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    try {
      await act(reason.value);
      dialog.close();
    } catch (error) {
      replace(said, fault(error));
    }
  }
}

/** @param {string} name @param {string} label @param {any} control */
export function field(name, label, control) {
  control.setAttribute("name", name);
  return h("label", null, label, control);
}

/** @param {string[]} options @param {string} chosen @param {string} [any] */
export const choice = (options, chosen, any = "any") => h("select", null, h("option", { value: "" }, any),
  options.map((each) => h("option", { value: each, selected: each === chosen }, stateWords(each))));

/** @param {HTMLFormElement} form @returns {Record<string, string>} */
export const valuesOf = (form) => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));
