// Typing before the page has the document's state: nothing waits, and nothing is lost.
import type { Page, Route } from "@playwright/test";
import { createDocument, replaceText, signUp } from "./support/accounts";
import { editor, expectText, openDocument, saveState, storedText } from "./support/documents";
import { expect, test } from "./support/fixtures";

/** Holds back the document's state. Returns a function that lets it through. */
async function holdState(page: Page, id: string): Promise<() => Promise<void>> {
  const held: Route[] = [];
  const pattern = new RegExp(`/documents/${id}/updates$`);
  await page.route(pattern, (route) => void held.push(route));
  return async () => {
    await page.unroute(pattern);
    for (const route of held) await route.continue().catch(() => {});
  };
}

/** Types at the end of a text whose state has not arrived, and waits until it is kept on this device. */
async function typeEarly(page: Page, id: string, words: string): Promise<void> {
  await page.goto(`/documents/${id}`);
  await expect(saveState(page, "Getting the editor ready…")).toBeVisible();
  await editor(page).press("Control+End");
  await page.keyboard.type(words);
  await expect(saveState(page, "Not saved yet")).toBeVisible();
  await expect.poll(() => keptTexts(page)).toBe(1);
}

/** Number of texts with early edits on this device. */
function keptTexts(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const opening = indexedDB.open("izanagi");
        // The page has not created it yet.
        let isNew = false;
        opening.onupgradeneeded = () => {
          isNew = true;
          opening.transaction?.abort();
        };
        opening.onerror = () => (isNew ? resolve(0) : reject(opening.error));
        opening.onsuccess = () => {
          const counting = opening.result.transaction("early").objectStore("early").count();
          counting.onsuccess = () => {
            resolve(counting.result);
            opening.result.close();
          };
        };
      }),
  );
}

test("keys typed before the state is there are saved", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Early", "base\r\n\r\nsecond");
  const release = await holdState(page, id);
  await typeEarly(page, id, " words");
  await release();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await page.keyboard.type("!");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expect.poll(() => storedText(page, id)).toBe("base\r\n\r\nsecond words!");
  await expect.poll(() => keptTexts(page)).toBe(0);
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await expect.poll(() => storedText(page, id)).toBe("base\r\n\r\nsecond");
});

test("keys that another user types meanwhile are kept too", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Early", "one\n\ntwo\n\nthree");
  const release = await holdState(page, id);
  await typeEarly(page, id, " four");
  await replaceText(page, id, "zero\n\none\n\n2\n\nthree");
  await release();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expect.poll(() => storedText(page, id)).toBe("zero\n\none\n\n2\n\nthree four");
  await expectText(page, /zero.*one.*2.*three four/s);
});

test("a reload before the state is there loses nothing", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Early", "one\n\ntwo");
  const release = await holdState(page, id);
  await typeEarly(page, id, " three");
  await replaceText(page, id, "zero\n\none\n\ntwo");
  await release();
  await page.reload();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expect.poll(() => storedText(page, id)).toBe("zero\n\none\n\ntwo three");
  await expectText(page, /two three/);
  await expect.poll(() => keptTexts(page)).toBe(0);
});

test("what is typed after everything was undone is kept too", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Early", "base");
  const release = await holdState(page, id);
  await typeEarly(page, id, "x");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("y");
  await expect.poll(() => page.evaluate(() => window.dispatchEvent(new Event("beforeunload", { cancelable: true })))).toBe(true);
  await page.reload();
  await release();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expect.poll(() => storedText(page, id)).toBe("basey");
  await expect.poll(() => keptTexts(page)).toBe(0);
});

test("two reloads before the state is there lose nothing and double nothing", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Early", "base");
  const release = await holdState(page, id);
  await typeEarly(page, id, " a");
  await page.reload();
  await editor(page).press("Control+Home");
  await page.keyboard.type("b ");
  await expect.poll(() => keptTexts(page)).toBe(2);
  await release();
  await page.reload();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expect.poll(() => storedText(page, id)).toBe("b base a");
  await page.reload();
  await expectText(page, "b base a");
});

test("another tab does not take edits of a tab that is open", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Early", "base");
  const release = await holdState(page, id);
  await typeEarly(page, id, " mine");
  const other = await page.context().newPage();
  await openDocument(other, id);
  await expect(saveState(other, /^Saved$/)).toBeVisible();
  await release();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expectText(other, "base mine");
  expect(await storedText(page, id)).toBe("base mine");
});

test("the editor is read-only if the page cannot start", async ({ page, problems }) => {
  problems.expect(/Failed to load resource|ERR_FAILED|WebAssembly|wasm|TypeError|texts of this page/);
  await signUp(page);
  const id = await createDocument(page, "Early", "base");
  await page.route(/wasm-editor\.wasm$/, (route) => route.abort());
  await page.goto(`/documents/${id}`);
  await expect(page.locator("#load-failed")).toBeVisible();
  await expect(editor(page)).toHaveAttribute("aria-readonly", "true");
});
