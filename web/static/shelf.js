// The queues of unsent changes, one for each tab, in the storage that answers at once: what
// was typed is kept though the tab is gone in the next moment.

export class Shelf {
  #storage;

  constructor(storage) { this.#storage = storage; }

  #get(key, otherwise) {
    try {
      return JSON.parse(this.#storage.getItem(key)) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  #set(key, value) {
    try {
      this.#storage.setItem(key, value);
    } catch {
      // Full: what can be asked for again makes room.
      this.dropSeen();
      try { this.#storage.setItem(key, value); } catch { /* it lives as long as this tab */ }
    }
  }

  #keys(prefix) { return Array.from({ length: this.#storage.length }, (_, i) => this.#storage.key(i)).filter((key) => key.startsWith(prefix)); }

  queue(userID, tab) { return this.#get(`taskapi.queue.${userID}.${tab}`, []); }

  setQueue(userID, tab, queue) {
    const key = `taskapi.queue.${userID}.${tab}`;
    if (queue.length) this.#set(key, JSON.stringify(queue));
    else this.#storage.removeItem(key);
  }

  // foreign are the changes that the other tabs have kept.
  foreign(userID, tab) { return this.tabs(userID).filter((each) => each !== tab).flatMap((each) => this.queue(userID, each)); }

  // watch tells of what other tabs write.
  watch(act) {
    globalThis.addEventListener?.("storage", ({ key }) => { if (!key || key.includes("taskapi.queue.")) act(); });
  }

  // tabs are the names of those that have something kept.
  tabs(userID) {
    const prefix = `taskapi.queue.${userID}.`;
    return this.#keys(prefix).map((key) => key.slice(prefix.length));
  }

  // seen is what earlier pages kept of the newest tasks and the lists, in place of a replica.
  seen(userID) { return this.#get(`taskapi.seen.${userID}`, { tasks: [], lists: [] }); }

  dropSeen() { for (const key of this.#keys("taskapi.seen.")) this.#storage.removeItem(key); }
}
