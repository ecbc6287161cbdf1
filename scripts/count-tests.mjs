// Reads a suite's own totals from what it printed: `node scripts/count-tests.mjs FORMAT LOG STATUS` prints
// "PASSED FAILED". What did not come to an end (a crash, a build error, nothing run) counts as one failure.
import { readFileSync } from "node:fs";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";

/** @typedef {{ passed: number, failed: number }} Totals */

/**
 * `cargo test --no-fail-fast`: one result line a test binary, and at the end a list of the binaries that failed,
 * among them those that died before they could print a result.
 *
 * @param {string} log
 * @returns {Totals}
 */
export function countCargo(log) {
  const totals = { passed: 0, failed: 0 };
  let red = 0;
  for (const [, word, passed, failed] of log.matchAll(
    /^test result: (ok|FAILED)\. (\d+) passed; (\d+) failed;/gm,
  )) {
    totals.passed += Number(passed);
    totals.failed += Number(failed);
    if (word === "FAILED") red += 1;
  }
  const listed = Number(log.match(/^error: (\d+) targets? failed:$/m)?.[1] ?? 0);
  totals.failed += Math.max(0, listed - red);
  return totals;
}

/**
 * `node --test`: a summary whose lines begin with "#" or "ℹ", by reporter.
 *
 * @param {string} log
 * @returns {Totals}
 */
export function countNode(log) {
  /** @param {string} word */
  const last = (word) => Number([...log.matchAll(RegExp(`^(?:#|ℹ) ${word} (\\d+)$`, "gm"))].at(-1)?.[1] ?? 0);
  return { passed: last("pass"), failed: last("fail") + last("cancelled") };
}

/**
 * Playwright's JSON report. A test that passed only when repeated is a failure here.
 *
 * @param {string} report
 * @returns {Totals}
 */
export function countPlaywright(report) {
  const { stats, errors } = JSON.parse(report);
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky + errors.length };
}

/**
 * A suite that ended badly without naming a failure, or that ran no test, has failed all the same.
 *
 * @param {Totals} totals
 * @param {number} status the exit status of the suite
 * @returns {Totals}
 */
export function withCrash(totals, status) {
  const silent = totals.failed === 0 && (status !== 0 || totals.passed === 0);
  return silent ? { ...totals, failed: 1 } : totals;
}

/**
 * @param {string} format
 * @param {string} log path of the log
 * @returns {Totals}
 */
function read(format, log) {
  try {
    switch (format) {
      case "cargo":
        return countCargo(readFileSync(log, "utf8"));
      case "node":
        return countNode(readFileSync(log, "utf8"));
      case "playwright":
        return countPlaywright(readFileSync(log.replace(/\.log$/, ".json"), "utf8"));
      default:
        throw new Error(`unknown format ${format}`);
    }
  } catch (error) {
    console.error(`no totals in ${log}: ${error}`);
    return { passed: 0, failed: 1 };
  }
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) {
  const [, , format = "", log = "", status = "1"] = argv;
  const { passed, failed } = withCrash(read(format, log), Number(status));
  console.log(passed, failed);
}
