// The tutorial's walk with a client that was generated from openapi.yaml.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const client = createClient<paths>({ baseUrl: process.env.URL! });

function must<T>(answer: { data?: T; error?: unknown; response: Response }, status: number): T {
  if (answer.response.status !== status || answer.data === undefined) {
    throw new Error(`${answer.response.url}: ${answer.response.status} ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

const email = "typescript@example.com";
const password = "securepassword";
const { user } = must(await client.POST("/auth/register", { body: { username: "ts", email, password, confirm_password: password } }), 201);
const tokens = must(await client.POST("/auth/login", { body: { email, password } }), 200);
const headers = { Authorization: `Bearer ${tokens.access_token}` };
const { task } = must(await client.POST("/tasks", { body: { title: "New Task" }, headers }), 201);
const path = { id: task.id };
const read: components["schemas"]["Task"] = must(await client.GET("/tasks/{id}", { params: { path }, headers }), 200);
const { task: done } = must(await client.PUT("/tasks/{id}", { params: { path }, body: { completed: true }, headers }), 200);
if (read.completed || !done.completed || done.date_completed === null) throw new Error("not completed");
const list = must(await client.GET("/tasks", { params: { query: { page: 1, per_page: 10 } }, headers }), 200);
if (list.pagination.total !== 1 || list.tasks[0]?.user_id !== user.id) throw new Error("another list");
const copy = must(await client.GET("/sync", { headers }), 200);
const key = { "Idempotency-Key": "9d1c7a52-0b1e-4c55-8f0e-2f6a1f2b7c12" };
const renamed = await client.PATCH("/tasks/{id}", { params: { path, header: key }, body: { title: "Renamed" }, headers });
const news = must(await client.GET("/sync", { params: { query: { since: copy.cursor } }, headers }), 200);
if (!copy.full || news.tasks[0]?.title !== "Renamed") throw new Error("the copy is not in step");
const undone = must(await client.POST("/undo", { body: { change: Number(renamed.response.headers.get("Change")) }, headers }), 200);
if (undone.task?.title !== "New Task") throw new Error("not undone");
const batch = must(await client.POST("/batch", { body: { requests: [{ method: "PATCH", path: `/tasks/${task.id}`, body: { priority: "high" } }] }, headers }), 200);
if (batch.responses[0]?.status !== 200) throw new Error("the batch failed");
const { ticket } = must(await client.POST("/events/tickets", { headers }), 201);
const stream = await client.GET("/events", { params: { query: { ticket, since: copy.cursor } }, parseAs: "stream" });
const reader = must(stream, 200)!.pipeThrough(new TextDecoderStream()).getReader();
for (let told = ""; !told.includes("event: ready"); ) {
  const { value, done: ended } = await reader.read();
  if (ended) throw new Error(`the stream ended: ${told}`);
  told += value;
}
await reader.cancel();
const hook = must(await client.POST("/webhooks", { body: { url: "https://example.com/hook", events: ["task.created"] }, headers }), 201);
if (!hook.webhook.secret?.startsWith("whsec_")) throw new Error("no secret");
must(await client.DELETE("/webhooks/{id}", { params: { path: { id: hook.webhook.id } }, headers }), 200);
const stale = await client.DELETE("/tasks/{id}", { params: { path, header: { "If-Match": '"another"' } }, headers });
if (stale.response.status !== 412 || stale.error?.code !== "changed_meanwhile") throw new Error("deleted what it did not know");
must(await client.DELETE("/tasks/{id}", { params: { path }, headers }), 200);
const missing = await client.GET("/tasks/{id}", { params: { path }, headers });
if (missing.response.status !== 404 || missing.error?.code !== "task_not_found") throw new Error("still there");
const next = must(await client.POST("/auth/refresh", { body: { refresh_token: tokens.refresh_token } }), 200);
must(await client.POST("/auth/logout", { body: { refresh_token: next.refresh_token } }), 200);
console.log("the TypeScript client did the walk");
