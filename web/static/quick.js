// Quick add: what a line of English or Spanish says beside its title. No DOM, no clock.
// Nothing is guessed silently: what is understood is a chip over an exact slice, the title
// is the rest, and quotes and removed chips stay text. .ci/scripts/phrases.mjs has the
// rules, with examples.

import { attributive, dayReadings, ending, hours, joint, parts, repeatReadings, timeReadings } from "./readings.js";
import { dayNumber, dayText, dueWords, nextDates, repeatWords } from "./words.js";

/** @typedef {"due" | "repeat" | "priority" | "label" | "list" | "assignee"} Kind */
/** @typedef {{kind: Kind, text: string, from: number, to: number, label: string}} Chip */
/** @typedef {{id: number, name: string}} Named */
/** @typedef {{language: string, now: import("./words.js").Now, lists?: Named[], labels?: string[], members?: Named[], removed?: (string | {text: string})[]}} Context */
/** @typedef {{title: string, due?: string, recurrence?: string, priority?: string, labels: string[], list?: number, assignee?: number, chips: Chip[]}} Parsed */

const levels = ["high", "medium", "low"], niveles = ["alta", "media", "baja"];
const clockText = (minutes) => [minutes / 60, minutes % 60].map((n) => String(Math.floor(n)).padStart(2, "0")).join(":");

// fold returns a text in lower case, without accents and with single spaces, and where each
// of its characters comes from.
function fold(text) {
  let plain = "";
  const at = [];
  for (let i = 0; i < text.length; i++) {
    let sign = text[i].normalize("NFD")[0];
    if (sign >= "\u0300" && sign <= "\u036f") continue;
    if (sign === "’") sign = "'";
    if (/\s/.test(sign)) sign = " ";
    if (sign === " " && plain.endsWith(" ")) continue;
    plain += sign.toLowerCase()[0];
    at.push(i);
  }
  at.push(text.length);
  return { plain, at };
}

class Reader {
  chips = /** @type {Chip[]} */ ([]);
  result = /** @type {Parsed} */ ({ title: "", labels: [], chips: this.chips });
  near = -1; // where the word after a day or a repetition begins
  day; time; repeat;

  /** @param {string} text @param {Context} context */
  constructor(text, context) {
    this.text = text;
    this.context = context;
    this.language = context.language === "es" ? "es" : "en";
    const { date, time } = context.now, { plain, at } = fold(text);
    this.around = { day: dayNumber(date), year: Number(date.slice(0, 4)), month: Number(date.slice(5, 7)) - 1, minutes: Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5)), spanish: this.language === "es" };
    this.at = at;
    // What is literal has no letters in it.
    this.plain = plain.replace(/"[^"]*"|“[^“”]*”|«[^«»]*»|\x60[^\x60]*\x60/g, (quoted) => "\0".repeat(quoted.length));
    for (const removed of context.removed ?? []) {
      const literal = fold(typeof removed === "string" ? removed : removed.text).plain;
      if (literal) this.plain = this.plain.replaceAll(literal, "\0".repeat(literal.length));
    }
  }

  match(pattern, at) {
    pattern.lastIndex = at;
    return pattern.exec(this.plain);
  }

  first(readings, at, known = {}) {
    for (const { pattern, means } of readings) {
      const found = this.match(pattern, at), to = found && at + found[0].length;
      const meant = found && means(found.groups ?? {}, { ...this.around, rest: this.plain.slice(to, to + 40), ...known });
      if (meant) return { ...meant, end: to };
    }
    return null;
  }

  after(end) { return end + (this.match(/,? (?:del? )?/y, end)?.[0].length ?? this.plain.length); }

  // timeAt reads a time, or a part of a day with a time in it: "in the evening at 8".
  timeAt(at, known) {
    const time = this.first(timeReadings, at, known);
    const exact = time?.part && this.first(timeReadings, this.after(time.end), { near: true, part: time.part });
    return exact && exact.time !== undefined && !exact.unsure ? exact : time;
  }

  // moment reads a day, a time, or both, in either order.
  moment(at) {
    const day = this.first(dayReadings, at), near = at === this.near;
    if (day) {
      const time = day.time === undefined && this.timeAt(this.after(day.end), { near: true, part: day.part });
      return time && !time.unsure ? { ...day, ...time } : day;
    }
    const time = this.timeAt(at, { near });
    const later = time && !near && this.first(dayReadings, this.after(time.end), { near: true });
    if (later && later.time === undefined) return { ...time, ...this.first(timeReadings, at, { near: true, part: later.part }), ...later };
    return time?.unsure ? null : time;
  }

  chip(kind, from, to, label) {
    this.chips.push({ kind, text: this.text.slice(this.at[from], this.at[to]), from: this.at[from], to: this.at[to], label });
    return to;
  }

  // Each read… returns where what it took, or left as text, ends; 0 for nothing.

  readMoment(at) {
    const found = this.moment(at);
    if (!found) return 0;
    // Days that are joined, as in "Monday to Friday", are no date.
    let { end } = found;
    for (let joined; (joined = this.match(joint, end));) {
      const more = !(this.repeat && /un|as|ti/.test(joined[0])) && this.moment(end + joined[0].length);
      if (!more) break;
      ({ end } = more);
    }
    if (end > found.end || attributive.test(` ${this.plain.slice(Math.max(0, at - 12), at)}`)) return end;
    const { day, part } = found, time = found.time ?? (part && hours[parts[part]] * 60);
    if (day !== undefined && this.day !== undefined || time !== undefined && this.time !== undefined) return end;
    this.day ??= day;
    // A part of today that has begun says no more than today.
    if (found.time !== undefined || day !== this.around.day || time > this.around.minutes) this.time ??= time;
    if (day !== undefined) this.near = end + 1;
    return this.chip("due", at, end, day === undefined ? clockText(time) : this.words(dayText(day)));
  }

  words(due) { return dueWords(due, this.context.now, this.language); }

  readRepeat(at) {
    if (this.repeat) return this.readEnd(at);
    const found = this.first(repeatReadings, at);
    if (!found) return 0;
    const { end, time, ...repeat } = found;
    this.time ??= time;
    this.repeat = repeat;
    this.near = end + 1;
    return this.chip("repeat", at, end, "");
  }

  // readEnd reads "until 24 December" and "10 times".
  readEnd(at) {
    if (this.repeat.COUNT || this.repeat.UNTIL) return 0;
    const until = this.match(/(?:until|till|hasta) /y, at), last = until && this.first(dayReadings, at + until[0].length, { near: true });
    const times = this.match(/(?:for )?(\d{1,3}) (?:times|veces)/y, at), end = last ? last.end : times && at + times[0].length;
    if (last) this.repeat.UNTIL = dayText(last.day).replaceAll("-", "");
    else if (times && times[1] > 0 && this.match(ending, end)) this.repeat.COUNT = Number(times[1]);
    else return 0;
    return this.chip("repeat", at, end, this.text.slice(this.at[at], this.at[end]));
  }

  // named finds the longest name that stands at a place.
  named(items, names, at) {
    let length = 0, found = [];
    for (const item of items ?? []) {
      for (const name of names(item)) {
        if (!name || name.length < length || !this.plain.startsWith(name, at) || !this.match(ending, at + name.length)) continue;
        found = name.length > length ? [item] : [...found, item];
        ({ length } = name);
      }
    }
    return found.length ? { item: found[0], end: at + length, many: found.some((item) => item !== found[0]) } : null;
  }

  // readTag reads #word: the list of that name, else a label. #42 is a number.
  readTag(at) {
    const spellings = (name) => ["", " ", "-", "_"].map((space) => fold(name.trim()).plain.replaceAll(" ", space));
    const list = this.named(this.context.lists, (item) => spellings(item.name), at + 1), { labels } = this.result;
    if (list && this.result.list === undefined) {
      this.result.list = list.item.id;
      return this.chip("list", at, list.end, list.item.name);
    }
    let { item: name, end } = this.named(this.context.labels, spellings, at + 1) ?? { item: "", end: at };
    if (!name) {
      const word = /[\p{L}\p{M}\p{N}_-]+/uy;
      word.lastIndex = this.at[at + 1];
      name = word.exec(this.text)?.[0].normalize() ?? "";
      while (this.at[end] < word.lastIndex) end++;
      if (!/\p{L}/u.test(name) || name.length > 50 || !this.match(ending, end)) return 0;
    }
    if (!labels.some((label) => fold(label).plain === fold(name).plain)) {
      if (labels.length === 20) return 0;
      labels.push(name);
    }
    return this.chip("label", at, end, name);
  }

  readSign(at) {
    const sign = this.plain[at];
    if (sign === "#") return this.readTag(at);
    if (sign === "@" && this.result.assignee === undefined) {
      const names = ({ name }) => [fold(name).plain, fold(name).plain.split(" ")[0]], found = this.named(this.context.members, names, at + 1);
      if (!found || found.many) return 0;
      this.result.assignee = found.item.id;
      return this.chip("assignee", at, found.end, found.item.name);
    }
    const found = sign === "!" && !this.result.priority && this.match(/!(?:(high|alta|1|!!)|(medium|media|2|!)|low|baja|3)(?=[,.;:?)…]*(?: |$))/y, at);
    if (!found) return 0;
    const level = found[1] ? 0 : found[2] ? 1 : 2;
    this.result.priority = levels[level];
    return this.chip("priority", at, at + found[0].length, (this.around.spanish ? niveles : levels)[level]);
  }

  read() {
    for (let at = 0; at < this.plain.length; at++) {
      if (at && !" (¿¡".includes(this.plain[at - 1]) || this.plain[at] === " ") continue;
      const end = this.readSign(at) || this.readRepeat(at) || this.readMoment(at);
      if (end) at = end - 1;
    }
    this.finish();
    this.result.title = this.title();
    return this.result;
  }

  // finish works out when the task is due: of a rule, its first date.
  finish() {
    const { repeat, time, around, result } = this, passed = this.day === undefined && time <= around.minutes ? 1 : 0;
    let { day } = this;
    if (repeat) {
      const rule = (...names) => ["FREQ", ...names].filter((name) => repeat[name] && `${name}${repeat[name]}` !== "INTERVAL1").map((name) => `${name}=${repeat[name]}`).join(";");
      const first = nextDates(rule("BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS"), dayText((day ?? around.day) + passed), null, 1);
      day = dayNumber(first?.[0] ?? "");
      result.recurrence = rule("INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "COUNT", "UNTIL");
    } else if (time !== undefined) day ??= around.day + passed;
    if (day === undefined) return;
    result.due = dayText(day) + (time === undefined ? "" : `T${clockText(time)}`);
    const dues = this.chips.filter(({ kind }) => kind === "due"), when = this.words(result.due), again = this.chips.find(({ kind }) => kind === "repeat");
    if (dues.length === 1) dues[0].label = when;
    if (again) again.label = repeatWords(result.recurrence ?? "", this.language) + (dues.length ? "" : `, ${when}`);
  }

  // title is what the chips leave, with its spaces and separators tidied.
  title() {
    let title = "", from = 0;
    for (const { from: start, to } of [...this.chips, { from: this.text.length, to: 0 }]) {
      let piece = this.text.slice(from, start).replace(/\s+/g, " ").trim();
      if (from && /^[,;:]/.test(piece) && /^$|[,;:(]$/.test(title)) piece = piece.slice(1).trim();
      if (title && piece && !/[(¿¡]$/.test(title) && !(from && /^[,.;:!?)]+(?: |$)/.test(piece))) title += " ";
      title += piece;
      from = to;
    }
    if (!this.chips.length) return title;
    title = title.replaceAll(" ()", "");
    let to = title.length;
    while (",;:–- ".includes(title[to - 1])) to--;
    return title.slice(0, to);
  }
}

/**
 * parse reads a line. due is the first date of a recurrence; title is empty if all is chips.
 * @param {string} text @param {Context} context @returns {Parsed}
 */
export const parse = (text, context) => new Reader(text, context).read();

/**
 * lines splits a paste into tasks, one a line, without the signs of a list.
 * @param {string} text @returns {{text: string, completed: boolean}[]}
 */
export function lines(text) {
  const found = [];
  for (const line of text.split(/[\r\n]+/)) {
    const sign = /^(?:(?:[-*+•–]|\d{1,3}[.)])(?:\s+|$))?(?:(?:\[([ xX]?)\]|([☐☑☒✓✔✅]))(?:\s+|$))?/u.exec(line.trim());
    const rest = line.trim().slice(sign?.[0].length);
    if (rest) found.push({ text: rest, completed: Boolean(sign?.[1]?.trim() || sign?.[2] && sign[2] !== "☐") });
  }
  return found;
}
