// Speaks HTTP with the server. The access token lives here, in memory, and
// nowhere else; the refresh token is in a cookie that no script can read.

// ApiError is an answer that is not a success.
export class ApiError extends Error {
  constructor(status, body, retryAfter) {
    super(body.error ?? Object.values(body.errors ?? {}).join(" "));
    this.status = status;
    this.code = body.code ?? "";
    this.errors = body.errors ?? {};
    this.retryAfter = retryAfter;
  }

  // later says that the same request may well work in a while.
  get later() { return this.status === 429 || this.status === 503 || this.status === 502 || this.status === 504 || this.status === 500; }
}

// Unreachable says that there was no answer.
export class Unreachable extends Error {}

const timeout = 20_000;

// hint says that there may be a cookie, which no script can see: without it, a
// first visit asks for nothing.
const hint = "taskapi.session";

async function send(method, path, body, token) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  let response, text;
  try {
    response = await fetch(path, {
      method, headers, credentials: "same-origin", cache: "no-store",
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(timeout),
    });
    text = await response.text();
  } catch (cause) {
    throw new Unreachable("no answer", { cause });
  }
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    // A proxy in between speaks for a server that it can't reach.
    if (response.status >= 500) throw new ApiError(response.status, { code: "proxy" }, 5);
    throw new Unreachable("not our server");
  }
  if (!response.ok) throw new ApiError(response.status, answer, Number(response.headers.get("Retry-After")) || 5);
  return answer;
}

export class Api extends EventTarget {
  #token = "";
  #renewing = null;

  // post sends a request that needs no token.
  post(path, body) { return send("POST", path, body); }

  async signIn(email, password) {
    const answer = await this.post("/auth/login", { email, password, cookie: true });
    this.#token = answer.access_token;
    localStorage.setItem(hint, "1");
  }

  // resume tries to go on with the session of the cookie. False without one.
  async resume() {
    if (!localStorage.getItem(hint)) return false;
    try {
      await this.#renew();
      return true;
    } catch (error) {
      if (error instanceof ApiError && !error.later) return false;
      throw error;
    }
  }

  async signOut() {
    this.forget();
    try {
      await this.post("/auth/logout", {});
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  // forget drops the token: the session has ended elsewhere.
  forget() {
    this.#token = "";
    localStorage.removeItem(hint);
  }

  // userID is read from the token, which is ours and was just handed out.
  get userID() {
    if (!this.#token) return 0;
    const payload = this.#token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(payload)).user_id;
  }

  // request sends a request of the person who is signed in. A token that has
  // run out is renewed, and the request sent again: it was refused unseen.
  async request(method, path, body) {
    if (!this.#token) await this.#renewOrEnd();
    const shown = this.#token;
    try {
      return await send(method, path, body, shown);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
    }
    if (this.#token === shown) await this.#renewOrEnd();
    return send(method, path, body, this.#token);
  }

  get(path) { return this.request("GET", path); }

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
    const ask = async () => { this.#token = (await send("POST", "/auth/refresh", {})).access_token; };
    this.#renewing ??= (navigator.locks ? navigator.locks.request("taskapi-refresh", ask) : ask())
      .finally(() => { this.#renewing = null; });
    return this.#renewing;
  }
}
