// The trash: what was deleted, the last first, with a way back. Without the server, it is
// what this device knows of.

import "./parts.js";
import { $, announce, h } from "./dom.js";
import { date, said, t } from "./i18n.js";

const patience = 4_000; // milliseconds between two tries to read it

export class TrashView {
  #desk; #root; #ask; #undo; #stop = new AbortController(); #page = 0; #away = false; #rows = new Map();

  // ask asks a question before there is no way back.
  constructor(desk, root, ask, undo) {
    this.#desk = desk;
    this.#root = root;
    this.#ask = ask;
    this.#undo = undo;
    this.list = h("ul", { class: "tasks trash", "aria-label": t("place.trash") });
    this.note = h("p", { class: "note soft", role: "status" });
    this.empty = h("button", { type: "button", class: "quiet erase", hidden: true, onclick: () => this.#empty() }, t("trash.empty"));
    this.more = h("button", { type: "button", class: "second", hidden: true, onclick: () => this.#load(this.#page + 1) }, t("trash.more"));
    const title = h("h1", { tabIndex: -1 }, t("place.trash"));
    root.replaceChildren(h("div", { class: "head" }, h("div", { class: "line" }, title, h("div", { class: "extras" }, this.empty)), h("p", { class: "soft" }, t("trash.hint"))), this.note, this.list, this.more);
    title.focus();
    desk.store.addEventListener("change", () => this.#draw(), { signal: this.#stop.signal });
    this.#draw();
    this.#load(1);
  }

  close() { this.#stop.abort(); }

  get #gone() { return this.#stop.signal.aborted; }

  async #load(page) {
    try {
      const { tasks, pagination } = await this.#desk.api.get(`/tasks/?trash=true&per_page=100&page=${page}`);
      if (this.#gone) return;
      this.#page = page;
      this.#away = false;
      this.more.hidden = !pagination.has_next;
      this.#desk.store.keepTrash(tasks, page > 1);
    } catch (error) {
      if (this.#gone) return;
      this.#away = true;
      this.#draw();
      setTimeout(() => { if (!this.#gone) this.#load(page); }, Math.max(patience, (error.retryAfter ?? 0) * 1000));
    }
  }

  // draw keeps the rows that are there: the focus may be in one.
  #draw() {
    const { trash } = this.#desk.store, known = this.#page > 0;
    const rows = new Map(trash.map((gone) => { const name = `${gone.name === undefined} ${gone.id}`; return [name, this.#rows.get(name) ?? this.#row(gone)]; }));
    for (const [name, row] of this.#rows) if (!rows.has(name)) this.#leave(row);
    this.#rows = rows;
    let next = this.list.firstElementChild;
    for (const row of rows.values()) {
      if (row === next) next = next.nextElementSibling;
      else this.list.insertBefore(row, next);
    }
    const text = this.#away || this.#desk.store.offline ? t("trash.away") : known && !trash.length ? t("trash.none") : "";
    if (this.note.textContent !== text) this.note.textContent = text;
    this.empty.hidden = !trash.length;
  }

  // leave takes a row away, and hands the focus on.
  #leave(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling, had = row.contains(document.activeElement);
    row.remove();
    if (had) ($("button", next ?? undefined) ?? $("h1", this.#root)).focus();
  }

  #row(gone) {
    const title = gone.title ?? gone.name, list = this.#desk.listOf(gone);
    const more = gone.name === undefined ? list && !list.inbox && list.name : t("trash.list");
    return h("li", { class: "task" }, h("div", { class: "title" }, h("span", { class: "words", dir: "auto" }, title),
      h("span", { class: "details soft" }, h("span", {}, more ? h("bdi", {}, more) : "", (more ? " · " : "") + t("trash.deleted", { date: date(gone.date_deleted) })))),
    h("button", { type: "button", class: "quiet", "aria-label": t("trash.restore.of", { title }), onclick: () => this.#restore(gone, title) }, t("trash.restore")));
  }

  #restore(gone, title) {
    const { store } = this.#desk;
    if (gone.name === undefined) store.undoRemove(gone);
    else store.undoRemoveList(gone);
    this.#undo.passed();
    announce(t("trash.restored", { title }));
  }

  async #empty() {
    if (!await this.#ask(t("trash.empty.ask"), t("trash.empty"), t("task.cancel"))) return;
    const { store, api } = this.#desk;
    try {
      await store.finish(4_000); // what is shown here has to be there
      await api.request("DELETE", "/trash");
      store.emptied();
      await this.#load(1);
    } catch (error) {
      this.note.textContent = said(error);
    }
  }
}
