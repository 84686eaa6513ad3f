// The users, for admins.

import "./parts.js";
import { h } from "./dom.js";
import { dayOf, saidWaiting, t } from "./i18n.js";

const perPage = 50;
const patience = 4_000; // milliseconds between two tries to read them

// breakable lets an address go on in the next line where one would break it by
// hand.
const breakable = (email) => email.split(/(?<=[@.])/).flatMap((part) => [part, h("wbr")]);

export class UsersView {
  #api; #root; #gone = false; #page = 1; #query = "";

  constructor(api, root) {
    this.#api = api;
    this.#root = root;
    this.search = h("input", { type: "search", placeholder: t("users.search"), "aria-label": t("users.search"), oninput: () => { this.#query = this.search.value.trim().toLocaleLowerCase(); this.#page = 1; this.#draw(); } });
    this.body = h("tbody");
    this.note = h("p", { role: "status", class: "soft" });
    this.pages = h("div", { class: "line" });
    root.replaceChildren(h("h1", { tabIndex: -1 }, t("users")), this.search, h("table", {},
      h("thead", {}, h("tr", {}, ["username", "email", "users.role", "users.since"].map((key) => h("th", { scope: "col" }, t(key))))), this.body), this.note, this.pages);
    root.querySelector("h1").focus();
    this.#load();
  }

  close() { this.#gone = true; }

  // load reads all users, so that the search finds everybody.
  async #load() {
    this.users = [];
    try {
      for (let page = 1, pages = 1; page <= pages && !this.#gone; page++) {
        const answer = await this.#api.get(`/users/?per_page=100&page=${page}`);
        pages = answer.pagination.pages;
        this.users.push(...answer.users);
        if (!this.#gone) this.#draw();
      }
    } catch (error) {
      if (this.#gone) return;
      this.note.textContent = saidWaiting(error);
      setTimeout(() => { if (!this.#gone) this.#load(); }, Math.max(patience, (error.retryAfter ?? 0) * 1000));
    }
  }

  #draw() {
    const found = this.users.filter((user) => `${user.username} ${user.email}`.toLocaleLowerCase().includes(this.#query));
    const from = (this.#page - 1) * perPage;
    this.body.replaceChildren(...found.slice(from, from + perPage).map((user) => h("tr", {},
      h("td", {}, h("bdi", {}, user.username), h("span", { class: "under soft", "aria-hidden": "true" }, breakable(user.email))), h("td", {}, user.email), h("td", {}, t(`role.${user.role}`)), h("td", {}, dayOf(user.date_created)))));
    this.note.textContent = found.length ? "" : t("users.none");
    const turn = (by, text) => h("button", { type: "button", class: "second", disabled: this.#page + by < 1 || from + by * perPage >= found.length, onclick: () => { this.#page += by; this.#draw(); } }, text);
    this.pages.replaceChildren(...(found.length > perPage ? [turn(-1, t("page.prev")), turn(1, t("page.next"))] : []));
  }
}
