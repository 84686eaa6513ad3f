// The tasks and lists as the person sees them, and what they do with them. No DOM here.

import { Acts, reverse } from "./acts.js";
import { ApiError } from "./api.js";
import { baseOf, decide } from "./merge.js";
import { Outbox } from "./outbox.js";
import { Replica, knows } from "./replica.js";
import { Shelf } from "./shelf.js";
import { named, shownOf } from "./shown.js";
import { local, session, uid } from "./surroundings.js";

export const undoTime = 8_000;
const listStep = 65_536; // between the positions of two lists, as the server has them
const mostGone = 500; // that are remembered of the trash

export class Store extends EventTarget {
  #api;
  #userID = 0;
  #tasks = new Map();
  #lists = new Map();
  #trash = []; // what was there when it was last read, and what was deleted here since
  #stale = new Set(); // ids of tasks, and -id of lists, that the server has not told of since the cursor was lost
  #names = new Map(); // the ids of what was made here
  #shelf;
  #outbox;
  #acts;
  #replica;
  #early; // the replica of who seems to be signed in, and what is read from it meanwhile
  #filling; // ends when the replica was read
  #copy = ""; // the name of the copy in the replica
  #begins = true; // the next page begins a copy
  #asking = null;
  #shown = null; // what the changes make of it all
  #now;
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
    this.#acts = new Acts(passing);
    this.#api = api;
    this.#shelf = new Shelf(storage);
    this.#outbox = new Outbox(api, this.#shelf, now, this);
    this.#now = now;
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
    this.#acts.open(userID);
    this.#outbox.open(userID, tab);
    this.changed();
  }

  // fill shows what is in the replica, and goes on from there.
  async #fill(userID, reading) {
    const kept = await reading;
    if (this.#userID !== userID) return;
    const { tasks, lists, user, state, trash = [] } = kept ?? this.#shelf.seen(userID);
    for (const list of lists) this.#learn(list);
    for (const task of tasks) this.#tasks.set(task.id, task);
    this.#trash = trash;
    this.user = user ?? null;
    this.restart();
    if (state?.scope === this.scope) {
      ({ copy: this.#copy, cursor: this.cursor, whole: this.loaded } = state);
      this.#begins = false;
      this.#stale.clear();
    }
    this.#outbox.work();
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
    if (this.#userID) this.#outbox.reopen();
    this.changed();
  }

  // knows says whether there is something to show before the server answers.
  knows(userID) { return knows(userID) || this.#shelf.seen(userID).tasks.length > 0; }

  adopt(tab) { this.#outbox.adopt(tab); }

  others() { return this.#outbox.others(); }

  // close forgets who was signed in, except for what was not sent.
  close() {
    (this.#replica ?? this.#early?.replica)?.drop();
    this.#replica = this.#early = undefined;
    this.#userID = 0;
    this.user = null;
    this.#asking = null;
    this.#tasks.clear();
    this.#lists.clear();
    this.#trash = [];
    this.#names.clear();
    this.#outbox.close();
    this.#acts.close();
    this.restart();
    this.busyUntil = 0;
    this.trouble = null;
    this.#shelf.dropSeen();
  }

  get waiting() { return this.#outbox.all.filter((change) => change.op !== "delete" || change.due <= this.#now()).length; }

  get #all() { return this.#shown ??= shownOf({ tasks: this.#tasks, lists: this.#lists, trash: this.#trash }, this.#outbox.all, (name) => this.idOf(name)); }

  // visible are all tasks with the waiting changes applied, newest first.
  visible() { return [...this.#all.tasks]; }

  // trash is what is known of the trash, what was deleted last first: tasks, and lists, which
  // have a name.
  get trash() { return this.#all.trash; }

  // lists are those of the person, in no order.
  lists() { return [...this.#all.lists.values()]; }

  list(name) { return this.#all.lists.get(this.idOf(name)); }

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
    this.#stale = new Set([...this.#tasks.keys(), ...[...this.#lists.keys()].map((id) => -id)]);
  }

  // take applies a page of what is new.
  take({ lists, tasks, deleted, user, cursor, more }) {
    for (const list of lists) this.#learn(list);
    for (const task of tasks) this.#know(task);
    const gone = this.#lose(deleted);
    if (user) this.user = { ...this.user, ...user };
    this.cursor = cursor;
    if (!more) {
      for (const id of this.#stale) if (id < 0) this.#lists.delete(-id); else this.#tasks.delete(id);
      this.#stale.clear();
      this.loaded = this.current = true;
    }
    this.#keep({ begins: this.#begins, lists, tasks: tasks.map(({ id }) => this.#tasks.get(id)).filter(Boolean), gone, user: (user || this.#begins) && this.user });
    const made = this.#outbox.all.filter(({ op }) => op === "create");
    for (const { id, uid: key } of made.length ? tasks : []) if (made.some((change) => change.key === key)) this.#name(key, id);
    this.#outbox.recognize(tasks, lists);
    this.#outbox.caughtUp();
    this.#outbox.work();
    this.changed();
  }

  // name says that what was known by a key has an id now.
  #name(key, id) {
    if (this.#names.has(key)) return;
    this.#names.set(key, id);
    this.dispatchEvent(new CustomEvent("named", { detail: { key, id } }));
  }

  // keep writes a page into the replica, with the cursor.
  #keep(page) {
    this.#begins = false;
    if (this.loaded) this.#shelf.dropSeen();
    this.#replica?.write(this.#copy, { ...page, state: { cursor: this.cursor, whole: this.loaded, scope: this.scope } });
  }

  // know believes what is newer than what is known, and anything of a new copy: the
  // database may have been restored.
  #know(task) {
    if (this.#stale.delete(task.id) || !(this.#tasks.get(task.id)?.version > task.version)) this.#tasks.set(task.id, task);
  }

  // learn is know for a list.
  #learn(list) {
    const before = this.#lists.get(list.id);
    // Who is in it is told by a page of news, but not by the answer to a change.
    if (this.#stale.delete(-list.id) || !(before?.version > list.version)) this.#lists.set(list.id, Array.isArray(list.members) || !before ? list : { ...list, members: before.members });
    if (list.uid) this.#name(list.uid, list.id);
  }

  // lose forgets what is gone, with the tasks of a list, and returns all of it.
  #lose(deleted) {
    const gone = [...deleted];
    for (const { kind, id } of deleted) {
      if (kind !== "list") continue;
      this.#lists.delete(id);
      for (const task of this.#tasks.values()) if (task.list_id === id) gone.push({ kind: "task", id: task.id });
    }
    for (const { kind, id } of gone) if (kind === "task") this.#tasks.delete(id);
    return gone;
  }

  // keepTrash remembers which tasks are in the trash: all, or more of them. Of lists there,
  // the server says nothing.
  keepTrash(tasks, more = false) {
    const lists = new Map(this.#trash.map((gone) => [gone.id, gone.with]));
    this.#trash = [...this.#trash.filter((gone) => more || gone.name !== undefined), ...tasks.map((task) => ({ ...task, with: lists.get(task.id) }))].slice(0, mostGone);
    this.#replica?.write(this.#copy, { trash: this.#trash });
    this.changed();
  }

  // emptied forgets the trash.
  emptied() {
    this.#trash = [];
    this.keepTrash([]);
  }

  // binned notes what a change has put into the trash, or taken out of it.
  #binned({ op, id, list }) {
    const name = this.idOf(list ?? id), ofList = [...this.#tasks.values()].filter((task) => list && task.list_id === name);
    const isIt = (gone) => (gone.name !== undefined) === Boolean(list) && gone.id === name || list && gone.with === name;
    const gone = op === "restore" ? [] : list ? [this.#lists.get(name), ...ofList.map((task) => ({ ...task, with: name }))] : [this.#tasks.get(name)];
    const date_deleted = new Date(this.#now()).toISOString();
    this.#trash = [...gone.filter(Boolean).map((each) => ({ ...each, date_deleted })), ...this.#trash.filter((each) => !isIt(each))].slice(0, mostGone);
  }

  // copyOf is the newest that is kept of the dates of a repeating task.
  copyOf(id) { return Math.max(...[...this.#tasks.values()].filter((task) => task.recurrence_of === id).map((task) => task.id)); }

  // idOf is the id of a task that was known by another name before it had one.
  idOf(name) { return this.#names.get(name) ?? name; }

  // push takes up a change that can be undone. The piece is what it was before.
  #push(change, kind, title, piece) {
    const group = this.#acts.group ?? undefined;
    const { key } = this.#outbox.push({ ...change, ...(group && { group }) });
    this.#acts.add(kind, title, { ...piece, of: key, ...(piece.made && !piece.list && { id: key }) });
    return key;
  }

  // together makes one act of all that is done meanwhile: it goes out as one request, as far
  // as it can, and is undone at once.
  together(act) { return this.#acts.together(uid(), act); }

  // changeAll changes several tasks at once: each part has the id of a task, and a patch for
  // it, or remove, or where it is to be moved, as for move.
  changeAll(parts) {
    this.together(() => {
      for (const { id, patch, remove, where, shown } of parts) {
        if (remove) this.remove(id);
        else if (where) this.move(id, where, shown);
        else this.change(id, patch);
      }
    });
  }

  // add makes a task, and returns the name by which it is known until it has an id. more has
  // other fields, as in the API; a parent may have such a name.
  add(title, description = "", completed = false, more = undefined) {
    return this.#push({ op: "create", title, description, ...(completed && { completed }), ...(more && { more }) }, "create", title, { made: true });
  }

  // seenAs is a task as the person sees it.
  #seenAs(id) { return (this.#outbox.all.some((change) => change.id === id || change.key === id || change.pieces) ? this.visible().find((each) => each.id === id) : this.#tasks.get(id)); }

  // before is what fields of a task are now, as far as it is known.
  #before(id, fields) {
    const task = this.#seenAs(id);
    return { id, title: task?.title ?? "", before: task && Object.fromEntries(fields.map((name) => [name, task[name] ?? null])) };
  }

  // change changes a task. What the server has refused is mended. from are the texts with
  // which the person began; what others have written since is kept beside theirs.
  change(name, patch, from = undefined) {
    const id = this.idOf(name);
    const task = this.#tasks.get(id);
    if (task?.recurrence && "completed" in patch && !task.completed) {
      this.#next(task, patch);
      return;
    }
    const refused = this.#outbox.changes.find((change) => change.problem && !change.seen && (from || !change.problem.theirs) && (change.op === "update" && change.id === id || change.key === id && !("completed" in patch)));
    if (!refused) {
      const { title, before } = this.#before(id, [...Object.keys(patch), ...("completed" in patch ? ["date_completed"] : [])]);
      const kind = !("completed" in patch) ? "update" : patch.completed ? "tick" : "untick";
      const base = from && baseOf(patch, from, this.#outbox.all.filter((change) => change.id === id));
      this.#push({ op: "update", id, patch, ...(base && { base }) }, kind, title, { id, before });
      return;
    }
    if (refused.op === "create") {
      const { title = refused.title, description = refused.description, ...more } = patch;
      Object.assign(refused, { title, description, more: { ...refused.more, ...more } });
    } else {
      Object.assign(refused.patch, patch);
    }
    if (refused.problem.theirs) { // it was before the person's eyes
      refused.base = { ...baseOf(patch, from, []), ...refused.base };
      decide(refused, "mine");
    }
    refused.problem = undefined;
    this.#outbox.keep();
  }

  // move puts a task somewhere else: where is as in the API, and shown are the fields that it
  // has there, such as list_id, parent_id and position, for until the server has answered.
  move(name, where, shown = {}) {
    const id = this.idOf(name);
    const ids = Object.fromEntries(Object.entries(where).map(([key, value]) => [key, this.idOf(value)]));
    const { title, before } = this.#before(id, ["list_id", "parent_id", "position"]);
    this.#push({ op: "move", id, where: ids, patch: shown }, "move", title, { id, before });
  }

  // next lets a repeating task go on to its next date, or takes it back.
  #next({ id, title, due, recurrence }, patch) {
    const last = this.#outbox.changes.filter((change) => change.id === id && (change.seen || change.op === "reopen")).at(-1);
    if (last && last.patch.completed === patch.completed) return;
    if (last && !last.sent) this.#drop(last);
    else if (patch.completed) this.#push({ op: "update", id, patch, seen: { due, recurrence } }, "tick", title, { id, before: this.#before(id, ["due", "due_at", "start"]).before });
    else this.#outbox.push({ op: "reopen", id, patch });
  }

  // remove hides a task now and deletes it when nobody has undone it.
  remove(name) {
    const id = this.idOf(name);
    const task = this.#seenAs(id);
    const creation = this.#outbox.changes.find((change) => change.key === id);
    if (creation && !creation.sent) this.#acts.add("delete", task?.title, { id, again: this.drop(id) });
    else this.#push({ op: "delete", id, due: this.#now() + undoTime }, "delete", task?.title, { id, task });
  }

  // undoRemove brings a task back, out of the trash if the deletion has gone out.
  undoRemove(task) {
    const id = this.idOf(task.id);
    const waiting = this.#outbox.changes.find((change) => change.op === "delete" && change.id === id && !change.sent);
    if (waiting) this.#drop(waiting);
    else if (typeof id === "number") this.#outbox.push({ op: "restore", id, task: { ...task, id } });
    else if (this.#acts.last?.pieces.some((piece) => piece.again && piece.id === id)) this.undoLast();
    else this.add(task.title, task.description, task.completed);
  }

  // undoable is what undoLast would undo: kind (create, update, tick, untick, move, delete, or
  // change for several kinds), the title of the task, and how many there are; or undefined.
  undoable() {
    const act = this.#acts.last;
    return act && { kind: act.kind, title: act.title, n: act.n };
  }

  // undoLast undoes the last act that this tab has done, and returns what it was. What is not
  // sent is dropped, and the rest is undone by the server: an event "refused" says that it
  // can't be.
  undoLast() {
    const act = this.#acts.take();
    if (!act) return undefined;
    const rest = new Map();
    for (const piece of act.pieces.toReversed()) {
      const change = this.#outbox.changes.find(({ key }) => key === piece.of);
      if (piece.again) for (const each of piece.again) this.#outbox.push(each);
      else if (change && !change.sent) for (const each of change.op === "create" ? this.#of(change.key, change.list ? "list" : "id") : [change]) this.#outbox.drop(each);
      else if (piece.was) this.#outbox.push({ op: "restore", list: piece.list, was: piece.was });
      else if (piece.back) this.#outbox.push({ op: "move", list: piece.list, where: piece.back, patch: piece.before });
      else rest.set(change?.batch ?? piece.of, [...rest.get(change?.batch ?? piece.of) ?? [], piece]);
    }
    for (const [of, pieces] of rest) this.#outbox.push({ op: "undo", of, change: pieces[0].number, pieces });
    return { kind: act.kind, title: act.title, n: act.n };
  }

  // postpone gives the deletions that wait as long as the last of them.
  postpone() {
    for (const change of this.#outbox.changes) if (change.op === "delete" && !change.sent) change.due = this.#now() + undoTime;
    this.#outbox.keep();
  }

  // hurry sends what waits for a change of mind: the page goes away.
  hurry() {
    this.#outbox.hurry();
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

  // addList makes a list, and returns the name by which it is known until it has an id.
  addList(name) {
    const key = uid(), position = Math.max(0, ...this.lists().map((list) => list.position ?? 0)) + listStep;
    return this.#push({ key, op: "create", list: key, patch: { name, position } }, "list.create", name, { made: true, list: key });
  }

  // changeList changes the name or the colour of a list. What the server has refused is mended.
  changeList(id, patch) {
    const list = this.list(id);
    const refused = this.#of(list.id, "list").find((change) => change.problem && change.op in { create: 1, update: 1 });
    if (refused) {
      Object.assign(refused.patch, patch);
      this.retry(list.id, "list");
    } else this.#push({ op: "update", list: list.id, patch }, "list.update", list.name, { list: list.id, before: Object.fromEntries(Object.keys(patch).map((name) => [name, list[name] ?? null])) });
  }

  // moveList puts a list where the API is told to, which is at a position for now; back is
  // where it was.
  moveList(id, where, position, back) {
    const list = this.list(id);
    this.#push({ op: "move", list: list.id, where, patch: { position } }, "list.move", list.name, { list: list.id, before: { position: list.position }, back });
  }

  // removeList hides a list with its tasks now, and deletes it when nobody has undone it. One
  // that the server would not make is given up.
  removeList(id) {
    const list = this.list(id);
    if (this.#outbox.changes.some(({ key, problem }) => key === list.id && problem)) this.drop(list.id, "list");
    else this.#push({ op: "delete", list: list.id, due: this.#now() + undoTime }, "list.delete", list.name, { list: list.id, was: list });
  }

  // undoRemoveList brings a list back out of the trash.
  undoRemoveList(list) {
    const waiting = this.#of(list.id, "list").find((change) => change.op === "delete" && !change.sent);
    if (waiting) this.#drop(waiting);
    else this.#outbox.push({ op: "restore", list: list.id, was: list });
  }

  // retry takes up a change that the server refused, of a task or a "list".
  retry(name, kind) {
    for (const change of this.#of(name, kind)) change.problem = undefined;
    this.#outbox.keep();
  }

  // resolve decides between two texts of a task: how is "mine", "theirs" or "both".
  resolve(name, how) {
    const id = this.idOf(name);
    for (const change of this.#outbox.changes.filter((each) => each.id === id && each.problem?.theirs)) {
      decide(change, how);
      if (!Object.keys(change.patch).length) this.#drop(change);
    }
    this.#outbox.keep();
  }

  // of are the changes of a task or a "list", its creation with all that came after.
  #of(name, kind = "id") { return this.#outbox.changes.filter((change) => change.key === name || change[kind] && this.idOf(change[kind]) === name); }

  // drop gives up the changes of a task or a "list", and returns them. Tasks that were to be
  // in a list that is never made stay in the Inbox, or where they were.
  drop(name, kind) {
    const dropped = this.#of(name, kind);
    for (const change of dropped) this.#drop(change);
    this.#stranded(dropped);
    return dropped;
  }

  #stranded(dropped) {
    for (const { key, list } of dropped) {
      if (list !== key) continue;
      for (const { more, patch, where } of this.#outbox.changes) for (const to of [more, patch, where]) if (to?.list_id === key) delete to.list_id;
      this.#outbox.keep();
    }
  }

  #drop(change) {
    this.#acts.without(change.key);
    this.#outbox.drop(change);
  }

  changed() {
    this.#shown = null;
    this.dispatchEvent(new Event("change"));
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

  // refused says that the server can't undo something.
  refused(error) { this.dispatchEvent(new CustomEvent("refused", { detail: error })); }

  // met says that a text was changed here and elsewhere.
  met({ id, patch }, task) {
    this.#know(task);
    this.dispatchEvent(new CustomEvent("met", { detail: { id, title: patch.title ?? task.title } }));
  }

  // settled takes over what the server said to a change.
  settled(change, { task, list, copy, gone, number }) {
    const { op, key } = change;
    const unmade = op === "undo" && change.pieces.some(({ made }) => made);
    const news = unmade ? [] : [task, copy].filter(Boolean), lists = unmade || !list ? [] : [list];
    for (const each of news) this.#know(each);
    for (const each of lists) this.#learn(each);
    const isGone = op === "delete" || typeof this.idOf(gone) === "number";
    if (op === "restore" || op === "delete" && number) this.#binned(change);
    const lost = isGone ? this.#lose([{ kind: change.list ? "list" : "task", id: this.idOf(change.list ?? gone) }]) : [];
    if (op === "undo" && number && !news.length && !lists.length) reverse({ tasks: this.#tasks, lists: this.#lists }, named(change.pieces, (name) => this.idOf(name)));
    if (!this.#begins) this.#replica?.write(this.#copy, { tasks: news.map(({ id }) => this.#tasks.get(id)).filter(Boolean), lists: lists.map(({ id }) => this.#lists.get(id)), gone: lost, trash: this.#trash });
    if (op === "create" && task) this.#name(key, task.id);
    this.#acts.answered(change, number, op === "create" ? task?.id : undefined);
    this.#calm();
  }
}
