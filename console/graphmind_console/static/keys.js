/** The keyboard: `/` search, `g` and a letter for a screen, `j` `k` and enter in lists, `?` help. */

import { go, link } from "./address.js";
import { h } from "./dom.js";

const PLACES = /** @type {Record<string, [string, string]>} */ ({
  n: ["/", "Now"], i: ["/incidents", "Incidents"], t: ["/traces", "Traces"], h: ["/health", "Health"], c: ["/compare", "Compare"], e: ["/explore", "Explore"],
  r: ["/repairs", "Repairs"], s: ["/strategies", "Strategies"], a: ["/audit", "Audit"], w: ["/review", "Review"],
});
const SECOND_KEY_MS = 1500;

/** @param {HTMLElement} main */
export function startKeys(main) {
  let afterG = 0;
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input:not([type=range]), textarea, select, dialog")) return;
    if (Date.now() - afterG < SECOND_KEY_MS && PLACES[event.key]) {
      event.preventDefault();
      afterG = 0;
      go(link(PLACES[event.key][0]));
    } else if (event.key === "g") afterG = Date.now();
    else if (event.key === "?") help();
    else if (event.key === "/") {
      event.preventDefault();
      const search = /** @type {HTMLInputElement | null} */ (main.querySelector("[data-search]"));
      if (search) search.focus(); else go(link("/incidents", { focus: 1 }));
    } else if (event.key === "j") move(main, 1);
    else if (event.key === "k") move(main, -1);
    else if (event.key === "Enter" && target.closest("a, button, summary, input") === null) open(main);
  });
}

/** @param {HTMLElement} main @param {number} by */
function move(main, by) {
  const items = [...main.querySelectorAll(".item")];
  if (!items.length) return;
  const at = items.findIndex((each) => each.classList.contains("at"));
  items[at]?.classList.remove("at");
  const next = items[Math.min(items.length - 1, Math.max(0, at + by))];
  next.classList.add("at");
  next.scrollIntoView({ block: "nearest" });
  if (next instanceof HTMLAnchorElement) next.focus();
}

/** @param {HTMLElement} main */
function open(main) {
  const at = main.querySelector(".item.at");
  const href = at?.getAttribute("href") ?? at?.getAttribute("data-href");
  if (href) go(href);
}

function help() {
  const line = (/** @type {string} */ keys, /** @type {string} */ what) => [h("dt", null, keys.split(" ").map((key) => [h("kbd", null, key), " "])), h("dd", null, what)];
  const dialog = h("dialog", { "aria-labelledby": "keys" },
    h("h2", { id: "keys" }, "Keys"),
    h("dl", null, line("/", "search"), line("j", "next in the list"), line("k", "the one before"), line("enter", "open it"),
      Object.entries(PLACES).map(([key, [, name]]) => line(`g ${key}`, name)), line("?", "this list")),
    h("div", { class: "acts" }, h("button", { onclick: () => dialog.close() }, "Close")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
