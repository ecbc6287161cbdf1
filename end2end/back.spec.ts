// Going back, with the browser's back-forward cache, which automation turns off otherwise.
import { callApi, commit, createDocument, signUp } from "./support/accounts";
import { open } from "./support/awake";
import { expect, test } from "./support/fixtures";
import config from "./playwright.config";

test.use({
  launchOptions: { ...config.use?.launchOptions, ignoreDefaultArgs: ["--disable-back-forward-cache"] },
});

test("going back after signing out shows nothing private", async ({ page, problems }) => {
  problems.expect(/status of 401/);
  const { username } = await signUp(page);
  await createDocument(page, "Secret plans", "text");
  await open(page, "/documents");
  await expect(page.getByRole("link", { name: "Secret plans" })).toBeVisible();
  await page.locator("summary", { hasText: username }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL("/");
  await page.goBack();
  await expect(page).toHaveURL(/\/login/);
  await expect(page.getByText("Secret plans")).toHaveCount(0);
});

test("going back shows what has changed since", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Old", "text");
  await open(page, "/documents");
  await page.getByRole("link", { name: "Old", exact: true }).click();
  await expect(page).toHaveTitle("Old – Izanagi");
  await callApi(page, "PATCH", `/documents/${id}`, { title: "New" });
  await page.goBack();
  await expect(page.getByRole("link", { name: "New", exact: true })).toBeVisible();

  await open(page, `/documents/${id}/history`);
  await page.getByRole("link", { name: "Read", exact: true }).click();
  await expect(page.getByRole("article")).toHaveText("text");
  await commit(page, id, "First");
  await page.goBack();
  await expect(page.getByRole("link", { name: "Version 1", exact: true })).toBeVisible();
});
