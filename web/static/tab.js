// Tabs of the same person: each has a name that survives a reload and that no
// other has, and what a tab that is gone could not send is taken over.
//
// Who holds a tab's lock is alive. Pages over plain http from another machine
// have no locks: there, a tab is asked, and one that says nothing is gone.

import { channel, locked, locks, session, uid } from "./surroundings.js";

const kept = "taskapi.tab";
const patience = 400; // milliseconds for an answer

export class Tab {
  #channel = channel("taskapi-tabs");
  #asked = new Map();
  name = "";
  onlost; // called when another tab has taken over what this one had to send

  constructor() {
    if (!this.#channel) return;
    this.#channel.onmessage = ({ data }) => {
      if (data.ask && data.ask === this.name) this.#channel.postMessage({ here: this.name });
      this.#asked.get(data.here)?.();
      if (data.taken && data.taken === this.name) this.onlost?.();
    };
  }

  // open settles the name. A tab that was duplicated has the name of the other.
  async open() {
    let name = session.getItem(kept);
    if (!name || await this.#taken(name)) {
      name = uid();
      await this.#hold(name);
    }
    session.setItem(kept, name);
    this.name = name;
    return name;
  }

  async #taken(name) { return locks ? !(await this.#hold(name)) : this.#answers(name); }

  #hold(name) {
    if (!locks) return true;
    return new Promise((resolve) => {
      locked(`taskapi-tab-${name}`, { ifAvailable: true }, (held) => {
        resolve(Boolean(held));
        return held ? new Promise(() => {}) : undefined;
      });
    });
  }

  async #answers(name) {
    if (!this.#channel) return false;
    try {
      return await new Promise((resolve) => {
        this.#asked.set(name, () => resolve(true));
        setTimeout(() => resolve(false), patience);
        this.#channel.postMessage({ ask: name });
      });
    } finally {
      this.#asked.delete(name);
    }
  }

  // adopt runs take for each of the names whose tab is gone. One that only slept
  // hears onlost when it wakes.
  async adopt(names, take) {
    for (const name of names) {
      if (locks) {
        locked(`taskapi-tab-${name}`, { ifAvailable: true }, (held) => { if (held) take(name); });
      } else if (!(await this.#answers(name))) {
        take(name);
        this.#channel?.postMessage({ taken: name });
      }
    }
  }
}
