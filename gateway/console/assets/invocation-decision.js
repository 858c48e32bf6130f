// Why a request went where it went: the same decision, asked once more and told step by step.

import { Problem, send } from "/assets/api.js";
import { exactly, mark } from "/assets/function-words.js";
import { fill, h, table } from "/assets/dom.js";
import { colour } from "/assets/look.js";

const HIDDEN = "***"; // what the log keeps of a secret
const REASONS = {
  main: "No rule hit, and the choice fell on the main version.",
  weight: "No rule hit, and the choice fell on an additional version.",
  sticky: "No rule hit, and the request's key sticks to this version.",
  pinned: "The version itself was named.",
};

/** Explain the request at the present revision, and say what differs from then. */
export async function drawDecision(element, entry) {
  const why = entry.reason.startsWith("rule:") ? `Rule ${entry.reason.slice(5)} of the alias hit.` : REASONS[entry.reason];
  const head = [h("h2", {}, "Decision"), why && h("p", {}, why)];
  if (entry.source !== "http" || !entry.stage) {
    fill(element, head, h("p", { class: "note" }, entry.source === "http"
      ? "The request named no stage." : "It was invoked by name: its routing key stood in the place of headers."));
    return;
  }
  try {
    const told = await send("POST", "/api/explain", {
      stage: entry.stage, method: entry.method, path: entry.path, headers: entry.headers, body: entry.body,
    });
    fill(element, head, moved(entry, told), steps(entry, told), unsure(entry));
  } catch (error) {
    const words = error instanceof Problem ? error.message : "the gateway does not answer";
    fill(element, head, h("p", { class: "note" }, `Now, no version would answer it: ${words}`));
  }
}

function moved(entry, told) {
  if (entry.revision === told.revision)
    return h("p", { class: "note" }, `Explained at revision ${told.revision}, which the request saw as well.`);
  return h("p", { class: "wait", "data-moved": "" },
    `Explained at revision ${told.revision}; the request saw revision ${entry.revision}, and may have been decided otherwise.`);
}

function steps(entry, told) {
  const parameters = Object.entries(told.parameters).map(([name, value]) => `${name} = ${value}`);
  return [
    h("p", {}, "The request fits ", h("code", {}, told.api), parameters.length > 0 && ` with ${parameters.join(", ")}`,
      told.function && [" and leads to ", h("code", {}, `${told.function}@${told.qualifier}`)],
      !told.function && `; a back end of kind ${told.backend} answers it`, "."),
    told.rules.length > 0 && table(["#Rule", "Condition", "The request has", "Outcome", "Version"], told.rules.map((rule) => [
      rule.number, h("code", {}, rule.when), rule.value ?? h("span", { class: "quiet" }, "nothing"),
      h("span", { class: rule.outcome === "hit" ? "good" : "quiet" }, rule.outcome), mark(rule.version),
    ])),
    told.buckets.length > 0 && choice(entry, told),
    !told.buckets.length && told.version && told.version !== entry.version &&
      h("p", { class: "wait" }, "Now it would be answered by ", mark(told.version), "."),
  ];
}

/** The stretches that a number is drawn from; the one of the version that answered is framed. */
function choice(entry, told) {
  const how = {
    random: "A number was drawn for this request; it is not kept, but it fell into the framed stretch.",
    even: "The alias's sequence had its turn in the framed stretch.",
    sticky: told.sticky_key === null ? "The request has no key, so a number was drawn."
      : `The key ${told.sticky_key} always leads to the same place.`,
  }[told.split];
  const decided = told.rules.some((rule) => rule.outcome === "hit");
  return [
    h("div", { class: "draw" }, h("div", {
      class: "split", role: "img",
      "aria-label": told.buckets.map((each) => `version ${each.version} from ${each.low} to ${each.high}`).join(", "),
    }, told.buckets.map((each) => h("i", {
      class: !decided && each.version === entry.version ? "hit" : false,
      style: { width: `${each.share * 100}%`, background: colour(each.version) },
    }))),
    h("div", { class: "row" }, told.buckets.map((each) => h("span", {}, mark(each.version), `: ${exactly(each.share)}`)))),
    h("p", { class: "note" }, decided ? "A rule decides it, so there is no choice." : how),
  ];
}

/** What the log does not have, and a rule might have read. */
function unsure(entry) {
  const hidden = Object.entries(entry.headers).filter(([, value]) => value === HIDDEN).map(([name]) => name);
  return [
    hidden.length > 0 && h("p", { class: "note" }, `The values of ${hidden.join(", ")} are hidden; a rule that reads them is explained without.`),
    entry.body_cut && h("p", { class: "note" }, "The body was cut; a rule that reads it may be explained otherwise."),
  ];
}
