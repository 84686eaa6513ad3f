// The queue of changes that the server has not heard of. It outlives a reload,
// and its changes go out one after the other. No DOM here.
//
// A change has `sent`, a time, from the moment when it leaves until a definite
// answer: it may have arrived. A creation has `after` then, the newest id that
// was known before.

import { ApiError } from "./api.js";

const perPage = 100;
const patience = 5_000; // milliseconds that a request without an answer may still be under way

// matches says whether a task has the words of a creation: one whose answer was
// lost is found again by them, whatever has become of it since.
const matches = (task, change) => task.title === change.title.trim() && task.description === (change.description ?? "");

export class Outbox {
  #api; #shelf; #now; #host;
  #userID = 0;
  #tab = "";
  #flying = new Set();
  #working = null;
  #timer = 0;
  changes = [];

  // host has newest, the newest id that is known; ready, whether to send;
  // busyUntil; failed, which hears of errors; changed; and settled, which takes
  // what the server said.
  constructor(api, shelf, now, host) {
    this.#api = api;
    this.#shelf = shelf;
    this.#now = now;
    this.#host = host;
  }

  // open takes up the queue of a tab: each writes its own.
  open(userID, tab) {
    this.#userID = userID;
    this.#tab = tab;
    this.changes = this.#shelf.queue(userID, tab);
  }

  reopen() { this.open(this.#userID, this.#tab); }

  // close leaves what was not sent where it is kept.
  close() {
    clearTimeout(this.#timer);
    this.#userID = 0;
    this.changes = [];
  }

  // adopt takes over what a tab that is gone could not send.
  adopt(tab) {
    this.changes.push(...this.#shelf.queue(this.#userID, tab));
    this.#write();
    this.#shelf.setQueue(this.#userID, tab, []);
    this.#host.changed();
    this.work();
  }

  // others are the names of the tabs that have something kept.
  others() { return this.#shelf.tabs(this.#userID).filter((tab) => tab !== this.#tab); }

  push(change) {
    this.changes.push(change);
    this.keep();
  }

  drop(change) {
    this.changes = this.changes.filter((each) => each !== change);
    this.keep();
  }

  // keep writes down what was changed here, and sends it.
  keep() {
    this.#persist();
    this.work();
  }

  // hurry sends the deletions that wait, all at once: the page goes away.
  hurry() {
    for (const change of this.changes) {
      if (change.op !== "delete" || change.sent) continue;
      change.due = 0;
      if (typeof change.id === "number" && this.#host.ready) this.#try(change, true);
    }
    this.#write();
  }

  // work sends what waits, one at a time, until nothing is left or the server
  // can't be reached.
  work() {
    if (!this.#userID || !this.#host.ready || this.#working) return;
    clearTimeout(this.#timer);
    const wait = this.#host.busyUntil - this.#now();
    if (wait > 0) this.#later(wait);
    else this.#working = this.#drain().finally(() => { this.#working = null; });
  }

  async #drain() {
    for (;;) {
      const now = this.#now();
      const ready = this.changes.filter((c) => !c.problem && !this.#flying.has(c) && !this.#blocked(c));
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
        this.#host.failed(error);
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
  #blocked(change) { return this.changes.some((c) => c.op === "create" && c.key === change.id); }

  #persist() {
    this.#write();
    this.#host.changed();
  }

  #write() { if (this.#userID) this.#shelf.setQueue(this.#userID, this.#tab, this.changes); }

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
      change.sent = error instanceof ApiError && error.definite ? undefined : this.#now();
      throw error;
    }
  }

  // create never makes a second one: if an answer was lost, the task is looked
  // for among those that are newer than what was known when it was first sent,
  // and what is still under way gets the time to arrive.
  async #create(change) {
    if (change.sent) {
      await this.#search(change);
      if (!this.changes.includes(change)) return undefined;
      change.due = change.sent + patience;
      if (change.due > this.#now()) return undefined;
    } else {
      change.after = this.#host.newest;
    }
    const { key, title, description, completed, details } = change;
    const { task } = await this.#ask(change, "POST", "/tasks/", { title, description, completed, ...details });
    return this.#settle(change, { task, key });
  }

  // search looks on the server for a creation that may have arrived.
  async #search(change) {
    for (let after = change.after ?? 0; after !== null && this.changes.includes(change);) {
      const { tasks, pagination } = await this.#api.get(`/tasks/?after=${after}&per_page=${perPage}`);
      this.recognize(tasks);
      after = pagination.next_after;
    }
  }

  // recognize finds the creations whose answer was lost among tasks of the
  // server. A task is the answer to one creation only.
  recognize(tasks) {
    for (const change of this.changes) {
      if (change.op !== "create" || !change.sent) continue;
      const claimed = this.#shelf.claimed(this.#userID);
      const found = tasks.find((task) => task.id > (change.after ?? 0) && matches(task, change) && !claimed.includes(task.id));
      if (found) this.#settle(change, { task: found, key: change.key });
    }
  }

  // settle takes an answer over and drops the change that it is for.
  #settle(change, { task, gone, key }) {
    if (!this.changes.includes(change)) return;
    this.changes = this.changes.filter((c) => c !== change);
    if (key) {
      this.#shelf.claim(this.#userID, task.id);
      // What was changed on a task before it had an id is meant for that id.
      for (const c of this.changes) if (c.id === key) c.id = task.id;
    }
    this.#write();
    this.#host.settled({ task, gone, key });
  }
}
