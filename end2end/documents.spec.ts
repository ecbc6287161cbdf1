// The list of documents and the trash, with JavaScript.
import { callApi, commit, createDocument, replaceText, signUp } from "./support/accounts";
import { awake, open } from "./support/awake";
import { editor, expectText, menuButton, openDocument, saveState, storedText, toast } from "./support/documents";
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

test("leaving the editor before it has loaded causes no errors", async ({ page }) => {
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
  letGo();
  await page.getByRole("link", { name: "Plans", exact: true }).click();
  await expectText(page, "text");
});

test("a search has a URL that the Back button returns to", async ({ page }) => {
  await signUp(page);
  for (const title of ["Zebra", "Ants", "Zoo"]) await createDocument(page, title, "");
  await open(page, "/documents");
  const titles = page.getByRole("main").getByRole("heading", { level: 2 });
  await page.getByRole("link", { name: "Title", exact: true }).click();
  await expect(titles).toHaveText(["Ants", "Zebra", "Zoo"]);
  await page.getByLabel("Search documents").fill("z");
  await page.getByLabel("Search documents").press("Enter");
  await expect(titles).toHaveText(["Zebra", "Zoo"]);
  await expect(page).toHaveURL("/documents?query=z&sort=title");
  await titles.first().getByRole("link").click();
  await expect(page).toHaveTitle("Zebra – Izanagi");
  await page.goBack();
  await expect(titles).toHaveText(["Zebra", "Zoo"]);
  await page.goBack();
  await expect(titles).toHaveText(["Ants", "Zebra", "Zoo"]);
  await expect(page.getByLabel("Search documents")).toHaveValue("");
  // Only non-default parameters are in the URL.
  await expect(page).toHaveURL("/documents?sort=title");
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page).toHaveURL("/documents?sort=title");
  await page.getByRole("link", { name: "Last edited" }).click();
  await expect(page).toHaveURL("/documents");
  await page.getByLabel("Search documents").fill("ants");
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page).toHaveURL("/documents?query=ants");
});

test("a page past the end says so and links back", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Plans", "text");
  await commit(page, id, "First");
  await callApi(page, "DELETE", `/documents/${await createDocument(page, "Old", "")}`);
  for (const [path, words, content] of [
    ["/documents?query=plans&page=999", "1 document on 1 page", "Plans"],
    ["/trash?page=2", "1 document on 1 page", "Old"],
    [`/documents/${id}/history?page=3`, "1 version on 1 page", "Version 1"],
  ] as const) {
    await open(page, path);
    await expect(page.getByRole("heading", { name: "This page is past the end" })).toBeVisible();
    await expect(page.getByRole("main")).toContainText(words);
    await page.getByRole("link", { name: "Go to the first page" }).click();
    await expect(page.getByRole("heading", { name: content })).toBeVisible();
  }
});

test("a row shows the document's format", async ({ page }) => {
  await signUp(page);
  for (const kind of ["markdown", "text", "json"]) await createDocument(page, kind, "{}", kind);
  await open(page, "/documents");
  await expect(page.getByRole("main").locator(".rows").getByRole("listitem").filter({ has: page.getByRole("heading") }))
    .toContainText([/JSON/, /Plain text/, /Markdown/]);
});

test("a right-to-left title does not reorder the surrounding words", async ({ page }) => {
  await signUp(page);
  await createDocument(page, "שלום, עולם!", "");
  await open(page, "/documents");
  const title = page.getByRole("main").locator("bdi", { hasText: "שלום, עולם!" });
  await expect(title).toBeVisible();
  await menuButton(page, "Actions for שלום, עולם!").click();
  await page.getByRole("button", { name: "Move to trash" }).click();
  await expect(toast(page, "was moved to the trash.").locator("bdi")).toHaveText("שלום, עולם!");
});

test("a version is restored once; the confirmation closes, even if the URL opened it", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Plans", "old");
  await commit(page, id, "First");
  await replaceText(page, id, "new");
  await open(page, `/documents/${id}/history`);
  await menuButton(page, "Actions for version 1").click();
  await page.getByRole("link", { name: "Restore" }).click();
  await page.getByRole("button", { name: "Yes, restore version 1" }).click();
  await expect(toast(page, "restored")).toHaveCount(1);
  await expect(toast(page, "Version 1 restored as version 3.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Yes, restore version 1" })).toBeHidden();
});

test("the current text is compared in both directions", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Plans", "old");
  await commit(page, id, "First");
  await replaceText(page, id, "new");
  await open(page, `/documents/${id}/history`);
  await expect(page.getByLabel("Compare from version 1")).toBeChecked();
  await expect(page.getByLabel("Compare to the current text")).toBeChecked();
  await page.getByLabel("Compare from the current text").check();
  await page.getByLabel("Compare to version 1").check();
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page).toHaveURL(`/documents/${id}/compare?from=live&to=1`);
  await expect(page.getByRole("heading", { name: "Current text compared with version 1" })).toBeVisible();
  await expect(page.getByText("removed: new")).toBeVisible();
});

test("a document moves to the trash, returns with undo, and is deleted only after confirmation", async ({ page }) => {
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
  await menuButton(page, "Delete permanently").click();
  await expect(page.getByText("all of its versions will be deleted")).toBeVisible();
  await callApi(page, "GET", `/documents/${id}`);
  await page.getByRole("button", { name: "Yes, delete permanently" }).click();
  await expect(page.getByRole("heading", { name: "The trash is empty" })).toBeVisible();
  expect((await page.request.get(`/api/v1/documents/${id}`)).status()).toBe(404);
});

test("a title is saved when the user goes back while editing it", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Old", "text");
  await open(page, "/documents");
  await page.getByRole("link", { name: "Old", exact: true }).click();
  await awake(page);
  await page.getByLabel("Title", { exact: true }).fill("New");
  await page.goBack();
  const title = async () => (await (await callApi(page, "GET", `/documents/${id}`)).json()).title;
  await expect.poll(title).toBe("New");
});

test("a document trashed elsewhere is restored from its editor, with the edits made since", async ({ page, problems }) => {
  problems.expect(/status of 409/);
  await signUp(page);
  const id = await createDocument(page, "Plans", "text");
  await openDocument(page, id);
  await callApi(page, "DELETE", `/documents/${id}`);
  const alert = page.getByRole("alert").filter({ hasText: "This document was moved to the trash" });
  await expect(alert).toBeVisible();
  await editor(page).press("Control+End");
  await page.keyboard.type(" and more");
  await expect(saveState(page, "Not saved: the document is in the trash.")).toBeVisible();
  await alert.getByRole("button", { name: "Restore" }).click();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expect(alert).toBeHidden();
  expect(await storedText(page, id)).toBe("text and more");
});

test("every page of a document in the trash offers to restore it", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Plans", "text");
  await commit(page, id, "First");
  for (const path of ["read", "history", "versions/1", "details"]) {
    await callApi(page, "DELETE", `/documents/${id}`);
    await open(page, `/documents/${id}/${path}`);
    await page.getByRole("main").getByRole("button", { name: "Restore" }).click();
    await expect(page.getByText("“Plans” was restored.")).toBeVisible();
    await expect(page.getByText("This document is in the trash")).toBeHidden();
  }
});

test("the details of a document are edited from its editor and from its row", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Plans", "text");
  await openDocument(page, id);
  await page.getByRole("link", { name: "Edit details" }).click();
  await page.getByLabel("Download as").selectOption("HTML");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(`/documents/${id}`);
  expect(await (await callApi(page, "GET", `/documents/${id}`)).json()).toMatchObject({ renderFormat: "html" });
  await open(page, "/documents?sort=title");
  await menuButton(page, "Actions for Plans").click();
  await page.getByRole("link", { name: "Edit details" }).click();
  await awake(page);
  await page.getByLabel("Title", { exact: true }).fill("Better plans");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/documents\?sort=title/);
  await expect(page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "Better plans" }) })).toBeFocused();
});

test("a document in the trash is read-only until it is restored", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Plans", "text");
  await callApi(page, "DELETE", `/documents/${id}`);
  await page.clock.install();
  await open(page, `/documents/${id}`);
  await expectText(page, "text");
  await editor(page).press("x");
  await expectText(page, "text");
  // Long enough for anything the page does periodically.
  await page.clock.fastForward(60_000);
  await expect(saveState(page, "Read only")).toBeVisible();
  await page.getByRole("button", { name: "Restore" }).click();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await editor(page).press("x");
  await expectText(page, "xtext");
});

test("a commit from the editor may have a title", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Plans", "text");
  await openDocument(page, id);
  await editor(page).press("Control+s");
  const dialog = page.getByRole("dialog", { name: "Commit" });
  await dialog.getByLabel("Title (optional)").fill("First draft");
  await dialog.getByRole("button", { name: "Commit" }).click();
  await expect(dialog).toBeHidden();
  await open(page, `/documents/${id}/history`);
  await expect(page.getByText("First draft")).toBeVisible();
});
