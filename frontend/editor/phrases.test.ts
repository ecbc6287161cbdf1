// The words that CodeMirror shows come from the catalogue, in every language.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const PACKAGES = ["commands", "search", "view"];

test("every phrase of CodeMirror has texts", () => {
  const catalogue = readFileSync("app/src/words/editor.rs", "utf8");
  const known = new Set([...catalogue.matchAll(/phrase\(\s*"([^"]+)"/g)].map(([, key]) => key));
  const used = PACKAGES.flatMap((name) => {
    const source = readFileSync(`node_modules/@codemirror/${name}/dist/index.js`, "utf8");
    return [...source.matchAll(/\bphrase\((?:view, )?"([^"]+)"/g)].map(([, key]) => key);
  });
  assert.ok(used.includes("match case") && used.includes("Go to line"));
  assert.deepEqual(used.filter((key) => !known.has(key)), []);
});
