// One line of the invocation log.

import { h, milliseconds, moment } from "/assets/dom.js";
import { mark } from "/assets/function-words.js";

/** Whether a status is one of an error, as people see it. */
export const isBad = (entry) => Boolean(entry.kind) || entry.status >= 400;

/** A row; one that has just come is marked for a moment. */
export function rowOf(entry, fresh = false) {
  const quiet = (text) => (text ? text : h("span", { class: "quiet" }, "-"));
  const where = entry.function ? `${entry.function}@${entry.alias}` : "";
  const asked = entry.source === "invoke" ? "invoke" : `${entry.method} ${entry.path}`;
  return h("tr", { class: fresh ? "new" : false, "data-number": entry.number, "data-version": entry.version },
    h("td", {}, h("time", { datetime: entry.at }, moment(entry.at))),
    h("td", {}, quiet(entry.stage)),
    h("td", {}, quiet(where)),
    h("td", {}, entry.version ? mark(entry.version) : quiet("")),
    h("td", {}, quiet(entry.reason)),
    h("td", { class: "figure" }, h("span", { class: isBad(entry) ? "bad" : "good", title: entry.kind }, entry.status)),
    h("td", { class: "figure" }, milliseconds(entry.seconds)),
    h("td", { class: "path" }, h("a", { href: `/invocations/${encodeURIComponent(entry.request_id)}` }, asked),
      entry.kind && h("span", { class: "bad" }, ` ${entry.kind}`)));
}
