// Browser tests: the release binary and its site, in Chromium. `make test` builds both first.
import { existsSync } from "node:fs";
import { defineConfig, devices } from "@playwright/test";

const SYSTEM_CHROMIUM = "/usr/bin/chromium";
// Measurements, which `make bench` runs with FIGURES=1.
const FIGURE = /@figure/;
const LOGS = "../target/test-logs";
/** The name of the run, so that none overwrites the report of another. */
const REPORT = process.env["REPORT"] || "browser";

// Prefer an installed browser, because downloading Playwright's own fails without internet access.
const executablePath = process.env["CHROMIUM_PATH"] || (existsSync(SYSTEM_CHROMIUM) ? SYSTEM_CHROMIUM : undefined);

const desktop = { ...devices["Desktop Chrome"], viewport: { width: 1280, height: 800 } };

/** Without traces, which copy the page at each step. */
const measured = { ...desktop, trace: "off", screenshot: "off" } as const;

export default defineConfig({
  testDir: ".",
  // Those of sockets are tests of Node, which would run as soon as they are loaded.
  testMatch: "*.spec.ts",
  outputDir: `${LOGS}/${REPORT}`,
  fullyParallel: true,
  workers: 2,
  // No retries: a flaky test is a bug.
  retries: 0,
  forbidOnly: Boolean(process.env["CI"]),
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"], ["json", { outputFile: `${LOGS}/${REPORT}.json` }]],
  use: {
    // Without screenshots, which are slow on a small machine.
    trace: { mode: "retain-on-failure", screenshots: false },
    screenshot: "only-on-failure",
    locale: "en-GB",
    timezoneId: "UTC",
    launchOptions: {
      ...(executablePath ? { executablePath } : {}),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
      ],
    },
  },
  projects: [
    ...(process.env["FIGURES"] ? [{ name: "figures", grep: FIGURE, use: measured }] : []),
    { name: "desktop", grepInvert: FIGURE, use: desktop },
    {
      // Tests tagged @phone run here too.
      name: "phone",
      grep: /@phone/,
      use: { ...devices["Desktop Chrome"], viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    },
  ],
});
