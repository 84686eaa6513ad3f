// Walks with the client that a developer's server serves at /client.ts, while that makes trouble.
import { changeOf, etagOf, Taskapi, TaskapiError, type KeyStorage, type Task } from "./client.js";

const url = process.env["DEV"]!;
const password = "dev-password";

function must(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

async function refused(promise: Promise<unknown>): Promise<TaskapiError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  if (!(error instanceof TaskapiError)) throw new Error(`no TaskapiError: ${error}`);
  return error;
}

async function until(what: string, holds: () => boolean) {
  for (const end = Date.now() + 30_000; !holds();) {
    must(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const asked: string[] = []; // what the clients have sent
const counted: typeof fetch = (input, init) => {
  asked.push(`${init?.method} ${new URL(String(input)).pathname}`);
  return fetch(input, init);
};
const refreshes = () => asked.filter((line) => line === "POST /auth/refresh").length;

function memory(): KeyStorage {
  const items = new Map<string, string>();
  return { getItem: (name) => items.get(name) ?? null, setItem: (name, value) => { items.set(name, value); }, removeItem: (name) => { items.delete(name); } };
}

let ended: (TaskapiError | undefined)[] = [];
const storage = memory();
const api = new Taskapi(url, { fetch: counted, storage, retries: 12, onSignedOut: (error) => ended.push(error) });
must(!api.signedIn && (await refused(api.listTasks())).code === "token_missing", "it asks as nobody");
const { users } = await api.listDevUsers();
const person = users[1]!;
must((await refused(api.signIn(person.email, "wrong password"))).code === "invalid_credentials", "a wrong password");
must((await api.signIn(person.email, password)).id === person.id && api.signedIn, "not signed in");

// Errors, conflicts, undo.
const { list } = await api.createList({ name: "Walk" });
const invalid = await refused(api.createTask({ title: "" }));
must(invalid.status === 422 && invalid.errors["title"] && invalid.requestId, "no errors by field");
const made = await api.createTask({ title: "one", list_id: list.id });
await api.updateTask(made.task.id, { title: "two" }, { ifMatch: etagOf(made) });
const conflict = await refused(api.updateTask(made.task.id, { title: "three" }, { ifMatch: etagOf(made) }));
must(conflict.status === 412 && conflict.current && "title" in conflict.current && conflict.current.title === "two", "no conflict");
const deletion = await api.deleteTask(made.task.id);
await api.undo({ change: changeOf(deletion) });
must((await api.getTask(made.task.id)).title === "two", "not undone");
await api.deleteTask(made.task.id, { permanent: true });

// Retries can be switched off, and a signal ends them.
const once = new Taskapi(url, { fetch: counted, storage, retries: 0 });
must(once.signedIn && once.user?.id === person.id, "the storage does not keep the session");
let before = asked.length;
must((await refused(once.listTasks({}, { headers: { "X-Dev-Status": "503" } }))).status === 503 && asked.length === before + 2, "it was sent again");
before = asked.length;
const lost = await refused(once.createTask({ title: "lost", list_id: list.id }, { headers: { "X-Dev-Drop": "before" } }));
must(lost.status === 0 && lost.code === "unreachable" && asked.length === before + 1, "no answer");
const reason = new Error("enough");
const stop = new AbortController();
setTimeout(() => stop.abort(reason), 50);
const aborted = await api.listTasks({}, { signal: stop.signal, headers: { "X-Dev-Status": "503" } }).catch((error: unknown) => error);
must(aborted === reason, `not aborted: ${aborted}`);
// Who may be signed up twice is not.
before = asked.length;
const doubtful = await refused(api.register({ username: "new", email: "new@example.com", password: "securepassword", confirm_password: "securepassword" }, { headers: { "X-Dev-Drop": "after" } }));
must(doubtful.status === 0 && asked.length === before + 1, "an account was made again");

// One refresh for all; one more with the same token if its answer is lost.
const copies = memory();
const watcher = new Taskapi(url, { retries: 12 });
await watcher.signIn(person.email, password);
let changes = 0, failures = 0;
const copy = watcher.follow({ storage: copies, onChange: () => changes++, onError: () => failures++ });
await copy.ready;
must(copy.lists.get(list.id)?.name === "Walk", "the list is not in the copy");
for (const dropped of [0, 1]) {
  await api.setDevClock({ advance: "PT1H" });
  if (dropped) await api.createDevFault({ route: "POST /auth/refresh", drop: "after", times: 1 });
  before = refreshes();
  // Half of them learn that their token has expired only after it was renewed.
  await Promise.all(Array.from({ length: 20 }, (_, n) => api.listTasks({}, n % 2 ? { headers: { "X-Dev-Delay": "300ms" } } : {})));
  must(refreshes() === before + 1 + dropped, `${refreshes() - before} refreshes`);
}

// 200 tasks are made and changed once each, whatever goes wrong.
await api.clearDevFaults();
await api.createDevFault({ status: 503, rate: 0.3 });
await api.createDevFault({ drop: "before", rate: 0.1 });
await api.createDevFault({ drop: "after", rate: 0.1 });
await api.createDevFault({ kind: "expired_token", rate: 0.05 });
const first = changeOf(await api.updateList(list.id, { name: "Before" }));
const queue = Array.from({ length: 200 }, (_, n) => n);
await Promise.all(Array.from({ length: 50 }, async () => {
  for (let n; (n = queue.shift()) !== undefined;) {
    const { task } = await api.createTask({ title: `task ${n}`, list_id: list.id });
    await api.updateTask(task.id, { completed: true, priority: "high" });
  }
}));
const { faults } = await api.listDevFaults();
must(faults.length === 4 && faults.every((fault) => fault.met > 0), "there was no trouble");
await api.clearDevFaults();
const made400 = changeOf(await api.updateList(list.id, { name: "After" })) - first - 1;
must(made400 === 400, `${made400} changes`);

const there = new Map<number, Task>();
for (let page = 1, more = true; more; page++) {
  const { tasks, pagination } = await api.listTasks({ list_id: [list.id], page, per_page: 100 });
  for (const task of tasks) there.set(task.id, task);
  more = pagination.has_next;
}
must(there.size === 200 && new Set([...there.values()].map((task) => task.title)).size === 200, `${there.size} tasks`);
must([...there.values()].every((task) => task.completed && task.priority === "high"), "not all are changed");

// The copy has seen all of it, and goes on.
const inCopy = (of = copy) => [...of.tasks.values()].filter((task) => task.list_id === list.id);
await until("the copy is behind", () => inCopy().length === 200 && inCopy().every((task) => JSON.stringify(task) === JSON.stringify(there.get(task.id))));
must(changes > 1, "nobody was told of a change");
const resumed = watcher.follow({ storage: copies });
must(inCopy(resumed).length === 200, "the copy was not kept");
resumed.stop();
// A mistake in a listener is reported as such, and the copy goes on.
const mistakes: unknown[] = [];
process.on("uncaughtException", (error) => mistakes.push(error));
const clumsy = watcher.follow({ onChange: () => { throw new Error("a mistake"); } });
await clumsy.ready;
await until("the mistake is hidden", () => mistakes.length === 1);
clumsy.stop();
await api.deleteList(list.id);
await until("the copy keeps a list that is gone", () => inCopy().length === 0 && !copy.lists.has(list.id));

// The end of a session is told once to each, and of a copy as well.
await api.resetDev();
ended = [];
const ends = await Promise.all(Array.from({ length: 5 }, () => refused(api.listTasks())));
must(ends.every((error) => error.status === 401) && ended.length === 1 && ended[0] && !api.signedIn, `${ended.length} ends`);
await until("the copy goes on without a session", () => !watcher.signedIn);
await api.signIn(person.email, password);
await api.signOut();
must(Number(ended.length) === 2 && ended[1] === undefined && !api.signedIn && !new Taskapi(url, { storage }).signedIn, "not signed out");

// A script does with an API token.
await api.signIn(person.email, password);
const { token } = await api.createToken({ name: "script", scopes: ["tasks:read"] });
const script = new Taskapi(url, { token });
must((await script.listTasks({ per_page: 1 })).tasks.length === 1, "no task for a script");
must((await refused(script.createTask({ title: "no" }))).code === "insufficient_scope", "a script that may do everything");
const of = script.follow();
await of.ready;
must(of.tasks.size > 0, "no copy for a script");
of.stop();
console.log(`the client did the walk: ${asked.length} requests, ${refreshes()} refreshes, ${changes} changes, ${failures} interruptions`);
