// A document whose editing state is damaged: it can be read, and after a repair an open page goes on. Words that the
// restored text lacks are not lost.
import type { Page } from "@playwright/test";
import { expectAccessible } from "./support/accessibility";
import { createDocument, signUp } from "./support/accounts";
import { copiedText, damageOf, panel, setBack } from "./support/damage";
import { editor, expectText, openDocument, saveState, storedText, write } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { tabTo } from "./support/keyboard";
import type { Server } from "./support/server";
import { expectFits } from "./support/width";

/** Opens a document with the text "base", types " saved words", and has the server forget them. */
async function loseSavedWords(page: Page, server: Server): Promise<string> {
  await signUp(page);
  const id = await createDocument(page, "Restored", "base");
  await openDocument(page, id);
  await write(page, " saved words");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await server.kill();
  setBack(server, id);
  return id;
}

test.beforeEach(({ problems }) => {
  problems.expect(/ERR_CONNECTION_REFUSED|Failed to load resource|WebSocket/);
});

test("a damaged document can be read, and says how it is repaired", async ({ page, server }) => {
  await signUp(page);
  const id = await createDocument(page, "Damaged", "still here");
  await server.stop();
  server.damage(damageOf(id));
  await server.start();
  await page.goto(`/documents/${id}`);
  await expect(page.getByText("izanagi fsck --repair")).toBeVisible();
  await expect(page.getByRole("region", { name: "Text" }).getByText("still here")).toBeVisible();
  await page.goto(`/documents/${id}/read`);
  await expect(page.getByText("still here")).toBeVisible();
  expect(server.takeComplaints().join()).toContain("corrupt_document");
});

test("an open page says that its document is damaged, and goes on after the repair", async ({ page, server }) => {
  test.setTimeout(120_000);
  await signUp(page);
  const id = await createDocument(page, "Damaged", "base");
  await openDocument(page, id);
  await write(page, " saved");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await server.stop();
  server.damage(damageOf(id));
  await server.start();
  await expect(saveState(page, /^Not saved: This document is damaged/)).toBeVisible({ timeout: 30_000 });
  const alert = page.getByRole("alert").filter({ hasText: "izanagi fsck --repair" });
  await expect(alert).toBeVisible();
  await expect(alert).not.toContainText("Your last edits");
  await write(page, " unsent");
  await expect(alert).toContainText("Your last edits are not saved");
  await expect(alert).toContainText("They are kept on this device.");
  expect(await copiedText(page)).toBe("base saved unsent");
  expect(server.takeComplaints().join()).toContain("corrupt_document");
  await server.stop();
  expect(server.command("fsck", "--repair")).toContain("WARNING");
  await server.start();
  await expect(saveState(page, /^Saved$/)).toBeVisible({ timeout: 60_000 });
  await expect(alert).toHaveCount(0);
  await expectText(page, "base saved unsent");
  expect(await storedText(page, id)).toBe("base saved unsent");
});

test("an open page takes its unsent edits along to a restored document", async ({ page, server }) => {
  await signUp(page);
  const id = await createDocument(page, "Restored", "base");
  await openDocument(page, id);
  await editor(page).press("Control+End");
  await page.keyboard.type(" below");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await server.stop();
  await editor(page).press("Control+Home");
  await page.keyboard.type("unsent ");
  await expect(saveState(page, /on this device/)).toBeVisible();
  server.damage(damageOf(id));
  expect(server.command("fsck", "--repair")).toContain("WARNING");
  await server.start();
  await expect(saveState(page, /^Saved$/)).toBeVisible({ timeout: 30_000 });
  await expectText(page, "unsent base below");
  expect(await storedText(page, id)).toBe("unsent base below");
  await page.keyboard.type("again ");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  expect(await storedText(page, id)).toBe("unsent again base below");
  await page.reload();
  await expectText(page, "unsent again base below");
  await editor(page).press("Control+End");
  await page.keyboard.type("!");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  expect(await storedText(page, id)).toBe("unsent again base below!");
});

test("saved words that a restored document lacks stay on the page, and are added back by keyboard", async ({
  page,
  server,
}) => {
  const id = await loseSavedWords(page, server);
  await server.start();
  await expect(panel(page)).toBeVisible({ timeout: 30_000 });
  await expect(saveState(page, /^Not saved: this document was restored/)).toBeVisible();
  await expectText(page, "base saved words");
  expect(await storedText(page, id)).toBe("base");
  await expectAccessible(page);
  await expectFits(page, "what a restored document lacks");
  await write(page, " and more");
  expect(await copiedText(page)).toBe("base saved words and more");

  await editor(page).focus();
  await page.keyboard.press("Escape");
  await tabTo(page, page.getByRole("button", { name: "Add them back" }), "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expect(panel(page)).toHaveCount(0);
  await expectText(page, "base saved words and more");
  expect(await storedText(page, id)).toBe("base saved words and more");
  await write(page, "!");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await page.reload();
  await expectText(page, "base saved words and more!");
  await expect(panel(page)).toHaveCount(0);
});

test("the restored text is used if the user wants that", async ({ page, server }) => {
  const id = await loseSavedWords(page, server);
  await server.start();
  await page.getByRole("button", { name: "Use the restored text" }).click({ timeout: 30_000 });
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expectText(page, "base");
  await write(page, " anew");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  expect(await storedText(page, id)).toBe("base anew");
  await page.reload();
  await expectText(page, "base anew");
  await expect(panel(page)).toHaveCount(0);
});

test("words that a restored document lacks survive a reload of the page", async ({ page, server }) => {
  const id = await loseSavedWords(page, server);
  await write(page, " unsent");
  await server.start();
  await expect(panel(page)).toBeVisible({ timeout: 30_000 });
  await expect(panel(page)).toContainText("kept on this device");
  for (let turn = 0; turn < 2; turn++) {
    await page.reload();
    await expect(panel(page)).toContainText("edits of yours from before");
    await expect(saveState(page, /^Not saved: edits from before/)).toBeVisible();
    await expectText(page, "base");
  }
  expect(await copiedText(page)).toBe("base saved words unsent");
  await page.getByRole("button", { name: "Add them back" }).click();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expectText(page, "base saved words unsent");
  expect(await storedText(page, id)).toBe("base saved words unsent");
  await page.reload();
  await expectText(page, "base saved words unsent");
  await expect(panel(page)).toHaveCount(0);
});

test("words from before a restore can be discarded", async ({ page, server }) => {
  const id = await loseSavedWords(page, server);
  await server.start();
  await expect(panel(page)).toContainText("kept on this device", { timeout: 30_000 });
  await page.reload();
  await page.getByRole("button", { name: "Discard them" }).click();
  await expect(panel(page)).toHaveCount(0);
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await page.reload();
  await expectText(page, "base");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expect(panel(page)).toHaveCount(0);
  expect(await storedText(page, id)).toBe("base");
});

test("unsent edits of a closed tab are added to a restored document", async ({ page, server }) => {
  await signUp(page);
  const id = await createDocument(page, "Closed", "base");
  const tab = await page.context().newPage();
  await openDocument(tab, id);
  await write(tab, " below");
  await expect(saveState(tab, /^Saved$/)).toBeVisible();
  await server.stop();
  await editor(tab).press("Control+Home");
  await tab.keyboard.type("unsent ");
  await expect(saveState(tab, /on this device/)).toBeVisible();
  await expect.poll(() => keptTexts(tab)).toEqual([["base below", "unsent base below"]]);
  await tab.close({ runBeforeUnload: false });
  server.damage(damageOf(id));
  expect(server.command("fsck", "--repair")).toContain("WARNING");
  await server.start();
  await openDocument(page, id);
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expectText(page, "unsent base below");
  await expect.poll(() => storedText(page, id)).toBe("unsent base below");
  await expect.poll(() => keptTexts(page)).toEqual([]);
  await page.reload();
  await expectText(page, "unsent base below");
});

test("two tabs with the same unsent edits add them to a restored document once", async ({ page, server }) => {
  await signUp(page);
  const id = await createDocument(page, "Twice", "base");
  const second = await page.context().newPage();
  await openDocument(page, id);
  // Edits are on this device, but do not arrive.
  await page.routeWebSocket(/\/ws\/yjs\//, (socket) => void socket.close({ code: 1011 }));
  await page.route("**/ops", (route) => route.abort());
  await second.routeWebSocket(/\/ws\/yjs\//, (socket) => void socket.close({ code: 1011 }));
  await second.route("**/ops", (route) => route.abort());
  await page.reload();
  await write(page, " unsent");
  await expect(saveState(page, /on this device/)).toBeVisible();
  await openDocument(second, id);
  await expectText(second, "base unsent");
  await server.stop();
  server.damage(damageOf(id));
  expect(server.command("fsck", "--repair")).toContain("WARNING");
  for (const tab of [page, second]) await tab.unroute("**/ops");
  await server.start();
  for (const tab of [page, second]) {
    await expect(saveState(tab, /^Saved$/)).toBeVisible({ timeout: 45_000 });
    await expectText(tab, "base unsent");
    await expect(tab.getByRole("alert")).toHaveCount(0);
  }
  expect(await storedText(page, id)).toBe("base unsent");
});

/** The texts that this device keeps: as saved, and as the page has them. */
function keptTexts(page: Page): Promise<[string, string][]> {
  return page.evaluate(
    () =>
      new Promise<[string, string][]>((resolve, reject) => {
        const opening = indexedDB.open("izanagi");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const all = opening.result.transaction("texts").objectStore("texts").getAll();
          all.onsuccess = () => {
            resolve(all.result.map(({ base, mine }) => [base, mine]));
            opening.result.close();
          };
        };
      }),
  );
}
