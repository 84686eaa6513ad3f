// Lists and the trash in the store and the outbox, without a browser, against a server of a
// few lines.
import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

globalThis.document = { querySelector: () => null };
globalThis.window = globalThis;
const memory = () => {
  const items = new Map();
  return { get length() { return items.size; }, key: (i) => [...items.keys()][i] ?? null, getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, String(value)), removeItem: (key) => items.delete(key) };
};
Object.defineProperty(globalThis, "navigator", { value: { languages: ["en"] }, configurable: true });
const { Store } = await import("../../web/static/store.js");
const { Desk } = await import("../../web/static/desk.js");
const { ApiError, noteChange } = await import("../../web/static/api.js");

// Server keeps lists and tasks by number or uid, a trash of both, and can be away or lose
// each answer once.
class Server extends EventTarget {
  things = { lists: new Map([[1, { id: 1, uid: "inbox", name: "Inbox", inbox: true, role: "owner", position: 0, version: 1, members: [] }]]), tasks: new Map() };
  trash = { lists: new Map(), tasks: new Map() };
  requests = [];
  away = false;
  lossy = false;
  numbered = true;
  refuse = null;
  #answers = new Map();
  #lost = new Set();
  #undo = new Map();
  #last = 10;

  get(path) { return this.request("GET", path); }

  async request(method, path, body, { key } = {}) {
    await pause(1);
    if (this.away) throw new ApiError(503, { code: "proxy" }, 0.02);
    const { lists, tasks } = this.things;
    const all = (map) => [...map.values()].map((thing) => ({ ...thing }));
    if (method === "GET") return { full: true, lists: all(lists), tasks: all(tasks), deleted: [...["list", "task"].flatMap((kind) => [...this.trash[`${kind}s`].keys()].map((id) => ({ kind, id })))], cursor: "c", more: false };
    const refusal = this.refuse?.(method, path, body);
    if (refusal) throw refusal;
    if (!this.#answers.has(key)) {
      this.requests.push(`${method} ${path}`);
      const answer = this.#do(method, path, body ?? {});
      if (this.numbered) noteChange(answer, this.#last);
      this.#answers.set(key, answer);
    }
    if (this.lossy && !this.#lost.has(key)) {
      this.#lost.add(key);
      throw new ApiError(502, { code: "proxy" }, 0.02);
    }
    return this.#answers.get(key);
  }

  #find(map, name) { return [...map.values()].find(({ id, uid }) => String(id) === String(name) || uid === name); }

  #do(method, path, body) {
    const version = ++this.#last, [, kind, name, act] = path.split("/"), one = kind.slice(0, -1);
    const { lists, tasks } = this.things, live = this.things[kind], gone = this.trash[kind];
    if (kind === "undo") {
      const undo = this.#undo.get(body.change);
      if (!undo) throw new ApiError(409, { code: "not_undoable", error: "no" });
      return undo(version) ?? { message: "Undone." };
    }
    const list = body.list_id && this.#find(lists, body.list_id)?.id;
    if (body.list_id && !list) throw new ApiError(422, { code: "list_not_found", error: "no list" });
    if (!name) {
      const known = this.#find(live, body.uid) ?? null;
      if (known) return { [one]: { ...known } };
      const thing = { id: version, ...(one === "list" ? { role: "owner", inbox: false, color: null, position: (lists.size + 1) * 65536 } : { description: "", completed: false, list_id: 1 }), ...body, ...(list && { list_id: list }), version };
      live.set(version, thing);
      this.#undo.set(version, () => { live.delete(version); gone.set(version, thing); });
      return { [one]: { ...thing } };
    }
    const thing = this.#find(act === "restore" ? gone : live, name);
    if (!thing) throw new ApiError(404, { code: `${one}_not_found`, error: "gone" });
    const with_ = one === "list" ? [...(act === "restore" ? this.trash.tasks : tasks).values()].filter((task) => task.list_id === thing.id) : [];
    if (act === "restore") {
      gone.delete(thing.id);
      live.set(thing.id, thing);
      for (const task of with_) { this.trash.tasks.delete(task.id); tasks.set(task.id, task); }
      return { [one]: { ...thing } };
    }
    if (method === "DELETE") {
      live.delete(thing.id);
      gone.set(thing.id, thing);
      for (const task of with_) { tasks.delete(task.id); this.trash.tasks.set(task.id, task); }
      return { message: "deleted" };
    }
    const before = Object.fromEntries(Object.keys(body).map((field) => [field, thing[field]]));
    if (act === "move" && one === "list") {
      const sorted = [...lists.values()].filter((each) => each.id !== 1 && each !== thing).sort((a, b) => a.position - b.position);
      const at = sorted.indexOf(this.#find(lists, body.before_id ?? body.after_id)) + (body.after_id ? 1 : 0);
      sorted.splice(at, 0, thing);
      sorted.forEach((each, i) => { each.position = (i + 1) * 65536; });
    } else {
      Object.assign(thing, body, list && { list_id: list });
      this.#undo.set(version, (next) => { Object.assign(thing, before, { version: next }); return { [one]: { ...thing } }; });
    }
    thing.version = version;
    return { [one]: { ...thing } };
  }

  get shape() { return shapeOf([...this.things.lists.values()], [...this.things.tasks.values()]); }
}

const shapeOf = (lists, tasks) => lists.sort((a, b) => a.position - b.position).map((list) => `${list.name}: ${tasks.filter((task) => (task.list_id ?? 1) === list.id).map(({ title }) => title).sort().join()}`).join(" | ");

const stores = [];
after(() => { for (const store of stores) store.close(); });

async function begin(server = new Server(), storages = { storage: memory(), passing: memory() }) {
  const store = new Store(server, storages);
  stores.push(store);
  store.open(1, "tab");
  if (!server.away) await store.sync();
  else await pause(5);
  return { server, store, storages, desk: new Desk(store, server) };
}
const shape = (store) => shapeOf(store.lists(), store.visible());
const sent = async (store) => {
  for (let n = 0; n < 500; n++) {
    store.hurry();
    if (await store.finish(10) === 0) return;
    await pause(5);
  }
  assert.fail("not sent");
};

for (const lossy of [false, true]) {
  test(`what is done with lists without the server${lossy ? ", whose answers get lost" : ""}`, async () => {
    const { server, store, desk, storages } = await begin();
    const home = store.addList("Home");
    await sent(store);
    server.away = true;
    const trip = store.addList("Trip");
    store.add("tickets", "", false, { list_id: trip });
    store.changeList(trip, { name: "Journey" });
    store.changeList(store.idOf(home), { color: "#2b5fc0" });
    assert.ok(desk.moveList(trip, { before_id: store.idOf(home) }));
    assert.equal(shape(store), "Inbox:  | Journey: tickets | Home: ");
    const { store: again } = await begin(server, storages);
    await pause(5);
    again.changeList(trip, { color: "#c0392b" }); // by the name that it had before
    server.away = false;
    server.lossy = lossy;
    await again.sync();
    assert.match(shape(again), /^Inbox: {2}\| Journey: tickets \| Home: $/);
    await sent(again);
    assert.equal(server.shape, "Inbox:  | Journey: tickets | Home: ");
    assert.equal(shape(again), server.shape);
    assert.deepEqual([...server.things.lists.values()].map(({ color }) => color), [undefined, "#2b5fc0", "#c0392b"]);
    assert.equal(typeof again.list(trip).id, "number");
    assert.equal(again.list(again.idOf(home)).color, "#2b5fc0");
  });
}

test("each act on a list is undone, sent or not, also after a reload", async () => {
  for (const sending of [true, false]) {
    const { server, store, desk, storages } = await begin();
    const ids = ["one", "two"].map((name) => store.addList(name));
    store.add("a", "", false, { list_id: ids[0] });
    await sent(store);
    await store.sync();
    const [one, two] = ids.map((id) => store.idOf(id)), first = shape(store);
    assert.equal(first, "Inbox:  | one: a | two: ");
    if (!sending) server.away = true;
    store.changeList(one, { name: "uno" });
    store.changeList(one, { color: "#c0392b" });
    desk.moveList(two, { before_id: one });
    store.removeList(one);
    assert.equal(shape(store), "Inbox:  | two: ");
    assert.deepEqual(store.trash.map((gone) => gone.name ?? gone.title).sort(), ["a", "uno"]);
    if (sending) {
      await sent(store);
      await store.sync();
    }
    const { store: again } = sending ? await begin(server, storages) : { store }; // there is no replica here
    assert.equal(shape(again), "Inbox:  | two: ");
    assert.equal(again.undoLast().kind, "list.delete");
    if (!sending) assert.equal(shape(again), "Inbox:  | two:  | uno: a");
    assert.equal(again.undoLast().kind, "list.move");
    if (!sending) assert.equal(shape(again), "Inbox:  | uno: a | two: ");
    assert.equal(again.undoLast().kind, "list.update");
    assert.equal(again.undoLast().kind, "list.update");
    server.away = false;
    await sent(again);
    await again.sync();
    assert.equal(shape(again), first);
    assert.equal(server.shape, first);
    assert.equal(again.list(one).color ?? null, null);
    for (let n = 0; again.undoable() && n < 9; n++) again.undoLast();
    await sent(again);
    await again.sync();
    assert.equal(server.shape, "Inbox: ");
    assert.equal(shape(again), "Inbox: ");
  }
});

test("what is refused keeps its text, and is mended or given up", async () => {
  const { server, store } = await begin();
  server.refuse = (method, path, body) => (path === "/lists/" && body.name === "x" ? new ApiError(409, { code: "too_many_lists", error: "no room" }) : undefined);
  const list = store.addList("x");
  store.add("kept", "", false, { list_id: list });
  await pause(30);
  assert.equal(store.list(list).problem.code, "too_many_lists");
  assert.equal(shape(store), "Inbox:  | x: kept");
  store.changeList(list, { name: "y" });
  await sent(store);
  assert.equal(server.shape, "Inbox:  | y: kept");
  const other = store.addList("x");
  store.add("homeless", "", false, { list_id: other });
  await pause(30);
  store.drop(other, "list");
  await sent(store);
  assert.equal(server.shape, "Inbox: homeless | y: kept");
  server.refuse = (method) => method === "PATCH" && new ApiError(403, { code: "not_list_owner", error: "no" });
  const id = store.idOf(list);
  store.changeList(id, { name: "z" });
  await pause(30);
  assert.deepEqual([store.list(id).name, store.list(id).problem.code], ["z", "not_list_owner"]);
  store.drop(id, "list");
  assert.equal(store.list(id).name, "y");
});

test("a list is deleted after what comes into it", async () => {
  const { server, store } = await begin();
  server.away = true;
  const list = store.addList("short");
  store.add("inside", "", false, { list_id: list });
  store.removeList(list);
  assert.equal(shape(store), "Inbox: ");
  store.hurry();
  server.away = false;
  await sent(store);
  assert.deepEqual(server.requests, ["POST /lists/", "POST /tasks/", `DELETE /lists/${list}`]);
  store.undoLast();
  await sent(store);
  await store.sync();
  assert.equal(shape(store), "Inbox:  | short: inside");
});

test("the trash knows what is deleted here, and gives it back without the server", async () => {
  const { server, store } = await begin();
  for (const title of ["a", "b"]) store.add(title);
  await sent(store);
  const [b, a] = store.visible();
  store.remove(a.id);
  await sent(store);
  server.away = true;
  store.remove(b.id);
  assert.deepEqual(store.trash.map(({ title }) => title), ["b", "a"]);
  for (const gone of store.trash) store.undoRemove(gone);
  assert.deepEqual(store.trash, []);
  assert.equal(shape(store), "Inbox: a,b");
  server.away = false;
  await sent(store);
  assert.equal(server.shape, "Inbox: a,b");
  assert.deepEqual(store.trash, []);
});

test("what has lost its number is undone by what it was before", async () => {
  const { server, store } = await begin();
  const list = store.addList("Home");
  store.add("task", "", false, { list_id: list });
  await sent(store);
  const first = shape(store), [{ id }] = store.visible();
  server.numbered = false;
  store.changeList(list, { name: "House" });
  store.together(() => store.move(id, { list_id: 1 }, { list_id: 1, position: 5 }));
  store.change(id, { title: "renamed" });
  await sent(store);
  assert.equal(server.shape, "Inbox: renamed | House: ");
  for (const kind of ["update", "move", "list.update"]) assert.equal(store.undoLast().kind, kind);
  assert.equal(shape(store), first);
  await sent(store);
  assert.equal(server.shape, first);
});
