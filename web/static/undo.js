// The quiet bar that takes back what was just done, the last first.

import { announce, h } from "./dom.js";
import { t } from "./i18n.js";
import { undoTime } from "./store.js";

const most = 20;

export class Undo {
  #bar; #stack = []; #timer = 0; #leave;

  // leave gets the focus when the bar goes away under it.
  constructor(bar, leave) {
    this.#bar = bar;
    this.#leave = leave;
  }

  // offer shows what was done with a way back, for eight seconds.
  offer(text, undo) {
    this.#stack = [...this.#stack, { text, undo }].slice(-most);
    announce(text);
    this.#show();
  }

  #show() {
    const last = this.#stack.at(-1);
    const had = this.#bar.contains(document.activeElement);
    const button = h("button", { type: "button", class: "quiet", onclick: () => this.back() }, t("undo"));
    this.#bar.replaceChildren(h("span", { dir: "auto" }, last.text), button);
    this.#bar.hidden = false;
    if (had) button.focus();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), undoTime);
  }

  back() {
    const last = this.#stack.pop();
    if (!last) return;
    last.undo();
    if (this.#stack.length) this.#show();
    else this.hide();
    announce(t("undone"));
  }

  hide() {
    clearTimeout(this.#timer);
    this.#stack = [];
    if (this.#bar.contains(document.activeElement)) this.#leave();
    this.#bar.hidden = true;
  }
}
