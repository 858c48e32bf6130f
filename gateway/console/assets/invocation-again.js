// The same request again: as a command to copy, or sent by the gateway.

import { get, path, send } from "/assets/api.js";
import { confirmed, doing, toast } from "/assets/ask.js";
import { fill, h } from "/assets/dom.js";

const HIDDEN = "***";
const FRAMING = new Set(["connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]);
const READS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Draw the command and the buttons. */
export async function drawAgain(element, entry) {
  const sends = h("button", { id: "again", click: () => doing(() => again(entry, outcome)) }, "Send again");
  const outcome = h("p", { role: "status", "data-again": "" });
  const heading = h("h2", {}, "Again");
  if (entry.source !== "http") {
    fill(element, heading, h("div", { class: "row" }, sends), outcome);
    return;
  }
  const { data } = await get("/api/addresses");
  const command = curl(data, entry);
  fill(element, heading, h("pre", { class: "wrap", id: "curl", tabindex: 0 }, command),
    h("div", { class: "row" },
      h("button", { id: "copy", click: () => doing(() => copy(command)) }, "Copy as curl"), sends),
    outcome,
    hiddenOf(entry).length > 0 && h("p", { class: "note" }, `Not among it: ${hiddenOf(entry).join(", ")}, whose values are hidden.`),
    entry.body_cut && h("p", { class: "note" }, "Only the first part of its body is kept, so the gateway will not send it."));
}

const hiddenOf = (entry) => Object.entries(entry.headers).filter(([, value]) => value === HIDDEN).map(([name]) => name);

/** The request as a command for a POSIX shell. */
export function curl(data, entry) {
  const stage = entry.stage ? `/${entry.stage}` : "";
  const where = `${data}${stage}${sent(entry.path)}`;
  const method = entry.method === "HEAD" ? ["--head"] : entry.method === "GET" && !entry.body ? [] : ["-X", entry.method];
  const headers = Object.entries(entry.headers)
    .filter(([name, value]) => !FRAMING.has(name) && value !== HIDDEN)
    .flatMap(([name, value]) => ["-H", value === "" ? `${name};` : `${name}: ${value}`]);
  const body = entry.body ? ["--data-raw", entry.body] : [];
  return ["curl", "-i", "--globoff", "--path-as-is", ...method, where, ...headers, ...body].map(quoted).join(" ");
}

/** A path with its query as it travels: what is escaped in it stays so. */
const sent = (text) => encodeURI(text).replaceAll("%25", "%").replaceAll("%5B", "[").replaceAll("%5D", "]");

/** A word of a POSIX shell: in single quotes nothing means anything but the quote itself. */
function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

async function copy(command) {
  try {
    await navigator.clipboard.writeText(command);
    toast("The command is copied.");
  } catch {
    // Outside of a secure context there is no clipboard: what is to be copied is selected at least.
    getSelection().selectAllChildren(document.getElementById("curl"));
    toast("The browser does not let pages copy here; the command is selected.");
  }
}

async function again(entry, outcome) {
  const reads = entry.source === "http" && READS.has(entry.method);
  const what = entry.source === "http" ? `${entry.method} ${entry.path}` : `the invocation of ${entry.function}`;
  if (!reads && !(await confirmed(`Send ${what} again?`, {
    action: "Send", detail: "It may do once more what it did; that cannot be undone.",
  }))) return;
  fill(outcome, "Sending ...");
  try {
    const told = await send("POST", `${path("invocations", entry.request_id)}/again`);
    const left = told.left_out.length ? `, without ${told.left_out.join(", ")}` : "";
    fill(outcome, `Answered with ${told.status}${left}: `,
      told.request_id ? h("a", { href: `/invocations/${encodeURIComponent(told.request_id)}` }, told.request_id) : "it has no id");
  } catch (error) {
    fill(outcome);
    throw error;
  }
}
