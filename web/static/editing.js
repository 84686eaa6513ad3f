// Which task is open in its place, and its draft: what is typed is kept at once, and saved
// on leaving, by a click beside it, or by a key.

import { announce } from "./dom.js";
import { EditForm } from "./edit.js";
import { t } from "./i18n.js";

// chipsOf are the fields that the chips of a task show.
const chipsOf = (task) => Object.fromEntries(["due", "due_zone", "recurrence", "recurrence_from", "reminders", "priority", "labels", "list_id", "assignee_id"].map((name) => [name, task[name] ?? (name === "reminders" || name === "labels" ? [] : null)]));

export class Editing {
  #desk; #drafts; #undo; #view;
  #form = null;
  #pressing = false;

  // view has own, row, remove, render, field and input.
  constructor(desk, drafts, undo, view, signal) {
    this.#desk = desk;
    this.#drafts = drafts;
    this.#undo = undo;
    this.#view = view;
    document.addEventListener("pointerdown", ({ target }) => { this.#pressing = Boolean(this.#form && !this.#form.busy && !this.holds(target)); }, { signal, capture: true });
    // Only after the click: what moves under the pointer is missed by it.
    document.addEventListener("click", () => this.#pressed(), { signal });
    document.addEventListener("pointerup", () => setTimeout(() => this.#pressed(), 300), { signal });
    const draft = drafts.get("edit");
    if (draft) this.#form = this.#formOf(draft);
  }

  // of is the task that is open, and element where it is.
  get of() { return this.#form?.draft.id; }
  get element() { return this.#form?.element; }

  holds(node) { return Boolean(this.element?.contains(node)); }

  focus() { this.#form.focus(); }

  update() { this.#form?.update(); }

  // pin puts what is edited on top where it would not be seen: folded away, far
  // down, in another place, or deleted elsewhere.
  pin(shown, folded) {
    if (!this.#form) return;
    const { id, title, description } = this.#form.draft;
    const task = this.#desk.task(id);
    this.#form.lose(!task && this.#desk.store.loaded);
    if ([...shown.flatMap((section) => section.rows), ...folded].some((row) => row.task.id === id)) return;
    const rows = [{ task: task ?? { id, title, description, completed: false }, depth: 0 }];
    if (shown.length && shown[0].key === "all") shown[0].rows = [...rows, ...shown[0].rows];
    else shown.unshift({ key: "edit", rows });
  }

  edit(id) {
    const task = this.#view.own(id);
    if (!task || this.of === id) return;
    this.#pressing = false; // the click that opens this form must not close it
    if (!this.finish()) {
      this.#form.focus();
      return;
    }
    const { title, description } = task;
    this.#form = this.#formOf({ id, title, description, before: { title, description }, chips: chipsOf(task) });
    this.#drafts.set("edit", this.#form.draft);
    this.#view.render();
    this.#form.focus();
  }

  // finish saves what is edited. False says that it stays: there is no title,
  // the text is too long, or the task is gone.
  finish(focus = false) {
    if (!this.#form) return true;
    if (this.#form.lost || !this.#form.ready()) return false;
    const { id, title, description, before } = this.#form.draft;
    const patch = {}; // what somebody else has changed meanwhile stays
    if (title.trim() !== before?.title) patch.title = title.trim();
    if (description !== before?.description) patch.description = description;
    if (Object.keys(patch).length) {
      this.#desk.store.change(id, patch, before);
      this.#undo.passed();
    }
    this.#leave(focus);
    return true;
  }

  // renamed follows a new task when it gets its id.
  renamed(key, id) { if (this.of === key) this.#form.draft.id = id; }

  #formOf(draft) {
    const form = new EditForm(draft, this.#desk, {
      keep: () => this.#drafts.set("edit", draft),
      save: (focus) => this.finish(focus),
      cancel: () => this.#leave(true),
      // Chips save at once, and Cancel takes that back too.
      dismiss: () => { this.#backTo(draft); this.#leave(true); },
      remove: () => { const { id } = draft; this.#leave(true); this.#view.remove(id); },
      again: () => {
        if (!this.#form.ready()) return;
        const list = this.#desk.list(draft.chips?.list_id);
        this.#desk.add({ title: draft.title.trim(), description: draft.description, list_id: list && list.role !== "viewer" ? list.id : undefined });
        this.#leave(false);
        this.#view.input().focus();
        announce(t("added", { title: draft.title.trim() }));
      },
    });
    form.element.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !form.busy && !this.#pressing && this.#form === form && !form.element.contains(relatedTarget)) this.finish();
    });
    return form;
  }

  // backTo gives a task again what its chips had when it was opened.
  #backTo({ id, chips }) {
    const task = this.#view.own(id);
    if (!task || !chips) return;
    const now = chipsOf(task), patch = Object.fromEntries(Object.entries(chips).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(now[name])));
    if (Object.keys(patch).length) this.#desk.change(id, patch);
  }

  // pressed saves an edit after a click beside it.
  #pressed() {
    if (this.#pressing) this.finish();
    this.#pressing = false;
  }

  #leave(focus) {
    const { id } = this.#form.draft;
    this.#form = null;
    this.#drafts.set("edit", null);
    this.#view.render();
    if (focus) (this.#view.row(id)?.querySelector(".title") ?? this.#view.field()).focus();
  }
}
