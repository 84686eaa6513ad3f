// The queue of changes that the server has not heard of. It outlives a reload,
// and its changes go out one after the other. No DOM here.
//
// A change has `sent`, a time, from the moment when it leaves until a definite
// answer: it may have arrived. A creation has `after` then, the newest id that
// was known before. A completion of a task that repeats has `seen`, the dates that
// the person saw, and later `match`, the one version that may be moved on.

import { ApiError, etagOf } from "./api.js";

const perPage = 100;
const patience = 5_000; // milliseconds that a request without an answer may still be under way

// matches says whether a task has the words of a creation: one whose answer was
// lost is found again by them, whatever has become of it since.
const matches = (task, change) => task.title === change.title.trim() && task.description === (change.description ?? "");

// newUID makes a UUID of version 7 (RFC 9562 section 5.7). crypto.randomUUID is only
// there over HTTPS.
function newUID(now) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 5, time = now; i >= 0; i--, time = Math.floor(time / 256)) bytes[i] = time % 256;
  bytes[6] = 0x70 | bytes[6] & 0x0f;
  bytes[8] = 0x80 | bytes[8] & 0x3f;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export class Outbox {
  #api; #shelf; #now; #host;
  #userID = 0;
  #tab = "";
  #flying = new Set();
  #working = null;
  #timer = 0;
  changes = [];

  // host has newest, the newest id that is known; ready, whether to send;
  // busyUntil; failed, which hears of errors; changed; settled, which takes what
  // the server said; and relearn, which hears that the lists are others by now.
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
      else if (ours && !error.later) {
        change.problem = { code: error.code, message: error.message, errors: error.errors };
        if (error.code === "read_only_list") this.#host.relearn();
      }
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

  // blocked says that a change waits for the creation of its task, or for the
  // deletion that it takes back.
  #blocked(change) { return this.changes.some((c) => c.op === "create" && c.key === change.id || change.op === "restore" && c.op === "delete" && c.id === change.id && !c.problem); }

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
    if (change.op === "restore") return this.#restore(change);
    if (change.op === "reopen") return this.#reopen(change);
    if (change.seen) return this.#complete(change);
    const { task } = await this.#ask(change, "PATCH", `/tasks/${change.id}`, change.patch);
    // An occurrence that is opened again becomes the task that repeats.
    return this.#settle(change, { task, ...(task.id !== change.id && { gone: change.id }) });
  }

  // complete moves a repeating task on, and not a second time when the answer
  // was lost: only the version that was read before the first try is moved.
  async #complete(change) {
    const { id, seen, patch } = change;
    if (!change.match) {
      const task = await this.#api.get(`/tasks/${id}`);
      if (!this.changes.includes(change)) return undefined; // it was taken back
      if (task.completed || task.due !== seen.due || task.recurrence !== seen.recurrence) return this.#settle(change, { task });
      change.match = etagOf(task);
    }
    try {
      const { task, completed_copy: copy } = await this.#ask(change, "PATCH", `/tasks/${id}`, patch, false, change.match);
      return this.#settle(change, { task, copy });
    } catch (error) {
      if (error.code !== "changed_meanwhile" || !error.current) throw error;
      return this.#settle(change, { task: error.current });
    }
  }

  // reopen takes a repeating task back to the date before: its newest completed
  // copy is opened again, and goes.
  async #reopen(change) {
    if (!change.copy) {
      const { tasks } = await this.#api.get(`/tasks/?scope=all&completed=true&sort=-id&per_page=${perPage}`);
      if (!this.changes.includes(change)) return undefined;
      change.copy = tasks.find((task) => task.recurrence_of === change.id)?.id;
      if (!change.copy) return this.#settle(change, {});
    }
    const gone = change.copy;
    try {
      const { task } = await this.#ask(change, "PATCH", `/tasks/${gone}`, change.patch);
      return this.#settle(change, { task, ...(task.id !== gone && { gone }) });
    } catch (error) {
      if (error.code !== "task_not_found") throw error;
      return this.#settle(change, { task: await this.#api.get(`/tasks/${change.id}`), gone });
    }
  }

  // restore takes a task out of the trash.
  async #restore(change) {
    try {
      const { task } = await this.#ask(change, "POST", `/tasks/${change.id}/restore`);
      return this.#settle(change, { task });
    } catch (error) {
      if (error.code !== "not_in_trash") throw error;
      return this.#settle(change, { task: await this.#api.get(`/tasks/${change.id}`) });
    }
  }

  // ask remembers, before it sends a change, that it may have arrived.
  async #ask(change, method, path, body, leaving, match) {
    change.sent = this.#now();
    this.#write();
    try {
      return await this.#api.request(method, path, body, leaving, match);
    } catch (error) {
      change.sent = error instanceof ApiError && error.definite ? undefined : this.#now();
      throw error;
    }
  }

  // create never makes a second one: its uid tells the server that it is the same
  // again. Where that is not known (--compat tutorial), a task whose answer was lost
  // is looked for among those that are newer than what was known when it was first
  // sent, and what is still under way gets the time to arrive.
  async #create(change) {
    if (change.sent) {
      await this.#search(change);
      if (!this.changes.includes(change)) return undefined;
      change.due = change.sent + patience;
      if (change.due > this.#now()) return undefined;
    } else {
      change.after = this.#host.newest;
    }
    change.uid ??= newUID(this.#now());
    const { key, title, description, completed, uid } = change;
    try {
      const { task } = await this.#ask(change, "POST", "/tasks/", { title, description, completed, uid });
      return this.#settle(change, { task, key });
    } catch (error) {
      if (error.code !== "in_trash") throw error;
      return this.drop(change); // it had arrived, and was deleted elsewhere
    }
  }

  // search looks on the server for a creation that may have arrived.
  async #search(change) {
    for (let after = change.after ?? 0; after !== null && this.changes.includes(change);) {
      const { tasks, pagination } = await this.#api.get(`/tasks/?scope=all&after=${after}&per_page=${perPage}`);
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
      const mine = (task) => task.created_by === this.#userID && !task.recurrence_of;
      const found = tasks.find((task) => task.id > (change.after ?? 0) && mine(task) && matches(task, change) && !claimed.includes(task.id));
      if (found) this.#settle(change, { task: found, key: change.key });
    }
  }

  // settle takes an answer over and drops the change that it is for.
  #settle(change, { task, gone, key, copy }) {
    if (!this.changes.includes(change)) return;
    this.changes = this.changes.filter((c) => c !== change);
    if (key) {
      this.#shelf.claim(this.#userID, task.id);
      // What was changed on a task before it had an id is meant for that id.
      for (const c of this.changes) if (c.id === key) c.id = task.id;
    }
    this.#write();
    this.#host.settled({ task, gone, key, copy });
    this.work(); // something may have waited for this one
  }
}
