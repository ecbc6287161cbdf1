// Printed pages contain only the text. Tagged tests also run narrower than a sheet.
import type { Page } from "@playwright/test";
import { createDocument, signUp } from "./support/accounts";
import { editor, openDocument } from "./support/documents";
import { expect, test } from "./support/fixtures";

const preview = (page: Page) => page.getByRole("region", { name: "Preview" });

/** Opens a new document of this format with print media. */
async function openPrinted(page: Page, text: string, kind: string): Promise<void> {
  await signUp(page);
  await openDocument(page, await createDocument(page, "Island", text, kind));
  await page.emulateMedia({ media: "print" });
  await expect(page.getByLabel("Title", { exact: true })).toBeHidden();
}

test.describe("the editor is printed", { tag: "@phone" }, () => {
  test("as its preview", async ({ page }) => {
    await openPrinted(page, "# Going\n", "markdown");
    await expect(preview(page).getByRole("heading", { name: "Going" })).toBeVisible();
    await expect(editor(page)).toBeHidden();
  });

  test("as its text if it has no preview", async ({ page }) => {
    await openPrinted(page, "By ferry.", "text");
    await expect(editor(page)).toBeVisible();
    await expect(preview(page)).toBeHidden();
  });

  test("on as many sheets as it needs", async ({ page }) => {
    await openPrinted(page, "A line.\n".repeat(400), "text");
    const sheets = (await page.pdf()).toString("latin1").match(/\/Type \/Page\b/g);
    expect(sheets?.length).toBeGreaterThan(5);
  });
});

test("the text is printed if the preview is switched off", async ({ page }) => {
  await signUp(page);
  await openDocument(page, await createDocument(page, "Island", "# Going\n"));
  await page.getByRole("button", { name: "Preview" }).click();
  await page.emulateMedia({ media: "print" });
  await expect(editor(page)).toBeVisible();
  await expect(preview(page)).toBeHidden();
});
