// The page behind the link of an invitation to a list.

import "./parts.js";
import { ApiError } from "./api.js";
import { submit } from "./auth.js";
import { h } from "./dom.js";
import { saidWaiting, t } from "./i18n.js";
import { base } from "./surroundings.js";

const patience = 4_000; // milliseconds between two tries to read the invitation

export class InvitationView {
  #api; #root; #code; #answered; #gone = false;

  // answered hears the name of the list, or nothing for "not now".
  constructor(api, root, code, answered) {
    this.#api = api;
    this.#root = root;
    this.#code = code;
    this.#answered = answered;
    if (code) {
      this.#loading();
      this.#load();
    } else this.#draw(h("p", {}, t("link.none")), h("p", {}, h("a", { href: `${base}/` }, t("to.list"))));
  }

  close() { this.#gone = true; }

  #draw(...what) { this.#root.replaceChildren(h("h1", { tabIndex: -1 }, t("invitation")), ...what); }

  #loading() { this.#draw(h("div", { class: "loading", "aria-hidden": "true" }, h("i"), h("i"), h("i"))); }

  // say tells what is wrong, with a way on.
  #say(text) {
    if (this.#root.querySelector("[role=alert]")?.textContent === text) return;
    this.#draw(h("p", { role: "alert" }, text), h("button", { type: "button", onclick: () => this.#answered() }, t("to.list")));
  }

  // load goes on by itself when the server answers again.
  async #load() {
    try {
      const invited = await this.#api.get(`/invitations/${encodeURIComponent(this.#code)}`);
      if (!this.#gone) this.#offer(invited);
    } catch (error) {
      if (this.#gone || error.status === 401) return;
      this.#say(saidWaiting(error));
      if (error instanceof ApiError && !error.later) return;
      setTimeout(() => { if (!this.#gone) this.#load(); }, Math.max(patience, (error.retryAfter ?? 0) * 1000));
    }
  }

  #offer({ list: { name }, role, invited_by: who }) {
    let sent = false, id;
    const form = submit(h("form", { class: "narrow" }, h("p", { dir: "auto" }, t(`invitation.${role}`, { who: who || t("invitation.somebody"), list: name })),
      h("p", { class: "soft" }, t(`invitation.${role}.may`)),
      h("div", { class: "line" }, h("button", { type: "submit" }, t("invitation.accept")), h("button", { type: "button", class: "quiet", onclick: () => this.#answered() }, t("invitation.later")))),
    async () => {
      try {
        id = (await this.#api.request("POST", "/invitations/accept", { token: this.#code })).list?.id;
      } catch (error) {
        // One whose answer was lost has used the invitation up.
        if (!sent || error.code !== "invitation_not_found") {
          sent ||= !(error instanceof ApiError) || error.later;
          throw error;
        }
      }
      if (!this.#gone) this.#answered(name, id);
    });
    this.#draw(form);
    form.querySelector("button").focus();
  }
}
