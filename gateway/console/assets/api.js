// What the console asks: the REST API of the control plane that served the page.

/** What the control plane refused, with every mistake. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? `status ${status}`);
    this.status = status;
    this.code = body?.code ?? "";
    this.problems = body?.problems ?? [];
    this.body = body;
  }
}

/** Ask for something; a signal takes the question back. */
export const get = (path, query = {}, signal = undefined) =>
  ask("GET", address(path, query), undefined, undefined, signal);

/** Change something; with a revision, only if that is still the newest. */
export const send = (method, path, body, revision) => ask(method, path, body, revision);

/** A path of the API with names in it that may hold anything. */
export const path = (...parts) => `/api/${parts.map(encodeURIComponent).join("/")}`;

function address(where, query) {
  const said = new URLSearchParams(
    Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined && value !== false),
  ).toString();
  return said ? `${where}?${said}` : where;
}

async function ask(method, where, body, revision, signal) {
  const headers = { "X-Gateway-Actor": "console" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (revision !== undefined) headers["If-Match"] = `"${revision}"`;
  const answer = await fetch(where, {
    // Text is JSON already, written by whoever minds the order of its keys.
    method, headers, signal, body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
  });
  const said = (answer.headers.get("content-type") ?? "").includes("json")
    ? await answer.json() : await answer.text();
  if (!answer.ok) throw new Problem(answer.status, said);
  return said;
}
