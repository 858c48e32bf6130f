// The steps of a rollout as a picture: what is behind it, where it is, what is to come.

import { h, percent } from "/assets/dom.js";
import { colour } from "/assets/look.js";

/** A version in its colour. */
export const versionOf = (version) =>
  h("span", {}, h("i", { class: "swatch", style: { background: colour(version) } }), version);

const OVER = { finished: "done", aborted: "dropped", "rolled-back": "dropped" };

/** Every step as a bar of its share; the present one is marked, and told to those who listen. */
export function stepsOf(rollout) {
  return h("ol", { class: "steps", "aria-label": "Steps" }, rollout.steps.map((share, at) => {
    const state = stateOf(rollout, at);
    return h("li", { class: state, "aria-current": state === "now" ? "step" : null },
      h("span", { class: "share" }, percent(share)),
      h("span", { class: "column", style: { height: `${8 + share * 92}px` } },
        h("i", { style: { background: colour(rollout.to) } })),
      h("span", { class: "note" }, state === "to come" ? `step ${at + 1}` : state));
  }));
}

function stateOf(rollout, at) {
  if (at < rollout.step) return "done";
  if (at > rollout.step) return "to come";
  return OVER[rollout.status] ?? "now";
}

/** How far the step is: the time it is held, and the answers it waits for. */
export function progressOf(rollout) {
  if (rollout.status !== "running") return [];
  const bars = [];
  const bar = (label, value, most) => bars.push(
    h("label", { class: "meter" }, label, h("progress", { value: Math.min(value, most), max: most })));
  if (rollout.every > 0)
    bar(rollout.held < rollout.every ? `held ${Math.floor(rollout.held)} of ${rollout.every} s`
      : `held ${Math.floor(rollout.held)} s, ${rollout.every} at least`, rollout.held, rollout.every);
  if (rollout.requests > 0)
    bar(`${rollout.seen.new.requests} of ${rollout.requests} answers of version ${rollout.to}`,
      rollout.seen.new.requests, rollout.requests);
  return bars;
}
