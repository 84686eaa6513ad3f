// A task that is open in its place: its title and description, and what else it has as
// chips, each of which opens what changes it.

import { announce, h, tooLong } from "./dom.js";
import { language, t } from "./i18n.js";
import { dueOf } from "./places.js";
import { dueWords, repeatWords } from "./words.js";
import { momentOf } from "./zone.js";

export const maxTitle = 100;
const maxDescription = 10_000;
const priorities = ["none", "low", "medium", "high"];
const rules = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];

export class EditForm {
  #title; #description; #problem; #buttons; #chips; #inline; #part; #lost = false; #act; #desk; #marks = "";
  busy = false; // something of this form is open beside it

  // draft is what was typed, also before a reload. act has keep, save, cancel, dismiss, remove,
  // and again, which makes a new task of the text.
  constructor(draft, desk, act) {
    this.draft = draft;
    this.#desk = desk;
    this.#act = act;
    const keep = () => {
      draft.title = this.#title.value;
      draft.description = this.#description.value;
      this.say(this.#wrong());
      act.keep();
      this.grow();
    };
    this.#title = h("input", { name: "title", dir: "auto", value: draft.title, autocomplete: "off", "aria-label": t("task.title"), "aria-describedby": "edit-problem", oninput: keep });
    this.#description = h("textarea", { name: "description", dir: "auto", value: draft.description, rows: 1, "aria-label": t("task.description"), placeholder: t("task.description"), "aria-describedby": "edit-problem", oninput: keep });
    this.#problem = h("p", { class: "problem", id: "edit-problem", role: "alert" });
    this.#buttons = h("div", { class: "line" });
    this.#chips = h("div", { class: "chips", role: "group", "aria-label": t("chips") });
    this.#inline = h("div", { class: "inline" });
    this.#part = h("input", { name: "part", class: "part", dir: "auto", autocomplete: "off", placeholder: t("part.new"), "aria-label": t("part.new"), onkeydown: (event) => this.#addPart(event) });
    this.element = h("form", { class: "edit", onsubmit: (event) => { event.preventDefault(); this.#submit(); } }, this.#title, this.#description, this.#chips, this.#inline, this.#part, this.#problem, this.#buttons);
    this.element.addEventListener("keydown", (event) => {
      if (event.defaultPrevented) return;
      if (event.key === "Escape") { event.stopPropagation(); act.cancel(); }
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); this.#submit(); }
    });
    this.#offer();
    this.update();
  }

  #submit() { if (this.#lost) this.#act.again(); else this.#act.save(true); }

  #offer() {
    const quiet = h("button", { type: "button", class: "quiet", onclick: () => (this.#lost ? this.#act.cancel() : this.#act.dismiss()) }, t(this.#lost ? "task.drop.text" : "task.cancel"));
    const remove = this.#lost ? "" : h("button", { type: "button", class: "quiet erase", onclick: () => this.#act.remove() }, t("task.delete"));
    this.#buttons.replaceChildren(h("button", { type: "submit" }, t(this.#lost ? "task.again" : "task.save")), quiet, remove);
  }

  get #task() { return this.#desk.task(this.#desk.store.idOf(this.draft.id)); }

  #change(patch) { if (this.#task) this.#desk.change(this.draft.id, patch); }

  // update follows what the task has.
  update() {
    const task = this.#task, desk = this.#desk;
    this.#chips.hidden = this.#part.hidden = !task;
    if (!task) return;
    const lists = desk.lists().filter((list) => list.role !== "viewer"), people = desk.people(task.list_id);
    const marks = JSON.stringify([task.due, task.due_at, task.recurrence, task.reminders, task.priority, task.labels, task.list_id, task.assignee_id, lists.map(({ id, name }) => [id, name]), people]);
    if (marks === this.#marks) return;
    this.#marks = marks;
    const had = this.#chips.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.chip : "";
    const due = dueOf(task);
    const chip = (name, text, open) => h("button", { type: "button", class: text ? "chip set" : "chip", id: `chip-${name}`, "data-chip": name, "aria-haspopup": "dialog", onclick: (event) => open(event.currentTarget) },
      h("span", {}, text || `+ ${t(`chip.${name}`)}`), text ? h("span", { class: "unseen" }, ` (${t(`chip.${name}`)})`) : null);
    const choose = (name, value, options, pick) => h("select", { class: options[0][0] === value ? "chip" : "chip set", "data-chip": name, "aria-label": t(`chip.${name}`), onchange: (event) => pick(event.target.value) },
      options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
    this.#chips.replaceChildren(
      chip("due", due && dueWords(due, desk.now, language), (anchor) => this.#openDue(anchor, task)),
      chip("repeat", task.recurrence && repeatWords(task.recurrence, language), (anchor) => this.#openRepeat(anchor, task)),
      chip("remind", task.reminders?.length && t("reminders.n", { n: task.reminders.length }), (anchor) => this.#openReminders(anchor, task)),
      choose("priority", task.priority ?? "none", priorities.map((name) => [name, t(`priority.${name}`)]), (priority) => this.#change({ priority })),
      chip("labels", task.labels?.map((label) => `#${label}`).join(" "), () => this.#openLabels(task)),
      lists.length > 1 || task.list_id !== desk.inbox ? choose("list", String(task.list_id ?? desk.inbox), lists.map(({ id, name, inbox }) => [String(id), inbox ? t("place.inbox") : name]), (id) => this.#change({ list_id: Number(id) || id })) : "",
      people.length ? choose("assignee", String(task.assignee_id ?? ""), [["", t("assignee.none")], ...people.map(({ id, name }) => [String(id), name])], (id) => this.#change({ assignee_id: id ? Number(id) : null })) : "");
    if (had) this.#chips.querySelector(`[data-chip=${had}]`)?.focus();
  }

  // beside runs what opens a popover, and if there is none, a plain field.
  async #beside(load, open, otherwise) {
    this.busy = true;
    const done = () => { this.busy = false; };
    try {
      open(await load(), done);
    } catch {
      done();
      otherwise();
    }
  }

  #openDue(anchor, task) {
    const onPick = (due) => this.#change(due ? { due } : { due: null, recurrence: null, reminders: [] });
    this.#beside(() => import("./calendar.js"), ({ openCalendar }, onClose) => openCalendar({ anchor, due: task.due ?? null, zone: task.due_zone, language, now: this.#desk.nowIn(task.due_zone ?? undefined), onPick, onClose }),
      () => this.#field({ type: task.due?.length > 10 ? "datetime-local" : "date", value: task.due ?? "", "aria-label": t("chip.due") }, (value) => onPick(value || null)));
  }

  #openRepeat(anchor, task) {
    const onPick = (rule) => this.#change(rule ?? { recurrence: null });
    this.#beside(() => import("./repeat.js"), ({ openRepeat }, onClose) => openRepeat({ anchor, rule: task.recurrence, from: task.recurrence_from, due: task.due ?? null, language, now: this.#desk.now, onPick, onClose }),
      () => {
        const select = h("select", { "aria-label": t("chip.repeat"), onchange: () => { onPick(select.value ? { recurrence: `FREQ=${select.value}`, due: task.due ?? this.#desk.now.date } : null); this.#inline.replaceChildren(); } },
          h("option", { value: "" }, t("repeat.none")), rules.map((rule) => h("option", { value: rule, selected: task.recurrence === `FREQ=${rule}` }, t(`repeat.${rule}`))));
        this.#inline.replaceChildren(select);
        select.focus();
      });
  }

  #openReminders(anchor, task) {
    const onPick = (reminders) => this.#change({ reminders });
    this.#beside(() => import("./remind.js"), ({ openReminders }, onClose) => openReminders({ anchor, reminders: task.reminders ?? [], due: dueOf(task) || null, language, now: this.#desk.now, onPick, onClose }),
      () => {
        if (task.due || task.reminders?.length) onPick(task.reminders?.length ? [] : [{ before: "PT0S" }]);
        else this.#field({ type: "datetime-local", "aria-label": t("chip.remind") }, (wall) => { if (wall) onPick([{ at: momentOf(wall).toISOString() }]); });
      });
  }

  #openLabels(task) {
    this.#field({ value: task.labels?.join(", ") ?? "", placeholder: t("labels.hint"), "aria-label": t("chip.labels"), autocomplete: "off" },
      (value) => this.#change({ labels: [...new Set(value.split(",").map((label) => label.trim().replace(/^#/, "").slice(0, 50)).filter(Boolean))].slice(0, 20) }));
  }

  // field is a plain one below the chips, which is read on Enter and on leaving.
  #field(props, pick) {
    let over = false;
    const end = (take) => {
      if (over) return;
      over = true;
      if (take) pick(input.value);
      this.#inline.replaceChildren();
    };
    const input = h("input", { ...props, onblur: () => end(true), onkeydown: (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      end(event.key === "Enter");
      this.#title.focus();
    } });
    this.#inline.replaceChildren(input);
    input.focus();
  }

  #addPart(event) {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const title = this.#part.value.trim(), task = this.#task;
    const wrong = tooLong(title, maxTitle);
    if (wrong) this.say(wrong);
    if (!title || wrong || typeof task?.id !== "number") return;
    this.#part.value = "";
    this.#desk.add({ title, parent_id: task.id, list_id: task.list_id });
    announce(t("added", { title }));
  }

  // lose says that the task is gone, deleted elsewhere, and offers to keep the
  // text as a new one.
  lose(lost) {
    if (lost === this.#lost) return;
    this.#lost = lost;
    this.say(this.#wrong());
    this.#offer();
  }

  get lost() { return this.#lost; }

  #wrong() {
    return tooLong(this.#title.value, maxTitle) || tooLong(this.#description.value, maxDescription) || (this.#lost ? t("task.lost") : "");
  }

  // ready says whether the text can be saved, and beside it why not.
  ready() {
    const wrong = this.draft.title.trim() ? tooLong(this.draft.title, maxTitle) || tooLong(this.draft.description, maxDescription) : t("title.needed");
    if (wrong) this.say(wrong);
    return !wrong;
  }

  say(text) {
    if (this.#problem.textContent !== text) this.#problem.textContent = text;
  }

  focus() {
    this.#title.focus();
    this.#title.setSelectionRange(this.#title.value.length, this.#title.value.length);
    this.grow();
  }

  grow() {
    this.#description.style.height = "auto";
    this.#description.style.height = `${this.#description.scrollHeight + 2}px`;
  }
}
