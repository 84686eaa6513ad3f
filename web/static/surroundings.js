// What a browser may lack, or keep from a page: storage, channels, locks, workers,
// sound language tags. The page does without, and nothing here ever throws.

// base is the path that the page lies below, such as /todo, or empty.
export const base = /** @type {any} */ (document.querySelector("meta[name=base]"))?.content ?? "";

// Below keeps the page's things apart from those of others on the same origin.
class Below {
  #storage;
  constructor(storage) { this.#storage = storage; }
  #keys() { return Array.from({ length: this.#storage.length }, (_, i) => this.#storage.key(i)).filter((key) => key.startsWith(`${base} `)); }
  get length() { return this.#keys().length; }
  key(i) { return this.#keys()[i]?.slice(base.length + 1) ?? null; }
  getItem(key) { return this.#storage.getItem(`${base} ${key}`); }
  setItem(key, value) { this.#storage.setItem(`${base} ${key}`, value); }
  removeItem(key) { this.#storage.removeItem(`${base} ${key}`); }
}

// memory stands in for a storage. It lives as long as the page.
class Memory {
  #items = new Map();
  get length() { return this.#items.size; }
  key(i) { return [...this.#items.keys()][i] ?? null; }
  getItem(key) { return this.#items.get(key) ?? null; }
  setItem(key, value) { this.#items.set(key, String(value)); }
  removeItem(key) { this.#items.delete(key); }
}

function storage(name) {
  try {
    const found = /** @type {any} */ (window[name]);
    found.setItem("taskapi.try", "1");
    found.removeItem("taskapi.try");
    return found;
  } catch (error) {
    // A full one is still one: what it holds can make room.
    if (error?.name === "QuotaExceededError") return window[name];
    return new Memory();
  }
}

const found = storage("localStorage");
const below = (kept) => base && !(kept instanceof Memory) ? new Below(kept) : kept;
export const local = below(found);
export const session = below(storage("sessionStorage"));
// lasting says whether what the page keeps outlives it.
export const lasting = !(found instanceof Memory);

// channel is one to the other tabs, undefined without.
export function channel(name) {
  try {
    return new BroadcastChannel(base + name);
  } catch {
    return undefined;
  }
}

// locks says whether there may be locks: not on pages over plain http from
// another machine.
export const locks = Boolean(navigator.locks);

// locked does something while nobody else does the same; where locks are
// refused, at once.
export async function locked(name, options, act) {
  let begun = false;
  try {
    if (locks) return await navigator.locks.request(base + name, options, (held) => { begun = true; return act(held); });
  } catch (error) {
    if (begun) throw error;
  }
  return act({});
}

// work lets a service worker keep the page for when the server is away.
export function work(url) {
  try {
    navigator.serviceWorker?.register(url).catch(() => { /* the page works without */ });
  } catch { /* the same */ }
}

// zone is the time zone of the browser, where it says one.
export const zone = (() => { try { return Intl.DateTimeFormat().resolvedOptions().timeZone; } catch { return undefined; } })();

// locales are the person's that are any: systems have made C, * and en_US of them.
export const locales = [...(navigator.languages ?? []), navigator.language].filter((tag) => {
  try {
    return Intl.getCanonicalLocales(tag).length > 0;
  } catch {
    return false;
  }
});

// uid makes a UUID of version 7 (RFC 9562 section 5.7): a name that nobody else has.
// crypto.randomUUID is missing on pages over plain http from another machine.
export function uid() {
  const time = Date.now().toString(16).padStart(12, "0");
  const random = Array.from(crypto.getRandomValues(new Uint8Array(9)), (n) => n.toString(16).padStart(2, "0")).join("");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6)}`;
}
