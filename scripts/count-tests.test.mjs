import assert from "node:assert/strict";
import { test } from "node:test";
import { countCargo, countNode, countPlaywright, withCrash } from "./count-tests.mjs";

const ok = (/** @type {number} */ n) =>
  `test result: ok. ${n} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n`;

test("adds up the test binaries of cargo", () => {
  assert.deepEqual(countCargo(`running 3 tests\n${ok(3)}running 4 tests\n${ok(4)}`), { passed: 7, failed: 0 });
});

test("counts the failed tests of a red test binary once", () => {
  const log =
    ok(3) +
    "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n" +
    "error: 1 target failed:\n    `-p izanagi --lib`\n";
  assert.deepEqual(countCargo(log), { passed: 7, failed: 2 });
});

test("counts a test binary that died without a result as one failure", () => {
  const log = `${ok(3)}error: 1 target failed:\n    \`-p izanagi --lib\`\n`;
  assert.deepEqual(countCargo(log), { passed: 3, failed: 1 });
});

test("reads the summary of node's test runner in both of its forms", () => {
  assert.deepEqual(countNode("# tests 3\n# pass 2\n# fail 1\n# cancelled 0\n"), { passed: 2, failed: 1 });
  assert.deepEqual(countNode("ℹ tests 3\nℹ pass 2\nℹ fail 0\nℹ cancelled 1\n"), { passed: 2, failed: 1 });
});

test("counts a flaky browser test and an error outside of any test as failures", () => {
  const report = { stats: { expected: 5, unexpected: 1, flaky: 1, skipped: 0 }, errors: [{ message: "no browser" }] };
  assert.deepEqual(countPlaywright(JSON.stringify(report)), { passed: 5, failed: 3 });
});

test("takes a bad exit status without a named failure as a failure", () => {
  assert.deepEqual(withCrash({ passed: 3, failed: 0 }, 101), { passed: 3, failed: 1 });
});

test("takes a suite that ran nothing as a failure", () => {
  assert.deepEqual(withCrash({ passed: 0, failed: 0 }, 0), { passed: 0, failed: 1 });
});

test("leaves the totals of a suite that ended in order as they are", () => {
  assert.deepEqual(withCrash({ passed: 3, failed: 0 }, 0), { passed: 3, failed: 0 });
  assert.deepEqual(withCrash({ passed: 3, failed: 2 }, 101), { passed: 3, failed: 2 });
});
