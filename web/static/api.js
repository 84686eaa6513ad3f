// Speaks HTTP with the server. The access token lives here, in memory, and
// nowhere else; the refresh token is in a cookie that no script can read.

import { knows } from "./replica.js";
import { base, local, locked } from "./surroundings.js";

// ApiError is an answer that is not a success.
export class ApiError extends Error {
  constructor(status, body, retryAfter, requestID) {
    super(body.error ?? Object.values(body.errors ?? {}).join(" "));
    this.status = status;
    this.code = body.code;
    this.errors = body.errors ?? {};
    this.retryAfter = retryAfter; // seconds
    this.requestID = requestID;
    this.current = body.current; // what something is that was changed meanwhile
  }

  // later says that the same request may well work in a while.
  get later() { return this.status === 429 || this.status >= 500; }

  // away says that a proxy speaks for a server that it can't reach.
  get away() { return this.code === "proxy"; }

  // definite says that our server itself refused, and did nothing.
  get definite() { return this.status < 500 || this.code === "server_busy" || this.code === "disk_full"; }
}

// Unreachable says that there was no answer.
class Unreachable extends Error { unreachable = true; }

const timeout = 20_000;

const etags = new WeakMap();

// etagOf is by what the server knows the content of an answer. What a proxy that
// packs answers has made of the tag is undone.
export const etagOf = (answer) => etags.get(answer)?.replace(/^W\/|-gzip(?="$)/g, "");

const numbers = new WeakMap();

// changeOf is the number by which the server can undo what it has answered.
export const changeOf = (answer) => numbers.get(answer);
export const noteChange = (answer, number) => numbers.set(answer, number);

// who names the person of the session whose cookie no script can see: without
// it, a first visit asks for nothing. leaving remembers a sign-out that the
// server has not heard of.
const who = "taskapi.user";
const leaving = "taskapi.leaving";

/**
 * send sends a request. One with keepalive is sent although the page is left, one with
 * match does something only to what has this ETag, one with a key is done once however
 * often it is sent, and one with until answers with a stream that this signal ends.
 * @param {string} method @param {string} path @param {any} [body] @param {string} [token]
 * @param {{keepalive?: boolean, match?: string, key?: string, until?: AbortSignal}} [how]
 */
async function send(method, path, body, token, { keepalive = false, match, key, until } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  const text = body === undefined ? undefined : JSON.stringify(body);
  if (text !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  if (match) headers["If-Match"] = match;
  if (key) headers["Idempotency-Key"] = key;
  let response, answer;
  try {
    response = await fetch(base + path, {
      method, headers, credentials: "same-origin", cache: "no-store", body: text, keepalive,
      signal: until ?? AbortSignal.timeout(timeout),
    });
    if (until && response.ok) return response.body;
    answer = await response.text();
  } catch (cause) {
    throw new Unreachable("no answer", { cause });
  }
  try {
    answer = JSON.parse(answer);
  } catch {
    answer = null;
  }
  if (response.ok && answer && typeof answer === "object") {
    etags.set(answer, response.headers.get("ETag") ?? undefined);
    noteChange(answer, Number(response.headers.get("Change")) || undefined);
    return answer;
  }
  const wait = Number(response.headers.get("Retry-After")) || 5;
  if (typeof answer?.code === "string") throw new ApiError(response.status, answer, wait, answer.request_id);
  // Whoever answered without our shape is something in between.
  if (response.status >= 500) throw new ApiError(response.status, { code: "proxy" }, 5);
  throw new Unreachable("not our server");
}

// Api tells "away" and "answered", as requests go, and "ended" when the session
// is over.
export class Api extends EventTarget {
  #token = "";
  #renewing = null;

  /** @param {Parameters<typeof send>} what */
  async #ask(...what) {
    try {
      const answer = await send(...what);
      this.dispatchEvent(new Event("answered"));
      return answer;
    } catch (error) {
      this.dispatchEvent(new Event(error instanceof Unreachable || error.away ? "away" : "answered"));
      throw error;
    }
  }

  // post sends a request that needs no token.
  post(path, body) { return this.#ask("POST", path, body); }

  async signIn(email, password) {
    await this.leaveAtLast();
    this.#take(await this.post("/auth/login", { email, password, cookie: true }));
  }

  #take(answer) {
    this.#token = answer.access_token;
    // The token is ours and was just handed out.
    const payload = JSON.parse(atob(this.#token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    local.setItem(who, String(payload.user_id));
  }

  // resume tries to go on with the session of the cookie: "in", "out" without
  // one, "ended" if it is over. Whose tasks are here sees them at once, and is told
  // by the first request if the session is over.
  async resume() {
    if (!this.userID || this.leaving) return "out";
    if (knows(this.userID)) return "in";
    try {
      await this.#renew();
      return "in";
    } catch (error) {
      if (!(error instanceof ApiError) || error.later) throw error;
      this.forget();
      return "ended";
    }
  }

  get leaving() { return Boolean(local.getItem(leaving)); }

  // signOut ends the session. Where the server can't be reached, it throws, and
  // leaveAtLast does it before anything else is done with the cookie.
  async signOut() {
    this.forget();
    local.setItem(leaving, "1");
    await this.leaveAtLast();
  }

  async leaveAtLast() {
    if (!this.leaving) return;
    try {
      await this.post("/auth/logout", {});
    } catch (error) {
      if (!(error instanceof ApiError) || error.later) throw error;
    }
    local.removeItem(leaving);
  }

  // forget drops the token: the session has ended.
  forget() {
    this.#token = "";
    local.removeItem(who);
  }

  // userID is 0 for who is not signed in.
  get userID() { return Number(local.getItem(who)); }

  // authorized does something as the person who is signed in. A token that has run
  // out is renewed, and the request sent again: it was refused unseen.
  async #authorized(act) {
    if (!this.#token) await this.#renewOrEnd();
    const shown = this.#token;
    try {
      return await act(shown);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
    }
    if (this.#token === shown) await this.#renewOrEnd();
    return act(this.#token);
  }

  request(method, path, body, more) { return this.#authorized((token) => this.#ask(method, path, body, token, more)); }

  get(path) { return this.request("GET", path); }

  // stream is the body of an answer that goes on until a signal. That it breaks says
  // nothing about the server.
  stream(path, until) { return this.#authorized((token) => send("GET", path, undefined, token, { until })); }

  // token is a new one, for a page that sends requests of its own.
  async token() {
    await this.#renewOrEnd();
    return this.#token;
  }

  async #renewOrEnd() {
    try {
      await this.#renew();
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 400)) {
        this.forget();
        this.dispatchEvent(new Event("ended"));
      }
      throw error;
    }
  }

  // renew asks for a token once for all callers, and one tab at a time.
  #renew() {
    const ask = async () => {
      if (this.leaving) throw new ApiError(401, { code: "left" });
      this.#take(await this.#ask("POST", "/auth/refresh", {}));
    };
    this.#renewing ??= locked("taskapi-refresh", {}, ask)
      .finally(() => { this.#renewing = null; });
    return this.#renewing;
  }
}
