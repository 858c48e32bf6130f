// What all pages share: a digit goes to the page of that number, `/` into the filter, `?` tells so.

import { on } from "/assets/live.js";
import { toast } from "/assets/ask.js";

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

on("error", (data) => toast(`${data.where}: ${data.message}`, { bad: true }));
