// Rows, or the lists among the places, are dragged: at once with a mouse, after a moment's
// rest with a finger.

import { $, h } from "./dom.js";

const far = 6; // pixels that make a press a drag
const rest = 350; // milliseconds that a finger rests first
const edge = 48; // pixels from the edge of the window where it scrolls

export class Drag {
  #root; #act; #stop = new AbortController();
  #held = null; // what is pressed, and later dragged
  #ended = 0; // when the last drag was over
  #marked = null;

  // act has can, idOf, title, many, ordered, and what is done in the end: beside and, for rows,
  // into. rows are others than those of tasks, which scroll with the root.
  constructor(root, act) {
    this.#root = root;
    this.#act = act;
    const { signal } = this.#stop;
    root.addEventListener("pointerdown", (event) => this.#press(event), { signal });
    addEventListener("pointermove", (event) => this.#move(event), { signal });
    addEventListener("pointerup", (event) => this.#release(event), { signal });
    addEventListener("pointercancel", () => this.#drop(), { signal });
    root.addEventListener("touchmove", (event) => { if (this.#held?.ghost) event.preventDefault(); }, { signal, passive: false });
    root.addEventListener("contextmenu", (event) => { if (this.#held?.ghost) event.preventDefault(); }, { signal });
    root.addEventListener("dragstart", (event) => { if (this.#held) event.preventDefault(); }, { signal });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && this.#held?.ghost) { event.stopPropagation(); this.#drop(); } }, { signal, capture: true });
  }

  close() {
    this.#drop();
    this.#stop.abort();
  }

  // over says whether a click belongs to a drag that has just ended.
  over() { return Date.now() - this.#ended < 50; }

  #press(event) {
    const row = event.target.closest(this.#act.rows ?? ".task");
    if (!event.isPrimary || event.button !== 0 || !row || event.target.closest(`.edit, .box, .remove, .unfold, .trouble${this.#act.rows ? "" : ", a"}`)) return;
    const id = this.#act.idOf(row);
    if (id === undefined || !this.#act.can(id)) return;
    this.#held = { id, row, x: event.clientX, y: event.clientY, ghost: null };
    if (event.pointerType === "touch") this.#held.timer = setTimeout(() => this.#lift(), rest);
  }

  #lift() {
    const { id, row } = this.#held, n = this.#act.many(id);
    this.#held.ghost = h("div", { class: "ghost", dir: "auto" }, n > 1 ? `${n} ×` : this.#act.title(id));
    document.body.append(this.#held.ghost);
    document.body.classList.add("dragging");
    row.classList.add("held");
    this.#at(this.#held.x, this.#held.y);
  }

  #move(event) {
    const held = this.#held;
    if (!held || !event.isPrimary) return;
    const gone = Math.hypot(event.clientX - held.x, event.clientY - held.y) > far;
    if (!held.ghost) {
      if (!gone) return;
      if (event.pointerType === "touch") { // it scrolls
        clearTimeout(held.timer);
        this.#held = null;
        return;
      }
      this.#lift();
    }
    this.#at(event.clientX, event.clientY);
  }

  // at shows where a row would come.
  #at(x, y) {
    const { ghost, row } = this.#held;
    ghost.style.translate = `${x + 12}px ${y + 12}px`;
    const { rows } = this.#act, scrolled = rows ? this.#root : window, top = rows ? this.#root.getBoundingClientRect().top : 0;
    if (y < top + edge) scrolled.scrollBy(0, -12);
    if (y > innerHeight - edge) scrolled.scrollBy(0, 12);
    this.#unmark();
    const under = /** @type {any} */ (document.elementFromPoint(x, y)), place = !rows && under?.closest("#places a[data-place]"), other = under?.closest(rows ?? "#list .task");
    if (place && !["#/search", "#/upcoming"].includes(place.dataset.place)) {
      place.classList.add("over");
      this.#marked = { element: place, name: "over", drop: () => this.#act.into(this.#held.id, place.dataset.place) };
    } else if (other && other !== row && this.#act.ordered() && !$(".edit", other)) {
      const box = other.getBoundingClientRect(), part = (y - box.top) / box.height;
      const name = part < (rows ? 0.5 : 0.3) ? "before" : rows || part > 0.7 ? "behind" : "into";
      other.classList.add(name);
      this.#marked = { element: other, name, drop: () => { const id = this.#act.idOf(other); if (rows || typeof id === "number") this.#act.beside(this.#held.id, id, name === "behind" ? "after" : name); } };
    }
  }

  #unmark() {
    this.#marked?.element.classList.remove(this.#marked.name);
    this.#marked = null;
  }

  #release(event) {
    if (!this.#held || !event.isPrimary) return;
    if (this.#held.ghost) {
      this.#ended = Date.now();
      this.#marked?.drop();
    }
    this.#drop();
  }

  #drop() {
    this.#unmark();
    if (!this.#held) return;
    clearTimeout(this.#held.timer);
    this.#held.ghost?.remove();
    this.#held.row.classList.remove("held");
    document.body.classList.remove("dragging");
    this.#held = null;
  }
}
