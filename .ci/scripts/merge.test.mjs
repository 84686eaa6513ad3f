// What becomes of texts that were changed here and elsewhere.
//   node --test .ci/scripts/
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

globalThis.document = { querySelector: () => null };
globalThis.window = globalThis;
Object.defineProperty(globalThis, "navigator", { value: { languages: ["en"] }, configurable: true });
const { baseOf, both, decide, meet } = await import("../../web/static/merge.js");
const { Store } = await import("../../web/static/store.js");
const { ApiError } = await import("../../web/static/api.js");

test("only what nobody here has seen would be lost", () => {
  for (const [what, mine, seen, there, rest, theirs] of [
    ["nobody else", "mine", ["old"], "old", "mine", undefined],
    ["both the same", "mine", ["old"], "mine", undefined, undefined],
    ["both the same but for white space", "mine\n", ["old"], "mine", undefined, undefined],
    ["the server has tidied up", "mine", ["old\r\n "], "old", "mine", undefined],
    ["both differ", "mine", ["old"], "theirs", "mine", "theirs"],
    ["mine is on top of one that waited", "mine", ["first", "old"], "first", "mine", undefined],
    ["which had not arrived", "mine", ["first", "old"], "old", "mine", undefined],
    ["they have emptied it", "mine", ["old"], "", "mine", undefined],
    ["I have emptied it", "", ["old"], "theirs", "", "theirs"],
    ["I have emptied it, nobody else", "", ["old"], "old", "", undefined],
  ]) {
    const got = meet({ description: mine, priority: "high" }, { description: seen }, { description: there, priority: "low" });
    assert.deepEqual(got, { rest: { ...(rest !== undefined && { description: rest }), priority: "high" }, theirs: theirs === undefined ? {} : { description: theirs } }, what);
  }
});

test("other fields, and those that the editor did not touch, go their own way", () => {
  assert.deepEqual(meet({ title: "mine" }, { title: ["old"] }, { title: "old", description: "theirs" }), { rest: { title: "mine" }, theirs: {} });
  assert.equal(baseOf({ due: "2026-11-30" }, { title: "old", description: "" }, []), undefined);
  assert.deepEqual(baseOf({ title: "c" }, { title: "b", description: "" }, [{ base: { title: ["a"] } }, {}]), { title: ["b", "a"] });
});

test("both texts are one, as long as they fit", () => {
  assert.equal(both("title", "mine", "theirs"), "mine / theirs");
  assert.equal(both("description", "mine", "theirs"), "mine\n\ntheirs");
  assert.equal(both("description", "", "theirs"), "theirs");
  assert.equal(both("title", "m".repeat(60), "t".repeat(60)), null);
  assert.equal(both("title", "🙂".repeat(49), "t".repeat(48)), `${"🙂".repeat(49)} / ${"t".repeat(48)}`);
});

test("a decision is one: the text that was shown is no news any more", () => {
  for (const [how, title] of [["mine", "mine"], ["theirs", undefined], ["both", "mine / theirs"]]) {
    const change = { patch: { title: "mine", description: "also mine" }, base: { title: ["old"], description: [""] }, problem: { theirs: { title: "theirs" } }, match: "x" };
    decide(change, how);
    assert.deepEqual(change, { patch: { ...(title && { title }), description: "also mine" }, base: { title: ["old", "theirs"], description: [""] }, problem: undefined, match: undefined }, how);
  }
});

// One task on a server that others write to as well.
class Server extends EventTarget {
  task = { id: 1, uid: "u", title: "old", description: "", completed: false, list_id: 1, version: 1 };
  patches = [];
  away = false;
  before; // is done before a write, once

  get(path) { return this.request("GET", path); }

  write(patch) { Object.assign(this.task, patch, { version: this.task.version + 1 }); }

  async request(method, path, body, { match } = {}) {
    await pause(1);
    if (this.away) throw new ApiError(503, { code: "proxy" }, 0.05);
    if (path.startsWith("/sync")) return { full: true, lists: [], tasks: [{ ...this.task }], deleted: [], cursor: "c", more: false };
    if (method === "GET") return { ...this.task };
    const { before } = this;
    this.before = undefined;
    if (before) {
      before();
      if (match !== "*") throw new ApiError(412, { code: "changed_meanwhile", current: { ...this.task } });
    }
    this.patches.push(body);
    this.write(body);
    return { task: { ...this.task } };
  }
}

const memory = () => {
  const items = new Map();
  return { get length() { return items.size; }, key: (i) => [...items.keys()][i] ?? null, getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, String(value)), removeItem: (key) => items.delete(key) };
};

async function begin(server = new Server(), storages = { storage: memory(), passing: memory() }) {
  const store = new Store(server, storages);
  store.open(1, "tab");
  await store.sync();
  return { server, store, storages };
}
const until = async (done) => { for (let n = 0; !done() && n < 500; n++) await pause(5); assert.ok(done()); };
const old = { title: "old", description: "" };

test("a text that was changed elsewhere is not written over, and is shown beside mine", async () => {
  const { server, store, storages } = await begin();
  const told = [];
  store.addEventListener("met", ({ detail }) => told.push(detail));
  server.away = true;
  store.change(1, { title: "mine", description: "mine, too" }, old);
  server.write({ title: "theirs" });
  server.away = false;
  await until(() => store.visible()[0].problem);
  assert.deepEqual(store.visible()[0].problem.theirs, { title: "theirs" });
  assert.equal(store.visible()[0].title, "mine");
  assert.deepEqual([server.patches, told], [[], [{ id: 1, title: "mine" }]]);

  // It is there after a reload, and a date is set meanwhile without it.
  const { store: again } = await begin(server, storages);
  assert.deepEqual(again.visible()[0].problem.theirs, { title: "theirs" });
  again.change(1, { due: "2026-11-30" });
  await until(() => server.patches.length === 1);
  assert.deepEqual(server.task, { ...server.task, title: "theirs", description: "", due: "2026-11-30" });
  again.resolve(1, "both");
  await until(() => again.waiting === 0);
  assert.deepEqual(server.task, { ...server.task, title: "mine / theirs", description: "mine, too" });
});

test("use theirs, keep mine, or write something else", async () => {
  for (const [what, title] of [["theirs", "theirs"], ["mine", "mine"], ["again", "both in other words"]]) {
    const { server, store } = await begin();
    server.write({ title: "theirs" });
    store.change(1, { title: "mine" }, old);
    await until(() => store.visible()[0].problem);
    if (what === "again") store.change(1, { title }, { title: "mine", description: "" });
    else store.resolve(1, what);
    await until(() => store.waiting === 0);
    assert.equal(server.task.title, title);
    assert.equal(store.visible()[0].title, title);
  }
});

test("what changes between the look and the write is seen, too", async () => {
  const { server, store } = await begin();
  server.before = () => server.write({ title: "theirs" });
  store.change(1, { title: "mine" }, old);
  await until(() => store.visible()[0].problem);
  assert.equal(server.task.title, "theirs");
  store.resolve(1, "mine");
  server.before = () => server.write({ description: "theirs" });
  await until(() => store.waiting === 0);
  assert.deepEqual(server.task, { ...server.task, title: "mine", description: "theirs" });
});

test("one's own edits, one after the other, meet nobody", async () => {
  const { server, store } = await begin();
  store.change(1, { title: "one" }, old);
  store.change(1, { title: "two" }, { title: "one", description: "" });
  await until(() => store.waiting === 0);
  store.change(1, { title: "three" }, { title: "two", description: "" });
  await until(() => store.waiting === 0);
  assert.deepEqual(server.patches.map(({ title }) => title), ["one", "two", "three"]);
});
