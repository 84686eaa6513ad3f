// The page: who is signed in sees a place with its tasks, the account or the users,
// anybody else the way in.

import { Api, ApiError } from "./api.js";
import { AuthView, LinkView } from "./auth.js";
import { Desk } from "./desk.js";
import { $, announce, ask, h } from "./dom.js";
import { t } from "./i18n.js";
import { explain } from "./keys.js";
import { ListView } from "./list.js";
import { Live } from "./live.js";
import { Nav } from "./nav.js";
import { hashOf, readPlace } from "./places.js";
import { Store } from "./store.js";
import { base, channel, lasting, local, session, work, zone } from "./surroundings.js";
import { Tab } from "./tab.js";
import { Undo } from "./undo.js";

const soon = 4_000; // milliseconds until the end of a session is told once more

const api = new Api();
const store = new Store(api);
const desk = new Desk(store, api);
const undo = new Undo(store, $("#undo"), focusOn);
const nav = new Nav(desk, api, undo);
const live = new Live(api, store, async () => {
  await Promise.all([store.sync(), whoAmI()]);
  if (person) tab.adopt(store.others(), (other) => store.adopt(other));
});
const signals = channel("taskapi-session");
const tab = new Tab();
const tabName = tab.open();
tab.onlost = () => store.reopen();
const root = $("main");
const helpButton = h("button", { type: "button", id: "help-open", class: "quiet", onclick: () => $("#help").showModal() }, t("help"));
let view = null;
function focusOn() { (view?.input ?? $("h1"))?.focus(); }
let admin = false;
let person = 0; // who is signed in
const invitation = "taskapi.invitation"; // where the code of a link is kept until it is answered

// Drafts are what is typed and not sent: a reload must not lose it.
const drafts = {
  get(name) { return JSON.parse(local.getItem(`taskapi.draft.${person}.${name}`) ?? "null"); },
  set(name, value) {
    const key = `taskapi.draft.${person}.${name}`;
    if (value) local.setItem(key, JSON.stringify(value));
    else local.removeItem(key);
  },
};

// A task that is being edited gets its id, whatever is shown meanwhile.
store.addEventListener("named", (/** @type {any} */ { detail }) => {
  const draft = drafts.get("edit");
  if (draft?.id === detail.key) drafts.set("edit", { ...draft, id: detail.id });
  if (!person || shown?.kind !== "list" || shown.id !== detail.key) return;
  shown.id = detail.id; // for the view and the places, too
  history.replaceState(null, "", hashOf(shown));
  local.setItem(kept(), hashOf(shown));
});

// Of a text that was changed elsewhere, too, its row tells, or a bar where that is not in sight.
store.addEventListener("met", (/** @type {any} */ { detail: { id, title } }) => {
  const at = $(`.task[data-id="${id}"]`)?.getBoundingClientRect();
  if (at && at.bottom > 0 && at.top < innerHeight) announce(t("met.told", { title }));
  else undo.tell(t("met.told", { title }), t("met.show"), () => { location.hash = `#task-${id}`; });
});

store.addEventListener("spared", (/** @type {any} */ { detail: { id, title } }) => undo.tell(t("spared", { title }), t("met.show"), () => { location.hash = `#task-${id}`; }));

// Reminders come by the stream, and by pushes, which wait for an answer: while somebody looks.
let reminded;
store.onReminder = async (task) => {
  const { Reminded } = /** @type {any} */ (await import("./reminded.js").catch(() => ({})));
  if (!Reminded || !person || document.hidden) return false;
  return (reminded ??= new Reminded(desk, undo, focusOn)).add(task);
};
addEventListener("reminder", async (/** @type {any} */ { detail: { task, port } }) => { if (await store.onReminder(task)) port.postMessage("shown"); });

function show(next) {
  view?.close();
  view = next();
  root.scrollIntoView?.({ block: "start" });
}

const start = { kind: "today" };
const kept = () => `taskapi.place.${person}`;

// placeOf is where an address leads: a task is in its list, and who comes without an
// address goes on where they were.
function placeOf(hash) {
  const place = readPlace(hash);
  if (!place || place.kind === "users" && !admin) {
    const last = readPlace(local.getItem(kept()) ?? "") ?? start;
    return last.kind === "list" && store.loaded && !desk.list(last.id) ? start : last;
  }
  if (place.kind === "list") place.id = store.idOf(place.id);
  if (place.kind !== "task") return place;
  const list = desk.task(place.id)?.list_id ?? desk.inbox;
  return { ...(list === desk.inbox ? { kind: "inbox" } : { kind: "list", id: list }), task: place.id };
}

// apart are the places that are loaded when somebody goes there.
const apart = {
  account: () => import("./account.js").then(({ AccountView }) => new AccountView(api, root, () => leave())),
  users: () => import("./users.js").then(({ UsersView }) => new UsersView(api, root)),
  trash: () => import("./trash.js").then(({ TrashView }) => new TrashView(desk, root, ask, undo)),
};

let shown; // the place
async function route() {
  drawMenu();
  if (!person) return;
  const place = placeOf(location.hash), { kind } = place;
  if (session.getItem(invitation) && !["account", "users"].includes(kind)) {
    invited(session.getItem(invitation));
    return;
  }
  nav.place = shown = place;
  nav.drawNow();
  if (kind in apart) {
    document.title = `${t(kind === "trash" ? "place.trash" : kind)} – taskapi`;
    view?.close();
    view = null;
    root.replaceChildren();
    try {
      const next = await apart[kind]();
      if (person && shown === place) view = next;
      else next.close();
    } catch {
      if (person && shown === place) root.replaceChildren(h("p", { role: "alert" }, t("offline.sentence")));
    }
    return;
  }
  if (location.hash.length < 2) history.replaceState(null, "", hashOf(place));
  if (kind !== "search") local.setItem(kept(), hashOf(place));
  if (view instanceof ListView) {
    view.moveTo(place);
    scrollTo(0, 0);
  } else show(() => list(place));
  if (place.task) reveal(place);
}

const list = (place) => new ListView(desk, root, drafts, undo, place, (to) => { location.hash = hashOf(to); });

// reveal shows a task as soon as it is known.
function reveal(place) {
  if (view.reveal(place.task)) return;
  store.addEventListener("change", () => { if (shown === place && person) route(); }, { once: true });
}

// invited shows an invitation before the list, until it is answered. What that
// takes is loaded by those who are invited.
async function invited(code) {
  const { InvitationView } = /** @type {any} */ (await import("./invitation.js").catch(() => ({})));
  if (code && (!person || ["account", "users"].includes(readPlace(location.hash)?.kind))) return; // meanwhile
  document.title = `${t("invitation")} – taskapi`;
  show(() => (InvitationView ? new InvitationView(api, root, code, (list, id) => {
    session.removeItem(invitation);
    if (list) {
      announce(t("invitation.done", { list }));
      live.start();
    }
    if (id) location.hash = hashOf({ kind: "list", id });
    route();
  }) : list(start)));
}

function drawMenu() {
  document.documentElement.classList.toggle("in", Boolean(person));
  const link = (kind) => h("a", { href: `#${kind}`, "aria-current": location.hash === `#${kind}` ? "page" : undefined }, t(kind));
  $("#menu").replaceChildren(...(person ? [
    link("account"), admin ? link("users") : "", h("button", { type: "button", class: "quiet", onclick: signOut }, t("signout")), helpButton,
  ].filter(Boolean) : []));
}

// enter begins with who has signed in: how is "registered" or "back" for who just did so here.
async function enter(how = "") {
  person = api.userID;
  admin = false;
  store.open(person, await tabName);
  signals?.postMessage({ entered: person });
  const first = welcome(how === "registered"), list = how === "registered" && await Promise.race([first, pause(soon)]);
  if (!person) return;
  if (list && !session.getItem(invitation)) history.replaceState(null, "", hashOf({ kind: "list", id: list }));
  const shared = session.getItem("taskapi.shared") === null ? undefined : (await import("./shared.js")).handOver(session);
  if (shared) drafts.set("new", shared);
  if (shared !== undefined) history.replaceState(null, "", hashOf({ kind: "inbox" }));
  route();
  if (shared !== undefined) view.input?.focus();
  live.start();
  if (how && local.getItem("taskapi.push") === String(person)) import("./push.js").then(({ again }) => again(api)).catch(() => { /* it stays off */ });
}

// welcome makes the first list of a new account, if it is to, and returns its id when it is there.
async function welcome(fresh) {
  const who = person, mark = `taskapi.sample.${who}`;
  if (fresh && lasting && !local.getItem(mark)) local.setItem(mark, "null");
  while (person === who && (local.getItem(mark) ?? '"made"') !== '"made"') {
    try {
      const { sample } = await import("./sample.js"), list = await sample(api, mark, desk.now.date);
      await store.sync();
      return list;
    } catch {
      await pause(soon);
    }
  }
}

let asked = false;
async function whoAmI() {
  if (asked) return;
  asked = true;
  try {
    const user = await api.get(`/users/${person}`);
    admin = user.role === "admin";
    store.setUser(user);
    settle(user);
    drawMenu();
    if (admin && location.hash === "#users") route();
  } catch {
    asked = false; // the list says when the server can't be reached
  }
}

// settle gives an account that is still in UTC the zone of the browser, once: who
// wants UTC later on keeps it.
async function settle({ id, time_zone }) {
  const key = `taskapi.zone.${id}`;
  if (local.getItem(key) || !zone || zone === "UTC") return;
  try {
    if (time_zone === "UTC") await api.request("PATCH", "/users/me", { time_zone: zone });
  } catch (error) {
    if (error.status !== 422) return; // else the server does not know it
  }
  local.setItem(key, zone);
}

function leave(note) {
  if (!person && view) return;
  person = 0;
  asked = false;
  live.stop();
  api.forget();
  store.close();
  undo.hide();
  $("#announcer").textContent = "";
  reminded?.clear();
  history.replaceState(null, "", location.pathname);
  document.title = "taskapi";
  drawMenu();
  nav.close();
  nav.drawNow();
  drawStatus();
  show(() => new AuthView(api, root, enter, note ?? (session.getItem(invitation) ? t("invitation.signin") : undefined)));
}

// signOut sends what waits first, and asks when that does not work.
async function signOut(event) {
  event.currentTarget.disabled = true;
  const unsent = await store.finish(store.offline ? 0 : 4000);
  if (unsent && !(await ask(t("signout.unsent", { n: unsent }), t("signout"), t("signout.stay")))) {
    drawMenu();
    return;
  }
  let note;
  try {
    await api.signOut();
  } catch {
    note = t("leaving");
  }
  signals?.postMessage({ left: true });
  leave(note);
  endAtLast();
}

// endAtLast ends a session on the server that could not be reached when the
// person signed out.
async function endAtLast() {
  while (api.leaving) {
    await pause(soon);
    try {
      await api.leaveAtLast();
      if (view instanceof AuthView) view.say(t("left"));
    } catch { /* again */ }
  }
}

function pause(time) {
  const stop = new AbortController();
  return new Promise((resolve) => {
    setTimeout(resolve, time);
    addEventListener("online", resolve, { signal: stop.signal });
  }).finally(() => stop.abort());
}

if (signals) signals.onmessage = async ({ data }) => {
  if (data.left && person) leave(t("ended"));
  if (data.entered && person && data.entered !== person) location.reload();
  if (data.entered && !person && view instanceof AuthView && await api.resume() === "in") enter();
};
api.addEventListener("ended", () => leave(t("ended")));

// What is wrong stands above the list, with the seconds to wait running down.
let told = "";
let second = 0;
function drawStatus() {
  const seconds = Math.ceil((store.busyUntil - Date.now()) / 1000);
  const state = !person ? "" : seconds > 0 ? "busy" : store.offline ? "offline" : store.trouble ? "trouble" : "";
  const text = {
    busy: () => t("busy", { n: seconds }),
    offline: () => (store.waiting ? t("offline.n", { n: store.waiting }) : t("offline")),
    trouble: () => t("trouble", { id: store.trouble.requestID ?? "–" }),
  }[state]?.() ?? "";
  const bar = $("#status");
  if (bar.textContent !== text) bar.textContent = text;
  bar.hidden = !text;
  clearTimeout(second);
  if (state === "busy") second = setTimeout(drawStatus, 1000 - (Date.now() % 1000));
  if (state === told) return;
  if (person) announce(text || t("online"));
  told = state;
  if (person && !state) live.start();
}
store.addEventListener("change", drawStatus);

addEventListener("online", () => { if (person) live.start(); });
addEventListener("offline", () => store.reached(false));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    live.stop();
    store.hurry();
  } else if (person) {
    live.start();
  }
});
addEventListener("pagehide", () => store.hurry());
addEventListener("hashchange", route);

$("#skip").textContent = t("skip");
$("#skip").addEventListener("click", (event) => {
  event.preventDefault();
  root.tabIndex = -1;
  root.focus();
});
$("#undo").setAttribute("aria-label", t("undo"));
explain();

// Only pages from https or this machine can be opened without the server.
work(`${base}/sw.js`);

async function begin() {
  if (location.search) await import("./shared.js").then(({ keepShared }) => keepShared(session), () => {});
  // Some mail programs write links with escapes, which the server reads too.
  const whole = decodeURIComponent(location.pathname);
  const path = whole.startsWith(`${base}/`) ? whole.slice(base.length) : whole;
  if (/^\/(reset-password|verify-email)\b/.test(path)) {
    show(() => new LinkView(api, root, path));
    return;
  }
  if (/^\/invitation\b/.test(path)) {
    const code = location.hash.slice(1);
    if (!code) {
      addEventListener("hashchange", begin, { once: true }); // the whole link may be pasted here
      await invited("");
      return;
    }
    session.setItem(invitation, code);
    history.replaceState(null, "", `${base}/`);
  }
  if (api.leaving) {
    leave(t("leaving"));
    endAtLast();
    return;
  }
  // Who is known sees at once what was there last; a session that is over says so then.
  if (store.knows(api.userID)) {
    enter();
    return;
  }
  root.replaceChildren(h("div", { class: "loading", "aria-hidden": "true" }, h("i"), h("i"), h("i")));
  for (;;) {
    try {
      const state = await api.resume();
      if (state === "out") leave();
      else if (state === "ended") leave(t("ended"));
      else enter();
      return;
    } catch (error) {
      const text = error instanceof ApiError && !error.away ? t("trouble", { id: error.requestID ?? "–" }) : t("offline.start");
      root.replaceChildren(h("h1", {}, "taskapi"), h("p", { class: "note", role: "status" }, text));
      await pause(error.retryAfter ? error.retryAfter * 1000 : 2000);
    }
  }
}

if (!lasting) root.before(h("aside", { id: "memory", "aria-label": t("memory.label") }, h("p", {}, t("memory"))));
document.documentElement.dataset.begun = "true";
begin();
