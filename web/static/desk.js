// What the views ask of the store: tasks and lists, people, and writes by field.

import { countsOf, dueOf, hueOf, rankOf } from "./places.js";
import { hue } from "./words.js";
import { useZone, wallOf } from "./zone.js";

export class Desk {
  #store; #api;
  #all = null; #byID = null; #sorted = null; #counts = null; #day = ""; #second = 0; #now = null;

  constructor(store, api) {
    this.#store = store;
    this.#api = api;
    store.addEventListener("change", () => {
      useZone(store.user?.time_zone);
      this.#forget();
    });
  }

  get store() { return this.#store; }

  get api() { return this.#api; }

  // now is the time on the person's wall.
  get now() {
    const moment = Math.floor(Date.now() / 1000);
    if (this.#second !== moment) {
      this.#second = moment;
      this.#now = this.nowIn();
    }
    return this.#now;
  }

  // nowIn is the time on the walls of a zone.
  nowIn(zone = undefined) {
    const wall = wallOf(new Date(), zone);
    return { date: wall.slice(0, 10), time: wall.slice(11) };
  }

  // tasks are all that there are, newest first.
  tasks() { return this.#all ??= this.#store.visible(); }

  task(id) { return (this.#byID ??= new Map(this.tasks().map((task) => [task.id, task]))).get(id); }

  // counts of what is open, of today.
  counts() {
    const { now } = this;
    if (this.#counts && this.#day === now.date) return this.#counts;
    this.#day = now.date;
    return this.#counts = countsOf(this.tasks(), now, this.inbox);
  }

  // lists are the person's, the Inbox first.
  lists() { return this.#sorted ??= this.#sort(); }

  #sort() {
    return this.#store.lists().filter((list) => !list.archived)
      .sort((a, b) => Number(b.inbox ?? false) - Number(a.inbox ?? false) || (a.position ?? 0) - (b.position ?? 0) || a.id - b.id);
  }

  list(id) { return this.#store.list(id); }

  // inbox is the id of the person's own, 0 as long as it is not known.
  get inbox() { return this.lists().find((list) => list.inbox && (list.role ?? "owner") === "owner")?.id ?? 0; }

  listOf(task) { return task.list_id ? this.list(task.list_id) : undefined; }

  // hueOf is which of the eight hues a list has.
  hueOf(list) { return list.color ? hueOf(list.color) : list.inbox ? 8 : hue(list.name); }

  labels() { return [...this.counts().labels.keys()].sort((a, b) => a.localeCompare(b)); }

  // people are the members of a list that is shared.
  people(id) {
    const { members } = this.list(id) ?? {};
    return members?.length > 1 ? members.map((member) => ({ id: member.user_id, name: member.username })) : [];
  }

  // add makes a task of fields of the API, and returns by what name it is known.
  add({ title, description = "", completed = false, ...more }) {
    for (const name of Object.keys(more)) if (more[name] === undefined || more[name] === null) delete more[name];
    return this.#store.add(title, description, completed, Object.keys(more).length ? more : undefined);
  }

  // together makes one act of all that is done meanwhile.
  together(act) { return this.#store.together(act); }

  change(id, patch) { this.#store.change(id, patch); }

  // move puts a task before or behind another, below a parent or into a list.
  move(id, where) {
    const { before_id: before, after_id: after, ...rest } = where, task = this.task(id);
    const all = this.siblings({ ...task, ...rest }).filter((each) => each.id !== id), at = all.findIndex((each) => each.id === (before ?? after)) + (after ? 1 : 0);
    const [above, below] = [all[at - 1], all[at]].map((each) => each && rankOf(each));
    const position = above === undefined ? (below ?? 0) - 1 : below === undefined ? above + 1 : (above + below) / 2;
    this.#store.move(id, where, { ...rest, position });
  }

  // moveList puts a list before or behind another one, and says whether it was elsewhere.
  moveList(id, { before_id: before, after_id: after }) {
    const all = this.lists().filter((list) => !list.inbox), from = all.findIndex((list) => list.id === id), rest = all.toSpliced(from, 1);
    const at = rest.findIndex((list) => list.id === (before ?? after)) + (after ? 1 : 0), [above, below] = [rest[at - 1]?.position, rest[at]?.position];
    if (from < 0 || at === from) return false;
    const position = above === undefined ? below - 1 : below === undefined ? above + 1 : (above + below) / 2;
    this.#store.moveList(id, before ? { before_id: before } : { after_id: after }, position, from ? { after_id: all[from - 1].id } : { before_id: all[1].id });
    return true;
  }

  #forget() { this.#second = 0; this.#all = this.#counts = this.#byID = this.#sorted = null; }

  // above is the highest of the tasks above one that is completed, or else the highest;
  // nothing where one of them is gone.
  above(task) {
    for (let left = 5; task?.parent_id && left--;) {
      task = this.task(task.parent_id);
      if (task?.completed) return task;
    }
    return task;
  }

  children(id) { return this.counts().children.get(id); }

  due(task) { return dueOf(task); }

  // siblings are the open tasks beside one, in their order.
  siblings(task) {
    return this.tasks().filter((each) => !each.completed && (each.parent_id ?? null) === (task.parent_id ?? null) && (each.list_id ?? this.inbox) === (task.list_id ?? this.inbox))
      .sort((a, b) => rankOf(a) - rankOf(b));
  }
}
