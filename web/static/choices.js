// What the popovers for dates, repetition and reminders offer, and what a choice means.
// Pure: no DOM, no clock.

import { clamped, dayNumber, dayOf, dayText, nextDates, weekday, weekdayCodes } from "./words.js";

/** @typedef {import("./words.js").Now} Now */
/** @typedef {{at: string} | {before: string}} Reminder As in the API. */

const bounds = [dayOf(1970, 0, 1), dayOf(2199, 11, 31)]; // of the dates that the server takes
const within = (day) => Math.min(Math.max(day, bounds[0]), bounds[1]);
const made = new Map(); // formatters, which are slow to make

function formatter(kind, language, options) {
  const key = kind + language + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl[kind](language === "es" ? "es" : "en-GB", options));
  return made.get(key);
}

/** written is a day in some form. */
export const written = (day, language, options) => formatter("DateTimeFormat", language, { ...options, timeZone: "UTC" }).format(day * 864e5);

/** upper makes the first letter a capital. */
export const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// --- The calendar

/**
 * weekStart is the weekday with which weeks begin, from 0 for Sunday: as where the person
 * is, if the language that they read comes with a region; Monday otherwise.
 * @param {readonly string[]} locales @param {string} language
 */
export function weekStart(locales, language) {
  for (const tag of locales) {
    const locale = new Intl.Locale(tag);
    if (locale.language !== language || !locale.region) continue;
    const info = /** @type {any} */ (locale).getWeekInfo?.() ?? /** @type {any} */ (locale).weekInfo;
    return (info?.firstDay ?? 1) % 7;
  }
  return 1;
}

/** monthDays are the 42 days of six weeks that show the month of a day. */
export function monthDays(day, start) {
  const date = new Date(day * 864e5), first = dayOf(date.getUTCFullYear(), date.getUTCMonth(), 1);
  const begin = first - (weekday(first) - start + 7) % 7;
  return Array.from({ length: 42 }, (_, i) => begin + i);
}

/** monthsOn goes some months on; a month without the day has its last one instead. */
export function monthsOn(day, months) {
  const date = new Date(day * 864e5), year = date.getUTCFullYear(), month = date.getUTCMonth() + months;
  return within(Math.min(dayOf(year, month, date.getUTCDate()), dayOf(year, month + 1, 0)));
}

/** steered is the day to which a key leads; null for another key. */
export function steered(day, { key, shiftKey = false }, start) {
  const place = (weekday(day) - start + 7) % 7;
  switch (key) {
    case "ArrowLeft": return within(day - 1);
    case "ArrowRight": return within(day + 1);
    case "ArrowUp": return within(day - 7);
    case "ArrowDown": return within(day + 7);
    case "Home": return within(day - place);
    case "End": return within(day + 6 - place);
    case "PageUp": return monthsOn(day, shiftKey ? -12 : -1);
    case "PageDown": return monthsOn(day, shiftKey ? 12 : 1);
  }
  return null;
}

/** quickDays are the days of the quick choices, as quick.js understands their names. @param {Now} now */
export function quickDays(now) {
  const today = dayNumber(now.date);
  const after = (day, want) => day + 1 + (want - weekday(day) + 6) % 7;
  return { today, tomorrow: today + 1, weekend: after(today - 1, 6), week: after(today, 1) };
}

// --- Repetition

const frequencies = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];
const workdays = "MO,TU,WE,TH,FR";

const text = (parts) => Object.entries(parts).filter(([name, value]) => value && !(name === "INTERVAL" && String(value) === "1")).map(([name, value]) => `${name}=${value}`).join(";");
const onMonthDay = (day) => day > 28 ? { BYMONTHDAY: clamped(day), BYSETPOS: "-1" } : { BYMONTHDAY: day };

// The last weekday of its kind is the last one of every month, for the fifth is rare.
function nth(day) {
  const { date, length } = inMonth(day);
  return (date + 7 > length && date > 28 ? "-1" : Math.ceil(date / 7)) + weekdayCodes[weekday(day)];
}

function inMonth(day) {
  const date = new Date(day * 864e5), year = date.getUTCFullYear(), month = date.getUTCMonth();
  return { date: date.getUTCDate(), month: month + 1, length: dayOf(year, month + 1, 1) - dayOf(year, month, 1) };
}

/**
 * repeatChoices are the rules that fit a task that is due on a day. Rules that count from
 * the day of completion name no day, which they would go back to.
 * @param {string} due @param {boolean} completion @returns {{name: string, rule: string}[]}
 */
export function repeatChoices(due, completion) {
  const day = dayNumber(due), { date, month, length } = inMonth(day);
  const fixed = (parts) => completion ? {} : parts;
  const BYDAY = weekdayCodes[weekday(day)];
  const choices = [
    ["day", { FREQ: "DAILY" }],
    ["workdays", { FREQ: "WEEKLY", BYDAY: workdays }],
    ["week", { FREQ: "WEEKLY", ...fixed({ BYDAY }) }],
    ["weeks", { FREQ: "WEEKLY", INTERVAL: 2, ...fixed({ BYDAY }) }],
    ["month", { FREQ: "MONTHLY", ...fixed(onMonthDay(date)) }],
    ["nth", !completion && { FREQ: "MONTHLY", BYDAY: nth(day) }],
    ["last", !completion && date === length && { FREQ: "MONTHLY", BYMONTHDAY: -1 }],
    ["year", { FREQ: "YEARLY", ...fixed({ BYMONTH: month, ...month === 2 ? onMonthDay(date) : { BYMONTHDAY: date } }) }],
  ];
  return /** @type {[string, any][]} */ (choices).filter(([, parts]) => parts).map(([name, parts]) => ({ name, rule: text(parts) }));
}

const sorted = (rule) => rule.toUpperCase().split(";").filter((part) => part !== "INTERVAL=1" && part !== "WKST=MO").map((part) => part.split(/[=,]/).sort().join()).sort().join(";");

/** sameRule tells whether two rules say the same in another order. */
export const sameRule = (a, b) => a === b || Boolean(a && b) && sorted(a) === sorted(b);

/**
 * @typedef {{unit: number, interval: number, weekdays: string[], month: "day" | "nth" | "last", end: "" | "UNTIL" | "COUNT", until: string, count: number}} Custom
 *   A rule by its fields: unit is from 0 for days to 3 for years.
 */

/** readCustom puts what a rule says into the fields, as far as they can hold it. @param {string | null} rule @param {string} due @returns {Custom} */
export function readCustom(rule, due) {
  const parts = /** @type {Record<string, string>} */ (Object.fromEntries((rule ?? "").toUpperCase().split(";").map((part) => part.split("="))));
  const unit = frequencies.indexOf(parts.FREQ ?? "WEEKLY"), own = weekdayCodes[weekday(dayNumber(due))];
  return {
    unit: Math.max(unit, 0), interval: Number(parts.INTERVAL ?? (rule ? 1 : 2)),
    weekdays: unit === 1 && parts.BYDAY ? parts.BYDAY.split(",") : [own],
    month: parts.BYMONTHDAY === "-1" ? "last" : unit === 2 && parts.BYDAY ? "nth" : "day",
    end: parts.UNTIL ? "UNTIL" : parts.COUNT ? "COUNT" : "",
    until: parts.UNTIL ? parts.UNTIL.replace(/^(\d{4})(\d\d)(\d\d).*/, "$1-$2-$3") : dayText(monthsOn(dayNumber(due), 3)),
    count: Number(parts.COUNT ?? 10),
  };
}

/** customRule is the rule of the fields; null for what the server would refuse. @param {Custom} custom @param {string} due @param {boolean} completion */
export function customRule(custom, due, completion) {
  const { unit, interval, end, until, count } = custom, day = dayNumber(due), { date, month } = inMonth(day);
  if (!(Number.isInteger(interval) && interval >= 1 && interval <= 999)) return null;
  if (end === "COUNT" && !(Number.isInteger(count) && count >= 1 && count <= 1000)) return null;
  if (end === "UNTIL" && !(dayNumber(until) >= day)) return null;
  const parts = /** @type {Record<string, any>} */ ({ FREQ: frequencies[unit], INTERVAL: interval });
  if (!completion) {
    if (unit === 1 && !custom.weekdays.length) return null;
    if (unit === 1) parts.BYDAY = weekdayCodes.filter((code) => custom.weekdays.includes(code)).join();
    if (unit === 2) Object.assign(parts, { day: onMonthDay(date), nth: { BYDAY: nth(day) }, last: { BYMONTHDAY: -1 } }[custom.month]);
    if (unit === 3) Object.assign(parts, { BYMONTH: month, ...month === 2 ? onMonthDay(date) : { BYMONTHDAY: date } });
  }
  if (end === "COUNT") parts.COUNT = count;
  if (end === "UNTIL") parts.UNTIL = until.slice(0, 10).replaceAll("-", "");
  return text(parts);
}

/** nthOf is the rule for the place of a day in its month, for its words. */
export const nthOf = (due) => text({ FREQ: "MONTHLY", BYDAY: nth(dayNumber(due)) });

/** monthDayOf is the rule for the date of a day in its month, for its words. */
export const monthDayOf = (due) => text({ FREQ: "MONTHLY", ...onMonthDay(inMonth(dayNumber(due)).date) });

/** isClamped tells whether a rule takes the last day of months that lack its own. */
export const isClamped = (rule) => /BYMONTHDAY=28,29/.test(rule) && /BYSETPOS=-1(;|$)/.test(rule);

/**
 * comingDates are the next dates of a task that repeats: those after the present one, or,
 * counted from completion, the one that it gets if it is done now. Null for a rule that
 * can't be read.
 * @param {string} rule @param {boolean} completion @param {string} due @param {Now} now
 */
export function comingDates(rule, completion, due, now, count = 3) {
  if (completion) return nextDates(rule.replace(/;COUNT=\d+/, ""), now.date + due.slice(10), later(now.date, due), 1);
  return nextDates(rule, due, later(now.date, due), count);
}

const later = (a, b) => a.slice(0, 10) > b.slice(0, 10) ? a : b;

// --- Reminders

export const mostReminders = 5;
const longest = 30 * 86400; // seconds before due

/** seconds reads a duration such as PT30M; null for none of the API. */
export function seconds(before) {
  const found = /^P(?=.)(?:(\d{1,3})W)?(?:(\d{1,3})D)?(?:T(?=.)(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,7})S)?)?$/.exec(before);
  if (!found) return null;
  const total = [604800, 86400, 3600, 60, 1].reduce((sum, unit, i) => sum + unit * Number(found[i + 1] ?? 0), 0);
  return total <= longest ? total : null;
}

/** duration is the text of seconds, in the form that the server gives it. */
export function duration(total) {
  const days = Math.floor(total / 86400), rest = total % 86400;
  if (days && !rest) return `P${days}D`;
  const parts = [[Math.floor(rest / 3600), "H"], [Math.floor(rest % 3600 / 60), "M"], [rest % 60, "S"]].filter(([n]) => n);
  return `P${days ? `${days}D` : ""}T${parts.map((part) => part.join("")).join("") || "0S"}`;
}

/** reminderPresets are usual times before a due, as durations; a day without a time begins at 9. @param {string | null} due */
export function reminderPresets(due) {
  if (!due) return [];
  return due.length > 10 ? ["PT0S", "PT10M", "PT30M", "PT1H", "P1D"] : ["PT0S", "PT15H", "P1D", "P2D", "P7D"];
}

const amount = (n, unit, language) => formatter("NumberFormat", language, { style: "unit", unit, unitDisplay: "long" }).format(n);

/** amountWords says how long seconds are: "1 day 2 hours". */
export function amountWords(total, language) {
  const parts = [[Math.floor(total / 86400), "day"], [Math.floor(total % 86400 / 3600), "hour"], [Math.floor(total % 3600 / 60), "minute"], [total % 60, "second"]];
  return parts.filter(([n]) => n).map(([n, unit]) => amount(n, unit, language)).join(" ");
}

/**
 * reminderWords says when a reminder comes. Before a day means before 9 in the morning of it.
 * @param {Reminder} reminder @param {string | null} due @param {string} language @param {(key: string, values?: object) => string} say
 * @param {string} [zone] of the clock for moments, the browser's without
 */
export function reminderWords(reminder, due, language, say, zone) {
  if ("at" in reminder) {
    return formatter("DateTimeFormat", language, { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...zone && { timeZone: zone } }).format(new Date(reminder.at));
  }
  const total = seconds(reminder.before) ?? 0;
  if (!due || due.length > 10) return total ? say("remind.before", { time: amountWords(total, language) }) : say("remind.then");
  const wall = 9 * 3600 - total, days = Math.max(0, -Math.floor(wall / 86400)), clock = wall + days * 86400;
  const time = `${String(Math.floor(clock / 3600)).padStart(2, "0")}:${String(Math.floor(clock % 3600 / 60)).padStart(2, "0")}`;
  if (!days) return say("remind.day", { time });
  return days === 1 ? say("remind.eve", { time }) : say("remind.days", { days: amount(days, "day", language), time });
}

/** sameReminder tells whether two reminders come at the same time. @param {Reminder} a @param {Reminder} b */
export function sameReminder(a, b) {
  if ("at" in a) return "at" in b && Date.parse(a.at) === Date.parse(b.at);
  return "before" in b && seconds(a.before) === seconds(b.before);
}

/** sameReminders tells whether two lists hold the same, in any order. @param {Reminder[]} a @param {Reminder[]} b */
export const sameReminders = (a, b) => a.length === b.length && a.every((one) => b.some((other) => sameReminder(one, other)));
