// Rollouts: which there are, and a form that begins one.

import { get, send, path } from "/assets/api.js";
import { confirmed } from "/assets/ask.js";
import { fill, h, moment, percent, table } from "/assets/dom.js";
import { field, form, offer } from "/assets/fields.js";
import { every, on } from "/assets/live.js";
import { versionOf } from "/assets/rollout-picture.js";

const main = document.getElementById("main");
const list = h("section", { "aria-label": "Rollouts" });
const place = h("section", { "aria-label": "Start a rollout" });
fill(main, h("h1", {}, "Rollouts"), list, place);

let functions = {};
let asked = false; // whether somebody has chosen an alias

const chosen = {
  function: field("function", "Function", { kind: "select", change: offerAliases }),
  alias: field("alias", "Alias", { kind: "select", change: () => { asked = true; offerVersions(); } }),
  to: field("to", "To version", { kind: "select" }),
  steps: field("steps", "Steps, in percent", {
    placeholder: "1, 10, 50, 100", note: "Of the new version: ascending, the last one 100.",
    read: (input) => shares(input.value),
  }),
  every: field("every", "Hold each for, in seconds", { kind: "number", placeholder: "60", min: 0 }),
  requests: field("requests", "Answers of the new version in each step, at least", {
    kind: "number", placeholder: "0", min: 0, step: 1,
  }),
  guards: field("guards", "Guards, one a line", {
    kind: "lines", placeholder: "error_rate>old\np99>old*1.5",
    note: "What rolls back: error_rate>1%, error_rate>old*1.5, p99>250ms, p50>old*2.",
  }),
  tolerance: field("tolerance", "Tolerance, in percent of requests", {
    kind: "number", placeholder: "3", read: (input) => share(input.value),
    note: "How much worse than a limit matters: a step passes when that much has been ruled out.",
  }),
  undecided: field("undecided", "While its guards are undecided, a step", {
    kind: "select", options: [{ value: "", text: "waits" }, { value: "advance", text: "passes" }],
  }),
};

/** Percent as people write them: what is no number is sent as it is, and refused there. */
function shares(text) {
  const parts = text.split(/[,\s]+/).filter(Boolean);
  return parts.length ? parts.map((each) => share(each)) : undefined;
}

function share(text) {
  if (text.trim() === "") return undefined;
  const number = Number(text.replace("%", ""));
  return Number.isNaN(number) ? text : Number((number / 100).toPrecision(12));
}

function offerFunctions() {
  const names = Object.keys(functions).filter((name) => functions[name].versions.length > 1);
  offer(chosen.function, names);
  offerAliases();
}

function offerAliases() {
  const known = Object.keys(functions[chosen.function.input.value]?.aliases ?? {});
  // The one that always exists is seldom the one that is released.
  offer(chosen.alias, known.sort((one, two) => (one === "$DEFAULT") - (two === "$DEFAULT")));
  if (known.includes("release") && !asked) chosen.alias.input.value = "release";
  offerVersions();
}

function offerVersions() {
  const known = functions[chosen.function.input.value];
  const now = known?.aliases[chosen.alias.input.value]?.version;
  const versions = (known?.versions ?? []).map((each) => each.version)
    .filter((version) => version !== now && version !== "$LATEST");
  offer(chosen.to, versions.map((value) => ({ value, text: `${value} (now ${now})` })));
}

async function start(body) {
  const first = percent(body.steps?.[0] ?? 0.01);
  const what = `${body.function}/${body.alias}`;
  const sure = await confirmed(`Start the rollout of ${what} to version ${body.to}?`, {
    detail: `Its first step gives ${first} of the draws to version ${body.to} at once. Abort takes it back.`,
    action: "Start", danger: false,
  });
  if (!sure) return;
  const begun = await send("POST", path("rollouts"), body);
  location.assign(`/rollouts/${encodeURIComponent(begun.id)}`);
}

function row(rollout) {
  return [
    h("a", { href: `/rollouts/${encodeURIComponent(rollout.id)}` }, `${rollout.function}/${rollout.alias}`),
    h("span", {}, versionOf(rollout.from), " → ", versionOf(rollout.to)),
    h("span", { class: rollout.status }, rollout.status),
    `${rollout.step + 1} of ${rollout.steps.length}`, percent(rollout.share),
    moment(rollout.started), h("span", { class: "quiet" }, rollout.reason),
  ];
}

let drawn = "";

async function look() {
  const found = await get(path("rollouts"));
  const now = JSON.stringify(found.rollouts.map((each) => [each.id, each.status, each.step]));
  if (now === drawn) return;
  drawn = now;
  fill(list, found.rollouts.length
    ? table(["Alias", "From → to", "Status", "#Step", "#Share", "Started", ""], found.rollouts.map(row))
    : h("p", { class: "quiet" }, "No rollout yet: start one below, or with the command ",
      h("code", {}, "gateway rollout start"), "."));
}

async function know() {
  functions = (await get("/api/snapshot")).functions;
  offerFunctions();
}

fill(place, h("h2", {}, "Start one"),
  form(Object.values(chosen), { action: "Start ...", submit: start, label: "Start a rollout" }));
on("revision", know);
await know();
await every(1000, look);
