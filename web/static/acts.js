// What a person has done here, the last at the end, so that it can be undone: also after a
// reload, as long as the tab lives. Pure, but for the storage that it is given.
//
// An act has its kind, the title of its task or how many there are, and a piece for each of
// its changes: `of`, the key of the change or of its batch; `number`, by which the server
// knows it, once it has answered; and what it was before (`id` with `before`, the values
// that were changed; `made`; or `task`, which was deleted). A piece of what never left this
// device has the changes that were dropped, as `again`. A piece about a list has `list` in
// place of `id`, `was` if it was deleted, and `back` to where it goes back.

const most = 30;

export class Acts {
  #storage; #key = ""; #group = null;
  #acts = [];

  constructor(storage) { this.#storage = storage; }

  open(userID) {
    this.#key = `taskapi.acts.${userID}`;
    try {
      this.#acts = JSON.parse(this.#storage.getItem(this.#key)) ?? [];
    } catch {
      this.#acts = [];
    }
  }

  // close forgets everything: the person goes.
  close() {
    if (this.#key) this.#storage.removeItem(this.#key);
    this.#key = "";
    this.#acts = [];
  }

  get last() { return this.#acts.at(-1); }

  // together makes one act of all that is done meanwhile.
  together(group, act) {
    const outer = this.#group;
    this.#group = outer ?? group;
    try {
      return act();
    } finally {
      this.#group = outer;
    }
  }

  get group() { return this.#group; }

  add(kind, title, piece) {
    if (this.#group && this.last?.group === this.#group) {
      this.last.pieces.push(piece);
      if (this.last.kind !== kind) this.last.kind = "change";
      this.last.n++;
    } else {
      this.#acts = [...this.#acts, { kind, title, n: 1, group: this.#group, pieces: [piece] }].slice(-most);
    }
    this.#write();
  }

  // answered notes the number of a change, and the batch that it went out with. What has no
  // number was not done, unless it made something or can be taken back without one.
  answered({ key, batch, seen }, number, id) {
    for (const act of this.#acts) {
      for (const piece of act.pieces) {
        if (piece.of !== key) continue;
        if (number) piece.number = number;
        if (batch) piece.of = batch;
        if (piece.made) piece.id = id ?? piece.id;
        piece.nothing = !number && !piece.made && (seen || !(piece.before ?? piece.task ?? piece.was));
      }
      if (typeof id === "number") for (const piece of act.pieces) if (piece.id === key) piece.id = id;
    }
    this.#acts = this.#acts.filter(({ pieces }) => !pieces.every(({ nothing }) => nothing));
    this.#write();
  }

  // without forgets the pieces of a change that was taken back in another way.
  without(key) {
    this.#acts = this.#acts.map((act) => ({ ...act, pieces: act.pieces.filter(({ of }) => of !== key) })).filter(({ pieces }) => pieces.length);
    this.#write();
  }

  // take takes the last act away, to be undone.
  take() {
    const act = this.#acts.pop();
    this.#write();
    return act;
  }

  #write() {
    if (!this.#key) return;
    try { this.#storage.setItem(this.#key, JSON.stringify(this.#acts)); } catch { /* it lives as long as the page */ }
  }
}

// reversal is the change that takes back a piece which has no number, as the order of lists
// never has; undefined without one.
export function reversal({ id, list, before, back, task, was, number, made }) {
  if (was) return { op: "restore", list, was };
  if (back) return { op: "move", list, where: back, patch: before };
  if (number || made) return undefined;
  if (task) return { op: "restore", id, task };
  const { position, date_completed: done, ...patch } = before ?? {};
  return before && { op: "update", ...(list ? { list } : { id }), patch };
}

// reverse shows maps of tasks and lists as they were before some pieces.
export function reverse({ tasks, lists }, pieces) {
  for (const { id, list, before, made, task, was } of pieces) {
    const all = list ? lists : tasks, name = list ?? id, lost = task ?? was;
    if (made) {
      all.delete(name);
      if (list) for (const each of tasks.values()) if (each.list_id === list) tasks.delete(each.id);
    } else if (lost) all.set(lost.id, { ...lost });
    else if (all.has(name)) all.set(name, { ...all.get(name), ...before });
  }
}
