// The trash: what was deleted, the last first, with a way back.

import { $, announce, h } from "./dom.js";
import { date, said, saidWaiting, t } from "./i18n.js";

const patience = 4_000; // milliseconds between two tries to read it

export class TrashView {
  #desk; #root; #ask; #gone = false; #page = 1;

  // ask asks a question before there is no way back.
  constructor(desk, root, ask) {
    this.#desk = desk;
    this.#root = root;
    this.#ask = ask;
    this.list = h("ul", { class: "tasks trash", "aria-label": t("place.trash") });
    this.note = h("p", { class: "note soft", role: "status" });
    this.empty = h("button", { type: "button", class: "quiet erase", hidden: true, onclick: () => this.#empty() }, t("trash.empty"));
    this.more = h("button", { type: "button", class: "second", hidden: true, onclick: () => this.#load(this.#page + 1) }, t("trash.more"));
    const title = h("h1", { tabIndex: -1 }, t("place.trash"));
    root.replaceChildren(h("div", { class: "head" }, h("div", { class: "line" }, title, h("div", { class: "extras" }, this.empty)), h("p", { class: "soft" }, t("trash.hint"))), this.note, this.list, this.more);
    title.focus();
    this.#load(1);
  }

  close() { this.#gone = true; }

  async #load(page) {
    try {
      const { tasks, pagination } = await this.#desk.api.get(`/tasks/?trash=true&per_page=100&page=${page}`);
      if (this.#gone) return;
      this.#page = page;
      if (page === 1) this.list.replaceChildren();
      this.list.append(...tasks.map((task) => this.#row(task)));
      this.more.hidden = !pagination.has_next;
      this.#count();
    } catch (error) {
      if (this.#gone) return;
      this.note.textContent = saidWaiting(error);
      setTimeout(() => { if (!this.#gone) this.#load(page); }, Math.max(patience, (error.retryAfter ?? 0) * 1000));
    }
  }

  #count() {
    const none = !this.list.firstElementChild;
    this.note.textContent = none ? t("trash.none") : "";
    this.empty.hidden = none;
  }

  #row(task) {
    const { title } = task, list = this.#desk.listOf(task);
    const row = h("li", { class: "task" }, h("div", { class: "title" }, h("span", { class: "words", dir: "auto" }, title),
      h("span", { class: "details soft" }, [list && !list.inbox ? h("bdi", {}, `${list.name} · `) : "", t("trash.deleted", { date: date(task.date_deleted) })])),
    h("button", { type: "button", class: "quiet", "aria-label": t("trash.restore.of", { title }), onclick: () => this.#restore(task, row) }, t("trash.restore")));
    return row;
  }

  async #restore({ id, title }, row) {
    try {
      await this.#desk.api.request("POST", `/tasks/${id}/restore`);
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      ($("button", next ?? undefined) ?? $("h1", this.#root)).focus();
      announce(t("trash.restored", { title }));
      this.#count();
      await this.#desk.store.sync();
    } catch (error) {
      this.note.textContent = said(error);
    }
  }

  async #empty() {
    if (!await this.#ask(t("trash.empty.ask"), t("trash.empty"), t("task.cancel"))) return;
    try {
      await this.#desk.api.request("DELETE", "/trash");
      await this.#load(1);
    } catch (error) {
      this.note.textContent = said(error);
    }
  }
}
