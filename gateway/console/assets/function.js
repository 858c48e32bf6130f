// Function: its aliases, where each leads and led, and its versions.

import { get } from "/assets/api.js";
import { openEditor } from "/assets/alias-editor.js";
import { doing } from "/assets/ask.js";
import { openHistory, rollBack } from "/assets/history.js";
import { drawVersions } from "/assets/function-versions.js";
import { count, fill, h } from "/assets/dom.js";
import { routing } from "/assets/function-words.js";
import { every, on } from "/assets/live.js";

const NEW = ""; // the name of the alias that is not there yet
const name = decodeURIComponent(location.pathname.split("/")[2]);
const main = document.getElementById("main");
const aliases = h("section", { "aria-label": "Aliases" });
const fresh = h("div");
const versions = h("section", { "aria-label": "Versions" });
const another = h("button", { id: "new-alias", disabled: true, click: () => open(NEW, "edit") }, "New alias");
const cards = new Map();
let state; // what was asked last
let opened; // the editor or the history that is open: { alias, kind, moved, close }

fill(main,
  h("h1", {}, name), h("h2", {}, "Aliases"), aliases, fresh,
  h("p", {}, another), versions);

/** Open something below an alias; what is open there closes. */
async function open(alias, kind) {
  if (opened && !(await opened.close())) return;
  const slot = alias === NEW ? fresh : cards.get(alias).slot;
  const closed = () => {
    // Whoever works with keys goes on where the editor was opened.
    const back = alias === NEW ? another : cards.get(alias)?.element.querySelector(".actions button");
    if (slot.contains(document.activeElement)) back?.focus();
    fill(slot);
    opened = undefined;
    told("");
  };
  const about = { function: name, alias, state, slot, closed, changed: look };
  opened = { alias, kind, ...(kind === "edit" ? openEditor(about) : openHistory(about)) };
  told(alias, kind);
}

/** What is open stands in the address, so that a reload shows it again. */
function told(alias, kind) {
  const where = new URL(location.href);
  where.search = alias ? new URLSearchParams(kind === "edit" ? { alias } : { alias, show: kind }) : "";
  history.replaceState(null, "", where);
}

function toggle(alias, kind) {
  if (opened?.alias === alias && opened.kind === kind) opened.close();
  else open(alias, kind);
}

function makeCard(alias) {
  const head = h("div");
  const slot = h("div");
  const action = (kind, text, label) =>
    h("button", { "aria-label": `${label} ${alias}`, click: () => toggle(alias, kind) }, text);
  const element = h("div", { class: "card", "data-alias": `${name}/${alias}` }, head,
    h("div", { class: "row actions" },
      action("edit", "Edit", "Edit"), action("history", "History", "History of"),
      h("button", {
        class: "danger", "aria-label": `Roll back ${alias}`,
        click: () => rollBack({ function: name, alias, changed: look }),
      }, "Roll back")), slot);
  return { element, head, slot };
}

function drawCard(card, alias, routed) {
  const rows = state.metrics.versions.filter((row) => row.function === name && row.qualifier === alias);
  const sum = (field) => rows.reduce((total, row) => total + row[field], 0);
  const stages = state.stages.filter((stage) => stage.qualifiers[name] === alias).map((stage) => stage.stage);
  fill(card.head,
    h("div", { class: "row" },
      h("strong", {}, alias),
      h("span", { class: "quiet" }, stages.length ? `stage ${stages.join(", ")}` : "no stage leads here"),
      h("span", { class: "quiet" }, `${count(sum("requests"))} ${sum("requests") === 1 ? "answer" : "answers"}`),
      sum("errors") > 0 && h("span", { class: "bad" }, `${count(sum("errors"))} errors`)),
    routed.description && h("p", { class: "flush" }, routed.description),
    routing(routed));
}

function draw() {
  const there = Object.entries(state.function.aliases);
  for (const [alias] of there) if (!cards.has(alias)) cards.set(alias, makeCard(alias));
  for (const [alias, card] of cards)
    if (!(alias in state.function.aliases)) {
      card.element.remove();
      cards.delete(alias);
    }
  there.forEach(([alias, routed], at) => {
    const card = cards.get(alias);
    drawCard(card, alias, routed);
    if (aliases.children[at] !== card.element) aliases.insertBefore(card.element, aliases.children[at] ?? null);
  });
  drawVersions(versions, name, state, look);
  another.disabled = false;
}

let drawn = "";

async function look() {
  const snapshot = await get("/api/snapshot");
  const known = state?.revision === snapshot.revision;
  const [stages, metrics, changes] = await Promise.all([
    get("/api/stages"), get("/api/metrics"),
    known ? state : get("/api/changes", { path: `functions/${name}`, limit: 1000 }),
  ]);
  const found = snapshot.functions[name];
  if (!found) {
    fill(main, h("h1", {}, name), h("p", { class: "bad" }, `There is no function ${name} any more. `,
      h("a", { href: "/functions" }, "All functions")));
    return;
  }
  state = { revision: snapshot.revision, function: found, stages: stages.stages, metrics, changes: changes.changes };
  const now = JSON.stringify([found, state.stages, metrics.versions, metrics.activity]);
  if (now !== drawn) draw();
  drawn = now;
  opened?.moved?.(state);
}

on("revision", () => doing(look));
await every(2000, look);
const asked = new URLSearchParams(location.search);
if (cards.has(asked.get("alias"))) open(asked.get("alias"), asked.get("show") ?? "edit");
