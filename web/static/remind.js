// When a person is reminded of a task: usual times, others, and moments.

import "./parts.js";
import { duration, mostReminders, reminderPresets, reminderWords, sameReminder, sameReminders, seconds } from "./choices.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { popover } from "./popover.js";
import { dayNumber, dayText } from "./words.js";
import { momentOf, zoneOf } from "./zone.js";

const units = { minute: 60, hour: 3600, day: 86400 };

/**
 * openReminders asks for the reminders of a task, in a popover at an anchor. Esc changes
 * nothing; who goes on elsewhere takes what is chosen.
 * @param {{anchor: HTMLElement, about?: HTMLElement, reminders: import("./choices.js").Reminder[], due: string | null, language: string, now: import("./words.js").Now,
 *   onPick: (reminders: import("./choices.js").Reminder[]) => void, onClose?: () => void}} options
 */
export function openReminders(options) { return new Reminders(options).popover; }

class Reminders {
  popover = null;
  #was; #due; #language; #now; #onPick; #say;
  #all; #list; #note; #number; #kind; #moment; #add; #problem;

  /** @param {any} options */
  constructor({ anchor, about, reminders, due, language, now, onPick, onClose }) {
    this.#was = reminders;
    this.#due = due;
    this.#language = language;
    this.#now = now;
    this.#onPick = onPick;
    this.#say = t;
    // One that is taken away stays in sight until the panel is closed.
    const presets = reminderPresets(due).map((before) => ({ before }));
    this.#all = [...presets, ...reminders.filter((one) => !presets.some((other) => sameReminder(one, other)))]
      .map((reminder) => ({ reminder, on: reminders.some((one) => sameReminder(one, reminder)) }));
    this.#list = h("fieldset", { class: "pop-rules" });
    this.#note = h("p", { class: "soft", "aria-live": "polite" });
    const form = h("form", { noValidate: true, onsubmit: (event) => { event.preventDefault(); this.#append(); } }, this.#more());
    const content = [this.#list, this.#note, form, h("button", { type: "button", class: "pop-set", onclick: () => this.#take() }, this.#say("remind.set"))];
    this.#draw();
    this.#drawFields();
    this.popover = popover({ anchor, about, label: this.#say("remind.title"), kind: "remind", content, left: () => this.#leave(), closed: onClose });
    (this.#list.querySelector("input:not(:disabled)") ?? this.#kind).focus();
  }

  #more() {
    const say = this.#say, timed = this.#due?.length > 10, before = timed ? ["minute", "hour", "day"] : ["day", "hour", "minute"], kinds = [...this.#due ? before : [], "at"];
    this.#number = h("input", { type: "number", min: 0, value: timed ? 15 : 3, "aria-label": say("remind.number") });
    this.#kind = h("select", { "aria-label": say("remind.kind"), onchange: () => this.#drawFields() }, kinds.map((kind) => h("option", { value: kind }, say(`remind.unit.${kind}`))));
    this.#moment = h("input", { type: "datetime-local", "aria-label": say("remind.moment"), value: this.#dayAt9(), min: `${this.#now.date}T${this.#now.time}` });
    this.#add = h("button", { type: "submit", class: "second" }, say("remind.add"));
    this.#problem = h("p", { class: "problem", role: "alert" });
    return h("fieldset", { class: "pop-custom" }, h("legend", {}, say("remind.more")), this.#kind, h("div", { class: "pop-row" }, this.#number, this.#moment, this.#add), this.#problem);
  }

  // dayAt9 is the morning of the day, or of tomorrow where that is over.
  #dayAt9() {
    const { date, time } = this.#now, morning = `${(this.#due ?? date).slice(0, 10)}T09:00`;
    return morning > `${date}T${time}` ? morning : `${dayText(dayNumber(date) + 1)}T09:00`;
  }

  #drawFields() {
    const at = this.#kind.value === "at";
    this.#number.hidden = at;
    this.#moment.hidden = !at;
    this.#problem.textContent = "";
  }

  #chosen() { return this.#all.filter(({ on }) => on).map(({ reminder }) => reminder); }

  #draw() {
    const full = this.#chosen().length >= mostReminders;
    this.#list.replaceChildren(h("legend", { class: "unseen" }, this.#say("remind.title")), ...this.#all.map((one, i) => h("label", { class: "check" },
      h("input", { type: "checkbox", id: `remind-${i}`, checked: one.on, disabled: full && !one.on, onchange: ({ target }) => {
        one.on = target.checked;
        this.#draw();
        document.getElementById(target.id).focus();
      } }), reminderWords(one.reminder, this.#due, this.#language, this.#say, zoneOf()))));
    this.#note.textContent = full ? this.#say("remind.most") : this.#due ? "" : this.#say("remind.nodue");
    this.#add.disabled = full;
  }

  // typed is the reminder of the fields, or the sentence about what is wrong with them.
  #typed() {
    const kind = this.#kind.value;
    if (kind === "at") {
      const moment = momentOf(this.#moment.value);
      if (Number.isNaN(moment.getTime())) return this.#say("remind.empty");
      if (this.#moment.value < this.#moment.min) return this.#say("remind.past");
      return { at: moment.toISOString().replace(".000Z", "Z") };
    }
    const n = this.#number.value === "" ? NaN : Number(this.#number.value), total = n * units[kind];
    return Number.isInteger(n) && n >= 0 && seconds(duration(total)) !== null ? { before: duration(total) } : this.#say("remind.wrong");
  }

  #append() {
    const reminder = this.#typed();
    const known = typeof reminder !== "string" && this.#all.find((one) => sameReminder(one.reminder, reminder));
    this.#problem.textContent = typeof reminder === "string" ? reminder : known?.on ? this.#say("remind.twice") : "";
    if (this.#problem.textContent) {
      (this.#kind.value === "at" ? this.#moment : this.#number).focus();
      return;
    }
    if (known) known.on = true;
    else this.#all.push({ reminder, on: true });
    this.#draw();
    document.getElementById(`remind-${known ? this.#all.indexOf(known) : this.#all.length - 1}`).focus();
  }

  #take() { this.popover.close(() => this.#leave()); }

  #leave() {
    const chosen = this.#chosen();
    if (!sameReminders(chosen, this.#was)) this.#onPick(chosen);
  }
}
