// Asking once, saying what became of it, and taking it back.

import { h } from "/assets/dom.js";

/** Ask once before something that callers will notice; true if it is to be done. */
export function confirmed(question, { detail = "", action = "Do it", danger = true } = {}) {
  return new Promise((settled) => {
    const dialog = h("dialog", { "aria-label": question, close: () => { settled(dialog.returnValue === "yes"); dialog.remove(); } },
      h("h2", {}, question), detail && h("p", {}, detail),
      h("div", { class: "row" },
        h("button", { id: "confirm", class: danger ? "danger" : "primary", click: () => dialog.close("yes") }, action),
        h("button", { click: () => dialog.close("no") }, "Cancel")));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Say what happened; with `undo`, offer to take it back. */
export function toast(text, { bad = false, undo } = {}) {
  let place = document.getElementById("toast");
  if (!place) {
    place = h("div", { id: "toast", role: "status", "aria-live": "polite" });
    document.body.append(place);
  }
  const line = h("p", { class: bad ? "bad" : "" }, text);
  if (undo)
    line.append(" ", h("button", { click: async () => { line.remove(); await doing(undo); } }, "Undo"));
  place.append(line);
  setTimeout(() => line.remove(), bad ? 15000 : 8000);
}

/** Do something; what goes wrong is said, and the result is then undefined. */
export async function doing(work) {
  try {
    return await work();
  } catch (error) {
    toast(error.message, { bad: true });
    return undefined;
  }
}
