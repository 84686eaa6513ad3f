// The store and the outbox without a browser, against a server of a few lines.
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

globalThis.document = { querySelector: () => null };
globalThis.window = globalThis;
const memory = () => {
  const items = new Map();
  return { get length() { return items.size; }, key: (i) => [...items.keys()][i] ?? null, getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, String(value)), removeItem: (key) => items.delete(key) };
};
Object.defineProperty(globalThis, "navigator", { value: { languages: ["en"] }, configurable: true });
const { Store } = await import("../../web/static/store.js");
const { ApiError, noteChange } = await import("../../web/static/api.js");

// Server keeps tasks and a log, and can be away.
class Server extends EventTarget {
  tasks = new Map();
  requests = [];
  away = false;
  refuse = null; // what a request is refused with
  #answers = new Map();
  #before = new Map();
  #last = 0;

  get(path) { return this.request("GET", path); }

  async request(method, path, body, { key } = {}) {
    await pause(1);
    if (this.away) throw new ApiError(503, { code: "proxy" }, 0.05);
    if (method === "GET") return { full: true, lists: [], tasks: [...this.tasks.values()].map((task) => ({ ...task })), deleted: [], cursor: `c${this.#last}`, more: false };
    this.requests.push({ method, path, body, key });
    const refusal = this.refuse?.(method, path, body);
    if (refusal) throw refusal;
    if (this.#answers.has(key)) return this.#answers.get(key);
    const before = new Map([...this.tasks].map(([id, task]) => [id, { ...task }]));
    const first = this.#last + 1;
    const answer = path === "/batch" ? { responses: body.requests.map((each) => ({ status: 200, body: this.#do(each.method, each.path, each.body) })) } : this.#do(method, path, body);
    if (path !== "/undo") this.#before.set(first, before);
    noteChange(answer, first);
    this.#answers.set(key, answer);
    return answer;
  }

  #do(method, path, body) {
    const version = ++this.#last;
    if (path === "/undo") {
      assert.ok(this.#before.has(body.change), `undo ${body.change}`);
      this.tasks = new Map([...this.#before.get(body.change)].map(([id, task]) => [id, { ...task, version }]));
      return { message: "Undone.", changes: [version] };
    }
    const name = path.split("/")[2];
    const found = [...this.tasks.values()].find(({ id, uid }) => String(id) === name || uid === name);
    if (method === "POST" && !name) {
      const task = { id: version, description: "", completed: false, position: 0, list_id: 1, ...body, version };
      this.tasks.set(task.id, task);
      return { task: { ...task } };
    }
    if (!found) throw new ApiError(404, { code: "task_not_found" });
    if (method === "DELETE") { this.tasks.delete(found.id); return { message: "deleted" }; }
    Object.assign(found, method === "PATCH" ? body : { list_id: body.list_id ?? found.list_id }, { version });
    return { task: { ...found } };
  }

  get titles() { return [...this.tasks.values()].map(({ title }) => title).sort().join(); }
}

async function begin(server = new Server(), storages = { storage: memory(), passing: memory() }) {
  const store = new Store(server, storages);
  store.open(1, "tab");
  await store.sync();
  return { server, store, storages };
}
const titles = (store) => store.visible().map(({ title }) => title).sort().join();
const sent = async (store) => { for (let n = 0; store.waiting && n < 500; n++) await pause(5); assert.equal(store.waiting, 0); };

test("several changes are one request, and one undo", async () => {
  const { server, store } = await begin();
  for (const title of ["a", "b", "c"]) store.add(title);
  await sent(store);
  server.requests.length = 0;
  store.together(() => { for (const { id } of store.visible()) store.change(id, { priority: "high" }); });
  assert.deepEqual(store.undoable(), { kind: "update", title: "c", n: 3 });
  await sent(store);
  assert.deepEqual(server.requests.map(({ path, body }) => [path, body.requests.length]), [["/batch", 3]]);
  store.undoLast();
  await sent(store);
  assert.equal(server.requests.at(-1).path, "/undo");
  assert.ok(store.visible().every(({ priority }) => !priority), "the page shows what was before");
  assert.equal(store.undoable().kind, "create");
});

test("a batch that is refused goes out one by one", async () => {
  const { server, store } = await begin();
  for (const title of ["a", "b"]) store.add(title);
  await sent(store);
  server.refuse = (method, path) => path === "/batch" && new ApiError(409, { code: "batch_failed" });
  server.requests.length = 0;
  store.together(() => { for (const { id } of store.visible()) store.move(id, { list_id: 2 }, { list_id: 2 }); });
  assert.ok(store.visible().every((task) => task.list_id === 2));
  await sent(store);
  assert.deepEqual(server.requests.map(({ path }) => path), ["/batch", "/tasks/2/move", "/tasks/1/move"]);
  store.undoLast();
  await sent(store);
  assert.ok([...server.tasks.values()].every((task) => task.list_id === 1));
});

test("a batch whose answer is lost is sent again as it was", async () => {
  const { server, store } = await begin();
  let lost = true;
  const request = server.request.bind(server);
  server.request = async (...what) => {
    const answer = await request(...what);
    if (what[1] === "/batch" && lost) { lost = false; throw new ApiError(502, { code: "proxy" }, 0.05); }
    return answer;
  };
  store.together(() => { for (const title of ["a", "b", "c"]) store.add(title); });
  await pause(20);
  await store.sync(); // the server tells of them before it answers
  assert.equal(titles(store), "a,b,c", "and each is shown once");
  await sent(store);
  const [one, two] = server.requests.filter(({ path }) => path === "/batch");
  assert.deepEqual(one, two);
  assert.equal(server.titles, "a,b,c");
  store.undoLast();
  await sent(store);
  assert.equal(server.titles, "");
  assert.equal(titles(store), "");
});

test("a repetition that moved on though its answer and number were lost can be opened again", async () => {
  const { server, store } = await begin();
  const version = "c1", repeating = { id: 1, title: "rent", description: "", completed: false, due: "2031-01-05", recurrence: "FREQ=MONTHLY", list_id: 1, version };
  server.tasks.set(1, repeating);
  await store.sync();
  const request = server.request.bind(server), opened = [];
  server.request = async (method, path, body, options = {}) => {
    if (method === "GET" && path === "/tasks/1") return { ...repeating };
    if (method !== "PATCH") return request(method, path, body, options);
    if (path === "/tasks/1" && body.completed) { // a proxy takes the key away, and drops the answer
      server.tasks.set(1, Object.assign(repeating, { due: "2031-02-05", version: "c2" }));
      server.tasks.set(2, { ...repeating, id: 2, due: "2031-01-05", completed: true, completed_at: "2031-01-05T08:00:00Z", recurrence: null, recurrence_of: 1 });
      throw new ApiError(502, { code: "proxy" }, 0.05);
    }
    opened.push(path);
    return { task: { ...repeating, due: "2031-01-05" } };
  };
  store.change(1, { completed: true });
  await sent(store);
  store.change(1, { completed: false });
  await sent(store);
  assert.deepEqual(opened, ["/tasks/2"]);
});

test("undo without the server, and after a reload", async () => {
  const { server, store, storages } = await begin();
  store.add("kept");
  await sent(store);
  const [{ id }] = store.visible();
  store.change(id, { title: "renamed" });
  await sent(store);
  store.close = () => {};
  const { store: again } = await begin(server, storages);
  server.away = true;
  assert.deepEqual(again.undoable(), { kind: "update", title: "kept", n: 1 });
  again.undoLast();
  assert.equal(titles(again), "kept", "at once");
  const { store: third } = { store: new Store(server, storages) };
  third.open(1, "tab");
  await pause(5);
  server.away = false;
  await third.sync();
  await sent(third);
  assert.equal(server.titles, "kept");
});

test("what is not sent is undone without the server, each change by itself", async () => {
  const { server, store } = await begin();
  server.away = true;
  const name = store.add("one");
  store.change(name, { title: "two" });
  store.change(name, { description: "three" });
  store.remove(name);
  assert.equal(titles(store), "");
  store.undoLast();
  const [task] = store.visible();
  assert.deepEqual([task.title, task.description], ["two", "three"], "the deletion");
  server.away = false;
  await sent(store);
  assert.equal(server.titles, "two");
  server.away = true;
  store.change(store.visible()[0].id, { title: "four" });
  await pause(10);
  store.undoLast();
  assert.equal(titles(store), "two");
  server.away = false;
  await sent(store);
  assert.equal(server.titles, "two");
});

test("an undo that is refused is told, and shown no more", async () => {
  const { server, store } = await begin();
  store.add("a");
  await sent(store);
  store.change(1, { title: "b" });
  await sent(store);
  server.refuse = (method, path) => path === "/undo" && new ApiError(409, { code: "undo_conflict", current: null });
  const told = new Promise((resolve) => store.addEventListener("refused", ({ detail }) => resolve(detail.code)));
  store.undoLast();
  assert.equal(titles(store), "a");
  assert.equal(await told, "undo_conflict");
  assert.equal(titles(store), "b");
});

test("what is made below what has no id yet waits for it", async () => {
  const { server, store } = await begin();
  store.together(() => {
    const parent = store.add("parent");
    store.add("child", "", false, { parent_id: parent });
  });
  await sent(store);
  assert.deepEqual(server.requests.map(({ body }) => body.title), ["parent", "child"]);
});
