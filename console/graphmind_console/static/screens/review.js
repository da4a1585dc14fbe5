/** The weekly review: its archive, what to discuss, and the week in sections, each with the way to its evidence. */

import { link } from "../address.js";
import { get, part } from "../api.js";
import { h, replace } from "../dom.js";
import { fault, load } from "../parts.js";
import { causes, drifts, facts, faults, groups, league, leave, paths, questions, repairs, risks, strip } from "./review_sections.js";

/** @param {HTMLElement} root @param {string[]} parts */
export async function show(root, [week]) {
  const menu = h("div"), body = h("div"), acts = h("div", { class: "acts" }), title = h("h1", null, "Weekly review"), meta = h("div", { class: "meta" }, week ?? "the latest week");
  root.append(h("div", { class: "head" }, h("div", null, title, meta), acts), h("div", { class: "list3 thin" }, menu, body));
  await Promise.all([
    load(menu, () => get("/review/weeks"), ({ items }) => weeks(items, week)),
    get("/review", { week }).then((found) => {
      replace(meta, `${found.week}, ${day(found.since_ms)} to ${day(found.until_ms - 1)}${found.complete ? "" : "; the week is not over yet"}`);
      replace(body, sections(found));
      replace(acts, h("a", { class: "button", href: `/api/v1/review/${part(found.week)}.html` }, "The page to share"));
    }, (error) => replace(body, fault(error), h("p", { class: "empty" }, "A review is written once a week, and by ", h("code", null, "graphmind review"), ". New, recurring and fixed causes stand here then, with questions to discuss."))),
  ]);
}

/** @param {any[]} items @param {string | undefined} week */
const weeks = (items, week) => h("ul", { class: "menu", "aria-label": "Weeks" }, items.map((each, i) => h("li", null,
  h("a", { class: "item", href: link(`/review/${part(each.week)}`), title: each.headline, "aria-current": each.week === week || (!week && i === 0) ? "true" : null }, each.week))));

/** Days of a review are those of UTC, wherever it is read. @param {number} ms */
const day = (ms) => new Date(ms).toISOString().slice(0, 10);

/** @param {any} found */
function sections(found) {
  return [
    h("p", { class: "strong" }, found.headline), facts(found),
    section("To discuss", found.questions.length, questions(found.questions)),
    section("Failures by day", null, strip(found)),
    section("New causes", found.new.length, causes(found.new, "No cause is new in this week.")),
    section("Recurring causes", found.recurring.length, causes(found.recurring, "No cause of an earlier week came again.")),
    section("Resolved causes", found.resolved.length, causes(found.resolved, "No cause of the week before is gone.")),
    section("What fails together", found.topology.length, groups(found)),
    section("Where traces went wrong", found.faults.length, faults(found)),
    section("Frequent failing paths", found.paths.length, paths(found)),
    section("Versions and regions", found.league.length, league(found)),
    section("Versions to leave", found.advices.length, leave(found)),
    section("Drift of agents", found.drifts.length, drifts(found)),
    section("Repairs", found.repairs.length, repairs(found.repairs)),
    section("Quiet risks", found.risks.length, risks(found)),
  ];
}

/** @param {string} title @param {number | null} count @param {any} body */
const section = (title, count, body) => h("section", { "aria-label": title }, h("h2", null, h("b", null, title), count === null ? null : String(count)), body);
