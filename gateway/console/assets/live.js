// What happens, as it happens; and a beat for what is counted.

const listeners = new Map();
let source;

/** Call this for every event of a name: `revision`, `reload`, `error`. */
export function on(name, listener) {
  if (!source) open();
  if (!listeners.has(name)) {
    listeners.set(name, new Set());
    source.addEventListener(name, (event) => tell(name, event));
  }
  listeners.get(name).add(listener);
}

/** Call this now, and every so many milliseconds while the page is looked at. */
export function every(interval, work) {
  let running = false;
  const beat = async () => {
    if (running || document.hidden) return;
    running = true;
    try {
      await work();
      pulse("");
    } catch (error) {
      pulse(error.status ? error.message : "the gateway does not answer");
    } finally {
      running = false;
    }
  };
  setInterval(beat, interval);
  document.addEventListener("visibilitychange", beat);
  return beat();
}

/** Say something about the connection, in the corner. */
export function pulse(text) {
  const place = document.getElementById("pulse");
  if (place.textContent !== text) place.textContent = text;
}

function open() {
  source = new EventSource("/api/events");
  source.addEventListener("open", () => pulse(""));
  source.addEventListener("error", (event) => {
    // The stream has an event of that name, too; without data it is the browser's.
    if (!event.data) pulse("reconnecting ...");
  });
}

function tell(name, event) {
  if (!event.data) return;
  const data = JSON.parse(event.data);
  for (const listener of listeners.get(name)) listener(data);
}
