// Which invocations are looked for: a form that stands in the address.

import { get } from "/assets/api.js";
import { doing } from "/assets/ask.js";
import { h } from "/assets/dom.js";

const PATIENCE = 250; // milliseconds without a key before a filter counts
const NAMES = ["stage", "function", "alias", "version", "reason", "status", "errors", "text"];
const REASONS = ["main", "weight", "sticky", "pinned", "rule:1", "rule:2"];

/** The filter that an address holds; what it does not know is left out. */
export const filterOf = (query) =>
  Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""]).filter(([, value]) => value));

/** The form; `changed` gets every new filter. */
export function drawFilters(filter, changed) {
  const offered = {};
  const inputs = {};
  const field = (name, label, more = {}) => {
    offered[name] = h("datalist", { id: `known-${name}` });
    inputs[name] = h("input", {
      id: `filter-${name}`, value: filter[name] ?? "", autocomplete: "off", spellcheck: "false",
      list: `known-${name}`, ...more,
    });
    return h("div", { class: name === "text" ? "field broad" : "field" }, h("label", { for: `filter-${name}` }, label), inputs[name], offered[name]);
  };
  const fields = [
    field("stage", "Stage"), field("function", "Function"), field("alias", "Alias"), field("version", "Version"),
    field("reason", "Reason"), field("status", "Status", { placeholder: "5xx, 430-499" }),
    field("text", "Text", { type: "search", placeholder: "in path, body, output, error", "data-filter": true, maxlength: 200 }),
  ];
  inputs.errors = h("input", { type: "checkbox", id: "filter-errors", checked: filter.errors === "true" });
  let timer;
  const read = () => {
    const said = Object.entries(inputs).map(([name, input]) =>
      [name, input.type === "checkbox" ? (input.checked ? "true" : "") : input.value.trim()]);
    return Object.fromEntries(said.filter(([, value]) => value));
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => changed(read()), PATIENCE);
  };
  doing(() => offer(offered));
  return h("form", {
    class: "filters", role: "search", "aria-label": "Filter",
    input: soon, submit: (event) => { event.preventDefault(); changed(read()); },
    reset: () => {
      // The form would go back to what the address held; an empty one is meant.
      setTimeout(() => {
        for (const input of Object.values(inputs)) {
          input.value = "";
          input.checked = false;
        }
        changed(read());
      });
    },
  }, fields,
  h("label", { class: "check" }, inputs.errors, "Only errors"),
  h("div", { class: "check" }, h("button", { type: "reset" }, "Clear")));
}

/** What there is, for whoever does not want to type it. */
async function offer(lists) {
  const snapshot = await get("/api/snapshot");
  const functions = Object.values(snapshot.functions);
  const put = (name, values) =>
    lists[name].append(...[...new Set(values)].map((value) => h("option", { value })));
  put("stage", Object.values(snapshot.services).flatMap((each) => Object.keys(each.stages)));
  put("function", functions.map((each) => each.name));
  put("alias", functions.flatMap((each) => Object.keys(each.aliases)));
  put("version", functions.flatMap((each) => each.versions.map((version) => version.version)));
  put("reason", REASONS);
  put("status", ["2xx", "4xx", "5xx", "430-499"]);
}
