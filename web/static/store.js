// The tasks as the person sees them: what the server last said, with the
// changes on top that it has not heard of yet. Changes wait in a queue that
// outlives a reload, and go out one after the other. No DOM here.

import { ApiError } from "./api.js";
import { Shelf } from "./shelf.js";

const perPage = 100;
const kept = 100; // tasks that are shown before the server answers
const patience = 5_000; // milliseconds that a request without an answer may still be under way
export const undoTime = 8_000;

// uid is a name that nobody else has. randomUUID is missing on pages over plain
// http from another machine.
export const uid = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");

// matches says whether a task has the words of a creation: one whose answer was
// lost is found again by them, whatever has become of it since.
const matches = (task, change) => task.title === change.title.trim() && task.description === (change.description ?? "");

// A change in the queue has `sent`, a time, from the moment when it leaves until
// a definite answer: it may have arrived. A creation has `after` then, the
// newest id that was known before.
export class Store extends EventTarget {
  #api;
  #userID = 0;
  #tab = "";
  #tasks = new Map();
  #newest = 0;
  #queue = [];
  #flying = new Set();
  #touched = new Map(); // ids, with the turn of what we last heard of them ourselves
  #turn = 0;
  #names = new Map(); // the ids of what was made here
  #working = null;
  #shelf;
  #channel;
  #timer = 0;
  #shelving = 0;
  #now;
  loaded = false;
  offline = false;
  busyUntil = 0; // milliseconds, when the server has asked us to wait
  trouble = null; // the server's own failure, until it does better

  constructor(api, { storage = localStorage, channel, now = Date.now } = {}) {
    super();
    this.#api = api;
    this.#shelf = new Shelf(storage);
    this.#now = now;
    this.#channel = channel;
    if (channel) channel.onmessage = ({ data }) => this.#hear(data);
    api.addEventListener("answered", () => this.reached(true));
    api.addEventListener("away", () => this.reached(false));
  }

  // open begins with the person who has signed in, and with the newest tasks
  // that were last seen. The tab's name is part of where the queue is kept: each
  // tab writes its own.
  open(userID, tab) {
    this.#userID = userID;
    this.#tab = tab;
    this.#tasks = new Map(this.#shelf.tasks(userID).map((task) => [task.id, task]));
    this.#newest = Math.max(0, ...this.#tasks.keys());
    this.loaded = false;
    this.#queue = this.#shelf.queue(userID, tab);
    this.#tell();
  }

  knows(userID) { return this.#shelf.tasks(userID).length > 0; }

  // adopt takes over what a tab that is gone could not send.
  adopt(tab) {
    this.#queue.push(...this.#shelf.queue(this.#userID, tab));
    this.#write();
    this.#shelf.setQueue(this.#userID, tab, []);
    this.#tell();
    this.work();
  }

  // others are the names of the tabs that have something kept.
  others() { return this.#shelf.tabs(this.#userID).filter((tab) => tab !== this.#tab); }

  // close forgets who was signed in, except for what was not sent.
  close() {
    clearTimeout(this.#timer);
    clearTimeout(this.#shelving);
    this.#shelving = 0;
    this.#userID = 0;
    this.#tasks.clear();
    this.#touched.clear();
    this.#names.clear();
    this.#queue = [];
    this.loaded = false;
    this.busyUntil = 0;
    this.trouble = null;
    this.#shelf.dropTasks();
  }

  get waiting() { return this.#queue.filter((change) => change.op !== "delete" || change.due <= this.#now()).length; }

  // visible are all tasks with the waiting changes applied, newest first.
  visible() {
    const tasks = new Map([...this.#tasks].map(([id, task]) => [id, { ...task }]));
    for (const change of this.#queue) {
      if (change.op === "create") {
        tasks.set(change.key, { id: change.key, title: change.title, description: change.description ?? "", completed: Boolean(change.completed), waiting: true, problem: change.problem });
        continue;
      }
      const task = tasks.get(change.id);
      if (!task) continue;
      if (change.op === "delete") tasks.delete(change.id);
      else Object.assign(task, change.patch, { waiting: true, problem: change.problem });
    }
    const order = (task) => (typeof task.id === "number" ? task.id : Infinity);
    return [...tasks.values()].sort((a, b) => (order(b) - order(a)) || String(b.id).localeCompare(String(a.id)));
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
    this.work();
  }

  // look asks for the newest page only, and for everything when that does not
  // explain how many there are.
  async look() {
    if (!this.loaded) return this.load();
    const user = this.#userID;
    const turn = ++this.#turn;
    const number = Math.max(1, Math.ceil(this.#tasks.size / perPage));
    const { tasks, pagination } = await this.#page(number);
    if (this.#userID !== user) return undefined;
    this.#take(tasks, turn);
    this.#calm();
    this.work();
    return pagination.total === this.#tasks.size ? undefined : this.load();
  }

  #page(number) { return this.#api.get(`/tasks/?per_page=${perPage}&page=${number}`); }

  // take believes a list, but not about what we have heard of since it was
  // asked for.
  #take(tasks, turn) {
    for (const task of tasks) if (!(this.#touched.get(task.id) >= turn)) this.#know(task);
    this.#recognize(tasks);
    this.#tell();
  }

  // recognize finds the creations whose answer was lost among tasks of the
  // server. A task is the answer to one creation only.
  #recognize(tasks) {
    for (const change of this.#queue) {
      if (change.op !== "create" || !change.sent) continue;
      const claimed = this.#shelf.claimed(this.#userID);
      const found = tasks.find((task) => task.id > (change.after ?? 0) && matches(task, change) && !claimed.includes(task.id));
      if (found) this.#settle(change, { task: found, key: change.key });
    }
  }

  #know(task) {
    this.#tasks.set(task.id, task);
    this.#newest = Math.max(this.#newest, task.id);
  }

  // idOf is the id of a task that was known by another name before it had one.
  idOf(name) { return this.#names.get(name) ?? name; }

  add(title, description = "", completed = false) {
    const key = `new-${this.#now()}-${uid()}`;
    this.#enqueue({ op: "create", key, title, description, ...(completed && { completed }) });
    return key;
  }

  // change merges into a change of the same task that has not gone out yet.
  change(name, patch) {
    const id = this.idOf(name);
    const creation = this.#queue.find((change) => change.key === id && !change.sent);
    const open = creation && !("completed" in patch) ? creation : this.#queue.find((change) => change.op === "update" && change.id === id && !change.sent);
    if (!open) {
      this.#enqueue({ op: "update", id, patch });
      return;
    }
    Object.assign(open === creation ? creation : open.patch, patch);
    open.problem = undefined;
    this.#keep();
  }

  // remove hides a task now and deletes it when nobody has undone it.
  remove(name) {
    const id = this.idOf(name);
    const creation = this.#queue.find((change) => change.key === id);
    if (creation && !creation.sent) {
      this.#queue = this.#queue.filter((change) => change !== creation && change.id !== id);
      this.#keep();
      return;
    }
    this.#enqueue({ op: "delete", id, due: this.#now() + undoTime });
  }

  // undoRemove brings a task back: what has gone out already is made anew.
  undoRemove(task) {
    const id = this.idOf(task.id);
    const waiting = this.#queue.find((change) => change.op === "delete" && change.id === id && !change.sent);
    if (!waiting) {
      this.add(task.title, task.description, task.completed);
      return;
    }
    this.#queue = this.#queue.filter((change) => change !== waiting);
    this.#keep();
  }

  // postpone gives the deletions that wait as long as the last of them.
  postpone() {
    for (const change of this.#queue) if (change.op === "delete" && !change.sent) change.due = this.#now() + undoTime;
    this.#keep();
  }

  // hurry sends the deletions that wait, all at once: the page goes away.
  hurry() {
    for (const change of this.#queue) {
      if (change.op !== "delete" || change.sent) continue;
      change.due = 0;
      if (typeof change.id === "number" && this.loaded) this.#try(change, true);
    }
    this.#write();
    this.#shelve();
  }

  // finish waits until everything is sent, as long as it may take, and returns
  // how much is not.
  async finish(limit) {
    this.hurry();
    const end = this.#now() + limit;
    while (this.#queue.some((change) => !change.problem) && !this.offline && this.#now() < end) {
      this.work();
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    return this.#queue.length;
  }

  // retry takes up a change that the server refused.
  retry(id) {
    for (const change of this.#queue) if ((change.key ?? change.id) === id) change.problem = undefined;
    this.#keep();
  }

  drop(id) {
    this.#queue = this.#queue.filter((change) => (change.key ?? change.id) !== id);
    this.#keep();
  }

  #enqueue(change) {
    this.#queue.push(change);
    this.#keep();
  }

  #keep() {
    this.#persist();
    this.work();
  }

  #tell() {
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
    this.#tell();
  }

  // failed says why a request has to wait.
  failed(error) {
    if (!(error instanceof ApiError) || error.away) return;
    if (error.definite && error.later) this.busyUntil = this.#now() + error.retryAfter * 1000;
    else this.trouble = error;
    this.#tell();
  }

  #calm() {
    this.busyUntil = 0;
    this.trouble = null;
    this.#tell();
  }

  // work sends what waits, one at a time, until nothing is left or the server
  // can't be reached.
  work() {
    if (!this.#userID || !this.loaded || this.#working) return this.#working;
    clearTimeout(this.#timer);
    const wait = this.busyUntil - this.#now();
    if (wait > 0) {
      this.#later(wait);
      return undefined;
    }
    this.#working = this.#drain().finally(() => { this.#working = null; });
    return this.#working;
  }

  async #drain() {
    for (;;) {
      const now = this.#now();
      const ready = this.#queue.filter((c) => !c.problem && !this.#flying.has(c) && !this.#blocked(c));
      const change = ready.find((c) => (c.due ?? 0) <= now);
      if (!change) {
        if (ready.length) this.#later(Math.min(...ready.map((c) => c.due)) - now);
        return;
      }
      const wait = await this.#try(change);
      if (wait) {
        this.#later(wait);
        return;
      }
    }
  }

  // try sends a change and returns for how long to wait when it has to be sent
  // again.
  async #try(change, leaving = false) {
    const user = this.#userID;
    this.#flying.add(change);
    try {
      await this.#send(change, leaving);
    } catch (error) {
      if (this.#userID !== user) return 0;
      const ours = error instanceof ApiError;
      if (ours && error.status === 404 && change.op !== "create") this.#settle(change, { gone: change.id });
      else if (ours && error.status === 401) return patience;
      else if (ours && !error.later) change.problem = { code: error.code, message: error.message, errors: error.errors };
      else {
        this.failed(error);
        this.#persist();
        return (error.retryAfter ?? 3) * 1000;
      }
      this.#persist();
    } finally {
      this.#flying.delete(change);
    }
    return 0;
  }

  // blocked says that a change waits for the creation of its task.
  #blocked(change) { return this.#queue.some((c) => c.op === "create" && c.key === change.id); }

  #persist() {
    this.#write();
    this.#tell();
  }

  #write() { if (this.#userID) this.#shelf.setQueue(this.#userID, this.#tab, this.#queue); }

  #later(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.work(), Math.max(50, wait));
  }

  async #send(change, leaving) {
    if (change.op === "create") return this.#create(change);
    if (change.op === "delete") {
      await this.#ask(change, "DELETE", `/tasks/${change.id}`, undefined, leaving);
      return this.#settle(change, { gone: change.id });
    }
    const { task } = await this.#ask(change, "PATCH", `/tasks/${change.id}`, change.patch);
    return this.#settle(change, { task });
  }

  // ask remembers, before it sends a change, that it may have arrived.
  async #ask(change, method, path, body, leaving) {
    change.sent = this.#now();
    this.#write();
    try {
      return await this.#api.request(method, path, body, leaving);
    } catch (error) {
      if (error instanceof ApiError && error.definite) change.sent = undefined;
      throw error;
    }
  }

  // create never makes a second one: if an answer was lost, the task is looked
  // for among those that are newer than what was known when it was first sent,
  // and what is still under way gets the time to arrive.
  async #create(change) {
    if (change.sent) {
      await this.#search(change);
      if (!this.#queue.includes(change)) return undefined;
      change.due = change.sent + patience;
      if (change.due > this.#now()) return undefined;
    } else {
      change.after = this.#newest;
    }
    const { key, title, description, completed } = change;
    const { task } = await this.#ask(change, "POST", "/tasks/", { title, description, completed });
    return this.#settle(change, { task, key });
  }

  // search looks on the server for a creation that may have arrived.
  async #search(change) {
    for (let after = change.after ?? 0; after !== null && this.#queue.includes(change);) {
      const { tasks, pagination } = await this.#api.get(`/tasks/?after=${after}&per_page=${perPage}`);
      this.#recognize(tasks);
      after = pagination.next_after;
    }
  }

  // settle takes an answer over and drops the change that it is for.
  #settle(change, { task, gone, key }) {
    if (!this.#queue.includes(change)) return;
    this.#queue = this.#queue.filter((c) => c !== change);
    this.trouble = null;
    this.busyUntil = 0;
    if (key) this.#shelf.claim(this.#userID, task.id);
    this.#apply({ task, gone });
    if (key) {
      // What was changed on a task before it had an id is meant for that id.
      for (const c of this.#queue) if (c.id === key) c.id = task.id;
      this.#names.set(key, task.id);
      this.dispatchEvent(new CustomEvent("named", { detail: { key, id: task.id } }));
    }
    this.#channel?.postMessage({ userID: this.#userID, task, gone });
    this.#persist();
  }

  #apply({ task, gone }) {
    if (task) this.#know(task);
    if (gone) this.#tasks.delete(gone);
    this.#touched.set(task?.id ?? gone, this.#turn);
  }

  // hear takes over what another tab has done.
  #hear(message) {
    if (message.userID !== this.#userID || !this.#userID) return;
    this.#apply(message);
    this.#tell();
  }
}
