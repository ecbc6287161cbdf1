// Documents in the browser: dropping files, writing, committing, and reading the server's text.
import { expect, type Locator, type Page } from "@playwright/test";
import { callApi } from "./accounts";
import { awake, open } from "./awake";

export interface DroppedFile {
  name: string;
  content: string | Uint8Array;
}

/** Drops files on the upload field or another element. */
export async function dropFiles(page: Page, files: DroppedFile[], target = fileField(page)): Promise<void> {
  await awake(page);
  const given = files.map(({ name, content }) => ({ name, bytes: [...Buffer.from(content)] }));
  const dataTransfer = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const { name, bytes } of files) transfer.items.add(new File([new Uint8Array(bytes)], name));
    return transfer;
  }, given);
  for (const event of ["dragenter", "dragover", "drop"]) await target.dispatchEvent(event, { dataTransfer });
}

export function fileField(page: Page): Locator {
  return page.getByLabel("Drop .md, .txt or .json files here, or");
}

/** Returns the button of a menu that opens without JavaScript: a `summary`, which has no role. */
export function menuButton(page: Page | Locator, name: string): Locator {
  return page.locator("summary", { hasText: name });
}

export function editor(page: Page): Locator {
  return page.getByRole("textbox", { name: /^Text of/ });
}

/** Opens a document and waits until it can be edited. */
export async function openDocument(page: Page, id: string): Promise<void> {
  await open(page, `/documents/${id}`);
  await expect(editor(page)).toBeVisible();
}

/** Types at the end of the text. */
export async function write(page: Page, text: string): Promise<void> {
  await editor(page).press("Control+End");
  await page.keyboard.type(text);
}

/** Expects this text in the editor; white space is normalised. */
export async function expectText(page: Page, text: string | RegExp): Promise<void> {
  await expect(editor(page)).toHaveText(text, { useInnerText: true });
}

/** Returns the save state, as it is shown. */
export function saveState(page: Page, words: string | RegExp): Locator {
  return page.locator(".save-state").filter({ hasText: words });
}

/** Returns which change of a comparison is the current one, as it is shown. */
export function place(page: Page, words: string): Locator {
  return page.locator(".diff-place").filter({ hasText: words });
}

/** Waits until the page shows that all edits are saved. */
export async function expectSaved(page: Page, words: string): Promise<void> {
  await expect(page.getByText(words, { exact: true })).toBeVisible();
  await expect(saveState(page, /^Saved$/)).toBeVisible();
}

/** Returns a toast with its buttons. */
export function toast(page: Page, words: string): Locator {
  return page.getByRole("status").locator("> *").filter({ hasText: words });
}

/** Returns the server's text, byte for byte. */
export async function storedText(page: Page, id: string): Promise<string> {
  return (await callApi(page, "GET", `/documents/${id}/content`)).text();
}

/** Commits with the keyboard shortcut. */
export async function commitByKeys(page: Page, message: string): Promise<void> {
  await page.keyboard.press("Control+s");
  const dialog = page.getByRole("dialog", { name: "Commit" });
  await dialog.getByLabel("What changed, and why").fill(message);
  await dialog.getByRole("button", { name: "Commit" }).click();
  await expect(dialog).toBeHidden();
}
