// The list: one field, the open tasks below it, the done ones folded away.

import { $, announce, h, isTyping } from "./dom.js";
import { date, saidOf, t } from "./i18n.js";
import { undoTime } from "./store.js";

const step = 100; // rows at a time
const lingerTime = 900; // how long a ticked row stays

export class ListView {
  #store; #root; #drafts;
  #rows = new Map();
  #filter = "all"; #query = ""; #limit = step; #doneLimit = step;
  #lingering = new Map();
  #editing = null;
  #undo = null;
  #stop = new AbortController();

  constructor(store, root, drafts) {
    this.#store = store;
    this.#root = root;
    this.#drafts = drafts;
    this.#build();
    const { signal } = this.#stop;
    store.addEventListener("change", () => this.#soon(), { signal });
    store.addEventListener("named", ({ detail }) => this.#renamed(detail), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    const draft = drafts.get("edit");
    if (draft) this.#editing = draft;
    this.#render();
    if (!matchMedia("(pointer: coarse)").matches) this.input.focus();
  }

  close() {
    this.#stop.abort();
    this.#watcher.disconnect();
    clearTimeout(this.#undo?.timer);
    this.#bar.hidden = true;
  }

  get #bar() { return $("#undo"); }
  #watcher;

  #build() {
    this.input = h("input", { id: "new-task", name: "title", maxLength: 100, autocomplete: "off", placeholder: t("new.hint"), enterKeyHint: "done", value: this.#drafts.get("new") ?? "" });
    this.input.addEventListener("input", () => this.#drafts.set("new", this.input.value));
    const form = h("form", { class: "new", onsubmit: (event) => { event.preventDefault(); this.#add(); } },
      h("h1", {}, h("label", { for: "new-task" }, t("new.label"))),
      h("div", { class: "line" }, this.input, h("button", { type: "submit" }, t("add"))));
    this.search = h("input", { id: "search", type: "search", placeholder: t("search"), "aria-label": t("search"), "aria-controls": "list" });
    this.search.addEventListener("input", () => { this.#query = this.search.value.trim().toLocaleLowerCase(); this.#limit = this.#doneLimit = step; this.#render(); });
    const choice = (name) => h("label", { class: "choice" },
      h("input", { type: "radio", name: "filter", value: name, checked: name === this.#filter, onchange: () => { this.#filter = name; this.#limit = this.#doneLimit = step; this.#render(); } }),
      h("span", {}, t(`filter.${name}`)));
    this.tools = h("div", { class: "tools", hidden: true },
      h("fieldset", { class: "choices" }, h("legend", { class: "unseen" }, t("filter")), choice("all"), choice("open"), choice("done")), this.search);
    this.note = h("p", { class: "note soft" });
    this.loading = h("div", { class: "loading", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
    this.open = h("ul", { id: "list", class: "tasks", "aria-label": t("filter.open") });
    this.doneList = h("ul", { class: "tasks", "aria-label": t("filter.done") });
    this.summary = h("summary", {});
    this.fold = h("details", { class: "fold", ontoggle: () => this.#render() }, this.summary, this.doneList);
    this.end = h("div", { class: "end" });
    this.#watcher = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#more();
    }, { rootMargin: "600px" });
    this.#root.replaceChildren(form, this.tools, this.note, this.loading, this.open, this.fold, this.end);
    this.#watcher.observe(this.end);
  }

  #add() {
    const title = this.input.value.trim();
    if (!title) return;
    this.#store.add(title);
    this.input.value = "";
    this.#drafts.set("new", "");
    announce(t("added", { title }));
  }

  #more() {
    const { open, done } = this.#split();
    if (this.#limit >= open.length && (!this.#doneShown || this.#doneLimit >= done.length)) return;
    if (this.#limit < open.length) this.#limit += step;
    else this.#doneLimit += step;
    this.#render();
    // The observer tells of changes only: an end that is still near is asked
    // for again.
    this.#watcher.unobserve(this.end);
    this.#watcher.observe(this.end);
  }

  get #doneShown() { return this.#filter === "done" || this.fold.open; }

  #frame = 0;
  #soon() {
    // Many changes in one turn, as while loading, are drawn once.
    this.#frame ||= requestAnimationFrame(() => { this.#frame = 0; if (!this.#stop.signal.aborted) this.#render(); });
  }

  #split() {
    const found = this.#store.visible().filter((task) => !this.#query ||
      task.title.toLocaleLowerCase().includes(this.#query) || task.description.toLocaleLowerCase().includes(this.#query));
    const isDone = (task) => task.completed && !this.#lingering.has(task.id);
    return { open: this.#filter === "done" ? [] : found.filter((task) => !isDone(task)), done: this.#filter === "open" ? [] : found.filter(isDone) };
  }

  #render() {
    const any = this.#store.visible().length > 0;
    const { open, done } = this.#split();
    this.loading.hidden = this.#store.loaded || any;
    this.tools.hidden = !any;
    const empty = this.#store.loaded && open.length === 0 && (done.length === 0 || this.#filter === "all" && !this.#query && false);
    this.note.hidden = !empty;
    if (empty) this.note.textContent = t(!any ? "empty" : this.#query ? "empty.search" : this.#filter === "all" ? "empty" : `empty.${this.#filter}`);
    this.fold.hidden = done.length === 0;
    if (this.#filter === "done") this.fold.open = true;
    this.summary.textContent = t("done.count", { n: done.length });
    const used = new Set();
    this.#place(this.open, open.slice(0, this.#limit), used);
    this.#place(this.doneList, this.fold.open ? done.slice(0, this.#doneLimit) : [], used);
    for (const [id, row] of this.#rows) if (!used.has(id)) { row.element.remove(); this.#rows.delete(id); }
    this.#restoreEdit();
  }

  #place(list, tasks, used) {
    let next = list.firstElementChild;
    for (const task of tasks) {
      used.add(task.id);
      const element = this.#row(task);
      if (element === next) next = next.nextElementSibling;
      else list.insertBefore(element, next);
    }
  }

  #row(task) {
    const mark = JSON.stringify([task.title, task.description, task.completed, task.waiting && this.#store.offline, task.problem, task.date_completed]);
    const known = this.#rows.get(task.id);
    if (known?.mark === mark || known?.editing) return known.element;
    const focused = known?.element.contains(document.activeElement) ? document.activeElement.className : "";
    const element = known?.element ?? h("li", { class: "task" });
    element.dataset.id = String(task.id);
    element.classList.toggle("done", task.completed);
    element.replaceChildren(...this.#cells(task, element));
    if (focused) element.querySelector(`.${focused.split(" ")[0]}`)?.focus();
    this.#rows.set(task.id, { element, mark, task });
    return element;
  }

  // cells are what a row holds. Its listeners ask for the row's id when they
  // are needed: a new task gets another one, and replacing what a person is
  // about to press would lose the click.
  #cells(task, row) {
    const { title } = task;
    const id = () => this.#idOf(row);
    const box = h("input", { type: "checkbox", class: "tick", checked: task.completed, "aria-label": t("task.tick", { title }), onchange: () => this.#tick(id()) });
    const text = h("button", { type: "button", class: "title", "aria-label": t("task.edit.of", { title }), onclick: () => this.#edit(id()) },
      h("span", { class: "words" }, title), task.description ? h("span", { class: "more soft" }, task.description) : null);
    const remove = h("button", { type: "button", class: "remove quiet", "aria-label": t("task.delete.of", { title }), onclick: () => this.#remove(id()) }, "×");
    const cells = [h("label", { class: "box" }, box), text, remove];
    if (task.problem) {
      cells.push(h("div", { class: "trouble" }, h("p", { class: "problem" }, saidOf(task.problem)),
        h("button", { type: "button", class: "quiet", onclick: () => this.#store.retry(id()) }, t("task.retry")),
        h("button", { type: "button", class: "quiet", onclick: () => this.#store.drop(id()) }, t("task.drop"))));
    } else if (task.waiting && this.#store.offline) {
      cells.push(h("p", { class: "trouble soft" }, t("task.waiting")));
    } else if (task.completed && task.date_completed) {
      cells.push(h("p", { class: "trouble soft" }, t("task.completed", { date: date(task.date_completed) })));
    }
    return cells;
  }

  #task(id) { return this.#store.visible().find((task) => task.id === id); }

  #tick(id) {
    const task = this.#task(id);
    if (!task) return;
    const completed = !task.completed;
    if (completed) {
      this.#lingering.set(id, true);
      setTimeout(() => { this.#lingering.delete(id); this.#keepFocus(id, () => this.#render()); }, lingerTime);
    } else {
      this.#lingering.delete(id);
    }
    this.#store.change(id, { completed });
    this.#offer(t(completed ? "ticked" : "unticked", { title: task.title }), () => this.#store.change(id, { completed: !completed }));
  }

  // keepFocus hands the focus to the neighbour of a row that goes away.
  #keepFocus(id, act) {
    const row = this.#rows.get(id)?.element;
    const had = row?.contains(document.activeElement);
    const name = had ? document.activeElement.classList[0] : "";
    const next = row?.nextElementSibling ?? row?.previousElementSibling;
    act();
    if (had && !row.contains(document.activeElement)) (next?.isConnected ? next.querySelector(`.${name}`) ?? next.querySelector(".title") : this.input)?.focus();
  }

  #remove(id) {
    const task = this.#task(id);
    if (!task) return;
    const row = this.#rows.get(id)?.element;
    const next = row?.nextElementSibling ?? row?.previousElementSibling;
    const had = row?.contains(document.activeElement);
    this.#store.remove(id);
    this.#render();
    if (had) (next?.querySelector(".title") ?? this.input).focus();
    this.#offer(t("deleted", { title: task.title }), typeof id === "number" ? () => this.#store.undoRemove(id) : () => this.#store.add(task.title, task.description));
  }

  // offer shows what was done with a way back, for eight seconds.
  #offer(text, undo) {
    clearTimeout(this.#undo?.timer);
    const bar = this.#bar;
    bar.replaceChildren(h("span", {}, text), h("button", { type: "button", class: "quiet", onclick: () => this.#takeBack() }, t("undo")));
    bar.hidden = false;
    announce(text);
    this.#undo = { undo, timer: setTimeout(() => this.#hideUndo(), undoTime) };
  }

  #hideUndo() {
    clearTimeout(this.#undo?.timer);
    if (this.#bar.contains(document.activeElement)) this.input.focus();
    this.#bar.hidden = true;
    this.#undo = null;
  }

  #takeBack() {
    if (!this.#undo) return;
    this.#undo.undo();
    this.#hideUndo();
    announce(t("undone"));
  }

  #edit(id) {
    const task = this.#task(id);
    if (!task || this.#editing?.id === id) return;
    this.#finish();
    this.#editing = { id, title: task.title, description: task.description };
    this.#drafts.set("edit", this.#editing);
    this.#render();
    const input = this.#rows.get(id)?.element.querySelector("input[name=title]");
    input?.focus();
    input?.setSelectionRange(input.value.length, input.value.length);
  }

  // restoreEdit puts the form into the row that is being edited, also after a
  // reload.
  #restoreEdit() {
    const row = this.#editing && this.#rows.get(this.#editing.id);
    if (!row || row.editing) return;
    row.editing = true;
    const keep = () => {
      this.#editing.title = title.value;
      this.#editing.description = description.value;
      this.#drafts.set("edit", this.#editing);
      description.style.height = "auto";
      description.style.height = `${description.scrollHeight + 2}px`;
    };
    const title = h("input", { name: "title", value: this.#editing.title, maxLength: 100, "aria-label": t("task.title"), oninput: keep });
    const description = h("textarea", { name: "description", value: this.#editing.description, rows: 2, maxLength: 10000, "aria-label": t("task.description"), placeholder: t("task.description"), oninput: keep });
    const form = h("form", { class: "edit", onsubmit: (event) => { event.preventDefault(); this.#finish(true); } }, title, description,
      h("div", { class: "line" }, h("button", { type: "submit" }, t("task.save")), h("button", { type: "button", class: "quiet", onclick: () => this.#cancel() }, t("task.cancel"))));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.stopPropagation(); this.#cancel(); }
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); this.#finish(true); }
    });
    form.addEventListener("focusout", (event) => {
      if (document.hasFocus() && event.relatedTarget && !form.contains(event.relatedTarget)) this.#finish();
    });
    row.element.replaceChildren(form);
    description.style.height = `${description.scrollHeight + 2}px`;
  }

  #finish(focus = false) {
    const edit = this.#editing;
    if (!edit) return;
    const task = this.#task(edit.id);
    const title = edit.title.trim();
    const patch = {};
    if (task && title && title !== task.title) patch.title = title;
    if (task && edit.description !== task.description) patch.description = edit.description;
    this.#leave(focus, () => { if (Object.keys(patch).length) this.#store.change(edit.id, patch); });
  }

  #cancel() { this.#leave(true, () => {}); }

  #leave(focus, act) {
    const { id } = this.#editing;
    this.#editing = null;
    this.#drafts.set("edit", null);
    const row = this.#rows.get(id);
    if (row) { row.editing = false; row.mark = ""; }
    act();
    this.#render();
    if (focus) this.#rows.get(id)?.element.querySelector(".title")?.focus();
  }

  // renamed follows a new task when it gets its id.
  #renamed({ key, id }) {
    const row = this.#rows.get(key);
    if (row) {
      this.#rows.delete(key);
      this.#rows.set(id, row);
    }
    if (this.#lingering.delete(key)) this.#lingering.set(id, true);
    if (this.#editing?.id === key) { this.#editing.id = id; this.#drafts.set("edit", this.#editing); }
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") { event.target.blur(); this.#move(0); }
      return;
    }
    const row = document.activeElement?.closest?.(".task");
    const id = row && this.#idOf(row);
    const act = {
      n: () => this.input.focus(), "/": () => this.search.focus(), j: () => this.#move(1), k: () => this.#move(-1), u: () => this.#takeBack(),
      x: id && (() => this.#tick(id)), e: id && (() => this.#edit(id)), "#": id && (() => this.#remove(id)), Delete: id && (() => this.#remove(id)),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #idOf(row) { return [...this.#rows].find(([, known]) => known.element === row)?.[0]; }

  #move(by) {
    const titles = [...this.#root.querySelectorAll(".task .title")].filter((title) => title.offsetParent);
    const now = titles.findIndex((title) => title.closest(".task").contains(document.activeElement));
    titles[Math.max(0, Math.min(titles.length - 1, now + by))]?.focus();
  }
}
