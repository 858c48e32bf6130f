// Where an alias led, and back again: asked once, and undone by one.

import { get, path, send } from "/assets/api.js";
import { confirmed, doing, toast } from "/assets/ask.js";
import { same, undoing } from "/assets/alias-editor-saving.js";
import { fill, h, moment } from "/assets/dom.js";
import { inWords, routing } from "/assets/function-words.js";

const PAGE = 20; // moves that are shown at a time

/** Open the history of an alias in its slot. */
export function openHistory({ function: name, alias, slot, closed, changed, state }) {
  const where = path("functions", name, "aliases", alias);
  const list = h("ol", { class: "moves" });
  const more = h("button", { hidden: true, click: () => doing(older) }, "Older");
  let moves = [];
  let seen = JSON.stringify(state.function.aliases[alias]);

  fill(slot, h("section", { "aria-label": `History of ${alias}` }, h("h3", {}, "History"), list,
    h("div", { class: "row actions" }, more, h("button", { click: () => close() }, "Close"))));

  async function read(before) {
    return (await get(`${where}/history`, { limit: PAGE, before })).moves;
  }

  async function older() {
    moves = [...moves, ...(await read(moves.at(-1)?.revision))];
    draw();
  }

  function draw() {
    more.hidden = moves.length === 0 || moves.length % PAGE !== 0;
    fill(list, moves.map((move, at) => h("li", {},
      h("div", { class: "row" },
        h("strong", {}, `revision ${move.revision}`),
        h("span", { class: "quiet" }, `${moment(move.at)} by ${move.who}`),
        move.restores !== null && h("span", { class: "wait" }, `rolled back to revision ${move.restores}`),
        at === 0 ? h("span", { class: "good" }, "live") : move.after && !same(move.after, moves[0].after) && h("button", {
          "aria-label": `Roll ${alias} back to revision ${move.revision}`,
          click: () => rollBack({ function: name, alias, changed, revision: move.revision }),
        }, "Roll back to this")),
      move.after ? routing(move.after) : h("p", { class: "quiet flush" }, "removed"))));
  }

  async function reload() {
    moves = await read();
    draw();
  }

  async function close() {
    closed();
    return true;
  }

  doing(reload);
  return {
    close,
    moved: (now) => {
      const routed = JSON.stringify(now.function.aliases[alias]);
      if (routed !== seen) doing(reload);
      seen = routed;
    },
  };
}

/** Bring back where an alias led: at a revision, or before its traffic was divided. */
export const rollBack = (asked) => doing(async () => {
  const { function: name, alias, changed, revision } = asked;
  const where = path("functions", name, "aliases", alias);
  const body = { to_revision: revision ?? null };
  const told = await send("POST", `${where}/rollback/preview`, body);
  if (!told.changed) {
    toast(`${alias} leads there already.`);
    return;
  }
  const words = [...told.sentences, ...told.remarks].join("; ");
  const detail = `${words[0].toUpperCase()}${words.slice(1)}.`;
  const question = `Roll ${alias} back to revision ${told.restores}?`;
  if (!(await confirmed(question, { detail, action: "Roll back" }))) return;
  const done = await send("POST", `${where}/rollback`, body, told.revision);
  toast(`${alias} leads to ${inWords(done.alias)} again.`, { undo: undoing({ function: name, alias }, done, changed) });
  await changed();
});
