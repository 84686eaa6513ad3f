// Who is not signed in: sign in, register, forgotten password, and the pages
// behind the links in mails.

import { ApiError } from "./api.js";
import { $, field, h, problems, tooLong } from "./dom.js";
import { said, saidOfFields, t } from "./i18n.js";
import { base, session, zone } from "./surroundings.js";

// remember keeps what is typed into a form over a reload of this tab, but no
// password.
export function remember(form) {
  const key = `taskapi.form.${form.id}`;
  const inputs = [...form.elements].filter((e) => ["text", "email"].includes(e.type) && e.name !== "confirm_email");
  const typed = JSON.parse(session.getItem(key) ?? "{}");
  for (const input of inputs) {
    if (typed[input.name] === undefined) continue;
    input.value = typed[input.name];
    input.dispatchEvent(new Event("input"));
  }
  form.addEventListener("input", () => session.setItem(key, JSON.stringify(Object.fromEntries(inputs.map((e) => [e.name, e.value])))));
  return form;
}

// forget drops what remember has kept.
export const forget = (form) => session.removeItem(`taskapi.form.${form.id}`);

// submit wires a form: one request at a time, what is wrong shown where it
// belongs, and nothing typed lost.
export function submit(form, send) {
  const note = h("p", { class: "problem", role: "alert" });
  const go = form.querySelector("button[type=submit]");
  if (go) go.before(note);
  else form.append(note);
  form.noValidate = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit]");
    const values = Object.fromEntries(new FormData(form));
    note.textContent = "";
    const status = form.querySelector("[role=status]");
    if (status) status.textContent = "";
    const missing = Object.fromEntries([...form.elements].filter((e) => e.required && !e.value.trim()).map((e) => [e.name, t("required")]));
    for (const { name, value, dataset } of form.elements) if (dataset.max && tooLong(value, Number(dataset.max))) missing[name] = tooLong(value, Number(dataset.max));
    if ("confirm_password" in values && !missing.confirm_password && values.password !== values.confirm_password) missing.confirm_password = t("differ");
    problems(form, missing);
    if (Object.keys(missing).length) return;
    button.disabled = true;
    try {
      await send(values);
      forget(form);
    } catch (error) {
      if (error instanceof ApiError && Object.keys(error.errors).length) note.textContent = problems(form, saidOfFields(error.errors)).join(" ");
      else note.textContent = said(error);
    } finally {
      button.disabled = false;
    }
  });
  return form;
}

const email = (props) => field("email", t("email"), { type: "email", autocomplete: "username", inputMode: "email", required: true, "data-max": 254, ...props });
const newPassword = (label = t("password")) => [
  field("password", label, { type: "password", autocomplete: "new-password", required: true }),
  field("confirm_password", t("password.again"), { type: "password", autocomplete: "new-password", required: true }),
];
// open says whether anyone may make an account on this server.
const open = $("meta[name=registration]")?.content !== "closed";
const door = "taskapi.door"; // which of the two forms is open, over a reload
const icon = new URL("icon.svg", import.meta.url).href;
const go = (text) => h("button", { type: "submit" }, text);

export class AuthView {
  #api; #root; #signedIn;

  constructor(api, root, signedIn, note = "") {
    this.#api = api;
    this.#root = root;
    this.#signedIn = signedIn;
    this.#choose(note);
  }

  close() {}

  #choose(note = "") {
    const create = open && session.getItem(door) === "register";
    const form = create ? this.#register() : this.#signIn();
    const turn = h("button", { type: "button", id: "switch", class: "quiet", onclick: () => {
      session.setItem(door, create ? "" : "register");
      this.#choose(this.note.textContent);
    } }, t(create ? "door.have" : "register"));
    this.note = h("p", { role: "status" }, note);
    this.#root.replaceChildren(h("div", { class: "door" }, h("img", { src: icon, alt: "", width: 56, height: 56 }), h("h1", {}, t(create ? "register" : "signin.title")), h("p", { class: "soft" }, t("door.line")), this.note,
      form, open ? turn : h("p", { class: "soft" }, t("register.closed"))));
    form.querySelector("input").focus();
  }

  #signIn() {
    return remember(submit(h("form", { id: "signin" }, email(),
      field("password", t("password"), { type: "password", autocomplete: "current-password", required: true }), go(t("signin")), h("button", { type: "button", class: "quiet", onclick: () => this.#forgot() }, t("forgot"))),
    async (values) => { await this.#api.signIn(values.email, values.password); await this.#signedIn("back"); }));
  }

  // say replaces what stands above the forms.
  say(text) { if (this.note.isConnected) this.note.textContent = text; }

  #register() {
    return remember(submit(h("form", { id: "register" },
      field("username", t("username"), { autocomplete: "nickname", required: true, "data-max": 50 }), email(), ...newPassword(), go(t("register"))),
    async (values) => {
      const register = (more) => this.#api.post("/auth/register", { ...values, ...more });
      // A zone that only the browser knows keeps nobody out.
      await register({ time_zone: zone }).catch((error) => { if (!error.errors?.time_zone) throw error; return register(); });
      await this.#api.signIn(values.email, values.password);
      session.removeItem(door);
      await this.#signedIn("registered");
    }));
  }

  #forgot() {
    const form = submit(h("form", { class: "narrow" }, h("h1", {}, t("forgot.title")), h("p", { class: "soft" }, t("forgot.hint")), email(),
      h("div", { class: "line" }, go(t("forgot.send")), h("button", { type: "button", class: "quiet", onclick: () => this.#choose() }, t("back")))),
    async (values) => { await this.#api.post("/auth/password/forgot", values); this.#choose(t("forgot.done")); });
    this.#root.replaceChildren(form);
    form.querySelector("input").focus();
  }
}

// LinkView is the page behind a link in a mail. Nothing happens before a
// person presses the button: programs that look at mails follow links too.
export class LinkView {
  #api; #root; #path;
  #stop = new AbortController();

  constructor(api, root, path) {
    this.#api = api;
    this.#root = root;
    this.#path = path;
    // The whole link may be pasted where the page is open already.
    addEventListener("hashchange", () => this.#show(location.hash.slice(1)), { signal: this.#stop.signal });
    this.#show(location.hash.slice(1));
  }

  close() { this.#stop.abort(); }

  #show(code) {
    const reset = this.#path.startsWith("/reset-password");
    const title = h("h1", {}, t(reset ? "reset.title" : "verify.title"));
    document.title = `${title.textContent} – taskapi`;
    const home = h("p", {}, h("a", { href: `${base}/` }, t("to.list")));
    if (!code) {
      this.#root.replaceChildren(title, h("p", {}, t("link.none")), home);
      return;
    }
    const done = () => {
      history.replaceState(null, "", location.pathname);
      const status = h("p", { role: "status", tabIndex: -1 }, t(reset ? "reset.done" : "verify.done"));
      this.#root.replaceChildren(title, status, home);
      status.focus();
    };
    const form = reset
      ? submit(h("form", { class: "narrow" }, ...newPassword(t("password.new")), go(t("reset.do"))), async (values) => { await this.#api.post("/auth/password/reset", { token: code, ...values }); done(); })
      : submit(h("form", { class: "narrow" }, h("p", {}, t("verify.hint")), go(t("verify.do"))), async () => { await this.#api.post("/auth/email/verify", { token: code }); done(); });
    this.#root.replaceChildren(title, form);
    form.querySelector("input, button").focus();
  }
}
