// What a row shows of a task: its title, and under it, in words, what it has.

import { h } from "./dom.js";
import { date, due as exact, language, said, t } from "./i18n.js";
import { both } from "./merge.js";
import { dueOf, isLate } from "./places.js";
import { dueWords, initials, repeatWords } from "./words.js";

const glimpse = 200; // letters of a description

// dot is the colour of a list, which is never the only sign of it.
export const dot = (hue) => h("i", { class: `dot hue-${hue}`, "aria-hidden": "true" });

// detailsOf are what a task has that its place does not say: {text, title, kind}.
function detailsOf(task, desk, { kind, id, name, section }) {
  const { now } = desk, due = dueOf(task), list = desk.listOf(task), details = [];
  if (due) {
    let words = dueWords(due, now, language);
    const late = isLate(due, now) && !task.completed;
    if (section === due.slice(0, 10) || section === "today") words = due.slice(11, 16);
    else if (late && section !== "late" && kind !== "today") words = t("overdue", { when: words });
    if (words) details.push({ text: words, title: exact(task), kind: late ? "late" : "" });
  }
  if (task.recurrence) details.push({ text: repeatWords(task.recurrence, language) });
  if (task.priority && task.priority !== "none") details.push({ text: t(`priority.${task.priority}`), kind: `priority-${task.priority}` });
  if (list && !(list.inbox && (list.role ?? "owner") === "owner") && !(kind === "list" && id === list.id)) details.push({ text: list.name, hue: desk.hueOf(list) });
  if (list?.role === "viewer") details.push({ text: t("list.fixed") });
  const parent = task.parent_id && !["inbox", "list"].includes(kind) && desk.task(task.parent_id);
  if (parent) details.push({ text: t("part.of", { title: parent.title }) });
  const children = desk.children(task.id);
  if (children) details.push({ text: t("children", { done: children.done, all: children.all }) });
  for (const label of task.labels ?? []) if (kind !== "label" || label !== name) details.push({ text: `#${label}` });
  return details;
}

// whoOf is the assignee of a task.
const whoOf = (task, desk) => task.assignee_id && desk.people(task.list_id).find((person) => person.id === task.assignee_id);

// markOf changes when a row has to be drawn anew. What the server has told of has a version.
export function markOf(task, desk, place) {
  const { kind, id, name, section, depth, folded, children } = place, due = dueOf(task), list = desk.listOf(task), kids = desk.children(task.id), flat = kind !== "inbox" && kind !== "list";
  const own = task.waiting || !task.version ? JSON.stringify([{ ...task, problem: task.problem && [task.problem.message, task.problem.theirs] }, task.waiting && desk.store.offline]) : `${task.version} ${task.completed}`;
  return [own, kind, id ?? name, section, depth, folded, Boolean(children), due && `${due} ${desk.now.date} ${isLate(due, desk.now)}`, list && [list.version, list.name, list.color], list?.role, kids && `${kids.done} ${kids.all}`, flat && task.parent_id && desk.task(task.parent_id)?.title].join();
}

// choiceOf shows two texts of which one, the other or both are to stay.
function choiceOf(task, store) {
  const all = Object.entries(task.problem.theirs);
  const button = (how) => h("button", { type: "button", class: "quiet", onclick: ({ currentTarget }) => {
    currentTarget.closest(".task").querySelector(".title").focus(); // the button goes away
    store.resolve(task.id, how);
  } }, t(`met.keep.${how}`));
  return h("div", { class: "trouble met", role: "group", "aria-label": t("met") }, h("p", {}, t("met")),
    h("dl", {}, all.flatMap(([name, theirs]) => [["mine", task[name]], ["theirs", theirs]].flatMap(([whose, text]) => [h("dt", {}, t(`met.${whose}`)), h("dd", { dir: "auto" }, text || "–")]))),
    button("mine"), button("theirs"), all.every(([name, theirs]) => both(name, task[name], theirs) !== null) ? button("both") : null);
}

/**
 * cellsOf are the parts of a row. act has tick, open, remove, menu, unfold, retry and drop.
 */
export function cellsOf(task, desk, place, act) {
  const { title } = task, fixed = desk.store.fixed(task);
  const box = h("input", { type: "checkbox", class: "tick", checked: task.completed, disabled: fixed, title: fixed ? t("list.fixed.why") : undefined, "aria-label": t("task.tick", { title }), onchange: act.tick });
  const more = fixed ? task.description : task.description.slice(0, glimpse);
  const details = detailsOf(task, desk, place).flatMap(({ text, title: exactly, kind, hue }, i) => [i ? " · " : "", h("bdi", { class: kind || undefined, title: exactly }, hue === undefined ? null : dot(hue), text)]).filter((part) => part !== "");
  const words = [h("span", { class: "words", dir: "auto" }, title), details.length ? h("span", { class: "details soft" }, details) : null, more ? h("span", { class: "more soft", dir: "auto" }, more) : null];
  const text = fixed ? h("div", { class: "title", tabIndex: -1 }, words)
    : h("button", { type: "button", class: "title", onclick: act.open }, h("span", { class: "unseen" }, `${t("task.edit")}: `), words);
  const cells = [h("label", { class: "box" }, box), text];
  const who = whoOf(task, desk);
  if (who) cells.push(h("span", { class: "who", title: who.name, role: "img", "aria-label": t("assigned", { name: who.name }) }, initials(who.name)));
  if (place.children) {
    cells.push(h("button", { type: "button", class: "unfold quiet", "aria-expanded": String(!place.folded), "aria-label": t(place.folded ? "unfold" : "fold", { title }), onclick: act.unfold }));
  }
  if (!fixed) {
    cells.push(h("button", { type: "button", class: "remove quiet", "aria-label": t("task.delete.of", { title }), onclick: act.remove }, "×"),
      h("button", { type: "button", class: "own quiet", "aria-label": t("task.more", { title }), "aria-haspopup": "dialog", onclick: act.menu }, "···"));
  }
  if (task.problem?.theirs) {
    cells.push(choiceOf(task, desk.store));
  } else if (task.problem) {
    cells.push(h("div", { class: "trouble" }, h("p", { class: "problem" }, said(task.problem)),
      h("button", { type: "button", class: "quiet", onclick: act.retry }, t("task.retry")), h("button", { type: "button", class: "quiet", onclick: act.drop }, t("task.drop"))));
  } else if (task.waiting && desk.store.offline) {
    cells.push(h("p", { class: "trouble soft" }, t("task.waiting")));
  } else if (task.completed && task.date_completed) {
    cells.push(h("p", { class: "trouble soft" }, t("task.completed", { date: date(task.date_completed) })));
  }
  return cells;
}
