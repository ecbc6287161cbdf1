// A document and its history without JavaScript: reading, committing, comparing, naming, restoring.
import type { Page } from "@playwright/test";
import { callApi, commit, createDocument, replaceText, signUp } from "./support/accounts";
import { menuButton, storedText } from "./support/documents";
import { expect, test } from "./support/fixtures";

test.use({ javaScriptEnabled: false });

const message = (page: Page) => page.getByRole("textbox", { name: "What changed, and why" });

test("a document is read as a page, and downloaded", async ({ page }) => {
  await signUp(page);
  await createDocument(page, "Island", "# Going\n\nBy **ferry**.\n\n## Leaving\n\n- [ ] pack\n");
  await page.goto("/documents");
  await menuButton(page, "Actions for Island").click();
  await page.getByRole("link", { name: "Read", exact: true }).click();
  const article = page.getByRole("article");
  await expect(article.getByRole("heading", { name: "Going" })).toBeVisible();
  await expect(article.getByRole("strong")).toHaveText("ferry");
  const contents = page.getByRole("navigation", { name: "Contents" });
  await contents.getByRole("link", { name: "Leaving" }).click();
  await expect(article.getByRole("heading", { name: "Leaving" })).toBeInViewport();
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  expect((await download).suggestedFilename()).toBe("Island.md");
});

test("the editor's page shows the text and commits it, once", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Island", "By ferry.\n");
  await page.goto(`/documents/${id}`);
  await expect(page.getByRole("region", { name: "Text" })).toContainText("By ferry.");
  await expect(page.getByRole("button", { name: "Preview" })).toHaveCount(0);
  await message(page).fill("First");
  await page.getByRole("button", { name: "Commit", disabled: false }).click();
  await expect(page.getByText("Version 1 saved.")).toBeVisible();

  await message(page).fill("The same again");
  await page.getByRole("button", { name: "Commit", disabled: false }).click();
  const refusal = "Nothing has changed since the last version.";
  await expect(page.getByRole("main")).toContainText(refusal, { useInnerText: true });
  await expect(message(page)).toHaveValue("The same again");
});

test("a document in the trash is shown without a commit form", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Island", "By ferry.\n");
  await callApi(page, "DELETE", `/documents/${id}`);
  await page.goto(`/documents/${id}`);
  await expect(page.getByText("This document is in the trash and read-only.")).toBeVisible();
  await expect(page.getByRole("region", { name: "Text" })).toContainText("By ferry.");
  await expect(message(page)).toHaveCount(0);
});

test("a title is changed with its form", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Island", "");
  await page.goto(`/documents/${id}`);
  await page.getByLabel("Title", { exact: true }).fill("Two islands");
  await page.getByLabel("Title", { exact: true }).press("Enter");
  await expect(page.getByText("Renamed to “Two islands”.")).toBeVisible();
  await expect(page.getByLabel("Title", { exact: true })).toHaveValue("Two islands");
});

test("versions are listed, opened, compared and restored", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Island", "At nine.\n");
  await commit(page, id, "First");
  await replaceText(page, id, "At ten.\n");
  await page.goto(`/documents/${id}/history`);
  await expect(page.getByText("not committed")).toBeVisible();
  await message(page).fill("An hour later");
  await page.getByRole("button", { name: "Commit" }).click();
  await expect(page.getByText("Version 2 saved.")).toBeVisible();
  await expect(page.getByRole("heading", { level: 2 })).toContainText(["Now", "Version 2", "Version 1"]);

  await page.getByLabel("Compare from version 1").check();
  await page.getByLabel("Compare to version 2").check();
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.getByRole("deletion")).toHaveText(["nine"]);
  await expect(page.getByRole("insertion")).toHaveText(["ten"]);
  await page.getByLabel("To").selectOption("Version 1");
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.getByRole("heading", { name: "No differences" })).toBeVisible();

  await page.getByRole("link", { name: "History", exact: true }).click();
  await page.getByRole("link", { name: "Version 1", exact: true }).click();
  await expect(page.getByRole("article")).toHaveText("At nine.");
  await menuButton(page, "Name this version").click();
  await page.getByLabel("Name", { exact: true }).fill("Sent to Ren");
  await page.getByRole("button", { name: "Save name" }).click();
  await expect(page.getByText("Version 1 renamed to “Sent to Ren”.")).toBeVisible();

  await menuButton(page, "Restore this version").click();
  await page.getByRole("button", { name: "Yes, restore version 1" }).click();
  await expect(page.getByText("Version 1 restored as version 3.")).toBeVisible();
  expect(await storedText(page, id)).toBe("At nine.\n");
});

test("white space is ignored on request, and unchanged lines unfold", async ({ page }) => {
  await signUp(page);
  const lines = Array.from({ length: 2000 }, (_, line) => `line ${line}`);
  const id = await createDocument(page, "Lines", lines.join("\n"), "text");
  await commit(page, id, "First");
  lines[0] = "line  0";
  lines[1999] = "the end";
  await replaceText(page, id, lines.join("\n"));
  await page.goto(`/documents/${id}/compare?from=1&to=live`);
  await expect(page.getByText("2 changes")).toBeVisible();
  await expect(page.getByText("line 1000", { exact: true })).toHaveCount(0);
  await page.getByRole("link", { name: "Show them" }).click();
  await expect(page.getByText("line 1000", { exact: true })).toHaveCount(1);
  await page.getByLabel("Ignore white space").check();
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.getByText("1 change", { exact: true })).toBeVisible();
  await page.getByRole("link", { name: "Next change" }).click();
  await expect(page.getByText("added: the end")).toBeInViewport();
});

test("an unknown address shows an error with its status", async ({ page, problems }) => {
  problems.expect(/status of 404/);
  await signUp(page);
  for (const path of ["/nowhere", "/documents/00000000-0000-7000-8000-000000000000/read", "/documents/x/history"]) {
    const response = await page.goto(path);
    expect(response?.status(), path).toBe(404);
    await expect(page.getByRole("heading", { name: "There is nothing at this address" })).toBeVisible();
    await expect(page.getByRole("link", { name: "Go to your documents" })).toBeVisible();
  }
});
