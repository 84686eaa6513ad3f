// The clock of the account's time zone, wherever the browser is.
//   TZ=America/Lima node --test .ci/scripts/zone.test.mjs
import { strict as assert } from "node:assert";
import { test } from "node:test";

const { momentOf, useZone, wallOf, zoneName, zoneOf } = await import("../../web/static/zone.js");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
const away = here === "Pacific/Kiritimati" ? "Pacific/Niue" : "Pacific/Kiritimati";

test("moments are those of the account", () => {
  useZone("Europe/Berlin");
  assert.equal(wallOf("2026-11-30T23:30:00Z"), "2026-12-01T00:30");
  assert.equal(wallOf(new Date("2026-06-30T22:05:59Z")), "2026-07-01T00:05");
  assert.equal(wallOf("2026-11-30T23:30:00Z", "America/Lima"), "2026-11-30T18:30");
  useZone("America/Lima");
  assert.equal(wallOf("2026-11-30T23:30:00Z"), "2026-11-30T18:30", "nothing is kept of another zone");
});

test("a text is the moment at which the clock shows it", () => {
  for (const zone of ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", away]) {
    useZone(zone);
    for (let time = Date.UTC(2026, 0, 1); time < Date.UTC(2027, 0, 1); time += 7.25 * 3_600_000) {
      const wall = wallOf(new Date(time));
      assert.equal(wallOf(momentOf(wall)), wall, `${zone} ${wall}`);
    }
  }
  useZone("Europe/Berlin");
  assert.equal(wallOf(momentOf("2026-03-29T02:30")), "2026-03-29T03:30", "an hour that the clock skips");
});

test("without a zone, or with one that nobody knows, it is the browser's clock", () => {
  for (const zone of [undefined, here, "Atlantis/Poseidonis"]) {
    useZone("Europe/Berlin");
    useZone(zone);
    assert.equal(zoneOf(), undefined);
    assert.equal(zoneName(), here);
    const now = new Date(2026, 10, 30, 9, 5);
    assert.equal(wallOf(now), "2026-11-30T09:05");
    assert.equal(momentOf("2026-11-30T09:05").getTime(), now.getTime());
  }
});
