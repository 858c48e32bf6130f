// What an edit would alter, what is wrong with it, and who was faster.

import { fill, h } from "/assets/dom.js";
import { bar, exactly, inWords, mark } from "/assets/function-words.js";

/** What would be altered: in words, and as shares before and after. */
export function drawPreview(element, told) {
  if (!told.changed) {
    fill(element, h("p", { class: "quiet flush" }, "Nothing is altered yet."));
    return;
  }
  const shares = (when) => told.shares.map((each) => [each.version, each[when]]);
  const moved = told.shares.some((each) => each.before !== each.after);
  fill(element,
    h("h3", {}, "What changes"),
    h("ul", {}, told.sentences.map((sentence) => h("li", {}, sentence))),
    moved && h("dl", { class: "facts" },
      h("dt", {}, "Before"), h("dd", {}, bar(shares("before")), legend(shares("before"))),
      h("dt", {}, "After"), h("dd", {}, bar(shares("after")), legend(shares("after")))),
    told.remarks.map((remark) => h("p", { class: "note flush" }, remark)));
}

function legend(shares) {
  const there = shares.filter(([, share]) => share > 0);
  return h("div", { class: "row" }, there.length ? there.map(([version, share]) => h("span", {}, mark(version), `: ${exactly(share)}`))
    : h("span", { class: "quiet" }, "nothing"));
}

/** Every mistake beside the field that it is about; those about none, in place of the preview. */
export function tellProblems(form, preview, problems) {
  for (const field of form.querySelectorAll("[data-at]")) field.removeAttribute("aria-invalid");
  for (const place of form.querySelectorAll("[data-wrong]")) {
    place.hidden = true;
    fill(place);
  }
  const places = [...form.querySelectorAll("[data-wrong]")];
  const fields = [...form.querySelectorAll("[data-at]")];
  const rest = [];
  for (const problem of problems) {
    const words = problem.hint ? `${problem.message}; ${problem.hint}` : problem.message;
    const place = places.find((each) => each.dataset.wrong === problem.pointer);
    if (!place) rest.push(h("p", { class: "bad flush" }, words));
    else {
      place.hidden = false;
      place.append(place.hasChildNodes() ? `; ${words}` : words);
    }
    fields.find((each) => each.dataset.at === problem.pointer)?.setAttribute("aria-invalid", "true");
  }
  if (problems.length)
    fill(preview, rest, h("p", { class: "quiet flush" }, "It cannot be saved like this; nothing is altered."));
}

/** Somebody else moved the alias meanwhile. */
export function drawConflict(element, { alias, theirs, revision }, { reload, keep }) {
  fill(element, h("div", { class: "conflict" },
    h("p", { class: "bad flush" }, `Somebody else has moved ${alias} meanwhile: at revision ${revision} it leads to ${inWords(theirs)}.`),
    h("div", { class: "row actions" },
      h("button", { type: "button", id: "reload", click: reload }, "Reload"),
      h("button", { type: "button", id: "keep", click: keep }, "Keep what I typed"))));
}
