// Figures of opening, for `make bench`: the first key on a slow network, and a long reading page.
import { createDocument, signUp } from "./support/accounts";
import { row } from "./support/figures";
import { expect, test } from "./support/fixtures";
import { longMarkdown } from "./support/long-text";

/** Slow 4G. */
const NETWORK = { offline: false, latency: 400, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 };

test.describe("opening", { tag: "@figure" }, () => {
  for (const { name, bytes, most } of [
    { name: "20 kB", bytes: 20_000, most: 4 },
    { name: "2 MB", bytes: 2_000_000, most: 8 },
  ]) {
    test(`first key on slow 4G, ${name}`, async ({ page }) => {
      test.setTimeout(120_000);
      await signUp(page);
      const id = await createDocument(page, "Long", longMarkdown(bytes));
      const session = await page.context().newCDPSession(page);
      await session.send("Network.enable");
      await session.send("Network.clearBrowserCache");
      await session.send("Network.emulateNetworkConditions", NETWORK);
      const start = Date.now();
      await page.goto(`/documents/${id}`, { waitUntil: "commit" });
      const text = page.locator(".cm-content[contenteditable=true]");
      await text.waitFor({ timeout: 60_000 });
      await text.focus();
      await page.keyboard.press("Q");
      await expect(page.locator(".cm-line").first()).toContainText("Q");
      const first = (Date.now() - start) / 1_000;
      row(`first key accepted on slow 4G, ${name}`, "", first, "s", most);
      await expect(page.locator(".save-state")).toHaveText("Saved", { timeout: 100_000 });
      row(`and saved, ${name}`, "", (Date.now() - start) / 1_000, "s", 60);
    });
  }

  test("a reading page of 1 MB", async ({ page }) => {
    test.setTimeout(120_000);
    await signUp(page);
    for (const [name, text] of [
      ["blocks of every kind", longMarkdown(1_000_000)],
      ["98,000 blocks", "A line.\n\n".repeat(98_000)],
    ] as const) {
      const id = await createDocument(page, "Long", text);
      const start = Date.now();
      await page.goto(`/documents/${id}/read`, { waitUntil: "commit" });
      // Not by its text, for which Playwright would read all of it.
      await page.locator(".prose p").first().waitFor();
      const visible = Date.now() - start;
      await page.waitForLoadState("load");
      // It answers to scrolling.
      await page.mouse.move(400, 400);
      await page.mouse.wheel(0, 600);
      await page.waitForFunction(() => scrollY > 0);
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      row(`reading page of 1 MB usable, ${name}`, `visible after ${visible} ms`, (Date.now() - start) / 1_000, "s", 2);
    }
  });
});
