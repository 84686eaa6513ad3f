// What the popovers offer, and what a choice means.

import assert from "node:assert/strict";
import test from "node:test";

import {
  amountWords, comingDates, customRule, duration, isClamped, monthDays, monthsOn, quickDays, readCustom, reminderPresets, reminderWords,
  repeatChoices, sameReminder, sameReminders, sameRule, seconds, steered, weekStart,
} from "../../web/static/choices.js";
import { parse } from "../../web/static/quick.js";
import { texts as en } from "../../web/static/parts-en.js";
import { texts as es } from "../../web/static/parts-es.js";
import { dayNumber, dayText, repeatWords, weekday } from "../../web/static/words.js";

const now = { date: "2026-11-29", time: "10:30" }; // a Sunday

test("both languages have the same texts with the same places", () => {
  assert.deepEqual(Object.keys(es), Object.keys(en));
  const places = (text) => [...new Set(text.match(/\{\w+/g))].sort().join();
  for (const key of Object.keys(en)) assert.equal(places(es[key]), places(en[key]), key);
});

test("weeks begin as where the person is, or on Monday", () => {
  assert.equal(weekStart(["en-US", "en"], "en"), 0);
  assert.equal(weekStart(["en-GB"], "en"), 1);
  assert.equal(weekStart(["ar-EG"], "ar"), 6);
  assert.equal(weekStart(["es-MX", "en-US"], "es"), 0);
  assert.equal(weekStart(["en", "es-ES"], "en"), 1); // without a region
  assert.equal(weekStart(["de-DE", "en-US"], "en"), 0);
  assert.equal(weekStart([], "en"), 1);
});

test("six weeks show every month whole, from the first weekday", () => {
  for (let day = dayNumber("2023-01-15"); day < dayNumber("2029-01-01"); day = monthsOn(day, 1)) {
    for (let start = 0; start < 7; start++) {
      const days = monthDays(day, start), month = dayText(day).slice(0, 7);
      assert.equal(days.length, 42);
      assert.equal(weekday(days[0]), start);
      assert.ok(days.every((one, i) => one === days[0] + i));
      const shown = days.map(dayText).filter((text) => text.startsWith(month)).length;
      assert.equal(shown, new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).getUTCDate(), month);
    }
  }
});

test("where the keys lead", () => {
  const lead = (from, key, start = 1, shiftKey = false) => { const day = steered(dayNumber(from), { key, shiftKey }, start); return day === null ? null : dayText(day); };
  assert.equal(lead("2026-12-01", "ArrowLeft"), "2026-11-30");
  assert.equal(lead("2026-12-31", "ArrowRight"), "2027-01-01");
  assert.equal(lead("2026-12-01", "ArrowUp"), "2026-11-24");
  assert.equal(lead("2026-12-31", "ArrowDown"), "2027-01-07");
  assert.equal(lead("2026-12-03", "Home"), "2026-11-30");
  assert.equal(lead("2026-12-03", "Home", 0), "2026-11-29");
  assert.equal(lead("2026-12-06", "Home"), "2026-11-30");
  assert.equal(lead("2026-12-06", "Home", 0), "2026-12-06");
  assert.equal(lead("2026-12-03", "End"), "2026-12-06");
  assert.equal(lead("2026-12-03", "End", 0), "2026-12-05");
  assert.equal(lead("2027-03-31", "PageUp"), "2027-02-28");
  assert.equal(lead("2027-01-31", "PageDown"), "2027-02-28");
  assert.equal(lead("2026-12-15", "PageDown"), "2027-01-15");
  assert.equal(lead("2028-02-29", "PageUp", 1, true), "2027-02-28");
  assert.equal(lead("2026-12-01", "PageDown", 1, true), "2027-12-01");
  assert.equal(lead("2026-12-01", "x"), null);
  // Not beyond what the server takes.
  assert.equal(lead("2199-12-31", "ArrowRight"), "2199-12-31");
  assert.equal(lead("2199-12-15", "PageDown"), "2199-12-31");
  assert.equal(lead("1970-01-01", "ArrowUp"), "1970-01-01");
});

test("quick days are what quick add takes their names for", () => {
  const names = { today: ["today", "hoy"], tomorrow: ["tomorrow", "mañana"], weekend: ["this weekend", "este fin de semana"], week: ["next week", "la próxima semana"] };
  for (let day = dayNumber(now.date); day < dayNumber(now.date) + 7; day++) {
    const clock = { date: dayText(day), time: "10:30" }, days = quickDays(clock);
    for (const [name, [english, spanish]] of Object.entries(names)) {
      for (const [language, words] of [["en", english], ["es", spanish]]) assert.equal(parse(`x ${words}`, { language, now: clock }).due, dayText(days[name]), `${words} on ${clock.date}`);
    }
  }
});

const rules = (due, completion = false) => repeatChoices(due, completion).map(({ rule }) => rule);

test("rules that fit a date", () => {
  assert.deepEqual(rules("2026-12-11T09:00"), ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=WEEKLY;BYDAY=FR", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR",
    "FREQ=MONTHLY;BYMONTHDAY=11", "FREQ=MONTHLY;BYDAY=2FR", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=11"]);
  assert.deepEqual(rules("2026-12-31").slice(4), ["FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "FREQ=MONTHLY;BYDAY=-1TH", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31"]);
  assert.deepEqual(rules("2028-02-29").slice(4), ["FREQ=MONTHLY;BYMONTHDAY=28,29;BYSETPOS=-1", "FREQ=MONTHLY;BYDAY=-1TU", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1"]);
  assert.equal(rules("2027-02-28")[5], "FREQ=MONTHLY;BYDAY=4SU");
  assert.deepEqual(rules("2026-12-31", true), ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2", "FREQ=MONTHLY", "FREQ=YEARLY"]);
});

test("every rule has words, and the date that it was made for is one of its own", () => {
  for (let day = dayNumber("2027-12-01"); day < dayNumber("2028-04-01"); day++) {
    const due = dayText(day);
    for (const { rule } of repeatChoices(due, false)) {
      for (const [language, other] of [["en", "by a rule"], ["es", "según una regla"]]) assert.notEqual(repeatWords(rule, language), other, rule);
      const dates = comingDates(rule, false, due, { date: "2026-01-01", time: "00:00" });
      assert.equal(dates.length, 3, rule);
      assert.ok(dates[0] > due);
      assert.ok(sameRule(customRule(readCustom(rule, due), due, false), rule), rule);
    }
  }
});

test("dates that come", () => {
  assert.deepEqual(comingDates("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", false, "2026-12-04T09:00", now), ["2026-12-18T09:00", "2027-01-01T09:00", "2027-01-15T09:00"]);
  assert.deepEqual(comingDates("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", false, "2026-12-31", now), ["2027-01-31", "2027-02-28", "2027-03-31"]);
  // An overdue task skips what has passed.
  assert.deepEqual(comingDates("FREQ=DAILY", false, "2026-11-01", now), ["2026-11-30", "2026-12-01", "2026-12-02"]);
  // Counted from completion, the next date alone is known.
  assert.deepEqual(comingDates("FREQ=WEEKLY;INTERVAL=2", true, "2026-11-20T09:00", now), ["2026-12-13T09:00"]);
  assert.deepEqual(comingDates("FREQ=MONTHLY", true, "2026-10-20", { date: "2026-10-31", time: "08:00" }), ["2026-11-30"]);
  assert.deepEqual(comingDates("FREQ=MONTHLY", true, "2026-12-20", { date: "2026-10-31", time: "08:00" }), ["2026-12-31"]); // done early
  assert.deepEqual(comingDates("FREQ=DAILY;COUNT=2", false, "2026-12-01", now), ["2026-12-02"]);
  assert.equal(comingDates("FREQ=HOURLY", false, "2026-12-01", now), null);
});

test("a rule by its fields, and back", () => {
  const due = "2026-12-11";
  const custom = { unit: 1, interval: 3, weekdays: ["FR", "MO"], month: "day", end: "", until: "2027-06-01", count: 10 };
  const rule = (change, completion = false) => customRule({ ...custom, ...change }, due, completion);
  assert.equal(rule({}), "FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,FR");
  assert.equal(rule({ interval: 1, end: "COUNT" }), "FREQ=WEEKLY;BYDAY=MO,FR;COUNT=10");
  assert.equal(rule({ unit: 0, end: "UNTIL" }), "FREQ=DAILY;INTERVAL=3;UNTIL=20270601");
  assert.equal(rule({ unit: 2, month: "nth" }), "FREQ=MONTHLY;INTERVAL=3;BYDAY=2FR");
  assert.equal(rule({ unit: 2, month: "last" }), "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1");
  assert.equal(rule({ unit: 3 }), "FREQ=YEARLY;INTERVAL=3;BYMONTH=12;BYMONTHDAY=11");
  assert.equal(rule({}, true), "FREQ=WEEKLY;INTERVAL=3");
  for (const wrong of [{ interval: 0 }, { interval: NaN }, { interval: 1.5 }, { interval: 1000 }, { weekdays: [] }, { end: "COUNT", count: 0 }, { end: "COUNT", count: 1001 },
    { end: "UNTIL", until: "" }, { end: "UNTIL", until: "2026-12-10" }]) assert.equal(rule(wrong), null, JSON.stringify(wrong));
  for (const text of ["FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,FR;UNTIL=20270601", "FREQ=DAILY;INTERVAL=10;COUNT=5", "FREQ=MONTHLY;BYMONTHDAY=-1"]) assert.equal(customRule(readCustom(text, due), due, false), text);
  assert.deepEqual(readCustom(null, due), { unit: 1, interval: 2, weekdays: ["FR"], month: "day", end: "", until: "2027-03-11", count: 10 });
});

test("rules that say the same", () => {
  assert.ok(sameRule("FREQ=WEEKLY;INTERVAL=1;BYDAY=FR,MO;WKST=MO", "FREQ=WEEKLY;BYDAY=MO,FR"));
  assert.ok(sameRule(null, null));
  for (const [a, b] of [["FREQ=DAILY", null], ["FREQ=DAILY", "FREQ=DAILY;INTERVAL=2"], ["FREQ=WEEKLY;WKST=SU", "FREQ=WEEKLY"], ["FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=MONTHLY;BYMONTHDAY=-1"]]) assert.ok(!sameRule(a, b), `${a} ${b}`);
  assert.ok(isClamped("FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1"));
  assert.ok(!isClamped("FREQ=MONTHLY;BYMONTHDAY=28"));
});

test("durations as the server reads and writes them", () => {
  for (const [text, total, form] of [["PT0S", 0], ["PT30M", 1800], ["PT90M", 5400, "PT1H30M"], ["P1W", 604800, "P7D"], ["P30D", 2592000], ["PT24H", 86400, "P1D"], ["P1DT2H3M4S", 93784], ["PT15H", 54000]]) {
    assert.equal(seconds(text), total);
    assert.equal(duration(total), form ?? text);
  }
  for (const text of ["", "P", "PT", "P1DT", "P31D", "PT2592001S", "-PT5M", "PT1.5H", "P1Y", "pt5m", "PT5S5M"]) assert.equal(seconds(text), null, text);
});

test("reminders in words", () => {
  const speaker = (texts) => (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const english = speaker(en), spanish = speaker(es);
  const words = (before, due) => [reminderWords({ before }, due, "en", english), reminderWords({ before }, due, "es", spanish)];
  const timed = "2026-12-01T09:00", day = "2026-12-01";
  assert.deepEqual(words("PT0S", timed), ["When it is due", "A la hora de la fecha"]);
  assert.deepEqual(words("PT10M", timed), ["10 minutes before", "10 minutos antes"]);
  assert.deepEqual(words("P1D", timed), ["1 day before", "1 día antes"]);
  assert.deepEqual(words("PT90M", timed), ["1 hour 30 minutes before", "1 hora 30 minutos antes"]);
  assert.deepEqual(words("PT0S", day), ["On the day at 09:00", "El mismo día a las 09:00"]);
  assert.deepEqual(words("PT1H", day), ["On the day at 08:00", "El mismo día a las 08:00"]);
  assert.deepEqual(words("PT9H", day), ["On the day at 00:00", "El mismo día a las 00:00"]);
  assert.deepEqual(words("PT15H", day), ["The day before at 18:00", "El día antes a las 18:00"]);
  assert.deepEqual(words("P1D", day), ["The day before at 09:00", "El día antes a las 09:00"]);
  assert.deepEqual(words("P7D", day), ["7 days before at 09:00", "7 días antes a las 09:00"]);
  assert.equal(reminderWords({ at: "2026-12-01T08:00:00Z" }, null, "en", english, "America/New_York"), "Tue, 1 Dec 2026, 03:00");
  assert.equal(amountWords(93784, "en"), "1 day 2 hours 3 minutes 4 seconds");
  for (const due of [timed, day]) assert.equal(new Set(reminderPresets(due).map((before) => words(before, due)[0])).size, 5);
  assert.deepEqual(reminderPresets(null), []);
});

test("reminders that come at the same time", () => {
  assert.ok(sameReminder({ before: "PT60M" }, { before: "PT1H" }));
  assert.ok(sameReminder({ at: "2026-12-01T08:00:00Z" }, { at: "2026-12-01T09:00:00+01:00" }));
  assert.ok(!sameReminder({ before: "PT1H" }, { at: "2026-12-01T08:00:00Z" }));
  assert.ok(!sameReminder({ at: "2026-12-01T08:00:00Z" }, { before: "PT1H" }));
  assert.ok(sameReminders([{ before: "PT1H" }, { before: "PT0S" }], [{ before: "PT0S" }, { before: "PT1H" }]));
  assert.ok(!sameReminders([{ before: "PT1H" }], []));
});
