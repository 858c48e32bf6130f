// Stages: the picture of the scheme with what flows through it, and whether each split is right.

import { get } from "/assets/api.js";
import { colour } from "/assets/look.js";
import { count, fill, h, milliseconds, percent, svg, table } from "/assets/dom.js";
import { every } from "/assets/live.js";

const WINDOW = 60;
const MARKS = 40; // requests that are shown on their way at a time
const main = document.getElementById("main");
const picture = h("div", { class: "wide" });
const shares = h("section", { "aria-label": "Shares" });
const answers = h("section", { "aria-label": "Answers" });
fill(main, h("h1", {}, "Stages"), picture, shares, answers);

let drawn = "";
let routes = new Map(); // where the marks go: stage, alias and version -> the paths of the picture
let last = null;

/** The scheme of a snapshot: which stage leads to which alias, which alias to which versions. */
function schemeOf(snapshot) {
  const stages = [];
  const aliases = new Map();
  for (const service of Object.values(snapshot.services))
    for (const [name, stage] of Object.entries(service.stages)) {
      const targets = new Set(stage.apis.filter((api) => api.function)
        .map((api) => `${api.function}/${api.qualifier}`));
      stages.push({ name, targets: [...targets] });
      for (const api of stage.apis) {
        if (!api.function) continue;
        const key = `${api.function}/${api.qualifier}`;
        aliases.set(key, { key, function: api.function, alias: api.qualifier, ...leads(snapshot, api) });
      }
    }
  const versions = [...new Set([...aliases.values()].flatMap((each) => each.versions.map((v) => v.key)))];
  return { stages, aliases: [...aliases.values()], versions: versions.sort(byVersion) };
}

function leads(snapshot, api) {
  const alias = snapshot.functions[api.function]?.aliases[api.qualifier];
  const key = (version) => `${api.function}/${version}`;
  if (!alias) return { versions: [{ key: key(api.qualifier), version: api.qualifier, label: "pinned" }] };
  const found = new Map();
  const rest = 1 - Object.values(alias.weights).reduce((sum, each) => sum + each, 0);
  found.set(alias.version, percent(rest));
  for (const [version, weight] of Object.entries(alias.weights)) found.set(version, percent(weight));
  for (const rule of alias.rules) {
    const before = found.get(rule.version);
    found.set(rule.version, before ? `rule, ${before}` : "rule");
  }
  return { versions: [...found].map(([version, label]) => ({ key: key(version), version, label })) };
}

function byVersion(one, two) {
  return one.localeCompare(two, "en", { numeric: true });
}

function drawScheme(scheme) {
  const columns = [[10, 150], [330, 210], [690, 200]]; // where each column begins, and its width
  const rows = Math.max(scheme.stages.length, scheme.aliases.length, scheme.versions.length, 1);
  const height = rows * 62 + 10;
  const places = new Map();
  const boxes = [];
  const place = (column, items, label) => items.forEach((item, at) => {
    const [x, width] = columns[column];
    const y = (height / items.length) * (at + 0.5);
    places.set(`${column}:${item.id}`, { x, right: x + width, y });
    boxes.push(svg("g", {},
      svg("rect", { class: "box", x, y: y - 21, width, height: 42, rx: 8 }),
      item.colour && svg("rect", { x, y: y - 21, width: 6, height: 42, rx: 3, fill: item.colour }),
      svg("text", { x: x + 16, y: y - 2 }, item.text),
      svg("text", { class: "quiet", x: x + 16, y: y + 14 }, label(item))));
  });
  place(0, scheme.stages.map((each) => ({ id: each.name, text: each.name })), () => "stage");
  place(1, scheme.aliases.map((each) => ({ id: each.key, text: each.alias, of: each.function })),
    (item) => `alias of ${item.of}`);
  place(2, scheme.versions.map((key) => {
    const version = key.slice(key.indexOf("/") + 1);
    return { id: key, text: version, colour: colour(version), of: key.slice(0, key.indexOf("/")) };
  }), (item) => `version of ${item.of}`);
  routes = new Map();
  const edges = [];
  const labels = [];
  const edge = (from, to, label, tint) => {
    const middle = (from.right + to.x) / 2;
    const d = `M${from.right},${from.y} C${middle},${from.y} ${middle},${to.y} ${to.x},${to.y}`;
    edges.push(svg("path", { class: "edge", d, ...(tint ? { style: { stroke: tint, opacity: 0.45 } } : {}) }));
    if (label) labels.push(labelAt(from, to, label));
    return d;
  };
  for (const stage of scheme.stages)
    for (const target of stage.targets) {
      const first = edge(places.get(`0:${stage.name}`), places.get(`1:${target}`));
      routes.set(`${stage.name}>${target}`, first);
    }
  for (const alias of scheme.aliases)
    for (const version of alias.versions) {
      const second = edge(places.get(`1:${alias.key}`), places.get(`2:${version.key}`),
        version.label, colour(version.version));
      routes.set(`${alias.key}>${version.version}`, second);
    }
  const words = scheme.aliases.map((each) =>
    `${each.function}/${each.alias}: ${each.versions.map((v) => `${v.version} ${v.label}`).join(", ")}`);
  fill(picture, svg("svg", {
    class: "picture", id: "scheme", viewBox: `0 0 900 ${height}`, role: "img",
    "aria-label": `Stages lead to aliases, aliases to versions. ${words.join("; ")}`,
  }, edges, labels, svg("g", { id: "marks", class: "moving" }), boxes));
}

/** The label of an edge, on its way: where edges meet, labels would lie on each other. */
function labelAt(from, to, label) {
  const t = 0.66;
  const [first, second, third, last] = [(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t ** 2, t ** 3];
  const middle = (from.right + to.x) / 2;
  const x = from.right * first + middle * (second + third) + to.x * last;
  const y = from.y * (first + second) + to.y * (third + last);
  return svg("text", { class: "quiet label", x, y: y - 5, "text-anchor": "middle" }, label);
}

/** A request on its way: a mark in the colour of the version that answered it. */
function sendMark(entry, delay) {
  const marks = document.getElementById("marks");
  const alias = `${entry.function}/${entry.alias}`;
  const first = routes.get(`${entry.stage}>${alias}`);
  const second = routes.get(`${alias}>${entry.version}`);
  if (!marks || !first || !second) return;
  for (const [path, begin] of [[first, delay], [second, delay + 700]]) {
    const mark = svg("circle", {
      r: entry.kind ? 6 : 4.5, fill: colour(entry.version), opacity: 0,
      stroke: entry.kind ? "var(--bad)" : "none", "stroke-width": 2,
    });
    marks.append(mark);
    const way = svg("animateMotion", { dur: "0.7s", begin: "indefinite", fill: "freeze", path });
    mark.append(way);
    setTimeout(() => { mark.setAttribute("opacity", 1); way.beginElement?.(); }, begin);
    setTimeout(() => mark.remove(), begin + 700);
  }
}

async function follow() {
  if (last === null) {
    last = (await get("/api/invocations", { limit: 1 })).newest;
    return;
  }
  const found = await get("/api/invocations", { after: last, limit: 500 });
  last = found.newest;
  const shown = found.entries.filter((entry) => entry.version).slice(-MARKS);
  shown.forEach((entry, at) => sendMark(entry, (at * 450) / shown.length));
}

const OUTCOMES = {
  passed: "The split is right.",
  failed: "The split is wrong.",
  undecided: "Too few requests to tell.",
};

function shareRow(division, share) {
  const width = (part) => `${Math.max(0, Math.min(1, part)) * 100}%`;
  return [
    h("span", {}, h("i", { class: "swatch", style: { background: colour(share.version) } }), share.version),
    percent(share.configured), percent(share.observed, 4), count(share.requests),
    h("div", {
      class: "bar", role: "img",
      "aria-label": `observed ${percent(share.observed, 4)}, configured ${percent(share.configured)}`,
      title: `the true share is between ${percent(share.low)} and ${percent(share.high)}, at every moment`,
    },
      h("i", { style: { width: width(share.observed ?? 0), background: colour(share.version) } }),
      h("s", { style: { left: width(share.low), width: width(share.high - share.low) } }),
      h("b", { style: { left: width(share.configured) } })),
  ];
}

function drawShares(divisions, used) {
  fill(shares, h("h2", {}, "Observed against configured"), divisions
    .filter((each) => used.has(`${each.function}/${each.alias}`))
    .map((division) => h("div", { class: "card", "data-alias": `${division.function}/${division.alias}` },
      h("div", { class: "row" },
        h("strong", {}, h("a", { href: `/functions/${encodeURIComponent(division.function)}` },
          `${division.function}/${division.alias}`)),
        h("span", { class: division.outcome ?? "quiet", "data-outcome": division.outcome ?? "" },
          division.outcome ? `${division.outcome}. ${OUTCOMES[division.outcome]}`
            : "Keys stick here: requests are no independent draws, so there is no verdict."),
        h("span", { class: "quiet" }, `since revision ${division.revision}`)),
      table(["Version", "#Configured", "#Observed", "#Answers", "Band"],
        division.versions.map((share) => shareRow(division, share))))),
  h("p", { class: "note" }, "Counted since the alias was moved, without what rules decided. The dark line is the",
    " configured share, the grey one holds the true share at every moment; a correct split is called wrong",
    " with a probability of at most 0.001, however often one looks."));
}

function drawAnswers(metrics) {
  const rows = metrics.versions.map((row) => [
    row.stage, `${row.function}@${row.qualifier}`,
    h("span", {}, h("i", { class: "swatch", style: { background: colour(row.version) } }), row.version),
    (row.requests / WINDOW).toFixed(1), count(row.requests),
    h("span", { class: row.errors ? "bad" : "" }, count(row.errors)),
    milliseconds(row.latency.p50), milliseconds(row.latency.p99),
  ]);
  fill(answers, h("h2", {}, "The last minute"), rows.length
    ? table(["Stage", "Alias", "Version", "#Per second", "#Answers", "#Errors", "#p50", "#p99"], rows)
    : h("p", { class: "quiet" }, "No request in the last minute."));
}

async function look() {
  const [snapshot, divisions, metrics] = await Promise.all([
    get("/api/snapshot"), get("/api/shares"), get("/api/metrics", { window: WINDOW }),
  ]);
  const scheme = schemeOf(snapshot);
  const now = JSON.stringify(scheme);
  if (now !== drawn) {
    drawn = now;
    drawScheme(scheme);
  }
  drawShares(divisions.aliases, new Set(scheme.aliases.map((each) => each.key)));
  drawAnswers(metrics);
}

await every(1000, look);
await every(500, follow);
