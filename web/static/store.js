// The tasks as the person sees them: what the server last said, with the
// changes on top that it has not heard of yet. No DOM here.

import { ApiError } from "./api.js";
import { Outbox } from "./outbox.js";
import { Shelf } from "./shelf.js";
import { local, uid } from "./surroundings.js";

const kept = 100; // tasks that are shown before the server answers
export const undoTime = 8_000;

export class Store extends EventTarget {
  #api;
  #userID = 0;
  #tasks = new Map();
  #lists = new Map();
  #stale = new Set(); // ids of tasks that the server has not told of since the cursor was lost
  #names = new Map(); // the ids of what was made here
  #shelf;
  #outbox;
  #asking = null;
  #shelving = 0;
  #now;
  scope = "completed=all&include=copies"; // what of the server's is kept here
  cursor = ""; // up to where the server has told of it
  loaded = false;
  offline = false;
  busyUntil = 0; // milliseconds, when the server has asked us to wait
  trouble = null; // the server's own failure, until it does better

  constructor(api, { storage = local, now = Date.now } = {}) {
    super();
    this.#api = api;
    this.#shelf = new Shelf(storage);
    this.#outbox = new Outbox(api, this.#shelf, now, this);
    this.#now = now;
    api.addEventListener("answered", () => this.reached(true));
    api.addEventListener("away", () => this.reached(false));
  }

  // open begins with the person who has signed in, and with the newest tasks
  // that were last seen.
  open(userID, tab) {
    this.#userID = userID;
    const { tasks, lists } = this.#shelf.seen(userID);
    this.#tasks = new Map(tasks.map((task) => [task.id, task]));
    this.#lists = new Map(lists.map((list) => [list.id, list]));
    this.restart();
    this.#outbox.open(userID, tab);
    this.#outbox.work();
    this.changed();
  }

  // reopen reads again what this tab has to send: another has taken it over.
  reopen() {
    if (this.#userID) this.#outbox.reopen();
    this.changed();
  }

  knows(userID) { return this.#shelf.seen(userID).tasks.length > 0; }

  adopt(tab) { this.#outbox.adopt(tab); }

  others() { return this.#outbox.others(); }

  // close forgets who was signed in, except for what was not sent.
  close() {
    clearTimeout(this.#shelving);
    this.#shelving = 0;
    this.#userID = 0;
    this.#asking = null;
    this.#tasks.clear();
    this.#lists.clear();
    this.#names.clear();
    this.#outbox.close();
    this.loaded = false;
    this.busyUntil = 0;
    this.trouble = null;
    this.#shelf.dropSeen();
  }

  get waiting() { return this.#outbox.changes.filter((change) => change.op !== "delete" || change.due <= this.#now()).length; }

  // visible are all tasks with the waiting changes applied, newest first.
  visible() {
    const tasks = new Map([...this.#tasks].map(([id, task]) => [id, { ...task }]));
    for (const change of this.#outbox.changes) {
      if (change.op === "create") {
        tasks.set(change.key, { id: change.key, title: change.title, description: change.description ?? "", completed: Boolean(change.completed), waiting: true, problem: change.problem });
        continue;
      }
      if (change.op === "restore") tasks.set(change.id, { ...change.task });
      const task = tasks.get(change.id);
      if (!task) continue;
      if (change.op === "delete" && !change.problem) tasks.delete(change.id);
      // What is to move on is ticked, but has its next date in a moment.
      else Object.assign(task, change.patch, { waiting: true, moving: Boolean(change.seen) && !change.problem, problem: change.problem });
    }
    const order = (task) => (typeof task.id === "number" ? task.id : Infinity);
    return [...tasks.values()].sort((a, b) => (order(b) - order(a)) || String(b.id).localeCompare(String(a.id)));
  }

  // listOf is the list of a task, as far as it is known.
  listOf(task) { return this.#lists.get(task.list_id); }

  // fixed says that a task may only be read.
  fixed(task) { return this.listOf(task)?.role === "viewer"; }

  // sync asks for all that is new, once for all callers.
  sync() {
    const asking = this.#asking ??= this.#read().finally(() => { if (this.#asking === asking) this.#asking = null; });
    return asking;
  }

  async #read() {
    const user = this.#userID;
    for (let more = true; more;) {
      const since = this.cursor && `&since=${this.cursor}`;
      const page = await this.#api.get(`/sync?${this.scope}&limit=1000${since}`).catch((error) => {
        if (error.code !== "sync_expired") throw error;
        this.restart();
      });
      if (this.#userID !== user) return;
      if (page) this.take(page);
      more = page?.more ?? true;
    }
    this.#calm();
  }

  // restart begins the copy anew: what is not told of again is gone.
  restart() {
    this.cursor = "";
    this.loaded = false;
    this.#stale = new Set(this.#tasks.keys());
  }

  // take applies a page of what is new.
  take({ lists, tasks, deleted, cursor, more }) {
    for (const list of lists) this.#lists.set(list.id, list);
    for (const task of tasks) this.#know(task);
    for (const { kind, id } of deleted) {
      (kind === "list" ? this.#lists : this.#tasks).delete(id);
      if (kind === "list") for (const task of this.#tasks.values()) if (task.list_id === id) this.#tasks.delete(task.id);
    }
    this.cursor = cursor;
    if (!more && !this.loaded) {
      for (const id of this.#stale) this.#tasks.delete(id);
      this.loaded = true;
    }
    this.#outbox.recognize(tasks);
    this.#outbox.work();
    this.changed();
  }

  // know believes what is newer than what is known, and anything of a new copy: the
  // database may have been restored.
  #know(task) {
    if (this.#stale.delete(task.id) || !(this.#tasks.get(task.id)?.version > task.version)) this.#tasks.set(task.id, task);
  }

  // copyOf is the newest that is kept of the dates of a repeating task.
  copyOf(id) { return Math.max(...[...this.#tasks.values()].filter((task) => task.recurrence_of === id).map((task) => task.id)); }

  // idOf is the id of a task that was known by another name before it had one.
  idOf(name) { return this.#names.get(name) ?? name; }

  add(title, description = "", completed = false) {
    this.#outbox.push({ op: "create", title, description, ...(completed && { completed }) });
  }

  // change merges into a change of the same task that has not gone out yet.
  change(name, patch) {
    const id = this.idOf(name);
    const task = this.#tasks.get(id);
    if (task?.recurrence && "completed" in patch && !task.completed) {
      this.#move(task, patch);
      return;
    }
    const open = this.#outbox.changes.find((change) => !change.sent && !change.seen && (change.op === "update" && change.id === id || change.key === id && !("completed" in patch)));
    if (!open) {
      this.#outbox.push({ op: "update", id, patch });
      return;
    }
    Object.assign(open.patch ?? open, patch);
    open.problem = undefined;
    this.#outbox.keep();
  }

  // move lets a repeating task go on to its next date, or takes it back.
  #move({ id, due, recurrence }, patch) {
    const last = this.#outbox.changes.filter((change) => change.id === id && (change.seen || change.op === "reopen")).at(-1);
    if (last && last.patch.completed === patch.completed) return;
    if (last && !last.sent) this.#outbox.drop(last);
    else this.#outbox.push(patch.completed ? { op: "update", id, patch, seen: { due, recurrence } } : { op: "reopen", id, patch });
  }

  // remove hides a task now and deletes it when nobody has undone it.
  remove(name) {
    const id = this.idOf(name);
    const creation = this.#outbox.changes.find((change) => change.key === id);
    if (creation && !creation.sent) this.drop(id);
    else this.#outbox.push({ op: "delete", id, due: this.#now() + undoTime });
  }

  // undoRemove brings a task back, out of the trash if the deletion has gone out.
  undoRemove(task) {
    const id = this.idOf(task.id);
    const waiting = this.#outbox.changes.find((change) => change.op === "delete" && change.id === id && !change.sent);
    if (waiting) this.#outbox.drop(waiting);
    else if (typeof id === "number") this.#outbox.push({ op: "restore", id, task: { ...task, id } });
    else this.add(task.title, task.description, task.completed);
  }

  // postpone gives the deletions that wait as long as the last of them.
  postpone() {
    for (const change of this.#outbox.changes) if (change.op === "delete" && !change.sent) change.due = this.#now() + undoTime;
    this.#outbox.keep();
  }

  // hurry sends what waits for a change of mind: the page goes away.
  hurry() {
    this.#outbox.hurry();
    this.#shelve();
  }

  // finish waits until everything is sent, for at most limit milliseconds, and
  // returns how many changes are not.
  async finish(limit) {
    this.hurry();
    const end = this.#now() + limit;
    while (this.#outbox.changes.some((change) => !change.problem) && !this.offline && this.#now() < end) {
      this.#outbox.work();
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    return this.#outbox.changes.length;
  }

  // retry takes up a change that the server refused.
  retry(id) {
    for (const change of this.#outbox.changes) if (change.key === id || change.id === id) change.problem = undefined;
    this.#outbox.keep();
  }

  // drop gives up the changes of a task, its creation with all that came after.
  drop(id) {
    for (const change of this.#outbox.changes) if (change.key === id || change.id === id) this.#outbox.drop(change);
  }

  changed() {
    this.dispatchEvent(new Event("change"));
    if (this.loaded) this.#shelving ||= setTimeout(() => this.#shelve(), 1000);
  }

  // shelve keeps the newest tasks, and the lists, for a start without the server.
  #shelve() {
    clearTimeout(this.#shelving);
    this.#shelving = 0;
    if (!this.loaded) return;
    const tasks = [...this.#tasks.values()].sort((a, b) => b.id - a.id).slice(0, kept);
    this.#shelf.setSeen(this.#userID, { tasks, lists: [...this.#lists.values()].map(({ id, name, inbox, role }) => ({ id, name, inbox, role })) });
  }

  // reached says whether the server can be reached.
  reached(yes) {
    if (this.offline === !yes) return;
    this.offline = !yes;
    this.changed();
  }

  // failed says why a request has to wait.
  failed(error) {
    if (!(error instanceof ApiError) || error.away || error.status === 401) return;
    if (error.definite && error.later) this.busyUntil = this.#now() + error.retryAfter * 1000;
    else this.trouble = error;
    this.changed();
  }

  #calm() {
    this.busyUntil = 0;
    this.trouble = null;
    this.changed();
  }

  // settled takes over what the server said to a change.
  settled({ op, key }, { task, copy, gone }) {
    for (const each of [task, copy]) if (each) this.#know(each);
    this.#tasks.delete(gone);
    if (op === "create") {
      this.#names.set(key, task.id);
      this.dispatchEvent(new CustomEvent("named", { detail: { key, id: task.id } }));
    }
    this.#calm();
  }
}
