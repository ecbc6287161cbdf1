// What screen readers hear: changes that last, in regions that are there before them; and where the focus goes.
import type { Page } from "@playwright/test";
import { callApi, commit, createDocument, signUp } from "./support/accounts";
import { open } from "./support/awake";
import { editor, menuButton, openDocument, place, saveState, toast, write } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { blockSockets, shareDocument } from "./support/live";

declare global {
  interface Window {
    heard: string[];
  }
}

/** Collects what is added to live regions after a page has loaded. */
async function listen(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript(() => {
    window.heard = [];
    addEventListener("load", () => {
      new MutationObserver((changes) => {
        for (const { target, type, addedNodes } of changes) {
          const at = target instanceof Element ? target : target.parentElement;
          if (!at?.closest("[role=status], [role=alert]")) continue;
          const added = type === "characterData" ? [target] : [...addedNodes];
          const words = added.map((node) => node.textContent?.trim() ?? "").join(" ").trim();
          if (words) window.heard.push(words);
        }
      }).observe(document.body, { childList: true, characterData: true, subtree: true });
    });
  });
  // Fails during a navigation.
  return () => page.evaluate(() => window.heard).catch(() => []);
}

test("the save state is announced once it lasts, not with every key", async ({ page, problems }) => {
  problems.expect(/ERR_FAILED/);
  const heard = await listen(page);
  await blockSockets(page);
  await signUp(page);
  await openDocument(page, await createDocument(page, "Plans", ""));
  await write(page, "saved while typing");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await page.route("**/api/v1/documents/**", (route) => route.abort());
  await write(page, " and not");
  await expect.poll(heard).toEqual([expect.stringMatching(/^Offline, \d+ edits on this device$/)]);
  await write(page, " any more");
  await page.unroute("**/api/v1/documents/**");
  await expect.poll(heard).toEqual([expect.stringMatching(/^Offline/), "Saved"]);
});

test("a hundred keys and another person who writes are announced at most twice", async ({ page, otherPage }) => {
  const heard = await listen(page);
  const other = await otherPage();
  await shareDocument(page, other, "Plans", "");
  await Promise.all([editor(page).focus(), editor(other).focus()]);
  await Promise.all([
    page.keyboard.type("a".repeat(100), { delay: 60 }),
    other.keyboard.type("b".repeat(50), { delay: 90 }),
  ]);
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  expect((await heard()).length).toBeLessThanOrEqual(2);
});

test("only the last of several steps between changes is announced", async ({ page }) => {
  const heard = await listen(page);
  await signUp(page);
  const lines = Array.from({ length: 60 }, (_, line) => `line ${line}`);
  const id = await createDocument(page, "Lines", lines.join("\n"));
  await commit(page, id, "First");
  const changed = lines.map((line, index) => (index % 20 === 5 ? `${line}!` : line)).join("\n");
  await callApi(page, "PUT", `/documents/${id}`, { content: changed }, { "if-match": "*" });
  await open(page, `/documents/${id}/compare?from=1&to=live`);
  for (const key of ["n", "n", "n"]) await page.keyboard.press(key);
  await expect(place(page, "3 of 3")).toBeVisible();
  await expect.poll(heard).toEqual(["3 of 3"]);
});

test("the outcome of a form is announced on the page that follows", async ({ page }) => {
  const heard = await listen(page);
  await signUp(page);
  await createDocument(page, "Plans", "");
  await open(page, "/documents");
  await menuButton(page, "Actions for Plans").click();
  await page.getByRole("button", { name: "Move to trash" }).click();
  await expect.poll(heard).toEqual([expect.stringContaining("“Plans” was moved to the trash.")]);
  await expect(toast(page, "“Plans” was moved to the trash.")).toHaveCount(1);
});

test("after a form has reloaded its list, the focus is at its row or the next one", async ({ page }) => {
  await signUp(page);
  for (const title of ["Third", "Second", "First"]) await createDocument(page, title, "");
  await open(page, "/documents");
  const row = (title: string) =>
    page.getByRole("main").getByRole("listitem").filter({ has: page.getByRole("heading", { name: title }) });
  const trash = async (title: string) => {
    await menuButton(page, `Actions for ${title}`).click();
    await page.getByRole("button", { name: "Move to trash" }).click();
    await expect(row(title)).toHaveCount(0);
  };
  await trash("Second");
  await expect(row("Third")).toBeFocused();
  await trash("Third");
  await expect(row("First")).toBeFocused();
  await toast(page, "“Third”").getByRole("button", { name: "Undo" }).click();
  await expect(row("Third")).toBeFocused();
  await trash("Third");
  await trash("First");
  await expect(page.getByRole("heading", { level: 1, name: "Documents" })).toBeFocused();
});

test("after a form has reloaded another page, the focus is at its heading", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Plans", "text");
  await commit(page, id, "First");
  await open(page, `/documents/${id}/versions/1?name=1`);
  await page.getByLabel("Name", { exact: true }).fill("Sent");
  await page.getByLabel("Name", { exact: true }).press("Enter");
  await expect(toast(page, "renamed to “Sent”")).toBeVisible();
  await expect(page.getByRole("heading", { level: 1, name: "Version 1" })).toBeFocused();
});
