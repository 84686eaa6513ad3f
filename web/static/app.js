// The page: who is signed in sees the list, the account or the users, anybody
// else the way in.

import { AccountView } from "./account.js";
import { Api, ApiError } from "./api.js";
import { AuthView, LinkView } from "./auth.js";
import { $, announce, h, isTyping } from "./dom.js";
import { t } from "./i18n.js";
import { ListView } from "./list.js";
import { Store } from "./store.js";
import { UsersView } from "./users.js";

const api = new Api();
const channel = "BroadcastChannel" in window ? new BroadcastChannel("taskapi") : undefined;
const store = new Store(api, { channel });
const signals = "BroadcastChannel" in window ? new BroadcastChannel("taskapi-session") : undefined;
const root = $("main");
let view = null;
let admin = false;
let signedIn = false;

// Drafts are what is typed and not sent: a reload must not lose it.
const drafts = {
  get(name) { return JSON.parse(localStorage.getItem(`taskapi.draft.${api.userID}.${name}`) ?? "null"); },
  set(name, value) {
    const key = `taskapi.draft.${api.userID}.${name}`;
    if (value) localStorage.setItem(key, JSON.stringify(value));
    else localStorage.removeItem(key);
  },
};

// tab is a name that survives a reload and that no other tab has: who holds
// its lock is alive.
async function tab() {
  let name = sessionStorage.getItem("taskapi.tab") ?? crypto.randomUUID();
  if (!navigator.locks) return name;
  const hold = (lock) => new Promise((resolve) => {
    navigator.locks.request(`taskapi-tab-${lock}`, { ifAvailable: true }, (held) => {
      resolve(Boolean(held));
      return held ? new Promise(() => {}) : undefined;
    });
  });
  // A tab that was duplicated has the name of the other.
  if (!(await hold(name))) { name = crypto.randomUUID(); await hold(name); }
  sessionStorage.setItem("taskapi.tab", name);
  return name;
}

const tabName = crypto.randomUUID && tab();

// adopt takes over what tabs that are gone could not send.
function adopt() {
  if (!navigator.locks) return;
  for (const other of store.others()) {
    navigator.locks.request(`taskapi-tab-${other}`, { ifAvailable: true }, (held) => { if (held) store.adopt(other); });
  }
}

function show(next) {
  view?.close();
  view = next();
  root.scrollIntoView?.({ block: "start" });
}

function route() {
  document.title = "taskapi";
  drawMenu();
  if (!signedIn) return;
  const views = { "#account": () => new AccountView(api, root, () => leave()), "#users": () => new UsersView(api, root) };
  show((location.hash !== "#users" || admin) && views[location.hash] || (() => new ListView(store, root, drafts)));
}

function drawMenu() {
  const link = (hash, text) => h("a", { href: hash || "#", "aria-current": (location.hash || "#") === (hash || "#") ? "page" : undefined }, text);
  $("#menu").replaceChildren(...(signedIn ? [
    location.hash.length > 1 ? link("#", t("to.list")) : "", admin ? link("#users", t("users")) : "", link("#account", t("account")),
    h("button", { type: "button", class: "quiet", onclick: signOut }, t("signout")),
  ].filter(Boolean) : []));
}

async function enter() {
  signedIn = true;
  admin = false;
  store.open(api.userID, await tabName);
  signals?.postMessage({ entered: api.userID });
  route();
  whoAmI();
  refresh().then(adopt);
}

async function whoAmI() {
  try {
    admin = (await api.get(`/users/${api.userID}`)).role === "admin";
    drawMenu();
    if (admin && location.hash === "#users") route();
  } catch { /* the list says when the server can't be reached */ }
}

let refreshing = null;
function refresh() {
  refreshing ??= store.load().catch((error) => {
    if (error instanceof ApiError && error.status === 401) return;
    store.offline = true;
    store.dispatchEvent(new Event("change"));
    setTimeout(() => { if (signedIn && !store.loaded) refresh(); }, 3000);
  }).finally(() => { refreshing = null; });
  return refreshing;
}

function leave(note) {
  if (!signedIn && view) return;
  signedIn = false;
  api.forget();
  store.close();
  drawMenu();
  show(() => new AuthView(api, root, enter, note));
}

async function signOut() {
  try {
    await api.signOut();
  } finally {
    signals?.postMessage({ left: true });
    leave();
  }
}

if (signals) signals.onmessage = async ({ data }) => {
  if (data.left && signedIn) leave(t("ended"));
  if (data.entered && !signedIn && view instanceof AuthView && await api.resume()) enter();
};
api.addEventListener("ended", () => leave(t("ended")));

store.addEventListener("change", () => {
  const bar = $("#status");
  const hidden = !signedIn || !store.offline && !store.paused;
  const text = hidden ? "" : store.paused ? t("busy", { n: store.paused }) : store.waiting ? t("offline.n", { n: store.waiting }) : t("offline");
  if (bar.textContent !== text) {
    if (hidden && bar.textContent && signedIn) announce(t("online"));
    bar.textContent = text;
  }
  bar.hidden = hidden;
});

addEventListener("online", () => { if (signedIn) store.loaded ? store.work() : refresh(); });
let lastSeen = Date.now();
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") lastSeen = Date.now();
  else if (signedIn && Date.now() - lastSeen > 30_000) refresh();
});
addEventListener("hashchange", route);

const help = $("#help");
$("#help-title").textContent = t("help");
$("#skip").textContent = t("skip");
$("#undo").setAttribute("aria-label", t("undo"));
$("#help-list").replaceChildren(...[["n", "n"], ["/", "search"], ["j k", "jk"], ["x", "x"], ["e", "e"], ["#", "delete"], ["u", "u"], ["Ctrl Enter", "save"], ["Esc", "esc"], ["?", "help"]]
  .flatMap(([keys, name]) => [h("dt", {}, keys.split(" ").map((key) => h("kbd", {}, key))), h("dd", {}, t(`help.${name}`))]));
$("#help-close").textContent = t("help.close");
$("#help-close").addEventListener("click", () => help.close());
const helpButton = $("#help-open");
helpButton.setAttribute("aria-label", t("help"));
helpButton.addEventListener("click", () => help.showModal());
document.addEventListener("keydown", (event) => {
  if (event.key === "?" && !isTyping(event.target) && !help.open) { event.preventDefault(); help.showModal(); }
});

if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => { /* the page works without */ });

async function begin() {
  if (/^\/(reset-password|verify-email)\b/.test(location.pathname)) {
    show(() => new LinkView(api, root, location.pathname, location.hash.slice(1)));
    return;
  }
  // Nothing for a moment, then three pale lines; never a flash of the wrong page.
  const pale = setTimeout(() => root.replaceChildren(h("div", { class: "loading", "aria-hidden": "true" }, h("i"), h("i"), h("i"))), 200);
  for (;;) {
    try {
      const resumed = await api.resume();
      clearTimeout(pale);
      if (resumed) enter();
      else leave();
      return;
    } catch {
      clearTimeout(pale);
      root.replaceChildren(h("h1", {}, "taskapi"), h("p", { class: "note", role: "status" }, t("offline.start")));
      await new Promise((resolve) => { setTimeout(resolve, 2000); addEventListener("online", resolve, { once: true }); });
    }
  }
}

begin();
