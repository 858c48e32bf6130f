// What verifying and replaying share: beginning a run, following it, stopping it, its report.

import { get, send, path } from "/assets/api.js";
import { confirmed, doing, toast } from "/assets/ask.js";
import { fill, h, moment, table } from "/assets/dom.js";
import { form } from "/assets/fields.js";
import { every } from "/assets/live.js";

const WORDS = {
  passed: "passed", failed: "failed", errors: "too many errors", undecided: "undecided",
  interrupted: "stopped", refused: "refused", unexpected: "failed unexpectedly",
};
const LOOKS = { passed: "good", failed: "bad", errors: "bad", refused: "bad", unexpected: "bad" };

/** What became of a run, in a word of its colour. */
const outcome = (run) => (run.outcome
  ? h("span", { class: LOOKS[run.outcome] ?? "wait", "data-outcome": run.outcome }, WORDS[run.outcome])
  : h("span", { class: "quiet", "data-outcome": "" }, run.status));

/** A page of runs of one kind, with a form that begins one. */
export async function runsPage({ kind, title, lead, fields, layout, know, asked }) {
  const shown = h("section", { "aria-label": "The run", hidden: true });
  const said = h("div", { role: "status", "aria-live": "polite" });
  const lines = h("pre", { class: "lines", tabindex: 0, "aria-label": "What it wrote" });
  const steer = h("div", { class: "row" });
  const report = h("div");
  const list = h("section", { "aria-label": "Runs" });
  fill(shown, said, steer, lines, report);
  fill(document.getElementById("main"), h("h1", {}, title), h("p", { class: "note" }, lead),
    form(fields, { action: `Start`, label: title, layout, submit: start }), shown, list);

  let chosen = new URLSearchParams(location.search).get("run");
  let listed = "";
  let framed = "";
  let steered = "";

  async function start(body) {
    const question = asked?.(body);
    if (question && !await confirmed(...question)) return;
    const run = await send("POST", path("runs"), { kind, ...body });
    choose(run.id);
    await look();
    shown.scrollIntoView({ block: "nearest" });
  }

  function choose(id) {
    chosen = id;
    history.replaceState(null, "", `?run=${encodeURIComponent(id)}`);
  }

  async function stop(run) {
    const sure = await confirmed(`Stop ${run.id}?`, { detail: "It reports what was until then.", action: "Stop it" });
    if (sure) await doing(async () => { await send("POST", path("runs", run.id, "stop")); await look(); });
  }

  function drawRun(run) {
    shown.hidden = false;
    fill(said, h("h2", {}, run.id, " ", outcome(run)), h("p", { id: "sentence" }, run.sentence));
    const text = run.lines.join("\n");
    lines.hidden = text === "" || text === run.sentence;
    if (lines.textContent !== text) lines.textContent = text;
    const now = `${run.id} ${run.status} ${run.report}`;
    if (now === steered) return;
    steered = now;
    const where = `${path("runs", run.id)}/report`;
    const action = run.status === "running" ? "Stop" : "Stop at once";
    fill(steer, run.status !== "ended" && h("button", { id: "stop", class: "danger", click: () => stop(run) }, action),
      run.report && h("a", { href: where, target: "_blank", rel: "noopener" }, "The report by itself"),
      h("button", { click: () => copy(commandOf(run)) }, "Copy as a command"));
    if (run.report && framed !== run.id)
      fill(report, h("iframe", { class: "report", title: `Report of ${run.id}`, sandbox: "allow-scripts", src: where }));
    else if (!run.report) fill(report);
    framed = run.report ? run.id : "";
  }

  function drawList(runs) {
    const now = JSON.stringify([runs.map((run) => [run.id, run.status]), chosen]);
    if (now === listed) return;
    listed = now;
    fill(list, runs.length > 0 && [h("h2", {}, "Runs"), table(["Run", "Began", "Outcome", ""], runs.map((run) => [
      h("button", { id: `show-${run.id}`, "aria-pressed": String(run.id === chosen), click: () => { choose(run.id); look(); } }, run.id),
      moment(run.started), outcome(run), h("code", {}, commandOf(run)),
    ]))]);
  }

  async function look() {
    const found = await get(path("runs"));
    const runs = found.runs.filter((run) => run.kind === kind);
    chosen = runs.find((run) => run.id === chosen)?.id ?? runs[0]?.id;
    if (chosen) drawRun(await get(path("runs", chosen)));
    drawList(runs);
    return found;
  }

  await know((await get(path("runs"))).files);
  await every(700, look);
}

/** A run as somebody would type it. */
function commandOf(run) {
  return run.command.map((part) => (/^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", "'\\''")}'`)).join(" ");
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  } catch {
    toast(text); // a browser may keep pages from the clipboard; people can still read
  }
}
