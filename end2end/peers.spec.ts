// Other people in the editor on its own: their cursors, their avatars, following, and what is announced.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import type { Peer } from "../frontend/editor/contract";
import { agreedText, type EditorSite, openEditor, serveEditor } from "./support/editor-page";
import { expect, watchedTest as test } from "./support/fixtures";

let site: EditorSite;
test.beforeAll(async () => {
  site = await serveEditor();
});
test.afterAll(() => site.close());

function peer(client: number, name: string, anchor: number | null, head = anchor): Peer {
  return { client, state: JSON.stringify({ user: { id: name, name, color: "#1f6b2e" } }), anchor, head };
}

async function show(page: Page, changed: Peer[], gone: number[] = []): Promise<void> {
  await page.evaluate(([changed, gone]) => window.editor.showPeers(changed, gone), [changed, gone] as const);
}

const carets = (page: Page) => page.locator(".peer-caret");

/** Returns the text before a caret in its line, by the positions on the screen. */
async function textBefore(page: Page, client = 0): Promise<string> {
  return page.evaluate((index) => {
    const { left, top, height } = document.querySelectorAll(".peer-caret")[index]!.getBoundingClientRect();
    const at = document.caretRangeFromPoint(left, top + height / 2)!;
    const range = document.createRange();
    range.setStart((at.startContainer.parentElement ?? document.body).closest(".cm-line")!, 0);
    range.setEnd(at.startContainer, at.startOffset);
    return range.toString();
  }, client);
}

test("a cursor keeps its place through local and remote edits", async ({ page }) => {
  await openEditor(page, site, { text: "one two" });
  await show(page, [peer(1, "Mio", 4)]);
  await expect(carets(page)).toHaveCount(1);
  expect(await textBefore(page)).toBe("one ");
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("more ");
  await expect.poll(() => textBefore(page)).toBe("more one ");
  await page.evaluate(() => window.remote([{ from: 0, to: 5, insert: "" }]));
  await expect.poll(() => textBefore(page)).toBe("one ");
  await show(page, [], [1]);
  await expect(carets(page)).toHaveCount(0);
});

test("the name is shown after a move and near the pointer, and is not read out", async ({ page }) => {
  await openEditor(page, site, { text: "one two" });
  await show(page, [peer(1, "Mio", 4)]);
  const name = page.locator(".peer-name");
  await expect(name).toHaveText("Mio");
  await expect(name).toHaveCSS("opacity", "1");
  await expect(name).toHaveCSS("opacity", "0");
  const box = (await carets(page).boundingBox())!;
  await page.mouse.move(box.x + 3, box.y + box.height / 2);
  await expect(name).toHaveCSS("opacity", "1");
  await page.mouse.move(box.x + 60, box.y + box.height / 2);
  await expect(name).toHaveCSS("opacity", "0");
  await show(page, [peer(1, "Mio", 5)]);
  await expect(name).toHaveCSS("opacity", "1");
  expect(await page.locator(".peer-layer").evaluateAll((layers) => layers.map((it) => it.ariaHidden))).toEqual(["true", "true"]);
});

test("a selection is drawn over lines that wrap, in both directions of writing", async ({ page }) => {
  const text = `${"long ".repeat(200)}\nשלום עולם\nend`;
  await openEditor(page, site, { text });
  const hebrew = text.indexOf("ש");
  await show(page, [peer(1, "Mio", 0, 900), peer(2, "Ren", hebrew, hebrew + 4)]);
  await expect(page.locator(".peer-selection").first()).toBeAttached();
  expect(await page.locator(".peer-selection").count()).toBeGreaterThan(2);
  // The caret of the second is to the left of the four letters, which are read from the right.
  const [first, last] = await page.evaluate((at) => {
    const lines = document.querySelectorAll(".cm-line");
    const range = document.createRange();
    range.setStart(lines[1]!.firstChild!, 0);
    range.setEnd(lines[1]!.firstChild!, 4);
    const { left } = range.getBoundingClientRect();
    return [left, document.querySelectorAll(".peer-caret")[at]!.getBoundingClientRect().left];
  }, 1);
  expect(Math.abs(first - last)).toBeLessThan(3);
  expect(await page.evaluate(() => window.seen.violations)).toEqual([]);
});

test("positions outside the text do no harm", async ({ page }) => {
  await openEditor(page, site, { text: "one" });
  await show(page, [peer(1, "Mio", 999, 4_000_000_000)]);
  await expect(carets(page)).toHaveCount(1);
  await page.evaluate(() => window.remote([{ from: 0, to: 2, insert: "" }]));
  await expect.poll(() => textBefore(page)).toBe("e");
});

test("people are shown once each, with the rest in a menu", async ({ page }) => {
  await openEditor(page, site, { text: "text" });
  const names = ["Ada", "Bo", "Cy", "Di", "Ed"];
  await show(page, [...names.map((name, index) => peer(index, name, 0)), peer(9, "Ada", 2)]);
  const group = page.getByRole("group", { name: "People here" });
  await expect(group.locator(".people-shown button")).toHaveCount(3);
  await expect(carets(page)).toHaveCount(6);
  const menu = group.locator("summary");
  await expect(menu).toHaveText("+25");
  await expect(menu).toHaveAccessibleName("Everyone here: 5");
  await menu.click();
  await expect(group.getByRole("listitem").getByRole("button")).toHaveCount(5);
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().include("#people").analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await group.getByLabel("Show their cursors").uncheck();
  await expect(carets(page).first()).toBeHidden();
  await page.reload();
  await openEditor(page, site, { text: "text" });
  await show(page, [peer(1, "Mio", 0)]);
  await expect(carets(page)).toBeHidden();
});

test("the name of an avatar is shown with the pointer and with the focus, which stays", async ({ page }) => {
  await openEditor(page, site, { text: "text" });
  await show(page, [peer(1, "Mio Ando", 0)]);
  const avatar = page.getByRole("button", { name: "Follow Mio Ando" }).first();
  const name = avatar.locator(".person-name");
  await expect(name).toBeHidden();
  await avatar.hover();
  await expect(name).toBeVisible();
  await page.mouse.move(0, 300);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  await expect(avatar).toBeFocused();
  await expect(name).toBeVisible();
  await show(page, [peer(2, "Ren", 0)]);
  await expect(avatar).toBeFocused();
});

test("following scrolls along until the user acts", async ({ page }) => {
  const lines = Array.from({ length: 400 }, (_, line) => `line ${line}`);
  const text = lines.join("\n");
  await openEditor(page, site, { text });
  await show(page, [peer(1, "Mio", text.indexOf("line 300"))]);
  await page.getByRole("button", { name: "Follow Mio" }).first().click();
  const strip = page.getByRole("status").filter({ hasText: "Following Mio. Press Escape to stop." });
  await expect(strip).toBeVisible();
  await expect(page.getByText("line 300", { exact: true })).toBeInViewport();
  await show(page, [peer(1, "Mio", text.indexOf("line 20"))]);
  await expect(page.getByText("line 20", { exact: true })).toBeInViewport();
  await page.keyboard.press("Escape");
  await expect(strip).toBeHidden();
  await show(page, [peer(1, "Mio", text.indexOf("line 390"))]);
  await expect(page.getByText("line 20", { exact: true })).toBeInViewport();

  for (const act of [() => page.keyboard.type("x"), () => page.mouse.wheel(0, 10)]) {
    await page.getByRole("button", { name: "Follow Mio" }).first().click();
    await expect(strip).toBeVisible();
    await page.getByRole("textbox").focus();
    await page.getByRole("textbox").hover();
    await act();
    await expect(strip).toBeHidden();
  }
});

test("the own selection is announced at most ten times a second, and not before there is one", async ({ page }) => {
  await openEditor(page, site, { text: "some text" });
  await expect.poll(() => page.evaluate(() => window.seen.presences.length)).toBeGreaterThan(0);
  const before = await page.evaluate(() => window.seen.presences.length);
  const started = Date.now();
  for (let step = 0; step < 40; step += 1) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Control+a");
  await expect.poll(() => page.evaluate(() => window.seen.presences.at(-1)?.slice(1))).toEqual([0, 9]);
  const elapsed = Date.now() - started;
  const announced = (await page.evaluate(() => window.seen.presences.length)) - before;
  expect(announced).toBeLessThanOrEqual(Math.ceil(elapsed / 100) + 1);
  const [user] = (await page.evaluate(() => window.seen.presences.at(-1)))!;
  expect(JSON.parse(user)).toMatchObject({ name: "Me", id: "me", color: expect.stringMatching(/^#[0-9a-f]{6}$/) });
});

test("of two people with one colour, one takes another", async ({ page }) => {
  await openEditor(page, site, { text: "" });
  await expect.poll(() => page.evaluate(() => window.seen.presences.length)).toBeGreaterThan(0);
  const color = async () => JSON.parse((await page.evaluate(() => window.seen.presences.at(-1)![0])) as string).color;
  const own = await color();
  const state = JSON.stringify({ user: { id: "a", name: "A", color: own } });
  await show(page, [{ client: 1, state, anchor: null, head: null }]);
  await expect.poll(color).not.toBe(own);
});

test("undo and redo change only the own edits between those of others", async ({ page }) => {
  await openEditor(page, site, { text: "base" });
  const remote = (at: number, insert: string) =>
    page.evaluate(([at, insert]) => window.remote([{ from: at, to: at, insert }]), [at, insert] as const);
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("one");
  await remote(0, "<");
  await page.keyboard.press("Control+End");
  await page.keyboard.type("two");
  // Inside the own text, and around it.
  await remote(2, "-");
  await remote(12, ">");
  await page.keyboard.press("Control+z");
  expect(await agreedText(page)).toBe("<o-nebase>");
  await remote(0, "[");
  await page.keyboard.press("Control+z");
  expect(await agreedText(page)).toBe("[<-base>");
  await page.keyboard.press("Control+y");
  await page.keyboard.press("Control+y");
  const again = await agreedText(page);
  for (const part of ["[<", "-", "base", "two", ">"]) expect(again).toContain(part);
  expect(again.replace(/[[<>-]/g, "")).toBe("onebasetwo");
});
