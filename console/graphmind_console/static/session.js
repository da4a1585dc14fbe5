/** Who is logged in, and what they may. */

import { get } from "./api.js";

const ORDER = ["viewer", "responder", "approver", "admin"];
/** @type {Promise<any> | null} */
let asked = null;

/** @returns {Promise<{name: string, role: string, kind: string, expires_ms: number | null}>} */
export const me = () => (asked ??= get("/me"));

/** Why the caller may not do what needs a role; empty: they may. @param {{role: string | null, name: string}} who @param {string} role */
export const whyNot = (who, role) => (who.role && ORDER.indexOf(who.role) >= ORDER.indexOf(role) ? ""
  : `${who.name} is ${who.role ?? "without a role"}: this takes ${role === "admin" ? "an admin" : `at least ${role === "approver" ? "an approver" : `a ${role}`}`}`);
