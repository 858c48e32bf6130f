// Both versions of a rollout over time: who got how much, what failed, how long it took.

import { get, path } from "/assets/api.js";
import { count, fill, h } from "/assets/dom.js";
import { colour, draw } from "/assets/look.js";

const BEFORE = 5000; // milliseconds that are shown before the beginning, and after the end
const FINE = 900; // seconds that are kept second by second
const LONGEST = 86400;
const POINTS = 60; // of one line at most: fewer requests in a point would only show chance

const CHARTS = [
  ["share", "Share", "What version the alias gave its requests to; the dotted line is what it was told."],
  ["errors", "Errors", "The share of answers that were errors."],
  ["latency", "Latency", "The 99th percentile of each moment, from a request's head to its answer's end."],
];

/** The places of the charts, and what draws into them. */
export function courses() {
  const places = new Map();
  const drawn = h("div", { hidden: true }, CHARTS.map(([key, title, note]) => {
    places.set(key, h("div", { class: "chart", role: "img", "aria-label": `${title} over time` }));
    return [h("h2", {}, title), h("p", { class: "note" }, note), places.get(key)];
  }));
  const empty = h("p", { class: "quiet", hidden: true }, "No request of this alias in the time of the rollout.");
  const element = h("section", { "aria-label": "Over time" }, drawn, empty);
  return { element, draw: (rollout) => drawAll(rollout, places, [drawn, empty]) };
}

async function drawAll(rollout, places, [drawn, empty]) {
  const begin = Date.parse(rollout.started) - BEFORE;
  const since = (Date.now() - begin) / 1000;
  const step = since <= FINE ? 1 : 60;
  const window = Math.ceil(Math.min(Math.max(since, 20), step === 1 ? FINE : LONGEST));
  const [found, history] = await Promise.all([
    get("/api/metrics/course", { window, step }),
    get(path("functions", rollout.function, "aliases", rollout.alias, "history")),
  ]);
  const lines = new Map([rollout.from, rollout.to].map((version) => [version, summed(found, rollout, version)]));
  const total = [...lines.values()].reduce((sum, line) => sum + line.requests.reduce((a, b) => a + b, 0), 0);
  drawn.hidden = total === 0;
  empty.hidden = total > 0;
  if (!total) return;
  const times = pointsOf(found, lines);
  const range = [times[0], times.at(-1)];
  const layout = layoutFrom(rollout, Math.max(begin, Number(range[0])), Number(range[1]));
  await draw(places.get("share"), shareLines(rollout, times, lines, configured(rollout, history, range)),
    layout({ range: [0, 1.02], tickformat: ".0%" }));
  const errors = versionLines(times, lines, (line, at) => ratio(line.errors[at], line.requests[at]));
  const worst = Math.max(0.02, ...errors.flatMap((line) => line.y));
  await draw(places.get("errors"), errors, layout({ range: [0, worst * 1.1], tickformat: ".1~%" }));
  await draw(places.get("latency"), versionLines(times, lines, (line, at) => milliseconds(line.p99[at])),
    layout({ rangemode: "tozero", ticksuffix: " ms" }));
  places.get("share").setAttribute("aria-label", `Share over time, of ${count(total)} answers`);
}

/** A version's answers under the alias, of all stages together, in points that are not too fine. */
function summed(found, rollout, version) {
  const rows = found.versions.filter((row) => row.function === rollout.function
    && row.qualifier === rollout.alias && row.version === version);
  const wide = Math.max(1, Math.ceil(found.points / POINTS));
  const points = Math.ceil(found.points / wide);
  const line = { wide, requests: Array(points).fill(0), errors: Array(points).fill(0), p99: Array(points).fill(null) };
  for (const row of rows)
    for (let at = 0; at < found.points; at += 1) {
      const point = Math.floor(at / wide);
      line.requests[point] += row.requests[at];
      line.errors[point] += row.errors[at];
      if (row.p99[at] !== null) line.p99[point] = Math.max(line.p99[point] ?? 0, row.p99[at]);
    }
  return line;
}

function pointsOf(found, lines) {
  const { wide } = lines.values().next().value;
  const begin = Date.parse(found.start);
  return Array.from({ length: Math.ceil(found.points / wide) }, (_, at) =>
    new Date(begin + (at + 0.5) * wide * found.step * 1000)); // the middle of what a point counts
}

const ratio = (part, whole) => (whole ? part / whole : null);
const milliseconds = (seconds) => (seconds === null ? null : seconds * 1000);

function versionLines(times, lines, value) {
  return [...lines].map(([version, line]) => ({
    name: `version ${version}`, x: times, y: times.map((_, at) => value(line, at)),
    mode: "lines+markers", marker: { size: 4 }, line: { color: colour(version) }, connectgaps: false,
  }));
}

function shareLines(rollout, times, lines, told) {
  const whole = times.map((_, at) => [...lines.values()].reduce((sum, line) => sum + line.requests[at], 0));
  const observed = versionLines(times, new Map([[rollout.to, lines.get(rollout.to)]]),
    (line, at) => ratio(line.requests[at], whole[at]));
  return [...observed, {
    name: "configured", x: told.map(([at]) => at), y: told.map(([, share]) => share), mode: "lines",
    line: { shape: "hv", dash: "dot", color: colour(rollout.to), width: 1.5 }, hoverinfo: "y",
  }];
}

/** What the alias was told to give to the new version, move by move. */
function configured(rollout, history, [first, last]) {
  const share = ({ version, weights }) => {
    if (version !== rollout.to) return weights[rollout.to] ?? 0;
    return 1 - Object.values(weights).reduce((sum, each) => sum + each, 0);
  };
  const moves = history.moves.filter((move) => move.after)
    .map((move) => [new Date(move.at), share(move.after)]).reverse();
  const before = moves.filter(([at]) => at <= first).at(-1)?.[1] ?? 0;
  const within = moves.filter(([at]) => at > first && at < last);
  return [[first, before], ...within, [last, within.at(-1)?.[1] ?? before]];
}

/** How charts are laid out: from the beginning of the rollout to its end. */
function layoutFrom(rollout, begin, now) {
  const over = ["running", "paused"].includes(rollout.status) ? now : Date.parse(rollout.since) + BEFORE;
  const xaxis = { type: "date", range: [new Date(begin), new Date(Math.max(begin + BEFORE, Math.min(now, over)))] };
  return (yaxis) => ({ yaxis, xaxis, height: 260, showlegend: true });
}
