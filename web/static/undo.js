// The quiet bar that takes back what was done last. The store knows what that was, also
// after a reload; the bar only tells of it.

import { announce, h } from "./dom.js";
import { said, t } from "./i18n.js";
import { undoTime } from "./deeds.js";

export class Undo {
  #store; #bar; #last = null; #timer = 0; #leave;

  // leave gets the focus when the bar goes away under it.
  constructor(store, bar, leave) {
    this.#store = store;
    this.#bar = bar;
    this.#leave = leave;
    store.addEventListener("refused", ({ detail }) => this.#show(said(detail)));
  }

  // offer shows what was done with a way back, for eight seconds. also is done with it, and
  // instead is the way back of what the store knows nothing of.
  offer(text, /** @type {{also?: () => void, instead?: () => void}} */ { also, instead } = {}) {
    this.#last = { also, instead };
    announce(text);
    this.#show(text, h("button", { type: "button", class: "quiet", onclick: () => this.back() }, t("undo")));
  }

  // tell says something else, with a button for what can be done about it.
  tell(text, label, act) {
    announce(text);
    this.#show(text, h("button", { type: "button", class: "quiet", onclick: () => { this.hide(); act(); } }, label));
  }

  // wayBack undoes an act by what the store knows of it. A proxy may have lost the number that
  // this takes: then it is done the other way round.
  wayBack(kind, title, otherwise) {
    return () => {
      const last = this.#store.undoable();
      if (last?.kind === kind && last.title === title && last.n === 1) this.#store.undoLast();
      else otherwise();
    };
  }

  // say tells more of what was done, in its bar if that is still there.
  say(text) {
    announce(text);
    if (!this.#bar.hidden) this.#bar.firstElementChild.textContent = text;
  }

  #show(text, button) {
    const had = this.#bar.contains(document.activeElement);
    this.#bar.replaceChildren(h("span", { dir: "auto" }, text), ...(button ? [button] : []));
    this.#bar.hidden = false;
    if (had) button?.focus();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), undoTime);
  }

  // passed says that something was done of which the bar tells nothing.
  passed() {
    this.#last = null;
    this.hide();
  }

  back() {
    const last = this.#last;
    this.#last = null;
    if (!last?.instead && !this.#store.undoable()) return;
    last?.also?.();
    let what;
    if (last?.instead) last.instead();
    else what = this.#store.undoLast();
    this.hide();
    announce(what?.n === 1 && what.title ? t("undone.title", { title: what.title }) : t("undone"));
  }

  hide() {
    clearTimeout(this.#timer);
    if (this.#bar.contains(document.activeElement)) this.#leave();
    this.#bar.hidden = true;
  }
}
