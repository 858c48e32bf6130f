// Where an alias leads, as pictures and words that the pages about functions share.

import { colour } from "/assets/look.js";
import { h, percent } from "/assets/dom.js";

/** A share exactly as it is configured. */
export const exactly = (share) => percent(share, 12);

/** What each version gets of the requests that no rule decides, the main version first. */
export function sharesOf(alias) {
  const weights = Object.entries(alias.weights);
  const rest = 1 - weights.reduce((sum, [, weight]) => sum + weight, 0);
  return [[alias.version, Number(rest.toPrecision(12))], ...weights];
}

/** A version with its colour. */
export const mark = (version) =>
  h("span", { class: "version" }, h("i", { class: "swatch", style: { background: colour(version) } }), version);

/** Shares side by side. */
export function bar(shares) {
  return h("div", {
    class: "split", role: "img",
    "aria-label": shares.map(([version, share]) => `version ${version} ${exactly(share)}`).join(", "),
  }, shares.map(([version, share]) =>
    h("i", { style: { width: `${Math.max(0, share) * 100}%`, background: colour(version) } })));
}

/** Everything that an alias says about where requests go. */
export function routing(alias) {
  const shares = sharesOf(alias);
  const how = { random: "", even: "in an even sequence", sticky: `by ${alias.sticky_by}` }[alias.split];
  return h("div", { class: "routing" },
    alias.rules.length > 0 && h("ol", { class: "rules" }, alias.rules.map((rule) =>
      h("li", {}, h("code", {}, rule.when), " → ", mark(rule.version)))),
    bar(shares),
    h("div", { class: "row" }, shares.map(([version, share]) => h("span", {}, mark(version), `: ${exactly(share)}`)),
      how && h("span", { class: "quiet" }, how)));
}

/** The same in one line of text. */
export function inWords(alias) {
  if (!alias) return "not there";
  const rules = alias.rules.map((rule) => `${rule.when} → ${rule.version}`);
  const shares = sharesOf(alias).filter(([, share]) => share > 0);
  const split = shares.map(([version, share]) => (shares.length > 1 ? `${version} ${exactly(share)}` : version));
  return [...rules, split.join(", ")].join("; ");
}

/** What a fault does, in words. */
export function faultWords(fault) {
  const said = [];
  if (fault.errors) said.push(`${exactly(fault.errors)} errors (${fault.status})`);
  if (fault.latency !== null && fault.latency !== undefined) said.push(`latency ${latencyWords(fault.latency)}`);
  return said.join(", ");
}

function latencyWords(latency) {
  if (typeof latency === "number") return `${latency} s`;
  const [kind, value] = Object.entries(latency).find(([, each]) => each !== null);
  if (kind === "uniform") return `${value[0]} to ${value[1]} s`;
  if (kind === "normal") return `${value[0]} s, give or take ${value[1]} s`;
  return `${value} s on average`;
}
