// Links in documents, with JavaScript.
import { createDocument, signUp } from "./support/accounts";
import { awake, open } from "./support/awake";
import { expect, test } from "./support/fixtures";

const HAZARDOUS = {
  "empty segment": "/.//evil.example",
  "this host, two slashes": "http://HOST//evil.example/x",
  "a backslash": "/\\evil.example",
  "a tab": "/%09/evil.example",
};

for (const [name, address] of Object.entries(HAZARDOUS)) {
  test(`a link that resembles another site's leads to a page of this site: ${name}`, async ({
    page,
    problems,
    baseURL,
  }) => {
    problems.expect(/status of 404/);
    const host = new URL(baseURL ?? "").host;
    await signUp(page);
    const id = await createDocument(page, "Links", `[go](${address.replace("HOST", host)})`);
    await open(page, `/documents/${id}/read`);
    await page.getByRole("link", { name: "go", exact: true }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("There is nothing at this address");
    expect(new URL(page.url()).host).toBe(host);
    await awake(page);
    await page.getByRole("link", { name: "Documents", exact: true }).first().click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Documents");
    await page.goBack();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("There is nothing at this address");
  });
}

test("a link to another page of this site works", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Links", "[all of them](/documents)");
  await open(page, `/documents/${id}/read`);
  await page.getByRole("link", { name: "all of them" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Documents");
});

test("a link to a path outside the app works", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Links", "[what programs use](/docs)");
  await open(page, `/documents/${id}/read`);
  await page.getByRole("link", { name: "what programs use" }).click();
  await expect(page).toHaveURL(/\/docs\/?$/);
  await expect(page.getByRole("heading", { name: /Izanagi/ })).toBeVisible();
});
