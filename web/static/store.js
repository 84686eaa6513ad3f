// The tasks as the person sees them: what the server last said, with the
// changes on top that it has not heard of yet. No DOM here.

import { ApiError } from "./api.js";
import { Outbox } from "./outbox.js";
import { Shelf } from "./shelf.js";
import { local } from "./surroundings.js";

const perPage = 100;
const kept = 100; // tasks that are shown before the server answers
export const undoTime = 8_000;

// uid is a name that nobody else has. randomUUID is missing on pages over plain
// http from another machine.
export const uid = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");

export class Store extends EventTarget {
  #api;
  #userID = 0;
  #tasks = new Map();
  #lists = new Map();
  #unlisted = null; // ids of lists that were asked for in vain; null before the first time
  #touched = new Map(); // ids, with the turn in which we last heard of them by ourselves
  #turn = 0;
  #names = new Map(); // the ids of what was made here
  #shelf;
  #outbox;
  #channel;
  #shelving = 0;
  #now;
  newest = 0; // the highest id that was ever seen
  loaded = false;
  offline = false;
  busyUntil = 0; // milliseconds, when the server has asked us to wait
  trouble = null; // the server's own failure, until it does better

  constructor(api, { storage = local, channel, now = Date.now } = {}) {
    super();
    this.#api = api;
    this.#shelf = new Shelf(storage);
    this.#outbox = new Outbox(api, this.#shelf, now, this);
    this.#now = now;
    this.#channel = channel;
    if (channel) channel.onmessage = ({ data }) => this.#hear(data);
    api.addEventListener("answered", () => this.reached(true));
    api.addEventListener("away", () => this.reached(false));
  }

  // open begins with the person who has signed in, and with the newest tasks
  // that were last seen.
  open(userID, tab) {
    this.#userID = userID;
    this.#tasks = new Map(this.#shelf.tasks(userID).map((task) => [task.id, task]));
    this.#lists = new Map(this.#shelf.lists(userID).map((list) => [list.id, list]));
    this.#unlisted = null;
    this.newest = Math.max(0, ...this.#tasks.keys());
    this.loaded = false;
    this.#outbox.open(userID, tab);
    this.changed();
  }

  // reopen reads again what this tab has to send: another has taken it over.
  reopen() {
    if (this.#userID) this.#outbox.reopen();
    this.changed();
  }

  knows(userID) { return this.#shelf.tasks(userID).length > 0; }

  adopt(tab) { this.#outbox.adopt(tab); }

  others() { return this.#outbox.others(); }

  // close forgets who was signed in, except for what was not sent.
  close() {
    clearTimeout(this.#shelving);
    this.#shelving = 0;
    this.#userID = 0;
    this.#tasks.clear();
    this.#lists.clear();
    this.#touched.clear();
    this.#names.clear();
    this.#outbox.close();
    this.loaded = false;
    this.busyUntil = 0;
    this.trouble = null;
    this.#shelf.dropTasks();
  }

  // ready says whether changes may go out: not before all tasks are known.
  get ready() { return this.loaded; }

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

  // learn reads the lists once, and again when a task is in one that is new.
  async #learn() {
    const ids = new Set([...this.#tasks.values()].map((task) => task.list_id));
    const unknown = () => [...ids].filter((id) => !this.#lists.has(id));
    if (this.#unlisted && unknown().every((id) => this.#unlisted.has(id))) return;
    const user = this.#userID;
    const found = new Map();
    for (let page = 1, more = true; more; page++) {
      const { lists, pagination } = await this.#api.get(`/lists/?archived=all&per_page=${perPage}&page=${page}`);
      if (this.#userID !== user) return;
      for (const list of lists) found.set(list.id, list);
      more = pagination.has_next;
    }
    this.#lists = found;
    this.#unlisted = new Set(unknown());
    this.#shelf.setLists(user, [...found.values()].map(({ id, name, inbox, role }) => ({ id, name, inbox, role })));
    this.changed();
  }

  // relearn says that the lists are others by now.
  relearn() { this.#unlisted = null; }

  // reload reads the tasks and the lists again.
  reload() {
    this.relearn();
    return this.load();
  }

  // load reads everything, newest first, and shows each page as it comes.
  async load() {
    const user = this.#userID;
    const turn = ++this.#turn;
    const first = await this.#page(1);
    if (this.#userID !== user) return;
    const seen = new Set(first.tasks.map((task) => task.id));
    this.#take(first.tasks, turn);
    for (let page = first.pagination.pages; page > 1; page--) {
      const { tasks } = await this.#page(page);
      if (this.#userID !== user) return;
      for (const task of tasks) seen.add(task.id);
      this.#take(tasks, turn);
    }
    for (const id of this.#tasks.keys()) if (!seen.has(id) && !(this.#touched.get(id) >= turn)) this.#tasks.delete(id);
    this.loaded = true;
    this.#calm();
    this.#outbox.work();
    await this.#learn();
  }

  // look asks for the newest page only, and for everything when that does not
  // explain how many there are.
  async look() {
    if (!this.loaded) return this.load();
    const user = this.#userID;
    const turn = ++this.#turn;
    const { tasks, pagination } = await this.#page(Math.max(1, Math.ceil(this.#tasks.size / perPage)));
    if (this.#userID !== user) return undefined;
    this.#take(tasks, turn);
    this.#calm();
    this.#outbox.work();
    return pagination.total === this.#tasks.size ? this.#learn() : this.load();
  }

  #page(number) { return this.#api.get(`/tasks/?scope=all&per_page=${perPage}&page=${number}`); }

  // take believes a list, but not about what we have heard of since it was
  // asked for.
  #take(tasks, turn) {
    for (const task of tasks) if (!(this.#touched.get(task.id) >= turn)) this.#know(task);
    this.#outbox.recognize(tasks);
    this.changed();
  }

  #know(task) {
    this.#tasks.set(task.id, task);
    this.newest = Math.max(this.newest, task.id);
  }

  // idOf is the id of a task that was known by another name before it had one.
  idOf(name) { return this.#names.get(name) ?? name; }

  add(title, description = "", completed = false) {
    const key = `new-${this.#now()}-${uid()}`;
    this.#outbox.push({ op: "create", key, title, description, ...(completed && { completed }) });
    return key;
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
    if (last && (last.problem || !last.match && !last.copy)) this.#outbox.drop(last);
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

  // shelve keeps the newest tasks for a start without the server.
  #shelve() {
    clearTimeout(this.#shelving);
    this.#shelving = 0;
    if (this.loaded) this.#shelf.setTasks(this.#userID, [...this.#tasks.values()].sort((a, b) => b.id - a.id).slice(0, kept));
  }

  // reached says whether the server can be reached.
  reached(yes) {
    if (this.offline === !yes) return;
    this.offline = !yes;
    this.changed();
  }

  // failed says why a request has to wait.
  failed(error) {
    if (!(error instanceof ApiError) || error.away) return;
    if (error.definite && error.later) this.busyUntil = this.#now() + error.retryAfter * 1000;
    else this.trouble = error;
    this.changed();
  }

  #calm() {
    this.busyUntil = 0;
    this.trouble = null;
    this.changed();
  }

  // settled takes over what the server said to a change, and tells other tabs.
  settled({ task, gone, key, copy }) {
    this.#apply({ task, gone, copy });
    if (key) {
      this.#names.set(key, task.id);
      this.dispatchEvent(new CustomEvent("named", { detail: { key, id: task.id } }));
    }
    this.#channel?.postMessage({ userID: this.#userID, task, gone, copy });
    this.#calm();
  }

  #apply({ task, gone, copy }) {
    for (const each of [task, copy]) if (each) this.#know(each);
    if (gone) this.#tasks.delete(gone);
    for (const id of [task?.id, copy?.id, gone]) if (id) this.#touched.set(id, this.#turn);
  }

  // hear takes over what another tab has done.
  #hear(message) {
    if (message.userID !== this.#userID || !this.#userID) return;
    this.#apply(message);
    this.changed();
  }
}
