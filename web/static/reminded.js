// Reminders while somebody looks at the page: one quiet bar, one after the other.

import { announce, h } from "./dom.js";
import { language, speaker } from "./i18n.js";
import { dueOf } from "./places.js";
import { dueWords } from "./words.js";
import { wallOf } from "./zone.js";

const again = 60_000; // milliseconds in which a task is reminded of once, however often we are told
const hour = 3_600_000;

const texts = {
  en: { label: "Reminder", told: "Reminder: {title}", done: "Done", later: "In an hour", close: "Close", ticked: "Done: {title}", put: "Again at {time}: {title}" },
  es: { label: "Recordatorio", told: "Recordatorio: {title}", done: "Hecha", later: "En una hora", close: "Cerrar", ticked: "Hecha: {title}", put: "Otra vez a las {time}: {title}" },
};
const say = speaker(texts);

export class Reminded {
  #desk; #undo; #leave; #bar; #open; #buttons;
  #all = []; // the first of them is shown
  #told = new Map();

  // leave gets the focus when the bar goes away under it.
  constructor(desk, undo, leave) {
    this.#desk = desk;
    this.#undo = undo;
    this.#leave = leave;
    const button = (text, act, more = {}) => h("button", { type: "button", class: "quiet", onclick: act, ...more }, text);
    this.#open = h("a", {});
    this.#open.addEventListener("click", () => {
      if (location.hash === this.#open.hash) dispatchEvent(new HashChangeEvent("hashchange"));
      this.#next();
    });
    this.#buttons = [button(say("done"), () => this.#done()), button(say("later"), () => this.#later())];
    this.#bar = h("aside", { id: "reminder", class: "bar bottom", "aria-label": say("label"), onkeydown: (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#next();
    } }, this.#open, ...this.#buttons, button("×", () => this.#next(), { "aria-label": say("close") }));
    desk.store.addEventListener("change", () => this.#check());
  }

  // add shows a reminder of a task, and says whether it could.
  add({ id, due }) {
    const task = this.#desk.task(id);
    if (!task || task.completed) return false;
    const time = Date.now();
    if (!(time - this.#told.get(id) < again)) {
      this.#told.set(id, time);
      this.#all.push({ id, due: due ?? null });
      announce(say("told", { title: task.title }));
      this.#check();
    }
    return true;
  }

  // check drops what is done, gone or due at another time by now, and draws the first.
  #check() {
    this.#all = this.#all.filter(({ id, due }) => { const task = this.#desk.task(id); return task && !task.completed && (task.due ?? null) === due; });
    const [first] = this.#all;
    if (!first) {
      if (!this.#bar.isConnected) return;
      const had = this.#bar.contains(document.activeElement);
      this.#bar.remove();
      if (had) this.#leave();
      return;
    }
    const task = this.#desk.task(first.id), due = dueOf(task);
    const words = [task.title, due && dueWords(due, this.#desk.now, language)].filter(Boolean).join(" · ");
    if (this.#open.textContent !== words) this.#open.replaceChildren(h("bdi", {}, words));
    this.#open.href = `#task-${task.id}`;
    for (const button of this.#buttons) button.hidden = this.#desk.store.fixed(task);
    if (!this.#bar.isConnected) document.body.append(this.#bar);
  }

  // clear forgets all of them: the person goes.
  clear() {
    this.#all = [];
    this.#told.clear();
    this.#check();
  }

  // next goes on to the next one.
  #next() {
    this.#all.shift();
    this.#check();
  }

  #done() {
    const { id, title } = this.#desk.task(this.#all[0].id);
    this.#next();
    this.#desk.change(id, { completed: true });
    this.#undo.offer(say("ticked", { title }));
  }

  #later() {
    const { id, title, reminders = [] } = this.#desk.task(this.#all[0].id), now = Date.now(), at = new Date(now + hour).toISOString().replace(/\.\d+Z$/, "Z");
    this.#next();
    this.#desk.change(id, { reminders: [...reminders.filter((one) => !one.at || Date.parse(one.at) > now).slice(-4), { at }] });
    this.#undo.offer(say("put", { time: wallOf(at).slice(11), title }));
  }
}
