// Figures of typing, for `make bench`: the time from a key to the next paint, with and without the preview.
import type { Page } from "@playwright/test";
import { type Account, createDocument, signUp } from "./support/accounts";
import { editor, openDocument, saveState } from "./support/documents";
import { row } from "./support/figures";
import { expect, test } from "./support/fixtures";
import { connectYjs } from "./support/live";
import { longMarkdown } from "./support/long-text";

const KEYS = 100;
/** About as fast as a practised typist. */
const BETWEEN_MS = 120;

test.describe("typing", { tag: "@figure" }, () => {
  for (const { name, bytes, slowdown } of [
    { name: "20 kB", bytes: 20_000, slowdown: 1 },
    { name: "200 kB", bytes: 200_000, slowdown: 1 },
    { name: "2 MB", bytes: 2_000_000, slowdown: 1 },
    { name: "200 kB, processor ÷4", bytes: 200_000, slowdown: 4 },
  ]) {
    test(name, async ({ page }) => {
      test.setTimeout(300_000);
      await signUp(page);
      const id = await createDocument(page, "Long", longMarkdown(bytes));
      await openDocument(page, id);
      await expect(saveState(page, /^Saved$/)).toBeVisible({ timeout: 60_000 });
      await page.locator("[data-pane=preview] .prose p").first().waitFor();
      if (slowdown > 1) await (await page.context().newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate: slowdown });
      await rest(page);
      const on = await typing(page);
      await page.getByRole("button", { name: "Preview" }).click();
      await rest(page);
      const off = await typing(page);
      row(`key to paint p95, ${name}`, `on ${on.p95} ms, off ${off.p95} ms`, on.p95 / off.p95, "×", 1.2);
      row(`key to paint p50, ${name}`, `on ${on.p50} ms, off ${off.p50} ms`, on.p50 / off.p50, "×", 1.2);
      row(`announcements in ${KEYS} keys, ${name}`, "", on.announcements, "", 2);
    });
  }

  test("1 MB with 10 other writers", async ({ page }) => {
    test.setTimeout(300_000);
    const account = await signUp(page);
    const id = await createDocument(page, "Long", longMarkdown(1_000_000));
    await openDocument(page, id);
    await expect(saveState(page, /^Saved$/)).toBeVisible({ timeout: 60_000 });
    await page.locator("[data-pane=preview] .prose p").first().waitFor();
    const writers = await otherWriters(page, account, id, 10);
    await rest(page);
    const on = await typing(page);
    const written = writers.end();
    await expect(saveState(page, /^Saved$/)).toBeVisible({ timeout: 60_000 });
    row("key to paint p95, 1 MB with 10 other writers", `on ${on.p95} ms, ${written} of their changes`, on.p95, "ms", 60);
  });

  test("paste of 1 MB", async ({ page }) => {
    test.setTimeout(300_000);
    await signUp(page);
    await openDocument(page, await createDocument(page, "Paste", "Before.\n\n"));
    await expect(saveState(page, /^Saved$/)).toBeVisible();
    const text = "A line.\n\n".repeat(111_112);
    await editor(page).press("Control+End");
    const frozen = await page.evaluate(async (text) => {
      const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", text);
      let [longest, last] = [0, await frame()];
      document.activeElement?.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
      const end = performance.now() + 15_000;
      while (performance.now() < end) {
        const now = await frame();
        longest = Math.max(longest, now - last);
        last = now;
      }
      return Math.round(longest);
    }, text);
    row("paste of 1 MB (111,112 blocks): longest frame", "", frozen, "ms", 1_000);
    await expect(saveState(page, /^Saved$/)).toBeVisible({ timeout: 60_000 });
    await rest(page);
    const on = await typing(page);
    await page.getByRole("button", { name: "Preview" }).click();
    await rest(page);
    const off = await typing(page);
    row("key to paint p95 after it", `on ${on.p95} ms, off ${off.p95} ms`, on.p95 / off.p95, "×", 1.2);
  });
});

/** Connects Yjs clients, each of which writes a word at a random place five times a second, until `end`. */
async function otherWriters(page: Page, account: Account, id: string, count: number): Promise<{ end(): number }> {
  const writers = await Promise.all(Array.from({ length: count }, () => connectYjs(page, account, id)));
  let written = 0;
  const timers = writers.map(({ doc }) => {
    const text = doc.getText("content");
    return setInterval(() => text.insert(Math.floor(Math.random() * text.length), `word${(written += 1)} `), 200);
  });
  return {
    end() {
      timers.forEach(clearInterval);
      writers.forEach((writer) => writer.destroy());
      return written;
    },
  };
}

/** Lets the page paint so many frames, which is enough for whatever it does once the text rests. */
async function rest(page: Page, frames = 240): Promise<void> {
  await page.evaluate(async (frames) => {
    for (let left = frames; left > 0; left--) await new Promise((resolve) => requestAnimationFrame(resolve));
  }, frames);
}

interface Typed {
  p50: number;
  p95: number;
  announcements: number;
}

/** Types, and measures the time from each key to the end of the frame that shows it. */
async function typing(page: Page): Promise<Typed> {
  await editor(page).click({ position: { x: 200, y: 100 } });
  await page.evaluate(() => {
    const seen = { times: [] as number[], announcements: 0 };
    Object.assign(window, { seen });
    const painted = () =>
      new Promise<number>((resolve) =>
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => resolve(performance.now());
          port2.postMessage(undefined);
        }),
      );
    const measure = (event: KeyboardEvent) => {
      if (event.key.length === 1) void painted().then((end) => seen.times.push(end - event.timeStamp));
    };
    addEventListener("keydown", measure, { capture: true });
    const observer = new MutationObserver((records) => (seen.announcements += records.length));
    for (const region of document.querySelectorAll("[role=status], [role=alert], [aria-live]")) {
      observer.observe(region, { childList: true, characterData: true, subtree: true });
    }
    Object.assign(window, { stopMeasuring: () => (removeEventListener("keydown", measure, { capture: true }), observer.disconnect()) });
  });
  await page.keyboard.type("all these words are typed at the pace of a person who writes ".repeat(4).slice(0, KEYS), { delay: BETWEEN_MS });
  await rest(page, 150);
  return page.evaluate(() => {
    const { seen, stopMeasuring } = window as unknown as {
      seen: { times: number[]; announcements: number };
      stopMeasuring: () => void;
    };
    stopMeasuring();
    const times = seen.times.toSorted((a, b) => a - b);
    const at = (share: number) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0);
    return { p50: at(0.5), p95: at(0.95), announcements: seen.announcements };
  });
}
