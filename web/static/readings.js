// The words of English and Spanish that quick add reads: days, times and repetitions, as
// patterns and what each of them means. Texts are folded: lower case, no accents.

import { clamped, dayOf, dayText, weekday, weekdayCodes } from "./words.js";

/** @typedef {{day?: number, time?: number, part?: string, unsure?: boolean}} Moment */

// numbered gives the words of each group a number. Words are without accents.
/** @returns {Record<string, number>} */
const numbered = (text, first) => Object.fromEntries(text.split(" ").flatMap((group, i) => group.split("/").map((word) => [word, i + first])));
const any = (words) => Object.keys(words).sort((a, b) => b.length - a.length).join("|");

const longDays = numbered("sunday/domingo monday/lunes tuesday/tues/tue/martes wednesday/miercoles thursday/thurs/thur/thu/jueves friday/fri/viernes saturday/sabado", 0);
const shortDays = { ...numbered("sun/dom mon/lun", 0), ...numbered("wed/mie jue vie sat/sab", 3) }; // words of their own, too
const days = { ...longDays, ...shortDays };
const months = numbered("january/jan/enero/ene february/feb/febrero march/mar/marzo april/apr/abril/abr may/mayo june/jun/junio july/jul/julio august/aug/agosto/ago september/sept/sep/septiembre/setiembre october/oct/octubre november/nov/noviembre december/dec/diciembre/dic", 1);
const numbers = numbered("a/an/one/un/una two/dos/other three/tres four/cuatro five/cinco six/seis seven/siete eight/ocho nine/nueve ten/diez", 1);
const ordinals = { ...numbered("first/1st/primer second/2nd/segundo third/3rd/tercer fourth/4th/cuarto", 1), last: -1, ultimo: -1 };
const units = numbered("day/dia week/semana month/mes year/ano hour/hora minute/minuto", 0);
const adverbs = numbered("daily/diariamente weekly/semanalmente monthly/mensualmente yearly/annually/anualmente", 0);
export const parts = numbered("morning/manana noon afternoon tarde evening night/noche", 0);
export const hours = [9, 12, 15, 16, 18, 20]; // of the parts
const frequencies = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];

const end = "(?=[,.;:!?)…]*(?: |$))";
export const ending = new RegExp(end, "y");
// tail is what may follow words that are understood only where a thought ends.
const tail = /^(?:[,.;:!?)…]|$| (?:[#!@(]|at |a las? |on |every |each |cada |todos |\d\d?(?::\d\d| ?[ap]\.?m)))/;
const atTime = /^,? (?:at |a las )?\d\d?(?::\d\d| ?[ap]\.?m)/;
// Behind these, a day or a time is not when the task is due.
export const attributive = / (?:from|since|before|after|until|till|between|than|of|to|first|second|third|last|past|the|an?|one|some|all|black|good|ash|cyber|every|each|del?|desde|hasta|antes|despues|entre|tras|al|las?|los|una?|cada|todos|santo|placido|-|–) $/;
export const joint = /(?: (?:to|until|till|and|or|a|al|hasta|y|e|o|-|–|&) |, ?)(?:el )?/y;

const lead = "(?<lead>(?:(?:due|starting|para|a partir del?) )?(?:(?:on|by|for) )?)";
const the = `${lead}(?<the>the |el (?:dia )?)?`;
const nth = "(?:st|nd|rd|th|º|°)";
const every = "(?:every|each|cada)";
const month = `(?<month>${any(months)})`;
const year = "(?<year>(?:19|20|21)\\d\\d)";
const number = `(?<n>\\d{1,3}|${any(numbers)})`;
const unit = `(?<unit>${any(units)})(?:es|s)?`;
const which = `(?<nth>${any(ordinals)}) (?<day>${any(days)})`;
const ofMonth = "of (?:each|every) month|de cada mes";
const daysOfMonth = `(?<d>\\d\\d?)${nth}?(?:(?:,| and| y)(?: the)? (?<e>\\d\\d?)${nth}?)?`;
const listOf = (day) => `(?<days>(?:${day})(?:(?:, ?(?:and )?| and | & | y | e )(?:${day})){0,6})`;

// readings takes rows of a function and the patterns that it reads.
const readings = (...rows) => rows.flatMap(([means, ...sources]) => sources.map((source) => ({ means, pattern: new RegExp(`(?:${source})${end}`, "y") })));

// onDate is the first day from today on; what is 0 is open.
/** @returns {Moment | null} */
function onDate(c, d, m = 0, y = 0) {
  if (y && y < 100) y += 2000;
  for (let i = y ? (y - c.year) * 12 : c.month, left = y ? 12 : 110; left--; i++) {
    const day = dayOf(c.year, i, d), text = dayText(day);
    if (day >= c.day && Number(text.slice(8)) === d && (!m || Number(text.slice(5, 7)) === m)) return { day };
  }
  return null;
}

// byNumbers reads 24/12. Where one order is no date, it is the other.
function byNumbers(g, c) {
  if (!g.year && !g.lead && !g.the && !c.near && !atTime.test(c.rest) && !(tail.test(c.rest) && `${g.a}${g.b}` !== "247" && (g.a + g.b).length > 2)) return null;
  const dayFirst = g.a > 12 || g.b <= 12 && (c.spanish || g.sign === ".");
  return onDate(c, Number(dayFirst ? g.a : g.b), Number(dayFirst ? g.b : g.a), Number(g.year ?? 0));
}

// byName reads 3 March and March 3. Some months are words and names, too.
function byName(g, c) {
  const sure = g.lead || g.the || g.of || g.th || g.year;
  if (!sure && (/^(may|mar|apr|abr|jun|aug)/.test(g.month) && !tail.test(c.rest) || g.month === "mayo" && !c.spanish)) return null;
  return onDate(c, Number(g.d), months[g.month], Number(g.year ?? 0));
}

/** @returns {Moment} */
function later(g, c) {
  const n = numbers[g.n] ?? Number(g.n), unit = units[g.unit];
  if (unit > 3) {
    const time = c.minutes + n * (unit === 4 ? 60 : 1);
    return { day: c.day + Math.floor(time / 1440), time: time % 1440 };
  }
  if (unit < 2) return { day: c.day + n * (unit ? 7 : 1) };
  const m = c.month + n * (unit === 2 ? 1 : 12);
  return { day: Math.min(dayOf(c.year, m, Number(dayText(c.day).slice(8))), dayOf(c.year, m + 1, 0)) };
}

// onWeekday is the next one strictly after a day, with "next" and without.
const onWeekday = (day, name) => ({ day: day + (days[name] - weekday(day) + 6) % 7 + 1 });

export const dayReadings = readings(
  [(g, c) => ({ day: c.day, part: g.part }), `${lead}(?:today|hoy)`, "(?:this|esta) (?<part>morning|afternoon|evening|manana|tarde|noche)", `${lead}to(?<part>night)`],
  [(_, c) => ({ day: c.day + 2 }), `${lead}(?:(?:the )?day after tomorrow|pasado manana)`],
  [(_, c) => ({ day: c.day + 1 }), `${lead}(?:tomorrow|tmrw|manana)`],
  [(g, c) => onWeekday(c.day, g.day), `${lead}(?:this |next |(?:el |este )?(?:proximo )?)(?<day>${any(longDays)})(?: que viene)?(?! (?:pasado|santo|negro|de ramos))`],
  [(g, c) => /on |by /.test(g.lead) || g.which || atTime.test(c.rest) ? onWeekday(c.day, g.day) : null,
    `${lead}(?<which>this |next |(?:el |este )(?:proximo )?)?(?<day>${any(shortDays)})`],
  [later, `(?:in|en|dentro de) ${number} ${unit}`],
  [(_, c) => onWeekday(c.day, "mon"), `${lead}(?:next week|la semana que viene|(?:la )?proxima semana)`],
  [(_, c) => ({ day: dayOf(c.year, c.month + 1, 1) }), `${lead}(?:next month|el mes que viene|(?:el )?proximo mes)`],
  [(g, c) => g.next ? { day: onWeekday(c.day, "mon").day + 5 } : onWeekday(c.day - 1, "sat"),
    `${lead}(?:(?<next>next |(?:el )?proximo )|this |(?:on|at|over) the |el |este )(?:weekend|fin de semana|finde)`, "fin de semana"],
  [(g, c) => ({ day: dayOf(c.year, /^[ya]/.test(g.unit) ? 12 : c.month + 1, 0) }), `${lead}(?:at )?(?:the )?end of (?:the |this )?(?<unit>month|year)`, `${lead}(?:a )?fin(?:al)?(?:es)? de (?:este )?(?<unit>mes|ano)`],
  [(g, c) => onDate(c, Number(g.d), Number(g.m), Number(g.year)), `${the}${year}-(?<m>\\d\\d)-(?<d>\\d\\d)`],
  [byNumbers, `${the}(?<a>\\d\\d?)(?<sign>[./-])(?<b>\\d\\d?)\\k<sign>${year}`, `${the}(?<a>\\d\\d?)/(?<b>\\d\\d?)(?:/(?<year>\\d\\d))?`],
  [byName, `${the}(?<d>\\d\\d?)(?<th>${nth})?(?<of> of| de)? ${month}(?:,? (?:del? )?${year})?`, `${lead}${month} (?:the )?(?<d>\\d\\d?)(?<th>${nth})?(?:,? ${year})?`],
  [(g, c) => tail.test(c.rest) ? onDate(c, Number(g.d)) : null, `(?:due |starting )?(?:on|by|for) the (?<d>\\d\\d?)${nth}`, "(?:para )?el dia (?<d>\\d\\d?)"],
);

// clock reads a time. A bare number is one behind "a las", or behind "at" beside a day. From
// 1 to 6 it is in the afternoon, if nothing says otherwise.
/** @returns {Moment | null} */
function clock(g, c) {
  const at = g.at ?? "", las = at.includes("la"), part = parts[g.part ?? c.part];
  let hour = Number(g.h);
  const sure = g.half || g.part || g.clock || las || g.sign && (at || c.near || g.h.length === 2);
  if (hour > 23 || g.m > 59 || !las && (g.sign === "." || g.more || g.hs && !g.sign) || !sure && !g.sign && !at.startsWith("at")) return null;
  if (g.half) {
    if (hour < 1 || hour > 12) return null;
    hour = hour % 12 + (g.half === "p" ? 12 : 0);
  } else if (part !== undefined) {
    if (part && hour < 12) hour += 12;
    if (part === 5 && hour < 17) return null; // which day has midnight would be a guess
  } else {
    if (las && /^ [a-z]+(?:as|ones|dades)(?: |$)/.test(c.rest)) return null; // "a las 5 amigas"
    if (hour && hour < 7 && g.h[0] !== "0") hour += 12;
  }
  const more = { "y media": 30, "y cuarto": 15, "menos cuarto": -15 }[g.more] ?? 0;
  return { time: hour * 60 + Number(g.m ?? 0) + more, unsure: !sure && !(c.near && at && tail.test(c.rest)) };
}

export const timeReadings = readings(
  [clock, "(?<at>at |by |(?:a|sobre|hacia) las? )?(?<h>\\d\\d?)(?:(?<sign>[:.])(?<m>\\d\\d))?(?: ?(?<half>[ap])\\.?m\\.?|(?<hs> ?hs?)|(?<clock> o'clock)| en punto)?" +
    "(?: (?<more>y media|y cuarto|menos cuarto))?(?: (?:(?:de|por) la|in the|at) (?<part>morning|manana|afternoon|tarde|evening|night|noche))?"],
  [(g, c) => g.at || c.near ? { time: 720 } : null, "(?<at>at |al? )?(?:noon|midday|mediodia)"],
  [(g, c) => c.near ? { part: g.part } : null, "(?:in the |at )?(?<part>morning|afternoon|evening|night)", "(?:por|en|a) la (?<part>manana|tarde|noche)"],
);

function weekly(text, interval = 1) {
  const found = text.split(/[^a-z]+/).map((word) => days[word] ?? days[word.slice(0, -1)]).filter((day) => day !== undefined);
  return { FREQ: "WEEKLY", INTERVAL: interval, BYDAY: [...new Set(found)].sort((a, b) => (a + 6) % 7 - (b + 6) % 7).map((day) => weekdayCodes[day]).join() };
}

// From the 29th on, shorter months take their last day.
const onDayOfMonth = (d) => d > 28 ? { BYMONTHDAY: clamped(d), BYSETPOS: -1 } : { BYMONTHDAY: d };

function monthly(g, interval = 1) {
  const d = Number(g.d), e = Number(g.e ?? d);
  if (Math.min(d, e) < 1 || Math.max(d, e) > (g.e ? 28 : 31)) return null;
  return { FREQ: "MONTHLY", INTERVAL: interval, ...onDayOfMonth(d), ...g.e && { BYMONTHDAY: `${d},${e}` } };
}

function yearly(g, c) {
  const m = months[g.month], d = Number(g.d);
  return onDate(c, d, m) && { FREQ: "YEARLY", BYMONTH: m, ...m === 2 ? onDayOfMonth(d) : { BYMONTHDAY: d } };
}

// byUnits reads "every two weeks on Monday", "every month on the 15th", "daily".
function byUnits(g, c) {
  const unit = units[g.unit] ?? adverbs[g.ly] ?? 0, interval = intervalOf(g.n);
  if (unit > 3 || !interval || g.ly && !g.ly.endsWith("mente") && !g.days && !g.d && !tail.test(c.rest)) return null;
  if (g.days) return unit === 1 ? weekly(g.days, interval) : null;
  if ((g.d || g.nth || g.last) && unit !== 2) return null;
  if (g.d) return monthly(g, interval);
  return { FREQ: frequencies[unit], INTERVAL: interval, ...g.last && { BYMONTHDAY: -1 }, ...g.nth && { BYDAY: ordinals[g.nth] + weekdayCodes[days[g.day]] } };
}

const intervalOf = (word = "1") => numbers[word] ?? ordinals[word] ?? parseInt(word);

// nthWeekday: "every second Friday" is every two weeks, unless it says "of the month".
function nthWeekday(g) {
  const n = ordinals[g.nth], day = weekdayCodes[days[g.day]];
  if (!g.each && !/^(?:ev|ea|c)/.test(g.every)) return null;
  return n === 2 && !g.of && !g.each ? weekly(g.day, 2) : { FREQ: "MONTHLY", BYDAY: n + day };
}

const onDays = `(?: (?:on |los |el |cada )${listOf(`(?:${any(days)})s?`)})?`;
export const repeatReadings = readings(
  [() => weekly("mon tue wed thu fri"), `${every} (?:week|work|working |business )days?`, "(?:on )?weekdays", "(?:cada|todos los) dias? (?:laborables?|habiles?)|de lunes a viernes"],
  [() => weekly("sat"), `${every} weekend|(?:cada|todos los) fin(?:es)? de semana`],
  [nthWeekday, `(?<every>${every} |(?:on )?the |el )?${which}(?<of> of the month| del? mes)?(?<each> (?:${ofMonth}))?`],
  [() => ({ FREQ: "MONTHLY", BYMONTHDAY: -1 }), `(?:on )?(?:the |el )?(?:last day|ultimo dia) (?:${ofMonth})`, `${every} (?:last day of the month|(?:end of (?:the )?|month )(?:month|end)|fin(?:al)? de mes|ultimo dia del mes)|a fin(?:al)?(?:es)? de cada mes`],
  [yearly, `${every} (?<d>\\d\\d?)${nth}?(?: of| de)? ${month}`, `${every} ${month} (?<d>\\d\\d?)${nth}?`],
  [byUnits, `(?:${every} (?:${number.replace(")", `|${any(ordinals)}|\\d\\d?${nth})`)} )?|todos los |todas las )${unit}(?! \\d\\d?(?! veces| times))${onDays}` +
    `(?: (?:on the|el|los)(?: dias?)? ${daysOfMonth}(?!\\d|/| de | of ))?(?: (?:on the|el) (?:${which}|(?<last>last day|ultimo dia)))?`,
    `(?<ly>${any(adverbs)}|a diario)${onDays}(?: on the ${daysOfMonth})?`],
  [(g) => monthly(g), `every (?<d>\\d\\d?)${nth}(?: and (?:the )?(?<e>\\d\\d?)${nth})?(?: of (?:the|each|every) month)?`, `cada dia ${daysOfMonth}(?! veces)(?: del? mes)?`, `(?:(?:on )?the |el |los )?(?:dias? )?${daysOfMonth} (?:${ofMonth})`],
  [(g) => weekly(g.days, intervalOf(g.n)), `(?:${every}|todos los) (?:${number} )?${listOf(`(?:${any(days)})s?`)}`, `on ${listOf("(?:mon|tues|wednes|thurs|fri|satur|sun)days")}`, `los ${listOf("lunes|martes|miercoles|jueves|viernes|sabados|domingos")}`],
  [(g) => ({ FREQ: "DAILY", time: hours[parts[g.part]] * 60 }), `(?:${every}|todas las) (?<part>morning|afternoon|evening|night|manana|tarde|noche)s?`],
);
