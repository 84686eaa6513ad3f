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
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== prefix && name.startsWith(`${base}/static/`)) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === `${base}/`) {
    // The server first, for the newest page; without an answer, or with one of a
    // proxy that has none, what is kept.
    event.respondWith((async () => {
      const kept = () => caches.match(`${base}/`, { ignoreVary: true });
      try {
        const answer = await fetch(event.request);
        return [502, 503, 504].includes(answer.status) ? (await kept()) ?? answer : answer;
      } catch (error) {
        const shell = await kept();
        if (shell) return shell;
        throw error;
      }
    })());
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

self.addEventListener("push", (event) => {
  const { type, task } = event.data.json();
  if (type !== "reminder") return;
  event.waitUntil(self.registration.showNotification(task.title, {
    body: due(task), tag: `task-${task.id}`, renotify: true, icon: `${prefix}/icon-192.png`, data: { url: `${base}/#task-${task.id}` },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil((async () => {
    const { url } = event.notification.data;
    const open = await self.clients.matchAll({ type: "window" });
    const page = open.find((client) => new URL(client.url).pathname === `${base}/`);
    if (!page) return self.clients.openWindow(url);
    await page.focus();
    return page.navigate(url);
  })());
});
