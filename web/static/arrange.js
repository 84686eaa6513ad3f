// Order and structure by hand: rows are moved by keys, by pointer and by touch, and several
// are chosen and changed at once.

import { $, announce, h, isTyping } from "./dom.js";
import { Drag } from "./drag.js";
import { t } from "./i18n.js";
import { dayNumber, dayText } from "./words.js";

export class Arrange {
  #desk; #view; #chosen = new Set(); #anchor = null; #bar = null; #drag;
  #choosing = false; #stop = new AbortController();

  // view has root, undo, order, place, row, task, idOf, render, tick, calm, remove and focus.
  constructor(desk, view) {
    this.#desk = desk;
    this.#view = view;
    this.#drag = new Drag(view.root, {
      can: (id) => Boolean(view.task(id)) && typeof id === "number", idOf: view.idOf, many: (id) => this.#group(id).length,
      ordered: () => this.#tree, beside: (id, other, where) => this.#drop(id, other, where), into: (id, href) => this.#put(id, href), title: (id) => view.task(id)?.title ?? "",
    });
    view.root.addEventListener("click", (event) => this.#pressed(event), { signal: this.#stop.signal, capture: true });
  }

  close() {
    this.#drag.close();
    this.#stop.abort();
    this.clear();
  }

  get #tree() { return ["inbox", "list"].includes(this.#view.place().kind); }

  // group is what is done to a row: it, or all that are chosen with it.
  #group(id) { return this.#chosen.has(id) ? this.#shown.filter((each) => this.#chosen.has(each)) : [id]; }

  // choose lets every press on a row choose it, for who has no Ctrl or does not know of it.
  choose(id) {
    this.#choosing = true;
    document.body.classList.add("choosing");
    if (id !== undefined) this.#toggle(id);
    this.drawn();
    this.#view.focus(id ?? this.#shown[0]);
    announce(this.#text);
  }

  clear() {
    if (!this.#chosen.size && !this.#choosing) return;
    this.#choosing = false;
    document.body.classList.remove("choosing");
    this.#chosen.clear();
    for (const id of this.#shown) this.#mark(id);
    this.#draw();
  }

  get #shown() { return this.#view.order().map(({ task }) => task.id); }

  // drawn follows the rows after they were drawn.
  drawn() {
    if (!this.#chosen.size && !this.#choosing) return;
    for (const id of this.#chosen) if (!this.#view.row(id)) this.#chosen.delete(id);
    for (const id of this.#shown) this.#mark(id);
    this.#draw();
  }

  // mark shows of a row whether it is chosen.
  #mark(id) {
    const row = this.#view.row(id), title = row && $("button.title", row), on = this.#chosen.has(id);
    row?.classList.toggle("chosen", on);
    if (!title) return;
    title.firstChild.hidden = this.#choosing; // that a press opens it
    if (on || this.#choosing) title.setAttribute("aria-pressed", String(on));
    else title.removeAttribute("aria-pressed");
  }

  renamed(key, id) {
    if (this.#chosen.delete(key)) this.#chosen.add(id);
    if (this.#anchor === key) this.#anchor = id;
  }

  #toggle(id) {
    if (!this.#view.task(id)) return;
    const on = !this.#chosen.delete(id);
    if (on) this.#chosen.add(id);
    this.#mark(id);
  }

  #range(from, to) {
    const ids = this.#shown, [a, b] = [ids.indexOf(from), ids.indexOf(to)].sort((x, y) => x - y);
    if (a < 0) return;
    for (const id of ids.slice(a, b + 1)) if (!this.#chosen.has(id)) this.#toggle(id);
  }

  // clicked chooses with Ctrl and Shift, and says whether it did.
  clicked(event, id) {
    if (this.#drag.over()) return true;
    if (event.shiftKey && event.detail) this.#range(this.#anchor ?? id, id);
    else if (event.ctrlKey || event.metaKey) this.#toggle(id);
    else {
      this.clear();
      this.#anchor = id;
      return false;
    }
    this.#anchor = id;
    this.#draw();
    return true;
  }

  #pressed(event) {
    const row = this.#choosing && !event.target.closest(".edit") && event.target.closest(".task"), id = row && this.#view.idOf(row);
    if (!id) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.#drag.over()) return;
    if (event.shiftKey && event.detail) this.#range(this.#anchor ?? id, id);
    else this.#toggle(id);
    this.#anchor = id;
    this.#draw();
  }

  // key says whether a key was for this.
  key(event) {
    if (event.defaultPrevented || isTyping(event.target) || $("dialog[open]")) return false;
    const row = document.activeElement?.closest?.(".task"), id = row && this.#view.idOf(row);
    const act = this.#actOf(event, id);
    if (!act) return false;
    event.preventDefault();
    act();
    return true;
  }

  #actOf(event, id) {
    const { key, altKey, shiftKey, ctrlKey, metaKey } = event, by = { ArrowDown: 1, ArrowUp: -1, J: 1, K: -1 }[key];
    if (ctrlKey || metaKey) return null;
    if (altKey) {
      if (!id) return null;
      if (!this.#view.task(id)) return () => announce(t("list.fixed.why"));
      if (key === "ArrowDown" || key === "ArrowUp") return () => this.#shift(id, by);
      if (key === "ArrowRight") return () => this.#nest(id);
      return key === "ArrowLeft" ? () => this.#unnest(id) : null;
    }
    if (by && id) return () => this.#step(id, by, shiftKey);
    if (!this.#chosen.size && !this.#choosing) return null;
    if (key === "Escape") return () => this.clear();
    if (!this.#chosen.size) return null;
    if (key === "x") return () => this.#tickAll();
    return key === "#" || key === "Delete" ? () => this.#removeAll() : null;
  }

  #step(id, by, choosing) {
    const ids = this.#shown, next = ids[ids.indexOf(id) + by];
    if (choosing) {
      if (!this.#chosen.has(id)) this.#toggle(id);
      else if (next !== undefined && this.#chosen.has(next)) this.#toggle(id);
      if (next !== undefined && !this.#chosen.has(next)) this.#toggle(next);
      this.#draw();
    }
    if (next !== undefined) this.#view.focus(next);
  }

  // siblings are the rows beside one that are shown.
  #siblings(id) {
    const { parent_id: parent } = this.#view.task(id) ?? {};
    return this.#view.order().map(({ task }) => task).filter((task) => !task.completed && (task.parent_id ?? null) === (parent ?? null));
  }

  #shift(id, by) {
    const all = this.#siblings(id), at = all.findIndex((task) => task.id === id), other = all[at + by];
    if (!this.#tree) announce(t("order.here"));
    else if (other) this.#move([id], by < 0 ? { before_id: other.id } : { after_id: other.id }, t("moved", { title: all[at].title }));
  }

  #nest(id) {
    const all = this.#siblings(id), at = all.findIndex((task) => task.id === id), above = all[at - 1];
    if (!this.#tree || !above) return;
    const last = this.#desk.siblings({ parent_id: above.id, list_id: above.list_id }).at(-1);
    this.#move([id], { parent_id: above.id, ...last && { after_id: last.id } }, t("nested", { title: all[at].title, parent: above.title }));
  }

  #unnest(id) {
    const task = this.#view.task(id), parent = task?.parent_id && this.#desk.task(task.parent_id);
    if (this.#tree && parent) this.#move([id], { parent_id: parent.parent_id ?? null, after_id: parent.id }, t("moved", { title: task.title }));
  }

  // move moves tasks one behind the other.
  #move(ids, where, text) {
    const focused = ids.find((id) => this.#view.row(id)?.contains(document.activeElement));
    this.#desk.together(() => {
      for (const [i, id] of ids.entries()) this.#desk.move(id, i ? { ...where, before_id: undefined, after_id: ids[i - 1] } : where);
    });
    this.#view.render();
    if (focused !== undefined) this.#view.focus(focused);
    this.#view.undo.offer(text);
  }

  #drop(id, other, where) {
    const ids = this.#group(id), to = this.#desk.task(other);
    if (!to || ids.includes(other)) return;
    const text = ids.length > 1 ? t("moved.n", { n: ids.length }) : t("moved", { title: this.#desk.task(id).title });
    const base = { list_id: to.list_id, parent_id: to.parent_id ?? null };
    if (where === "into") this.#move(ids, { list_id: to.list_id, parent_id: other }, text);
    else this.#move(ids, { ...base, [where === "before" ? "before_id" : "after_id"]: other }, text);
    this.clear();
  }

  // put brings tasks to a place that is not shown.
  #put(id, href) {
    const ids = this.#group(id), { date } = this.#desk.now, [, list] = /^#\/list\/(.+)$/.exec(href) ?? [], [, label] = /^#\/label\/(.+)$/.exec(href) ?? [];
    if (href === "#/trash") this.#view.remove(ids);
    else if (list || href === "#/inbox") this.#changeAll(ids, () => ({ list_id: Number(list) || list || this.#desk.inbox }));
    else if (href === "#/today") this.#changeAll(ids, () => ({ due: date }));
    else if (label) this.#changeAll(ids, (task) => ({ labels: [...new Set([...task.labels ?? [], decodeURIComponent(label)])] }));
    this.clear();
  }

  // changeAll changes tasks by their fields, with one way back for all.
  #changeAll(ids, patchOf) {
    const tasks = ids.map((id) => this.#view.task(id)).filter(Boolean);
    this.#desk.together(() => { for (const task of tasks) this.#desk.change(task.id, patchOf(task)); });
    if (tasks.length) this.#view.undo.offer(t("changed.n", { n: tasks.length }));
  }

  #tickAll() {
    const ids = [...this.#chosen];
    this.clear();
    this.#desk.together(() => { for (const id of ids) if (!this.#view.task(id)?.completed) this.#view.tick(id); });
    this.#view.undo.offer(t("ticked.n", { n: ids.length }), { also: () => this.#view.calm() });
  }

  #removeAll() {
    const ids = [...this.#chosen];
    this.clear();
    this.#view.remove(ids);
  }

  get #text() { return this.#chosen.size ? t("chosen", { n: this.#chosen.size }) : t("choose.hint"); }

  // draw shows what can be done with those that are chosen.
  #draw() {
    if (!this.#chosen.size && !this.#choosing) {
      if (this.#bar?.contains(document.activeElement)) this.#view.focus(this.#anchor ?? this.#shown[0]);
      this.#bar?.remove();
      this.#bar = null;
      return;
    }
    this.#bar ??= this.#make();
    const [, status, ...acts] = this.#bar.children;
    if (status.textContent !== this.#text) status.textContent = this.#text;
    for (const control of acts) control.hidden = !this.#chosen.size;
  }

  #make() {
    const desk = this.#desk, act = (text, run, kind = "quiet") => h("button", { type: "button", class: kind, onclick: run }, text);
    const choose = (label, options, pick) => h("select", { "aria-label": label, onchange: (event) => { const { value } = event.target; pick([...this.#chosen], value); this.clear(); } }, h("option", { value: "", selected: true, disabled: true }, label), options.map(([value, text]) => h("option", { value }, text)));
    const { date } = desk.now, on = (days) => dayText(dayNumber(date) + days);
    const dates = [[on(0), t("place.today")], [on(1), t("date.tomorrow")], [on(7), t("date.week")], ["none", t("date.none")]];
    const lists = desk.lists().filter((list) => list.role !== "viewer").map(({ id, name, inbox }) => [String(id), inbox ? t("place.inbox") : name]);
    const bar = h("aside", { id: "many", class: "bar bottom many", "aria-label": t("chosen.label"), onkeydown: (event) => { if (event.key === "Escape") this.clear(); } }, act("×", () => this.clear()), h("span", { role: "status" }),
      act(t("chosen.done"), () => this.#tickAll()),
      choose(t("chip.due"), dates, (ids, value) => this.#changeAll(ids, (task) => (value === "none" ? { due: null, ...task.recurrence && { recurrence: null } } : { due: value + (task.due ?? "").slice(10) }))),
      choose(t("chip.list"), lists, (ids, value) => this.#changeAll(ids, () => ({ list_id: Number(value) || value }))),
      act(t("task.delete"), () => this.#removeAll(), "quiet erase"));
    bar.firstChild.setAttribute("aria-label", t("chosen.none"));
    $("#undo").after(bar);
    return bar;
  }
}
