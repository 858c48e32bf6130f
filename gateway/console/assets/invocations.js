// Invocations: what was answered, newest first, as it comes; the filter is in the address.

import { get } from "/assets/api.js";
import { doing } from "/assets/ask.js";
import { fill, h } from "/assets/dom.js";
import { drawFilters, filterOf } from "/assets/invocations-filter.js";
import { rowOf } from "/assets/invocations-row.js";
import { pulse } from "/assets/live.js";

const FIRST = 100; // rows that are there at once
const MOST = 500; // rows that are kept; older ones go when newer ones come
const WAIT = 20; // seconds that the gateway may wait for something new
const RETRY = 2000; // milliseconds until a gateway that is gone is asked again
const REST = 250; // milliseconds between two questions, however much comes

const main = document.getElementById("main");
const body = h("tbody");
const note = h("p", { class: "note", role: "status" });
const pause = h("button", { id: "pause", "aria-pressed": "false", click: () => (following ? stop() : start()) }, "Pause");
const older = h("button", { id: "older", click: () => doing(more) }, "Older");
const columns = ["Time", "Stage", "Alias", "Version", "Reason", "#Status", "#Took", "Request"];

let filter = filterOf(new URLSearchParams(location.search));
let following; // what takes the open question back; nothing while paused
let oldest;

fill(main,
  h("div", { class: "row heading" }, h("h1", {}, "Invocations"), pause),
  drawFilters(filter, changed), note,
  h("div", { class: "wide" }, h("table", { class: "log", "aria-label": "Invocations, newest first" },
    h("thead", {}, h("tr", {}, columns.map((each) => h("th", {
      scope: "col", ...(each.startsWith("#") ? { class: "figure" } : {}),
    }, each.replace("#", ""))))), body)),
  h("p", {}, older));

function changed(wanted) {
  filter = wanted;
  const said = new URLSearchParams(Object.entries(filter).filter(([, value]) => value)).toString();
  history.replaceState(null, "", said ? `?${said}` : location.pathname);
  start();
}

/** Begin anew: the newest rows, and then what comes. */
async function start() {
  following?.abort();
  const mine = following = new AbortController();
  told();
  try {
    const seen = (await get("/api/invocations", { limit: 1 }, mine.signal)).newest;
    pulse("");
    const found = await get("/api/invocations", { ...filter, limit: FIRST }, mine.signal);
    show(found.entries, found);
    await follow(Math.max(seen, found.entries[0]?.number ?? 0), mine.signal);
  } catch (error) {
    if (mine.signal.aborted) return;
    if (error.status) stop(error.message);
    else lost(mine.signal);
  }
}

/** The gateway is gone, perhaps to come back. */
function lost(signal) {
  pulse("the gateway does not answer");
  setTimeout(() => { if (!signal.aborted) start(); }, RETRY);
}

/** Ask for what is newer than a number, again and again. */
async function follow(after, signal) {
  while (!signal.aborted) {
    const found = await get("/api/invocations", { ...filter, after, wait: WAIT, limit: MOST }, signal);
    pulse("");
    if (found.entries.length) {
      after = found.entries.at(-1).number;
      arrived(found.entries);
      tell(found);
    }
    await new Promise((rested) => { setTimeout(rested, REST); });
  }
}

function stop(why = "") {
  following?.abort();
  following = undefined;
  told(why);
}

function told(why = "") {
  pause.textContent = following ? "Pause" : "Go on";
  pause.setAttribute("aria-pressed", String(!following));
  note.classList.toggle("bad", Boolean(why));
  fill(note, why || (following ? "Following: what comes is shown at once." : "Paused."));
}

function tell(found) {
  if (!found.kept_entries) {
    fill(note, "This gateway keeps no invocation log: its --log-entries is 0.");
    return;
  }
  const kept = found.left_out ? ` ${found.left_out.toLocaleString("en")} were not kept: too many at a time, or the log could not be written.` : "";
  const how = following ? "Following: what comes is shown at once." : "Paused.";
  fill(note, body.children.length ? `${how}${kept}` : `${how} Nothing fits the filter yet.${kept}`);
}

function show(entries, found) {
  fill(body, entries.map((each) => rowOf(each)));
  oldest = entries.at(-1)?.number;
  older.hidden = entries.length < FIRST;
  tell(found);
}

function arrived(entries) {
  body.prepend(...entries.slice(-MOST).reverse().map((each) => rowOf(each, true)));
  while (body.children.length > MOST) body.lastChild.remove();
  oldest = Number(body.lastChild.dataset.number);
}

/** Look further back; what comes meanwhile waits. */
async function more() {
  stop();
  const found = await get("/api/invocations", { ...filter, before: oldest, limit: FIRST });
  body.append(...found.entries.map((each) => rowOf(each)));
  while (body.children.length > MOST) body.firstChild.remove();
  oldest = found.entries.at(-1)?.number ?? oldest;
  older.hidden = found.entries.length < FIRST;
}

let hidden = false; // whether following ended because nobody looked
document.addEventListener("visibilitychange", () => {
  if (document.hidden && following) {
    hidden = true;
    stop();
  } else if (!document.hidden && hidden) {
    hidden = false;
    start();
  }
});
start();
