// What a person does with tasks and lists: each deed is a change that goes out, and an act that
// can be undone. No DOM here.

import { reversal } from "./acts.js";
import { Kept } from "./kept.js";
import { baseOf, decide, textsOf } from "./merge.js";
import { shownOf } from "./shown.js";
import { uid } from "./surroundings.js";

export const undoTime = 8_000;
const listStep = 65_536; // between the positions of two lists, as the server has them

// Deeds are done to what is kept. Whoever extends it sets acts, outbox and now.
export class Deeds extends EventTarget {
  kept = new Kept((detail) => this.dispatchEvent(new CustomEvent("named", { detail })));
  /** @type {import("./acts.js").Acts} */
  acts;
  /** @type {import("./outbox.js").Outbox} */
  outbox;
  /** @type {() => number} */
  now;
  #shown = null; // what the changes make of it all

  get #all() { return this.#shown ??= shownOf(this.kept, this.outbox.all, (name) => this.idOf(name)); }

  // visible are all tasks with the waiting changes applied, newest first.
  visible() { return [...this.#all.tasks]; }

  // trash is what is known of the trash, what was deleted last first: tasks, and lists, which
  // have a name.
  get trash() { return this.#all.trash; }

  // idOf is the id of what was known by another name before it had one.
  idOf(name) { return this.kept.idOf(name); }

  // lists are those of the person, in no order.
  lists() { return [...this.#all.lists.values()]; }

  list(name) { return this.#all.lists.get(this.idOf(name)); }

  changed() {
    this.#shown = null;
    this.dispatchEvent(new Event("change"));
  }

  // push takes up a change that can be undone. The piece is what it was before.
  #push(change, kind, title, piece) {
    const group = this.acts.group ?? undefined;
    const { key } = this.outbox.push({ ...change, ...(group && { group }) });
    this.acts.add(kind, title, { ...piece, of: key, ...(piece.made && !piece.list && { id: key }) });
    return key;
  }

  // together makes one act of all that is done meanwhile: it goes out as one request, as far
  // as it can, and is undone at once.
  together(act) { return this.acts.together(uid(), act); }

  // add makes a task, and returns the name by which it is known until it has an id. more has
  // other fields, as in the API; a parent may have such a name.
  add(title, description = "", completed = false, more = undefined) {
    return this.#push({ op: "create", title, description, ...(completed && { completed }), ...(more && { more }) }, "create", title, { made: true });
  }

  // seenAs is a task as the person sees it.
  #seenAs(id) { return (this.outbox.all.some((change) => change.id === id || change.key === id || change.pieces) ? this.visible().find((each) => each.id === id) : this.kept.tasks.get(id)); }

  // before is what fields of a task are now, as far as it is known.
  #before(id, fields) {
    const task = this.#seenAs(id);
    return { id, title: task?.title ?? "", before: task && Object.fromEntries(fields.map((name) => [name, task[name] ?? null])) };
  }

  // change changes a task. What the server has refused is mended. from are the texts with
  // which the person began; what others have written since is kept beside theirs.
  change(name, patch, from = undefined) {
    const id = this.idOf(name);
    const task = this.kept.tasks.get(id);
    if (task?.recurrence && "completed" in patch && !task.completed) {
      this.#next(task, patch);
      return;
    }
    const refused = this.outbox.changes.find((change) => change.problem && !change.seen && (from || !change.problem.theirs) && (change.op === "update" && change.id === id || change.key === id && !("completed" in patch)));
    if (!refused) {
      const { title, before } = this.#before(id, [...Object.keys(patch), ...("completed" in patch ? ["date_completed"] : [])]);
      const kind = !("completed" in patch) ? "update" : patch.completed ? "tick" : "untick";
      const base = from && baseOf(patch, from, this.outbox.all.filter((change) => change.id === id));
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
    this.outbox.keep();
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
    const last = this.outbox.changes.filter((change) => change.id === id && (change.seen || change.op === "reopen")).at(-1);
    if (last && last.patch.completed === patch.completed) return;
    if (last && !last.sent) this.#drop(last);
    else if (patch.completed) this.#push({ op: "update", id, patch, seen: { due, recurrence } }, "tick", title, { id, before: this.#before(id, ["due", "due_at", "start"]).before });
    else this.outbox.push({ op: "reopen", id, patch });
  }

  // remove hides a task now and deletes it when nobody has undone it.
  remove(name) {
    const id = this.idOf(name);
    const task = this.#seenAs(id);
    const creation = this.outbox.changes.find((change) => change.key === id);
    if (creation && !creation.sent) this.acts.add("delete", task?.title, { id, again: this.drop(id) });
    else this.#push({ op: "delete", id, due: this.now() + undoTime, ...(task && { texts: textsOf(task) }) }, "delete", task?.title, { id, task });
  }

  // undoRemove brings a task back, out of the trash if the deletion has gone out.
  undoRemove(task) {
    const id = this.idOf(task.id);
    const waiting = this.outbox.changes.find((change) => change.op === "delete" && change.id === id && !change.sent);
    if (waiting) this.#drop(waiting);
    else if (typeof id === "number") this.outbox.push({ op: "restore", id, task: { ...task, id } });
    else if (this.acts.last?.pieces.some((piece) => piece.again && piece.id === id)) this.undoLast();
    else this.add(task.title, task.description, task.completed);
  }

  // undoable is what undoLast would undo: kind (create, update, tick, untick, move, delete, or
  // change for several kinds), the title of the task, and how many there are; or undefined.
  undoable() {
    const act = this.acts.last;
    return act && { kind: act.kind, title: act.title, n: act.n };
  }

  // undoLast undoes the last act that this tab has done, and returns what it was. What is not
  // sent is dropped, and the rest is undone by the server: an event "refused" says that it
  // can't be.
  undoLast() {
    const act = this.acts.take();
    if (!act) return undefined;
    const rest = new Map();
    for (const piece of act.pieces.toReversed()) {
      const change = this.outbox.changes.find(({ key }) => key === piece.of);
      if (piece.again) for (const each of piece.again) this.outbox.push(each);
      else if (change && !change.sent) for (const each of change.op === "create" ? this.#of(change.key, change.list ? "list" : "id") : [change]) this.outbox.drop(each);
      else if (!change && reversal(piece) || piece.was || piece.back) this.outbox.push(reversal(piece));
      else rest.set(change?.batch ?? piece.of, [...rest.get(change?.batch ?? piece.of) ?? [], piece]);
    }
    for (const [of, pieces] of rest) this.outbox.push({ op: "undo", of, change: pieces[0].number, pieces });
    return { kind: act.kind, title: act.title, n: act.n };
  }

  // postpone gives the deletions that wait as long as the last of them.
  postpone() {
    for (const change of this.outbox.changes) if (change.op === "delete" && !change.sent) change.due = this.now() + undoTime;
    this.outbox.keep();
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
    if (this.outbox.changes.some(({ key, problem }) => key === list.id && problem)) this.drop(list.id, "list");
    else this.#push({ op: "delete", list: list.id, due: this.now() + undoTime }, "list.delete", list.name, { list: list.id, was: list });
  }

  // undoRemoveList brings a list back out of the trash.
  undoRemoveList(list) {
    const waiting = this.#of(list.id, "list").find((change) => change.op === "delete" && !change.sent);
    if (waiting) this.#drop(waiting);
    else this.outbox.push({ op: "restore", list: list.id, was: list });
  }

  // retry takes up a change that the server refused, of a task or a "list".
  retry(name, kind) {
    for (const change of this.#of(name, kind)) change.problem = undefined;
    this.outbox.keep();
  }

  // resolve decides between two texts of a task: how is "mine", "theirs" or "both".
  resolve(name, how) {
    const id = this.idOf(name);
    for (const change of this.outbox.changes.filter((each) => each.id === id && each.problem?.theirs)) {
      decide(change, how);
      if (!Object.keys(change.patch).length) this.#drop(change);
    }
    this.outbox.keep();
  }

  // of are the changes of a task or a "list", its creation with all that came after.
  #of(name, kind = "id") { return this.outbox.changes.filter((change) => change.key === name || change[kind] && this.idOf(change[kind]) === name); }

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
      for (const { more, patch, where } of this.outbox.changes) for (const to of [more, patch, where]) if (to?.list_id === key) delete to.list_id;
      this.outbox.keep();
    }
  }

  #drop(change) {
    this.acts.without(change.key);
    this.outbox.drop(change);
  }
}
