// A popover: a small panel at what opened it, for one choice. It is not modal, has the
// focus from the beginning, is left by Esc, Tab or a press elsewhere, and gives the focus
// back. It never covers what it is about: on a phone, the chips behind its own make room.

import { h } from "./dom.js";

const gap = 4; // pixels to what it is about, and to the edges of the window
const narrow = 640; // pixels of a window in which it makes room among the chips
const tabbable = "button, select, textarea, a[href], input:not([type=radio]:not(:checked)), [tabindex='0']";

let current = null; // there is one at a time

/**
 * popover opens a panel below an anchor, or above what it is about, and returns it; null
 * if the anchor has one, which is then closed. left is called when the person leaves by
 * going on elsewhere, and closed when it is gone, however that came about.
 * @param {{anchor: HTMLElement, about?: HTMLElement, label: string, kind: string, content: any[], left?: () => void, closed?: () => void}} what
 */
export function popover({ anchor, about, label, kind, content, left, closed }) {
  const same = current?.anchor === anchor;
  current?.leave();
  if (same) return null;
  const panel = new Popover(anchor, about ?? anchor.closest(".task") ?? anchor, h("div", { class: `popover ${kind}`, role: "dialog", "aria-label": label }, ...content), left, closed);
  current = panel;
  return panel;
}

class Popover {
  #about; #left; #closed; #gone = new AbortController(); #sizes;

  constructor(anchor, about, panel, left, closed) {
    this.anchor = anchor;
    this.panel = panel;
    this.#about = about;
    this.#left = left;
    this.#closed = closed;
    (anchor.closest("dialog[open]") ?? document.body).append(panel);
    if (panel.showPopover) { // above everything, without being clipped
      panel.popover = "manual";
      panel.showPopover();
    }
    anchor.setAttribute("aria-expanded", "true");
    this.#listen();
    this.#place();
    this.#reveal();
  }

  // reveal scrolls the page so far that the whole panel is seen, below what it belongs to.
  #reveal() {
    const over = this.panel.getBoundingClientRect().bottom + gap - innerHeight;
    if (over > 0) scrollBy(0, Math.min(over, Math.max(0, (this.#current ?? this.anchor).getBoundingClientRect().top - gap)));
  }

  #listen() {
    const { panel, anchor } = this, { signal } = this.#gone, place = () => this.#place();
    panel.addEventListener("keydown", (event) => this.#key(event), { signal });
    panel.addEventListener("focusout", ({ relatedTarget: to }) => { if (to && !panel.contains(to) && !anchor.contains(to)) this.leave(); }, { signal });
    addEventListener("pointerdown", ({ target }) => { if (!panel.contains(target) && !anchor.contains(target)) this.leave(); }, { signal, capture: true });
    addEventListener("resize", place, { signal });
    addEventListener("scroll", place, { signal, capture: true, passive: true });
    this.#sizes = new ResizeObserver(() => { this.#place(); this.#reveal(); });
    this.#sizes.observe(panel);
    this.#sizes.observe(this.#about); // its chips may be drawn anew
  }

  // The keys of the page are not for here.
  #key(event) {
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      this.close();
    } else if (event.key === "Tab") {
      const all = [...this.panel.querySelectorAll(tabbable)].filter((e) => !e.disabled && e.tabIndex >= 0 && e.checkVisibility());
      if (document.activeElement !== all.at(event.shiftKey ? 0 : -1)) return;
      // From the anchor the browser goes on by itself; backwards, the anchor is next.
      if (event.shiftKey) event.preventDefault();
      this.leave();
      this.#current?.focus();
    }
  }

  #place() {
    const { panel } = this, anchor = this.#current, wide = document.documentElement.clientWidth;
    if (!anchor) return;
    const chip = anchor.closest(".chips"), room = wide <= narrow && chip;
    anchor.style.marginBottom = room ? `${panel.offsetHeight + gap}px` : "";
    const at = anchor.getBoundingClientRect(), about = this.#about.getBoundingClientRect(), { width, height } = panel.getBoundingClientRect();
    const below = (chip ? at : about).bottom + gap, above = !room && below + height > innerHeight && about.top - gap - height >= 0;
    panel.style.left = `${Math.max(gap, Math.min(at.left, Math.max(at.right, about.right) - width, wide - width - gap)) + scrollX}px`;
    panel.style.top = `${(above ? about.top - gap - height : below) + scrollY}px`;
  }

  // current is the anchor; one that was drawn anew meanwhile is known by its id or its data.
  get #current() {
    const { anchor } = this, data = Object.entries(anchor.dataset).map(([name, value]) => `[data-${name}="${CSS.escape(value)}"]`).join("");
    if (anchor.isConnected) return anchor;
    return anchor.id ? document.getElementById(anchor.id) : data && this.#about.querySelector(data) || null;
  }

  // leave closes it after what was chosen so far is taken.
  leave() {
    if (this.#gone.signal.aborted) return;
    this.#end();
    this.#left?.();
    this.#closed?.();
  }

  // close gives the focus back, and then does what was chosen.
  close(chosen) {
    if (this.#gone.signal.aborted) return;
    this.#end();
    this.#current?.focus();
    chosen?.();
    this.#closed?.();
  }

  #end() {
    this.#gone.abort();
    this.#sizes.disconnect();
    if (current === this) current = null;
    this.#current?.setAttribute("aria-expanded", "false");
    if (this.#current) this.#current.style.marginBottom = "";
    this.panel.remove();
  }
}
