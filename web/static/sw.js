// Keeps the shell of the page, so that it opens without the server. What the
// API says is never kept: it is personal.

const prefix = "{{static}}";
const base = "{{base}}";

// The shell is the page and all that it names: what a module imports is asked for next.
const names = /\/static\/[\w-]+\/([\w.-]+\.(?:css|js|svg))"|(?:from|import) ?\(?"\.\/([\w-]+\.js)"/g;

async function keep(cache, url) {
  const answer = await fetch(new Request(url, { headers: { Accept: "text/html,*/*" } }));
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  await cache.put(url, answer.clone());
  return [...(await answer.text()).matchAll(names)].map(([, named, imported]) => `${prefix}/${named ?? imported}`);
}

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(prefix);
    const known = new Set([`${base}/`]);
    for (let next = [...known]; next.length;) {
      const found = new Set((await Promise.all(next.map((url) => keep(cache, url)))).flat());
      next = [...found].filter((url) => !known.has(url));
      for (const url of next) known.add(url);
    }
  })());
});

// A newer worker waits until the pages that are open are hidden, or begin anew: see upgrade.js.
self.addEventListener("message", ({ data }) => { if (data === "take over") self.skipWaiting(); });

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    // A page in another tab may still need a part of the version before.
    const others = (await caches.keys()).filter((name) => name !== prefix && name.startsWith(`${base}/static/`));
    for (const name of others.slice(0, -1)) await caches.delete(name);
    await self.clients.claim();
    for (const page of await self.clients.matchAll({ type: "window" })) page.postMessage({ version: prefix });
  })());
});

// renew asks for the page that was shown from what is kept: one of this version is kept in
// its place, and another version has a worker of its own.
async function renew() {
  try {
    const answer = await fetch(`${base}/`, { headers: { Accept: "text/html" } });
    if (!answer.ok || !answer.headers.get("Content-Type")?.startsWith("text/html")) return;
    if ((await answer.clone().text()).includes(`${prefix}/`)) await (await caches.open(prefix)).put(`${base}/`, answer);
    else await self.registration.update();
  } catch { /* the server is away */ }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === `${base}/`) {
    event.respondWith((async () => (await (await caches.open(prefix)).match(`${base}/`, { ignoreVary: true })) ?? fetch(event.request))());
    event.waitUntil(renew());
  } else if (url.pathname.startsWith(`${base}/static/`)) {
    event.respondWith((async () => (await caches.match(event.request, { ignoreVary: true })) ?? fetch(event.request))());
  }
});

// due is when a task is due, as the person writes dates.
function due({ due, due_at }) {
  if (!due) return "";
  if (due.length === 10) return new Date(`${due}T00:00`).toLocaleDateString(navigator.languages, { dateStyle: "full" });
  return new Date(due_at ?? due).toLocaleString(navigator.languages, { dateStyle: "medium", timeStyle: "short" });
}

const words = (navigator.language ?? "").startsWith("es") ? { done: "Hecha", later: "En 10 minutos" } : { done: "Done", later: "In 10 minutes" };

// told lets a page that somebody looks at show a reminder, and says whether it has. Safari
// wants a notification for every message.
async function told(task) {
  if (!/Chrom|Firefox/.test(navigator.userAgent)) return false;
  const pages = await self.clients.matchAll({ type: "window" });
  const page = pages.find(({ visibilityState, url }) => visibilityState === "visible" && new URL(url).pathname === `${base}/`);
  if (!page) return false;
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(true);
    setTimeout(resolve, 2000, false);
    page.postMessage({ reminder: task }, [port2]);
  });
}

self.addEventListener("push", (event) => {
  const { type, task } = event.data.json();
  if (type !== "reminder") return;
  event.waitUntil(told(task).catch(() => false).then((shown) => shown || self.registration.showNotification(task.title, {
    body: due(task), tag: `task-${task.id}`, renotify: true, icon: `${prefix}/icon-192.png`,
    actions: Object.entries(words).map(([action, title]) => ({ action, title })),
    data: { url: `${base}/#task-${task.id}`, id: task.id, keys: { done: crypto.randomUUID(), later: crypto.randomUUID() }, due: task.due },
  })));
});

// ask sends a request to the server. Anything but success throws.
async function ask(method, path, body, headers = {}) {
  const answer = await fetch(base + path, {
    method, headers: { "Content-Type": "application/json", ...headers }, body: body && JSON.stringify(body), signal: AbortSignal.timeout(20_000),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return { tag: answer.headers.get("ETag"), ...await answer.json() };
}

// act does what a button of a notification says, as the person whose session the cookie
// is of. The lock is that of the pages, which renew their tokens in turn.
async function act(action, { id, keys, due }) {
  const renew = () => ask("POST", "/auth/refresh", {});
  const { access_token: token } = await (navigator.locks ? navigator.locks.request(`${base}taskapi-refresh`, renew) : renew());
  const headers = { Authorization: `Bearer ${token}` };
  const { tag, completed, due: now, reminders = [] } = await ask("GET", `/tasks/${id}`, undefined, headers);
  const at = new Date(Date.now() + 10 * 60_000).toISOString();
  // A date that was completed meanwhile must not move on once more.
  if (action === "done" && (completed || now !== due)) return;
  const patch = action === "done" ? { completed: true } : { reminders: [...reminders.filter((one) => !one.at || new Date(one.at) > new Date()).slice(-4), { at }] };
  await ask("PATCH", `/tasks/${id}`, patch, { ...headers, "Idempotency-Key": keys[action], ...(tag && { "If-Match": tag.replace(/^W\/|-gzip(?="$)/g, "") }) });
}

// show brings a page to the front, at the task.
async function show(url) {
  const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = open.find((client) => new URL(client.url).pathname === `${base}/`);
  if (!page) return self.clients.openWindow(url);
  await page.focus();
  page.postMessage({ show: new URL(url, location.origin).hash }); // it is not loaded anew: something may be typed there
  return undefined;
}

self.addEventListener("notificationclick", (event) => {
  const { action, notification: { data } } = event;
  event.notification.close();
  event.waitUntil(action in words ? act(action, data).catch(() => show(data.url)) : show(data.url));
});
