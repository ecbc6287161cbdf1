// axe finds no violations on any page, in either theme, in any state.
import { expectAccessible } from "./support/accessibility";
import { callApi, createDocument, signUp } from "./support/accounts";
import { open } from "./support/awake";
import { dropFiles, menuButton, openDocument, saveState, toast, write } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { blockSockets } from "./support/live";
import { EMPTY_PAGES, makeSample, OPEN_PAGES, openSample, SAMPLE_PAGES } from "./support/sample";

const OPEN_MENU = "details.menu[open]";

for (const [name, path] of Object.entries(OPEN_PAGES)) {
  test(`${name}, signed out`, async ({ page }) => {
    await open(page, path);
    await expectAccessible(page);
  });
}

for (const [name, path] of Object.entries(EMPTY_PAGES)) {
  test(name, async ({ page }) => {
    await signUp(page);
    await open(page, path);
    await expectAccessible(page);
  });
}

for (const name of SAMPLE_PAGES) {
  test(name, async ({ page }) => {
    await openSample(page, await makeSample(page), name);
    await expectAccessible(page);
  });
}

test("a history without versions", async ({ page }) => {
  await signUp(page);
  await open(page, `/documents/${await createDocument(page, "New", "")}/history`);
  await expectAccessible(page);
});

test("a public document, signed out", async ({ page }) => {
  const { id, pages } = await makeSample(page);
  await callApi(page, "PATCH", `/documents/${id}`, { isPublic: true });
  await page.context().clearCookies();
  await open(page, pages.reading);
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
  await expectAccessible(page);
});

test("rejected forms", async ({ page, problems }) => {
  problems.expect(/status of 4(01|22)/);
  await open(page, "/login");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expectAccessible(page);
  await open(page, "/signup");
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expectAccessible(page);
});

test("menus, confirmations and toasts", async ({ page }) => {
  const { pages } = await makeSample(page);
  await open(page, "/documents");
  for (const menu of ["New document", "account menu", "Actions for Ferry times"]) {
    await page.keyboard.press("Escape");
    await menuButton(page, menu).click();
    await expectAccessible(page, OPEN_MENU);
  }
  await page.getByRole("button", { name: "Move to trash" }).click();
  await expect(toast(page, "“Ferry times” was moved to the trash.")).toBeVisible();
  await expectAccessible(page);
  await open(page, pages.version);
  await menuButton(page, "Restore this version").click();
  await expectAccessible(page, OPEN_MENU);
});

test("uploads in progress, completed and rejected", async ({ page, problems }) => {
  problems.expect(/status of 422/);
  await signUp(page);
  await open(page, "/documents");
  const held: (() => Promise<void>)[] = [];
  await dropFiles(page, [
    { name: "good.md", content: "good" },
    { name: "bad.txt", content: Buffer.from([0xff]) },
  ]);
  await expect(page.getByText("is not UTF-8 text")).toBeVisible();
  await page.route("**/api/v1/documents/upload", (route) => void held.push(() => route.continue()));
  await dropFiles(page, [{ name: "slow.md", content: "slow" }]);
  await expect(page.getByRole("progressbar", { name: "slow.md" })).toBeVisible();
  await expectAccessible(page);
  for (const go of held) await go();
});

test("the editor: committing and problems", async ({ page, problems }) => {
  problems.expect(/status of 422/);
  await blockSockets(page);
  const { id } = await makeSample(page);
  await openDocument(page, id);
  await page.keyboard.press("Control+s");
  await expect(page.getByRole("dialog", { name: "Commit" })).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await page.route("**/ops", (route) => route.fulfill({ status: 422, json: {} }));
  await write(page, "refused");
  await expect(saveState(page, /^Not saved/)).toBeVisible();
  await expectAccessible(page);
});

test.describe("pages that cannot be shown", () => {
  test("an unknown address", async ({ page, problems }) => {
    problems.expect(/status of 404/);
    for (const path of ["/nowhere", "/documents/00000000-0000-7000-8000-000000000000"]) {
      await signUp(page);
      expect((await open(page, path))?.status()).toBe(404);
      await expectAccessible(page);
    }
  });

  test("another user's document", async ({ page, otherPage, problems }) => {
    problems.expect(/status of 404/);
    const { pages } = await makeSample(page);
    const other = await otherPage();
    await signUp(other);
    expect((await open(other, pages.reading))?.status()).toBe(404);
    await expect(other.getByRole("heading", { name: "There is nothing at this address" })).toBeVisible();
    await expectAccessible(other);
  });

  test("a cross-site form", async ({ page, problems, server }) => {
    problems.expect(/status of 403/);
    await page.setContent(`<form method="post" action="${server.url}/fn/accounts/sign-out"><button>Go</button></form>`);
    await page.getByRole("button", { name: "Go" }).click();
    await expect(page.getByText("Error 403")).toBeVisible();
    await expect(page.getByRole("heading", { name: "Cross-site request" })).toBeVisible();
    await expectAccessible(page);
  });
});
