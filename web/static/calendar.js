// The calendar: a day by keys, by touch or by a quick choice, and a time.

import "./parts.js";
import { monthDays, monthsOn, quickDays, steered, upper, weekStart, written } from "./choices.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { popover } from "./popover.js";
import { locales } from "./surroundings.js";
import { dayNumber, dayText, dueWords } from "./words.js";
import { zoneName } from "./zone.js";

/**
 * openCalendar asks for a date, in a popover at an anchor. Esc changes nothing; a time that
 * was typed counts also for who goes on elsewhere.
 * @param {{anchor: HTMLElement, about?: HTMLElement, due: string | null, zone?: string | null, language: string, now: import("./words.js").Now,
 *   onPick: (due: string | null) => void, onClose?: () => void}} options  now is on the clock of the zone
 */
export function openCalendar(options) { return new Calendar(options).popover; }

class Calendar {
  popover = null;
  #due; #language; #now; #onPick; #say; #start; #day;
  #title; #cells; #time; #noTime; #set;

  /** @param {any} options */
  constructor({ anchor, about, due, zone, language, now, onPick, onClose }) {
    this.#due = due;
    this.#language = language;
    this.#now = now;
    this.#onPick = onPick;
    this.#say = t;
    this.#start = weekStart(locales, language);
    this.#day = dayNumber(due ?? now.date);
    const content = [this.#quick(), this.#month(), this.#grid(), ...this.#clock(zone)];
    this.popover = popover({ anchor, about, label: this.#say("calendar"), kind: "calendar", content, left: () => this.#leave(), closed: onClose });
    if (!this.popover) return;
    this.#draw();
    this.#focus();
  }

  #quick() {
    const choices = Object.entries(quickDays(this.#now)).map(([name, day]) => h("button", { type: "button", class: "cal-choice", onclick: () => this.#pick(day) },
      this.#say(`calendar.${name}`), name.startsWith("t") ? null : h("small", {}, written(day, this.#language, { weekday: "short", day: "numeric" }))));
    if (this.#due) choices.push(h("button", { type: "button", class: "cal-choice", onclick: () => this.popover.close(() => this.#onPick(null)) }, this.#say("calendar.none")));
    return h("div", { class: "cal-quick" }, choices);
  }

  #month() {
    const turn = (name, sign, months) => h("button", { type: "button", class: "quiet cal-turn", "aria-label": this.#say(name), onclick: () => { this.#day = monthsOn(this.#day, months); this.#draw(); } }, sign);
    this.#title = h("p", { class: "cal-month", id: "calendar-month", "aria-live": "polite" });
    return h("div", { class: "cal-turns" }, turn("calendar.before", "‹", -1), this.#title, turn("calendar.after", "›", 1));
  }

  // A grid of the days of six weeks, of which one is in the tab order (WAI-ARIA, date grid).
  #grid() {
    const names = Array.from({ length: 7 }, (_, i) => 3 + this.#start + i); // 4 January 1970 was a Sunday
    const row = (cells) => h("div", { role: "row" }, cells);
    const head = row(names.map((day) => h("span", { role: "columnheader", "aria-label": written(day, this.#language, { weekday: "long" }) }, written(day, this.#language, { weekday: "short" }).slice(0, 2))));
    this.#cells = Array.from({ length: 42 }, () => h("span", { class: "cal-day", role: "gridcell", tabIndex: -1 }));
    const weeks = Array.from({ length: 6 }, (_, i) => row(this.#cells.slice(7 * i, 7 * i + 7)));
    const days = h("div", { class: "cal-days", role: "grid", "aria-labelledby": "calendar-month", "aria-describedby": "calendar-keys",
      onclick: ({ target }) => { const cell = target.closest(".cal-day"); if (cell) this.#pick(Number(cell.dataset.day)); },
      onkeydown: (event) => this.#key(event) }, head, weeks);
    return h("div", {}, days, h("p", { class: "unseen", id: "calendar-keys" }, this.#say("calendar.keys")));
  }

  #clock(zone) {
    this.#time = h("input", { type: "time", id: "calendar-time", value: this.#due?.slice(11, 16) ?? "", oninput: () => this.#draw(),
      onkeydown: (event) => { if (event.key === "Enter") { event.preventDefault(); this.#pick(this.#day); } } });
    this.#noTime = h("button", { type: "button", class: "quiet", onclick: () => { this.#time.value = ""; this.#draw(); this.#time.focus(); } }, this.#say("calendar.notime"));
    this.#set = h("button", { type: "button", class: "pop-set", onclick: () => this.#pick(this.#day) });
    return [h("div", { class: "cal-clock" }, h("label", { for: "calendar-time" }, this.#say("calendar.time")), this.#time, this.#noTime),
      zone && zone !== zoneName() ? h("p", { class: "soft cal-zone" }, this.#say("calendar.zone", { zone: zone.replaceAll("_", " ") })) : null, this.#set];
  }

  #draw() {
    const today = dayNumber(this.#now.date), chosen = this.#due ? dayNumber(this.#due) : null, month = dayText(this.#day).slice(0, 7);
    const title = upper(written(this.#day, this.#language, { month: "long", year: "numeric" }));
    if (this.#title.textContent !== title) this.#title.textContent = title;
    monthDays(this.#day, this.#start).forEach((day, i) => {
      const cell = this.#cells[i];
      cell.textContent = String(new Date(day * 864e5).getUTCDate());
      cell.dataset.day = day;
      cell.tabIndex = day === this.#day ? 0 : -1;
      cell.classList.toggle("other", !dayText(day).startsWith(month));
      cell.setAttribute("aria-label", written(day, this.#language, { weekday: "long", day: "numeric", month: "long", year: "numeric" }));
      cell.removeAttribute("aria-current");
      if (day === today) cell.setAttribute("aria-current", "date");
      cell.removeAttribute("aria-selected");
      if (day === chosen) cell.setAttribute("aria-selected", "true");
    });
    this.#noTime.hidden = !this.#time.value;
    this.#set.textContent = this.#say("calendar.set", { date: dueWords(this.#value(this.#day), this.#now, this.#language) });
  }

  #focus() { this.#cells.find((cell) => cell.tabIndex === 0).focus(); }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !event.target.matches(".cal-day")) return;
    const day = steered(this.#day, event, this.#start);
    if (day !== null) {
      event.preventDefault();
      this.#day = day;
      this.#draw();
      this.#focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#pick(this.#day);
    }
  }

  #value(day) { return dayText(day) + (this.#time.value ? `T${this.#time.value.slice(0, 5)}` : ""); }

  #pick(day) {
    if (this.#time.validity.badInput) { // half a time
      this.#time.focus();
      this.#time.reportValidity();
      return;
    }
    this.popover.close(() => this.#onPick(this.#value(day)));
  }

  #leave() {
    const changed = this.#time.value !== (this.#due?.slice(11, 16) ?? "");
    if (changed && !this.#time.validity.badInput) this.#onPick(this.#value(this.#day));
  }
}
