// What can be done with a place, beside its name, and with a row by touch.

import { announce, h } from "./dom.js";
import { language, said, t } from "./i18n.js";
import { hashOf, hueOf } from "./places.js";
import { popover } from "./popover.js";
import { dayNumber, dayText } from "./words.js";

const hues = ["#c0392b", "#b9770e", "#6b8e23", "#2e8b57", "#148f8f", "#2b5fc0", "#7d3cc0", "#b03a9a"];

// menuOf is a button with dots, and what it opens.
const menuOf = (items) => h("button", { type: "button", class: "quiet dots", "aria-label": t("more"), "aria-haspopup": "dialog", onclick: ({ currentTarget: anchor }) => {
  const panel = popover({ anchor, about: anchor.closest(".line"), label: t("more"), kind: "menu", content: items.map((item) => item(() => panel)) });
  panel?.panel.querySelector("button").focus();
} }, "···");

// item closes its menu before it acts.
const item = (text, act, kind = "") => (panel) => h("button", { type: "button", class: `quiet ${kind}`, onclick: () => panel().close(act) }, text);

// openRowMenu is what a row has by touch instead of its cross.
export function openRowMenu(anchor, task, desk, { choose, remove }) {
  if (!task) return;
  const on = (days) => () => desk.change(task.id, { due: dayText(dayNumber(desk.now.date) + days) + (task.due ?? "").slice(10) });
  const panel = popover({ anchor, label: t("task.more", { title: task.title }), kind: "menu", content: [
    item(t("place.today"), on(0)), item(t("date.tomorrow"), on(1)), item(t("choose"), choose), item(t("task.delete"), remove, "erase"),
  ].map((each) => each(() => panel)) });
  panel?.panel.querySelector("button").focus();
}

// headOf are the controls of a place, what opens below, and of a list sharing and what only
// few need.
export function headOf(list, desk, undo, choose) {
  const common = [item(t("choose"), choose), item(t("print"), () => print())];
  if (!list || list.inbox) return { controls: [menuOf(common)], below: [] };
  const api = desk.api, mine = list.role === "owner";
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
  const rename = (panel) => {
    const name = h("input", { name: "name", value: list.name, maxLength: 100, dir: "auto", autocomplete: "off", "aria-label": t("list.name") });
    return h("form", { class: "line", onsubmit: async (event) => {
      event.preventDefault();
      if (name.value.trim() && await write("PATCH", path, { name: name.value.trim() })) panel().close();
    } }, name, h("button", { type: "submit", class: "second" }, t("list.rename")));
  };
  const colors = h("div", { class: "hues", role: "group", "aria-label": t("list.color") }, hues.map((color, i) => h("button", {
    type: "button", class: `swatch hue-${i}`, "aria-label": t(`hue.${i}`), "aria-pressed": String(Boolean(list.color) && hueOf(list.color) === i), onclick: async (event) => {
      const chosen = event.currentTarget;
      if (await write("PATCH", path, { color })) for (const each of colors.children) each.setAttribute("aria-pressed", String(each === chosen));
    },
  })));
  const remove = async () => {
    if (!await write("DELETE", path)) return;
    location.hash = hashOf({ kind: "inbox" });
    undo.offer(t("list.deleted", { name: list.name }), { instead: async () => {
      if (await write("POST", `${path}/restore`)) location.hash = hashOf({ kind: "list", id: list.id });
    } });
  };
  const leave = async () => {
    if (!await write("DELETE", `${path}/members/${api.userID}`)) return;
    announce(t("list.left", { name: list.name }));
    location.hash = hashOf({ kind: "inbox" });
  };
  const menu = menuOf([...common, ...(mine ? [rename, () => colors, item(t("list.delete"), remove, "erase")] : [item(t("list.leave"), leave, "erase")])]);
  return { controls: [share, menu], below: [problem, panel] };
}
