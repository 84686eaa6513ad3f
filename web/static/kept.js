// What the server has told of: tasks, lists and the trash, and the ids of what was made here.
// No DOM, no network.

const mostGone = 500; // that are remembered of the trash

export class Kept {
  tasks = new Map();
  lists = new Map();
  trash = []; // what was there when it was last read, and what was deleted here since
  #stale = new Set(); // ids of tasks, and -id of lists, that the server has not told of since the copy began anew
  #names = new Map(); // the ids of what was made here
  #named;

  // named hears of each id that something gets.
  constructor(named) { this.#named = named; }

  clear() {
    this.tasks.clear();
    this.lists.clear();
    this.trash = [];
    this.#names.clear();
  }

  // doubt begins the copy anew: what is not told of until it is whole is gone.
  doubt() { this.#stale = new Set([...this.tasks.keys(), ...[...this.lists.keys()].map((id) => -id)]); }

  // trust believes all that is there.
  trust() { this.#stale.clear(); }

  // whole forgets what was not told of again.
  whole() {
    for (const id of this.#stale) if (id < 0) this.lists.delete(-id); else this.tasks.delete(id);
    this.trust();
  }

  // know believes what is newer than what is known, and anything of a new copy: the
  // database may have been restored.
  know(task) {
    if (this.#stale.delete(task.id) || !(this.tasks.get(task.id)?.version > task.version)) this.tasks.set(task.id, task);
  }

  // learn is know for a list.
  learn(list) {
    const before = this.lists.get(list.id);
    // Who is in it is told by a page of news, but not by the answer to a change.
    if (this.#stale.delete(-list.id) || !(before?.version > list.version)) this.lists.set(list.id, Array.isArray(list.members) || !before ? list : { ...list, members: before.members });
    if (list.uid) this.name(list.uid, list.id);
  }

  // lose forgets what is gone, with the tasks of a list, and returns all of it.
  lose(deleted) {
    const gone = [...deleted];
    for (const { kind, id } of deleted) {
      if (kind !== "list") continue;
      this.lists.delete(id);
      for (const task of this.tasks.values()) if (task.list_id === id) gone.push({ kind: "task", id: task.id });
    }
    for (const { kind, id } of gone) if (kind === "task") this.tasks.delete(id);
    return gone;
  }

  // binned notes what a change has put into the trash, or taken out of it.
  binned({ op, id, list }, now) {
    const name = this.idOf(list ?? id), ofList = [...this.tasks.values()].filter((task) => list && task.list_id === name);
    const isIt = (gone) => (gone.name !== undefined) === Boolean(list) && gone.id === name || list && gone.with === name;
    const gone = op === "restore" ? [] : list ? [this.lists.get(name), ...ofList.map((task) => ({ ...task, with: name }))] : [this.tasks.get(name)];
    const date_deleted = new Date(now).toISOString();
    this.trash = [...gone.filter(Boolean).map((each) => ({ ...each, date_deleted })), ...this.trash.filter((each) => !isIt(each))].slice(0, mostGone);
  }

  // keepTrash remembers which tasks are in the trash: all, or more of them. Of lists there,
  // the server says nothing.
  keepTrash(tasks, more) {
    const lists = new Map(this.trash.map((gone) => [gone.id, gone.with]));
    this.trash = [...this.trash.filter((gone) => more || gone.name !== undefined), ...tasks.map((task) => ({ ...task, with: lists.get(task.id) }))].slice(0, mostGone);
  }

  // copyOf is the newest that is kept of the dates of a repeating task.
  copyOf(id) { return Math.max(...[...this.tasks.values()].filter((task) => task.recurrence_of === id).map((task) => task.id)); }

  // idOf is the id of a task that was known by another name before it had one.
  idOf(name) { return this.#names.get(name) ?? name; }

  // name says that what was known by a key has an id now.
  name(key, id) {
    if (this.#names.has(key)) return;
    this.#names.set(key, id);
    this.#named({ key, id });
  }
}
