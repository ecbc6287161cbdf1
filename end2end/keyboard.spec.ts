// The main workflow without a mouse.
import { commit, createDocument, newAccount, replaceText, signUp } from "./support/accounts";
import { awake, open } from "./support/awake";
import { editor, expectSaved, expectText, menuButton, openDocument, place, toast } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { tabTo } from "./support/keyboard";

test("signing up, writing, committing, comparing and restoring need only the keyboard", async ({ page, problems }) => {
  const account = newAccount();
  const { keyboard } = page;

  await test.step("sign up", async () => {
    await open(page, "/");
    await tabTo(page, page.getByRole("link", { name: "Create an account" }));
    await keyboard.press("Enter");
    await tabTo(page, page.getByLabel("Username"));
    await keyboard.type(account.username);
    await keyboard.press("Tab");
    await keyboard.type(account.email);
    await keyboard.press("Tab");
    await keyboard.type(account.password);
    await keyboard.press("Enter");
    await expect(page).toHaveURL("/documents");
  });

  await test.step("create a document", async () => {
    await tabTo(page, menuButton(page, "New document"));
    await keyboard.press("Enter");
    await tabTo(page, page.getByLabel("Title", { exact: true }));
    await keyboard.type("Island");
    await keyboard.press("Enter");
    await tabTo(page, editor(page));
  });

  await test.step("write and commit", async () => {
    await keyboard.type("At nine.");
    await expectSaved(page, "2 words");
    await keyboard.press("Control+s");
    await expect(page.getByLabel("What changed, and why")).toBeFocused();
    await keyboard.type("First");
    await tabTo(page, page.getByRole("dialog").getByRole("button", { name: "Commit" }));
    await keyboard.press("Enter");
    await expect(toast(page, "Version 1 saved.")).toBeVisible();
    await expect(editor(page)).toBeFocused();
  });

  await test.step("write more, leave the editor, and commit with the button", async () => {
    await keyboard.press("Control+Backspace");
    await keyboard.press("Control+Backspace");
    await keyboard.type("ten.");
    await expectText(page, "At ten.");
    await keyboard.press("Escape");
    await tabTo(page, page.getByRole("button", { name: "Commit" }), "Shift+Tab");
    await keyboard.press("Space");
    await keyboard.type("Later");
    await tabTo(page, page.getByRole("dialog").getByRole("button", { name: "Commit" }));
    await keyboard.press("Space");
    await expect(toast(page, "Version 2 saved.")).toBeVisible();
    await expect(page.getByRole("button", { name: "Commit" })).toBeFocused();
  });

  await test.step("compare, and step through the changes", async () => {
    await tabTo(page, page.getByRole("link", { name: "History", exact: true }), "Shift+Tab");
    await keyboard.press("Enter");
    await tabTo(page, page.getByRole("button", { name: "Compare" }));
    await keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: "Version 1 compared with version 2" })).toBeVisible();
    await awake(page);
    await keyboard.press("n");
    await expect(page.getByRole("region", { name: "Line 1" })).toBeFocused();
    await expect(place(page, "1 of 1")).toBeVisible();
  });

  await test.step("restore", async () => {
    await tabTo(page, page.getByRole("link", { name: "History", exact: true }), "Shift+Tab");
    await keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: "History" })).toBeVisible();
    await tabTo(page, page.getByRole("link", { name: "Version 1", exact: true }));
    await keyboard.press("Enter");
    await tabTo(page, menuButton(page, "Restore this version"));
    await keyboard.press("Enter");
    await tabTo(page, page.getByRole("button", { name: "Yes, restore version 1" }));
    await keyboard.press("Enter");
    await tabTo(page, toast(page, "as version 3.").getByRole("link", { name: "Open" }));
    await keyboard.press("Enter");
    await expectText(page, "At nine.");
  });

  await test.step("sign out", async () => {
    // The server may close the editor's socket before the next page is there.
    problems.expect(/status of 401/);
    await tabTo(page, menuButton(page, "account menu"));
    await keyboard.press("Enter");
    await tabTo(page, page.getByRole("button", { name: "Sign out" }));
    await keyboard.press("Enter");
    await expect(page).toHaveURL("/");
  });
});

test("the first Tab stop of every page skips its header", async ({ page }) => {
  await signUp(page);
  await open(page, "/documents");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeInViewport({ ratio: 1 });
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(menuButton(page, "New document")).toBeFocused();
});

test("a link leads to the top of the new page, whose first Tab stop skips its header", async ({ page }) => {
  await signUp(page);
  await openDocument(page, await createDocument(page, "Plans", "text"));
  for (const [name, path] of [["Read", "read"], ["History", "history"], ["Edit", ""], ["History", "history"]] as const) {
    await tabTo(page, page.getByRole("link", { name, exact: true }));
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(new RegExp(`/documents/[^/]+/?${path}$`));
    await page.keyboard.press("Tab");
    await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("main")).toBeFocused();
  }
});

test("Escape closes a menu and leaves the focus on its button", async ({ page }) => {
  await signUp(page);
  await createDocument(page, "Plans", "");
  await open(page, "/documents");
  const button = menuButton(page, "Actions for Plans");
  await tabTo(page, button);
  await page.keyboard.press("Space");
  await tabTo(page, page.getByRole("button", { name: "Move to trash" }));
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Move to trash" })).toBeHidden();
  await expect(button).toBeFocused();
});

test("Escape closes the commit dialog and returns the focus", async ({ page }) => {
  await signUp(page);
  await openDocument(page, await createDocument(page, "Plans", ""));
  await tabTo(page, editor(page));
  await page.keyboard.press("Control+s");
  await expect(page.getByRole("dialog", { name: "Commit" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Commit" })).toBeHidden();
  await expect(editor(page)).toBeFocused();
});

test("Ctrl+Enter commits, with a message of the maximum length in emoji", async ({ page }) => {
  await signUp(page);
  await openDocument(page, await createDocument(page, "Plans", "text"));
  const message = page.getByLabel("What changed, and why");
  await page.keyboard.press("Control+s");
  await message.fill("🏝".repeat(501));
  await expect(message).toHaveAccessibleDescription(/1 too many .*at most 500 characters/);
  await message.press("Control+Enter");
  await expect(page.getByRole("dialog", { name: "Commit" })).toBeVisible();
  await message.press("Backspace");
  await expect(message).toHaveAccessibleDescription("0 left");
  await message.press("Control+Enter");
  await expect(toast(page, "Version 1 saved.")).toBeVisible();
  await expect(page.getByRole("dialog", { name: "Commit" })).toBeHidden();
});

test("leaving a menu with the keyboard closes it", async ({ page }) => {
  await signUp(page);
  await createDocument(page, "Plans", "");
  await open(page, "/documents");
  await tabTo(page, menuButton(page, "Actions for Plans"));
  await page.keyboard.press("Enter");
  const last = page.getByRole("button", { name: "Move to trash" });
  await tabTo(page, last);
  await page.keyboard.press("Tab");
  await expect(last).toBeHidden();
  await page.keyboard.press("Shift+Tab");
  await expect(menuButton(page, "Actions for Plans")).toBeFocused();
});

test("Ctrl+Enter commits from every field of the dialog", async ({ page }) => {
  await signUp(page);
  await openDocument(page, await createDocument(page, "Plans", "text"));
  await page.keyboard.press("Control+s");
  await page.getByLabel("What changed, and why").fill("All of it");
  await page.getByLabel("Title (optional)").fill("First");
  await page.getByLabel("Title (optional)").press("Control+Enter");
  await expect(toast(page, "Version 1 saved.")).toHaveCount(1);
  await expect(page.getByRole("dialog", { name: "Commit" })).toBeHidden();
});

test("a cancelled commit keeps its message, and the selection in the text", async ({ page }) => {
  await signUp(page);
  await openDocument(page, await createDocument(page, "Plans", "one two"));
  await editor(page).press("Control+End");
  await page.keyboard.press("Control+Shift+ArrowLeft");
  await page.keyboard.press("Control+s");
  await page.getByLabel("Title (optional)").fill("A title");
  await page.getByLabel("What changed, and why").fill("A message");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(editor(page)).toBeFocused();
  await page.keyboard.type("three");
  await expectText(page, "one three");
  await page.keyboard.press("Control+s");
  await expect(page.getByLabel("Title (optional)")).toHaveValue("A title");
  await expect(page.getByLabel("What changed, and why")).toHaveValue("A message");
});

test("a document moves to the trash and is restored", async ({ page }) => {
  await signUp(page);
  await createDocument(page, "Plans", "");
  await open(page, "/documents");
  await tabTo(page, menuButton(page, "Actions for Plans"));
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "Move to trash" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "No documents yet" })).toBeVisible();
  await tabTo(page, toast(page, "“Plans” was moved to the trash.").getByRole("button", { name: "Undo" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("link", { name: "Plans", exact: true })).toBeVisible();
});

test("n and p move between the changes of a comparison, but not while typing", async ({ page }) => {
  await signUp(page);
  const lines = Array.from({ length: 60 }, (_, line) => `line ${line}`);
  const id = await createDocument(page, "Lines", lines.join("\n"));
  await commit(page, id, "First");
  await replaceText(page, id, lines.map((line, index) => (index % 20 === 5 ? `${line}!` : line)).join("\n"));
  await open(page, `/documents/${id}/compare?from=1&to=live`);
  await expect(page.getByText("3 changes")).toBeVisible();
  const changes = page.getByRole("region", { name: /^Lines/ });
  for (const [key, at] of [["n", 1], ["n", 2], ["n", 3], ["n", 1], ["p", 3]] as const) {
    await page.keyboard.press(key);
    await expect(changes.nth(at - 1)).toBeFocused();
    await expect(place(page, `${at} of 3`)).toBeVisible();
  }
  await page.getByLabel("From").focus();
  await page.keyboard.press("n");
  await expect(place(page, "3 of 3")).toBeVisible();
});
