// The places of the page: their addresses, and which tasks stand in each, in which order.
// Pure: no DOM, no clock, but the person's zone.

import { dayNumber, dayText } from "./words.js";
import { wallOf } from "./zone.js";

/** @typedef {{kind: string, id?: number | string, name?: string, query?: string}} Place */
/** @typedef {{key: string, day?: string, month?: string, late?: boolean, rows: {task: any, depth: number}[]}} Section */

const near = 14; // days that Upcoming shows one by one
const plain = ["today", "upcoming", "inbox", "trash"];

/** readPlace reads the part of an address behind #; null is the beginning. @param {string} hash @returns {Place | null} */
export function readPlace(hash) {
  const [, path, query] = /^#?\/?([^?]*)\??(.*)$/.exec(hash) ?? [];
  const [kind, ...rest] = path.split("/");
  const tail = rest.join("/");
  if (plain.includes(kind) && !tail) return { kind };
  if (kind === "search") return { kind, query: new URLSearchParams(query).get("q") ?? "" };
  // A list that is made here is known by another name until it has an id.
  if (kind === "list" && /^(\d+|[\da-f-]{36})$/.test(tail)) return { kind, id: Number(tail) || tail };
  if (kind === "label" && tail) {
    try {
      return { kind, name: decodeURIComponent(tail) };
    } catch {
      return null;
    }
  }
  if (["account", "users"].includes(path)) return { kind };
  const task = /^task-(\d+)$/.exec(path);
  return task ? { kind: "task", id: Number(task[1]) } : null;
}

/** hashOf is the address of a place. @param {Place} place */
export function hashOf({ kind, id, name, query }) {
  if (kind === "list") return `#/list/${id}`;
  if (kind === "label") return `#/label/${encodeURIComponent(name ?? "")}`;
  if (kind === "search") return query ? `#/search?${new URLSearchParams({ q: query })}` : "#/search";
  return plain.includes(kind) ? `#/${kind}` : `#${kind}`;
}

/** dueOf is when a task is due by the reader's own clock; "" for never. */
export const dueOf = ({ due, due_at: at }) => (at ? wallOf(at) : due ?? "");

/** isLate says whether a task should have been done. @param {string} due @param {{date: string, time: string}} now */
export const isLate = (due, now) => due.slice(0, 10) < now.date || due.length > 10 && due < `${now.date}T${now.time}`;

// rankOf orders siblings as the server does: by hand, and new ones first.
export const rankOf = (task) => task.position ?? (typeof task.id === "number" ? -1024 * task.id : -Infinity);

const newestFirst = (a, b) => (typeof b.id === "number" ? b.id : Infinity) - (typeof a.id === "number" ? a.id : Infinity) || String(b.id).localeCompare(String(a.id));
const byHand = (a, b) => rankOf(a) - rankOf(b) || newestFirst(a, b);
const weight = { high: 0, medium: 1, low: 2 };
const compare = (a, b) => (a < b ? -1 : Number(a > b)); // much faster than localeCompare
const byDue = (a, b) => compare(dueOf(a), dueOf(b)) || (weight[a.priority] ?? 3) - (weight[b.priority] ?? 3) || byHand(a, b);

/** fold makes texts comparable: without case and accents. @param {string} text */
export const fold = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

const texts = new WeakMap(); // of tasks, for each letter of a search looks at all

function textOf(task) {
  let text = texts.get(task);
  if (text === undefined) texts.set(task, text = fold(`${task.title}\n${task.description}\n${task.labels?.map((label) => `#${label}`).join(" ") ?? ""}`));
  return text;
}

/** inPlace says whether a task belongs to a place. */
export function inPlace(place, task, { now, inbox, query, listName }) {
  switch (place.kind) {
    case "today": return dueOf(task) !== "" && dueOf(task).slice(0, 10) <= now.date;
    case "upcoming": return dueOf(task).slice(0, 10) > now.date;
    case "inbox": return (task.list_id ?? inbox) === inbox;
    case "list": return task.list_id === place.id;
    case "label": return task.labels?.includes(place.name) ?? false;
    default: return !query || textOf(task).includes(query) || fold(listName(task)).includes(query);
  }
}

// tree puts each task below its parent, as far as that is among them.
function tree(tasks, folded) {
  const ids = new Set(tasks.map((task) => task.id));
  const below = group(tasks, (task) => (ids.has(task.parent_id) ? task.parent_id : 0));
  const rows = [];
  const seen = new Set();
  const walk = (parent, depth) => {
    for (const task of (below.get(parent) ?? []).sort(byHand)) {
      if (seen.has(task.id)) continue;
      seen.add(task.id);
      rows.push({ task, depth });
      if (!folded.has(task.id)) walk(task.id, depth + 1);
    }
  };
  walk(0, 0);
  return rows;
}

function group(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (groups.has(key)) groups.get(key).push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

const flat = (tasks) => tasks.map((task) => ({ task, depth: 0 }));

/**
 * sectionsOf sorts the open tasks of a place into sections.
 * @param {Place} place @param {any[]} tasks @param {{now: {date: string, time: string}, folded: Set<any>}} context @returns {Section[]}
 */
export function sectionsOf(place, tasks, { now, folded }) {
  if (place.kind === "today") {
    const due = [...tasks].sort(byDue), late = due.filter((task) => dueOf(task).slice(0, 10) < now.date);
    const rest = due.filter((task) => !late.includes(task));
    return [{ key: "late", late: true, rows: flat(late) }, { key: "today", rows: flat(rest) }].filter(({ rows }) => rows.length);
  }
  if (place.kind === "upcoming") {
    const last = dayText(dayNumber(now.date) + near);
    const days = group([...tasks].sort(byDue), (task) => { const day = dueOf(task).slice(0, 10); return day <= last ? day : day.slice(0, 7); });
    return [...days].map(([key, all]) => ({ key, ...(key.length > 7 ? { day: key } : { month: key }), rows: flat(all) }));
  }
  const rows = place.kind === "inbox" || place.kind === "list" ? tree([...tasks], folded) : flat([...tasks].sort(newestFirst));
  return rows.length ? [{ key: "all", rows }] : [];
}

/** lastDone sorts what is done, the last first. */
export const lastDone = (a, b) => compare(b.date_completed ?? "~", a.date_completed ?? "~") || newestFirst(a, b);

/**
 * countsOf counts what is open, in one walk.
 * @param {any[]} tasks @param {{date: string}} now @param {number} inbox
 */
export function countsOf(tasks, now, inbox) {
  const counts = { today: 0, late: 0, lists: new Map(), labels: new Map(), children: new Map() };
  const more = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const task of tasks) {
    if (task.parent_id) {
      const kids = counts.children.get(task.parent_id) ?? { done: 0, all: 0 };
      kids.all++;
      if (task.completed) kids.done++;
      counts.children.set(task.parent_id, kids);
    }
    if (task.completed) continue;
    more(counts.lists, task.list_id ?? inbox);
    for (const label of task.labels ?? []) more(counts.labels, label);
    const day = dueOf(task).slice(0, 10);
    if (!day || day > now.date) continue;
    counts.today++;
    if (day < now.date) counts.late++;
  }
  return counts;
}

/** hueOf is the nearest of eight named hues to a colour of the API, or 8 for grey. @param {string} color */
export function hueOf(color) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
  const most = Math.max(r, g, b), span = most - Math.min(r, g, b);
  if (span < 24) return 8;
  const turn = most === r ? (g - b) / span : most === g ? (b - r) / span + 2 : (r - g) / span + 4;
  return Math.floor(((turn * 60 + 360 + 22.5) % 360) / 45);
}
