// What happens to typed text when something is in the way: no network, a dead server, a lost right, a deleted document,
// a proxy without sockets.
import { callApi, createDocument, signUp } from "./support/accounts";
import { editor, expectText, openDocument, saveState, storedText, write } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { blockSockets, count, expectOthers, shareDocument, userId } from "./support/live";

const DOWN = /ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED|INTERNET_DISCONNECTED)|WebSocket/;

test("text typed while the server is dead survives a reload of the page, and is saved once", async ({
  page,
  server,
  problems,
}) => {
  problems.expect(DOWN);
  // The preview may be loading its files.
  problems.expect(/Failed to fetch[^]*preview-worker/);
  await signUp(page);
  const id = await createDocument(page, "Reloaded", "base");
  await openDocument(page, id);
  await server.kill();
  await write(page, " offline");
  await expect(saveState(page, "Offline, 8 edits on this device")).toBeVisible();
  // There is no page without a server; the tab is left and comes back later.
  await page.reload().catch(() => {});
  await server.start();
  await openDocument(page, id);
  await expectText(page, "base offline");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  expect(await storedText(page, id)).toBe("base offline");
});

test("a server that is killed and restarted while two people write loses and doubles nothing", async ({
  page,
  otherPage,
  server,
  problems,
}) => {
  test.setTimeout(120_000);
  problems.expect(DOWN);
  const other = await otherPage();
  const id = await shareDocument(page, other, "Killed", "");
  await Promise.all([editor(page).focus(), editor(other).focus()]);
  const words = (who: string) => Array.from({ length: 40 }, (_, index) => `${who}${index};`);
  const typing = [
    page.keyboard.type(words("a").join(""), { delay: 15 }),
    other.keyboard.type(words("b").join(""), { delay: 15 }),
  ];
  await expect.poll(() => editor(page).textContent()).toContain("a5;");
  await server.kill();
  await server.start();
  await Promise.all(typing);
  for (const tab of [page, other]) await expect(saveState(tab, /^Saved$/)).toBeVisible({ timeout: 45_000 });
  const text = await storedText(page, id);
  for (const letters of ["a", "b"]) {
    expect(text.replace(/[^\d;ab]/g, "").length).toBe(text.length);
    const typed = [...text].filter((letter) => letter === letters).length;
    expect(typed).toBe(40);
  }
  expect(count(text, ";")).toBe(80);
  await Promise.all([expectText(page, text), expectText(other, text)]);
});

test("a right that is taken away while typing is explained at once, and the text can be copied", async ({
  page,
  otherPage,
  problems,
}) => {
  problems.expect(/status of 40[34]|WebSocket/);
  const other = await otherPage();
  const id = await shareDocument(page, other, "Taken", "base");
  await write(other, " kept");
  await expect(saveState(other, /^Saved$/)).toBeVisible();
  await callApi(page, "DELETE", `/documents/${id}/owners/${await userId(other)}`);
  const typing = other.keyboard.type(" and unsaved", { delay: 30 });
  const alert = other.getByRole("alert").filter({ hasText: /no longer (edit|see)|deleted/ });
  await expect(alert).toBeVisible({ timeout: 2_000 });
  await typing;
  await expect(editor(other)).toContainText("base kept");
  await other.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await alert.getByRole("button", { name: "Copy the text" }).click();
  const copied = await other.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain("base kept");
  await expect(saveState(other, /^Not saved/)).toBeVisible();
});

test("a document that is moved to the trash while typing says so, and goes on after it is restored", async ({
  page,
  otherPage,
  problems,
}) => {
  problems.expect(/status of 40\d|WebSocket/);
  const other = await otherPage();
  const id = await shareDocument(page, other, "Trashed", "base");
  await callApi(other, "DELETE", `/documents/${id}`);
  const alert = page.getByRole("alert").filter({ hasText: "moved to the trash" });
  await expect(alert).toBeVisible({ timeout: 2_000 });
  await write(page, " more");
  await expect(saveState(page, "Not saved: the document is in the trash.")).toBeVisible();
  await alert.getByRole("button", { name: "Restore" }).click();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  expect(await storedText(page, id)).toBe("base more");
});

test("a document that is deleted for good while typing says so, and the text can be copied", async ({
  page,
  otherPage,
  problems,
}) => {
  problems.expect(/status of 40\d|WebSocket/);
  const other = await otherPage();
  const id = await shareDocument(page, other, "Purged", "base");
  await callApi(other, "DELETE", `/documents/${id}`);
  const trashed = page.getByRole("alert").filter({ hasText: "moved to the trash" });
  await expect(trashed).toBeVisible({ timeout: 2_000 });
  await callApi(other, "DELETE", `/documents/${id}?permanent=true`);
  await trashed.getByRole("button", { name: "Try again" }).click();
  const alert = page.getByRole("alert").filter({ hasText: "This document was deleted" });
  await expect(alert).toBeVisible();
  await expect(alert.getByRole("button", { name: "Copy the text" })).toBeVisible();
  await expect(editor(page)).toContainText("base");
});

test("where sockets are blocked, edits travel over HTTP, both ways", async ({ page, otherPage, problems }) => {
  problems.expect(/WebSocket/);
  const other = await otherPage();
  await blockSockets(page);
  const id = await shareDocument(page, other, "Blocked", "base");
  await write(page, " mine");
  await expect(saveState(page, /^Saved$/)).toBeVisible({ timeout: 15_000 });
  expect(await storedText(page, id)).toBe("base mine");
  await expectText(other, "base mine");
  await editor(other).press("Control+Home");
  await other.keyboard.type("theirs ");
  await expectText(page, "theirs base mine");
  await callApi(other, "PATCH", `/documents/${id}`, { title: "Renamed" });
  await expect(page.getByLabel("Title", { exact: true })).toHaveValue("Renamed");
});

test("a socket is tried again every minute", async ({ page, otherPage, problems }) => {
  problems.expect(/WebSocket/);
  await page.clock.install();
  const allow = await blockSockets(page);
  const other = await otherPage();
  const id = await shareDocument(page, other, "Later", "base");
  await editor(page).press("Control+End");
  await page.keyboard.type(" mine");
  await expect(async () => {
    await page.clock.runFor(1_000);
    expect(await storedText(page, id)).toBe("base mine");
  }).toPass({ timeout: 30_000 });
  allow();
  await editor(other).press("Control+Home");
  await page.clock.runFor(61_000);
  await expect(async () => {
    await page.clock.runFor(1_000);
    // Only a socket shows people.
    await expectOthers(page);
  }).toPass({ timeout: 30_000 });
});

test("edits that are not saved for long are noticed, more clearly after 30 seconds", async ({ page, problems }) => {
  problems.expect(/ERR_FAILED|WebSocket/);
  await page.clock.install();
  await blockSockets(page);
  await signUp(page);
  await openDocument(page, await createDocument(page, "Stuck", ""));
  await page.route("**/api/v1/documents/*/ops", (route) => route.abort());
  await editor(page).press("Control+End");
  await page.keyboard.type("unsaved");
  const notice = page.locator(".unsaved-notice");
  // Without words it takes no room.
  expect((await notice.boundingBox())?.height).toBe(0);
  // The clock goes on by itself too.
  await page.clock.runFor(5_000);
  await expect(notice.locator("p")).toBeEmpty();
  await page.clock.runFor(10_000);
  await expect(notice).toContainText("have not been saved for 15 seconds");
  // It is below the text and takes no focus.
  await expect(editor(page)).toBeFocused();
  await page.clock.runFor(15_000);
  await expect(notice).toContainText("more than 30 seconds");
  await expect(notice.getByRole("button", { name: "Copy the text" })).toBeVisible();
  await page.unroute("**/api/v1/documents/*/ops");
  await expect(async () => {
    await page.clock.runFor(5_000);
    await expect(saveState(page, /^Saved$/)).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 30_000 });
  await expect(notice.locator("p")).toBeEmpty();
});

test("a page says at once that there is no network, and goes on at once when it is back", async ({ page, problems }) => {
  problems.expect(DOWN);
  await signUp(page);
  const id = await createDocument(page, "Offline", "base");
  await openDocument(page, id);
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await page.context().setOffline(true);
  await expect(saveState(page, /^Offline/)).toBeVisible({ timeout: 2_000 });
  await write(page, " typed");
  await page.context().setOffline(false);
  await expect(saveState(page, /^Saved$/)).toBeVisible({ timeout: 10_000 });
  expect(await storedText(page, id)).toBe("base typed");
});

test("edits that a server does not acknowledge are said not to be saved", async ({ page, server, problems }) => {
  test.setTimeout(90_000);
  problems.expect(DOWN);
  await signUp(page);
  const id = await createDocument(page, "Frozen", "base");
  await openDocument(page, id);
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  server.freeze();
  await write(page, " typed");
  await expect(saveState(page, /^Saving…$/)).toBeVisible();
  await expect(saveState(page, /^Not saved yet…$/)).toBeVisible({ timeout: 7_000 });
  await expect(page.getByText("have not been saved for 15 seconds")).toBeVisible({ timeout: 15_000 });
  await expect(saveState(page, /^Offline, 6 edits on this device$/)).toBeVisible({ timeout: 30_000 });
  server.thaw();
  await expect(saveState(page, /^Saved$/)).toBeVisible({ timeout: 30_000 });
  expect(await storedText(page, id)).toBe("base typed");
});
