// Several people have a restored document open, and add the words back that it lacks: all of them once.
import type { Page } from "@playwright/test";
import { replaceText } from "./support/accounts";
import { panel, setBack } from "./support/damage";
import { editor, expectText, saveState, storedText, write } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { count, shareDocument } from "./support/live";

const LOST = "Ann pays the rent on Monday with cash.";

/** Holds the requests of all pages that add words back, until all of them are on their way. */
async function holdUntilAllAsk(pages: Page[]): Promise<void> {
  let release = () => {};
  const all = new Promise<void>((resolve) => (release = resolve));
  let asked = 0;
  for (const page of pages) {
    await page.route("**/lost-words", async (route) => {
      asked += 1;
      if (asked === pages.length) release();
      await all;
      await route.continue();
    });
  }
}

async function addLatency(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const conditions = { offline: false, latency: 600, downloadThroughput: -1, uploadThroughput: -1 };
  await session.send("Network.emulateNetworkConditions", conditions);
}

for (const [what, isSlow] of [
  ["at the same moment", false],
  ["at the same moment over a slow network", true],
] as const) {
  test(`two people who add the same words back ${what} do not double them`, async ({
    page,
    otherPage,
    server,
    problems,
  }) => {
    test.setTimeout(90_000);
    problems.expect(/ERR_CONNECTION_REFUSED|Failed to load resource|WebSocket/);
    const other = await otherPage();
    const id = await shareDocument(page, other, "Twice", "Intro. ");
    await write(page, LOST);
    for (const one of [page, other]) {
      await expect(saveState(one, /^Saved$/)).toBeVisible();
      await expectText(one, `Intro. ${LOST}`);
    }
    await server.kill();
    await editor(other).press("Control+Home");
    await other.keyboard.type("Unsent. ");
    setBack(server, id);
    await server.start();
    const pages = [page, other];
    for (const one of pages) {
      await expect(panel(one)).toBeVisible({ timeout: 30_000 });
      if (isSlow) await addLatency(one);
    }
    // Another one has gone on with the restored text.
    const taken = "Bob pays the tax on Friday with a card.";
    await replaceText(page, id, `Intro. ${taken}`);
    await holdUntilAllAsk(pages);
    await Promise.all(pages.map((one) => one.getByRole("button", { name: "Add them back" }).click()));
    for (const one of pages) await expect(saveState(one, /^Saved$/)).toBeVisible({ timeout: 30_000 });
    const text = await storedText(page, id);
    for (const words of ["Unsent. ", "Intro. ", LOST, taken]) expect(count(text, words), `${words} in ${text}`).toBe(1);
    for (const one of pages) {
      await expectText(one, text);
      await expect(panel(one)).toHaveCount(0);
    }
    await write(page, " On.");
    await expectText(other, `${text} On.`);
  });
}

test("words that wait since before a reload are added once by two people", async ({
  page,
  otherPage,
  server,
  problems,
}) => {
  test.setTimeout(90_000);
  problems.expect(/ERR_CONNECTION_REFUSED|Failed to load resource|WebSocket/);
  const other = await otherPage();
  const id = await shareDocument(page, other, "Reloaded", "Intro. ");
  await write(page, LOST);
  for (const one of [page, other]) await expectText(one, `Intro. ${LOST}`);
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await server.kill();
  setBack(server, id);
  await server.start();
  const pages = [page, other];
  for (const one of pages) {
    await expect(panel(one)).toContainText("kept on this device", { timeout: 30_000 });
    await one.reload();
    await expect(panel(one)).toContainText("edits of yours from before");
  }
  await holdUntilAllAsk(pages);
  await Promise.all(pages.map((one) => one.getByRole("button", { name: "Add them back" }).click()));
  for (const one of pages) {
    await expect(panel(one)).toHaveCount(0);
    await expectText(one, `Intro. ${LOST}`);
    await expect(saveState(one, /^Saved$/)).toBeVisible();
  }
  expect(await storedText(page, id)).toBe(`Intro. ${LOST}`);
});
