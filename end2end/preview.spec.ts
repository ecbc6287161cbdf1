// The preview of a long text: only what is near is in the page, and everything can be reached.
import type { Locator, Page } from "@playwright/test";
import { createDocument, signUp } from "./support/accounts";
import { editor, openDocument, saveState, write } from "./support/documents";
import { expect, test } from "./support/fixtures";

const preview = (page: Page) => page.getByRole("region", { name: "Preview" });

/** Sections, each with a heading, a reference to a note and a table. */
const sections = (count: number) =>
  Array.from(
    { length: count },
    (_, n) => `## Part ${n}\n\nWords of part ${n}.[^${n % 3}] ${"And more. ".repeat(30)}\n\n| a |\n|---|\n| ${n} |\n\n`,
  ).join("");
const NOTES = "[^0]: First note\n\n[^1]: Second note\n\n[^2]: Third note\n";

async function openLong(page: Page, text: string): Promise<void> {
  await signUp(page);
  await openDocument(page, await createDocument(page, "Long", text));
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expect(preview(page).getByRole("button", { name: "Show all" })).toBeVisible();
}

test("follows what is typed", async ({ page }) => {
  await signUp(page);
  await openDocument(page, await createDocument(page, "Short", "# One\n"));
  await write(page, "\n[link][x]\n\n");
  await expect(preview(page).getByText("[link][x]")).toBeVisible();
  await page.keyboard.type("[x]: /there\n");
  await expect(preview(page).getByRole("link", { name: "link" })).toHaveAttribute("href", "/there");
  await expect(page.getByText("5 words", { exact: true })).toBeVisible();
});

test("has only what is near in the page, and all of it on request", async ({ page }) => {
  await openLong(page, sections(400) + NOTES);
  const headings = preview(page).locator("h2");
  await expect(headings.first()).toHaveText(/Part 0/);
  expect(await headings.count()).toBeLessThan(200);
  // Scrolling brings the end into the page.
  const toTheEnd = () => preview(page).evaluate((pane) => (pane.scrollTop = pane.scrollHeight));
  // What comes into the page may be longer than expected, as in any list of this kind.
  await expect.poll(() => toTheEnd().then(() => preview(page).getByText("Third note").count())).toBe(1);
  await expect(preview(page).getByText("Words of part 399.")).toBeVisible();
  await preview(page).evaluate((pane) => (pane.scrollTop = 0));
  await preview(page).getByRole("button", { name: "Show all" }).click();
  await expect(headings).toHaveCount(400);
  await expect(preview(page).getByRole("region", { name: "Table 400", exact: true })).toBeAttached();
});

test("follows links to what is not in the page", async ({ page }) => {
  await openLong(page, `[to the end](#part-399)\n\n${sections(400)}${NOTES}`);
  await preview(page).getByRole("link", { name: "to the end" }).click();
  await expect(preview(page).locator("#h-part-399")).toBeInViewport();
  await preview(page).locator("#fnref-1-134").getByRole("link").click();
  await expect(preview(page).locator("#fn-1")).toBeInViewport();
  await preview(page).locator("#fn-1").getByRole("link").first().click();
  await expect(preview(page).locator("#fnref-1")).toBeInViewport();
});

test("scrolls with the text", async ({ page }) => {
  await openLong(page, sections(400) + NOTES);
  await editor(page).hover();
  await page.mouse.wheel(0, 1e7);
  await expect(preview(page).getByText("Third note")).toBeInViewport();
  await page.mouse.wheel(0, -1e7);
  await expect(preview(page).locator("#h-part-0")).toBeInViewport();
});

test("shows what the text shows, and the other way round", async ({ page }) => {
  await openLong(page, sections(400) + NOTES);
  const top = (pane: Locator, which: string) =>
    pane.evaluate((pane, which) => {
      const { top, height } = pane.getBoundingClientRect();
      const shown = Array.from(pane.querySelectorAll(which)).filter((it) => {
        const box = it.getBoundingClientRect();
        return box.bottom > top && box.top < top + height;
      });
      return shown.map((it) => Number(/part (\d+)/i.exec(it.textContent ?? "")?.[1] ?? NaN)).find((it) => !Number.isNaN(it)) ?? -1;
    }, which);
  const [text, shown] = [page.locator(".cm-scroller"), preview(page)];
  const isNear = async () => Math.abs((await top(text, ".cm-line")) - (await top(shown, "h2, p"))) <= 2;
  for (const wheel of [9_000, 20_000, -7_000]) {
    await editor(page).hover();
    await page.mouse.wheel(0, wheel);
    await expect.poll(isNear).toBe(true);
  }
  for (const wheel of [9_000, 20_000, -7_000]) {
    await shown.hover();
    await page.mouse.wheel(0, wheel);
    await expect.poll(isNear).toBe(true);
  }
});

test("is printed as a whole", async ({ page }) => {
  await openLong(page, sections(100) + NOTES);
  // Rendered once the text rests.
  await expect
    .poll(async () => {
      const sheets = (await page.pdf()).toString("latin1").match(/\/Type \/Page\b/g);
      return sheets?.length ?? 0;
    })
    .toBeGreaterThan(15);
});

test("of JSON is highlighted", async ({ page }) => {
  await signUp(page);
  const rows = Array.from({ length: 2_000 }, (_, n) => `  {"row": ${n}}`).join(",\n");
  await openDocument(page, await createDocument(page, "Data", `[\n${rows}\n]`, "json"));
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expect(preview(page).locator(".tok-attr").first()).toHaveText(/row/);
});
