// The tasks and lists as the person sees them: what the server has told, with what the person
// does on top. No DOM here.

import { Acts, reverse } from "./acts.js";
import { ApiError } from "./api.js";
import { Deeds } from "./deeds.js";
import { Outbox } from "./outbox.js";
import { Replica, knows } from "./replica.js";
import { Shelf } from "./shelf.js";
import { named } from "./shown.js";
import { local, session, uid } from "./surroundings.js";

export class Store extends Deeds {
  #api;
  #userID = 0;
  #shelf;
  #replica;
  #early; // the replica of who seems to be signed in, and what is read from it meanwhile
  #filling; // ends when the replica was read
  #copy = ""; // the name of the copy in the replica
  #begins = true; // the next page begins a copy
  #asking = null;
  scope = "completed=all&include=copies"; // what of the server's is kept here
  cursor = ""; // up to where the server has told of it
  loaded = false; // all is there, as of the cursor
  current = false; // and the server has told of all since, once
  user = null; // who has signed in, as far as it is known
  offline = false;
  busyUntil = 0; // milliseconds, when the server has asked us to wait
  trouble = null; // the server's own failure, until it does better
  onReminder; // called with a task that the person wants to be reminded of

  constructor(api, { storage = local, passing = session, now = Date.now } = {}) {
    super();
    this.acts = new Acts(passing);
    this.#api = api;
    this.#shelf = new Shelf(storage);
    this.outbox = new Outbox(api, this.#shelf, now, this);
    this.now = now;
    if (knows(api.userID)) {
      const replica = new Replica(api.userID);
      this.#early = { userID: api.userID, replica, kept: replica.read() };
    }
    api.addEventListener("answered", () => this.reached(true));
    api.addEventListener("away", () => this.reached(false));
  }

  // open begins with the person who has signed in, and with what was last seen.
  open(userID, tab) {
    this.#userID = userID;
    this.restart();
    const early = this.#early?.userID === userID ? this.#early : undefined;
    this.#early = undefined;
    this.#replica = early?.replica ?? new Replica(userID);
    this.#filling = this.#fill(userID, early?.kept ?? this.#replica.read());
    this.acts.open(userID);
    this.outbox.open(userID, tab);
    this.changed();
  }

  // fill shows what is in the replica, and goes on from there.
  async #fill(userID, reading) {
    const kept = await reading;
    if (this.#userID !== userID) return;
    const { tasks, lists, user, state, trash = [] } = kept ?? this.#shelf.seen(userID);
    for (const list of lists) this.kept.learn(list);
    for (const task of tasks) this.kept.tasks.set(task.id, task);
    this.kept.trash = trash;
    this.user = user ?? null;
    this.restart();
    if (state?.scope === this.scope) {
      ({ copy: this.#copy, cursor: this.cursor, whole: this.loaded } = state);
      this.#begins = false;
      this.kept.trust();
    }
    this.outbox.work();
    this.changed();
  }

  // setUser keeps what is known of the person.
  setUser(user) {
    this.user = { ...this.user, ...user };
    if (!this.#begins) this.#replica?.write(this.#copy, { user: this.user });
    this.changed();
  }

  // reopen reads again what this tab has to send: another has taken it over.
  reopen() {
    if (this.#userID) this.outbox.reopen();
    this.changed();
  }

  // knows says whether there is something to show before the server answers.
  knows(userID) { return knows(userID) || this.#shelf.seen(userID).tasks.length > 0; }

  adopt(tab) { this.outbox.adopt(tab); }

  others() { return this.outbox.others(); }

  // close forgets who was signed in, except for what was not sent.
  close() {
    (this.#replica ?? this.#early?.replica)?.drop();
    this.#replica = this.#early = undefined;
    this.#userID = 0;
    this.user = null;
    this.#asking = null;
    this.kept.clear();
    this.outbox.close();
    this.acts.close();
    this.restart();
    this.busyUntil = 0;
    this.trouble = null;
    this.#shelf.dropSeen();
  }

  get waiting() { return this.outbox.all.filter((change) => change.op !== "delete" || change.due <= this.now()).length; }

  // copyOf is the newest that is kept of the dates of a repeating task.
  copyOf(id) { return this.kept.copyOf(id); }

  // listOf is the list of a task, as far as it is known.
  listOf(task) { return this.list(task.list_id); }

  // fixed says that a task may only be read.
  fixed(task) { return this.listOf(task)?.role === "viewer"; }

  // sync asks for all that is new, once for all callers.
  sync() {
    const asking = this.#asking ??= this.#read().finally(() => { if (this.#asking === asking) this.#asking = null; });
    return asking;
  }

  async #read() {
    const user = this.#userID;
    await this.#filling;
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
    this.loaded = this.current = false;
    this.#copy = uid();
    this.#begins = true;
    this.kept.doubt();
  }

  // take applies a page of what is new.
  take({ lists, tasks, deleted, user, cursor, more }) {
    for (const list of lists) this.kept.learn(list);
    for (const task of tasks) this.kept.know(task);
    const gone = this.kept.lose(deleted);
    if (user) this.user = { ...this.user, ...user };
    this.cursor = cursor;
    if (!more) {
      this.kept.whole();
      this.loaded = this.current = true;
    }
    this.#keep({ begins: this.#begins, lists, tasks: tasks.map(({ id }) => this.kept.tasks.get(id)).filter(Boolean), gone, user: (user || this.#begins) && this.user });
    const made = this.outbox.all.filter(({ op }) => op === "create");
    for (const { id, uid: key } of made.length ? tasks : []) if (made.some((change) => change.key === key)) this.kept.name(key, id);
    this.outbox.recognize(tasks, lists);
    this.outbox.caughtUp();
    this.outbox.work();
    this.changed();
  }

  // keep writes a page into the replica, with the cursor.
  #keep(page) {
    this.#begins = false;
    if (this.loaded) this.#shelf.dropSeen();
    this.#replica?.write(this.#copy, { ...page, state: { cursor: this.cursor, whole: this.loaded, scope: this.scope } });
  }

  // keepTrash remembers which tasks are in the trash: all, or more of them.
  keepTrash(tasks, more = false) {
    this.kept.keepTrash(tasks, more);
    this.#replica?.write(this.#copy, { trash: this.kept.trash });
    this.changed();
  }

  // emptied forgets the trash.
  emptied() {
    this.kept.trash = [];
    this.keepTrash([]);
  }

  // hurry sends what waits for a change of mind: the page goes away.
  hurry() {
    this.outbox.hurry();
  }

  // finish waits until everything is sent, for at most limit milliseconds, and
  // returns how many changes are not.
  async finish(limit) {
    this.hurry();
    const end = this.now() + limit;
    while (this.outbox.changes.some((change) => !change.problem) && !this.offline && this.now() < end) {
      this.outbox.work();
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    return this.outbox.changes.length;
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
    if (error.definite && error.later) this.busyUntil = this.now() + error.retryAfter * 1000;
    else this.trouble = error;
    this.changed();
  }

  #calm() {
    this.busyUntil = 0;
    this.trouble = null;
    this.changed();
  }

  // refused says that the server can't undo something.
  refused(error) { this.dispatchEvent(new CustomEvent("refused", { detail: error })); }

  // met says that a text was changed here and elsewhere.
  met({ id, patch }, task) {
    this.kept.know(task);
    this.dispatchEvent(new CustomEvent("met", { detail: { id, title: patch.title ?? task.title } }));
  }

  // spared says that a task was not deleted, since somebody else has written into it.
  spared({ key }, task) {
    this.acts.without(key);
    this.kept.know(task);
    this.changed();
    this.dispatchEvent(new CustomEvent("spared", { detail: task }));
  }

  // settled takes over what the server said to a change.
  settled(change, { task, list, copy, gone, number }) {
    const { op, key } = change;
    const unmade = op === "undo" && change.pieces.some(({ made }) => made);
    const news = unmade ? [] : [task, copy].filter(Boolean), lists = unmade || !list ? [] : [list];
    for (const each of news) this.kept.know(each);
    for (const each of lists) this.kept.learn(each);
    const isGone = op === "delete" || typeof this.idOf(gone) === "number";
    if (op === "restore" || op === "delete" && number) this.kept.binned(change, this.now());
    const lost = isGone ? this.kept.lose([{ kind: change.list ? "list" : "task", id: this.idOf(change.list ?? gone) }]) : [];
    if (op === "undo" && number && !news.length && !lists.length) reverse(this.kept, named(change.pieces, (name) => this.idOf(name)));
    if (!this.#begins) this.#replica?.write(this.#copy, { tasks: news.map(({ id }) => this.kept.tasks.get(id)).filter(Boolean), lists: lists.map(({ id }) => this.kept.lists.get(id)), gone: lost, trash: this.kept.trash });
    if (op === "create" && task) this.kept.name(key, task.id);
    this.acts.answered(change, number, op === "create" ? task?.id : undefined);
    if (change.seen && !number) this.#renew();
    this.#calm();
  }

  // renew asks for all that is new, also after a question that was asked before: a repetition
  // has moved on, and nobody has told of the copy of its date before.
  async #renew() {
    await this.#asking?.catch(() => {});
    this.current = false;
    await this.sync().catch((error) => this.failed(error));
  }
}
