// What all pages share: a digit goes to the page of that number, `/` into the filter, `?` tells so.

import { get } from "/assets/api.js";
import { on } from "/assets/live.js";
import { toast } from "/assets/ask.js";

const LOOK = 5000; // milliseconds between two looks at how old the state is
const STALE = 3; // seconds from which on that is told
const links = [...document.querySelectorAll("nav a")];
links.forEach((link, at) => { link.title = `key ${at + 1}`; });

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const link = links[Number(event.key) - 1];
  if (link) link.click();
  else if (event.key === "/") {
    const filter = document.querySelector("[data-filter]");
    if (filter) { event.preventDefault(); filter.focus(); }
  } else if (event.key === "?")
    toast(`Keys: ${links.map((each, at) => `${at + 1} ${each.textContent}`).join(", ")}; / filter`);
});

/** Tell when this process does not hear from what keeps its state: all that is shown may be old. */
async function look() {
  if (document.hidden) return;
  const { nodes } = await get("/api/nodes");
  const age = nodes.find((node) => node.own)?.state_age ?? 0;
  const told = age < STALE ? "" : `without its state for ${Math.round(age)} s`;
  const place = document.getElementById("away");
  if (place.textContent !== told) place.textContent = told;
}

setInterval(() => look().catch(() => {}), LOOK); // no answer is told by whoever shows something
look().catch(() => {});

on("error", (data) => toast(`${data.where}: ${data.message}`, { bad: true }));
