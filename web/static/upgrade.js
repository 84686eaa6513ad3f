// A newer version of the page is taken up when nobody looks at it and nothing is typed, or
// at the next start. No page is loaded anew before somebody's eyes.

const often = 10 * 60_000; // milliseconds between two looks for a newer version

// typed says whether a field holds something that a reload might lose.
const typed = () => /** @type {any[]} */ ([...document.querySelectorAll("input, textarea, [contenteditable]")]).some((e) =>
  (e.matches("textarea, [contenteditable]") || /^(text|search|email|password|url|tel|number|date|time|datetime-local)$/.test(e.type)) && (e.value ?? e.textContent) !== (e.defaultValue ?? ""))
  || Boolean(document.querySelector("dialog[open]"));

let registration;
let looked = Date.now();
let old = false; // the worker is of another version than this page
const own = new URL(".", import.meta.url).pathname.slice(0, -1);

function takeUp() {
  if (!document.hidden || typed()) return;
  if (old) location.reload();
  else registration?.waiting?.postMessage("take over");
}

// look asks for a newer version, now and then.
export function look() {
  if (!registration || Date.now() - looked < often) return;
  looked = Date.now();
  registration.update().catch(() => { /* the server is away */ });
}

(async () => {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  workers.addEventListener("message", ({ data, ports }) => {
    if (data?.version) { old = data.version !== own; takeUp(); }
    if (data?.reminder) dispatchEvent(new CustomEvent("reminder", { detail: { task: data.reminder, port: ports[0] } }));
    // What is shown already is shown again.
    if (data?.show && location.hash === data.show) dispatchEvent(new HashChangeEvent("hashchange"));
    else if (data?.show) location.hash = data.show;
  });
  workers.startMessages();
  document.addEventListener("visibilitychange", takeUp);
  registration = await workers.ready;
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", takeUp));
  // This page has just begun: it is of the version that waits, or gets along with it.
  if (registration.waiting) registration.waiting.postMessage("take over");
})().catch(() => { /* the page works without */ });
