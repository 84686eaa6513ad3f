// The form that stands in the place of a task while it is edited.

import { h, tooLong } from "./dom.js";
import { t } from "./i18n.js";

export const maxTitle = 100;
const maxDescription = 10_000;

export class EditForm {
  #title; #description; #problem; #buttons; #lost = false; #act;

  // draft is what was typed, also before a reload. act has keep, save, cancel
  // and again, which makes a new task of the text.
  constructor(draft, act) {
    this.draft = draft;
    this.#act = act;
    const keep = () => {
      draft.title = this.#title.value;
      draft.description = this.#description.value;
      this.say(this.#wrong());
      act.keep();
      this.grow();
    };
    this.#title = h("input", { name: "title", dir: "auto", value: draft.title, autocomplete: "off", "aria-label": t("task.title"), "aria-describedby": "edit-problem", oninput: keep });
    this.#description = h("textarea", { name: "description", dir: "auto", value: draft.description, rows: 2, "aria-label": t("task.description"), placeholder: t("task.description"), "aria-describedby": "edit-problem", oninput: keep });
    this.#problem = h("p", { class: "problem", id: "edit-problem", role: "alert" });
    this.#buttons = h("div", { class: "line" });
    this.element = h("form", { class: "edit", onsubmit: (event) => { event.preventDefault(); this.#submit(); } }, this.#title, this.#description, this.#problem, this.#buttons);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.stopPropagation(); act.cancel(); }
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); this.#submit(); }
    });
    this.#offer();
  }

  #submit() { if (this.#lost) this.#act.again(); else this.#act.save(true); }

  #offer() {
    const quiet = h("button", { type: "button", class: "quiet", onclick: () => this.#act.cancel() }, t(this.#lost ? "task.drop.text" : "task.cancel"));
    this.#buttons.replaceChildren(h("button", { type: "submit" }, t(this.#lost ? "task.again" : "task.save")), quiet);
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
