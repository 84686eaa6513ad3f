// Sends the requests of a file for editors one after the other, as the REST Client of VS Code does
// with what the file uses, and looks at each answer.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";

const [file, url] = process.argv.slice(2);
const text = readFileSync(file, "utf8").replaceAll("\r", "").replace("http://localhost:8000", url);
const variables = Object.fromEntries([...text.matchAll(/^@(\w+) = (.*)$/gm)].map((found) => [found[1], found[2]]));
const answers = {};

// filled is a text with the variables of the file and the answers to requests before.
function filled(part) {
  for (let found; (found = /\{\{([^{}]+)\}\}/.exec(part));) {
    const [name, ...path] = found[1].split(".");
    const value = name === "$guid" ? crypto.randomUUID() : path.length ? path.reduce((from, key) => from?.[key], answers[name]) : variables[name];
    assert.notEqual(value, undefined, `nothing is known of ${found[0]}`);
    part = part.replace(found[0], () => String(value));
  }
  return part;
}

for (const block of text.split(/^###.*$/m).slice(1)) {
  const name = /^# @name (\w+)$/m.exec(block)[1];
  const [head, ...body] = block.replace(/^#.*\n/gm, "").trim().split("\n\n");
  const [first, ...lines] = filled(head).split("\n");
  const [method, address] = first.split(" ");
  const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/).slice(0, 2)));
  const response = await fetch(address, { method, headers, body: body.length ? filled(body.join("\n\n")) : undefined });
  answers[name] = { status: response.status, response: { body: await response.json() } };
}

const status = Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, answer.status]));
assert.deepEqual(status, { login: 200, list: 200, added: 201, ticked: 200, deleted: 200, refused: 422, busy: 503, left: 200 });
const body = (name) => answers[name].response.body;
assert.equal(body("list").tasks.length, 5);
assert.equal(body("added").task.title, "Water the plants");
assert.equal(body("ticked").task.id, body("added").task.id);
assert.equal(body("ticked").task.completed, true);
assert.equal(body("refused").errors.title, "The field title is required.");
assert.equal(body("busy").code, "server_busy");
console.log("todo.http: each of its requests");
