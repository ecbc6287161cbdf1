// The title of a document: sent until it is stored, and shown in every editor of the document.
import type { Page } from "@playwright/test";
import { callApi, createDocument, signUp } from "./support/accounts";
import { editor, openDocument, saveState, toast } from "./support/documents";
import { expect, test } from "./support/fixtures";

const EDIT = "**/fn/documents/edit";

const title = (page: Page) => page.getByLabel("Title", { exact: true });

async function storedTitle(page: Page, id: string): Promise<string> {
  return (await (await callApi(page, "GET", `/documents/${id}`)).json()).title;
}

test("a title that does not reach the server is sent until it does", async ({ page, problems }) => {
  problems.expect(/ERR_FAILED/);
  await signUp(page);
  const id = await createDocument(page, "Old", "text");
  await openDocument(page, id);
  let attempts = 0;
  await page.route(EDIT, (route) => {
    attempts += 1;
    return attempts <= 2 ? route.abort() : route.continue();
  });
  await title(page).fill("New");
  await title(page).press("Enter");
  await expect(saveState(page, "Offline, 1 edit in this tab only")).toBeVisible();
  await expect(toast(page, "Renamed to “New”.")).toBeVisible();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  expect(attempts).toBe(3);
  expect(await storedTitle(page, id)).toBe("New");
});

test("the newest of several titles is stored", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Old", "text");
  await openDocument(page, id);
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route(
    EDIT,
    async (route) => {
      await held;
      await route.continue();
    },
    { times: 1 },
  );
  for (const words of ["First", "Second", "Old"]) {
    await title(page).fill(words);
    await title(page).press("Enter");
  }
  await expect(saveState(page, "Saving…")).toBeVisible();
  letGo();
  await expect(toast(page, "“Old”")).toBeVisible();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  expect(await storedTitle(page, id)).toBe("Old");
});

test("a rejected title is not sent again by itself", async ({ page, problems }) => {
  problems.expect(/status of 422/);
  await signUp(page);
  await openDocument(page, await createDocument(page, "Old", "text"));
  let attempts = 0;
  const problem = { type: "about:blank", title: "No", status: 422, code: "full_moon", detail: "It is full moon." };
  await page.route(EDIT, (route) => {
    attempts += 1;
    return route.fulfill({ status: 422, json: { ...problem, requestId: "1" } });
  });
  await title(page).fill("New");
  await title(page).press("Enter");
  await expect(toast(page, "It is full moon.")).toBeVisible();
  await expect(title(page)).toHaveAttribute("aria-invalid", "true");
  await expect(title(page)).toHaveValue("New");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await editor(page).press("x");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  expect(attempts).toBe(1);
});

test("another tab shows a new title at once, but keeps what is typed there", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Old", "text");
  const [second, third] = [await page.context().newPage(), await page.context().newPage()];
  // Told by the first tab, not by the server.
  for (const tab of [second, third]) await tab.route("**/fn/documents/details?*", (route) => route.abort());
  for (const tab of [page, second, third]) await openDocument(tab, id);
  await title(third).fill("Half");
  await title(page).fill("New");
  await title(page).press("Enter");
  await expect(title(second)).toHaveValue("New");
  await expect(second).toHaveTitle("New – Izanagi");
  await expect(third).toHaveTitle("New – Izanagi");
  await expect(title(third)).toHaveValue("Half");
  for (const tab of [second, third]) await tab.unroute("**/fn/documents/details?*");
});

test("a title changed elsewhere appears in the editor", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Old", "text");
  await openDocument(page, id);
  await callApi(page, "PATCH", `/documents/${id}`, { title: "New" });
  await expect(title(page)).toHaveValue("New");
  await expect(page).toHaveTitle("New – Izanagi");
  await expect(page.getByRole("heading", { name: "Edit “New”" })).toBeAttached();
});
