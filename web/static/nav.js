// The places: a narrow column at the left, or a sheet from the bottom on a phone.

import { $, announce, h } from "./dom.js";
import { Drag } from "./drag.js";
import { t } from "./i18n.js";
import { hashOf, readPlace } from "./places.js";
import { dot } from "./rows.js";
import { initials } from "./words.js";

const paths = {
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 20 20",
  today: "M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
  upcoming: "M5 6h14v14H5zM5 10h14M9 3v4M15 3v4",
  inbox: "M4 13h5l1.5 2.5h3L15 13h5M4 13l2.5-8h11L20 13v6H4z",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
};

// icon draws one of the signs above.
export function icon(name) {
  const make = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const svg = make("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" });
  svg.append(make("path", { d: paths[name] }));
  return svg;
}

export class Nav {
  #desk; #api; #undo; #nav; #button; #body; #marks = ""; #new;
  place = null;

  constructor(desk, api, undo) {
    this.#desk = desk;
    this.#api = api;
    this.#undo = undo;
    this.#nav = $("#places");
    this.#button = $("#places-open");
    this.#body = $("#places-list");
    this.#nav.setAttribute("aria-label", t("places"));
    this.#button.setAttribute("aria-label", t("places"));
    this.#button.addEventListener("click", () => this.#toggle());
    $("#shade").addEventListener("click", () => this.close());
    const idOf = (link) => { const { id } = readPlace(link.dataset.place); return desk.list(id)?.id; };
    const drag = new Drag(this.#nav, {
      rows: '#places a[data-place^="#/list/"]', idOf, can: (id) => Boolean(desk.list(id)), many: () => 1, ordered: () => true, title: (id) => desk.list(id).name,
      beside: (id, other, where) => this.#move(id, { [where === "before" ? "before_id" : "after_id"]: other }),
    });
    this.#nav.addEventListener("click", (event) => {
      if (drag.over()) event.preventDefault();
      else if (event.target.closest("a, #menu button")) this.close();
    });
    this.#nav.addEventListener("keydown", (event) => {
      const link = event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key) && event.target.closest('a[data-place^="#/list/"]');
      if (link) {
        event.preventDefault();
        this.#shift(idOf(link), event.key === "ArrowUp" ? -1 : 1);
      }
      if (event.key === "Escape" && this.#isOpen) {
        event.preventDefault();
        this.close();
        this.#button.focus();
      }
    });
    desk.store.addEventListener("change", () => this.draw());
  }

  #shift(id, by) {
    const all = this.#desk.lists().filter((list) => !list.inbox), other = all[all.findIndex((list) => list.id === id) + by];
    if (other) this.#move(id, { [by < 0 ? "before_id" : "after_id"]: other.id });
  }

  #move(id, where) {
    if (id === (where.before_id ?? where.after_id) || !this.#desk.moveList(id, where)) return;
    this.drawNow();
    this.#undo.offer(t("moved", { title: this.#desk.list(id).name }));
  }

  get #isOpen() { return this.#nav.classList.contains("open"); }

  #toggle() {
    if (this.#isOpen) {
      this.close();
      return;
    }
    this.#nav.classList.add("open");
    document.body.classList.add("sheet");
    this.#button.setAttribute("aria-expanded", "true");
    ($("a[aria-current]", this.#nav) ?? $("a", this.#nav))?.focus();
  }

  close() {
    this.#nav.classList.remove("open");
    document.body.classList.remove("sheet");
    this.#button.setAttribute("aria-expanded", "false");
  }

  #frame = 0;
  draw() { this.#frame ||= requestAnimationFrame(() => { this.#frame = 0; this.drawNow(); }); }

  drawNow() {
    const shown = document.documentElement.classList.contains("in");
    if (!shown) {
      this.#body.replaceChildren();
      this.#marks = "";
      return;
    }
    const desk = this.#desk, counts = desk.counts(), inbox = desk.inbox;
    const entries = ["search", "today", "upcoming", "inbox"].map((kind) => ({ place: { kind }, name: t(`place.${kind}`), icon: kind, n: kind === "today" ? counts.today : kind === "inbox" ? counts.lists.get(inbox) : 0, late: kind === "today" && counts.late }));
    const lists = desk.lists().filter((list) => list.id !== inbox).map((list) => ({
      place: { kind: "list", id: list.id }, name: list.name, hue: desk.hueOf(list), n: counts.lists.get(list.id), problem: Boolean(list.problem),
      with: desk.people(list.id).filter((person) => person.id !== this.#api.userID).map((person) => person.name),
    }));
    const labels = desk.labels().map((name) => ({ place: { kind: "label", name }, name, label: true, n: counts.labels.get(name) }));
    const here = this.place ? hashOf(this.place).replace(/\?.*/, "") : "";
    const marks = JSON.stringify([entries, lists, labels, here]);
    if (marks === this.#marks) return;
    this.#marks = marks;
    const active = this.#body.contains(document.activeElement) && document.activeElement, had = active && active.getAttribute("href");
    const link = (entry) => this.#link(entry, here);
    this.#body.replaceChildren(
      h("ul", {}, entries.map(link)),
      h("h2", { id: "places-lists" }, t("places.lists")), h("ul", { "aria-labelledby": "places-lists" }, lists.map(link), this.#new ??= h("li", {}, this.#maker())),
      ...(labels.length ? [h("h2", { id: "places-labels" }, t("places.labels")), h("ul", { "aria-labelledby": "places-labels" }, labels.map(link))] : []),
      h("ul", { class: "last" }, link({ place: { kind: "trash" }, name: t("place.trash"), icon: "trash" })));
    if (active && active.isConnected) /** @type {HTMLElement} */ (active).focus(); // who makes a list types on
    else if (had) [...this.#body.querySelectorAll("a")].find((a) => a.getAttribute("href") === had)?.focus();
  }

  #link({ place, name, icon: sign, hue, label, n, late, problem, with: others }, here) {
    const href = hashOf(place);
    return h("li", {}, h("a", { href, "aria-current": href === here ? "page" : undefined, "data-place": href },
      sign ? icon(sign) : label ? h("i", { class: "hash", "aria-hidden": "true" }, "#") : dot(hue),
      h("bdi", { class: "name" }, name),
      others?.length ? h("span", { class: "with" }, others.slice(0, 2).map((who) => h("span", { class: "who", title: who, "aria-hidden": "true" }, initials(who))), h("span", { class: "unseen" }, t("shared.with", { names: others.join(", ") }))) : null,
      problem ? h("span", { class: "count late" }, "!", h("span", { class: "unseen" }, t("list.refused"))) : n ? h("span", { class: late ? "count late" : "count" }, n, h("span", { class: "unseen" }, t(late ? "count.late" : "count.open", { n: late || n }))) : null));
  }

  // maker turns into a field for the name of a new list.
  #maker() {
    const button = h("button", { type: "button", class: "quiet make", onclick: () => {
      const input = h("input", { name: "list", "aria-label": t("list.name"), placeholder: t("list.name"), maxLength: 100, autocomplete: "off", dir: "auto" });
      const form = h("form", { class: "make-list", onsubmit: (event) => {
        event.preventDefault();
        const name = input.value.trim();
        if (!name) return;
        form.replaceWith(button);
        const id = this.#desk.store.addList(name);
        location.hash = hashOf({ kind: "list", id });
        this.close();
        this.#undo.offer(t("list.made", { name }));
      } }, input);
      form.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); form.replaceWith(button); button.focus(); } });
      input.addEventListener("blur", () => { if (!input.value.trim()) form.replaceWith(button); });
      button.replaceWith(form);
      input.focus();
    } }, h("span", { "aria-hidden": "true" }, "+"), t("list.new"));
    return button;
  }
}
