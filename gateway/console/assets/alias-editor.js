// Editing an alias: checked as one types by the law that decides, told before it is done, undone by one.

import { get, path, Problem } from "/assets/api.js";
import { confirmed, doing, toast } from "/assets/ask.js";
import { drawFields } from "/assets/alias-editor-fields.js";
import { drawConflict, drawPreview, tellProblems } from "/assets/alias-editor-preview.js";
import { orderOf, put, same, undoing } from "/assets/alias-editor-saving.js";
import { fill, h } from "/assets/dom.js";

const PATIENCE = 200; // milliseconds without a key before what was typed is checked
const EMPTY = { version: "$LATEST", weights: {}, rules: [], split: "random", sticky_by: null, description: "" };

/** The draft of a routing: weights in percent and in a list, so that they can be typed. */
function draftOf(alias) {
  return {
    ...alias, sticky_by: alias.sticky_by ?? "",
    rules: alias.rules.map((rule) => ({ ...rule })),
    weights: Object.entries(alias.weights).map(([version, weight]) =>
      ({ version, percent: String(Number((weight * 100).toPrecision(12))) })),
  };
}

/** Put weights into the order of their versions; those that are not in it go last. */
function arrange(weights, order) {
  const at = (each) => (order.indexOf(each.version) + order.length + 1) % (order.length + 1);
  weights.sort((one, two) => at(one) - at(two));
}

/** What is sent for a draft; a percentage that is no number is sent as it is, and refused. */
function bodyOf(draft) {
  const weight = (percent) => {
    const number = percent.trim() === "" ? Number.NaN : Number(percent);
    return Number.isFinite(number) ? Number((number / 100).toPrecision(12)) : percent;
  };
  return {
    version: draft.version,
    weights: draft.weights.map((each) => [each.version, weight(each.percent)]),
    rules: draft.rules,
    split: draft.split,
    sticky_by: draft.split === "sticky" ? draft.sticky_by : null,
    description: draft.description,
  };
}

/** Open the editor of an alias in its slot; an alias without a name is made. */
export function openEditor({ function: name, alias, state, slot, closed, changed }) {
  const about = { function: name, alias };
  const base = { revision: state.revision, alias: state.function.aliases[alias] };
  const draft = draftOf(base.alias ?? EMPTY);
  const fields = h("div");
  const preview = h("div", { class: "preview", "aria-live": "polite", "data-preview": "" });
  const conflict = h("div", { role: "alert" });
  const save = h("button", { class: "primary", type: "submit", id: "save", disabled: true }, "Save");
  const called = alias || "a new alias";
  const form = h("form", { class: "editor", "aria-label": `Edit ${called}`, novalidate: true, submit },
    alias === "" && nameField(), fields, preview, conflict,
    h("div", { class: "row actions" }, save, h("button", { type: "button", click: close }, "Close")));
  let timer;
  let asked = 0; // the newest question; what answers an older one is too late

  function nameField() {
    return h("div", { class: "field" }, h("label", { for: "alias-name" }, "Name"),
      h("input", {
        id: "alias-name", autocomplete: "off", spellcheck: "false", required: true,
        input: (event) => { about.alias = event.target.value.trim(); typed(); },
      }));
  }

  const redraw = () => drawFields(fields, draft, state.function.versions, { typed, redraw });
  const plain = (one) => ({ ...bodyOf(one), weights: Object.fromEntries(bodyOf(one).weights) });
  const dirty = () => !same(plain(draft), plain(draftOf(base.alias ?? EMPTY)));

  function typed() {
    asked += 1;
    save.disabled = true;
    clearTimeout(timer);
    timer = setTimeout(check, PATIENCE);
  }

  async function check() {
    const turn = ++asked;
    const taken = alias === "" && about.alias in state.function.aliases;
    if (about.alias === "" || taken) {
      const words = taken ? `${about.alias} is there already; it has an editor of its own.` : "An alias needs a name.";
      fill(preview, h("p", { class: taken ? "bad" : "note" }, words));
      return;
    }
    try {
      const told = await put(about, bodyOf(draft), { preview: true });
      if (turn !== asked) return;
      tellProblems(form, preview, []);
      drawPreview(preview, told);
      save.disabled = !told.changed;
    } catch (error) {
      if (turn === asked) refused(error);
    }
  }

  function refused(error) {
    if (!(error instanceof Problem)) fill(preview, h("p", { class: "bad" }, "The gateway does not answer."));
    else tellProblems(form, preview, error.problems);
  }

  async function submit(event) {
    event.preventDefault();
    clearTimeout(timer);
    save.disabled = true;
    await doing(async () => {
      try {
        const done = await put(about, bodyOf(draft), { base });
        toast(`${about.alias} leads elsewhere since revision ${done.revision}.`, { undo: undoing(about, done, changed) });
        closed();
        await changed();
      } catch (error) {
        save.disabled = false;
        if (error.status === 412) await collided(error.body.revision);
        else refused(error);
      }
    });
  }

  /** Somebody else was faster: say where the alias leads now, and let the reader choose. */
  async function collided(revision) {
    const theirs = await get(path("functions", name, "aliases", about.alias));
    drawConflict(conflict, { alias: about.alias, theirs, revision }, {
      reload: () => doing(async () => { await renew(theirs, revision); focusFirst(); }),
      keep: () => { take(theirs, revision); focusFirst(); check(); },
    });
    save.disabled = true;
  }

  async function renew(theirs, revision) {
    const order = await orderOf(about);
    take(theirs, revision);
    Object.assign(draft, draftOf(theirs));
    arrange(draft.weights, order);
    redraw();
    await check();
  }

  function take(theirs, revision) {
    Object.assign(base, { alias: theirs, revision });
    fill(conflict);
  }

  /** The state has moved on: follow it where that loses nothing. */
  function moved(now) {
    const theirs = now.function.aliases[about.alias];
    if (now.revision === base.revision) return;
    state = now;
    if (same(theirs, base.alias)) base.revision = now.revision;
    else if (theirs && !dirty()) doing(() => renew(theirs, now.revision));
    else if (theirs && !conflict.hasChildNodes()) doing(() => collided(now.revision));
  }

  async function close() {
    if (dirty() && !(await confirmed("Leave without saving?", { action: "Leave", detail: `What you typed for ${called} is lost.` })))
      return false;
    clearTimeout(timer);
    closed();
    return true;
  }

  const focusFirst = () => form.querySelector("input, select").focus();

  async function begin() {
    if (alias !== "") arrange(draft.weights, await orderOf(about));
    redraw();
    fill(slot, form);
    focusFirst();
    await check();
  }

  doing(begin);
  return { moved, close };
}
