// What can be done with a list, beside its name.

import { announce, h } from "./dom.js";
import { language, said, t } from "./i18n.js";
import { hashOf, hueOf } from "./places.js";

const hues = ["#c0392b", "#b9770e", "#6b8e23", "#2e8b57", "#148f8f", "#2b5fc0", "#7d3cc0", "#b03a9a"];

// headOf are the controls of a list, sharing and what only few need, and what opens below.
export function headOf(list, desk, undo) {
  const api = desk.api, owner = list.role === "owner" && !list.inbox, mine = list.role === "owner";
  const problem = h("p", { class: "problem", role: "alert" });
  const write = async (...request) => {
    problem.textContent = "";
    try {
      const answer = await api.request(...request);
      await desk.store.sync();
      return answer;
    } catch (error) {
      problem.textContent = said(error);
      return null;
    }
  };
  const path = `/lists/${list.id}`;
  const panel = h("div", { class: "panel", hidden: true });
  const share = h("button", {
    type: "button", class: "quiet", "aria-expanded": "false",
    onclick: async () => {
      if (!panel.hidden) { close(); return; }
      try {
        const { renderShare } = await import("./share.js");
        panel.replaceChildren();
        panel.hidden = false;
        share.setAttribute("aria-expanded", "true");
        renderShare({ container: panel, list, me: api.userID, api, language, onChange: () => desk.store.sync(), onClose: close });
      } catch {
        problem.textContent = t("share.missing");
      }
    },
  }, t("share"));
  const close = () => {
    panel.hidden = true;
    panel.replaceChildren();
    share.setAttribute("aria-expanded", "false");
    share.focus();
  };
  const name = h("input", { name: "name", value: list.name, maxLength: 100, dir: "auto", autocomplete: "off", "aria-label": t("list.name") });
  const rename = h("form", { class: "line", onsubmit: async (event) => { event.preventDefault(); if (name.value.trim() && await write("PATCH", path, { name: name.value.trim() })) menu.open = false; } }, name, h("button", { type: "submit", class: "second" }, t("list.rename")));
  const colors = h("div", { class: "hues", role: "group", "aria-label": t("list.color") }, hues.map((color, i) => h("button", {
    type: "button", class: `swatch hue-${i}`, "aria-label": t(`hue.${i}`), "aria-pressed": String(Boolean(list.color) && hueOf(list.color) === i), onclick: async (event) => {
      const chosen = event.currentTarget;
      if (await write("PATCH", path, { color })) for (const each of colors.children) each.setAttribute("aria-pressed", String(each === chosen));
    },
  })));
  const remove = h("button", { type: "button", class: "quiet erase", onclick: async () => {
    if (!await write("DELETE", path)) return;
    location.hash = hashOf({ kind: "inbox" });
    undo.offer(t("list.deleted", { name: list.name }), { instead: async () => {
      if (await write("POST", `${path}/restore`)) location.hash = hashOf({ kind: "list", id: list.id });
    } });
  } }, t("list.delete"));
  const leave = h("button", { type: "button", class: "quiet erase", onclick: async () => {
    if (!await write("DELETE", `${path}/members/${api.userID}`)) return;
    announce(t("list.left", { name: list.name }));
    location.hash = hashOf({ kind: "inbox" });
  } }, t("list.leave"));
  const menu = h("details", { class: "menu" }, h("summary", { "aria-label": t("more") }, "···"), h("div", { class: "pop" }, mine ? [rename, colors, remove] : leave));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.preventDefault();
    event.stopPropagation();
    menu.open = false;
    menu.firstElementChild.focus();
  });
  menu.addEventListener("focusout", ({ relatedTarget }) => { if (relatedTarget && !menu.contains(relatedTarget)) menu.open = false; });
  return { controls: owner || !mine ? [share, menu] : [], below: [problem, panel] };
}
