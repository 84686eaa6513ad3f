// What becomes of a text that was edited here and changed elsewhere meanwhile. Pure.

/** @typedef {Record<string, string>} Texts By the names of the fields: title and description. */

const most = { title: 100, description: 10_000 };
const normal = (text) => (text ?? "").replaceAll("\r\n", "\n").trim();
const same = (a, b) => normal(a) === normal(b);

/**
 * baseOf is what the editor has seen of each text of a patch: what stood there when they began,
 * and what the changes of theirs that still wait began from.
 * @param {Record<string, any>} patch @param {Texts} before @param {{base?: Record<string, string[]>}[]} waiting
 */
export function baseOf(patch, before, waiting) {
  const names = Object.keys(most).filter((name) => name in patch && before[name] !== undefined);
  return names.length ? Object.fromEntries(names.map((name) => [name, [before[name], ...waiting.flatMap(({ base }) => base?.[name] ?? [])]])) : undefined;
}

/**
 * meet puts a patch beside the task as it is now: rest is what is still to be written, and
 * theirs are the texts that nobody here has seen and that it would write over.
 * @param {Record<string, any>} patch @param {Record<string, string[]>} base @param {Record<string, any>} now
 */
export function meet(patch, base, now) {
  const rest = /** @type {Record<string, any>} */ ({}), theirs = /** @type {Texts} */ ({});
  for (const [name, mine] of Object.entries(patch)) {
    const seen = base[name], there = now[name];
    if (seen && same(mine, there)) continue;
    rest[name] = mine;
    if (seen && normal(there) && !seen.some((text) => same(text, there))) theirs[name] = there;
  }
  return { rest, theirs };
}

/** both is one text of two, the one here first; null if they don't fit into the field. @param {string} name @param {string} mine @param {string} theirs */
export function both(name, mine, theirs) {
  const text = [mine, theirs].filter(normal).join(name === "title" ? " / " : "\n\n");
  return [...text].length > most[name] ? null : text;
}

/**
 * decide makes of a change whose texts met others what the person has chosen.
 * @param {{patch: Record<string, any>, base: Record<string, string[]>, problem?: any, match?: string}} change @param {"mine" | "theirs" | "both"} how
 */
export function decide(change, how) {
  for (const [name, theirs] of /** @type {[string, string][]} */ (Object.entries(change.problem.theirs))) {
    change.base[name].push(theirs);
    if (how === "theirs") delete change.patch[name];
    else if (how === "both") change.patch[name] = both(name, change.patch[name], theirs) ?? change.patch[name];
  }
  change.problem = change.match = undefined;
}

/** textsOf is what somebody may have written into a task, to be compared. @param {{title: string, description?: string}} task */
export const textsOf = ({ title, description = "" }) => JSON.stringify([title, description]);
