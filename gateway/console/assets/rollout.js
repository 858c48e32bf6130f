// Rollout: its steps, what both versions do, what the guards say, and the buttons that steer it.

import { get, send, path } from "/assets/api.js";
import { confirmed, doing, toast } from "/assets/ask.js";
import { count, fill, h, milliseconds, moment, percent, table } from "/assets/dom.js";
import { every } from "/assets/live.js";
import { courses } from "/assets/rollout-course.js";
import { progressOf, stepsOf, versionOf } from "/assets/rollout-picture.js";

const id = decodeURIComponent(location.pathname.split("/").at(-1));
const main = document.getElementById("main");
const head = h("section", { "aria-label": "State" });
const steps = h("section", { "aria-label": "Steps and step" });
const buttons = h("div", { class: "row", role: "group", "aria-label": "Steer" });
const guards = h("section", { "aria-label": "Guards" });
const course = courses();

const VERBS = {
  pause: {
    when: ["running"], question: "Pause the rollout?", action: "Pause", danger: false,
    detail: () => "It stays in its step; guards do not roll back while it is paused.",
    said: "Paused.", back: () => act("resume"),
  },
  resume: {
    when: ["paused"], question: "Resume the rollout?", action: "Resume", danger: false,
    detail: (it) => `The alias is put to this step, ${percent(it.steps[it.step])}, and the step begins again.`,
    said: "Resumed.", back: () => act("pause"),
  },
  promote: {
    when: ["running", "paused"], question: "Give everything to the new version now?", action: "Promote",
    detail: (it) => `Version ${it.to} answers every draw from the next request on; guards are not asked.`,
    said: "Promoted.", back: moveBack,
  },
  abort: {
    when: ["running", "paused"], question: "Give everything back to the old version now?", action: "Abort",
    detail: (it) => `Version ${it.from} answers every draw from the next request on.`,
    said: "Aborted.", back: moveBack,
  },
};

let rollout;
let offered = "";

const act = (verb) => send("POST", path("rollouts", id, verb));

/** The rollout has ended: its alias is brought back to where it led before. */
function moveBack(revision) {
  return send("POST", path("functions", rollout.function, "aliases", rollout.alias, "rollback"),
    { to_revision: revision });
}

async function steer(verb) {
  const { question, action, detail, danger, said, back } = VERBS[verb];
  if (!await confirmed(question, { action, detail: detail(rollout), danger })) return;
  await doing(async () => {
    const { revision } = await get("/api/snapshot");
    await act(verb);
    await look();
    toast(said, { undo: async () => { await back(revision); await look(); toast("Taken back."); } });
  });
}

function drawHead() {
  document.title = `${rollout.function}/${rollout.alias} to ${rollout.to} · gateway`;
  fill(head, h("h1", {}, h("a", { href: "/rollouts" }, "Rollouts"), ` › ${rollout.function}/${rollout.alias}`),
    h("div", { class: "row" },
      h("strong", { id: "status", class: rollout.status, "data-status": rollout.status, role: "status" }, rollout.status),
      h("span", {}, versionOf(rollout.from), " → ", versionOf(rollout.to)),
      h("span", {}, `${percent(rollout.share)} to ${rollout.to}`),
      h("span", { class: "quiet" }, `started ${moment(rollout.started)}`)),
    rollout.reason && h("p", { id: "reason" }, rollout.reason));
}

function drawButtons() {
  const now = JSON.stringify(rollout.status);
  if (now === offered) return; // a button that is pressed must not be another one when it is let go
  offered = now;
  const verbs = Object.entries(VERBS).filter(([, verb]) => verb.when.includes(rollout.status));
  fill(buttons, verbs.length
    ? verbs.map(([name, { action, danger }]) => h("button", {
      id: `do-${name}`, class: danger === false ? "" : "danger", click: () => steer(name),
    }, action))
    : h("span", { class: "quiet" }, `Ended ${moment(rollout.since)}. `,
      h("a", { href: `/functions/${encodeURIComponent(rollout.function)}` },
        `${rollout.function}'s aliases and their history`)));
}

const seenRow = (version, seen) => [
  versionOf(version), count(seen.requests),
  h("span", { class: seen.errors ? "bad" : "" }, count(seen.errors)),
  seen.requests ? percent(seen.errors / seen.requests) : "-",
  milliseconds(seen.p50), milliseconds(seen.p99),
];

function drawGuards() {
  const ended = !["running", "paused"].includes(rollout.status);
  const findings = new Map(rollout.findings.map((each) => [each.guard, each]));
  const rows = rollout.guards.map((guard) => {
    const said = findings.get(guard);
    return [h("code", {}, guard), said
      ? h("span", { class: said.outcome, "data-outcome": said.outcome }, said.outcome) : "-", said?.sentence ?? ""];
  });
  fill(guards,
    !ended && [h("h2", {}, "In this step"), table(
      ["Version", "#Answers", "#Errors", "#Error rate", "#p50", "#p99"],
      [seenRow(rollout.from, rollout.seen.old), seenRow(rollout.to, rollout.seen.new)])],
    h("h2", {}, "Guards"), rows.length === 0 && h("p", { class: "quiet" }, "None: time and answers alone move it."),
    rows.length > 0 && (ended ? h("p", {}, rollout.guards.map((guard) => [h("code", {}, guard), " "]))
      : table(["Guard", "Outcome", "Seen"], rows)),
    h("p", { class: "note" }, `A version that keeps all limits is rolled back with a probability of at most ${
      rollout.false_rollback}; one that is worse by ${percent(rollout.tolerance)} passes a step with at most ${
      rollout.miss}. Undecided, a step ${rollout.undecided === "wait" ? "waits" : "passes"}.`));
}

async function look() {
  try {
    rollout = await get(path("rollouts", id));
  } catch (error) {
    if (error.status === 404) fill(head, h("h1", {}, h("a", { href: "/rollouts" }, "Rollouts")), h("p", {}, error.message));
    throw error;
  }
  drawHead();
  fill(steps, stepsOf(rollout), h("div", { class: "row" }, progressOf(rollout)));
  drawButtons();
  drawGuards();
}

async function drawCourse() {
  if (rollout) await course.draw(rollout);
}

fill(main, head, steps, buttons, guards, course.element);
await every(1000, look);
await every(2000, drawCourse);
