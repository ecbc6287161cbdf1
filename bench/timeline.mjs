// Opens a timeline in Chromium and seeks in it: `node bench/timeline.mjs URL DOCUMENT LAST`. Signs in as the user that
// the measurement has made, and prints milliseconds as JSON.
import { existsSync } from "node:fs";
import process, { argv, env } from "node:process";
import { chromium } from "@playwright/test";

const [, , url = "", id = "", last = "0"] = argv;
const OPENED = 5;
const SEEKS = 200;
const SYSTEM_CHROMIUM = "/usr/bin/chromium";

const executablePath = env.CHROMIUM_PATH || (existsSync(SYSTEM_CHROMIUM) ? SYSTEM_CHROMIUM : undefined);
const browser = await chromium.launch({
  ...(executablePath ? { executablePath } : {}),
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const opened = [];
  let seeks = { applied: [], painted: [] };
  for (let round = 0; round < OPENED; round++) {
    // Each with an empty cache.
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const data = { login: "reader", password: "green ideas sleep furiously" };
    const answer = await context.request.post(`${url}/api/v1/auth/login`, { data });
    if (!answer.ok()) throw new Error(await answer.text());
    const page = await context.newPage();
    await page.addInitScript(() => {
      const look = () => {
        if (document.querySelector(".timeline[data-phase=ready]")) window.ready = performance.now();
        else requestAnimationFrame(look);
      };
      look();
    });
    await page.goto(`${url}/documents/${id}/timeline`);
    await page.waitForFunction(() => window.ready !== undefined);
    opened.push(await page.evaluate(() => window.ready));
    if (round === OPENED - 1) seeks = await page.evaluate(seek, { count: SEEKS, last: Number(last) });
    await context.close();
  }
  console.log(JSON.stringify({ opened, ...seeks }));
} finally {
  await browser.close();
}
process.exit(0);

/** Moves the slider to random edits; returns how long it took until the text was laid out, and until it was painted. */
async function seek({ count, last }) {
  const slider = document.querySelector("#timeline-slider");
  const text = document.querySelector(".timeline-text");
  const painted = [];
  const applied = [];
  let random = 7;
  for (let round = 0; round < count; round++) {
    random = (random * 1103515245 + 12345) % 2147483648;
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    const start = performance.now();
    slider.value = String(1 + (random % last));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    void text.scrollHeight;
    applied.push(performance.now() - start);
    // The next task after a frame begins once that is painted.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    painted.push(performance.now() - start);
  }
  return { applied, painted };
}
