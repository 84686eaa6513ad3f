// What is kept in the browser: the queues of unsent changes, one for each tab,
// the newest tasks and the lists as they were last seen, and which tasks are the answers to
// creations of ours.

const most = 500_000; // letters of tasks; the rest of the room is for what was typed
const claims = 500;

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
      this.dropTasks();
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

  // tabs are the names of those that have something kept.
  tabs(userID) {
    const prefix = `taskapi.queue.${userID}.`;
    return this.#keys(prefix).map((key) => key.slice(prefix.length));
  }

  claimed(userID) { return this.#get(`taskapi.claimed.${userID}`, []); }

  claim(userID, id) { this.#set(`taskapi.claimed.${userID}`, JSON.stringify([...this.claimed(userID), id].slice(-claims))); }

  tasks(userID) { return this.#get(`taskapi.tasks.${userID}`, []); }

  setTasks(userID, tasks) {
    const text = JSON.stringify(tasks);
    if (userID && text.length < most) this.#set(`taskapi.tasks.${userID}`, text);
  }

  lists(userID) { return this.#get(`taskapi.lists.${userID}`, []); }

  setLists(userID, lists) { if (userID) this.#set(`taskapi.lists.${userID}`, JSON.stringify(lists)); }

  dropTasks() { for (const key of [...this.#keys("taskapi.tasks."), ...this.#keys("taskapi.lists.")]) this.#storage.removeItem(key); }
}
