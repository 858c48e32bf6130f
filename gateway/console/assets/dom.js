// Elements from data: text is only ever text, so nothing that a caller sent becomes markup.

/** An element; attributes with a function are listeners, `class` and `data-*` are as in HTML. */
export function h(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/** The same for pictures. */
export function svg(tag, attributes = {}, ...children) {
  return dress(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "style") Object.assign(element.style, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, String(value));
  }
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== false)
      element.append(child instanceof Node ? child : String(child));
  return element;
}

/** Put these in the place of everything inside an element; what has the focus keeps it by its id. */
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement) && document.activeElement.id;
  element.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  if (focused) document.getElementById(focused)?.focus();
}

/** A table; columns that begin with `#` hold figures. */
export function table(columns, rows, { caption } = {}) {
  const kind = (column) => (column.startsWith("#") ? { class: "figure" } : {});
  const name = (column) => column.replace(/^#/, "");
  return h("div", { class: "wide" },
    h("table", {},
      caption && h("caption", { class: "note" }, caption),
      h("thead", {}, h("tr", {}, columns.map((each) => h("th", { scope: "col", ...kind(each) }, name(each))))),
      h("tbody", {}, rows.map((cells) =>
        h("tr", {}, cells.map((cell, at) => h("td", kind(columns[at]), cell)))))));
}

/** A share as people read it. */
export function percent(share, digits = 3) {
  if (share === null || share === undefined) return "-";
  return `${Number((share * 100).toPrecision(digits))} %`;
}

/** Seconds as people read them. */
export function milliseconds(seconds) {
  if (seconds === null || seconds === undefined) return "-";
  return `${(seconds * 1000).toFixed(seconds < 0.01 ? 2 : 1)} ms`;
}

/** A whole number with separators. */
export const count = (number) => number.toLocaleString("en");

/** A time of this day, or a date and a time. */
export function moment(text) {
  const at = new Date(text);
  const day = at.toDateString() === new Date().toDateString();
  return day ? at.toLocaleTimeString() : at.toLocaleString();
}
