// One document in several editors: every edit arrives everywhere, once.
import type { Page } from "@playwright/test";
import { callApi, createDocument, signUp } from "./support/accounts";
import { commitByKeys, editor, expectText, openDocument, saveState, storedText } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { watchSockets } from "./support/live";

test("two tabs write at the same time, and both show both texts", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Shared", "base");
  const second = await page.context().newPage();
  await Promise.all([openDocument(page, id), openDocument(second, id)]);
  await editor(page).press("Control+Home");
  await editor(second).press("Control+End");
  await Promise.all([page.keyboard.type("above "), second.keyboard.type(" below")]);
  await Promise.all([expectText(page, "above base below"), expectText(second, "above base below")]);
  await Promise.all([page, second].map((tab) => expect(saveState(tab, /^Saved$/)).toBeVisible()));
  expect(await storedText(page, id)).toBe("above base below");
  await page.reload();
  await expectText(page, "above base below");
});

test("a disconnected tab loses nothing and overwrites nothing", async ({ page, problems }) => {
  problems.expect(/ERR_INTERNET_DISCONNECTED/);
  await signUp(page);
  const id = await createDocument(page, "Shared", "base");
  const second = await page.context().newPage();
  const { cutOff, reconnect } = await cutter(second);
  await Promise.all([openDocument(page, id), openDocument(second, id)]);
  await cutOff();
  await editor(second).press("Control+End");
  await second.keyboard.type(" below");
  await expect(saveState(second, /^Offline, \d+ edits on this device$/)).toBeVisible();

  await editor(page).press("Control+Home");
  await page.keyboard.type("above ");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expectText(second, "base below");
  await reconnect();
  await Promise.all([expectText(page, "above base below"), expectText(second, "above base below")]);
  await expect(saveState(second, /^Saved$/)).toBeVisible();
  expect(await storedText(page, id)).toBe("above base below");
});

test("undo reverts local edits and leaves those of the other tab", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Shared", "base");
  const second = await page.context().newPage();
  await Promise.all([openDocument(page, id), openDocument(second, id)]);
  await editor(page).press("Control+Home");
  await page.keyboard.type("mine ");
  await expectText(second, "mine base");
  await editor(second).press("Control+End");
  await second.keyboard.type(" theirs");
  await expectText(page, "mine base theirs");
  await editor(page).press("Control+z");
  await Promise.all([expectText(page, "base theirs"), expectText(second, "base theirs")]);
});

test("a commit contains another owner's edits; a restore reaches their editor", async ({ page, otherPage }) => {
  await signUp(page);
  const id = await createDocument(page, "Shared", "base");
  const other = await otherPage();
  const owner = await signUp(other);
  const { id: ownerId } = await (await callApi(other, "GET", "/me")).json();
  await callApi(page, "PUT", `/documents/${id}/owners/${ownerId}`);
  await Promise.all([openDocument(page, id), openDocument(other, id)]);
  await editor(other).press("Control+End");
  await other.keyboard.type(" theirs");
  await expectText(page, "base theirs");
  await commitByKeys(page, "Both of us");
  await expect(page.getByText("Version 1 saved.")).toBeVisible();
  await editor(other).press("Control+End");
  await other.keyboard.type(" and more");
  await expect(saveState(other, /^Saved$/)).toBeVisible();

  await callApi(page, "POST", `/documents/${id}/versions/1/restore`);
  await Promise.all([expectText(page, "base theirs"), expectText(other, "base theirs")]);
  await page.getByRole("link", { name: "Read", exact: true }).click();
  await expect(page.getByRole("main")).toContainText(owner.username);
});

/**
 * Disconnects one tab; the other one in the context stays connected. Call it before the tab is opened, and then what it
 * returns. A browser that is told to be offline keeps its sockets, so they are cut.
 */
async function cutter(tab: Page): Promise<{ cutOff(): Promise<void>; reconnect(): Promise<void> }> {
  const sockets = await watchSockets(tab);
  const session = await tab.context().newCDPSession(tab);
  const conditions = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
  await session.send("Network.enable");
  return {
    async cutOff() {
      await session.send("Network.emulateNetworkConditions", { offline: true, ...conditions });
      sockets.cut();
    },
    async reconnect() {
      sockets.mend();
      await session.detach();
    },
  };
}
