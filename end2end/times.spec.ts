// Times: in UTC on pages without scripts, in the reader's time zone on others, before anything is painted.
import { commit, createDocument, signUp } from "./support/accounts";
import { open } from "./support/awake";
import { expect, test } from "./support/fixtures";

test.use({ timezoneId: "Asia/Tokyo" });

test("a page with scripts shows local times even before they have loaded", async ({ page, problems }) => {
  problems.expect(/ERR_FAILED|Failed to fetch/);
  await signUp(page);
  const id = await createDocument(page, "Plans", "text");
  await commit(page, id, "First");
  await page.route("**/*.wasm", (route) => route.abort());
  for (const path of ["/documents", `/documents/${id}/history`, `/documents/${id}/versions/1`, "/settings/sessions"]) {
    await page.goto(path);
    const time = page.getByRole("main").locator("time").first();
    await expect(time, path).toHaveText(/^today, \d\d:\d\d$/);
    await expect(time, path).toHaveAttribute("title", /^\w+,? \d+ \w+ \d{4} at \d\d:\d\d:\d\d GMT\+9$/);
  }
});

test("a page without scripts names UTC", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Plans", "text");
  await open(page, `/documents/${id}/read`);
  await expect(page.getByRole("main").locator("time")).toHaveText(/^\d+ \w+ \d{4}, \d\d:\d\d UTC$/);
});
