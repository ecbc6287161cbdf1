// Rejected requests, lost connections and missing servers: input is kept, and the page explains the problem.
import { callApi, commit, createDocument, signUp } from "./support/accounts";
import { open } from "./support/awake";
import {
  editor,
  expectSaved,
  expectText,
  menuButton,
  openDocument,
  saveState,
  storedText,
  toast,
  write,
} from "./support/documents";
import { expect, test } from "./support/fixtures";
import { blockSockets } from "./support/live";

const OPS = "**/api/v1/documents/*/ops";

test.describe("forms", () => {
  test("a new document needs a title; the format stays selected", async ({ page, problems }) => {
    problems.expect(/status of 422/);
    await signUp(page);
    await open(page, "/documents");
    await menuButton(page, "New document").click();
    await page.getByLabel("Title", { exact: true }).fill("   ");
    await page.getByLabel("Kind").selectOption("JSON");
    await page.getByRole("button", { name: "Create" }).click();
    await expect(page.getByRole("alert", { name: "1 field has an error" })).toBeFocused();
    await expect(page.getByLabel("Title", { exact: true })).toHaveAccessibleDescription("Enter a title.");
    await expect(page.getByLabel("Kind")).toHaveValue("json");
    await page.getByLabel("Title", { exact: true }).fill("Settings");
    await page.getByRole("button", { name: "Create" }).click();
    await expectText(page, "{}");
  });

  test("a document keeps its title if the new one is invalid", async ({ page }) => {
    await signUp(page);
    const id = await createDocument(page, "Good title", "text");
    await openDocument(page, id);
    const title = page.getByLabel("Title", { exact: true });
    await title.fill(" ");
    await title.press("Tab");
    await expect(toast(page, "A document needs a title")).toBeVisible();
    await expect(title).toHaveValue("Good title");
    await title.fill("🏝".repeat(256));
    await title.press("Enter");
    await expect(toast(page, "Use at most 255 characters; this has 256.")).toBeVisible();
    await expect(title).toHaveAttribute("aria-invalid", "true");
    await title.press("Escape");
    await expect(title).toHaveValue("Good title");
    await expect(title).not.toBeFocused();
    await expect(title).not.toHaveAttribute("aria-invalid");
    await title.fill("  Better title ");
    await title.press("Enter");
    await expect(toast(page, "Renamed to “Better title”.")).toBeVisible();
    await expect(title).toHaveValue("Better title");
    await expect(page).toHaveTitle("Better title – Izanagi");
    // The previous message is outdated.
    await expect(toast(page, "Use at most 255 characters")).toBeHidden();
    await title.fill("Another");
    await title.press("Escape");
    await expect(title).toHaveValue("Better title");
    await page.reload();
    await expect(title).toHaveValue("Better title");
  });

  test("a button that does not reach the server reports it until it does", async ({ page, problems }) => {
    problems.expect(/ERR_FAILED/);
    await signUp(page);
    await createDocument(page, "Plans", "text");
    await open(page, "/documents");
    const trash = async () => {
      await menuButton(page, "Actions for Plans").click();
      await page.getByRole("button", { name: "Move to trash" }).click();
    };
    await page.route("**/fn/documents/trash", (route) => route.abort(), { times: 2 });
    await trash();
    const refusal = toast(page, "The server cannot be reached.");
    await expect(refusal).toHaveText("The server cannot be reached. Try again in a moment.");
    await trash();
    await expect(refusal).toHaveText("The server cannot be reached. Try again in a moment. (2 times)");
    await trash();
    await expect(toast(page, "“Plans” was moved to the trash.")).toBeVisible();
    await expect(refusal).toBeHidden();
  });

  test("a commit without changes is rejected with a reason, and the message is kept", async ({ page, problems }) => {
    problems.expect(/status of 409/);
    await signUp(page);
    const id = await createDocument(page, "Same", "text");
    await commit(page, id, "First");
    await openDocument(page, id);
    await page.keyboard.press("Control+s");
    const dialog = page.getByRole("dialog", { name: "Commit" });
    await dialog.getByLabel("What changed, and why").fill("Nothing at all");
    await dialog.getByRole("button", { name: "Commit" }).click();
    await expect(dialog.getByRole("alert")).toHaveText("Nothing has changed since the last version.");
    await expect(dialog.getByLabel("What changed, and why")).toHaveValue("Nothing at all");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await write(page, " and more");
    await page.getByRole("button", { name: "Commit" }).click();
    await expect(dialog.getByRole("alert")).toBeHidden();
    await expect(dialog.getByLabel("What changed, and why")).toHaveValue("Nothing at all");
    await dialog.getByRole("button", { name: "Commit" }).click();
    await expect(toast(page, "Version 2 saved.")).toBeVisible();
  });

  test("a form that does not reach the server says so and keeps its input", async ({ page, problems }) => {
    problems.expect(/ERR_FAILED/);
    await open(page, "/signup");
    await page.route("**/fn/accounts/sign-up", (route) => route.abort());
    await page.getByLabel("Username").fill("somebody");
    await page.getByLabel("Email").fill("somebody@example.org");
    await page.getByLabel("Password").fill("calm and long enough");
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page.getByRole("alert")).toContainText("The server cannot be reached.");
    await expect(page.getByLabel("Username")).toHaveValue("somebody");
    await expect(page.getByLabel("Email")).toHaveValue("somebody@example.org");
  });
});

test.describe("while editing", () => {
  test("without a network the page counts unsaved edits, and saves them when it can", async ({ page, problems }) => {
    problems.expect(/ERR_FAILED/);
    await blockSockets(page);
    await signUp(page);
    const id = await createDocument(page, "Tunnel", "before");
    await openDocument(page, id);
    await page.route(OPS, (route) => route.abort());
    await write(page, " in the tunnel");
    await expect(saveState(page, "Offline, 14 edits on this device")).toBeVisible();
    expect(await storedText(page, id)).toBe("before");
    await page.unroute(OPS);
    await expectSaved(page, "4 words");
    expect(await storedText(page, id)).toBe("before in the tunnel");
  });

  test("unsaved edits survive a reload", async ({ page, problems }) => {
    problems.expect(/ERR_FAILED/);
    await blockSockets(page);
    await signUp(page);
    const id = await createDocument(page, "Tunnel", "before");
    await openDocument(page, id);
    await page.route(OPS, (route) => route.abort());
    await write(page, " and after");
    await expect(saveState(page, "Offline, 10 edits on this device")).toBeVisible();
    await page.goto("/documents");
    expect(await storedText(page, id)).toBe("before");
    await page.unroute(OPS);
    await openDocument(page, id);
    await expectText(page, "before and after");
    await expect(saveState(page, /^Saved$/)).toBeVisible();
    expect(await storedText(page, id)).toBe("before and after");
  });

  test("a rejected edit is reported with the reason, and retried on request", async ({ page, problems }) => {
    problems.expect(/status of 422/);
    await blockSockets(page);
    await signUp(page);
    const id = await createDocument(page, "Refused", "");
    await openDocument(page, id);
    const problem = { type: "about:blank", title: "No", status: 422, code: "full_moon", detail: "It is full moon." };
    await page.route(OPS, (route) => route.fulfill({ status: 422, json: { ...problem, requestId: "1" } }));
    await write(page, "kept");
    await expect(saveState(page, "Not saved: It is full moon.")).toBeVisible();
    await expect(page.getByRole("alert")).toContainText("They are kept on this device.");
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download the text" }).click();
    expect((await download).suggestedFilename()).toBe("Refused.md");
    await page.unroute(OPS);
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(saveState(page, /^Saved$/)).toBeVisible();
    await expect(page.getByRole("alert")).toBeHidden();
    expect(await storedText(page, id)).toBe("kept");
  });

  test("a paste beyond the limit is rejected as a whole with a message", async ({ page }) => {
    await signUp(page);
    const id = await createDocument(page, "Full", "before");
    await openDocument(page, id);
    await editor(page).press("Control+End");
    await editor(page).evaluate((field, length) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", "x".repeat(length));
      field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }, 10 * 1024 * 1024);
    await expect(toast(page, "This would exceed the limit of 10 MiB of text.")).toBeVisible();
    await expectText(page, "before");
    await write(page, " and after");
    await expectSaved(page, "3 words");
    expect(await storedText(page, id)).toBe("before and after");
  });

  test("an edit beyond the limit is resent once it fits", async ({ page, problems }) => {
    problems.expect(/status of 413/);
    await blockSockets(page);
    await signUp(page);
    const id = await createDocument(page, "Crowded", "");
    await openDocument(page, id);
    const problem = { type: "about:blank", title: "Too large", status: 413, code: "too_large" };
    const answer = { ...problem, detail: "A document can hold 10 MiB.", requestId: "1" };
    await page.route(OPS, (route) => route.fulfill({ status: 413, json: answer }), { times: 1 });
    await write(page, "a");
    await expect(saveState(page, "Not saved: This exceeds the size limit.")).toBeVisible();
    await write(page, "b");
    await expectSaved(page, "1 word");
    await expect(page.getByRole("alert")).toBeHidden();
    expect(await storedText(page, id)).toBe("ab");
  });

  test("a failure to load the editor is explained", async ({ page, problems }) => {
    problems.expect(/ERR_FAILED|cannot start/);
    await signUp(page);
    const id = await createDocument(page, "Unloaded", "still to be read");
    await page.route("**/editor*.js", (route) => route.abort());
    await page.goto(`/documents/${id}`);
    const alert = page.getByRole("alert").filter({ hasText: "The editor could not be loaded" });
    await expect(alert).toBeVisible();
    await expect(page.getByText("still to be read").first()).toBeVisible();
    await page.unroute("**/editor*.js");
    await alert.getByRole("link", { name: "Reload" }).click();
    await expect(editor(page)).toBeVisible();
  });

  test("text typed while the server is down is saved when it is back", async ({ page, server, problems }) => {
    problems.expect(/ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)/);
    await signUp(page);
    const id = await createDocument(page, "Patience", "before");
    await openDocument(page, id);
    await server.kill();
    await write(page, ", during");
    await expect(saveState(page, "Offline, 8 edits on this device")).toBeVisible();
    await editor(page).press("Control+End");
    await page.keyboard.type(" and after");
    await server.start();
    await expectSaved(page, "4 words");
    expect(await storedText(page, id)).toBe("before, during and after");
  });

  test("a lost response does not duplicate text", async ({ page, problems }) => {
    problems.expect(/ERR_CONNECTION_RESET/);
    await blockSockets(page);
    await signUp(page);
    const id = await createDocument(page, "Once", "");
    await openDocument(page, id);
    await page.route(
      OPS,
      async (route) => {
        await route.fetch();
        await route.abort("connectionreset");
      },
      { times: 2 },
    );
    await write(page, "once only");
    await expectSaved(page, "2 words");
    expect(await storedText(page, id)).toBe("once only");
    await expectText(page, "once only");
  });
});

test("a commit waits for the last edits and contains them", async ({ page, problems }) => {
  problems.expect(/ERR_FAILED/);
  await blockSockets(page);
  await signUp(page);
  const id = await createDocument(page, "Waiting", "");
  await openDocument(page, id);
  await page.route(OPS, (route) => route.abort());
  await write(page, "late words");
  await page.keyboard.press("Control+s");
  const dialog = page.getByRole("dialog", { name: "Commit" });
  await dialog.getByLabel("What changed, and why").fill("All of it");
  await dialog.getByRole("button", { name: "Commit" }).click();
  await expect(dialog.getByRole("status")).toHaveText("Waiting until your last edits are saved…");
  await page.unroute(OPS);
  await expect(toast(page, "Version 1 saved.")).toBeVisible();
  const version = await (await callApi(page, "GET", `/documents/${id}/versions/1`)).json();
  expect(version).toMatchObject({ content: "late words", message: "All of it" });
});

test("an invalid title of a version is reported at its field when the commit is submitted", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Long", "text");
  await openDocument(page, id);
  await page.keyboard.press("Control+s");
  const dialog = page.getByRole("dialog", { name: "Commit" });
  const title = dialog.getByLabel("Title (optional)");
  await title.fill("x".repeat(201));
  await dialog.getByRole("button", { name: "Commit" }).click();
  await expect(title).toHaveAccessibleDescription("Use at most 200 characters; this has 201.");
  await expect(title).toHaveAttribute("aria-invalid", "true");
  await expect(title).toBeFocused();
  await title.press("End");
  await title.press("Backspace");
  await expect(title).not.toHaveAttribute("aria-invalid");
  await dialog.getByRole("button", { name: "Commit" }).click();
  await expect(toast(page, "Version 1 saved.")).toBeVisible();
});
