// Functions: which there are, where their aliases lead, and what they answered.

import { get } from "/assets/api.js";
import { count, fill, h } from "/assets/dom.js";
import { bar, exactly, mark, sharesOf } from "/assets/function-words.js";
import { every } from "/assets/live.js";

const main = document.getElementById("main");
const list = h("div");
fill(main, h("h1", {}, "Functions"), list);

let drawn = "";

/** Answers and errors of one function since the start. */
function countsOf(metrics, name) {
  const rows = metrics.versions.filter((row) => row.function === name);
  const sum = (field) => rows.reduce((total, row) => total + row[field], 0);
  return { requests: sum("requests"), errors: sum("errors") };
}

function aliasLine(each, name, alias) {
  const shares = sharesOf(alias).filter(([, share]) => share > 0);
  const rules = alias.rules.length;
  return h("div", { class: "alias" },
    h("a", { href: `/functions/${encodeURIComponent(each.name)}?alias=${encodeURIComponent(name)}` }, name),
    bar(shares),
    h("span", {}, shares.map(([version, share]) =>
      h("span", { class: "pair" }, mark(version), shares.length > 1 && `: ${exactly(share)}`)),
    rules > 0 && h("span", { class: "quiet" }, ` ${rules} ${rules === 1 ? "rule" : "rules"} first`)));
}

function card(each, counts) {
  const published = each.versions.length;
  return h("section", { class: "card", "data-function": each.name, "aria-label": each.name },
    h("div", { class: "row" },
      h("h2", { class: "flush" }, h("a", { href: `/functions/${encodeURIComponent(each.name)}` }, each.name)),
      h("span", { class: "quiet" }, each.latest.description)),
    h("p", { class: "flush" },
      published ? `${published} published ${published === 1 ? "version" : "versions"} ` : "Nothing is published yet. ",
      each.versions.map((version) => h("span", { class: "pair" }, mark(version)))),
    h("p", { class: "flush" }, `${count(counts.requests)} answers, `,
      h("span", { class: counts.errors ? "bad" : "quiet" }, `${count(counts.errors)} errors`),
      h("span", { class: "quiet" }, " since the start · "),
      h("a", { href: `/invocations?function=${encodeURIComponent(each.name)}` }, "invocations")),
    Object.entries(each.aliases).map(([name, alias]) => aliasLine(each, name, alias)));
}

async function look() {
  const [found, metrics] = await Promise.all([get("/api/functions"), get("/api/metrics")]);
  const rows = found.functions.map((each) => [each, countsOf(metrics, each.name)]);
  const now = JSON.stringify(rows);
  if (now === drawn) return;
  drawn = now;
  fill(list, rows.length ? rows.map(([each, counts]) => card(each, counts))
    : h("p", { class: "quiet" }, "There is no function yet; declare one in stages.toml."));
}

await every(2000, look);
