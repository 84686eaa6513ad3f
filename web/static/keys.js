// The keys of a place.

import { $, h, isTyping } from "./dom.js";
import { t } from "./i18n.js";

const known = [["n", "n"], ["/", "search"], ["j k", "jk"], ["x", "x"], ["e", "e"], ["#", "delete"], ["u", "u"], ["Alt ↑ ↓", "order"], ["Alt ← →", "nest"], ["Shift ↑ ↓", "choose"], ["Ctrl Enter", "save"], ["Esc", "esc"], ["?", "help"]];

// explain fills the list of all keys, which ? opens.
export function explain() {
  const help = $("#help");
  $("#help-title").textContent = t("help");
  $("#help-list").replaceChildren(...known.flatMap(([keys, name]) => [h("dt", {}, (name === "delete" ? [keys, t("key.delete")] : keys.split(" ")).map((key) => h("kbd", {}, key))), h("dd", {}, t(`help.${name}`))]));
  $("#help-close").textContent = t("help.close");
  $("#help-close").addEventListener("click", () => help.close());
  document.addEventListener("keydown", (event) => {
    if (event.key === "?" && !isTyping(event.target) && !$("dialog[open]")) { event.preventDefault(); help.showModal(); }
  });
}

// listen answers them. view has root, arrange, which comes first, undo, idOf, tick, edit,
// remove, add, search, and clear for Escape in a field.
export function listen(view, signal) {
  document.addEventListener("keydown", (event) => press(event, view), { signal });
}

function press(event, view) {
  if (view.arrange.key(event)) return;
  // Some keyboards need Alt or AltGr for #.
  const plain = !event.ctrlKey && !event.altKey || event.getModifierState("AltGraph") || event.key === "#";
  if (!plain || event.metaKey || event.defaultPrevented || $("dialog[open]")) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape" && view.root.contains(event.target)) leave(event, view);
    return;
  }
  const row = document.activeElement?.closest?.(".task");
  const id = row && view.idOf(row);
  const act = {
    n: () => view.add(), "/": () => view.search(), j: () => move(view.root, 1), k: () => move(view.root, -1), u: () => view.undo.back(),
    x: id && (() => view.tick(id)), e: id && (() => view.edit(id)), "#": id && (() => view.remove(id)), Delete: id && (() => view.remove(id)),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

// leave goes from a field to the rows.
function leave(event, { root, clear }) {
  clear(event);
  event.target.blur();
  move(root, 0);
}

function move(root, by) {
  const titles = [...root.querySelectorAll(".task .title")].filter((title) => title.offsetParent);
  const now = titles.findIndex((title) => title.closest(".task").contains(document.activeElement));
  titles[Math.max(0, Math.min(titles.length - 1, now + by))]?.focus();
}
