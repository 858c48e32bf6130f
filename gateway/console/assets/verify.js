// Verify: is my split right? Of requests that are sent, or of a log of the project.

import { get } from "/assets/api.js";
import { h } from "/assets/dom.js";
import { field, offer } from "/assets/fields.js";
import { runsPage } from "/assets/runs.js";

const stages = field("stages", "Stage", {
  kind: "select", note: "What its alias says now is expected.", read: (input) => (input.value ? [input.value] : undefined),
});
const source = field("what", "What is judged", {
  kind: "select", options: [{ value: "", text: "requests that are sent now" }, { value: "log", text: "a log of the project" }],
  change: () => turn(), read: () => undefined,
});
const sent = [
  field("requests", "Requests", { kind: "number", placeholder: "20000", min: 1, step: 1 }),
  field("users", "Connections", { kind: "number", placeholder: "20", min: 1, step: 1 }),
  field("rate", "Requests a second", { kind: "number", placeholder: "as fast as they are answered", min: 0 }),
  field("source", "Requests of a file", { kind: "select", note: "A recording or an access log; else they are made up." }),
];
const read = [
  field("log", "Log", { kind: "select", note: "A file of the project." }),
  field("version_field", "Field of the version", { placeholder: "version" }),
  field("log_format", "Format string of the server", { placeholder: "$time_iso8601 $status $upstream_addr" }),
  field("map", "Values and their versions, one a line", { kind: "lines", placeholder: "127.0.0.1:9001=1" }),
  field("sticky_key", "Field of the sticky key", { placeholder: "none" }),
  field("where", "Only records with, one a line", { kind: "lines", placeholder: "status!=499" }),
];
const about = [
  field("expect", "Expected shares", { placeholder: "1=0.9,2=0.1", read: (input) => (input.value.trim() ? [input.value.trim()] : undefined) }),
  field("tolerance", "Deviation that matters, as a share", { kind: "number", placeholder: "0.03", min: 0, max: 1 }),
  field("max_errors", "Greatest share of errors", { kind: "number", placeholder: "0", min: 0, max: 1 }),
  field("until_decided", "Stop as soon as it is decided", { kind: "check" }),
];

const group = (name, fields) =>
  h("fieldset", { class: "bare" }, h("legend", { class: "note" }, name),
    h("div", { class: "fields" }, fields.map((each) => each.element)));
const sending = group("Sent", sent);
const reading = group("Read", read);

function turn() {
  const log = source.input.value === "log";
  sending.hidden = log;
  reading.hidden = !log;
}

async function know(files) {
  const { stages: known } = await get("/api/stages");
  const names = known.map((each) => each.stage);
  offer(stages, [{ value: "", text: "none" }, ...names]);
  if (names.includes("release")) stages.input.value = "release";
  const named = [{ value: "", text: "none" }, ...files];
  for (const each of [sent[3], read[0]]) offer(each, named);
}

turn();
await runsPage({
  kind: "verify", title: "Verify",
  lead: "Whether a split is right, with stated error rates: a correct one fails once in a million times, one that is off by the tolerance passes once in a hundred.",
  fields: [stages, source, ...about, ...sent, ...read],
  layout: [group("Asked", [stages, source, ...about]), sending, reading],
  know,
  asked: (body) => (body.log ? undefined : [`Send ${(body.requests ?? 20000).toLocaleString("en")} requests to this gateway?`, {
    detail: "They are real requests: functions run, and they are counted and logged.", action: "Send", danger: false,
  }]),
});
