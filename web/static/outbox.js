// The queue of changes that the server has not heard of. It outlives a reload,
// and its changes go out one after the other. Each tab writes and sends its own, and
// shows those of the others, too. No DOM here.
//
// A change has a `key`, by which the server knows it when it comes again; of a creation
// it is the uid of the task, too. One that may have arrived is `sent`, and stays as it
// is. A completion of a task that repeats has `seen`, the dates that the person saw, and
// later `match`, the one version that may be moved on. An edit of a text has `base`, what
// the person has seen of it, and is written over nothing else. Changes of one `group` that are
// ready go out as one request, which has the key `batch` and is the same whenever it is
// sent. An undo is `of` the key of a change or a batch, and has the number `change` of it
// when that is known. A change of a list has its name as `list`, in place of the `id` of a
// task, and all that it sets as `patch`.

import { ApiError, changeOf, etagOf } from "./api.js";
import { meet, textsOf } from "./merge.js";
import { uid } from "./surroundings.js";

const patience = 5_000; // milliseconds until a change is tried again whose person is signed out
const linger = 1_000; // for which a change that another tab has sent is shown, until the server tells of it
const most = 100; // changes in a batch

// timeOf is when a change was made: its key begins with it.
const timeOf = ({ key = "" }) => key.slice(0, 13);
const byTime = (a, b) => (timeOf(a) < timeOf(b) ? -1 : Number(timeOf(a) > timeOf(b)));

// isBack says that something is what a piece of an act says that it was, as far as can be seen.
const isBack = ({ id, list, before = {} }, now) => !now || now.id !== (list ?? id) || Object.entries(before).every(([name, value]) => name === "position" || JSON.stringify(now[name] ?? null) === JSON.stringify(value));

export class Outbox {
  #api; #shelf; #now; #host;
  #userID = 0;
  #tab = "";
  #flying = new Set();
  #working = null;
  #timer = 0;
  changes = [];
  #others = []; // what other tabs have to send
  #leaving = 0;

  // host has current, whether it knows all tasks as they are now; copyOf; busyUntil; failed, which hears
  // of errors; refused, which hears of an undo that can't be; met, which hears of a text that was
  // changed elsewhere, too; changed; and settled, which takes what the server said.
  constructor(api, shelf, now, host) {
    this.#api = api;
    this.#shelf = shelf;
    this.#now = now;
    this.#host = host;
    shelf.watch(() => this.#look());
  }

  // all are the changes of this tab and the others, as they were made.
  get all() { return this.#others.length ? [...this.#others, ...this.changes].sort(byTime) : this.changes; }

  // look reads what other tabs have to send. What they have sent is shown until the server
  // tells of it.
  #look() {
    if (!this.#userID) return;
    const now = this.#shelf.foreign(this.#userID, this.#tab);
    const gone = this.#others.filter(({ key }) => !now.some((c) => c.key === key) && !this.changes.some((c) => c.key === key));
    this.#others = [...now, ...gone];
    clearTimeout(this.#leaving);
    if (gone.length) this.#leaving = setTimeout(() => this.caughtUp(), linger);
    this.#host.changed();
    this.work(); // something may have waited for one of them
  }

  // caughtUp forgets what other tabs have sent: the server has told of it.
  caughtUp() {
    clearTimeout(this.#leaving);
    const now = this.#shelf.foreign(this.#userID, this.#tab);
    if (now.length === 0 && this.#others.length === 0) return;
    this.#others = now;
    this.#host.changed();
    this.work();
  }

  // open takes up the queue of a tab: each writes its own.
  open(userID, tab) {
    this.#userID = userID;
    this.#tab = tab;
    this.changes = this.#shelf.queue(userID, tab);
    this.#others = this.#shelf.foreign(userID, tab);
  }

  reopen() { this.open(this.#userID, this.#tab); }

  // close leaves what was not sent where it is kept.
  close() {
    clearTimeout(this.#timer);
    clearTimeout(this.#leaving);
    this.#userID = 0;
    this.changes = [];
    this.#others = [];
  }

  // adopt takes over what a tab that is gone could not send.
  adopt(tab) {
    this.changes = [...this.#shelf.queue(this.#userID, tab), ...this.changes].sort(byTime);
    this.#write();
    this.#shelf.setQueue(this.#userID, tab, []);
    this.#others = this.#shelf.foreign(this.#userID, this.#tab);
    this.#host.changed();
    this.work();
  }

  // others are the names of the tabs that have something kept.
  others() { return this.#shelf.tabs(this.#userID).filter((tab) => tab !== this.#tab); }

  // push takes up a change, and returns it.
  push(change) {
    const whole = { key: uid(), ...change };
    this.changes.push(whole);
    this.keep();
    return whole;
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
      if (typeof (change.id ?? change.list) === "number" && !this.#flying.has(change) && !this.#blocked(change)) this.#try([change], true);
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
    await undefined; // for all that is done at once
    for (;;) {
      const now = this.#now();
      const ready = this.changes.filter((c) => !c.problem && !this.#flying.has(c) && !this.#blocked(c));
      const change = ready.find((c) => (c.due ?? 0) <= now);
      if (!change) {
        if (ready.length) this.#later(Math.min(...ready.map((c) => c.due)) - now);
        return;
      }
      const wait = await this.#try(this.#company(change, ready.filter((c) => (c.due ?? 0) <= now)));
      if (wait) {
        this.#later(wait);
        return;
      }
    }
  }

  // company are the changes that go out with one: those that it went out with before, or
  // those that were made with it.
  #company(change, ready) {
    if (change.batch) return this.changes.filter(({ batch }) => batch === change.batch);
    const simple = (c) => c.group && c.group === change.group && !c.sent && !c.alone && !c.seen && !c.base && c.op in { create: 1, update: 1, move: 1, restore: 1, delete: 1 };
    return simple(change) ? ready.filter(simple).slice(0, most) : [change];
  }

  // try sends changes and returns for how long to wait when they have to be sent
  // again.
  async #try(changes, leaving = false) {
    const user = this.#userID;
    for (const change of changes) this.#flying.add(change);
    try {
      await (changes.length > 1 || changes[0].batch ? this.#sendAll(changes) : this.#send(changes[0], leaving));
    } catch (error) {
      if (this.#userID !== user) return 0;
      const ours = error instanceof ApiError;
      if (ours && error.status === 401) return patience;
      if (!ours || error.later) {
        this.#host.failed(error);
        return (error.retryAfter ?? 3) * 1000;
      }
      if (changes[0].batch) this.#part(changes, error);
      else this.#refused(changes[0], error);
      this.#persist();
    } finally {
      for (const change of changes) this.#flying.delete(change);
    }
    return 0;
  }

  // refused does with a change what the server's answer asks for.
  #refused(change, error) {
    if (change.op === "undo" && change.again && error.code === "undo_conflict" && change.pieces.every((piece) => isBack(piece, error.current))) {
      this.#settle(change, {}); // it was done before, and the answer lost
    } else if (change.op === "undo" || change.list && (change.op === "move" || change.op === "restore" && error.status === 404)) {
      this.drop(change);
      this.#host.refused(error);
    } else if (error.status === 404 && change.op !== "create") {
      this.#settle(change, { gone: change.copy ?? change.id ?? change.list });
    } else if (change.texts && error.current) {
      change.match = undefined; // it is looked at again
      change.sent = false;
    } else if (change.base && error.current) {
      this.#meet(change, error.current, "*");
    } else if (error.code === "not_in_trash" || error.current) {
      this.#settle(change, { task: error.current }); // somebody was first
    } else if (error.code === "in_trash") {
      this.drop(change); // it had arrived, and was deleted elsewhere
    } else {
      change.problem = { code: error.code, message: error.message, errors: error.errors };
      change.sent = false;
    }
  }

  // meet sees what has become of a text that was edited here, and says whether the change is
  // to be sent, to the version that match names.
  #meet(change, task, match) {
    const { rest, theirs } = meet(change.patch, change.base, task);
    if (Object.keys(theirs).length) {
      Object.assign(change, { problem: { code: "conflict", theirs }, sent: false, match: undefined });
      this.#host.met(change, task);
      this.#persist();
    } else if (Object.keys(rest).length) {
      Object.assign(change, { patch: rest, match });
      return true;
    } else {
      this.#settle(change, { task });
    }
    return false;
  }

  // spare takes a deletion back.
  #spare(change, task) {
    this.drop(change);
    this.#host.spared(change, task);
  }

  // part lets the changes of a batch that was refused go out one by one. Only what was
  // answered otherwise before may have been done.
  #part(changes, error) {
    for (const change of changes) {
      delete change.batch;
      change.alone = true;
      change.sent = error.code === "idempotency_key_reused";
    }
  }

  // blocked says that a change waits for the creation of its task or of where that is to be,
  // for what it takes back, or for the copy that it opens again; a deletion of a list waits
  // for all that is done to it before.
  #blocked(change) {
    if (change.op === "reopen" && !this.#host.current) return true;
    if (change.base && this.#others.some((c) => c.base && c.id === change.id && !c.problem && byTime(c, change) < 0)) return true;
    const { parent_id: parent, before_id: before, after_id: after, list_id: into } = { ...change.patch, ...change.more, ...change.where };
    const named = [change.id, change.list, parent, before, after, into].filter((id) => typeof id === "string");
    return named.length > 0 && [...this.changes, ...this.#others].some((c) => c.op === "create" && c.key !== change.key && named.includes(c.key))
      || this.changes.some((c) => change.op === "restore" && c.op === "delete" && c.id === change.id && c.list === change.list && !c.problem || change.op === "undo" && change.of in { [c.key]: 1, [c.batch]: 1 })
      || change.op === "delete" && Boolean(change.list) && this.changes.slice(0, this.changes.indexOf(change)).some((c) => !c.problem && [c.list, c.more?.list_id, c.patch?.list_id, c.where?.list_id].some((list) => list && this.#host.idOf(list) === this.#host.idOf(change.list)));
  }

  #persist() {
    this.#write();
    this.#host.changed();
  }

  #write() { if (this.#userID) this.#shelf.setQueue(this.#userID, this.#tab, this.changes); }

  #later(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.work(), Math.max(50, wait));
  }

  // requestOf is how a change is put to the server.
  #requestOf({ op, key, list, title, description, completed, more, patch, where, change }, id) {
    const path = list ? `/lists/${list}` : `/tasks/${id}`;
    return {
      create: list ? ["POST", "/lists/", { name: patch?.name, color: patch?.color, uid: key }] : ["POST", "/tasks/", { title, description, completed, ...more, uid: key }],
      update: ["PATCH", path, patch],
      reopen: ["PATCH", path, patch],
      move: ["POST", `${path}/move`, where],
      restore: ["POST", `${path}/restore`],
      delete: ["DELETE", path],
      undo: ["POST", "/undo", { change }],
    }[op];
  }

  async #send(change, keepalive) {
    const { op, key, seen, base } = change;
    if (op === "reopen") {
      // The date before is the newest copy, which goes when it is opened again.
      change.copy ??= this.#host.copyOf(change.id);
      if (change.copy < 0) return this.#settle(change, {});
    }
    if (op === "undo" && !change.change) {
      // The server told of a new task before it answered, or did nothing.
      const [{ made, id, list }] = change.pieces;
      if (!made) return this.#settle(change, {});
      Object.assign(change, { op: "delete", id, list });
      return this.#send(change, keepalive);
    }
    const id = change.copy ?? change.id;
    if ((seen || base) && !change.match) {
      const task = await this.#api.get(`/tasks/${id}`);
      if (!this.changes.includes(change)) return undefined; // it was taken back
      if (base && !this.#meet(change, task, etagOf(task))) return undefined;
      if (seen && (task.completed || task.due !== seen.due || task.recurrence !== seen.recurrence)) return this.#settle(change, { task });
      change.match = etagOf(task);
    }
    // What somebody has written into since it was deleted here stays.
    if (change.texts && !change.match && !keepalive) {
      const task = await this.#api.get(`/tasks/${id}`);
      if (!this.changes.includes(change)) return undefined;
      if (textsOf(task) !== change.texts) return this.#spare(change, task);
      change.match = etagOf(task);
    }
    if (change.sent) change.again = true;
    change.sent = true;
    this.#write();
    const [method, path, body] = this.#requestOf(change, id);
    const answer = await this.#api.request(method, path, body, { keepalive, key, match: change.match });
    const { task, list, completed_copy: copy } = answer;
    // A copy that is opened again becomes the task that repeats.
    const other = typeof id === "number" && op !== "undo" && task && task.id !== id;
    return this.#settle(change, { task, list, copy, number: changeOf(answer), gone: op === "delete" || other ? id : undefined });
  }

  // sendAll sends several changes, of which all are done or none.
  async #sendAll(changes) {
    const batch = changes[0].batch ?? uid();
    for (const change of changes) Object.assign(change, { batch, sent: true });
    this.#write();
    const requests = changes.map((change) => { const [method, path, body] = this.#requestOf(change, change.id); return { method, path, ...(body && { body }) }; });
    const answer = await this.#api.request("POST", "/batch", { requests }, { key: batch });
    changes.forEach((change, i) => {
      const { task, list, completed_copy: copy } = answer.responses[i]?.body ?? {};
      this.#settle(change, { task, list, copy, number: changeOf(answer), gone: change.op === "delete" ? change.id : undefined });
    });
  }

  // recognize settles the creations that the server tells of before it has answered.
  recognize(tasks, lists) {
    for (const change of this.changes) {
      const made = change.op === "create" && !change.batch && (change.list ? lists : tasks).find((each) => each.uid === change.key);
      if (made) this.#settle(change, { [change.list ? "list" : "task"]: made });
    }
  }

  // settle takes an answer over and drops the change that it is for.
  #settle(change, answer) {
    if (!this.changes.includes(change)) return;
    this.changes = this.changes.filter((c) => c !== change);
    // What was changed on a task before it had an id is meant for that id.
    if (change.op === "create") for (const c of this.changes) if (c.id === change.key) c.id = answer.task.id;
    for (const c of this.changes) if (c.op === "undo" && c.of in { [change.key]: 1, [change.batch]: 1 }) c.change ??= answer.number;
    this.#write();
    this.#host.settled(change, answer);
    this.work(); // something may have waited for this one
  }
}
