// The queue of changes that the server has not heard of. It outlives a reload,
// and its changes go out one after the other. No DOM here.
//
// A change has a `key`, by which the server knows it when it comes again; of a creation
// it is the uid of the task, too. One that may have arrived is `sent`, and stays as it
// is. A completion of a task that repeats has `seen`, the dates that the person saw, and
// later `match`, the one version that may be moved on.

import { ApiError, etagOf } from "./api.js";
import { uid } from "./surroundings.js";

const patience = 5_000; // milliseconds until a change is tried again whose person is signed out

export class Outbox {
  #api; #shelf; #now; #host;
  #userID = 0;
  #tab = "";
  #flying = new Set();
  #working = null;
  #timer = 0;
  changes = [];

  // host has current, whether it knows all tasks as they are now; copyOf; busyUntil; failed, which hears
  // of errors; changed; and settled, which takes what the server said.
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
    this.changes.push({ key: uid(), ...change });
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
      if (typeof change.id === "number") this.#try(change, true);
    }
    this.#write();
  }

  // work sends what waits, one at a time, until nothing is left or the server
  // can't be reached.
  work() {
    if (!this.#userID || this.#working) return;
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
      if (ours && error.status === 404 && change.op !== "create") this.#settle(change, { gone: change.copy ?? change.id });
      else if (error.code === "not_in_trash" || error.current) this.#settle(change, { task: error.current }); // somebody was first
      else if (error.code === "in_trash") this.drop(change); // it had arrived, and was deleted elsewhere
      else if (ours && error.status === 401) return patience;
      else if (ours && !error.later) {
        change.problem = { code: error.code, message: error.message, errors: error.errors };
        change.sent = false;
      } else {
        this.#host.failed(error);
        return (error.retryAfter ?? 3) * 1000;
      }
      this.#persist();
    } finally {
      this.#flying.delete(change);
    }
    return 0;
  }

  // blocked says that a change waits for the creation of its task, for the deletion
  // that it takes back, or for the copy that it opens again.
  #blocked(change) { return change.op === "reopen" && !this.#host.current || this.changes.some((c) => c.op === "create" && c.key === change.id || change.op === "restore" && c.op === "delete" && c.id === change.id && !c.problem); }

  #persist() {
    this.#write();
    this.#host.changed();
  }

  #write() { if (this.#userID) this.#shelf.setQueue(this.#userID, this.#tab, this.changes); }

  #later(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.work(), Math.max(50, wait));
  }

  async #send(change, keepalive) {
    const { op, key, title, description, completed, patch, seen } = change;
    if (op === "reopen") {
      // The date before is the newest copy, which goes when it is opened again.
      change.copy ??= this.#host.copyOf(change.id);
      if (change.copy < 0) return this.#settle(change, {});
    }
    const id = change.copy ?? change.id;
    if (seen && !change.match) {
      const task = await this.#api.get(`/tasks/${id}`);
      if (!this.changes.includes(change)) return undefined; // it was taken back
      if (task.completed || task.due !== seen.due || task.recurrence !== seen.recurrence) return this.#settle(change, { task });
      change.match = etagOf(task);
    }
    change.sent = true;
    this.#write();
    const [method, path, body] = {
      create: ["POST", "/tasks/", { title, description, completed, uid: key }],
      update: ["PATCH", `/tasks/${id}`, patch],
      reopen: ["PATCH", `/tasks/${id}`, patch],
      restore: ["POST", `/tasks/${id}/restore`],
      delete: ["DELETE", `/tasks/${id}`],
    }[op];
    const { task, completed_copy: copy } = await this.#api.request(method, path, body, { keepalive, key, match: change.match });
    // A copy that is opened again becomes the task that repeats.
    return this.#settle(change, { task, copy, gone: op !== "create" && task?.id !== id ? id : undefined });
  }

  // recognize settles the creations that the server tells of before it has answered.
  recognize(tasks) {
    for (const change of this.changes) {
      const task = change.op === "create" && tasks.find((each) => each.uid === change.key);
      if (task) this.#settle(change, { task });
    }
  }

  // settle takes an answer over and drops the change that it is for.
  #settle(change, answer) {
    if (!this.changes.includes(change)) return;
    this.changes = this.changes.filter((c) => c !== change);
    // What was changed on a task before it had an id is meant for that id.
    if (change.op === "create") for (const c of this.changes) if (c.id === change.key) c.id = answer.task.id;
    this.#write();
    this.#host.settled(change, answer);
    this.work(); // something may have waited for this one
  }
}
