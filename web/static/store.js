// The tasks as the person sees them: what the server last said, with the
// changes on top that it has not heard of yet. Changes wait in a queue that
// outlives a reload, and go out one after the other. No DOM here.

import { ApiError, Unreachable } from "./api.js";

const perPage = 100;
export const undoTime = 8_000;

// matches says whether two tasks are the same words: a creation whose answer
// was lost is found again by them.
const matches = (task, change) => task.title === change.title.trim() && task.description === (change.description ?? "");

export class Store extends EventTarget {
  #api;
  #userID = 0;
  #tab = "";
  #tasks = new Map();
  #queue = [];
  #working = null;
  #storage;
  #channel;
  #timer = 0;
  #now;
  loaded = false;
  offline = false;
  paused = 0; // seconds, when the server has asked us to wait

  constructor(api, { storage = localStorage, channel, now = Date.now } = {}) {
    super();
    this.#api = api;
    this.#storage = storage;
    this.#now = now;
    this.#channel = channel;
    if (channel) channel.onmessage = ({ data }) => this.#hear(data);
  }

  // open begins with the person who has signed in. The tab's name is part of
  // where the queue is kept: each tab writes its own.
  open(userID, tab) {
    this.#userID = userID;
    this.#tab = tab;
    this.#tasks.clear();
    this.loaded = false;
    this.#queue = this.#read(this.#key(tab));
    this.#tell();
  }

  // adopt takes over what a tab that is gone could not send.
  adopt(tab) {
    const key = this.#key(tab);
    this.#queue.push(...this.#read(key));
    this.#storage.removeItem(key);
    this.#keep();
  }

  // others are the names of the tabs that have something kept.
  others() {
    const prefix = this.#key("");
    const keys = Array.from({ length: this.#storage.length }, (_, i) => this.#storage.key(i));
    return keys.filter((key) => key.startsWith(prefix) && key !== this.#key(this.#tab)).map((key) => key.slice(prefix.length));
  }

  #read(key) {
    const queue = JSON.parse(this.#storage.getItem(key) ?? "[]");
    // What was under way at a reload may have arrived.
    for (const change of queue) if (change.sent && change.op === "create") change.doubtful = true;
    return queue;
  }

  close() {
    clearTimeout(this.#timer);
    this.#userID = 0;
    this.#tasks.clear();
    this.#queue = [];
    this.loaded = false;
  }

  #key(tab = this.#tab) { return `taskapi.queue.${this.#userID}.${tab}`; }

  get waiting() { return this.#queue.filter((change) => change.op !== "delete" || change.due <= this.#now()).length; }

  // visible are all tasks with the waiting changes applied, newest first.
  visible() {
    const tasks = new Map([...this.#tasks].map(([id, task]) => [id, { ...task }]));
    for (const change of this.#queue) {
      if (change.op === "create") {
        tasks.set(change.key, { id: change.key, title: change.title, description: change.description ?? "", completed: false, waiting: true, problem: change.problem });
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
    const first = await this.#page(1);
    const seen = new Set(first.tasks.map((task) => task.id));
    this.#take(first.tasks);
    for (let page = first.pagination.pages; page > 1; page--) {
      const { tasks } = await this.#page(page);
      if (this.#userID !== user) return;
      for (const task of tasks) seen.add(task.id);
      this.#take(tasks);
    }
    if (this.#userID !== user) return;
    for (const id of this.#tasks.keys()) if (!seen.has(id)) this.#tasks.delete(id);
    this.loaded = true;
    this.#tell();
    this.work();
  }

  async #page(number) {
    const answer = await this.#api.get(`/tasks/?per_page=${perPage}&page=${number}`);
    this.#reached(true);
    return answer;
  }

  #take(tasks) {
    for (const task of tasks) this.#tasks.set(task.id, task);
    this.#tell();
  }

  add(title, description = "") {
    const key = `new-${this.#now()}-${crypto.randomUUID()}`;
    this.#enqueue({ op: "create", key, title, description });
    return key;
  }

  // change merges into a change of the same task that has not gone out yet.
  change(id, patch) {
    const creation = this.#queue.find((change) => change.key === id && !change.sent);
    if (creation && !("completed" in patch)) {
      Object.assign(creation, patch, { problem: undefined });
      this.#keep();
      return;
    }
    const open = this.#queue.find((change) => change.op === "update" && change.id === id && !change.sent);
    if (open) {
      Object.assign(open.patch, patch);
      open.problem = undefined;
      this.#keep();
      return;
    }
    this.#enqueue({ op: "update", id, patch });
  }

  // remove hides a task now and deletes it when nobody has undone it.
  remove(id) {
    const creation = this.#queue.find((change) => change.key === id);
    if (creation && !creation.sent) {
      this.#queue = this.#queue.filter((change) => change !== creation && change.id !== id);
      this.#keep();
      return;
    }
    this.#enqueue({ op: "delete", id, due: this.#now() + undoTime });
  }

  undoRemove(id) {
    this.#queue = this.#queue.filter((change) => change.op !== "delete" || change.id !== id || change.sent);
    this.#keep();
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

  #tell() { this.dispatchEvent(new Event("change")); }

  #reached(yes) {
    if (this.offline !== yes) return;
    this.offline = !yes;
    this.#tell();
  }

  // work sends what waits, one at a time, until nothing is left or the server
  // can't be reached.
  work() {
    if (!this.#userID || !this.loaded || this.#working) return this.#working;
    clearTimeout(this.#timer);
    this.#working = this.#drain().finally(() => { this.#working = null; });
    return this.#working;
  }

  async #drain() {
    for (;;) {
      const now = this.#now();
      const change = this.#queue.find((c) => !c.problem && (c.due ?? 0) <= now && !this.#blocked(c));
      if (!change) {
        const next = Math.min(...this.#queue.filter((c) => !c.problem && c.due > now).map((c) => c.due));
        if (Number.isFinite(next)) this.#later(next - now);
        return;
      }
      try {
        await this.#send(change);
        this.#reached(true);
        this.paused = 0;
      } catch (error) {
        change.sent = false;
        if (error instanceof ApiError && !error.later) {
          if (error.status === 401) return;
          this.#refused(change, error);
        } else {
          if (change.op === "create" && error instanceof Unreachable) change.doubtful = true;
          if (error.status === 429 || error.status === 503) this.paused = error.retryAfter;
          else this.#reached(false);
          this.#later((error.retryAfter ?? 3) * 1000);
          this.#persist();
          return;
        }
      }
      this.#persist();
    }
  }

  // blocked says that a change waits for the creation of its task.
  #blocked(change) { return this.#queue.some((c) => c.op === "create" && c.key === change.id); }

  #persist() {
    this.#write();
    this.#tell();
  }

  #write() {
    if (!this.#userID) return;
    if (this.#queue.length) this.#storage.setItem(this.#key(), JSON.stringify(this.#queue));
    else this.#storage.removeItem(this.#key());
  }

  #later(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.work(), Math.max(50, wait));
  }

  async #send(change) {
    change.sent = true;
    this.#write();
    if (change.op === "create") return this.#create(change);
    if (change.op === "delete") {
      await this.#api.request("DELETE", `/tasks/${change.id}`);
      return this.#settle(change, { gone: change.id });
    }
    const { task } = await this.#api.request("PATCH", `/tasks/${change.id}`, change.patch);
    return this.#settle(change, { task });
  }

  // create never makes a second one: if an answer was lost, the task is looked
  // for among those that are newer than what was known when it was first sent.
  async #create(change) {
    change.after ??= Math.max(0, ...this.#tasks.keys());
    if (change.doubtful) {
      const found = await this.#arrived(change);
      if (found) return this.#settle(change, { task: found, key: change.key });
      change.doubtful = false;
    }
    const { task } = await this.#api.request("POST", "/tasks/", { title: change.title, description: change.description });
    return this.#settle(change, { task, key: change.key });
  }

  async #arrived(change) {
    const { pagination } = await this.#page(1);
    for (let page = pagination.pages; page > 0; page--) {
      const { tasks } = await this.#page(page);
      const found = tasks.find((task) => task.id > change.after && !this.#tasks.has(task.id) && matches(task, change));
      if (found || tasks.some((task) => task.id <= change.after)) return found;
    }
    return undefined;
  }

  #refused(change, error) {
    if (error.status === 404) return this.#settle(change, { gone: change.id });
    change.problem = error.message;
    return undefined;
  }

  // settle takes an answer over and drops the change that it is for.
  #settle(change, result) {
    this.#queue = this.#queue.filter((c) => c !== change);
    this.#apply(result);
    this.#channel?.postMessage({ userID: this.#userID, ...result });
    this.#persist();
  }

  #apply({ task, gone, key }) {
    if (task) this.#tasks.set(task.id, task);
    if (gone) this.#tasks.delete(gone);
    // What was changed on a task before it had an id is meant for that id.
    if (key) for (const c of this.#queue) if (c.id === key) c.id = task.id;
    if (key) this.dispatchEvent(new CustomEvent("named", { detail: { key, id: task.id } }));
  }

  // hear takes over what another tab has done.
  #hear(message) {
    if (message.userID !== this.#userID || !this.#userID) return;
    const { task, gone } = message;
    if (task) this.#tasks.set(task.id, task);
    if (gone) this.#tasks.delete(gone);
    this.#tell();
  }
}
