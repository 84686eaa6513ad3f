// How a task repeats: usual rules in words, one of one's own, and what dates come of it.

import "./parts.js";
import { comingDates, customRule, isClamped, monthDayOf, nthOf, readCustom, repeatChoices, sameRule, upper, written } from "./choices.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { popover } from "./popover.js";
import { dayNumber, dueWords, nextDates, repeatWords, weekdayCodes } from "./words.js";

/**
 * openRepeat asks how a task repeats, in a popover at an anchor. Esc changes nothing; who
 * goes on elsewhere takes what is chosen. A task without a date gets one with its rule.
 * @param {{anchor: HTMLElement, about?: HTMLElement, rule: string | null, from: string | null, due: string | null, language: string, now: import("./words.js").Now,
 *   onPick: (chosen: {recurrence: string, recurrence_from: "due" | "completion", due?: string} | null) => void, onClose?: () => void}} options
 */
export function openRepeat(options) { return new Repeat(options).popover; }

class Repeat {
  popover = null;
  #rule; #completion; #due; #dated; #language; #now; #onPick; #say;
  #was; #custom; #choices; #fields; #preview; #set; #name;

  /** @param {any} options */
  constructor({ anchor, about, rule, from, due, language, now, onPick, onClose }) {
    this.#rule = rule || null;
    this.#completion = this.#was = Boolean(rule) && from === "completion";
    this.#dated = Boolean(due);
    this.#due = due ?? now.date;
    this.#language = language;
    this.#now = now;
    this.#onPick = onPick;
    this.#say = t;
    this.#custom = readCustom(this.#rule, this.#due);
    this.#choices = h("fieldset", { class: "pop-rules" });
    this.#fields = h("div", { class: "pop-custom" });
    this.#preview = h("div", { class: "pop-next", "aria-live": "polite" });
    this.#set = h("button", { type: "submit" }, this.#say("repeat.set"));
    this.#name = this.#first();
    const form = h("form", { noValidate: true, onsubmit: (event) => { event.preventDefault(); this.#take(); } },
      this.#choices, this.#fields, this.#completionBox(), this.#preview, this.#set);
    this.#drawChoices();
    this.#drawFields();
    this.#draw();
    this.popover = popover({ anchor, about, label: this.#say("repeat.title"), kind: "repeat", content: [form], left: () => this.#leave(), closed: onClose });
    this.#choices.querySelector(":checked")?.focus();
  }

  // first is the name of the choice that the task has now.
  #first() {
    if (!this.#rule) return "never";
    return repeatChoices(this.#due, this.#completion).find(({ rule }) => sameRule(rule, this.#rule))?.name ?? "own";
  }

  #completionBox() {
    return h("label", { class: "check" }, h("input", { type: "checkbox", checked: this.#completion, onchange: ({ target }) => {
      this.#completion = target.checked;
      this.#drawChoices();
      this.#drawFields();
      this.#draw();
    } }), this.#say("repeat.completion"));
  }

  #drawChoices() {
    const choices = repeatChoices(this.#due, this.#completion).map(({ name, rule }) => [name, upper(repeatWords(rule, this.#language))]);
    if (this.#name !== "own" && this.#name !== "never" && this.#name !== "custom" && !choices.some(([name]) => name === this.#name)) this.#name = "month";
    const all = [["never", this.#say("repeat.never")], ...this.#isOwn() ? [["own", upper(repeatWords(this.#rule, this.#language))]] : [], ...choices, ["custom", this.#say("repeat.custom")]];
    this.#choices.replaceChildren(h("legend", { class: "unseen" }, this.#say("repeat.title")), ...all.map(([name, words]) => h("label", { class: "check" },
      h("input", { type: "radio", name: "repeat", value: name, checked: name === this.#name, onchange: () => { this.#name = name; this.#draw(); } }), words)));
  }

  // isOwn tells whether the task has a rule that is not among the usual ones.
  #isOwn() { return this.#rule && !repeatChoices(this.#due, this.#was).some(({ rule }) => sameRule(rule, this.#rule)); }

  #number(name, label, max) {
    return h("input", { type: "number", id: `repeat-${name}`, min: 1, max, "aria-label": label, value: this.#custom[name], oninput: ({ target }) => { this.#custom[name] = target.value === "" ? NaN : Number(target.value); this.#draw(); } });
  }

  #select(name, label, options) {
    return h("select", { id: `repeat-${name}`, "aria-label": label, onchange: ({ target }) => { this.#custom[name] = name === "unit" ? Number(target.value) : target.value; this.#drawFields(); this.#draw(); this.#fields.querySelector(`#repeat-${name}`).focus(); } },
      options.map(([value, words]) => h("option", { value, selected: String(this.#custom[name]) === String(value) }, words)));
  }

  #drawFields() {
    const say = this.#say, custom = this.#custom, lines = [];
    const line = (label, ...fields) => lines.push(h("div", { class: "pop-row" }, h("span", {}, label), ...fields));
    line(say("repeat.every"), this.#number("interval", say("repeat.number"), 999), this.#select("unit", say("repeat.unit"), [0, 1, 2, 3].map((n) => [n, say(`repeat.unit.${n}`)])));
    if (custom.unit === 1 && !this.#completion) lines.push(this.#weekdays());
    if (custom.unit === 2 && !this.#completion) {
      const words = (rule) => repeatWords(rule, this.#language).replace(/^(every month|cada mes) /, "");
      lines.push(this.#select("month", say("repeat.on"), [["day", words(monthDayOf(this.#due))], ["nth", words(nthOf(this.#due))], ["last", say("repeat.last")]]));
    }
    line(say("repeat.end"), this.#select("end", say("repeat.end"), [["", say("repeat.end.never")], ["UNTIL", say("repeat.end.UNTIL")], ["COUNT", say("repeat.end.COUNT")]]));
    if (custom.end === "UNTIL") line(say("repeat.until"), h("input", { type: "date", "aria-label": say("repeat.until"), value: custom.until, min: this.#due.slice(0, 10), oninput: ({ target }) => { custom.until = target.value; this.#draw(); } }));
    if (custom.end === "COUNT") line(say("repeat.count"), this.#number("count", say("repeat.count"), 1000));
    this.#fields.replaceChildren(...lines);
  }

  #weekdays() {
    const days = [1, 2, 3, 4, 5, 6, 0].map((n) => {
      const code = weekdayCodes[n], name = (form) => written(n + 3, this.#language, { weekday: form });
      return h("label", { class: "pop-toggle" }, h("input", { type: "checkbox", value: code, "aria-label": name("long"), checked: this.#custom.weekdays.includes(code), onchange: ({ target }) => {
        this.#custom.weekdays = [...this.#custom.weekdays.filter((other) => other !== code), ...target.checked ? [code] : []];
        this.#draw();
      } }), h("span", { "aria-hidden": "true" }, name("short").slice(0, 2)));
    });
    return h("fieldset", { class: "pop-week" }, h("legend", { class: "unseen" }, this.#say("repeat.on")), days);
  }

  // value is the rule that is chosen: null for none, undefined for fields that make none.
  #value() {
    if (this.#name === "never") return null;
    if (this.#name === "own") return this.#rule;
    if (this.#name === "custom") return customRule(this.#custom, this.#due, this.#completion) ?? undefined;
    return repeatChoices(this.#due, this.#completion).find(({ name }) => name === this.#name)?.rule;
  }

  // start is the date of the task: a new one is the first of its rule.
  #startOf(rule) { return this.#dated || this.#completion ? this.#due : nextDates(rule, this.#due, null, 1)?.[0] ?? this.#due; }

  #draw() {
    this.#fields.hidden = this.#name !== "custom";
    const rule = this.#value(), lines = [];
    this.#set.disabled = rule === undefined;
    if (rule === undefined) lines.push(h("p", { class: "problem" }, this.#say("repeat.wrong")));
    if (rule) {
      const start = this.#startOf(rule), dates = comingDates(rule, this.#completion, start, this.#now) ?? [];
      if (!this.#dated) lines.push(h("p", {}, this.#say("repeat.first", { date: dueWords(start, this.#now, this.#language) })));
      if (dates.length) lines.push(h("p", {}, this.#say(this.#completion ? "repeat.then" : "repeat.next")), h("ol", {}, dates.map((date) => h("li", {}, this.#written(date)))));
      else lines.push(h("p", {}, this.#say("repeat.over")));
      if (isClamped(rule)) lines.push(h("p", { class: "soft" }, this.#say("repeat.short")));
    }
    this.#preview.replaceChildren(...lines);
  }

  #written(date) {
    return written(dayNumber(date), this.#language, { weekday: "short", day: "numeric", month: "short", ...date.slice(0, 4) !== this.#now.date.slice(0, 4) && { year: "numeric" } });
  }

  #chosen(rule) {
    const chosen = { recurrence: rule, recurrence_from: this.#completion ? "completion" : "due" };
    return this.#dated ? chosen : { ...chosen, due: this.#startOf(rule) };
  }

  #take() {
    const rule = this.#value();
    if (rule === undefined) return;
    this.popover.close(() => { if (this.#changed(rule)) this.#onPick(rule && this.#chosen(rule)); });
  }

  #changed(rule) { return !sameRule(rule, this.#rule) || Boolean(rule) && this.#completion !== this.#was; }

  #leave() {
    const rule = this.#value();
    if (rule !== undefined && this.#changed(rule)) this.#onPick(rule && this.#chosen(rule));
  }
}
