// The list: one field, the open tasks below it, the done ones folded away.

import { $, announce, h, isTyping, tooLong } from "./dom.js";
import { EditForm, maxTitle } from "./edit.js";
import { date, due, repeats, said, t } from "./i18n.js";
import { Undo } from "./undo.js";

const step = 100; // rows at a time
const lingerTime = 900; // how long a ticked row stays
const glimpse = 200; // letters of a description that a row shows

export class ListView {
  #store; #root; #drafts;
  #rows = new Map();
  #filter = "all"; #query = ""; #limit = step; #doneLimit = step;
  #unfolded = false; #unfoldedBefore = false;
  #lingering = new Map();
  #form = null;
  #pressing = false;
  #undo;
  #watcher;
  #stop = new AbortController();

  constructor(store, root, drafts) {
    this.#store = store;
    this.#root = root;
    this.#drafts = drafts;
    this.#undo = new Undo($("#undo"), () => this.input.focus());
    this.#build();
    const { signal } = this.#stop;
    store.addEventListener("change", () => this.#soon(), { signal });
    store.addEventListener("named", ({ detail }) => this.#renamed(detail), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    document.addEventListener("pointerdown", ({ target }) => { this.#pressing = Boolean(this.#form && !this.#form.element.contains(target)); }, { signal, capture: true });
    // Only after the click: what moves under the pointer is missed by it.
    document.addEventListener("click", () => this.#pressed(), { signal });
    document.addEventListener("pointerup", () => setTimeout(() => this.#pressed(), 300), { signal });
    const draft = drafts.get("edit");
    if (draft) this.#form = this.#formOf(draft);
    this.#render();
    if (draft) this.#form.focus();
    else if (!matchMedia("(pointer: coarse)").matches) this.input.focus();
  }

  close() {
    this.#stop.abort();
    this.#watcher.disconnect();
    this.#undo.hide();
  }

  #build() {
    this.input = h("input", { id: "new-task", name: "title", dir: "auto", autocomplete: "off", placeholder: t("new.hint"), enterKeyHint: "done", "aria-describedby": "new-problem", value: this.#drafts.get("new") ?? "" });
    this.problem = h("p", { class: "problem", id: "new-problem", role: "alert" });
    this.input.addEventListener("input", () => {
      this.#drafts.set("new", this.input.value);
      this.#say(tooLong(this.input.value, maxTitle));
    });
    const form = h("form", { class: "new", onsubmit: (event) => { event.preventDefault(); this.#add(); } },
      h("h1", {}, h("label", { for: "new-task" }, t("new.label"))),
      h("div", { class: "line" }, this.input, h("button", { type: "submit" }, t("add"))), this.problem);
    this.search = h("input", { id: "search", type: "search", dir: "auto", placeholder: t("search"), "aria-label": t("search"), "aria-controls": "list", oninput: () => this.#find() });
    const choice = (name) => h("label", { class: "choice" },
      h("input", { type: "radio", name: "filter", value: name, checked: name === this.#filter, onchange: () => this.#choose(name) }),
      h("span", {}, t(`filter.${name}`)));
    this.tools = h("div", { class: "tools", hidden: true },
      h("fieldset", { class: "choices" }, h("legend", { class: "unseen" }, t("filter")), choice("all"), choice("open"), choice("done")), this.search);
    this.note = h("p", { class: "note soft" });
    this.loading = h("div", { class: "loading", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
    this.open = h("ul", { id: "list", class: "tasks", "aria-label": t("filter.open") });
    this.doneList = h("ul", { class: "tasks", "aria-label": t("filter.done") });
    this.summary = h("summary", { onclick: (event) => { event.preventDefault(); this.#unfolded = !this.fold.open; this.#render(); } });
    this.fold = h("details", { class: "fold" }, this.summary, this.doneList);
    this.end = h("div", { class: "end" });
    this.#watcher = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#more();
    }, { rootMargin: "600px" });
    this.#root.replaceChildren(form, this.tools, this.note, this.loading, this.open, this.fold, this.end);
    this.#watcher.observe(this.end);
  }

  #say(text) { if (this.problem.textContent !== text) this.problem.textContent = text; }

  #add() {
    const title = this.input.value.trim();
    const wrong = title ? tooLong(title, maxTitle) : t("title.needed");
    this.#say(wrong);
    if (wrong) return;
    this.#clear(); // who adds a task wants to see it
    if (this.#filter === "done") this.tools.querySelector("[value=all]").click();
    this.#store.add(title);
    this.input.value = "";
    this.#drafts.set("new", "");
    announce(t("added", { title }));
  }

  #choose(name) {
    this.#filter = name;
    this.#limit = this.#doneLimit = step;
    this.#render();
  }

  #clear() {
    if (!this.search.value) return;
    this.search.value = "";
    this.#find();
  }

  #counting = 0;
  // find shows what matches, among the done ones too.
  #find() {
    const query = this.search.value.trim().toLocaleLowerCase();
    if (query && !this.#query) [this.#unfoldedBefore, this.#unfolded] = [this.#unfolded, true];
    if (!query && this.#query) this.#unfolded = this.#unfoldedBefore;
    this.#query = query;
    this.#limit = this.#doneLimit = step;
    this.#render();
    clearTimeout(this.#counting);
    if (query) this.#counting = setTimeout(() => { const { open, done } = this.#split(); announce(t("found", { n: open.length + done.length })); }, 500);
  }

  #more() {
    const { open, done } = this.#split();
    if (this.#limit >= open.length && (!this.fold.open || this.#doneLimit >= done.length)) return;
    if (this.#limit < open.length) this.#limit += step;
    else this.#doneLimit += step;
    this.#render();
  }

  #frame = 0;
  #soon() {
    // Many changes in one turn, as while loading, are drawn once.
    this.#frame ||= requestAnimationFrame(() => { this.#frame = 0; if (!this.#stop.signal.aborted) this.#still(); });
  }

  // still draws, and leaves what is typed into where it is in the window.
  #still() {
    const form = this.#form?.element.contains(document.activeElement) ? this.#form.element : null;
    const top = () => form?.getBoundingClientRect().top ?? 0;
    const before = top();
    this.#render();
    const by = top() - before;
    if (by && before > 0 && before < innerHeight) scrollBy(0, by);
  }

  // visible are the tasks of the store; one that repeats stays as it was ticked
  // for a moment, though it has moved on.
  #visible() {
    return this.#store.visible().map((task) => {
      const before = !task.completed && this.#lingering.get(task.id);
      return before ? { ...before, completed: true } : task;
    });
  }

  #split(all = this.#visible()) {
    const found = all.filter((task) => !this.#query ||
      task.title.toLocaleLowerCase().includes(this.#query) || task.description.toLocaleLowerCase().includes(this.#query));
    const isDone = (task) => task.completed && !task.moving && !this.#lingering.has(task.id);
    return { open: this.#filter === "done" ? [] : found.filter((task) => !isDone(task)), done: this.#filter === "open" ? [] : found.filter(isDone) };
  }

  #render() {
    const active = document.activeElement;
    const all = this.#visible();
    const { open, done } = this.#split(all);
    this.loading.hidden = this.#store.loaded || all.length > 0;
    this.tools.hidden = all.length === 0;
    this.note.textContent = this.#noteOf(all, open, done);
    this.note.hidden = !this.note.textContent;
    this.fold.hidden = done.length === 0;
    this.fold.open = this.#filter === "done" || this.#unfolded;
    this.summary.hidden = this.#filter === "done";
    this.summary.textContent = t("done.count", { n: done.length });
    const shown = open.slice(0, this.#limit);
    const folded = this.fold.open ? done.slice(0, this.#doneLimit) : [];
    this.#pin(all, shown, folded);
    const used = new Set([...shown, ...folded].map((task) => task.id));
    for (const [id, row] of this.#rows) if (!used.has(id)) { row.element.remove(); this.#rows.delete(id); }
    this.#place(this.open, shown);
    this.#place(this.doneList, folded);
    // The observer tells of changes only: an end that is still near is asked
    // for again.
    this.#watcher.unobserve(this.end);
    this.#watcher.observe(this.end);
    // An element that is moved loses the focus.
    if (document.activeElement === document.body && active?.isConnected) active.focus({ preventScroll: !this.#form?.element.contains(active) });
  }

  #noteOf(all, open, done) {
    if (!this.#store.loaded || open.length) return "";
    if (!all.length) return t("empty");
    if (this.#query) return done.length ? "" : t("empty.search");
    if (this.#filter === "all") return t("empty.all");
    return done.length ? "" : t(`empty.${this.#filter}`);
  }

  // pin puts what is edited on top where it would not be seen: folded away, far
  // down, or deleted elsewhere.
  #pin(all, shown, folded) {
    if (!this.#form) return;
    const { id, title, description } = this.#form.draft;
    const task = all.find((each) => each.id === id);
    this.#form.lose(!task && this.#store.loaded);
    if (!shown.some((each) => each.id === id) && !folded.some((each) => each.id === id)) shown.unshift(task ?? { id, title, description, completed: false });
  }

  #place(list, tasks) {
    let next = list.firstElementChild;
    for (const task of tasks) {
      const element = this.#row(task);
      if (element === next) next = next.nextElementSibling;
      else list.insertBefore(element, next);
    }
  }

  #row(task) {
    const editing = this.#form?.draft.id === task.id;
    const mark = editing ? "edit" : JSON.stringify([task.title, task.description, task.completed, ...this.#details(task), this.#store.fixed(task), task.waiting && this.#store.offline, task.problem, task.date_completed]);
    const known = this.#rows.get(task.id);
    if (known?.mark === mark) return known.element;
    const focused = known?.element.contains(document.activeElement) ? document.activeElement.classList[0] : "";
    const element = known?.element ?? h("li", { class: "task" });
    element.dataset.id = String(task.id);
    element.classList.toggle("done", task.completed);
    this.#rows.set(task.id, { element, mark });
    if (editing) element.replaceChildren(this.#form.element);
    else element.replaceChildren(...this.#cells(task, element));
    if (focused && !editing) element.querySelector(`.${focused}`)?.focus();
    return element;
  }

  // details are what a task has, in words.
  #details(task) {
    const list = this.#store.listOf(task);
    return [
      task.due && due(task), task.recurrence && repeats(task.recurrence), task.priority && task.priority !== "none" && t(`priority.${task.priority}`),
      list && !(list.inbox && list.role === "owner") && list.name, this.#store.fixed(task) && t("list.fixed"), ...(task.labels ?? []).map((label) => `#${label}`),
    ].filter(Boolean);
  }

  // cells are what a row holds. Its listeners ask for the row's id when they
  // are needed: a new task gets another one, and replacing what a person is
  // about to press would lose the click.
  #cells(task, row) {
    const { title } = task;
    const id = () => this.#idOf(row);
    const fixed = this.#store.fixed(task);
    const box = h("input", { type: "checkbox", class: "tick", checked: task.completed, disabled: fixed, title: fixed ? t("list.fixed.why") : undefined, "aria-label": t("task.tick", { title }), onchange: () => this.#tick(id()) });
    const more = fixed ? task.description : task.description.slice(0, glimpse);
    const details = this.#details(task).flatMap((text, i) => [i ? " · " : "", h("bdi", {}, text)]);
    const words = [h("span", { class: "words", dir: "auto" }, title), details.length ? h("span", { class: "details soft" }, details) : null, more ? h("span", { class: "more soft", dir: "auto" }, more) : null];
    const text = fixed ? h("div", { class: "title", tabIndex: -1 }, words)
      : h("button", { type: "button", class: "title", onclick: () => this.#edit(id()) }, h("span", { class: "unseen" }, `${t("task.edit")}: `), words);
    const cells = [h("label", { class: "box" }, box), text];
    if (!fixed) cells.push(h("button", { type: "button", class: "remove quiet", "aria-label": t("task.delete.of", { title }), onclick: () => this.#remove(id()) }, "×"));
    if (task.problem) {
      cells.push(h("div", { class: "trouble" }, h("p", { class: "problem" }, said(task.problem)),
        h("button", { type: "button", class: "quiet", onclick: () => this.#store.retry(id()) }, t("task.retry")),
        h("button", { type: "button", class: "quiet", onclick: () => this.#store.drop(id()) }, t("task.drop"))));
    } else if (task.waiting && this.#store.offline) {
      cells.push(h("p", { class: "trouble soft" }, t("task.waiting")));
    } else if (task.completed && task.date_completed) {
      cells.push(h("p", { class: "trouble soft" }, t("task.completed", { date: date(task.date_completed) })));
    }
    return cells;
  }

  #task(id) { return this.#visible().find((task) => task.id === id); }

  // own is a task that may be changed.
  #own(id) {
    const task = this.#task(id);
    return task && !this.#store.fixed(task) ? task : undefined;
  }

  #tick(id) {
    const task = this.#own(id);
    if (!task) return;
    const { title } = task;
    const completed = !task.completed;
    if (completed) {
      this.#lingering.set(id, task);
      setTimeout(() => {
        const now = this.#store.idOf(id);
        if (this.#lingering.get(now) !== task) return; // it was ticked once more
        this.#keepFocus(now, () => { this.#lingering.delete(now); this.#render(); });
        const next = this.#task(now);
        if (task.recurrence && next?.due && !next.completed) announce(t("next", { title, date: due(next) }));
      }, lingerTime);
    } else {
      this.#lingering.delete(id);
    }
    this.#store.change(id, { completed });
    this.#undo.offer(t(completed ? "ticked" : "unticked", { title }), () => {
      this.#lingering.delete(this.#store.idOf(id));
      // An occurrence that was opened again is the repeating task by now.
      this.#store.change(!completed && !this.#task(id) && task.recurrence_of || id, { completed: !completed });
    });
  }

  // keepFocus hands the focus to the neighbour of a row that goes away.
  #keepFocus(id, act) {
    if (this.#stop.signal.aborted) return;
    const row = this.#rows.get(id)?.element;
    const had = row?.contains(document.activeElement);
    const name = had && document.activeElement.matches(".tick") ? "tick" : "title";
    const next = row?.nextElementSibling ?? row?.previousElementSibling;
    act();
    if (had && !row.contains(document.activeElement)) (next?.isConnected && next.querySelector(`.${name}`) || this.input).focus();
  }

  #remove(id) {
    const task = this.#own(id);
    if (!task) return;
    this.#keepFocus(id, () => { this.#store.remove(id); this.#render(); });
    this.#store.postpone();
    this.#undo.offer(t("deleted", { title: task.title }), () => this.#store.undoRemove(task));
  }

  #formOf(draft) {
    const form = new EditForm(draft, {
      keep: () => this.#drafts.set("edit", draft),
      save: (focus) => this.#finish(focus),
      cancel: () => this.#leave(true),
      again: () => {
        if (!this.#form.ready()) return;
        this.#store.add(draft.title.trim(), draft.description);
        this.#leave(false);
        this.input.focus();
        announce(t("added", { title: draft.title.trim() }));
      },
    });
    form.element.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !this.#pressing && this.#form === form && !form.element.contains(relatedTarget)) this.#finish();
    });
    return form;
  }

  #edit(id) {
    const task = this.#own(id);
    if (!task || this.#form?.draft.id === id) return;
    this.#pressing = false; // the click that opens this form must not close it
    if (!this.#finish()) {
      this.#form.focus();
      return;
    }
    const { title, description } = task;
    this.#form = this.#formOf({ id, title, description, before: { title, description } });
    this.#drafts.set("edit", this.#form.draft);
    this.#render();
    this.#form.focus();
  }

  // pressed saves an edit after a click beside it.
  #pressed() {
    if (this.#pressing) this.#finish();
    this.#pressing = false;
  }

  // finish saves what is edited. False says that it stays: there is no title,
  // the text is too long, or the task is gone.
  #finish(focus = false) {
    if (!this.#form) return true;
    if (this.#form.lost || !this.#form.ready()) return false;
    const { id, title, description, before } = this.#form.draft;
    const patch = {}; // what somebody else has changed meanwhile stays
    if (title.trim() !== before?.title) patch.title = title.trim();
    if (description !== before?.description) patch.description = description;
    if (Object.keys(patch).length) this.#store.change(id, patch);
    this.#leave(focus);
    return true;
  }

  #leave(focus) {
    const { id } = this.#form.draft;
    this.#form = null;
    this.#drafts.set("edit", null);
    this.#render();
    if (focus) (this.#rows.get(id)?.element.querySelector(".title") ?? this.input).focus();
  }

  // renamed follows a new task when it gets its id.
  #renamed({ key, id }) {
    const row = this.#rows.get(key);
    if (row) {
      this.#rows.delete(key);
      this.#rows.set(id, row);
    }
    const ticked = this.#lingering.get(key);
    if (this.#lingering.delete(key)) this.#lingering.set(id, ticked);
    if (this.#form?.draft.id === key) this.#form.draft.id = id;
  }

  #key(event) {
    // Some keyboards need Alt or AltGr for #.
    const plain = !event.ctrlKey && !event.altKey || event.getModifierState("AltGraph") || event.key === "#";
    if (!plain || event.metaKey || event.defaultPrevented || $("dialog[open]")) return;
    if (isTyping(event.target)) {
      if (event.key !== "Escape") return;
      if (event.target === this.search) { event.preventDefault(); this.#clear(); }
      event.target.blur();
      this.#move(0);
      return;
    }
    const row = document.activeElement?.closest?.(".task");
    const id = row && this.#idOf(row);
    const act = {
      n: () => this.input.focus(), "/": () => this.search.focus(), j: () => this.#move(1), k: () => this.#move(-1), u: () => this.#undo.back(),
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
