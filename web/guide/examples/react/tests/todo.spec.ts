// What goes wrong, rehearsed: each test begins at the seed and orders its own trouble.

import { expect, test, type APIRequestContext, type Page } from "@playwright/test";

const server = process.env.VITE_TASKAPI ?? "http://localhost:8000";
const person = { email: "ruby.archer@example.com", password: "dev-password" };

/** Asks the server for something that only `taskapi dev` has. */
async function dev(request: APIRequestContext, what: "reset" | "faults" | "clock", data = {}) {
  const answer = await request.post(`${server}/dev/${what}`, { data });
  expect(answer.ok(), await answer.text()).toBe(true);
}

async function signIn(page: Page) {
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("listitem")).not.toHaveCount(0);
}

async function add(page: Page, title: string) {
  await page.getByLabel("New task").fill(title);
  await page.getByRole("button", { name: "Add" }).click();
}

const task = (page: Page, title: string) => page.getByRole("listitem").filter({ hasText: title });

test.beforeEach(async ({ page, request }) => {
  await dev(request, "reset");
  await page.goto("/");
  await signIn(page);
});

test("add, tick and delete, and all is there after a reload", async ({ page }) => {
  await add(page, "Feed the tortoise");
  await add(page, "Call <b>Sam</b>");
  await expect(task(page, "Call <b>Sam</b>")).toBeVisible();
  await page.reload();
  await task(page, "Feed the tortoise").getByRole("checkbox").click();
  await expect(task(page, "Feed the tortoise")).toHaveCount(0);
  await page.getByRole("button", { name: "Delete Call <b>Sam</b>" }).click();
  await expect(task(page, "Call <b>Sam</b>")).toHaveCount(0);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Password")).toBeVisible();
});

test("what is wrong with a title is said", async ({ page }) => {
  await add(page, "x".repeat(101));
  await expect(page.getByRole("alert")).toHaveText("The field title must be at most 100 characters.");
});

test("while an answer is slow, nothing can be sent twice", async ({ page, request }) => {
  await dev(request, "faults", { route: "POST /tasks", delay: "1500ms" });
  await add(page, "Slow");
  await expect(page.getByRole("button", { name: "One moment…" })).toBeDisabled();
  await expect(task(page, "Slow")).toHaveCount(1);
  await expect(page.getByRole("button", { name: "Add" })).toBeEnabled();
});

test("a server that is busy once is asked again", async ({ page, request }) => {
  await dev(request, "faults", { route: "POST /tasks", status: 503, times: 1 });
  await add(page, "Patience");
  await expect(task(page, "Patience")).toHaveCount(1);
  await expect(page.getByRole("alert")).toBeEmpty();
});

test("one that stays busy is told of, and what was typed is kept", async ({ page, request }) => {
  await dev(request, "faults", { route: "POST /tasks", status: 503 });
  await add(page, "Not today");
  await expect(page.getByRole("alert")).not.toBeEmpty({ timeout: 15_000 });
  await expect(page.getByLabel("New task")).toHaveValue("Not today");
});

test("an answer that is lost makes no second task", async ({ page, request }) => {
  await dev(request, "faults", { route: "POST /tasks", drop: "after", times: 1 });
  await add(page, "Only once");
  await expect(task(page, "Only once")).toHaveCount(1);
});

test("a token that has expired is renewed, and nobody notices", async ({ page, request }) => {
  await dev(request, "clock", { advance: "PT1H" });
  await add(page, "An hour later");
  await expect(task(page, "An hour later")).toHaveCount(1);
});

test("a session that has ended asks for a sign-in", async ({ page, request }) => {
  await dev(request, "faults", { kind: "ended_session", times: 2 });
  await add(page, "Too late");
  await expect(page.getByRole("alert")).toHaveText("Please sign in again.");
  await signIn(page);
});

test("what is due tomorrow is due today a day later", async ({ page, request }) => {
  await dev(request, "clock", { now: "2030-03-01T09:00:00Z" });
  await page.reload();
  await signIn(page); // the session was one of years ago
  const { access_token } = await (await request.post(`${server}/auth/login`, { data: person })).json();
  const headers = { Authorization: `Bearer ${access_token}` };
  await request.post(`${server}/tasks/`, { headers, data: { title: "Pay rent", due: "2030-03-02" } });
  await page.getByLabel("Due today").check();
  await expect(page.getByRole("list", { name: "Tasks" })).toHaveAttribute("aria-busy", "false");
  await expect(task(page, "Pay rent")).toHaveCount(0);
  await dev(request, "clock", { advance: "P1D" });
  await page.reload();
  await page.getByLabel("Due today").check();
  await expect(task(page, "Pay rent")).toHaveCount(1);
});
