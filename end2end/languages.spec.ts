// The language of the pages.
import { createDocument, signUp } from "./support/accounts";
import { open } from "./support/awake";
import { saveState } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { expectFits } from "./support/width";

test("the footer switches to Japanese and back @phone", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "島", "# 島\n");
  const html = page.locator("html");
  await open(page, "/documents?sort=title");
  await expect(html).toHaveAttribute("lang", "en");
  await page.getByRole("button", { name: "日本語" }).click();
  await expect(page).toHaveURL(/\/documents\?sort=title$/);
  await expect(html).toHaveAttribute("lang", "ja");
  await expect(page.getByRole("heading", { name: "ドキュメント", exact: true })).toBeVisible();
  await expectFits(page, "the list in Japanese");

  await open(page, `/documents/${id}`);
  const text = page.getByRole("textbox", { name: "「島」の本文" });
  await text.press("Control+End");
  await page.keyboard.type("書く");
  await expect(saveState(page, /^保存済み$/)).toBeVisible();
  await expectFits(page, "the editor in Japanese");
  await text.press("Control+f");
  await expect(page.getByRole("textbox", { name: "検索" })).toBeVisible();
  await text.press("Control+s");
  const dialog = page.getByRole("dialog", { name: "コミット" });
  await dialog.getByRole("textbox", { name: "変更の内容と理由" }).fill("一");
  await expect(dialog.getByText("残り 499 文字")).toBeVisible();
  await dialog.getByRole("button", { name: "コミット" }).click();
  await expect(page.getByText("バージョン 1 を保存しました。")).toBeVisible();

  await open(page, `/documents/${id}/history`);
  await page.getByRole("button", { name: "English" }).click();
  await expect(html).toHaveAttribute("lang", "en");
  await expect(page.getByRole("heading", { name: "History", exact: true })).toBeVisible();
});

test("the browser's language is used until one is chosen, and errors follow it", async ({ otherPage }) => {
  const page = await otherPage({ locale: "zh-CN" });
  await open(page, "/signup");
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-Hans");
  await page.getByLabel("密码").fill("short");
  await page.getByLabel("用户名").focus();
  await expect(page.getByText("至少需要 10 个字符，当前为 5 个。")).toBeVisible();
});
