// Stands between the conformance tests and taskapi: with WAY=http it adds a token to requests;
// with WAY=stdio it hands each message to a `taskapi mcp` of its session.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import http from "node:http";
import { createInterface } from "node:readline";

const { WAY, UPSTREAM, TASKAPI_TOKEN } = process.env;
const sessions = new Map();

function forward(request, response) {
  const headers = { ...request.headers, authorization: `Bearer ${TASKAPI_TOKEN}` };
  const up = http.request(UPSTREAM + request.url, { method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  up.on("error", () => response.destroy());
  request.pipe(up);
}

function open() {
  const child = spawn("./taskapi", ["mcp", UPSTREAM], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = JSON.parse(line);
    waiting.get(message.id)?.(line);
    waiting.delete(message.id);
  });
  return { child, waiting };
}

async function bridge(request, response) {
  // The streams of HTTP, and its protection from DNS rebinding, are not of this way.
  if (request.method !== "POST") return response.writeHead(405, { allow: "POST" }).end();
  if (!/^(localhost|127\.0\.0\.1)(:|$)/.test(request.headers.host)) return response.writeHead(403).end();
  let text = "";
  for await (const chunk of request) text += chunk;
  const message = JSON.parse(text);
  const id = request.headers["mcp-session-id"] ?? randomUUID();
  if (!sessions.has(id)) sessions.set(id, open());
  const { child, waiting } = sessions.get(id);
  const answered = message.id === undefined ? null : new Promise((done) => waiting.set(message.id, done));
  child.stdin.write(JSON.stringify(message) + "\n");
  if (!answered) return response.writeHead(202).end();
  response.writeHead(200, { "content-type": "application/json", "mcp-session-id": id }).end(await answered);
}

const server = http.createServer(WAY === "http" ? forward : bridge);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
