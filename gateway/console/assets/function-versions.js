// The versions of a function: what is frozen, since when and by whom, and freezing the next one.

import { path, send } from "/assets/api.js";
import { doing, toast } from "/assets/ask.js";
import { count, fill, h, milliseconds, moment, table } from "/assets/dom.js";
import { faultWords, mark } from "/assets/function-words.js";

/** The table of versions, and the button that publishes. */
export function drawVersions(element, name, state, changed) {
  const rows = [...state.function.versions].reverse();
  rows.sort((one, two) => (two.version === "$LATEST") - (one.version === "$LATEST"));
  fill(element,
    h("div", { class: "row heading" }, h("h2", {}, "Versions"),
      h("button", { id: "publish", class: "primary", click: () => ask(name, state, changed) }, "Publish $LATEST")),
    table(["Version", "Published", "By", "Description", "Fault", "#Answers", "#Errors", "#p50", "Code"],
      rows.map((each) => row(each, name, state))));
}

function row(each, name, state) {
  const born = birth(each.version, name, state.changes);
  const counts = countsOf(each.version, name, state.metrics);
  const fault = state.function.faults[each.version];
  return [
    mark(each.version),
    each.version === "$LATEST" ? h("span", { class: "quiet" }, "editable") : born ? h("time", { datetime: born.at }, moment(born.at)) : "-",
    each.version === "$LATEST" ? "" : (born?.who ?? "-"),
    each.description || h("span", { class: "quiet" }, "-"),
    fault ? h("span", { class: "wait" }, faultWords(fault)) : h("span", { class: "quiet" }, "none"),
    count(counts.requests), h("span", { class: counts.errors ? "bad" : "" }, count(counts.errors)),
    milliseconds(counts.p50),
    h("code", { class: "quiet", title: each.code }, shortly(each.code)),
  ];
}

/** The change that made a version. */
function birth(version, name, changes) {
  const key = `functions/${name}/versions/${version}`;
  return changes.find((change) => change.differences.some((each) =>
    each.before === null && each.path.join("/") === key));
}

function countsOf(version, name, metrics) {
  const rows = metrics.versions.filter((row) => row.function === name && row.version === version);
  const sum = (field) => rows.reduce((total, row) => total + row[field], 0);
  const busiest = rows.reduce((most, row) => (row.requests > (most?.requests ?? 0) ? row : most), null);
  return { requests: sum("requests"), errors: sum("errors"), p50: busiest?.latency.p50 ?? null };
}

/** A digest by its beginning, a folder by its end. */
function shortly(code) {
  return code.includes("/") || code.includes("\\") ? code.split(/[\\/]/).slice(-2).join("/")
    : code.replace(/^.*:/, "").slice(0, 12);
}

/** Ask for a description, and publish. */
function ask(name, state, changed) {
  const numbers = state.function.versions.map((each) => Number(each.version)).filter(Number.isInteger);
  const next = Math.max(0, ...numbers) + 1;
  const words = h("input", { id: "description", autocomplete: "off", maxlength: 1000 });
  const form = h("form", { submit: (event) => { event.preventDefault(); dialog.close("yes"); } },
    h("h2", {}, "Publish $LATEST"),
    h("p", {}, `Code and configuration of $LATEST are frozen into the next number, about ${next}. `,
      "No alias leads there until one is edited."),
    h("div", { class: "field" }, h("label", { for: "description" }, "Description"), words),
    h("div", { class: "row actions" },
      h("button", { id: "confirm-publish", class: "primary", type: "submit" }, "Publish"),
      h("button", { type: "button", click: () => dialog.close("no") }, "Cancel")));
  const dialog = h("dialog", {
    "aria-label": "Publish $LATEST",
    close: () => {
      dialog.remove();
      if (dialog.returnValue === "yes") doing(() => publish(name, words.value.trim(), changed));
    },
  }, form);
  document.body.append(dialog);
  dialog.showModal();
  words.focus();
}

async function publish(name, description, changed) {
  const done = await send("POST", path("functions", name, "versions"), { description });
  await changed();
  toast(`Version ${done.version} is published.`, {
    undo: async () => {
      await send("DELETE", path("functions", name, "versions", done.version));
      toast(`Version ${done.version} is removed again.`);
      await changed();
    },
  });
}
