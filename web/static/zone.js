// The clock on the person's wall: that of the time zone of their account, wherever the
// browser is. Texts are as 2026-11-29T10:30.

let own; // undefined as long as it is the browser's, or not known
const clocks = new Map();
const walls = new Map(); // of moments in the own zone, which are asked for again and again

const here = () => { try { return new Intl.DateTimeFormat().resolvedOptions().timeZone; } catch { return undefined; } };

function clock(zone) {
  if (!clocks.has(zone)) clocks.set(zone, new Intl.DateTimeFormat("en", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }));
  return clocks.get(zone);
}

/** zoneOf is the name of the zone, for what writes dates; undefined for the browser's. */
export const zoneOf = () => own;

/** zoneName is its name where there is one. */
export const zoneName = () => own ?? here();

/** useZone makes a zone the person's. One that the browser does not know leaves it its own. @param {string | undefined} zone */
export function useZone(zone) {
  let next = zone === here() ? undefined : zone;
  try {
    if (next) clock(next);
  } catch {
    next = undefined;
  }
  if (next !== own) walls.clear();
  own = next;
}

function read(moment, zone) {
  const two = (n) => String(n).padStart(2, "0");
  if (!zone) return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}T${two(moment.getHours())}:${two(moment.getMinutes())}`;
  const { year, month, day, hour, minute } = Object.fromEntries(clock(zone).formatToParts(moment).map(({ type, value }) => [type, value]));
  return `${year}-${month}-${day}T${hour}:${minute}`;
}

/** wallOf is a moment on that clock, or on the one of another zone. @param {Date | string} moment @param {string} [zone] */
export function wallOf(moment, zone) {
  if (typeof moment !== "string" || zone) return read(new Date(moment), zone ?? own);
  let wall = walls.get(moment);
  if (!wall) {
    if (walls.size > 20_000) walls.clear();
    walls.set(moment, wall = read(new Date(moment), own));
  }
  return wall;
}

/** momentOf is the moment at which the clock shows a text; one that it skips is an hour later. @param {string} wall */
export function momentOf(wall) {
  if (!own) return new Date(wall);
  const want = Date.parse(`${wall.slice(0, 16)}Z`);
  let time = want;
  for (let n = 0; n < 2; n++) time += want - Date.parse(`${wallOf(new Date(time))}Z`);
  return new Date(time);
}
