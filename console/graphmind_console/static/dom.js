/** Elements from values. Text is always a text node: nothing here reads markup. */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Child | Child[] | Child[][]} Children */

/**
 * @param {string} tag
 * @param {Record<string, any> | null} [attributes] `on*` are listeners, `class` a name or names
 * @param {...Children} children
 * @returns {any}
 */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * @param {string} tag
 * @param {Record<string, any> | null} [attributes]
 * @param {...Children} children
 * @returns {any}
 */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** @param {Element} element @param {...Children} children */
export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/** @param {any} element @param {Record<string, any> | null | undefined} attributes @param {Children[]} children */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "href" && !isOurs(String(value))) element.setAttribute("data-refused", "href");
    else if (name === "width%") element.style.width = `${value}%`;
    else if (name === "left%") element.style.left = `${value}%`;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/** Links go to pages; `javascript:` and the like are data that somebody planted. @param {string} href */
function isOurs(href) {
  return href.startsWith("/") || href.startsWith("#") || /^https?:\/\//i.test(href);
}

/** @param {Element} element @param {any} children */
function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child instanceof Node ? child : String(child));
  }
}

/**
 * A table: `columns` say how a row is shown.
 * @param {{columns: {head: Children, cell: (row: any) => Children, num?: boolean, wide?: boolean}[],
 *   rows: any[], empty?: Children, caption?: string, href?: (row: any) => string}} spec
 */
export function table({ columns, rows, empty, caption, href }) {
  if (!rows.length && empty) return h("p", { class: "empty" }, empty);
  const cls = (/** @type {any} */ c) => (c.num ? "num" : c.wide ? "wide" : null);
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption ?? "table" },
    h("table", null,
      caption && h("caption", { class: "unseen" }, caption),
      h("thead", null, h("tr", null, columns.map((c) => h("th", { class: cls(c), scope: "col" }, c.head)))),
      h("tbody", null, rows.map((row) => h("tr", { "data-href": href?.(row), class: href ? "item" : null },
        columns.map((c) => h("td", { class: cls(c) }, c.cell(row))))))));
}
