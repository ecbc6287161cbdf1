// The list of documents and the trash, with the browser's half awake.
import { callApi, createDocument, signUp } from "./support/accounts";
import { open } from "./support/awake";
import { editor, expectText, menuButton, saveState, toast } from "./support/documents";
import { expect, test } from "./support/fixtures";

test("opening a document changes neither it nor the list", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Older", "text\r\n");
  await createDocument(page, "Newer", "text");
  const before = await callApi(page, "GET", `/documents/${id}`);
  await open(page, "/documents");
  await page.getByRole("link", { name: "Older", exact: true }).click();
  await expectText(page, "text");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await page.getByRole("link", { name: "Read", exact: true }).click();
  await expect(page.getByRole("article")).toHaveText("text");
  await page.getByRole("link", { name: "Documents", exact: true }).click();
  await expect(page.getByRole("main").getByRole("heading", { level: 2 })).toHaveText(["Newer", "Older"]);
  const after = await callApi(page, "GET", `/documents/${id}`);
  expect(after.headers()["etag"]).toBe(before.headers()["etag"]);
  expect(await after.json()).toEqual(await before.json());
});

test("leaving the editor before it has loaded harms nothing", async ({ page }) => {
  await signUp(page);
  await createDocument(page, "Plans", "text");
  await open(page, "/documents");
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route("**/editor.js", async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole("link", { name: "Plans", exact: true }).click();
  await expect(page).toHaveTitle("Plans – Izanagi");
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Documents" })).toBeVisible();
  const loaded = page.waitForResponse("**/editor.js");
  letGo();
  await (await loaded).finished();
  await page.getByRole("link", { name: "Plans", exact: true }).click();
  await expectText(page, "text");
});

test("a search is an address: one can go back to it", async ({ page }) => {
  await signUp(page);
  for (const title of ["Zebra", "Ants", "Zoo"]) await createDocument(page, title, "");
  await open(page, "/documents");
  const titles = page.getByRole("main").getByRole("heading", { level: 2 });
  await page.getByRole("link", { name: "Title", exact: true }).click();
  await expect(titles).toHaveText(["Ants", "Zebra", "Zoo"]);
  await page.getByLabel("Search documents").fill("z");
  await page.getByLabel("Search documents").press("Enter");
  await expect(titles).toHaveText(["Zebra", "Zoo"]);
  await expect(page).toHaveURL(/query=z&sort=title/);
  await titles.first().getByRole("link").click();
  await expect(page).toHaveTitle("Zebra – Izanagi");
  await page.goBack();
  await expect(titles).toHaveText(["Zebra", "Zoo"]);
  await page.goBack();
  await expect(titles).toHaveText(["Ants", "Zebra", "Zoo"]);
  await expect(page.getByLabel("Search documents")).toHaveValue("");
});

test("a document goes to the trash, comes back by undo, and is deleted only when asked twice", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Plans", "text");
  await open(page, "/documents");
  const trash = async () => {
    await menuButton(page, "Actions for Plans").click();
    await page.getByRole("button", { name: "Move to trash" }).click();
    await expect(page.getByRole("heading", { name: "No documents yet" })).toBeVisible();
  };
  await trash();
  await toast(page, "“Plans” was moved to the trash.").getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("link", { name: "Plans", exact: true })).toBeVisible();
  await trash();
  await page.getByRole("link", { name: "Trash", exact: true }).click();
  await menuButton(page, "Delete for ever").click();
  await expect(page.getByText("every version of it will be gone")).toBeVisible();
  await callApi(page, "GET", `/documents/${id}`);
  await page.getByRole("button", { name: "Yes, delete it for ever" }).click();
  await expect(page.getByRole("heading", { name: "The trash is empty" })).toBeVisible();
  expect((await page.request.get(`/api/v1/documents/${id}`)).status()).toBe(404);
});

test("a document in the trash can be read in its editor, and changed once it is back", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Plans", "text");
  await callApi(page, "DELETE", `/documents/${id}`);
  await page.clock.install();
  await open(page, `/documents/${id}`);
  await expectText(page, "text");
  await editor(page).press("x");
  await expectText(page, "text");
  // Long enough for anything that the page does now and then.
  await page.clock.fastForward(60_000);
  await expect(saveState(page, "Read only")).toBeVisible();
  await page.getByRole("button", { name: "Restore" }).click();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await editor(page).press("x");
  await expectText(page, "xtext");
});
