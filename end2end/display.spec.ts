// Layout: both themes and every width. Tagged tests also run at phone size.
import type { Locator } from "@playwright/test";
import { createDocument, signUp } from "./support/accounts";
import { open } from "./support/awake";
import { commitByKeys, editor, menuButton, openDocument, saveState, toast, write } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { EMPTY_PAGES, makeSample, OPEN_PAGES, openSample, SAMPLE_PAGES } from "./support/sample";
import { expectFits } from "./support/width";

test.describe("the theme", () => {
  test("follows the system on every kind of surface", async ({ page }) => {
    const { id } = await makeSample(page);
    await openDocument(page, id);
    const surfaces = [page.locator("body"), editor(page).locator(".."), page.getByRole("region", { name: "Preview" })];
    for (const [colorScheme, isDark] of [["dark", true], ["light", false], ["dark", true]] as const) {
      await page.emulateMedia({ colorScheme });
      for (const surface of surfaces) await expectGround(surface, isDark);
    }
    await page.keyboard.press("Control+s");
    await expectGround(page.getByRole("dialog"), true);
  });

  test.describe("without JavaScript", () => {
    test.use({ javaScriptEnabled: false, colorScheme: "dark" });

    test("follows the system", async ({ page }) => {
      await page.goto("/login");
      await expectGround(page.locator("body"), true);
    });
  });
});

/** Returns the effective background: the first non-transparent colour of the element or its ancestors. */
async function expectGround(surface: Locator, isDark: boolean): Promise<void> {
  const brightness = () =>
    surface.evaluate((element) => {
      for (let at: Element | null = element; at; at = at.parentElement) {
        const [red = 0, green = 0, blue = 0, alpha = 1] =
          getComputedStyle(at).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [];
        if (alpha > 0) return (red + green + blue) / 3;
      }
      return -1;
    });
  const bound = expect.poll(brightness, `${surface} is ${isDark ? "dark" : "light"}`);
  await (isDark ? bound.toBeLessThan(60) : bound.toBeGreaterThan(200));
}

test.describe("every page fits", { tag: "@phone" }, () => {
  test("of a new user", async ({ page, problems }) => {
    problems.expect(/status of 404/);
    for (const [name, path] of Object.entries({ ...OPEN_PAGES, nowhere: "/nowhere" })) {
      await open(page, path);
      await expectFits(page, name);
    }
    await signUp(page);
    for (const [name, path] of Object.entries(EMPTY_PAGES)) {
      await open(page, path);
      await expectFits(page, name);
    }
  });

  test("of a user with documents", async ({ page }) => {
    const sample = await makeSample(page);
    for (const name of SAMPLE_PAGES) {
      await openSample(page, sample, name);
      await expectFits(page, name);
    }
  });
});

test.describe("every page is aligned", { tag: "@phone" }, () => {
  test("a long title does not break the breadcrumbs", async ({ page }) => {
    const { pages } = await makeSample(page);
    for (const path of [pages.history, pages.version, pages.comparison]) {
      await open(page, path);
      const boxes = await Promise.all((await page.locator(".crumbs a").all()).map((link) => boxOf(link)));
      for (const { y, height } of boxes) expect([y, height]).toEqual([boxes[0]?.y, boxes[0]?.height]);
    }
  });

  test("the text is aligned with its heading", async ({ page }) => {
    const { pages } = await makeSample(page);
    for (const path of [pages.reading, pages.version]) {
      await open(page, path);
      const [head, text] = [page.locator(".page-head"), page.getByRole("article")];
      expect((await boxOf(text)).x).toBe((await boxOf(head)).x);
    }
  });

  // On a phone, the save state has a row of its own, so that nothing moves when its words get longer.
  test("the editor's header takes one row, or three on a phone", async ({ page, isMobile }) => {
    const { id } = await makeSample(page);
    await openDocument(page, id);
    await expect(saveState(page, /^Saved$/)).toBeVisible();
    const rows = async (...controls: Locator[]) =>
      new Set(await Promise.all(controls.map(async (control) => centre(await boxOf(control))))).size;
    const [title, commit] = [page.getByLabel("Title", { exact: true }), page.getByRole("button", { name: "Commit" })];
    const others = [page.getByRole("link", { name: "Read", exact: true }), saveState(page, /^Saved$/)];
    expect(await rows(title, commit)).toBe(1);
    expect(await rows(title, ...others)).toBe(isMobile ? 3 : 1);
  });
});

async function boxOf(element: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await element.boundingBox();
  if (!box) throw new Error(`${element} is not seen`);
  return box;
}

function centre({ y, height }: { y: number; height: number }): number {
  return Math.round(y + height / 2);
}

test.describe("on a phone", { tag: "@phone" }, () => {
  test("menus open inside the window", async ({ page }) => {
    const { pages } = await makeSample(page);
    await open(page, "/documents");
    for (const menu of ["New document", "Actions for Ferry times", "account menu"]) {
      await menuButton(page, menu).click();
      await expectFits(page, menu, menuButton(page, menu).locator(".."));
      await page.keyboard.press("Escape");
    }
    await open(page, pages.version);
    await menuButton(page, "Restore this version").click();
    await expectFits(page, "restoring", menuButton(page, "Restore this version").locator(".."));
  });

  test("writing, previewing and committing work", async ({ page, isMobile }) => {
    await signUp(page);
    const id = await createDocument(page, "Pocket", "");
    await openDocument(page, id);
    await write(page, "# Big");
    const preview = page.getByRole("region", { name: "Preview" });
    if (isMobile) {
      await expect(preview).toBeHidden();
      await page.getByRole("button", { name: "Preview" }).tap();
      await expect(editor(page)).toBeHidden();
    }
    await expect(preview.getByRole("heading", { name: "Big" })).toBeVisible();
    if (isMobile) await page.getByRole("button", { name: "Write" }).tap();
    await expect(editor(page)).toBeVisible();
    await commitByKeys(page, "From a bench");
    await expect(toast(page, "Version 1 saved.")).toBeVisible();
    await expectFits(page, "the editor");
  });
});
