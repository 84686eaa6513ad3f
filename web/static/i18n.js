// The words of the page, in the person's language.

import { locales } from "./surroundings.js";
import { zoneOf } from "./zone.js";

// labels are what a field of the API is called on the page.
const labels = {
  username: "username", email: "email", password: "password", confirm_password: "password.again", current_password: "password.current",
  title: "task.title", description: "task.description", name: "tokens.name", scopes: "tokens.scopes", expires_at: "tokens.until",
};

export const language = locales.map((l) => l.slice(0, 2).toLowerCase()).find((l) => ["en", "es"].includes(l)) ?? "en";
/** @type {{texts: Record<string, string>, codes: Record<string, string>, sentences: any[]}} */
const { texts, codes, sentences } = await (language === "es" ? import("./texts-es.js") : import("./texts-en.js"));
document.documentElement.lang = language;

// fill puts values into a text; {n|one|many} is a number and what it counts.
function fill(text, values) {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name, one, many) => {
    const value = String(values[name] ?? "");
    return one === undefined ? value : `${value} ${value === "1" ? one : many}`;
  });
}

// learn takes up more texts.
export const learn = (more) => { Object.assign(texts, more); };

// t is a text with its values filled in.
export const t = (key, values = {}) => fill(texts[key] ?? key, values);

// speaker is t for a module that has its own words, by language.
export const speaker = (own) => (key, values = {}) => fill(own[language][key] ?? key, values);

const isAway = (error) => error.unreachable || error.code === "proxy";

// saidWaiting is said where the page tries again by itself.
export const saidWaiting = (error) => (isAway(error) ? t("offline.start") : said(error));

// said is what the server said, in the person's language where we can.
export function said(error) {
  if (typeof error === "string") return saidOf(error);
  const text = codes[error.code];
  if (text) return fill(text, { n: error.retryAfter, id: error.requestID });
  if (isAway(error)) return t("offline.sentence");
  const fields = Object.entries(error.errors ?? {});
  return fields.length ? Object.values(saidOfFields(error.errors)).join(" ") : saidOf(error.message);
}

function saidOf(text, name) {
  for (const [form, words] of sentences) {
    const found = form.exec(text);
    if (found) return words.replace("$1", found[1]);
  }
  return labels[name] ? text.replace(`The field ${name}`, `The field “${t(labels[name])}”`) : text;
}

// saidOfFields are the sentences about fields, to stand beside them.
export const saidOfFields = (errors) => Object.fromEntries(Object.entries(errors).map(([name, text]) => [name, saidOf(text, name)]));

// Dates are written as the person's whole locale does: en-GB is not en.
const made = new Map(); // formatters, which are slow to make
function written(text, time, zone = zoneOf()) {
  const key = `${time} ${zone}`;
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(locales, { dateStyle: "medium", timeStyle: time ? "short" : undefined, timeZone: zone }));
  return made.get(key).format(new Date(text));
}
export const date = (text) => written(text, true);
export const dayOf = (text) => written(text, false);
// due is the text of a due date: a day and a local time are the same everywhere, and a
// moment is told by the reader's own clock.
export const due = ({ due, due_at }) => (due_at ? date(due_at) : due.length > 10 ? written(`${due}Z`, true, "UTC") : written(due, false, "UTC"));
// repeats says in words how often a task comes again, where that is simple.
export const repeats = (rule) => t(/^FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)$/.test(rule) ? `repeat.${rule.slice(5)}` : "repeat");
