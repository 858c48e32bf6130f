// A form: what is left empty is not sent, and what the server refuses is said where it was typed.

import { Problem } from "/assets/api.js";
import { fill, h } from "/assets/dom.js";
import { toast } from "/assets/ask.js";

const READERS = {
  text: (input) => input.value.trim() || undefined,
  number: (input) => (input.value.trim() === "" ? undefined : input.valueAsNumber),
  check: (input) => input.checked || undefined,
  select: (input) => input.value || undefined,
  // One value a line.
  lines: (input) => {
    const found = input.value.split("\n").map((line) => line.trim()).filter(Boolean);
    return found.length ? found : undefined;
  },
};

/** One field: a label, its input, a note, and what is wrong with it. */
export function field(name, label, { kind = "text", note = "", options = [], read, ...more } = {}) {
  const id = `field-${name}`;
  const about = { id, name, "aria-describedby": `${id}-note ${id}-wrong`, ...more };
  const input = {
    select: () => h("select", about, choices(options)),
    lines: () => h("textarea", { rows: 2, spellcheck: "false", ...about }),
    check: () => h("input", { type: "checkbox", ...about }),
    number: () => h("input", { type: "number", step: "any", ...about }),
    text: () => h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...about }),
  }[kind]();
  const wrong = h("p", { id: `${id}-wrong`, class: "bad", hidden: true });
  const told = note && h("p", { id: `${id}-note`, class: "note" }, note);
  const named = h("label", { for: id }, label);
  const element = kind === "check"
    ? h("div", { class: "field" }, h("div", { class: "tick" }, input, named), told, wrong)
    : h("div", { class: "field" }, named, input, told, wrong);
  return {
    name, input, element,
    read: () => (read ?? READERS[kind])(input),
    tell: (text) => {
      fill(wrong, text);
      wrong.hidden = !text;
      input.toggleAttribute("aria-invalid", Boolean(text));
      if (text) input.setAttribute("aria-invalid", "true");
    },
  };
}

/** Put other choices into a field of kind `select`; what was chosen stays if it is still there. */
export function offer(chosen, options) {
  const before = chosen.input.value;
  fill(chosen.input, choices(options));
  if (options.some((each) => (each.value ?? each) === before)) chosen.input.value = before;
}

/** A form of fields; `submit` gets what was filled in, as the body of a request. */
export function form(fields, { action, submit, label, layout }) {
  const button = h("button", { class: "primary", type: "submit" }, action);
  const wrong = h("p", { class: "bad", role: "alert" });
  const element = h("form", { class: "card", "aria-label": label, novalidate: true, submit: send },
    layout ?? h("div", { class: "fields" }, fields.map((each) => each.element)),
    wrong, h("div", { class: "row" }, button));

  async function send(event) {
    event.preventDefault();
    for (const each of fields) each.tell("");
    fill(wrong);
    button.disabled = true;
    try {
      await submit(body(fields));
    } catch (error) {
      show(error);
    } finally {
      button.disabled = false;
    }
  }

  function show(error) {
    if (!(error instanceof Problem)) {
      toast(error.message, { bad: true });
      return;
    }
    let first;
    const rest = [];
    for (const problem of error.problems) {
      const at = fields.find((each) => each.name === problem.pointer.split("/")[1]);
      const text = problem.hint ? `${problem.message}; ${problem.hint}` : problem.message;
      if (!at || at.element.closest("[hidden]")) rest.push(text);
      else {
        at.tell(text);
        first ??= at;
      }
    }
    fill(wrong, error.problems.length ? rest.join("; ") : error.message);
    first?.input.focus();
  }

  return element;
}

function body(fields) {
  const said = fields.filter((each) => !each.element.closest("[hidden]"))
    .map((each) => [each.name, each.read()]);
  return Object.fromEntries(said.filter(([, value]) => value !== undefined));
}

function choices(options) {
  return options.map((each) =>
    h("option", { value: each.value ?? each, selected: each.selected }, each.text ?? each));
}
