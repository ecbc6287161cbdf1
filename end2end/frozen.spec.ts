// A page that the browser freezes, or keeps while the user is elsewhere, goes on at once when it is back.
import { createDocument, replaceText, signUp } from "./support/accounts";
import { editor, expectText, openDocument, saveState, storedText, write } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { watchSockets } from "./support/live";
import config from "./playwright.config";

test.use({
  launchOptions: { ...config.use?.launchOptions, ignoreDefaultArgs: ["--disable-back-forward-cache"] },
});

// A browser without a window does not freeze pages, so these are the events that it sends after it has done so.
const EVENTS = {
  "was frozen": () => document.dispatchEvent(new Event("resume")),
  "comes from the back-forward cache": () => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })),
};

for (const [what, event] of Object.entries(EVENTS)) {
  test(`a page that ${what} opens another socket at once`, async ({ page }) => {
    const sockets = await watchSockets(page);
    await signUp(page);
    const id = await createDocument(page, "Frozen", "base");
    await openDocument(page, id);
    await expect(saveState(page, /^Saved$/)).toBeVisible();
    expect(sockets.opened()).toBe(1);
    // The connection has died meanwhile, and nothing said so. This is noticed after 20 s otherwise.
    sockets.silence();
    await replaceText(page, id, "base, changed");
    await page.evaluate(event);
    await expectText(page, "base, changed");
    expect(sockets.opened()).toBe(2);
    await write(page, "!");
    await expect(saveState(page, /^Saved$/)).toBeVisible();
    expect(await storedText(page, id)).toBe("base, changed!");
  });
}

test("going back to an editor shows what has changed, and edits are saved", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Cached", "base");
  await openDocument(page, id);
  await write(page, " mine");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await page.getByRole("link", { name: "History", exact: true }).click();
  await expect(page.getByRole("heading", { name: "No versions yet" })).toBeVisible();
  await replaceText(page, id, "base mine, changed");
  await page.goBack();
  await expect(editor(page)).toBeVisible();
  await expectText(page, "base mine, changed");
  await write(page, "!");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  expect(await storedText(page, id)).toBe("base mine, changed!");
});
