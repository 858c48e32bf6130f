// Putting an alias: only onto the state that was looked at, and back again.

import { get, path, send } from "/assets/api.js";
import { toast } from "/assets/ask.js";

/** Whether two aliases lead to the same; JavaScript sorts versions by itself, so their order does not count. */
export function same(one, two) {
  const plain = (alias) => alias && JSON.stringify([
    alias.version, Object.entries(alias.weights), alias.rules.map((rule) => [rule.when, rule.version]),
    alias.split, alias.sticky_by, alias.description,
  ]);
  return plain(one) === plain(two);
}

/**
 * The additional versions of an alias in the order in which they were written, which settles who a
 * sticky key leads where. An object of JavaScript forgets it: numbers come first there, ascending.
 */
export async function orderOf(about) {
  const answer = await fetch(path("functions", about.function, "aliases", about.alias));
  const weights = /"weights":\{([^}]*)\}/.exec(await answer.text());
  return [...(weights?.[1] ?? "").matchAll(/"([^"]+)":/g)].map((match) => match[1]);
}

/** The text of a routing, with its weights in the order in which they stand. */
function written(body) {
  const weights = body.weights.map(([version, weight]) => `${JSON.stringify(version)}:${JSON.stringify(weight)}`);
  return JSON.stringify({ ...body, weights: 0 }).replace('"weights":0', () => `"weights":{${weights}}`);
}

/**
 * Put an alias, or only ask what that would alter.
 *
 * Other parts of the state may have moved since: what counts is that the alias leads where its editor
 * has seen it lead. If it does not, the answer is the refusal.
 */
export function put(about, body, { preview = false, base } = {}) {
  const where = path("functions", about.function, "aliases", about.alias);
  if (preview) return send("POST", `${where}/preview`, written(body));
  return steadily(about, base, (revision) => send("PUT", where, written(body), revision));
}

/** Do something at a revision, or at the present one while the alias leads where it did. */
export async function steadily(about, base, act) {
  try {
    return await act(base.revision);
  } catch (error) {
    if (error.status !== 412 || !same(await now(about), base.alias)) throw error;
    return act(error.body.revision);
  }
}

async function now(about) {
  try {
    return await get(path("functions", about.function, "aliases", about.alias));
  } catch (error) {
    if (error.status === 404) return undefined;
    throw error;
  }
}

/** What takes a change of an alias back, unless somebody has moved it since. */
export function undoing(about, done, changed) {
  const where = path("functions", about.function, "aliases", about.alias);
  const difference = done.differences.find((each) => each.path.at(-1) === about.alias);
  const base = { revision: done.revision, alias: difference.after };
  const act = difference.before === null
    ? (revision) => send("DELETE", where, undefined, revision)
    : (revision) => send("POST", `${where}/rollback`, { to_revision: done.revision - 1 }, revision);
  return async () => {
    await steadily(about, base, act);
    toast(difference.before === null ? `${about.alias} is removed again.` : `${about.alias} leads where it led before.`);
    await changed();
  };
}
