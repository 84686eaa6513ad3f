// Words for dates, repetition and people, and the dates that a rule has. Pure: no DOM,
// no clock. A day is counted from 1 January 1970, so no time zone can move it.

/** @typedef {{date: string, time: string}} Now The clock on a person's wall: 2026-11-29 and 10:30. */

const frequencies = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];
export const weekdayCodes = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
const horizon = 50; // years after its start for which the server computes a rule

export const dayNumber = (text) => Date.parse(`${text.slice(0, 10)}T00:00Z`) / 864e5;
export const dayText = (day) => new Date(day * 864e5).toISOString().slice(0, 10);
export const weekday = (day) => (day + 4) % 7;
// The month is from 0; months and days may go beyond the end, as in Date.UTC.
export const dayOf = (year, month, day) => Date.UTC(year, month, day) / 864e5;

const made = new Map(); // formatters, which are slow to make

function formatter(kind, language, options) {
  const key = kind + language + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl[kind](language === "es" ? "es" : "en-GB", options));
  return made.get(key);
}

const format = (day, language, options) => formatter("DateTimeFormat", language, { ...options, timeZone: "UTC" }).format(day * 864e5);

/**
 * dueWords says when a task is due: "tomorrow 09:00", "Friday", "12 March". The clock is
 * that of the zone in which the date is; name the zone if it is not the person's own.
 * @param {string} due @param {Now} now @param {string} language @param {string | null} [zone]
 */
export function dueWords(due, now, language, zone) {
  const day = dayNumber(due), away = day - dayNumber(now.date);
  let words;
  if (Math.abs(away) < 2) words = formatter("RelativeTimeFormat", language, { numeric: "auto" }).format(away, "day");
  else if (away > 0 && away < 7) words = format(day, language, { weekday: "long" });
  else words = format(day, language, { day: "numeric", month: "long", ...due.slice(0, 4) !== now.date.slice(0, 4) && { year: "numeric" } });
  if (due.length > 10) words += ` ${due.slice(11, 16)}`;
  return zone ? `${words} (${zone.slice(zone.lastIndexOf("/") + 1).replaceAll("_", " ")})` : words;
}

function numbers(text, least, most, signed) {
  if (text === undefined) return [];
  const all = text.split(",").map((n) => /^[+-]?\d{1,4}$/.test(n) ? Number(n) : 0);
  return all.length < 32 && all.every((n) => (n > 0 || signed) && Math.abs(n) >= least && Math.abs(n) <= most) ? all : null;
}

// clamp makes a rule without days take the last day of the months or years that lack the
// day on which it starts, as the server does.
function clamp(parts, start) {
  if (["BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS"].some((name) => parts[name])) return;
  const day = Number(start.slice(8, 10));
  if (parts.FREQ === "MONTHLY" && day > 28) Object.assign(parts, { BYMONTHDAY: clamped(day), BYSETPOS: "-1" });
  if (parts.FREQ === "YEARLY" && start.slice(5, 10) === "02-29") Object.assign(parts, { BYMONTH: "2", BYMONTHDAY: clamped(29), BYSETPOS: "-1" });
}

// clamped is the BYMONTHDAY for a day from 29 on, which goes with BYSETPOS=-1.
export const clamped = (day) => [28, 29, 30, 31].filter((d) => d <= day).join();

// readRule returns null for what the server refuses, and for an UNTIL that is a moment,
// whose last day depends on a zone.
function readRule(text, start) {
  const parts = /** @type {Record<string, string>} */ ({});
  for (const part of text.trim().toUpperCase().split(";")) {
    const [, name, value] = /^(FREQ|INTERVAL|BYMONTH|BYMONTHDAY|BYDAY|BYSETPOS|WKST|COUNT|UNTIL)=([^=]+)$/.exec(part) ?? [];
    if (!name || parts[name]) return null;
    parts[name] = value;
  }
  if (start) clamp(parts, start);
  const frequency = frequencies.indexOf(parts.FREQ), weekStart = weekdayCodes.indexOf(parts.WKST ?? "MO");
  const interval = numbers(parts.INTERVAL, 1, 999), count = numbers(parts.COUNT, 1, 1000);
  const months = numbers(parts.BYMONTH, 1, 12), monthDays = numbers(parts.BYMONTHDAY, 1, 31, true), positions = numbers(parts.BYSETPOS, 1, 366, true);
  const until = parts.UNTIL ? dayNumber(parts.UNTIL.replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3")) : Infinity;
  if (frequency < 0 || weekStart < 0 || !interval || !count || interval.length > 1 || count.length > 1 || !months || !monthDays || !positions) return null;
  if (parts.UNTIL && (parts.COUNT || parts.UNTIL.length !== 8 || Number.isNaN(until))) return null;
  const weekdays = [];
  for (const entry of parts.BYDAY?.split(",") ?? []) {
    const [, nth, code] = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(entry) ?? [];
    if (!weekdayCodes.includes(code) || nth && (frequency < 2 || !numbers(nth, 1, 53, true))) return null;
    weekdays.push({ day: weekdayCodes.indexOf(code), nth: Number(nth ?? 0) });
  }
  if (monthDays.length && frequency === 1 || positions.length && !(months.length + monthDays.length + weekdays.length)) return null;
  return { frequency, interval: interval[0] ?? 1, count: count[0] ?? 0, weekStart, until, months, monthDays, weekdays, positions };
}

// step goes some periods on.
function step(rule, period, periods) {
  const date = new Date(period * 864e5);
  if (rule.frequency < 2) return period + periods * (rule.frequency ? 7 : 1);
  return dayOf(date.getUTCFullYear() + (rule.frequency === 3 ? periods : 0), date.getUTCMonth() + (rule.frequency === 2 ? periods : 0), 1);
}

function fits(rule, day, first) {
  const date = new Date(day * 864e5), year = date.getUTCFullYear(), month = date.getUTCMonth(), nth = date.getUTCDate();
  if (rule.months.length && !rule.months.includes(month + 1)) return false;
  let begin = dayOf(year, month, 1), length = dayOf(year, month + 1, 1) - begin;
  if (rule.monthDays.length && !rule.monthDays.includes(nth) && !rule.monthDays.includes(nth - length - 1)) return false;
  if (rule.frequency === 3 && !rule.months.length) length = dayOf(year + 1, 0, 1) - (begin = dayOf(year, 0, 1));
  if (rule.weekdays.length) {
    const place = day - begin;
    return rule.weekdays.some((want) => want.day === weekday(day) &&
      (!want.nth || want.nth === Math.floor(place / 7) + 1 || want.nth === -Math.floor((length - place - 1) / 7) - 1));
  }
  if (rule.monthDays.length || rule.frequency === 0) return true;
  if (rule.frequency === 1) return weekday(day) === first.getUTCDay();
  return nth === first.getUTCDate() && (rule.frequency === 2 || rule.months.length > 0 || month === first.getUTCMonth());
}

/**
 * nextDates returns the next dates of a rule that starts with a date and that come after a
 * day, in the form of start; null for a rule that it cannot read. It expands period by
 * period, as app/todo/expand.go.
 * @param {string} text @param {string} start @param {string | null} after null: start's own date counts
 * @param {number} count @returns {string[] | null}
 */
export function nextDates(text, start, after, count) {
  const rule = readRule(text, start), first = dayNumber(start), date = new Date(first * 864e5);
  if (!rule) return null;
  const from = after ? dayNumber(after) : first - 1;
  const end = Math.min(rule.until, dayOf(date.getUTCFullYear() + horizon, date.getUTCMonth(), date.getUTCDate()));
  const dates = [];
  let counted = 0;
  let period = [first, first - (weekday(first) - rule.weekStart + 7) % 7, first + 1 - date.getUTCDate(), dayOf(date.getUTCFullYear(), 0, 1)][rule.frequency];
  for (; period <= end; period = step(rule, period, rule.interval)) {
    let days = [];
    for (let day = period, next = step(rule, period, 1); day < next; day++) if (fits(rule, day, date)) days.push(day);
    if (rule.positions.length) days = days.filter((_, i) => rule.positions.includes(i + 1) || rule.positions.includes(i - days.length));
    for (const day of days) {
      if (day < first) continue;
      if (day > end || dates.length === count || rule.count && ++counted > rule.count) return dates;
      if (day > from) dates.push(dayText(day) + start.slice(10));
    }
  }
  return dates;
}

const english = {
  every: (unit, n) => n === 1 ? `every ${["day", "week", "month", "year"][unit]}` : `every ${n} ${["days", "weeks", "months", "years"][unit]}`,
  each: "every ", workdays: "every weekday", workday: "weekday", lastDay: "on the last day", on: " on ", of: " of ",
  dates: (days) => `on the ${days}`,
  date: (n) => n + (/1.$/.test(n) ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th"),
  nth: (day) => `on the ${day}`,
  ordinals: ["second to last", "last", "", "first", "second", "third", "fourth", "fifth"],
  times: (n) => n === 1 ? ", once" : `, ${n} times`,
  until: ", until ", other: "by a rule",
};

const spanish = {
  every: (unit, n) => n === 1 ? `cada ${["día", "semana", "mes", "año"][unit]}` : `cada ${n} ${["días", "semanas", "meses", "años"][unit]}`,
  each: "cada ", workdays: "de lunes a viernes", workday: "día laborable", lastDay: "el último día", on: " los ", of: " de ",
  dates: (days, many) => many > 1 ? `los días ${days}` : `el día ${days}`,
  date: String,
  nth: (day) => `el ${day}`,
  ordinals: ["penúltimo", "último", "", "primer", "segundo", "tercer", "cuarto", "quinto"],
  times: (n) => n === 1 ? ", una vez" : `, ${n} veces`,
  until: ", hasta el ", other: "según una regla",
};

// weekdayWords says which weekdays of a week, or which one of a month.
function weekdayWords(rule, language, say, list) {
  const { weekdays, frequency, interval, positions } = rule;
  const name = (day) => format(day + 3, language, { weekday: "long" }); // 4 January 1970 was a Sunday
  const names = list([...weekdays].sort((a, b) => (a.day + 6) % 7 - (b.day + 6) % 7).map(({ day }) => name(day)));
  const working = weekdays.length === 5 && weekdays.every(({ day, nth }) => day % 6 && !nth);
  if (frequency < 2) {
    if (positions.length || interval > 1 && !frequency) return "";
    if (interval === 1) return working ? say.workdays : say.each + names;
    return say.every(frequency, interval) + say.on + names;
  }
  const nth = say.ordinals[(positions.length === 1 && !weekdays[0].nth ? positions[0] : positions.length ? 9 : weekdays[0].nth) + 2];
  if (!nth || !working && weekdays.length > 1) return "";
  const which = say.nth(`${nth} ${working ? say.workday : names}`);
  if (frequency === 2 && !rule.months.length) return `${say.every(2, interval)} ${which}`;
  if (frequency === 2 || rule.months.length !== 1) return "";
  return `${say.every(3, interval)} ${which}${say.of}${format(dayOf(1970, rule.months[0] - 1, 1), language, { month: "long" })}`;
}

// monthDayWords says which days of a month, or which one of a year.
function monthDayWords(rule, language, say, list) {
  let { monthDays } = rule;
  const last = Math.max(...monthDays);
  if (rule.positions.length) {
    if (rule.positions.join() !== "-1" || monthDays.join() !== clamped(last)) return "";
    monthDays = [last];
  }
  const every = say.every(rule.frequency, rule.interval);
  if (rule.frequency === 3) {
    if (rule.months.length !== 1 || monthDays.length !== 1 || last < 1) return "";
    return `${every} ${language === "es" ? "el" : "on"} ${format(dayOf(1972, rule.months[0] - 1, last), language, { day: "numeric", month: "long" })}`;
  }
  if (rule.frequency !== 2 || rule.months.length) return "";
  if (monthDays.join() === "-1") return `${every} ${say.lastDay}`;
  return monthDays.every((n) => n > 0) ? `${every} ${say.dates(list(monthDays.map(say.date)), monthDays.length)}` : "";
}

/**
 * repeatWords says how a task repeats: "every 2 weeks on Monday and Thursday".
 * @param {string} text @param {string} language
 */
export function repeatWords(text, language) {
  const say = language === "es" ? spanish : english, rule = readRule(text);
  if (!rule) return say.other;
  const list = (words) => formatter("ListFormat", language, {}).format(words);
  let words = "";
  if (rule.weekdays.length) words = rule.monthDays.length || rule.frequency < 2 && rule.months.length ? "" : weekdayWords(rule, language, say, list);
  else if (rule.monthDays.length) words = monthDayWords(rule, language, say, list);
  else if (!rule.months.length) words = say.every(rule.frequency, rule.interval);
  if (!words) return say.other;
  if (rule.count) words += say.times(rule.count);
  if (rule.until !== Infinity) words += say.until + format(rule.until, language, { day: "numeric", month: "long", year: "numeric" });
  return words;
}

/** initials are the first letters of the first and the last word of a name. @param {string} name */
export function initials(name) {
  const letters = name.split(/[^\p{L}\p{M}\p{N}]+/u).filter(Boolean).map((word) => [...word.toUpperCase()][0]);
  return letters.length > 1 ? letters[0] + letters[letters.length - 1] : letters[0] ?? "?";
}

/** hue is the same one of some colours for the same text, from 0 on. @param {string} text */
export function hue(text, count = 8) {
  let sum = 0;
  for (const sign of text) sum = (sum * 31 + (sign.codePointAt(0) ?? 0)) % 65521;
  return sum % count;
}
