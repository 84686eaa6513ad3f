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
// few need. draw shows what has become of it.
export function headOf(list, desk, undo, choose) {
  const common = [item(t("choose"), choose), item(t("print"), () => print())];
  if (!list || list.inbox) return { controls: [menuOf(common)], below: [], draw() {} };
  const { api, store } = desk, mine = list.role === "owner", now = () => desk.list(list.id) ?? list;
  const problem = h("p", { class: "problem trouble", role: "alert" });
  const button = (text, run) => h("button", { type: "button", class: "quiet", onclick: run }, text);
  const show = () => { location.hash = hashOf({ kind: "list", id: store.idOf(list.id) }); };
  const home = () => { location.hash = hashOf({ kind: "inbox" }); };
  const change = (patch, said) => {
    const { id, name, color = null } = now(), before = "name" in patch ? { name } : { color };
    store.changeList(id, patch);
    undo.offer(said, { instead: undo.wayBack("list.update", name, () => store.changeList(id, before)) });
  };
  const panel = h("div", { class: "panel", hidden: true });
  let shared, members; // what the panel shows
  const share = h("button", {
    type: "button", class: "quiet", "aria-expanded": "false",
    onclick: async () => {
      if (!panel.hidden) { close(); return; }
      try {
        const { renderShare } = await import("./share.js");
        panel.replaceChildren();
        panel.hidden = false;
        share.setAttribute("aria-expanded", "true");
        shared = renderShare({ container: panel, list: now(), me: api.userID, api, language, onChange: () => desk.store.sync(), onClose: close });
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
    const name = h("input", { name: "name", value: now().name, maxLength: 100, dir: "auto", autocomplete: "off", "aria-label": t("list.name") });
    return h("form", { class: "line", onsubmit: (event) => {
      event.preventDefault();
      const text = name.value.trim();
      if (!text) return;
      panel().close();
      if (text !== now().name) change({ name: text }, t("list.renamed", { name: text }));
    } }, name, h("button", { type: "submit", class: "second" }, t("list.rename")));
  };
  const colors = () => {
    const { color: mine } = now();
    const all = hues.map((color, i) => h("button", {
      type: "button", class: `swatch hue-${i}`, "aria-label": t(`hue.${i}`), "aria-pressed": String(Boolean(mine) && hueOf(mine) === i), onclick: ({ currentTarget }) => {
        for (const each of all) each.setAttribute("aria-pressed", String(each === currentTarget));
        change({ color }, t("list.colored", { name: now().name, color: t(`hue.${i}`) }));
      },
    }));
    return h("div", { class: "hues", role: "group", "aria-label": t("list.color") }, all);
  };
  const remove = () => {
    const gone = now();
    store.removeList(gone.id);
    home();
    undo.offer(t("list.deleted", { name: gone.name }), { also: show, instead: undo.wayBack("list.delete", gone.name, () => store.undoRemoveList(gone)) });
  };
  const leave = async () => {
    try {
      await api.request("DELETE", `/lists/${now().id}/members/${api.userID}`);
      await store.sync();
    } catch (error) {
      problem.textContent = said(error);
      return;
    }
    announce(t("list.left", { name: list.name }));
    home();
  };
  const menu = menuOf([...common, ...(mine ? [rename, colors, item(t("list.delete"), remove, "erase")] : [item(t("list.leave"), leave, "erase")])]);
  const draw = () => {
    const people = JSON.stringify(now().members);
    if (members !== people && !panel.hidden) shared?.refresh();
    members = people;
    const { id, problem: refusal } = now(), mark = JSON.stringify(refusal ?? "");
    share.hidden = typeof id === "string"; // the server must know it first
    if ((problem.dataset.mark ?? '""') === mark) return;
    problem.dataset.mark = mark;
    problem.replaceChildren(...(refusal ? [`${said(refusal)} `, button(t("task.retry"), () => store.retry(now().id, "list")), button(t("task.drop"), () => { store.drop(now().id, "list"); if (!desk.list(list.id)) home(); })] : []));
  };
  return { controls: [share, menu], below: [problem, panel], draw };
}
