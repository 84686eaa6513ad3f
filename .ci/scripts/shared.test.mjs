// What other apps share, as text for the add field.
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { sharedIn } from "../../web/static/shared.js";

for (const [search, text, add] of [
  ["", undefined, false],
  ["?share_title=&share_text=&share_url=", undefined, false],
  ["?add", undefined, true],
  ["?add=", undefined, true],
  ["?share_text=Milk", "Milk", true],
  ["?share_title=A+page&share_url=https%3A%2F%2Fexample.com%2F", "A page https://example.com/", true],
  ["?share_title=A+page&share_text=A+page+https%3A%2F%2Fexample.com%2F&share_url=https%3A%2F%2Fexample.com%2F", "A page https://example.com/", true],
  ["?share_title=Same&share_text=Same", "Same", true],
  ["?share_text=one%0Atwo%09three", "one two three", true],
  ["?share_text=%3Cimg+src%3Dx%3E", "<img src=x>", true],
  ["?share_text=%FF%zz", "\ufffd%zz", true],
  ["?other=1", undefined, false],
]) test(search || "nothing", () => assert.deepEqual(sharedIn(search), { text, add }));

test("a text that is too long", () => {
  const { text } = sharedIn(`?share_text=${"😀".repeat(3000)}`);
  assert.equal(Array.from(text).length, 2000);
  assert.ok(text.isWellFormed());
});
