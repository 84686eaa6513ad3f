// Ticking and deleting: what is ticked stays a moment with its line through, what goes hands
// the focus on, and each has a way back.

import { due, t } from "./i18n.js";

const lingerTime = 900; // how long a ticked row stays

export class Ticking {
  #desk; #store; #undo; #view; #signal;
  #lingering = new Map();

  // view has root, row, render and field.
  constructor(desk, undo, view, signal) {
    this.#desk = desk;
    this.#store = desk.store;
    this.#undo = undo;
    this.#view = view;
    this.#signal = signal;
  }

  // visible are the tasks of the store; one that repeats stays as it was ticked
  // for a moment, though it has moved on.
  visible() {
    if (!this.#lingering.size) return this.#desk.tasks();
    return this.#desk.tasks().map((task) => {
      const before = !task.completed && this.#lingering.get(task.id);
      return before ? { ...before, completed: true } : task;
    });
  }

  lingers(id) { return this.#lingering.has(id); }

  // calm lets none linger.
  calm() { this.#lingering.clear(); }

  #task(id) { return this.#lingering.size ? this.visible().find((task) => task.id === id) : this.#desk.task(id); }

  // own is a task that may be changed.
  own(id) {
    const task = this.#task(id);
    return task && !this.#store.fixed(task) ? task : undefined;
  }

  tick(id) {
    const task = this.own(id);
    if (!task) return;
    const { title } = task;
    const completed = !task.completed;
    if (completed) {
      this.#lingering.set(id, task);
      setTimeout(() => {
        const now = this.#store.idOf(id);
        if (this.#lingering.get(now) !== task) return; // it was ticked once more
        this.#keepFocus(now, () => { this.#lingering.delete(now); this.#view.render(); });
        const next = this.#task(now);
        if (task.recurrence && next?.due && !next.completed) this.#undo.say(t("next", { title, date: due(next) }));
      }, lingerTime);
    } else {
      this.#lingering.delete(id);
    }
    this.#store.change(id, { completed });
    this.#undo.offer(t(completed ? "ticked" : "unticked", { title }), {
      also: () => this.#lingering.delete(this.#store.idOf(id)),
      // An occurrence that was opened again is the repeating task by now.
      instead: this.#wayBack(completed ? "tick" : "untick", [task], () => this.#store.change(!completed && !this.#task(id) && task.recurrence_of || id, { completed: !completed })),
    });
  }

  remove(ids) {
    const tasks = ids.map((id) => this.own(id)).filter(Boolean);
    if (!tasks.length) return;
    this.#keepFocus(tasks[0].id, () => {
      this.#desk.together(() => { for (const { id } of tasks) this.#store.remove(id); });
      this.#view.render();
    });
    this.#store.postpone();
    this.#undo.offer(tasks.length > 1 ? t("deleted.n", { n: tasks.length }) : t("deleted", { title: tasks[0].title }),
      { instead: this.#wayBack("delete", tasks, () => { for (const task of tasks) this.#store.undoRemove(task); }) });
  }

  // wayBack undoes an act by what the store knows of it. A proxy may have lost the number
  // that this takes: then it is done the other way round.
  #wayBack(kind, tasks, otherwise) {
    return () => {
      const last = this.#store.undoable();
      if (last?.kind === kind && last.title === tasks[0].title && last.n === tasks.length) this.#store.undoLast();
      else otherwise();
    };
  }

  // keepFocus hands the focus to the neighbour of a row that goes away.
  #keepFocus(id, act) {
    if (this.#signal.aborted) return;
    const row = this.#view.row(id);
    const had = row?.contains(document.activeElement);
    const name = had && document.activeElement.matches(".tick") ? "tick" : "title";
    const all = [...this.#view.root.querySelectorAll("#list .task")], at = all.indexOf(row);
    const next = row?.nextElementSibling ?? row?.previousElementSibling ?? all[at + 1] ?? all[at - 1];
    act();
    if (had && !row.contains(document.activeElement)) (next?.isConnected && next.querySelector(`.${name}`) || this.#view.field()).focus();
  }

  // renamed follows a new task when it gets its id.
  renamed(key, id) {
    const ticked = this.#lingering.get(key);
    if (this.#lingering.delete(key)) this.#lingering.set(id, ticked);
  }
}
