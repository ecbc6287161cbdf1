// Writing together over sockets: every letter arrives everywhere, once, and everybody sees where the others are.
import { expectAccessible } from "./support/accessibility";
import { callApi, commit, createDocument, newAccount, signUp } from "./support/accounts";
import { editor, expectText, openDocument, saveState, storedText, toast, write } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { carets, count, expectOthers, people, shareDocument, watchSockets } from "./support/live";

test("two browsers write in the same line at once, and see each other's cursors", async ({ page, otherPage }) => {
  const other = await otherPage();
  const id = await shareDocument(page, other, "Together", "start end");
  await editor(page).press("Control+Home");
  await editor(other).press("Control+End");
  await Promise.all([expectOthers(page), expectOthers(other)]);
  const words = (who: string) => Array.from({ length: 12 }, (_, index) => `${who}${index}.`);
  await Promise.all([
    page.keyboard.type(words("a").join(""), { delay: 20 }),
    other.keyboard.type(words("b").join(""), { delay: 20 }),
  ]);
  const whole = `${words("a").join("")}start end${words("b").join("")}`;
  await Promise.all([expectText(page, whole), expectText(other, whole)]);
  await Promise.all([page, other].map((it) => expect(saveState(it, /^Saved$/)).toBeVisible()));
  expect(await storedText(page, id)).toBe(whole);
  await Promise.all([expect(carets(page)).toHaveCount(1), expect(carets(other)).toHaveCount(1)]);

  // At the same place: the letters of each stay in their order.
  await editor(page).press("Control+Home");
  await editor(other).press("Control+Home");
  await Promise.all([page.keyboard.type("uuuuu"), other.keyboard.type("vvvvv")]);
  await expect.poll(() => storedText(page, id)).toMatch(/^[uv]{10}a0/);
  const text = await storedText(page, id);
  expect([count(text, "u"), count(text, "v")]).toEqual([5, 5]);
  await Promise.all([expectText(page, text), expectText(other, text)]);
});

test("a letter reaches the other browser within a blink, and is shown as saved", async ({ page, otherPage }) => {
  const other = await otherPage();
  await shareDocument(page, other, "Quick", "");
  await Promise.all([editor(page).focus(), editor(other).focus()]);
  await Promise.all([expectOthers(page), expectOthers(other)]);
  const times: number[] = [];
  for (let number = 0; number < 5; number += 1) {
    const began = Date.now();
    await page.keyboard.type(`${number}`);
    await expectText(other, "01234".slice(0, number + 1));
    times.push(Date.now() - began);
  }
  // The steps of the test itself take most of this; polling took up to two seconds.
  expect(times.toSorted((a, b) => a - b)[2]).toBeLessThan(600);
  await expect(saveState(page, /^Saved$/)).toBeVisible();
});

test("the second device of a person is one person and a second cursor", async ({ page, otherPage }) => {
  const account = newAccount();
  await signUp(page, account);
  const id = await createDocument(page, "Devices", "some text");
  const phone = await otherPage();
  await callApi(phone, "POST", "/auth/login", { login: account.username, password: account.password });
  const other = await otherPage();
  await signUp(other);
  const { id: otherId } = await (await callApi(other, "GET", "/me")).json();
  await callApi(page, "PUT", `/documents/${id}/owners/${otherId}`);
  for (const tab of [page, phone, other]) {
    await openDocument(tab, id);
    await editor(tab).press("Control+End");
  }
  await expect(people(other).locator(".people-shown button")).toHaveCount(1);
  await expect(carets(other)).toHaveCount(2);
  await expect(people(page).getByRole("button", { name: `${account.username} (you)` }).first()).toBeVisible();
  await Promise.all([page.keyboard.type("AAAA"), phone.keyboard.type("BBBB")]);
  await expect.poll(() => storedText(page, id)).toMatch(/^some text[AB]{8}$/);
  const text = await storedText(page, id);
  await Promise.all([page, phone, other].map((tab) => expectText(tab, text)));
  await phone.close();
  await expect(carets(other)).toHaveCount(1);
});

test("a rename, a commit and a restore elsewhere are shown at once", async ({ page, otherPage }) => {
  const other = await otherPage();
  const id = await shareDocument(page, other, "Old", "first");
  const { displayName } = await (await callApi(other, "GET", "/me")).json();
  await callApi(other, "PATCH", `/documents/${id}`, { title: "New" });
  await expect(page.getByLabel("Title", { exact: true })).toHaveValue("New", { timeout: 1_500 });
  await expect(page.getByText("No version yet")).toBeVisible();
  await commit(other, id, "One");
  const first = toast(page, `${displayName} committed version 1.`);
  await expect(first).toBeVisible();
  await expect(page.locator(".status-bar").getByText("Version 1")).toBeVisible();
  await write(other, " second");
  await expect(saveState(other, /^Saved$/)).toBeVisible();
  await commit(other, id, "Two");
  const second = toast(page, `${displayName} committed version 2.`);
  await expect(second.getByRole("link")).toHaveAttribute("href", `/documents/${id}/compare?from=1&to=2`);
  await callApi(other, "POST", `/documents/${id}/versions/1/restore`);
  const third = toast(page, `${displayName} restored version 1.`);
  await expect(third.getByRole("link")).toHaveAttribute("href", `/documents/${id}/compare?from=2&to=3`);
  await expect(page.locator(".status-bar").getByText("Version 3")).toBeVisible();
  await expectText(page, "first");
});

test("the own commit is announced once", async ({ page }) => {
  await signUp(page);
  await openDocument(page, await createDocument(page, "Mine", "text"));
  await page.keyboard.press("Control+s");
  const dialog = page.getByRole("dialog", { name: "Commit" });
  await dialog.getByLabel("What changed, and why").fill("Mine");
  await dialog.getByRole("button", { name: "Commit" }).click();
  await expect(toast(page, "Version 1 saved.")).toBeVisible();
  await expect(page.locator(".status-bar").getByText("Version 1")).toBeVisible();
  await expect(page.getByText("committed version")).toHaveCount(0);
});

test("following shows where the other one is", async ({ page, otherPage }) => {
  const other = await otherPage();
  const lines = Array.from({ length: 300 }, (_, line) => `line ${line}`);
  await shareDocument(page, other, "Long", lines.join("\n"));
  await editor(other).press("Control+End");
  await expectOthers(page);
  await people(page).getByRole("button", { name: /^Follow / }).first().click();
  await expect(page.getByText(/^Following .* Press Escape to stop\.$/)).toBeVisible();
  await expect(editor(page).getByText("line 299", { exact: true })).toBeInViewport();
  await editor(other).press("Control+Home");
  await expect(editor(page).getByText("line 0", { exact: true })).toBeInViewport();
  await page.keyboard.press("Escape");
  await expect(page.getByText(/^Following/)).toBeHidden();
});

test("the people and the cursors in an editor are accessible", async ({ page, otherPage }) => {
  const other = await otherPage();
  await shareDocument(page, other, "Accessible", "text");
  await editor(other).press("Control+End");
  await expectOthers(page);
  await expect(carets(page)).toHaveCount(1);
  await people(page).getByRole("button", { name: /^Follow / }).first().click();
  await expect(page.getByText(/^Following /)).toBeVisible();
  await expectAccessible(page);
  await people(page).locator("summary").click();
  await people(page).getByRole("listitem").getByRole("button", { name: /^Follow / }).press("Enter");
  await expect(people(page).locator("summary")).toBeFocused();
  await expect(page.getByText(/^Following /)).toBeHidden();
});

test("a silent socket is noticed, and nothing is lost", async ({ page }) => {
  test.setTimeout(90_000);
  const sockets = await watchSockets(page);
  await signUp(page);
  const id = await createDocument(page, "Silent", "");
  await openDocument(page, id);
  await write(page, "before");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  sockets.silence();
  await page.keyboard.type(" after");
  await expect(saveState(page, /^Saving…$/)).toBeVisible();
  await expect(saveState(page, /^Saved$/)).toBeVisible({ timeout: 45_000 });
  expect(sockets.opened()).toBeGreaterThan(1);
  expect(await storedText(page, id)).toBe("before after");
});

test("the people here fit a phone @phone", async ({ page, otherPage }) => {
  const other = await otherPage();
  await shareDocument(page, other, "Small", "text");
  await editor(other).press("Control+End");
  await expectOthers(page);
  await people(page).locator("summary").click();
  await expect(people(page).getByRole("listitem").getByRole("button", { name: /^Follow / })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Commit" })).toBeInViewport();
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  await editor(page).press("Control+End");
  await page.keyboard.type(" and more");
  await expectText(other, "text and more");
});

test("the editor is left by keyboard while others write", async ({ page, otherPage }) => {
  const other = await otherPage();
  await shareDocument(page, other, "Leave", "text");
  await editor(page).press("Control+End");
  await editor(other).press("Control+Home");
  await other.keyboard.type("theirs ");
  await expectText(page, "theirs text");
  await editor(page).press("Escape");
  await other.keyboard.type("more ");
  await expectText(page, "theirs more text");
  await page.keyboard.press("Tab");
  await expect(editor(page)).not.toBeFocused();
  await expectText(page, "theirs more text");
});
