// Parts of the account that are read when somebody opens them.

import { h } from "./dom.js";
import { said, t } from "./i18n.js";

// folded is a part of the account that is read when somebody opens it.
export function folded(id, title, load) {
  const status = h("p", { role: "status" }), body = h("div"), section = h("details", { id, class: "folded" }, h("summary", {}, h("h2", {}, title)), body, status);
  const open = async () => {
    if (!section.open || body.firstChild) return;
    try {
      await load(body, (text) => { status.textContent = text; });
    } catch (error) {
      status.textContent = said(error);
    }
  };
  section.addEventListener("toggle", open);
  return section;
}

// act is a button of a row, whose name is of: it tells what came of run.
export const act = (tell, what, of, run) => h("button", { type: "button", class: "quiet", "aria-label": `${what}: ${of}`, onclick: async ({ currentTarget: button }) => {
  button.disabled = true;
  tell("");
  try {
    tell(await run() ?? "");
  } catch (error) {
    tell(said(error));
  }
  button.disabled = false;
} }, what);

// choice is a field with one of several values, of which each has a name.
export const choice = (id, label, options) => h("div", { class: "field" }, h("label", { for: id }, label), h("select", { id }, options.map(([value, name]) => h("option", { value }, name))));

// listChoices are the lists that one can choose for choice, after all of them.
export const listChoices = (lists, all) => [["", all], ...lists.map(({ id, name, inbox }) => [id, inbox ? t("place.inbox") : name])];

// chosen is the number of the list in a choice, or null for all.
export const chosen = (body, id) => Number(body.querySelector(`#${id}`).value) || null;
