// What the person sees: what the server last said, with the changes on top that it has not
// heard of yet, and what those have put into the trash. Pure.

import { reverse } from "./acts.js";

const binName = (gone) => (gone.name === undefined ? gone.id : `list ${gone.id}`);
// madeAt is when a change was made: its key begins with it.
const madeAt = ({ key = "" }) => new Date(parseInt(key.slice(0, 8) + key.slice(9, 13), 16) || 0).toISOString();

// named are the pieces of an act with the ids that things have by now.
export const named = (pieces, idOf) => pieces.map((piece) => ({ ...piece, id: idOf(piece.id), list: idOf(piece.list) }));

class Shown {
  off = new Set(); // the lists that are to be deleted

  constructor({ tasks, lists, trash }, idOf) {
    this.tasks = new Map(tasks);
    this.lists = new Map(lists);
    this.trash = new Map(trash.map((gone) => [binName(gone), gone]));
    this.idOf = idOf;
  }

  bin(gone, change, more) { this.trash.set(binName(gone), { ...gone, ...more, date_deleted: madeAt(change) }); }

  task(change, there) {
    const { op, key, problem, patch } = change, { tasks } = this;
    if (op === "create") {
      const { title, description = "", completed, more } = change;
      if (!there.has(key)) tasks.set(key, { id: key, uid: key, title, description, completed: Boolean(completed), ...more, waiting: true, problem });
      return;
    }
    if (op === "restore") tasks.set(change.id, change.task);
    const id = this.idOf(change.id), task = tasks.get(id);
    if (!task) return;
    if (op === "delete" && !problem) {
      this.bin(task, change);
      tasks.delete(id);
    // What is to move on is ticked, but has its next date in a moment.
    } else tasks.set(id, { ...task, ...patch, waiting: true, moving: Boolean(change.seen) && !problem, problem });
  }

  list(change) {
    const { op, problem, patch, was } = change, { lists, off } = this, id = this.idOf(change.list);
    if (op === "create" && !lists.has(id)) lists.set(id, { id, uid: id, color: null, inbox: false, role: "owner" });
    if (op === "restore") {
      off.delete(id);
      lists.set(id, was);
      for (const task of this.trash.values()) if (task.with === id) this.tasks.set(task.id, task);
    }
    const list = lists.get(id);
    if (!list) return;
    if (op === "delete" && !problem) {
      this.bin(list, change);
      lists.delete(id);
      off.add(id);
    } else lists.set(id, { ...list, ...patch, waiting: true, problem });
  }

  // end takes what is in a list that goes with it, and what came back out of the trash.
  end(changes) {
    const { tasks, lists, trash, off } = this;
    for (const [id, task] of tasks) {
      const list = typeof task.list_id === "string" ? this.idOf(task.list_id) : task.list_id;
      if (list !== task.list_id) tasks.set(id, { ...task, list_id: list });
      if (!off.has(list)) continue;
      this.bin(task, changes.find((change) => change.op === "delete" && this.idOf(change.list) === list), { with: list });
      tasks.delete(id);
    }
    const order = ({ id }) => (typeof id === "number" ? id : Infinity);
    return {
      lists, tasks: [...tasks.values()].sort((a, b) => (order(b) - order(a)) || String(b.id).localeCompare(String(a.id))),
      trash: [...trash.values()].filter((gone) => !(gone.name === undefined ? tasks : lists).has(gone.id)).sort((a, b) => b.date_deleted.localeCompare(a.date_deleted)),
    };
  }
}

// shownOf puts changes on top of what is known: maps of tasks and lists, and the trash. idOf
// is what a name stands for by now. Tasks come back with the newest first, the trash with what
// was deleted last.
export function shownOf(known, changes, idOf) {
  const shown = new Shown(known, idOf);
  const there = new Set(changes.some(({ op }) => op === "create") ? [...shown.tasks.values()].map((task) => task.uid) : []);
  for (const change of changes) {
    if (change.op === "undo") reverse(shown, named(change.pieces, idOf));
    else if (change.list === undefined) shown.task(change, there);
    else shown.list(change);
  }
  return shown.end(changes);
}
