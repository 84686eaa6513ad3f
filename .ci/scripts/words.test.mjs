// Words for dates and repetition, and the dates of a rule.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { dueWords, hue, initials, nextDates, repeatWords } from "../../web/static/words.js";

const now = { date: "2026-11-29", time: "10:30" }; // a Sunday

test("when a task is due", () => {
  for (const [due, english, spanish] of [
    ["2026-11-29", "today", "hoy"],
    ["2026-11-29T08:00", "today 08:00", "hoy 08:00"],
    ["2026-11-30T09:00", "tomorrow 09:00", "mañana 09:00"],
    ["2026-11-28", "yesterday", "ayer"],
    ["2026-11-27", "27 November", "27 de noviembre"],
    ["2026-12-01", "Tuesday", "martes"],
    ["2026-12-05T18:30", "Saturday 18:30", "sábado 18:30"],
    ["2026-12-06", "6 December", "6 de diciembre"],
    ["2027-03-12", "12 March 2027", "12 de marzo de 2027"],
    ["2025-11-29T00:00", "29 November 2025 00:00", "29 de noviembre de 2025 00:00"],
  ]) assert.deepEqual([dueWords(due, now, "en"), dueWords(due, now, "es")], [english, spanish]);
  assert.equal(dueWords("2026-11-30T09:00", now, "en", "America/New_York"), "tomorrow 09:00 (New York)");
  assert.equal(dueWords("2027-01-01", { date: "2026-12-31", time: "23:59" }, "en"), "tomorrow");
});

test("how a task repeats", () => {
  for (const [rule, english, spanish] of [
    ["FREQ=DAILY", "every day", "cada día"],
    ["FREQ=DAILY;INTERVAL=3", "every 3 days", "cada 3 días"],
    ["FREQ=DAILY;COUNT=10", "every day, 10 times", "cada día, 10 veces"],
    ["FREQ=DAILY;COUNT=1", "every day, once", "cada día, una vez"],
    ["FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "every weekday", "de lunes a viernes"],
    ["FREQ=WEEKLY", "every week", "cada semana"],
    ["FREQ=WEEKLY;UNTIL=20351231", "every week, until 31 December 2035", "cada semana, hasta el 31 de diciembre de 2035"],
    ["FREQ=WEEKLY;BYDAY=TH,MO", "every Monday and Thursday", "cada lunes y jueves"],
    ["FREQ=WEEKLY;BYDAY=SU,MO,WE", "every Monday, Wednesday and Sunday", "cada lunes, miércoles y domingo"],
    ["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday", "de lunes a viernes"],
    ["FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "every 2 weeks on Monday and Thursday", "cada 2 semanas los lunes y jueves"],
    ["FREQ=MONTHLY", "every month", "cada mes"],
    ["FREQ=MONTHLY;INTERVAL=3", "every 3 months", "cada 3 meses"],
    ["FREQ=MONTHLY;BYMONTHDAY=1,15", "every month on the 1st and 15th", "cada mes los días 1 y 15"],
    ["FREQ=MONTHLY;BYMONTHDAY=2,3,11,12,13,21,22", "every month on the 2nd, 3rd, 11th, 12th, 13th, 21st and 22nd", "cada mes los días 2, 3, 11, 12, 13, 21 y 22"],
    ["FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day", "cada mes el último día"],
    ["FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "every month on the 31st", "cada mes el día 31"],
    ["FREQ=MONTHLY;BYDAY=2TU", "every month on the second Tuesday", "cada mes el segundo martes"],
    ["FREQ=MONTHLY;BYDAY=-1FR", "every month on the last Friday", "cada mes el último viernes"],
    ["FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1", "every month on the last Friday", "cada mes el último viernes"],
    ["FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month on the last weekday", "cada mes el último día laborable"],
    ["FREQ=YEARLY", "every year", "cada año"],
    ["FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "every year on 24 December", "cada año el 24 de diciembre"],
    ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1", "every year on 29 February", "cada año el 29 de febrero"],
    ["FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "every year on the fourth Thursday of November", "cada año el cuarto jueves de noviembre"],
    ...["FREQ=HOURLY", "", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "FREQ=MONTHLY;BYDAY=MO", "FREQ=YEARLY;BYDAY=20MO", "FREQ=DAILY;INTERVAL=2;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO;BYMONTH=3",
      "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1", "FREQ=MONTHLY;BYMONTHDAY=-2", "FREQ=MONTHLY;BYDAY=1MO,3MO", "FREQ=YEARLY;BYMONTH=6,12", "FREQ=DAILY;UNTIL=20261231T120000Z"].map((rule) => [rule, "by a rule", "según una regla"]),
  ]) assert.deepEqual([rule, repeatWords(rule, "en"), repeatWords(rule, "es")], [rule, english, spanish]);
});

// What app/todo computes: the rule, its start, the first six dates or null for an error, and,
// where it is not the day before the start, the day after which they come.
const computed = [
  ["FREQ=DAILY", "2026-11-29", "2026-11-29 2026-11-30 2026-12-01 2026-12-02 2026-12-03 2026-12-04"],
  ["FREQ=DAILY;INTERVAL=3", "2026-11-29T09:00", "2026-11-29T09:00 2026-12-02T09:00 2026-12-05T09:00 2026-12-08T09:00 2026-12-11T09:00 2026-12-14T09:00"],
  ["FREQ=DAILY;INTERVAL=10", "2026-11-29", "2027-06-07 2027-06-17 2027-06-27 2027-07-07 2027-07-17 2027-07-27", "2027-06-01"],
  ["FREQ=DAILY;COUNT=4", "2026-11-29", "2026-11-29 2026-11-30 2026-12-01 2026-12-02"],
  ["FREQ=DAILY;COUNT=4", "2026-11-29", "2026-12-01 2026-12-02", "2026-11-30"],
  ["FREQ=DAILY;UNTIL=20261202", "2026-11-29", "2026-11-29 2026-11-30 2026-12-01 2026-12-02"],
  ["FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "2026-11-29", "2026-11-30 2026-12-01 2026-12-02 2026-12-03 2026-12-04 2026-12-07"],
  ["FREQ=WEEKLY", "2026-11-29", "2026-11-29 2026-12-06 2026-12-13 2026-12-20 2026-12-27 2027-01-03"],
  ["FREQ=WEEKLY;INTERVAL=2", "2026-12-01", "2026-12-01 2026-12-15 2026-12-29 2027-01-12 2027-01-26 2027-02-09"],
  ["FREQ=WEEKLY;BYDAY=MO,TH", "2026-11-30", "2026-11-30 2026-12-03 2026-12-07 2026-12-10 2026-12-14 2026-12-17"],
  ["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "2026-12-04", "2026-12-04 2026-12-07 2026-12-08 2026-12-09 2026-12-10 2026-12-11"],
  ["FREQ=WEEKLY;BYDAY=SA", "2026-12-05T10:00", "2026-12-05T10:00 2026-12-12T10:00 2026-12-19T10:00 2026-12-26T10:00 2027-01-02T10:00 2027-01-09T10:00"],
  ["FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "2026-12-03", "2026-12-03 2026-12-14 2026-12-17 2026-12-28 2026-12-31 2027-01-11"],
  ["FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO", "2026-11-29", "2026-11-29 2026-12-07 2026-12-13 2026-12-21 2026-12-27 2027-01-04"],
  ["FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU", "2026-11-29", "2026-11-29 2026-11-30 2026-12-13 2026-12-14 2026-12-27 2026-12-28"],
  ["FREQ=WEEKLY;INTERVAL=3;BYDAY=FR;COUNT=3", "2026-12-04", "2026-12-04 2026-12-25 2027-01-15"],
  ["FREQ=WEEKLY;BYDAY=TU;UNTIL=20261224", "2026-12-01T19:30", "2026-12-01T19:30 2026-12-08T19:30 2026-12-15T19:30 2026-12-22T19:30"],
  ["FREQ=MONTHLY", "2026-01-15", "2026-01-15 2026-02-15 2026-03-15 2026-04-15 2026-05-15 2026-06-15"],
  ["FREQ=MONTHLY", "2026-12-29", "2026-12-29 2027-01-29 2027-02-28 2027-03-29 2027-04-29 2027-05-29"],
  ["FREQ=MONTHLY", "2026-12-30T08:00", "2026-12-30T08:00 2027-01-30T08:00 2027-02-28T08:00 2027-03-30T08:00 2027-04-30T08:00 2027-05-30T08:00"],
  ["FREQ=MONTHLY", "2026-12-31", "2026-12-31 2027-01-31 2027-02-28 2027-03-31 2027-04-30 2027-05-31"],
  ["FREQ=MONTHLY;INTERVAL=2", "2026-12-31", "2026-12-31 2027-02-28 2027-04-30 2027-06-30 2027-08-31 2027-10-31"],
  ["FREQ=MONTHLY;COUNT=3", "2026-12-31", "2026-12-31 2027-01-31 2027-02-28"],
  ["FREQ=MONTHLY;BYMONTHDAY=31", "2026-12-31", "2026-12-31 2027-01-31 2027-03-31 2027-05-31 2027-07-31 2027-08-31"],
  ["FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "2026-12-31", "2026-12-31 2027-01-31 2027-02-28 2027-03-31 2027-04-30 2027-05-31"],
  ["FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1", "2027-01-30", "2027-01-30 2027-02-28 2027-03-30 2027-04-30 2027-05-30 2027-06-30"],
  ["FREQ=MONTHLY;BYMONTHDAY=1,15", "2026-12-01", "2026-12-01 2026-12-15 2027-01-01 2027-01-15 2027-02-01 2027-02-15"],
  ["FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30", "2026-11-30 2026-12-31 2027-01-31 2027-02-28 2027-03-31 2027-04-30"],
  ["FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=5", "2026-12-05", "2026-12-05 2027-03-05 2027-06-05 2027-09-05 2027-12-05 2028-03-05"],
  ["FREQ=MONTHLY;BYDAY=2TU", "2026-12-08", "2026-12-08 2027-01-12 2027-02-09 2027-03-09 2027-04-13 2027-05-11"],
  ["FREQ=MONTHLY;BYDAY=-1FR", "2026-12-25", "2026-12-25 2027-01-29 2027-02-26 2027-03-26 2027-04-30 2027-05-28"],
  ["FREQ=MONTHLY;BYDAY=5MO", "2026-11-30", "2026-11-30 2027-03-29 2027-05-31 2027-08-30 2027-11-29 2028-01-31"],
  ["FREQ=MONTHLY;INTERVAL=2;BYDAY=1MO", "2026-12-07", "2026-12-07 2027-02-01 2027-04-05 2027-06-07 2027-08-02 2027-10-04"],
  ["FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-30", "2026-11-30 2026-12-31 2027-01-29 2027-02-26 2027-03-31 2027-04-30"],
  ["FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2026-11-13", "2026-11-13 2027-08-13 2028-10-13 2029-04-13 2029-07-13 2030-09-13"],
  ["FREQ=YEARLY", "2026-12-24", "2026-12-24 2027-12-24 2028-12-24 2029-12-24 2030-12-24 2031-12-24"],
  ["FREQ=YEARLY", "2028-02-29", "2028-02-29 2029-02-28 2030-02-28 2031-02-28 2032-02-29 2033-02-28"],
  ["FREQ=YEARLY;INTERVAL=2", "2026-03-01", "2026-03-01 2028-03-01 2030-03-01 2032-03-01 2034-03-01 2036-03-01"],
  ["FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "2026-12-24", "2026-12-24 2027-12-24 2028-12-24 2029-12-24 2030-12-24 2031-12-24"],
  ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1", "2027-02-28", "2027-02-28 2028-02-29 2029-02-28 2030-02-28 2031-02-28 2032-02-29"],
  ["FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2026-11-26", "2026-11-26 2027-11-25 2028-11-23 2029-11-22 2030-11-28 2031-11-27"],
  ["FREQ=YEARLY;BYDAY=-1SU", "2026-12-27", "2026-12-27 2027-12-26 2028-12-31 2029-12-30 2030-12-29 2031-12-28"],
  ["FREQ=YEARLY;BYMONTH=6,12", "2026-12-24", "2026-12-24 2027-06-24 2027-12-24 2028-06-24 2028-12-24 2029-06-24"],
  ["FREQ=YEARLY;UNTIL=20281231", "2026-12-24", "2026-12-24 2027-12-24 2028-12-24"],
  ["FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "2026-11-29", ""],
  ["FREQ=YEARLY", "2026-12-24", "", "2080-01-01"],
  ["FREQ=HOURLY", "2026-11-29", null],
  ["FREQ=DAILY;BYHOUR=9", "2026-11-29", null],
  ["FREQ=DAILY;INTERVAL=0", "2026-11-29", null],
  ["FREQ=WEEKLY;BYDAY=2MO", "2026-11-29", null],
  ["FREQ=WEEKLY;BYMONTHDAY=3", "2026-11-29", null],
  ["FREQ=DAILY;COUNT=2;UNTIL=20270101", "2026-11-29", null],
  ["FREQ=DAILY;BYSETPOS=1", "2026-11-29", null],
  ["FREQ=DAILY;FREQ=DAILY", "2026-11-29", null],
  ["FREQ=DAILY;", "2026-11-29", null],
  ["INTERVAL=2", "2026-11-29", null],
  ["FREQ=DAILY;INTERVAL=1000", "2026-11-29", null],
  ["FREQ=MONTHLY;BYMONTHDAY=0", "2026-11-29", null],
  ["FREQ=MONTHLY;BYDAY=XX", "2026-11-29", null],
  ["FREQ=DAILY;UNTIL=20261341", "2026-11-29", null],
  ["FREQ=DAILY;COUNT=1.5", "2026-11-29", null],
  ["freq=weekly;byday=mo", "2026-11-30", "2026-11-30 2026-12-07 2026-12-14 2026-12-21 2026-12-28 2027-01-04"],
  ["FREQ=MONTHLY;BYMONTHDAY=+5", "2026-12-05", "2026-12-05 2027-01-05 2027-02-05 2027-03-05 2027-04-05 2027-05-05"],
  ["FREQ=DAILY;WKST=XX", "2026-11-29", null],
];

test("the dates of a rule are those of the server", () => {
  for (const [rule, start, dates, after = null] of computed) {
    assert.deepEqual([rule, nextDates(rule, start, after, 6)], [rule, dates === null ? null : dates.split(" ").filter(Boolean)]);
  }
});

test("the dates of a rule are those of python-dateutil", () => {
  const cases = JSON.parse(readFileSync(new URL("../../app/todo/testdata/recurrences.json", import.meta.url), "utf8"));
  assert.ok(cases.length >= 500);
  for (const { rule, start, dates } of cases) assert.deepEqual([rule, nextDates(rule, start, start, 8)], [rule, dates]);
});

test("initials", () => {
  for (const [name, letters] of [["Ana García", "AG"], ["bob", "B"], ["José María de la Cruz", "JC"], ["ana.garcia", "AG"], ["ñandú", "Ñ"], ["李 明", "李明"], ["", "?"], ["  ", "?"], ["🎂 cake", "C"]]) assert.equal(initials(name), letters);
});

test("a colour stays with its text", () => {
  assert.equal(hue("Home"), hue("Home"));
  const hues = new Set("abcdefghijklmnopqrstuvwxyz".split("").map((text) => hue(text)));
  assert.deepEqual([...hues].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
});
