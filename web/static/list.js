// A place with its tasks: the open ones in sections, the done ones folded away.

import { Add } from "./add.js";
import { Arrange } from "./arrange.js";
import { $, announce, h } from "./dom.js";
import { Editing } from "./editing.js";
import { language, t } from "./i18n.js";
import { listen } from "./keys.js";
import { dueOf, fold, hashOf, inPlace, lastDone, sectionsOf } from "./places.js";
import { cellsOf, dot, markOf } from "./rows.js";
import { local } from "./surroundings.js";
import { Ticking } from "./ticking.js";
import { dayNumber, dueWords } from "./words.js";
import { wallOf } from "./zone.js";

const step = 100; // rows at a time
const minute = 60_000;
const locale = language === "es" ? "es" : "en-GB"; // as words.js writes dates
const say = (date, options) => { const text = new Intl.DateTimeFormat(locale, options).format(date); return text[0].toUpperCase() + text.slice(1); };

export class ListView {
  #desk; #store; #root; #drafts; #undo; #go;
  #place; #query = "";
  #rows = new Map(); #sections = new Map(); #order = [];
  #limit = step; #doneLimit = step;
  #unfolded = false; #folded;
  #watcher; #arrange; #editing; #ticking;
  #stop = new AbortController();

  // go leads to another place.
  constructor(desk, root, drafts, undo, place, go) {
    this.#desk = desk;
    this.#store = desk.store;
    this.#root = root;
    this.#drafts = drafts;
    this.#undo = undo;
    this.#go = go;
    this.#place = place;
    this.#folded = new Set(JSON.parse(local.getItem("taskapi.folded") ?? "[]"));
    this.#build();
    const { signal } = this.#stop;
    const row = (id) => this.#rows.get(id)?.element, render = () => this.#render(), field = () => this.#field(), idOf = (element) => this.#idOf(element);
    const ticking = this.#ticking = new Ticking(desk, undo, { root, row, render, field }, signal);
    const own = (id) => ticking.own(id), tick = (id) => ticking.tick(id);
    this.#editing = new Editing(desk, drafts, undo, { own, row, render, field, remove: (id) => ticking.remove([id]), input: () => this.input }, signal);
    const arrange = this.#arrange = new Arrange(desk, {
      root, undo, row, render, idOf, tick, task: own, order: () => this.#order, place: () => this.#place,
      calm: () => ticking.calm(), remove: (ids) => ticking.remove(ids), focus: (id) => row(id)?.querySelector(".title")?.focus(),
    });
    const store = this.#store;
    store.addEventListener("change", () => this.#soon(), { signal });
    store.addEventListener("named", ({ detail }) => this.#renamed(detail), { signal });
    listen({
      root, arrange, undo, idOf, tick, edit: (id) => this.#editing.edit(id), remove: (id) => ticking.remove([id]), add: () => this.#new(),
      search: () => (this.#place.kind === "search" ? this.search.focus() : go({ kind: "search", query: "" })), clear: (event) => this.#clear(event),
    }, signal);
    // Paper has all of a place.
    addEventListener("beforeprint", () => { this.#limit = this.#doneLimit = Infinity; this.#render(); }, { signal });
    // What is late, and what today is, changes by itself.
    const clock = setInterval(() => this.#soon(), minute);
    signal.addEventListener("abort", () => clearInterval(clock));
    this.#head();
    this.#render();
    if (this.#editing.element) this.#editing.focus();
    else this.#begin();
  }

  close() {
    this.#stop.abort();
    this.#arrange.close();
    this.#watcher.disconnect();
  }

  // moveTo shows another place.
  moveTo(place) {
    const searching = place.kind === "search" && this.#place.kind === "search";
    if (searching && fold(place.query.trim()) === this.#query) return;
    if (!this.#editing.finish()) this.#editing.element.scrollIntoView({ block: "nearest" });
    this.#place = place;
    this.#limit = this.#doneLimit = step;
    this.#unfolded = false;
    this.#arrange.clear();
    this.#head();
    this.#render();
    this.#begin();
  }

  // begin puts the focus where the person goes on.
  #begin() {
    if (this.#place.kind === "search") this.search.focus();
    else if (!matchMedia("(pointer: coarse)").matches) this.input.focus();
  }

  #build() {
    this.add = new Add(this.#desk, this.#drafts, () => this.#place, (ids, title) => this.#made(ids, title));
    this.input = this.add.input;
    this.title = h("h1", { tabIndex: -1 });
    this.under = h("p", { class: "soft" });
    this.paper = h("p", { class: "paper soft" }); // words for dates need it
    this.extras = h("div", { class: "extras" });
    this.below = h("div");
    this.search = h("input", { id: "search", type: "search", dir: "auto", placeholder: t("search.all"), "aria-label": t("search"), "aria-controls": "list", oninput: () => this.#find() });
    this.note = h("p", { class: "note soft" });
    this.loading = h("div", { class: "loading", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
    this.open = h("div", { id: "list" });
    this.doneList = h("ul", { class: "tasks", "aria-label": t("filter.done") });
    this.summary = h("summary", { onclick: (event) => { event.preventDefault(); this.#unfolded = !this.fold.open; this.#render(); } });
    this.fold = h("details", { class: "fold" }, this.summary, this.doneList);
    this.end = h("div", { class: "end" });
    this.#watcher = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#more();
    }, { rootMargin: "600px" });
    this.#root.replaceChildren(h("div", { class: "head" }, h("div", { class: "line" }, this.title, this.extras), this.under, this.paper, this.below), this.search, this.add.element, this.note, this.loading, this.open, this.fold, this.end);
    this.#watcher.observe(this.end);
  }

  // head names the place.
  #head() {
    const { kind, id, name, query } = this.#place, list = kind === "list" && this.#desk.list(id);
    const gone = kind === "list" && !list && this.#store.loaded;
    const text = kind === "list" ? list?.name ?? (gone ? t("list.gone") : "") : kind === "label" ? `#${name}` : t(`place.${kind}`);
    const mark = `${list ? this.#desk.hueOf(list) : ""} ${text}`;
    if (this.title.dataset.mark !== mark) this.title.replaceChildren(list ? dot(this.#desk.hueOf(list)) : "", h("bdi", {}, text));
    this.title.dataset.mark = mark;
    document.title = `${text || "…"} – taskapi`;
    this.under.textContent = kind === "today" ? say(new Date(`${this.#desk.now.date}T12:00`), { weekday: "long", day: "numeric", month: "long" }) : list?.role === "viewer" ? t("list.fixed.why") : "";
    this.under.hidden = !this.under.textContent;
    this.paper.textContent = kind === "today" ? "" : say(new Date(`${this.#desk.now.date}T12:00`), { day: "numeric", month: "long", year: "numeric" });
    this.search.hidden = kind !== "search";
    this.add.element.hidden = kind === "search" || list?.role === "viewer" || gone;
    if (kind === "search") {
      this.#query = fold(query.trim());
      if (fold(this.search.value.trim()) !== this.#query) this.search.value = query;
      if (this.#query) this.#unfolded = true;
    } else {
      this.#query = "";
      this.search.value = "";
    }
    this.add.moved();
    const had = this.extras.dataset.of, of = list?.role ? `${list.uid} ${list.role}` : kind;
    this.#redraw();
    // What is open of the same list stays open.
    if (had === of || had?.split(" ")[0] === of.split(" ")[0] && $("[aria-expanded=true]", this.extras)) return;
    this.extras.dataset.of = of;
    this.extras.replaceChildren();
    this.below.replaceChildren();
    this.#redraw = () => {};
    import("./head.js").then(({ headOf }) => {
      if (this.extras.dataset.of !== of) return;
      const { controls, below, draw } = headOf(list?.role ? list : null, this.#desk, this.#undo, () => this.#choose());
      this.extras.replaceChildren(...controls);
      this.below.replaceChildren(...below);
      (this.#redraw = draw)();
    }, () => {});
  }

  // made says what was added: where one sees it, to those only who can't, and else where it went.
  #made(ids, title) {
    const desk = this.#desk, task = desk.task(ids[0]), list = desk.listOf(task), context = { now: desk.now, inbox: desk.inbox, query: "", listName: () => "" };
    if (ids.length > 1) this.#undo.offer(t("pasted", { n: ids.length }));
    else if (inPlace(this.#place, task, context)) {
      this.#undo.passed();
      announce(t("added", { title }));
    } else this.#undo.offer(t("added.to", { title, where: [dueWords(dueOf(task), desk.now, language), !list || list.inbox ? t("place.inbox") : list.name].filter(Boolean).join(", ") }));
  }

  // clear empties the search that a key is pressed in.
  #clear(event) {
    if (event.target !== this.search || !this.search.value) return;
    event.preventDefault();
    this.search.value = "";
    this.#find();
  }

  #choose(id) { if (this.#editing.finish()) this.#arrange.choose(id); }

  // menu is what can be done with a row by touch, where it has no cross.
  async #menu(anchor, id) {
    const { openRowMenu } = /** @type {any} */ (await import("./head.js").catch(() => ({})));
    openRowMenu?.(anchor, this.#ticking.own(id), this.#desk, { choose: () => this.#choose(id), remove: () => this.#ticking.remove([id]) });
  }

  #redraw = () => {}; // what can be done with a list
  #counting = 0;
  // find shows what matches, among the done ones too, and says so in the address.
  #find() {
    const query = this.search.value;
    history.replaceState(null, "", hashOf({ kind: "search", query: query.trim() }));
    this.#place = { kind: "search", query };
    this.#query = fold(query.trim());
    this.#unfolded = Boolean(this.#query);
    this.#limit = this.#doneLimit = step;
    this.#render();
    clearTimeout(this.#counting);
    if (this.#query) this.#counting = setTimeout(() => { const { open, done } = this.#split(); announce(t("found", { n: open.length + done.length })); }, 500);
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

  // still draws, and leaves what is typed into or read where it is in the window.
  #still() {
    const held = this.#editing.holds(document.activeElement) ? this.#editing.element : document.activeElement?.closest?.("#list .task");
    const top = () => (held?.isConnected ? held.getBoundingClientRect().top : 0);
    const before = top();
    this.#head();
    this.#render();
    const by = held?.isConnected ? top() - before : 0;
    if (by && before > 0 && before < innerHeight) scrollBy(0, by);
  }

  #split() {
    const desk = this.#desk, context = { now: desk.now, inbox: desk.inbox, query: this.#query, listName: (task) => desk.listOf(task)?.name ?? "" };
    const open = [], done = [];
    for (const task of this.#ticking.visible()) {
      if (!inPlace(this.#place, task, context)) continue;
      const isDone = task.completed && !task.moving && !this.#ticking.lingers(task.id);
      // What is below a task is done and deleted with it.
      const above = !isDone && task.parent_id && this.#store.loaded ? desk.above(task) : task;
      if (above) (isDone || above !== task && above.completed && !this.#ticking.lingers(above.id) ? done : open).push(task);
    }
    // What is done has no place in what is to come, nor has what was done on other days in Today.
    if (this.#place.kind === "upcoming") done.length = 0;
    return { open, done: this.#place.kind === "today" ? done.filter((task) => !task.date_completed || wallOf(task.date_completed).startsWith(desk.now.date)) : done.sort(lastDone) };
  }

  #render() {
    const active = document.activeElement;
    const { open, done } = this.#split();
    this.loading.hidden = this.#store.loaded || this.#desk.tasks().length > 0;
    this.note.textContent = this.#noteOf(open, done);
    this.note.hidden = !this.note.textContent;
    this.fold.hidden = done.length === 0;
    this.fold.open = this.#unfolded;
    this.summary.textContent = t("done.count", { n: done.length });
    const sections = sectionsOf(this.#place, open, { now: this.#desk.now, folded: this.#folded });
    let room = this.#limit;
    for (const section of sections) {
      section.rows = section.rows.slice(0, Math.max(0, room));
      room -= section.rows.length;
    }
    const shown = sections.filter((section) => section.rows.length);
    const folded = this.fold.open ? done.slice(0, this.#doneLimit).map((task) => ({ task, depth: 0 })) : [];
    this.#editing.pin(shown, folded);
    this.#order = [...shown.flatMap((section) => section.rows), ...folded];
    const used = new Set(this.#order.map(({ task }) => task.id));
    for (const [id, row] of this.#rows) if (!used.has(id)) { row.element.remove(); this.#rows.delete(id); }
    const keys = new Set(shown.map(({ key }) => key));
    for (const [key, { element }] of this.#sections) if (!keys.has(key)) { element.remove(); this.#sections.delete(key); }
    let next = this.open.firstElementChild;
    for (const section of shown) {
      const { element, list, heading } = this.#section(section);
      const text = this.#nameOf(section);
      if (heading.textContent !== text) heading.textContent = text;
      heading.hidden = !text;
      heading.classList.toggle("late", Boolean(section.late));
      if (element === next) next = next.nextElementSibling;
      else this.open.insertBefore(element, next);
      this.#put(list, section.rows, section.key);
    }
    this.#put(this.doneList, folded, "done");
    this.#editing.update();
    this.#arrange.drawn();
    // The observer tells of changes only: an end that is still near is asked
    // for again.
    this.#watcher.unobserve(this.end);
    this.#watcher.observe(this.end);
    // An element that is moved loses the focus.
    if (document.activeElement === document.body && active?.isConnected) /** @type {HTMLElement} */ (active).focus({ preventScroll: !this.#editing.holds(active) });
  }

  #section({ key }) {
    let section = this.#sections.get(key);
    if (!section) {
      const heading = h("h2", { class: "day", id: `day-${key}` }), list = h("ul", { class: "tasks", "aria-labelledby": heading.id });
      section = { element: h("div", { class: "group" }, heading, list), heading, list };
      if (key === "all" || key === "edit") { list.removeAttribute("aria-labelledby"); list.setAttribute("aria-label", t("filter.open")); }
      this.#sections.set(key, section);
    }
    return section;
  }

  /** @param {import("./places.js").Section} section */
  #nameOf({ key, late, day, month }) {
    const { now } = this.#desk;
    if (late) return t("late");
    if (key === "today") return this.#sections.has("late") ? t("place.today") : "";
    if (day) {
      const tomorrow = dayNumber(day) - dayNumber(now.date) === 1, words = dueWords(day, now, language);
      const whole = say(new Date(`${day}T12:00`), { weekday: tomorrow ? undefined : "long", day: "numeric", month: "long" });
      return tomorrow ? `${words[0].toUpperCase()}${words.slice(1)}, ${whole}` : whole;
    }
    return month ? say(new Date(`${month}-15T12:00`), { month: "long", year: month.slice(0, 4) === now.date.slice(0, 4) ? undefined : "numeric" }) : "";
  }

  #noteOf(open, done) {
    const { kind } = this.#place;
    if (!this.#store.loaded || open.length) return "";
    if (kind === "list" && !this.#desk.list(this.#place.id)) return t("list.gone.why");
    if (kind === "search") return done.length ? "" : this.#query ? t("empty.search") : t("empty");
    if (!this.#desk.tasks().length) return t("empty");
    if (kind === "today") return t(done.length ? "empty.all" : "empty.today");
    if (kind === "upcoming" || kind === "label") return t(`empty.${kind}`);
    return t(done.length ? "empty.all" : kind === "list" ? "empty.list" : "empty.inbox");
  }

  #put(list, rows, section) {
    let next = list.firstElementChild;
    for (const { task, depth } of rows) {
      const element = this.#row(task, depth, section);
      if (element === next) next = next.nextElementSibling;
      else list.insertBefore(element, next);
    }
  }

  #row(task, depth, section) {
    const { id } = task, editing = this.#editing.of === id, desk = this.#desk;
    const tree = this.#place.kind === "inbox" || this.#place.kind === "list";
    const children = desk.children(id);
    const place = { ...this.#place, section, depth, folded: this.#folded.has(id), children: tree && section !== "done" && children && children.done < children.all ? children : null };
    const mark = editing ? `edit ${depth}` : markOf(task, desk, place);
    const known = this.#rows.get(id);
    if (known?.mark === mark) return known.element;
    const focused = known?.element.contains(document.activeElement) ? document.activeElement.classList[0] : "";
    const element = known?.element ?? h("li", { class: "task" });
    element.dataset.id = String(id);
    element.dataset.depth = String(Math.min(depth, 4));
    element.classList.toggle("done", task.completed);
    this.#rows.set(id, { element, mark });
    if (editing) element.replaceChildren(this.#editing.element);
    else {
      const now = () => this.#idOf(element);
      element.replaceChildren(...cellsOf(task, desk, place, {
        tick: () => this.#ticking.tick(now()), remove: () => this.#ticking.remove([now()]), menu: ({ currentTarget }) => this.#menu(currentTarget, now()), unfold: () => this.#unfold(now()), retry: () => this.#store.retry(now()), drop: () => this.#store.drop(now()),
        open: (event) => { if (!this.#arrange.clicked(event, now())) this.#editing.edit(now()); },
      }));
    }
    if (focused && !editing) /** @type {any} */ (element.querySelector(`.${focused}`))?.focus();
    return element;
  }

  #unfold(id) {
    if (!this.#folded.delete(id)) this.#folded.add(id);
    local.setItem("taskapi.folded", JSON.stringify([...this.#folded].slice(-500)));
    this.#render();
  }

  // field is where one types in this place.
  #field() { return this.#place.kind === "search" ? this.search : this.add.element.hidden ? this.title : this.input; }

  // reveal shows a task, also one that is done, and puts the focus on it.
  reveal(id) {
    const { open, done } = this.#split(), at = open.findIndex((task) => task.id === id);
    if (at >= 0) this.#limit = Math.max(this.#limit, open.length);
    else if (done.some((task) => task.id === id)) [this.#unfolded, this.#doneLimit] = [true, done.length];
    else return false;
    for (let task = this.#desk.task(id); task?.parent_id; task = this.#desk.task(task.parent_id)) this.#folded.delete(task.parent_id);
    this.#render();
    const title = this.#rows.get(id)?.element.querySelector(".title");
    title?.scrollIntoView({ block: "center" });
    title?.focus();
    return Boolean(title);
  }

  // renamed follows a new task when it gets its id.
  #renamed({ key, id }) {
    const row = this.#rows.get(key);
    if (row) {
      this.#rows.delete(key);
      this.#rows.set(id, row);
    }
    for (const part of [this.#ticking, this.#editing, this.#arrange]) part.renamed(key, id);
  }

  #new() {
    if (this.add.element.hidden) this.#go({ kind: "inbox" });
    else this.input.focus();
  }

  #idOf(row) { return [...this.#rows].find(([, known]) => known.element === row)?.[0]; }
}
