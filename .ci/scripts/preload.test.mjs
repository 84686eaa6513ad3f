// What the page needs at its first paint is preloaded, and nothing else.
//   node --test .ci/scripts/

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (name) => readFileSync(new URL(`../../web/static/${name}`, import.meta.url), "utf8");

test("index.html preloads the modules that app.js imports at once", () => {
  const needed = new Set(["app.js"]);
  for (const name of needed) for (const [, next] of read(name).matchAll(/^(?:import|export)\b[^"]*"\.\/([\w-]+\.js)";$/gm)) needed.add(next);
  needed.delete("app.js");
  const preloaded = [...read("index.html").matchAll(/rel="modulepreload" href="\{\{static\}\}\/([\w-]+\.js)"/g)].map(([, name]) => name);
  assert.deepEqual(preloaded.toSorted(), [...needed].toSorted());
});
