// The field in which tasks are made. What it understands beside a title stands below it as
// chips, each of which can be taken away; the place says the rest.

import { h, tooLong } from "./dom.js";
import { maxTitle } from "./edit.js";
import { language, t } from "./i18n.js";
import { dayNumber, dayText } from "./words.js";

const mostLines = 200; // of one paste

export class Add {
  #desk; #drafts; #place; #added;
  #quick = null; #loading = null;
  #removed = []; #parsed = null;

  // place is where the person is; added hears what was made.
  constructor(desk, drafts, place, added) {
    this.#desk = desk;
    this.#drafts = drafts;
    this.#place = place;
    this.#added = added;
    this.input = h("input", {
      id: "new-task", name: "title", dir: "auto", autocomplete: "off", enterKeyHint: "done", "aria-describedby": "new-chips new-problem",
      value: drafts.get("new") ?? "", oninput: () => this.#typed(), onfocus: () => this.#load(), onpaste: (event) => this.#paste(event),
    });
    this.problem = h("p", { class: "problem", id: "new-problem", role: "alert" });
    this.chips = h("div", { class: "chips", id: "new-chips" });
    this.element = h("form", { class: "new", onsubmit: (event) => { event.preventDefault(); this.#submit(); } },
      h("label", { for: "new-task", class: "unseen" }, t("new.label")),
      h("div", { class: "field-new" }, this.input, h("button", { type: "submit", class: "quiet" }, t("add"))), this.chips, this.problem);
    this.moved();
  }

  // moved follows the person to another place.
  moved() {
    const { kind } = this.#place();
    this.input.placeholder = t(kind === "today" ? "new.today" : kind === "upcoming" ? "new.tomorrow" : "new.label");
    this.#draw();
  }

  // load fetches what reads dates and names when it is first needed.
  #load() {
    return this.#loading ??= import("./quick.js").then((quick) => { this.#quick = quick; this.#draw(); }, () => { this.#loading = null; });
  }

  #say(text) { if (this.problem.textContent !== text) this.problem.textContent = text; }

  #typed() {
    this.#drafts.set("new", this.input.value);
    if (!this.input.value) this.#removed = [];
    this.#say("");
    this.#draw();
    if (this.#title()) this.#say(tooLong(this.#title(), maxTitle));
  }

  #title() { return (this.#parsed?.title || this.input.value).trim(); }

  #read(text, removed = []) {
    if (!this.#quick || !text.trim()) return null;
    const { kind, id } = this.#place();
    const context = { language, now: this.#desk.now, lists: this.#desk.lists().filter((list) => list.role !== "viewer").map(({ id: of, name }) => ({ id: of, name })), labels: this.#desk.labels(), removed };
    const members = (list) => this.#desk.people(list);
    const parsed = this.#quick.parse(text, { ...context, members: members(kind === "list" ? id : 0) });
    return parsed.list && members(parsed.list).length ? this.#quick.parse(text, { ...context, members: members(parsed.list) }) : parsed;
  }

  #draw() {
    this.#parsed = this.#read(this.input.value, this.#removed);
    const chips = this.#parsed?.chips ?? [];
    const mark = JSON.stringify(chips.map(({ kind, label, text }) => [kind, label, text]));
    if (this.chips.dataset.mark === mark) return;
    this.chips.dataset.mark = mark;
    const sign = { label: "#", assignee: "@" };
    this.chips.replaceChildren(...chips.map((chip) => h("button", {
      type: "button", class: `chip ${chip.kind}`, "aria-label": t("chip.remove", { text: chip.label }),
      onclick: () => {
        this.#removed.push(chip.text);
        this.input.focus();
        this.#draw();
      },
    }, h("span", {}, (sign[chip.kind] ?? "") + chip.label), h("span", { class: "cross", "aria-hidden": "true" }, "×"))));
  }

  // defaults are what a place gives a task.
  #defaults() {
    const { kind, id, name } = this.#place(), { date } = this.#desk.now;
    if (kind === "today") return { due: date };
    if (kind === "upcoming") return { due: dayText(dayNumber(date) + 1) };
    if (kind === "list" && this.#desk.list(id)?.role !== "viewer") return { list_id: id };
    return kind === "label" ? { labels: [name] } : {};
  }

  #fields(text, removed) {
    const parsed = this.#read(text, removed);
    const { due, list_id: list, labels } = this.#defaults();
    if (!parsed) return { title: text.trim(), due, list_id: list, labels };
    const all = [...new Set([...labels ?? [], ...parsed.labels])];
    return {
      title: parsed.title || text.trim(), due: parsed.due ?? due, recurrence: parsed.recurrence, priority: parsed.priority,
      labels: all.length ? all : undefined, list_id: parsed.list ?? list, assignee_id: parsed.assignee,
    };
  }

  async #submit() {
    const text = this.input.value;
    if (text.trim() && !this.#quick) await this.#load();
    if (this.input.value !== text) return; // typed on meanwhile
    const fields = this.#fields(text, this.#removed);
    const wrong = fields.title ? tooLong(fields.title, maxTitle) : t("title.needed");
    this.#say(wrong);
    if (wrong) return;
    this.#clear();
    const id = this.#desk.add(fields);
    this.#added([id], fields.title);
  }

  #clear() {
    this.input.value = "";
    this.#removed = [];
    this.#drafts.set("new", "");
    this.#draw();
  }

  // paste asks once whether many lines are many tasks.
  async #paste(event) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!/\n/.test(text.trim())) return;
    event.preventDefault();
    await this.#load();
    const found = (this.#quick?.lines(text) ?? text.split("\n").map((line) => ({ text: line.trim(), completed: false })).filter((line) => line.text)).slice(0, mostLines);
    const question = h("div", { class: "question", role: "group", "aria-label": t("paste", { n: found.length }) });
    const end = () => { question.remove(); this.input.focus(); };
    const make = h("button", {
      type: "button",
      onclick: () => {
        end();
        // The newest stands first, and what was the first line is to.
        const made = this.#desk.together(() => found.toReversed().map((line) => {
          const fields = this.#fields(line.text, []);
          fields.title = [...fields.title].slice(0, maxTitle).join("");
          return this.#desk.add({ ...fields, completed: line.completed });
        }));
        this.#added(made, "");
      },
    }, t("paste.do"));
    question.append(h("p", {}, t("paste", { n: found.length })), make, h("button", {
      type: "button", class: "quiet", onclick: () => { end(); this.input.setRangeText(found.map((line) => line.text).join(" "), this.input.selectionStart, this.input.selectionEnd, "end"); this.#typed(); },
    }, t("paste.one")), h("button", { type: "button", class: "quiet", onclick: end }, t("task.cancel")));
    question.addEventListener("keydown", (e) => { if (e.key === "Escape") { e.stopPropagation(); end(); } });
    this.element.querySelector(".question")?.remove();
    this.element.append(question);
    make.focus();
  }
}
