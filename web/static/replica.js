// The copy of the tasks, the lists, the trash and the person in IndexedDB, with the cursor up to
// where the server has told of it: what the page shows before it asks for anything. Each
// account has a database of its own. Where there is none, or no room, the page does
// without and says nothing. No DOM here.
//
// A page of news is written with its cursor at once, or not at all. Several tabs write to
// the same copy, each in its own pace: whoever writes last sets the cursor, and what others
// have written beyond it is told again. A tab that begins a copy anew gives it a new name;
// those that go on with the old one do not write any more.

import { base, local } from "./surroundings.js";

const patience = 3_000; // milliseconds for a database to open: some browsers never say anything
const known = "taskapi.copy."; // says whose copies there are, without opening them

const databases = (() => { try { return globalThis.indexedDB; } catch { return undefined; } })();

const nameOf = (userID) => `taskapi${base}.${userID}`;

const result = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

function open(name) {
  return new Promise((resolve, reject) => {
    const request = databases.open(name, 1);
    const late = setTimeout(() => reject(new Error("the database does not open")), patience);
    request.onupgradeneeded = () => {
      for (const store of ["tasks", "lists"]) request.result.createObjectStore(store, { keyPath: "id" });
      request.result.createObjectStore("meta");
    };
    request.onerror = () => { clearTimeout(late); reject(request.error); };
    request.onsuccess = () => {
      clearTimeout(late);
      request.result.onversionchange = () => request.result.close(); // it is to be deleted
      resolve(request.result);
    };
  });
}

function remove(userID) {
  local.removeItem(known + userID);
  try { databases?.deleteDatabase(nameOf(userID)); } catch { /* there is none */ }
}

// knows says whether there is a copy for somebody.
export const knows = (userID) => local.getItem(known + userID) !== null;

export class Replica {
  #userID; #database; #broken = false;

  // The copies of others who were signed in here are deleted.
  constructor(userID) {
    this.#userID = userID;
    const keys = Array.from({ length: local.length }, (_, i) => local.key(i)).filter((key) => key?.startsWith(known));
    for (const key of keys) if (key !== known + userID) remove(key.slice(known.length));
    this.#database = (async () => databases && open(nameOf(userID)))().catch(() => undefined);
  }

  // read is the whole copy: tasks, lists, the user, what is known of the trash, and the state that was last written;
  // undefined without one.
  async read() {
    try {
      const database = await this.#database;
      const at = database.transaction(["tasks", "lists", "meta"]);
      const [tasks, lists, state, user, trash] = await Promise.all([
        result(at.objectStore("tasks").getAll()), result(at.objectStore("lists").getAll()),
        ...["state", "user", "trash"].map((name) => result(at.objectStore("meta").get(name)))]);
      return state && { tasks, lists, user, state, trash };
    } catch {
      return undefined;
    }
  }

  // write adds what is new. The state has the name of the copy and the cursor; one that
  // begins replaces all that there is. Without a state, the cursor stays.
  async write(copy, { begins = false, state, user, trash, tasks = [], lists = [], gone = [] }) {
    if (begins) this.#broken = false;
    if (this.#broken) return;
    try {
      const database = await this.#database;
      if (!database) return;
      if (!knows(this.#userID)) local.setItem(known + this.#userID, "1");
      const at = database.transaction(["tasks", "lists", "meta"], "readwrite", { durability: "relaxed" });
      const done = new Promise((resolve, reject) => { at.oncomplete = resolve; at.onabort = () => reject(at.error); });
      const [meta, stores] = [at.objectStore("meta"), { task: at.objectStore("tasks"), list: at.objectStore("lists") }];
      const put = () => {
        for (const task of tasks) stores.task.put(task);
        for (const list of lists) stores.list.put(list);
        for (const { kind, id } of gone) stores[kind].delete(id);
        if (user) meta.put(user, "user");
        if (trash) meta.put(trash, "trash");
        if (state) meta.put({ ...state, copy }, "state");
      };
      // All or nothing: what fails half way through is not kept.
      const attempt = (act) => { try { act(); } catch { try { at.abort(); } catch { /* it is */ } } };
      if (begins) {
        attempt(() => {
          stores.task.clear();
          stores.list.clear();
          put();
        });
      } else {
        const there = meta.get("state");
        there.onsuccess = () => attempt(() => { if (there.result?.copy === copy) put(); else at.abort(); });
      }
      await done;
    } catch {
      this.#broken = true; // a page that is missed must not be followed by the next
    }
  }

  // drop deletes the copy: who was signed in is not any more.
  async drop() {
    this.#broken = true;
    const database = this.#database;
    this.#database = Promise.resolve(undefined);
    remove(this.#userID);
    (await database)?.close();
  }
}
