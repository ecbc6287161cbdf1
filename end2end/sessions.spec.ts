// Staying signed in: renewing an access token after half an hour is unnoticeable.
import type { Page } from "@playwright/test";
import { type Account, callApi, createDocument, signUp } from "./support/accounts";
import { awake, open } from "./support/awake";
import {
  dropFiles,
  editor,
  expectSaved,
  expectText,
  menuButton,
  openDocument,
  saveState,
  storedText,
  toast,
  write,
} from "./support/documents";
import { expect, test } from "./support/fixtures";
import { watchSockets } from "./support/live";

const ACCESS = "izanagi_access";

/** Removes a cookie as if it had expired: the browser then sends only the refresh token. */
async function endAccess(page: Page): Promise<void> {
  await page.context().clearCookies({ name: ACCESS });
}

async function cookie(page: Page, name: string): Promise<string | undefined> {
  return (await page.context().cookies()).find((cookie) => cookie.name === name)?.value;
}

test("reading after the access token has expired does not sign the user out", async ({ page }) => {
  const { username } = await signUp(page);
  const id = await createDocument(page, "Long read", "# Chapter");
  const refresh = await cookie(page, "izanagi_refresh");
  await endAccess(page);
  await open(page, `/documents/${id}/read`);
  await expect(page.getByRole("heading", { name: "Chapter" })).toBeVisible();
  await expect(page.getByText(username).first()).toBeVisible();
  expect(await cookie(page, ACCESS)).toBeTruthy();
  expect(await cookie(page, "izanagi_refresh")).not.toBe(refresh);

  await endAccess(page);
  await page.getByRole("link", { name: "History", exact: true }).click();
  await expect(page.getByRole("heading", { name: "No versions yet" })).toBeVisible();
  expect(await cookie(page, ACCESS)).toBeTruthy();
});

test("an invalid access token is renewed like an expired one", async ({ page, server }) => {
  await signUp(page);
  await page.context().addCookies([{ name: ACCESS, value: "a.b.c", url: server.url }]);
  await open(page, "/documents");
  await expect(page.getByRole("heading", { name: "No documents yet" })).toBeVisible();
  expect(await cookie(page, ACCESS)).not.toBe("a.b.c");
});

test("tabs that renew at the same time all stay signed in", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Many tabs", "text");
  const tabs = [page, await page.context().newPage(), await page.context().newPage()];
  await endAccess(page);
  await Promise.all(tabs.map((tab) => tab.goto(`/documents/${id}/read`)));
  await endAccess(page);
  await Promise.all(tabs.map((tab) => tab.goto("/documents")));
  for (const tab of tabs) await expect(tab.getByRole("link", { name: "Many tabs" })).toBeVisible();
});

test("text typed after the access token has expired is saved", async ({ page, problems }) => {
  problems.expect(/status of 401|WebSocket/);
  const sockets = await watchSockets(page);
  await signUp(page);
  const id = await createDocument(page, "Slow writer", "");
  await openDocument(page, id);
  await write(page, "half an hour");
  await endAccess(page);
  // An open socket lives as long as the session; the next one needs a new token.
  await write(page, " later");
  await expectSaved(page, "4 words");
  sockets.cut();
  await write(page, " or more");
  await expect(saveState(page, /^Offline/)).toBeVisible();
  sockets.mend();
  await expectSaved(page, "6 words");
  expect(await storedText(page, id)).toBe("half an hour later or more");
  expect(await cookie(page, ACCESS)).toBeTruthy();
});

test("a file uploaded after the access token has expired becomes one document", async ({ page, problems }) => {
  problems.expect(/status of 401/);
  await signUp(page);
  await open(page, "/documents");
  await endAccess(page);
  await dropFiles(page, [{ name: "late.md", content: "half an hour later" }]);
  await expect(page.getByRole("list", { name: "Uploads" })).toContainText("Added");
  await expect(page.getByRole("main").getByRole("heading", { level: 2 })).toHaveText(["late"]);
  expect(await cookie(page, ACCESS)).toBeTruthy();
});

test("an upload by a signed-out user is rejected with a reason", async ({ page, problems }) => {
  problems.expect(/status of 401/);
  await signUp(page);
  await open(page, "/documents");
  await callApi(page, "POST", "/auth/logout-all");
  await dropFiles(page, [{ name: "late.md", content: "text" }]);
  await expect(page.getByRole("list", { name: "Uploads" })).toContainText("Sign in");
});

/** Signs in again in the tab that the editor offers. */
async function signInAgain(page: Page, id: string, { username, password }: Account): Promise<void> {
  const opened = page.context().waitForEvent("page");
  await page.getByRole("link", { name: "Sign in again" }).click();
  const second = await opened;
  await second.getByLabel("Username or email").fill(username);
  await second.getByLabel("Password").fill(password);
  await second.getByRole("button", { name: "Sign in" }).click();
  await expect(second).toHaveURL(`/documents/${id}`);
  await awake(second);
  await second.close();
}

/** Types without a connection, and ends the session meanwhile. */
async function writeAndLoseSession(page: Page, id: string, words: string): Promise<void> {
  const sockets = await watchSockets(page);
  await openDocument(page, id);
  sockets.cut();
  await write(page, words);
  await expect(saveState(page, /^Offline/)).toBeVisible();
  await callApi(page, "POST", "/auth/logout-all");
  sockets.mend();
  await expect(saveState(page, "Not saved: sign in again")).toHaveCount(1);
}

test("the editor reports a session ended elsewhere; edits are saved later", async ({ page, problems }) => {
  problems.expect(/status of 401|WebSocket/);
  const account = await signUp(page);
  const id = await createDocument(page, "Interrupted", "");
  await writeAndLoseSession(page, id, "not lost");
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("Your session has ended");
  await expect(alert).toContainText("Your last edits are kept on this device");
  await expect(alert.getByRole("button", { name: "Copy the text" })).toBeVisible();
  await expect(editor(page)).toBeHidden();
  await expect(page).toHaveTitle("Text – Izanagi");
  await alert.getByRole("button", { name: "Try again" }).click();
  await expect(toast(page, "You are not signed in yet.")).toBeVisible();
  await expect(editor(page)).toBeHidden();

  await signInAgain(page, id, account);
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expect(page.getByRole("alert")).toBeHidden();
  await expectText(page, "not lost");
  await expect(page).toHaveTitle("Interrupted – Izanagi");
  expect(await storedText(page, id)).toBe("not lost");
});

test("edits that cannot be stored are reported to be in this tab only", async ({ page, problems }) => {
  problems.expect(/status of 401|WebSocket/);
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("No room", "QuotaExceededError");
    };
  });
  await signUp(page);
  await writeAndLoseSession(page, await createDocument(page, "Full device", ""), "not lost");
  await expect(page.getByRole("alert")).toContainText("Your last edits are kept in this tab only");
});

test("signing out covers what other tabs show", async ({ page, problems }) => {
  problems.expect(/status of 401|WebSocket/);
  const account = await signUp(page);
  const id = await createDocument(page, "Secret plans", "private words");
  const [editing, list] = [await page.context().newPage(), await page.context().newPage()];
  await openDocument(editing, id);
  await expect(saveState(editing, /^Saved$/)).toBeVisible();
  await open(list, "/documents");
  await open(page, "/documents");
  await menuButton(page, account.username).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL("/");

  await expect(list).toHaveURL(/\/login/);
  const alert = editing.getByRole("alert");
  await expect(alert).toContainText("All your edits are saved.");
  await expect(alert).not.toContainText("kept");
  await expect(alert.getByRole("button", { name: "Copy the text" })).toHaveCount(0);
  await expect(editing.getByText("private words").filter({ visible: true })).toHaveCount(0);
  await expect(editing).not.toHaveTitle(/Secret/);

  await signInAgain(editing, id, account);
  await expect(saveState(editing, /^Saved$/)).toBeVisible();
  await expectText(editing, "private words");
});

test("another user of the browser neither sees nor sends unsent edits", async ({ page, problems }) => {
  problems.expect(/status of 401|WebSocket|status of 404/);
  const account = await signUp(page);
  const id = await createDocument(page, "Secret plans", "private");
  await writeAndLoseSession(page, id, " unsent");
  const other = await page.context().newPage();
  await signUp(other);
  await open(other, "/documents");
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("Another account has signed in in this browser");
  await expect(alert.getByRole("button")).toHaveCount(0);
  await expect(editor(page)).toBeHidden();
  await page.reload();
  await expect(page.getByText("unsent")).toHaveCount(0);

  await callApi(other, "POST", "/auth/login", { login: account.email, password: account.password });
  await openDocument(page, id);
  await expectText(page, "private unsent");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  expect(await storedText(page, id)).toBe("private unsent");
});

test("a covered page that tries again as another user says only that", async ({ page, problems }) => {
  problems.expect(/status of 401|WebSocket|status of 404/);
  await signUp(page);
  const id = await createDocument(page, "Secret plans", "private");
  await writeAndLoseSession(page, id, " unsent");
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("Your session has ended");
  // Without a page that tells this one.
  await signUp(page);
  await alert.getByRole("button", { name: "Try again" }).click();
  await expect(alert).toContainText("Another account has signed in in this browser");
  await expect(toast(page, "You are not signed in yet.")).toHaveCount(0);
});

test("a device can be signed out from another, and only that one", async ({ page, otherPage }) => {
  const account = await signUp(page);
  const other = await otherPage({ userAgent: "Firefox/140.0 (Linux)" });
  await callApi(other, "POST", "/auth/login", { login: account.email, password: account.password });
  await open(page, "/settings/sessions");
  const names = page.getByRole("main").getByRole("heading", { level: 2 });
  await expect(names).toHaveText([/this device/, "Firefox 140 on Linux"]);
  await page.getByRole("button", { name: "Sign out Firefox 140 on Linux" }).click();
  await expect(page.getByText("That device is signed out.")).toBeVisible();
  await expect(page.getByRole("main").getByRole("listitem").filter({ hasText: "Firefox 140 on Linux" })).toHaveCount(0);
  await other.goto("/documents");
  await expect(other).toHaveURL("/login?next=/documents");
  await page.reload();
  await expect(page.getByText("this device")).toBeVisible();
});
