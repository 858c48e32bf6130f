// Invocation: one request with everything that is kept of it, why it went there, and again.

import { get, path } from "/assets/api.js";
import { fill, h, milliseconds } from "/assets/dom.js";
import { mark } from "/assets/function-words.js";
import { drawAgain } from "/assets/invocation-again.js";
import { drawDecision } from "/assets/invocation-decision.js";
import { isBad } from "/assets/invocations-row.js";

const id = decodeURIComponent(location.pathname.split("/")[2]);
const main = document.getElementById("main");

function facts(entry) {
  const outcome = h("span", { class: isBad(entry) ? "bad" : "good" }, entry.kind ? `${entry.status} ${entry.kind}` : entry.status);
  const rows = [
    ["Outcome", outcome],
    ["When", new Date(entry.at).toLocaleString()],
    ["Took", `${milliseconds(entry.seconds)}${entry.function ? `, the handler ${milliseconds(entry.duration)}` : ""}`],
    entry.stage && ["Stage", entry.stage],
    entry.function && ["Alias", h("a", {
      href: `/functions/${encodeURIComponent(entry.function)}?alias=${encodeURIComponent(entry.alias)}`,
    }, `${entry.function}@${entry.alias}`)],
    entry.version && ["Version", h("span", {}, mark(entry.version), h("span", { class: "quiet" }, ` by ${entry.reason}`))],
    ["Revision", entry.revision],
    entry.memory > 0 && ["Memory", `${(entry.memory / 1048576).toFixed(1)} MB`],
    entry.node && ["Answered by", [entry.node, entry.process].filter(Boolean).join("/")],
    ["Request id", h("code", {}, entry.request_id)],
  ];
  return h("dl", { class: "facts" }, rows.filter(Boolean).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/** Text as it came; JSON is laid out. */
function shown(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? JSON.stringify(value, null, 2) : text;
  } catch {
    return text;
  }
}

function part(title, ...inside) {
  return h("section", { "aria-label": title }, h("h2", {}, title), inside);
}

function request(entry) {
  const headers = Object.entries(entry.headers);
  return part("Request",
    headers.length > 0 && h("dl", { class: "facts" },
      headers.map(([name, value]) => [h("dt", {}, h("code", {}, name)), h("dd", {}, h("code", {}, value))])),
    entry.body ? h("pre", { class: "wrap", tabindex: 0 }, entry.body_cut ? entry.body : shown(entry.body)) : h("p", { class: "quiet" }, "No body."),
    entry.body_cut && h("p", { class: "note" }, "Only the first part of the body is kept."));
}

function failure(entry) {
  if (!entry.error) return null;
  const { stackTrace, ...rest } = entry.error;
  const stack = Array.isArray(stackTrace) ? stackTrace.join("\n") : stackTrace;
  return part("Error", h("pre", { class: "wrap bad", tabindex: 0 }, stack ? `${JSON.stringify(rest, null, 2)}\n${stack}` : JSON.stringify(rest, null, 2)));
}

async function look() {
  const entry = await get(path("invocations", id));
  const title = entry.source === "invoke" ? `Invocation of ${entry.function}` : `${entry.method} ${entry.path}`;
  const decision = h("section", { "aria-label": "Decision" });
  const again = h("section", { "aria-label": "Again" });
  fill(main,
    h("p", { class: "note" }, h("a", { href: "/invocations" }, "Invocations")),
    h("h1", { class: "title" }, title), facts(entry), failure(entry), decision,
    part("Output", entry.output ? h("pre", { class: "wrap", tabindex: 0 }, entry.output) : h("p", { class: "quiet" }, "It printed nothing.")),
    request(entry), again);
  await Promise.all([drawDecision(decision, entry), drawAgain(again, entry)]);
}

try {
  await look();
} catch (error) {
  const words = error.status ? error.message : "The gateway does not answer.";
  fill(main, h("h1", {}, "Invocation"), h("p", { class: "bad" }, words),
    h("p", {}, h("a", { href: "/invocations" }, "All invocations")));
}
