// The fields of an alias's editor: main version, weights, rules, and how the choice is made.

import { fill, h } from "/assets/dom.js";
import { exactly } from "/assets/function-words.js";

const MODES = {
  random: "random: each request draws",
  even: "even: in a sequence that keeps the shares at every moment",
  sticky: "sticky: by a key, so that a user stays",
};

/** Draw all fields; `typed` is called for every edit, `redraw` when rows come or go. */
export function drawFields(element, draft, versions, { typed, redraw }) {
  const rest = h("span", { class: "quiet" });
  const edited = () => { tellRest(rest, draft); typed(); };
  const changed = () => { redraw(); typed(); };
  fill(element,
    h("fieldset", {}, h("legend", {}, "Versions"),
      h("div", { class: "row" },
        h("label", { for: "main-version" }, "Main version"),
        select("main-version", draft.version, versions, (value) => { draft.version = value; changed(); }, "/version"),
        rest),
      wrong("/version"),
      draft.weights.map((each, at) => weightRow(draft, each, at, versions, { edited, changed })),
      wrong("/weights"),
      h("button", { type: "button", id: "add-weight", click: () => add(draft, versions, changed) }, "Add a version")),
    h("fieldset", {}, h("legend", {}, "Rules, before the shares: the first one that hits decides"),
      draft.rules.map((each, at) => ruleRow(draft, each, at, versions, { typed, changed })),
      h("button", {
        type: "button", id: "add-rule",
        click: () => { draft.rules.push({ when: "", version: newest(versions) }); changed(); focus(`rule-${draft.rules.length - 1}`); },
      }, "Add a rule"),
      h("p", { class: "note" }, "For example ", h("code", {}, "invoke.headers.User exact Bob"), " or ",
        h("code", {}, "invoke.query.beta exists"))),
    h("fieldset", {}, h("legend", {}, "The choice"), h("div", { class: "fields" }, splitField(draft, changed),
      draft.split === "sticky" && text("sticky-by", "Key", draft.sticky_by, "invoke.headers.User", "/sticky_by",
        (value) => { draft.sticky_by = value; typed(); }),
      text("alias-description", "Description", draft.description, "", "/description",
        (value) => { draft.description = value; typed(); }))));
  tellRest(rest, draft);
}

function tellRest(element, draft) {
  const taken = draft.weights.reduce((sum, each) => sum + Number(each.percent), 0);
  const rest = Number((1 - taken / 100).toPrecision(12));
  element.textContent = !draft.weights.length ? "gets everything that no rule decides"
    : rest >= 0 ? `gets the rest: ${exactly(rest)}` : "";
}

function weightRow(draft, each, at, versions, { edited, changed }) {
  const pointer = `/weights/${each.version}`;
  const taken = new Set(draft.weights.filter((other) => other !== each).map((other) => other.version));
  const number = h("input", {
    type: "number", id: `weight-${at}`, min: 0, max: 100, step: "any", value: each.percent,
    "aria-label": `Percent for version ${each.version}`, "data-at": pointer,
    input: () => { slider.value = each.percent = number.value; edited(); },
  });
  const slider = h("input", {
    type: "range", min: 0, max: 100, step: 1, value: each.percent, tabindex: -1,
    "aria-label": `Share of version ${each.version}`,
    input: () => { number.value = each.percent = slider.value; edited(); },
  });
  return h("div", { class: "weight" },
    h("div", { class: "row" },
      select(`weight-version-${at}`, each.version, versions,
        (value) => { each.version = value; changed(); }, "", taken, `Additional version ${at + 1}`),
      slider, h("span", { class: "unit" }, number, " %"),
      h("button", {
        type: "button", "aria-label": `Remove version ${each.version}`,
        click: () => { draft.weights.splice(at, 1); changed(); focus("add-weight"); },
      }, "Remove")),
    wrong(pointer));
}

function ruleRow(draft, rule, at, versions, { typed, changed }) {
  const pointer = `/rules/${at}`;
  const move = (by) => () => {
    draft.rules.splice(at + by, 0, ...draft.rules.splice(at, 1));
    changed();
    focus(`rule-${at + by}`);
  };
  return h("div", { class: "rule" },
    h("div", { class: "row" },
      h("span", { class: "quiet" }, `${at + 1}.`),
      h("input", {
        id: `rule-${at}`, class: "mono grow", value: rule.when, placeholder: "invoke.headers.User exact Bob",
        autocomplete: "off", spellcheck: "false", "aria-label": `Condition of rule ${at + 1}`,
        "data-at": `${pointer}/when`,
        input: (event) => { rule.when = event.target.value; typed(); },
      }),
      h("span", { "aria-hidden": "true" }, "→"),
      select(`rule-version-${at}`, rule.version, versions, (value) => { rule.version = value; changed(); },
        `${pointer}/version`, new Set(), `Version of rule ${at + 1}`),
      h("button", { type: "button", "aria-label": `Move rule ${at + 1} up`, disabled: at === 0, click: move(-1) }, "↑"),
      h("button", {
        type: "button", "aria-label": `Move rule ${at + 1} down`, disabled: at === draft.rules.length - 1, click: move(1),
      }, "↓"),
      h("button", {
        type: "button", "aria-label": `Remove rule ${at + 1}`,
        click: () => { draft.rules.splice(at, 1); changed(); focus("add-rule"); },
      }, "Remove")),
    wrong(`${pointer}/when`), wrong(`${pointer}/version`), wrong(pointer));
}

function splitField(draft, changed) {
  return h("div", { class: "field" }, h("label", { for: "split" }, "Split"),
    h("select", { id: "split", "data-at": "/split", change: (event) => { draft.split = event.target.value; changed(); } },
      Object.entries(MODES).map(([value, words]) =>
        h("option", { value, selected: value === draft.split }, words))), wrong("/split"));
}

function text(id, label, value, placeholder, pointer, changed) {
  return h("div", { class: "field" }, h("label", { for: id }, label),
    h("input", {
      id, value, placeholder, autocomplete: "off", spellcheck: "false", "data-at": pointer,
      input: (event) => changed(event.target.value),
    }), wrong(pointer));
}

function select(id, chosen, versions, changed, pointer, taken = new Set(), label = undefined) {
  const known = versions.some((each) => each.version === chosen) ? versions : [...versions, { version: chosen, description: "is gone" }];
  return h("select", { id, "data-at": pointer, "aria-label": label, change: (event) => changed(event.target.value) },
    known.map((each) => h("option", {
      value: each.version, selected: each.version === chosen, disabled: taken.has(each.version),
    }, each.description ? `${each.version} · ${each.description.slice(0, 40)}` : each.version)));
}

/** Where a mistake of this part is said. */
const wrong = (pointer) => h("p", { class: "bad flush", "data-wrong": pointer, hidden: true });

const focus = (id) => document.getElementById(id)?.focus();

const newest = (versions) =>
  versions.filter((each) => each.version !== "$LATEST").at(-1)?.version ?? "$LATEST";

function add(draft, versions, changed) {
  const used = new Set([draft.version, ...draft.weights.map((each) => each.version)]);
  const free = [...versions].reverse().find((each) => each.version !== "$LATEST" && !used.has(each.version))
    ?? versions.find((each) => !used.has(each.version));
  if (!free) return;
  draft.weights.push({ version: free.version, percent: "10" });
  changed();
  focus(`weight-${draft.weights.length - 1}`);
}
