// Who shares a list, in which role, and who is invited to it.

import "./parts.js";
import { announce, h } from "./dom.js";
import { said, t } from "./i18n.js";
import { uid } from "./surroundings.js";
import { initials } from "./words.js";
import { zoneOf } from "./zone.js";

const refusals = { list_full: "share.full", too_many_invitations: "share.many", not_list_owner: "share.notowner", inbox_fixed: "share.inbox", member_not_found: "share.gone", invitation_not_found: "share.gone" };

/**
 * renderShare fills a container with the members of a list and the invitations to it.
 * onChange hears "members", "owner" when the list was handed over, and "left". What it
 * returns reads everything anew after a change elsewhere, and closes.
 * @param {{container: HTMLElement, list: {id: number, name: string, role: string, inbox?: boolean}, me: number, api: import("./api.js").Api, language: string,
 *   onChange?: (what: string) => void, onClose?: () => void}} options
 * @returns {{refresh: () => Promise<void>, close: () => void}}
 */
export function renderShare(options) { return new Share(options); }

class Share {
  #container; #list; #me; #api; #language; #onChange; #onClose; #say;
  #members = []; #invitations = []; #asked = null; #problem = {}; #busy = false; #gone = false;
  #people; #open; #invite; #made; #root; #shown = 0; // the invitation whose link is shown

  /** @param {any} options */
  constructor({ container, list, me, api, language, onChange, onClose }) {
    this.#container = container;
    this.#list = { ...list };
    this.#me = me;
    this.#api = api;
    this.#language = language;
    this.#onChange = onChange;
    this.#onClose = onClose;
    this.#say = t;
    this.#people = h("div", {}, h("div", { class: "loading", "aria-hidden": "true" }, h("i"), h("i"), h("i")));
    this.#open = h("div");
    this.#invite = h("div");
    this.#root = h("div", { class: "sharing", onkeydown: (event) => this.#key(event) },
      h("div", { class: "share-head" }, h("h2", { tabIndex: -1 }, this.#say("share.of", { list: list.name })), h("button", { type: "button", class: "quiet", onclick: () => this.close() }, this.#say("share.close"))));
    container.replaceChildren(this.#root);
    this.#root.querySelector("h2").focus();
    if (list.inbox) this.#root.append(h("p", {}, this.#say("share.inbox")));
    else {
      this.#root.append(h("p", { class: "soft" }, this.#say("share.roles")), this.#people, this.#invite, this.#open);
      this.refresh();
    }
  }

  get #path() { return `/lists/${encodeURIComponent(this.#list.id)}`; }
  get #owning() { return this.#list.role === "owner"; }

  close() {
    if (this.#gone) return;
    this.#gone = true;
    this.#root.remove();
    this.#onClose?.();
  }

  // refresh reads who is there now. It leaves the focus, and what is typed, as they are.
  async refresh() {
    if (this.#list.inbox) return;
    try {
      const members = await this.#all("members");
      this.#list.role = members.find(({ user_id: id }) => id === this.#me)?.role ?? this.#list.role;
      const invitations = this.#owning ? await this.#all("invitations") : [];
      Object.assign(this.#problem, { people: "" });
      this.#members = members;
      this.#invitations = invitations;
    } catch (error) {
      if (error.status === 401) return;
      this.#problem.people = this.#saidOf(error);
    }
    if (!this.#gone) this.#draw();
  }

  async #all(what) {
    const all = [];
    for (let page = 1, more = true; more; page++) {
      const answer = await this.#api.get(`${this.#path}/${what}?per_page=100&page=${page}`);
      all.push(...answer[what]);
      more = answer.pagination.has_next;
    }
    return all;
  }

  #saidOf(error) { return refusals[error.code] ? this.#say(refusals[error.code]) : said(error); }

  #key(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    if (this.#asked) this.#cancel();
    else this.close();
  }

  // draw shows the members and the invitations anew, and gives the focus back to the
  // control that had it.
  #draw() {
    const focused = this.#root.contains(document.activeElement) ? document.activeElement.id : "";
    const failed = this.#problem.people;
    this.#people.replaceChildren(h("h3", {}, this.#say("share.members")),
      failed ? h("div", { role: "alert" }, h("p", { class: "problem" }, failed), h("button", { type: "button", class: "second", onclick: () => this.refresh() }, this.#say("share.again"))) : "",
      h("ul", { class: "share-people" }, this.#members.map((member) => this.#member(member))),
      this.#members.length === 1 ? h("p", { class: "soft" }, this.#say("share.alone")) : "");
    if (this.#owning && !this.#invite.firstChild) this.#invite.append(...this.#inviteForm());
    if (!this.#owning) this.#invite.replaceChildren();
    this.#open.replaceChildren(...this.#invitations.length ? [h("h3", {}, this.#say("share.open")), h("ul", { class: "share-people" }, this.#invitations.map((one) => this.#invitation(one)))] : []);
    if (focused && document.activeElement?.id !== focused) (document.getElementById(focused) ?? this.#root.querySelector("h2")).focus();
  }

  #member(member) {
    const { user_id: id, username: name, role, email } = member, mine = id === this.#me, say = this.#say, key = `member-${id}`;
    const controls = [];
    if (this.#owning && !mine) {
      controls.push(h("select", { id: `share-role-${id}`, "aria-label": say("share.role.of", { name }), onchange: ({ target }) => this.#choose(member, target) },
        ["viewer", "editor", "owner"].map((value) => h("option", { value, selected: value === (this.#asked?.key === key && this.#asked.what === "hand" ? "owner" : role) }, say(value === "owner" ? "share.hand" : `share.${value}`)))),
      h("button", { type: "button", class: "quiet", id: `share-remove-${id}`, "aria-label": say("share.remove.of", { name }), onclick: () => this.#ask(key, "remove") }, say("share.remove")));
    } else {
      controls.push(h("span", { class: "share-role" }, say(`share.${role}`)));
      if (mine && role !== "owner") controls.push(h("button", { type: "button", class: "quiet", id: "share-leave", "aria-label": say("share.leave.of"), onclick: () => this.#ask(key, "leave") }, say("share.leave")));
    }
    return h("li", {}, h("span", { class: "share-badge", "aria-hidden": "true" }, initials(name)),
      h("span", { class: "share-who" }, h("bdi", {}, name), mine ? ` (${say("share.you")})` : "", email ? h("small", {}, email) : ""),
      h("span", { class: "share-controls" }, controls), this.#question(key, member), this.#trouble(key));
  }

  #trouble(key) { return this.#problem[key] ? h("p", { class: "problem", role: "alert" }, this.#problem[key]) : ""; }

  // question is asked in the row before what can't be undone.
  #question(key, { username: name, user_id: id }) {
    if (this.#asked?.key !== key) return "";
    const { what } = this.#asked, act = { hand: () => this.#handOver(id, name), remove: () => this.#remove(id, name), leave: () => this.#leave(id) }[what];
    return h("div", { class: "share-ask", role: "group", "aria-labelledby": "share-question" }, h("p", { id: "share-question" }, this.#say(`share.${what}.sure`, { name })),
      h("button", { type: "button", class: what === "hand" ? "" : "danger", id: "share-yes", "aria-label": this.#say(`share.${what}.of`, { name }), onclick: act }, this.#say(`share.${what}`)),
      h("button", { type: "button", class: "quiet", id: "share-no", onclick: () => this.#cancel() }, this.#say("share.cancel")));
  }

  #ask(key, what) {
    this.#asked = { key, what, from: document.activeElement?.id };
    this.#problem[key] = "";
    this.#draw();
    document.getElementById("share-no").focus();
  }

  #cancel() {
    const { from } = this.#asked;
    this.#asked = null;
    this.#draw();
    document.getElementById(from)?.focus();
  }

  #choose(member, select) {
    if (select.value === "owner") this.#ask(`member-${member.user_id}`, "hand");
    else {
      if (this.#asked?.key === `member-${member.user_id}`) this.#asked = null;
      this.#setRole(member, select.value);
    }
  }

  // send does one thing at a time. It returns the answer; without one, it says in the row
  // what is wrong.
  async #send(key, method, path, body) {
    if (this.#busy) return null;
    this.#busy = true;
    let answer = null;
    try {
      answer = await this.#api.request(method, this.#path + path, body, { key: uid() });
      this.#problem[key] = "";
    } catch (error) {
      if (error.status === 401) return null;
      this.#problem[key] = this.#saidOf(error);
      if (error.status === 403 || error.status === 404) {
        this.#asked = null;
        await this.refresh();
      }
    } finally {
      this.#busy = false;
      if (!this.#gone && !answer) this.#draw();
    }
    return this.#gone ? null : answer;
  }

  #done(text, what = "members") {
    this.#asked = null;
    announce(text);
    this.#draw();
    this.#onChange?.(what);
  }

  async #setRole(member, role) {
    const { user_id: id, username: name } = member;
    if (!await this.#send(`member-${id}`, "PATCH", `/members/${id}`, { role })) return;
    member.role = role;
    this.#done(this.#say("share.changed", { name, role: this.#say(`share.${role}`) }));
  }

  async #handOver(id, name) {
    if (!await this.#send(`member-${id}`, "PATCH", `/members/${id}`, { role: "owner" })) return;
    this.#list.role = "editor";
    for (const member of this.#members) {
      if (member.user_id === id) member.role = "owner";
      else if (member.user_id === this.#me) member.role = "editor";
      delete member.email;
    }
    this.#invitations = [];
    this.#done(this.#say("share.handed", { name }), "owner");
    this.#root.querySelector("h2").focus();
  }

  async #remove(id, name) {
    if (!await this.#send(`member-${id}`, "DELETE", `/members/${id}`)) return;
    const place = this.#members.findIndex(({ user_id: other }) => other === id);
    this.#members.splice(place, 1);
    this.#done(this.#say("share.removed", { name }));
    const next = this.#members[place] ?? this.#members[place - 1];
    (document.getElementById(`share-remove-${next?.user_id}`) ?? this.#root.querySelector("h2")).focus();
  }

  async #leave(id) {
    if (!await this.#send(`member-${id}`, "DELETE", `/members/${id}`)) return;
    announce(this.#say("share.left"));
    this.#onChange?.("left");
    this.close();
  }

  #inviteForm() {
    const say = this.#say, problem = h("p", { class: "problem", id: "share-email-problem", role: "alert" });
    const role = h("select", { id: "share-as" }, ["editor", "viewer"].map((value) => h("option", { value }, say(`share.${value}`))));
    const email = h("input", { type: "email", id: "share-email", name: "email", autocomplete: "off", maxLength: 254, "aria-describedby": problem.id });
    this.#made = h("div", { "aria-live": "polite" });
    const go = async (address) => {
      problem.textContent = "";
      const answer = await this.#send("invite", "POST", "/invitations", { role: role.value, ...address && { email: address } });
      problem.textContent = this.#problem.invite ?? "";
      email.setAttribute("aria-invalid", String(Boolean(address && problem.textContent)));
      if (!answer) return;
      email.value = "";
      this.#show(answer.invitation);
    };
    const form = h("form", { noValidate: true, onsubmit: (event) => {
      event.preventDefault();
      if (email.value.trim()) go(email.value.trim());
      else {
        problem.textContent = say("share.email.needed");
        email.focus();
      }
    } }, h("div", { class: "pop-row" }, h("label", { for: role.id }, say("share.as")), role, h("button", { type: "button", onclick: () => go("") }, say("share.link"))),
    h("label", { for: email.id }, say("share.email")), h("div", { class: "line" }, email, h("button", { type: "submit", class: "second" }, say("share.mail"))), problem);
    return [h("h3", {}, say("share.invite")), form, this.#made];
  }

  // show tells the link, which nobody can see again.
  #show({ id, role, email, url, expires_at: end }) {
    this.#invitations = [{ id, role, email, expires_at: end }, ...this.#invitations];
    this.#shown = id;
    const say = this.#say, input = h("input", { readOnly: true, value: url, "aria-label": say("share.url"), id: "share-url" }), copied = h("p", { role: "status" });
    const copy = async () => {
      input.select();
      let done = false;
      try { // without a clipboard of its own, a page may still copy what is selected
        done = navigator.clipboard ? await navigator.clipboard.writeText(url).then(() => true) : document.execCommand("copy");
      } catch { /* then the person copies it */ }
      copied.textContent = say(done ? "share.copied" : "share.select");
    };
    const words = email ? say("share.mailed", { email }) : say("share.made", { role: say(`share.${role}`).toLowerCase(), date: this.#day(end) });
    this.#made.replaceChildren(h("div", { class: "once" }, h("p", {}, words), h("div", { class: "line" }, input, h("button", { type: "button", id: "share-copy", onclick: copy }, say("share.copy"))), copied));
    this.#draw();
    document.getElementById("share-copy").focus();
    this.#onChange?.("members");
  }

  #day(text) { return new Intl.DateTimeFormat(this.#language === "es" ? "es" : "en-GB", { day: "numeric", month: "long", timeZone: zoneOf() }).format(new Date(text)); }

  #invitation(invitation) {
    const { id, role, email, expires_at: end } = invitation, say = this.#say, name = email ?? say("share.by.link"), key = `invitation-${id}`;
    return h("li", {}, h("span", { class: "share-who" }, h("bdi", {}, name), h("small", {}, say("share.until", { role: say(`share.${role}`), date: this.#day(end) }))),
      h("span", { class: "share-controls" }, h("button", { type: "button", class: "quiet", id: `share-revoke-${id}`, "aria-label": say("share.revoke.of", { name }), onclick: () => this.#revoke(invitation) }, say("share.revoke"))), this.#trouble(key));
  }

  async #revoke({ id }) {
    if (!await this.#send(`invitation-${id}`, "DELETE", `/invitations/${id}`)) return;
    const place = this.#invitations.findIndex((one) => one.id === id);
    this.#invitations.splice(place, 1);
    if (this.#shown === id) this.#made.replaceChildren();
    this.#done(this.#say("share.revoked"));
    const next = this.#invitations[place] ?? this.#invitations[place - 1];
    (document.getElementById(`share-revoke-${next?.id}`) ?? document.getElementById("share-email") ?? this.#root.querySelector("h2")).focus();
  }
}
