// The harness of .ci/offline.
import { spawn, execFileSync } from "node:child_process";
import { strict as assert } from "node:assert";
import { setTimeout as pause } from "node:timers/promises";
import { Tasks } from "./tasks.mjs";

const kills = Number(process.env.KILLS);
const seed = Number(process.env.SEED ?? Date.now());
console.log(`seed ${seed}`);
let last = seed >>> 0;
const random = (n) => { // mulberry32
  last = (last + 0x6d2b79f5) >>> 0;
  let t = Math.imul(last ^ (last >>> 15), last | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) % n;
};

let server, port = 0;
async function start() {
  server = spawn("./taskapi", ["serve", "--addr", `127.0.0.1:${port}`, "--rate-limit", "off", "--registration", "closed"], { stdio: ["ignore", "pipe", "ignore"] });
  for await (const text of server.stdout) {
    const found = /serving at http:\/\/127.0.0.1:(\d+)/.exec(text);
    if (found) { port = Number(found[1]); break; }
  }
  assert.notEqual(port, 0, "the server did not start");
}
async function kill() {
  const gone = new Promise((done) => server.once("exit", done));
  server.kill("SIGKILL");
  await gone;
}
process.on("exit", () => server?.kill("SIGKILL"));

execFileSync("./taskapi", ["db", "init"]);
execFileSync("./taskapi", ["user", "add", "ann@example.com"], { input: "a good password\n" });
await start();
const url = `http://127.0.0.1:${port}`;
const signIn = await fetch(`${url}/auth/login`, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ email: "ann@example.com", password: "a good password" }),
});
assert.equal(signIn.status, 200);
const { access_token: token } = await signIn.json();

// Each device keeps its state as text, as a browser does, and is begun anew from it now and then.
class Device {
  text = null;
  refused = [];
  made = []; // uids
  constructor(name) { this.name = name; this.begin(); }
  begin() {
    const client = new Tasks(url, () => token, { load: () => JSON.parse(this.text), save: (state) => (this.text = JSON.stringify(state)) });
    client.refused = (change, problem) => this.refused.push({ change, problem });
    this.client = client;
    this.stop = new AbortController();
    this.running = client.run(this.stop.signal);
  }
  async restart() { // as a closed tab: what was on its way goes on without it
    this.stop.abort();
    await this.running;
    await this.client.sending?.catch(() => {});
    this.begin();
  }
  act() {
    const { client } = this;
    const known = Object.values(client.state.tasks);
    const task = known[random(known.length || 1)];
    switch (random(6)) {
      case 0: case 1: case 2:
        this.made.push(client.add({ title: `${this.name} ${this.made.length}` }));
        break;
      case 3: if (this.made.length) client.change("PATCH", `/tasks/${this.made[random(this.made.length)]}`, { completed: random(2) === 0 }); break;
      case 4: if (task) client.change("PATCH", `/tasks/${task.id}`, { title: `renamed by ${this.name}` }); break;
      case 5: if (task && random(4) === 0) client.change("DELETE", `/tasks/${task.id}`); break;
    }
  }
}

const devices = [new Device("phone"), new Device("laptop")];
let acting = true;
const acts = devices.map(async (device) => {
  while (acting) {
    device.act();
    if (random(200) === 0) await device.restart();
    await pause(random(20));
  }
});
for (let n = 0; n < kills; n++) {
  await pause(50 + random(250));
  await kill();
  await pause(random(60));
  await start();
}
acting = false;
await Promise.all(acts);

// At rest: nothing is queued, and nothing is new.
for (const device of devices) {
  device.stop.abort();
  await device.running;
  await device.client.send();
}
for (const device of devices) await device.client.pull();

const kept = new Map();
for (let after = 0; ;) {
  const answer = await fetch(`${url}/tasks/?per_page=100&after=${after}`, { headers: { Authorization: `Bearer ${token}` } });
  const { tasks } = await answer.json();
  for (const task of tasks) kept.set(task.id, task);
  if (tasks.length < 100) break;
  after = tasks.at(-1).id;
}
const titles = new Map(devices.flatMap(({ made }) => made.map((uid) => [uid, 0])));
for (const task of kept.values()) titles.set(task.uid, (titles.get(task.uid) ?? NaN) + 1);
for (const [uid, count] of titles) assert.ok(count <= 1, `the task ${uid} is there ${count} times, or nobody made it`);
for (const device of devices) {
  const copy = device.client.state.tasks;
  assert.deepEqual(Object.keys(copy).map(Number).sort((a, b) => a - b), [...kept.keys()].sort((a, b) => a - b), `${device.name} has other tasks`);
  for (const [id, task] of kept) assert.deepEqual(copy[id], task, `${device.name} has another task ${id}`);
  for (const { change, problem } of device.refused) {
    // The other device has deleted what this one changes.
    assert.ok(["task_not_found", "in_trash"].includes(problem.code), JSON.stringify({ change, problem }));
  }
}
const trash = await (await fetch(`${url}/tasks/?trash=true&per_page=100`, { headers: { Authorization: `Bearer ${token}` } })).json();
const deleted = trash.pagination.total;
const made = devices.reduce((sum, { made }) => sum + made.length, 0);
assert.equal(kept.size + deleted, made, "each task that was made is there once, or in the trash");
console.log(`${kills} kills, ${made} tasks made, ${deleted} deleted, ${devices.map(({ refused }) => refused.length)} changes refused: both copies are what the server has`);
await kill();
process.exit(0);
