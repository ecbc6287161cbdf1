// The timeline: playing, seeking and restoring the history of a text.
import type { Locator, Page } from "@playwright/test";
import { expectAccessible } from "./support/accessibility";
import { callApi, createDocument, replaceText, signUp } from "./support/accounts";
import { open } from "./support/awake";
import { menuButton, storedText, toast } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { tabTo } from "./support/keyboard";

const slider = (page: Page) => page.getByRole("slider", { name: "Edit" });
const text = (page: Page) => page.locator(".timeline-text");
const position = (page: Page) => page.locator(".timeline-position");
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

/** Creates a document whose texts are these, one edit after the other. */
async function written(page: Page, texts: readonly string[]): Promise<string> {
  const id = await createDocument(page, "Island", "", "text");
  for (const content of texts) await replaceText(page, id, content);
  return id;
}

async function openTimeline(page: Page, id: string, query = ""): Promise<void> {
  await open(page, `/documents/${id}/timeline${query}`);
  await expect(page.locator(".timeline[data-phase=ready]")).toBeVisible();
}

/** The text exactly, with its white space. */
async function expectShown(shown: Locator, expected: string): Promise<void> {
  await expect.poll(() => shown.evaluate((host) => host.textContent)).toBe(expected);
}

const TEXTS = ["one\n", "one\ntwo 😀\n", "two 😀\n", "two 😀\r\nthree\n"];

test("every moment can be reached with the keyboard alone", async ({ page }) => {
  await signUp(page);
  const id = await written(page, TEXTS);
  await openTimeline(page, id);
  await expectShown(text(page), TEXTS[3]!);
  await expect(position(page)).toContainText("Edit 4 of 4: person-");
  await tabTo(page, slider(page));
  const keys: [string, string][] = [
    ["ArrowLeft", TEXTS[2]!],
    ["ArrowLeft", TEXTS[1]!],
    ["ArrowRight", TEXTS[2]!],
    ["Home", ""],
    ["ArrowUp", TEXTS[0]!],
    ["End", TEXTS[3]!],
    ["PageDown", ""],
    ["PageUp", TEXTS[3]!],
  ];
  for (const [key, expected] of keys) {
    await page.keyboard.press(key);
    await expectShown(text(page), expected);
  }
  await page.keyboard.press("Home");
  await expect(slider(page)).toHaveAttribute("aria-valuetext", "Before edit 1");
  await tabTo(page, button(page, "Next edit"));
  await page.keyboard.press("Enter");
  await expectShown(text(page), TEXTS[0]!);
  await expect(page).toHaveURL(/\?at=1$/);
  await expect(page.locator(".timeline-mark")).toHaveText("one");
});

test("the history is played, and paused", async ({ page }) => {
  await signUp(page);
  const id = await written(page, TEXTS);
  await openTimeline(page, id);
  await button(page, "100 times as fast").click();
  await button(page, "Play").click();
  await expectShown(text(page), TEXTS[3]!);
  await expect(button(page, "Play")).toBeVisible();
  await button(page, "1 times as fast").click();
  // Otherwise the short history may end before it can be paused.
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  await slider(page).focus();
  await page.keyboard.press("Home");
  await button(page, "Play").click();
  await button(page, "Pause").click();
  await expect(button(page, "Play")).toBeVisible();
});

test("a moment is compared with now, and restored", async ({ page }) => {
  await signUp(page);
  const id = await written(page, TEXTS);
  await openTimeline(page, id, "?at=1");
  await expectShown(text(page), TEXTS[0]!);
  await button(page, "Differences from now").click();
  const differences = page.getByRole("region", { name: "Differences from now" });
  await expect(differences.locator(".diff-line[data-kind=delete]")).toContainText(["removed: one"]);
  await expect(differences).toContainText("added: three");
  await expectAccessible(page);
  await button(page, "Differences from now").click();
  await expect(differences).toHaveCount(0);
  await slider(page).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page).toHaveURL(/\?at=2$/);
  await menuButton(page, "Restore this moment").click();
  await button(page, "Yes, restore this moment").click();
  await expect(toast(page, "The text after edit 2 was restored as version 2.")).toBeVisible();
  expect(await storedText(page, id)).toBe(TEXTS[1]);
  const versions = await (await callApi(page, "GET", `/documents/${id}/versions`)).json();
  expect(versions.items.map(({ message }: { message: string }) => message)).toEqual([
    "Restored the text after edit 2",
    "Before restoring the text after edit 2",
  ]);
  await callApi(page, "POST", `/documents/${id}/versions/1/restore`);
  expect(await storedText(page, id)).toBe(TEXTS[3]);
});

test("newer edits move the end and not the position", async ({ page }) => {
  await signUp(page);
  const id = await written(page, TEXTS);
  await openTimeline(page, id, "?at=2");
  await replaceText(page, id, "newer\n");
  await expect(slider(page)).toHaveAttribute("max", "5", { timeout: 15_000 });
  await expect(slider(page)).toHaveValue("2");
  await expectShown(text(page), TEXTS[1]!);
  await slider(page).focus();
  await page.keyboard.press("End");
  await expectShown(text(page), "newer\n");
});

test("a session's link shows its end", async ({ page }) => {
  await signUp(page);
  const id = await written(page, TEXTS);
  await openTimeline(page, id, "?at=1");
  const session = page.getByRole("region", { name: "Editing sessions" }).getByRole("link");
  await session.first().click();
  await expectShown(text(page), TEXTS[3]!);
  await expect(slider(page)).toBeFocused();
});

test("the timeline is reached from the list and from the history", async ({ page }) => {
  await signUp(page);
  const id = await written(page, TEXTS);
  await open(page, "/documents");
  await menuButton(page, "Actions for Island").click();
  await page.getByRole("link", { name: "Timeline" }).click();
  await expect(page).toHaveURL(new RegExp(`/documents/${id}/timeline$`));
  await page.getByRole("link", { name: "History" }).click();
  await page.getByRole("link", { name: "Timeline" }).click();
  await expect(page.getByRole("heading", { name: "Timeline" })).toBeVisible();
});

test("a document without edits says so", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Island", "text");
  const answer = await open(page, `/documents/${id}/timeline`);
  await expect(page.getByRole("heading", { name: "No edits yet" })).toBeVisible();
  expect(answer?.headers()["cache-control"]).toContain("no-store");
  await expectAccessible(page);
});

test("a failed request is explained and can be repeated", async ({ page, problems }) => {
  problems.expect(/status of 503/);
  await signUp(page);
  const id = await written(page, TEXTS);
  await page.route("**/edits/replay*", (route) => route.fulfill({ status: 503, body: "" }), { times: 1 });
  await open(page, `/documents/${id}/timeline`);
  await expect(page.getByRole("alert")).toContainText("The history could not be loaded.");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.locator(".timeline[data-phase=ready]")).toBeVisible();
});

test("others are told that they may not", async ({ page, otherPage, problems }) => {
  problems.expect(/status of 40[134]/);
  await signUp(page);
  const id = await written(page, TEXTS);
  await callApi(page, "PATCH", `/documents/${id}`, { isPublic: true });
  const other = await otherPage();
  await signUp(other);
  expect((await open(other, `/documents/${id}/timeline`))?.status()).toBe(403);
  await expect(other.getByText("Error 403")).toBeVisible();
});

test.describe("with reduced motion", () => {
  test.use({ contextOptions: { reducedMotion: "reduce" } });

  test("the text changes once a second", async ({ page }) => {
    await signUp(page);
    const id = await written(page, TEXTS);
    await openTimeline(page, id);
    await button(page, "100 times as fast").click();
    await page.clock.install({ time: "2030-01-01T00:00:00Z" });
    await page.clock.pauseAt("2030-01-01T01:00:00Z");
    await button(page, "Play").click();
    await expectShown(text(page), "");
    await page.clock.runFor(900);
    await expectShown(text(page), "");
    await page.clock.runFor(200);
    await expectShown(text(page), TEXTS[3]!);
  });
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("sessions open the text at their end, and a moment is restored", async ({ page }) => {
    await signUp(page);
    const id = await written(page, TEXTS);
    await page.goto(`/documents/${id}/timeline`);
    await page.getByRole("region", { name: "Editing sessions" }).getByRole("link").first().click();
    await expect(page).toHaveURL(/\?at=4$/);
    await expect(page.getByRole("heading", { name: "Current text" })).toBeVisible();
    const nearest = page.getByText("This is the nearest one.");
    await page.goto(`/documents/${id}/timeline?at=99999999999999999999`);
    await expect(page.getByRole("heading", { name: "Current text" })).toBeVisible();
    await expect(nearest).toBeVisible();
    await page.goto(`/documents/${id}/timeline?at=-1`);
    await expect(page.getByRole("heading", { name: "Text after edit 0" })).toBeVisible();
    await expect(nearest).toBeVisible();
    await page.goto(`/documents/${id}/timeline?at=2`);
    await expect(nearest).toHaveCount(0);
    await expect(page.getByRole("heading", { name: "Text after edit 2" })).toBeVisible();
    await expect(text(page)).toHaveText("one\ntwo 😀");
    await menuButton(page, "Restore this moment").click();
    await page.getByRole("button", { name: "Yes, restore this moment" }).click();
    await expect(page.getByText("The text after edit 2 was restored as version 2.")).toBeVisible();
    expect(await storedText(page, id)).toBe(TEXTS[1]);
  });
});
