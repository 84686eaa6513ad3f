// The account: name, address, password, devices, API tokens, and its end.

import "./parts.js";
import { announce, field, h } from "./dom.js";
import { feeds } from "./feeds.js";
import { forget, remember, submit } from "./auth.js";
import { history } from "./history.js";
import { date, dayOf, said, saidWaiting, t } from "./i18n.js";
import { reminders } from "./push.js";
import { webhooks } from "./webhooks.js";

const patience = 4_000; // milliseconds between two tries to read the account

const scopesOf = (user) => ["tasks:read", "tasks:write", "account", ...(user.role === "admin" ? ["admin"] : [])];

export class AccountView {
  #api; #root; #signedOut; #user; #gone = false;

  constructor(api, root, signedOut) {
    this.#api = api;
    this.#root = root;
    this.#signedOut = signedOut;
    this.note = h("p", { class: "problem", role: "alert" });
    this.loading = h("div", { class: "loading", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
    root.replaceChildren(h("h1", {}, t("account")), this.loading, this.note);
    this.#load();
  }

  reminders;

  close() { this.#gone = true; }

  get #path() { return `/users/${this.#api.userID}`; }

  // load goes on by itself when the server answers again.
  async #load() {
    try {
      this.#user = await this.#api.get(this.#path);
      if (this.#gone) return;
      this.sessions = h("section", {});
      this.tokens = h("section", {});
      [this.reminders] = await Promise.all([reminders(this.#api), this.#showSessions(), this.#showTokens()]);
    } catch (error) {
      if (this.#gone) return;
      const text = saidWaiting(error);
      this.loading.remove();
      if (this.note.textContent !== text) this.note.textContent = text;
      setTimeout(() => { if (!this.#gone) this.#load(); }, Math.max(patience, (error.retryAfter ?? 0) * 1000));
      return;
    }
    if (this.#gone) return;
    this.#root.replaceChildren(h("h1", { tabIndex: -1 }, t("account")), remember(this.#profile()), this.#password(), this.reminders, this.sessions, this.tokens, ...[feeds, webhooks].map((part) => part(this.#api, (secret, label) => this.#once(secret, label))), history(this.#api), this.#end());
    this.#root.querySelector("h1").focus();
  }

  #say(form, text) {
    form.querySelector("[role=status]").textContent = text;
  }

  #profile() {
    const current = field("current_password", t("password.current"), { type: "password", autocomplete: "current-password" });
    current.hidden = true;
    const form = submit(h("form", { id: "profile" }, h("h2", {}, t("account.profile")),
      field("username", t("username"), { value: this.#user.username, required: true, "data-max": 50, autocomplete: "nickname" }),
      field("email", t("email"), { type: "email", value: this.#user.email, required: true, "data-max": 254, autocomplete: "email" }),
      this.#zones(),
      this.#user.pending_email ? h("p", { class: "soft" }, t("account.pending", { email: this.#user.pending_email })) : null,
      this.#user.email_verified ? null : h("p", { class: "soft" }, t("account.unverified"), " ", h("button", { type: "button", class: "quiet", onclick: () => this.#resend(form) }, t("account.resend"))),
      current, h("button", { type: "submit" }, t("account.save")), h("p", { role: "status" })),
    async (values) => {
      const change = { username: values.username, time_zone: values.time_zone };
      const moved = values.email !== this.#user.email;
      if (moved) Object.assign(change, { email: values.email, current_password: values.current_password });
      const { user } = await this.#api.request("PATCH", this.#path, change);
      this.#user = user;
      forget(form);
      const next = this.#profile();
      form.replaceWith(remember(next));
      this.#say(next, moved && !user.pending_email ? t("account.email.done", { email: user.email }) : t("account.saved"));
      next.querySelector("button[type=submit]").focus();
    });
    form.elements.email.addEventListener("input", (event) => {
      current.hidden = event.target.value === this.#user.email;
      current.querySelector("input").required = !current.hidden;
    });
    return form;
  }

  // zones are the time zones to choose from, the person's among them in any case.
  #zones() {
    const own = this.#user.time_zone, known = Intl.supportedValuesOf?.("timeZone") ?? [];
    return h("div", { class: "field" }, h("label", { for: "field-time_zone" }, t("account.zone")),
      h("select", { id: "field-time_zone", name: "time_zone" }, [...new Set(["UTC", own, ...known])].sort().map((zone) => h("option", { value: zone, selected: zone === own }, zone.replaceAll("_", " ")))));
  }

  async #resend(form) {
    try {
      await this.#api.post("/auth/email/resend", { email: this.#user.email });
      this.#say(form, t("account.resent"));
    } catch (error) {
      this.#say(form, said(error));
    }
  }

  #password() {
    const field2 = (name, label, autocomplete) => field(name, label, { type: "password", autocomplete, required: true, id: `password-${name}` });
    const form = submit(h("form", { id: "change-password" }, h("h2", {}, t("account.password")),
      field2("current_password", t("password.current"), "current-password"), field2("password", t("password.new"), "new-password"), field2("confirm_password", t("password.again"), "new-password"),
      h("p", { class: "soft" }, t("account.password.hint")), h("button", { type: "submit" }, t("account.password.do")), h("p", { role: "status" })),
    async (values) => {
      await this.#api.request("PATCH", this.#path, values);
      form.reset();
      this.#say(form, t("account.password.done"));
      await Promise.all([this.#showSessions(), this.#showTokens()]);
    });
    return form;
  }

  // proven sends what the server may want the password for. It asks for that
  // only then: who has just signed in has given it.
  async #proven(proof, values, send) {
    try {
      return await send(values.current_password ? { current_password: values.current_password } : {});
    } catch (error) {
      if (error.errors?.current_password) proof.hidden = !(proof.querySelector("input").required = true);
      throw error;
    }
  }

  #proof(form) {
    const proof = field("current_password", t("password.current"), { type: "password", autocomplete: "current-password", id: `${form}-current_password` });
    proof.hidden = true;
    return proof;
  }

  // guarded runs what a button does and says what went wrong beside it.
  #guarded(section, act) {
    return async (event) => {
      const button = event.currentTarget;
      button.disabled = true;
      try {
        await act();
      } catch (error) {
        button.disabled = false;
        section.querySelector("[role=status]").textContent = said(error);
      }
    };
  }

  async #showSessions() {
    const { sessions } = await this.#api.get("/auth/sessions?per_page=100");
    const section = this.sessions;
    const items = sessions.map((session) => h("li", {},
      h("div", {}, h("b", {}, session.device), session.current ? ` (${t("sessions.this")})` : "", h("br"),
        h("span", { class: "soft" }, `${session.address} · ${t("sessions.used", { date: date(session.date_last_used) })}`)),
      h("button", { type: "button", class: "quiet", "aria-label": t("sessions.end.of", { device: session.device }), onclick: this.#guarded(section, async () => {
        await this.#api.request("DELETE", `/auth/sessions/${session.id}`);
        announce(t("sessions.ended"));
        if (session.current) return this.#signedOut();
        await this.#showSessions();
        return section.querySelector("h2").focus();
      }) }, t("sessions.end"))));
    section.replaceChildren(h("h2", { tabIndex: -1 }, t("sessions")), h("ul", { class: "things" }, items), h("p", { role: "status" }),
      h("button", { type: "button", class: "second", onclick: this.#guarded(section, async () => {
        await this.#api.request("POST", "/auth/logout-all", {});
        this.#signedOut();
      }) }, t("sessions.all")), h("p", { class: "soft" }, t("sessions.all.hint")));
  }

  async #showTokens(created) {
    const { api_tokens: tokens } = await this.#api.get("/auth/tokens?per_page=100");
    const section = this.tokens;
    const items = tokens.map((token) => h("li", {},
      h("div", {}, h("b", {}, token.name), h("br"), h("span", { class: "soft" },
        `${token.scopes.map((scope) => t(`scope.${scope}`)).join(", ")} · ${token.expires_at ? t("tokens.until.date", { date: dayOf(token.expires_at) }) : t("tokens.forever")}`)),
      h("button", { type: "button", class: "quiet", "aria-label": t("tokens.revoke.of", { name: token.name }), onclick: this.#guarded(section, async () => {
        await this.#api.request("DELETE", `/auth/tokens/${token.id}`);
        announce(t("tokens.revoked"));
        await this.#showTokens();
        section.querySelector("h2").focus();
      }) }, t("tokens.revoke"))));
    const scopes = scopesOf(this.#user);
    const boxes = scopes.map((scope) => h("label", { class: "check" }, h("input", { type: "checkbox", name: scope, checked: scope === "tasks:read" }), t(`scope.${scope}`)));
    const proof = this.#proof("token");
    const form = submit(h("form", { id: "new-token" }, field("name", t("tokens.name"), { required: true, "data-max": 50, autocomplete: "off" }),
      h("fieldset", { class: "field" }, h("legend", {}, t("tokens.scopes")), boxes),
      field("expires_at", t("tokens.until"), { type: "date" }), proof, h("button", { type: "submit", class: "second" }, t("tokens.create"))),
    async (values) => {
      const body = { name: values.name, scopes: scopes.filter((scope) => values[scope]) };
      if (!body.scopes.length) throw new Error(t("scopes.needed"));
      if (values.expires_at) body.expires_at = new Date(`${values.expires_at}T23:59:59`).toISOString();
      const created = await this.#proven(proof, values, (given) => this.#api.request("POST", "/auth/tokens", { ...body, ...given }));
      await this.#showTokens(created.token);
    });
    section.replaceChildren(h("h2", { tabIndex: -1 }, t("tokens")), h("p", { class: "soft" }, t("tokens.hint")), created ? this.#once(created) : "",
      items.length ? h("ul", { class: "things" }, items) : h("p", { class: "soft" }, t("tokens.none")), form, h("p", { role: "status" }));
    section.querySelector(".once input")?.select();
  }

  #once(token, label = t("tokens")) {
    const input = h("input", { readOnly: true, value: token, "aria-label": label });
    const status = h("p", { role: "status" });
    const copy = async () => {
      input.select();
      status.textContent = "";
      status.textContent = t(await copied(token) ? "tokens.copied" : "tokens.selected");
    };
    return h("div", { class: "once" }, h("p", {}, t("tokens.once")), h("div", { class: "line" }, input,
      h("button", { type: "button", class: "second", onclick: copy }, t("tokens.copy"))), status);
  }

  #end() {
    const proof = this.#proof("delete");
    const form = submit(h("form", { id: "delete-account" }, h("h2", {}, t("delete.title")), h("p", { class: "soft" }, t("delete.hint")),
      field("confirm_email", t("email"), { autocomplete: "off", required: true }), proof, h("button", { type: "submit", class: "danger", disabled: true }, t("delete.do"))),
    async (values) => {
      await this.#proven(proof, values, (given) => this.#api.request("DELETE", this.#path, given));
      this.#signedOut();
    });
    form.elements.confirm_email.addEventListener("input", (event) => {
      form.querySelector("button").disabled = event.target.value.trim().toLowerCase() !== this.#user.email.toLowerCase();
    });
    return form;
  }
}

// copied puts a text into the clipboard. Only pages from https or this machine
// have one of their own; elsewhere, the browser may copy what is selected.
async function copied(text) {
  try {
    if (!navigator.clipboard) return document.execCommand("copy");
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
