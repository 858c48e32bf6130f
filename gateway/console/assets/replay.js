// Replay: what production was asked, asked again here, in its own rhythm.

import { get } from "/assets/api.js";
import { h } from "/assets/dom.js";
import { field, offer } from "/assets/fields.js";
import { runsPage } from "/assets/runs.js";

const recording = field("recording", "Recording", {
  kind: "select", note: "A file of the project; 'gateway record' makes one.",
});
const stage = field("stage", "Stage", { kind: "select" });
const pace = [
  field("speed", "Speed", { kind: "number", placeholder: "1", min: 0, note: "So many times faster than recorded." }),
  field("rate", "Requests a second", { kind: "number", min: 0, note: "On average; bursts stay bursts." }),
  field("as_fast_as_possible", "As fast as possible", { kind: "check" }),
];
const more = [
  field("sample", "Share of users to keep", { kind: "number", placeholder: "1", min: 0, max: 1 }),
  field("loop", "Play it so often", { kind: "number", placeholder: "1", min: 1, step: 1 }),
  field("concurrency", "Requests under way, at most", { kind: "number", placeholder: "500", min: 1, step: 1 }),
  field("set_header", "Headers, one a line", { kind: "lines", placeholder: "User: {user}" }),
  field("map_path", "Other paths, one a line", { kind: "lines", placeholder: "/old -> /new" }),
];

async function know(files) {
  offer(recording, files.length ? files : [{ value: "", text: "the project has none yet" }]);
  const { stages } = await get("/api/stages");
  const names = stages.map((each) => each.stage);
  offer(stage, [{ value: "", text: "as recorded" }, ...names]);
}

const fields = [recording, stage, ...pace, ...more];
await runsPage({
  kind: "replay", title: "Replay",
  lead: "Requests begin when they are due, whoever still waits for an answer; the splits of the answers are judged.",
  fields,
  layout: h("div", { class: "fields" }, fields.map((each) => each.element)),
  know,
  asked: (body) => [`Play ${body.recording ?? "it"} against this gateway?`, {
    detail: "They are real requests: functions run, and they are counted and logged.", action: "Play", danger: false,
  }],
});
