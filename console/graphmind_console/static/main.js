/** The shell: which screen the address names, the moment looked at, keys. */

import { asOf, go, link, param, setParams } from "./address.js";
import { ApiError, get } from "./api.js";
import { h, replace } from "./dom.js";
import { time, utc } from "./format.js";
import { startKeys } from "./keys.js";

/** @type {{path: RegExp, screen: string, title: string}[]} */
const ROUTES = [
  { path: /^\/$/, screen: "now", title: "Now" },
  { path: /^\/incidents$/, screen: "incidents", title: "Incidents" },
  { path: /^\/incidents\/([^/]+)$/, screen: "incident", title: "Incident" },
  { path: /^\/traces$/, screen: "traces", title: "Traces" },
  { path: /^\/traces\/([^/]+)$/, screen: "trace", title: "Trace" },
  { path: /^\/compare$/, screen: "compare", title: "Compare" },
  { path: /^\/explore(?:\/([^/]+))?$/, screen: "explore", title: "Explore" },
  { path: /^\/health(?:\/([^/]+))?(?:\/([^/]+))?$/, screen: "health", title: "Health" },
  { path: /^\/repairs$/, screen: "repairs", title: "Repairs" },
  { path: /^\/repairs\/([^/]+)$/, screen: "repair", title: "Repair" },
  { path: /^\/strategies$/, screen: "strategies", title: "Strategies" },
  { path: /^\/audit$/, screen: "audit", title: "Audit" },
  { path: /^\/review(?:\/([^/]+))?$/, screen: "review", title: "Review" },
  { path: /^\/settings$/, screen: "settings", title: "Settings" },
];
const NAV = [
  ["/", "Now"], ["/incidents", "Incidents"], ["/traces", "Traces"], ["/health", "Health"], ["/compare", "Compare"], ["/explore", "Explore"],
  ["/repairs", "Repairs"], ["/strategies", "Strategies"], ["/audit", "Audit"], ["/review", "Review"], ["/settings", "Settings"],
];
const DAY_MS = 86_400_000;

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const shell = /** @type {HTMLElement} */ (document.getElementById("shell"));
/** @type {AbortController | null} What the screen before still does ends with it. */
let leaving = null;

async function draw() {
  leaving?.abort();
  const gone = (leaving = new AbortController()).signal;
  drawShell();
  const found = ROUTES.map((route) => ({ ...route, match: route.path.exec(location.pathname) })).find((each) => each.match);
  if (!found?.match) return replace(main, h("h1", null, "No such screen"), h("p", { class: "empty" }, "Its address may be cut short. ", h("a", { href: "/" }, "Go to Now")));
  document.title = `${found.title} · graphmind`;
  try {
    const screen = await import(`./screens/${found.screen}.js`);
    if (gone.aborted) return;
    const root = h("div", { class: "screen", "data-screen": found.screen });
    replace(main, root);
    await screen.show(root, found.match.slice(1).map((each) => each && decodeURIComponent(each)), gone);
    root.setAttribute("data-drawn", "");
  } catch (error) {
    if (gone.aborted) return;
    const told = error instanceof ApiError && error.status === 404 ? "There is nothing of that name." : "This screen could not be drawn.";
    replace(main, h("h1", null, told), h("p", { class: "fault" }, /** @type {Error} */ (error).message));
  }
}

function drawShell() {
  const here = location.pathname, first = `/${here.split("/")[1]}`;
  const at = asOf();
  replace(shell,
    h("header", null,
      h("a", { class: "brand", href: link("/") }, h("img", { src: "/assets/icon.svg", alt: "" }), "graphmind"),
      h("nav", { "aria-label": "Screens" }, NAV.map(([path, name]) =>
        h("a", { href: link(path), "aria-current": path === first ? "page" : null }, name))),
      asOfControl(at)),
    at !== null && h("div", { class: "past", role: "status" },
      h("strong", null, `This is the past: everything below is as of ${time(at, { seconds: true })}`),
      h("span", { class: "dim small" }, utc(at)),
      h("a", { href: link(here, { ...Object.fromEntries(new URLSearchParams(location.search)), as_of: "" }).replace(/[?&]as_of=[^&]*/, "") }, "back to now")));
}

/** The last 24 hours in minutes, or the day that is looked at. @param {number | null} at */
function asOfControl(at) {
  const now = Date.now();
  const until = at !== null && now - at > DAY_MS ? at + DAY_MS / 2 : now;
  const from = until - DAY_MS;
  const shown = h("output", { for: "as-of", title: at === null ? null : utc(at) }, at === null ? "now" : time(at));
  const range = h("input", {
    id: "as-of", type: "range", min: 0, max: 1440, step: 1, value: at === null ? 1440 : Math.round((at - from) / 60_000),
    "aria-valuetext": at === null ? "now" : time(at),
    oninput: () => { shown.textContent = Number(range.value) === 1440 ? "now" : time(from + Number(range.value) * 60_000); },
    onchange: () => setParams({ as_of: Number(range.value) === 1440 ? null : Math.round(from + Number(range.value) * 60_000) }, { push: true }),
  });
  return h("div", { class: "asof" }, h("label", { for: "as-of" }, "as of"), range, shown);
}

/** Links of our own pages change the address without loading the page anew. @param {MouseEvent} event */
function follow(event) {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const target = /** @type {Element} */ (event.target);
  const anchor = target.closest("a");
  const row = anchor || target.closest("button, summary, input, label") ? null : target.closest("[data-href]");
  const href = anchor?.getAttribute("href") ?? row?.getAttribute("data-href");
  if (!href || !href.startsWith("/") || href.startsWith("/api/") || anchor?.target || anchor?.hasAttribute("download")) return;
  event.preventDefault();
  go(href);
  window.scrollTo(0, 0);
}

/** Pages made by the login come back to where they were sent from. */
function returnFromLogin() {
  const back = sessionStorage.getItem("graphmind:back");
  sessionStorage.removeItem("graphmind:back");
  if (back?.startsWith("/") && !back.startsWith("//") && location.pathname === "/" && !param("as_of")) history.replaceState(null, "", back);
}

/** @param {number | null} status */
function mark(status) { document.documentElement.dataset.status = String(status ?? "ok"); }

document.addEventListener("click", follow);
window.addEventListener("popstate", draw);
window.addEventListener("graphmind:address", draw);
startKeys(main);
get("/me").then(() => { returnFromLogin(); mark(null); draw(); }, (/** @type {ApiError} */ error) => { mark(error.status); draw(); });
