// Quick add: every phrase of the table, and what must hold for any text. The rules where a
// text can be read in two ways head the sections of phrases.mjs.

import assert from "node:assert/strict";
import test from "node:test";

import { lines, parse } from "../../web/static/quick.js";
import { nextDates } from "../../web/static/words.js";
import { phrases } from "./phrases.mjs";

const context = {
  now: { date: "2026-11-29", time: "10:30" },
  lists: [{ id: 7, name: "Home" }, { id: 8, name: "Shopping list" }],
  labels: ["Work"],
  members: [{ id: 3, name: "Ana García" }, { id: 4, name: "bob" }, { id: 5, name: "Maria A" }, { id: 6, name: "Maria B" }],
};

const read = (language, text, more) => parse(text, { ...context, language, ...more });

// said is all that was understood in one line.
const said = ({ due, recurrence, priority, labels, list, assignee }) =>
  [due, recurrence, priority && `!${priority}`, ...labels.map((label) => `#${label}`), list && `list ${list}`, assignee && `@${assignee}`].filter(Boolean).join(" ");

const bare = (text) => text.replace(/[^\p{L}\p{N}]/gu, "");

// hold checks what holds for any text.
function hold(text, result) {
  let to = 0, rest = "";
  for (const chip of result.chips) {
    assert.ok(chip.from >= to && chip.to > chip.from && chip.to <= text.length, `chips overlap in ${JSON.stringify(text)}`);
    assert.equal(chip.text, text.slice(chip.from, chip.to));
    assert.match(chip.kind, /^(due|repeat|priority|label|list|assignee)$/);
    assert.ok(chip.label, `a chip without a label in ${JSON.stringify(text)}`);
    rest += text.slice(to, chip.from);
    ({ to } = chip);
  }
  assert.equal(bare(result.title), bare(rest + text.slice(to)), "the title is what the chips leave");
  assert.equal(result.title, result.title.replace(/\s+/g, " ").trim());
  const has = (kind) => result.chips.some((chip) => chip.kind === kind);
  assert.equal(result.due !== undefined, has("due") || has("repeat"), "a due has a chip");
  assert.equal(result.recurrence !== undefined, has("repeat"), "a repetition has a chip");
  assert.equal(result.priority !== undefined, has("priority"));
  assert.equal(result.list !== undefined, has("list"));
  assert.equal(result.assignee !== undefined, has("assignee"));
  assert.equal(result.labels.length > 0, has("label"));
  if (result.due) assert.match(result.due, /^2\d{3}-\d\d-\d\d(T\d\d:\d\d)?$/);
  if (result.recurrence && !/UNTIL/.test(result.recurrence)) assert.equal(nextDates(result.recurrence, result.due, null, 1)?.[0], result.due, `the first date of ${text}`);
}

test("every phrase of the table", () => {
  const wrong = [];
  for (const [language, text, title = text, meaning = ""] of phrases) {
    const result = read(language, text), got = [result.title, said(result)];
    if (got[0] !== title || got[1] !== meaning) wrong.push({ text, got, want: [title, meaning] });
    hold(text, result);
  }
  assert.deepEqual(wrong, []);
});

test("there are enough phrases", () => {
  assert.ok(phrases.length > 300);
  assert.ok(phrases.filter((phrase) => phrase.length === 2).length > 90, "that are nothing but a title");
});

test("both languages read the phrases of the other, but for the order of numbers", () => {
  for (const [language, text, title = text, meaning = ""] of phrases) {
    if (/\d\/\d|1 mayo/.test(text)) continue;
    assert.deepEqual([text, title, meaning], [text, read(language === "es" ? "en" : "es", text).title, said(read(language === "es" ? "en" : "es", text))]);
  }
});

test("a chip says in words what it stands for", () => {
  const labels = (language, text) => read(language, text).chips.map(({ kind, text: slice, label }) => `${kind} ${slice}: ${label}`);
  assert.deepEqual(labels("en", "pay rent every 1st at 9am #home !high @ana"),
    ["repeat every 1st: every month on the 1st", "due at 9am: Tuesday 09:00", "list #home: Home", "priority !high: high", "assignee @ana: Ana García"]);
  assert.deepEqual(labels("es", "regar cada dos semanas !alta"), ["repeat cada dos semanas: cada 2 semanas, hoy", "priority !alta: alta"]);
  assert.deepEqual(labels("en", "tomorrow call Bob at 5pm"), ["due tomorrow: tomorrow", "due at 5pm: 17:00"]);
  assert.deepEqual(labels("es", "cine mañana a las 18"), ["due mañana a las 18: mañana 18:00"]);
  assert.deepEqual(labels("en", "pills every day for 10 times"), ["repeat every day: every day, 10 times, today", "repeat for 10 times: for 10 times"]);
});

test("a removed chip stays text, and the rest is still read", () => {
  const after = (text, ...removed) => {
    const result = read("en", text, { removed });
    hold(text, result);
    return [result.title, said(result)];
  };
  assert.deepEqual(after("buy milk tomorrow !1", { text: "tomorrow" }), ["buy milk tomorrow", "!high"]);
  assert.deepEqual(after("buy milk tomorrow !1", "tomorrow", "!1"), ["buy milk tomorrow !1", ""]);
  assert.deepEqual(after("call Bob tomorrow at 5pm", "tomorrow at 5pm"), ["call Bob tomorrow at 5pm", ""]);
  assert.deepEqual(after("call Bob tomorrow at 5pm", "tomorrow"), ["call Bob tomorrow", "2026-11-29T17:00"]);
  assert.deepEqual(after("buy #home", "#home"), ["buy #home", ""]);
  // Removing the chips one by one ends with the text alone.
  for (const [language, text] of phrases) {
    const removed = [];
    for (let result; (result = read(language, text, { removed })).chips.length > 0;) {
      assert.ok(removed.length < 20, text);
      removed.push(result.chips[0]);
    }
    assert.equal(read(language, text, { removed }).title, text.replace(/\s+/g, " ").trim());
  }
});

test("the words of a name may stand apart or be joined", () => {
  for (const text of ["x #Shopping list", "x #shopping-list", "x #shopping_list", "x #ShoppingList"]) assert.equal(read("en", text).list, 8, text);
  const lists = [{ id: 1, name: "Casa" }, { id: 2, name: "Casa de Ana" }, { id: 3, name: "Niños" }];
  assert.equal(read("es", "x #casa de ana", { lists }).list, 2);
  assert.equal(read("es", "x #casa de pueblo", { lists }).list, 1);
  assert.equal(read("es", "x #ninos", { lists }).list, 3);
});

test("labels are kept once, in the spelling that they have", () => {
  assert.deepEqual(read("en", "x #work #WORK #Új #új").labels, ["Work", "Új"]);
  assert.equal(read("en", Array.from({ length: 30 }, (_, i) => `#l${i}`).join(" ")).labels.length, 20);
  assert.deepEqual(read("en", `x #${"l".repeat(51)}`).labels, []);
});

test("accents may be missing, or be characters of their own", () => {
  for (const text of ["dormir mañana".normalize("NFD"), "dormir manana", "dormir MAÑANA"]) {
    const result = read("es", text);
    assert.deepEqual([result.title, result.due], ["dormir", "2026-11-30"]);
    hold(text, result);
  }
});

test("the day and the time of the person count", () => {
  const at = (date, time, text) => read("en", text, { now: { date, time } }).due;
  assert.equal(at("2026-12-31", "23:59", "x in 1 minute"), "2027-01-01T00:00");
  assert.equal(at("2026-12-31", "10:00", "x tomorrow"), "2027-01-01");
  assert.equal(at("2027-01-31", "10:00", "x in 1 month"), "2027-02-28");
  assert.equal(at("2026-12-04", "10:00", "x next friday"), "2026-12-11");
  assert.equal(at("2026-12-05", "10:00", "x this weekend"), "2026-12-05");
  assert.equal(at("2026-12-02", "10:00", "x next weekend"), "2026-12-12");
  assert.equal(at("2026-11-29", "21:00", "x tonight"), "2026-11-29");
  assert.equal(at("2026-02-03", "10:00", "x end of month"), "2026-02-28");
  assert.equal(at("2026-12-03", "10:00", "x next month"), "2027-01-01");
});

// random is the same sequence every time (mulberry32).
function random(seed) {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

test("4,000 random texts", () => {
  const next = random(1), some = (from) => from[Math.floor(next() * from.length)];
  const words = phrases.flatMap(([, text]) => text.split(" "));
  const signs = ["\t", "\u0301", "\ud83c", "İ", "ﬁ", "\0", "ß", "\u00a0", "نص", "(", ")", "\"", "“", "!", "#", "@", ",", "1/", "\n"];
  for (let i = 0; i < 4000; i++) {
    let text = "";
    for (let n = Math.floor(next() * 12); n >= 0; n--) {
      text += next() < 0.75 ? some(words) : some(signs);
      if (next() < 0.85) text += " ";
    }
    try { hold(text, read(some(["en", "es"]), text)); } catch (error) { throw new Error(`for ${JSON.stringify(text)}`, { cause: error }); }
  }
});

test("long texts take time in proportion", () => {
  const patterns = ["every ", "every day ", "a ", " ", "1", "1 ", ",", "tomorrow ", "tomorrow,", "tomorrow and ", "at 5pm ", "at 5 ", "monday, ", "every mon, ", "a las 5 y ", "#", "#a", "#a ", "@ana ", "!", "\"", "“", "in 3 ", "3 march ", "1/1/1 ", "31/02 ",
    "until ", "every day until ", "(", "()", " ,", "- ", "\u0301", "the end of ", "el ultimo ", "every 1st and ", "2026-12-24 ", "on the 31st "];
  for (const pattern of patterns) {
    const text = pattern.repeat(Math.ceil(10_000 / pattern.length)), began = process.cpuUsage();
    hold(text, read("en", text));
    const { user } = process.cpuUsage(began);
    // Milliseconds of work; what backtracks takes minutes.
    assert.ok(user < 3_000_000, `${user / 1000} ms for ${JSON.stringify(pattern)}`);
  }
});

test("lines makes a task of each line of a paste", () => {
  const paste = "- buy milk\n* [ ] call Ana\r\n\n  1. [x] pay rent\n2) sweep\n[X] cook\n• walk\n☐ read\n☑ write\n- [] sew\n\t- [x]\n-\n3 apples\n-5 degrees\n[link] here\n1.5 l milk\n2026. ok";
  assert.deepEqual(lines(paste).map(({ text, completed }) => (completed ? "x " : "") + text),
    ["buy milk", "call Ana", "x pay rent", "sweep", "x cook", "walk", "read", "x write", "sew", "3 apples", "-5 degrees", "[link] here", "1.5 l milk", "2026. ok"]);
  assert.deepEqual(lines(""), []);
  assert.deepEqual(lines(" \n \n"), []);
});
