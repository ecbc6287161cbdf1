// The main scenario: writing, committing, comparing, restoring, and surviving a crash of the server.
import { newAccount } from "./support/accounts";
import { open } from "./support/awake";
import {
  commitByKeys,
  dropFiles,
  editor,
  expectSaved,
  expectText,
  menuButton,
  openDocument,
  storedText,
  toast,
  write,
} from "./support/documents";
import { expect, test } from "./support/fixtures";

const FILE = "# Ferry\n\nThe ferry leaves at nine.\n";

test("a document and its history survive everything, kill -9 included", async ({ page, server, problems }) => {
  const account = newAccount();
  let id = "";

  await test.step("sign up", async () => {
    await open(page, "/signup");
    await page.getByLabel("Username").fill(account.username);
    await page.getByLabel("Email").fill(account.email);
    await page.getByLabel("Password").fill(account.password);
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page.getByRole("heading", { name: "No documents yet" })).toBeVisible();
    await expect(page.getByText(`Welcome, ${account.username}.`)).toBeVisible();
  });

  await test.step("drop a file", async () => {
    await dropFiles(page, [{ name: "ferry.md", content: FILE }]);
    await expect(page.getByRole("listitem").filter({ hasText: "ferry.md" })).toContainText("Added");
    await page.getByRole("link", { name: "ferry", exact: true }).click();
    await expectText(page, "# Ferry The ferry leaves at nine.");
    id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    expect(await storedText(page, id)).toBe(FILE);
  });

  await test.step("edit and commit, twice", async () => {
    await write(page, "Bring a coat.\n");
    await commitByKeys(page, "A coat");
    await expect(page.getByText("Version 1 saved.")).toBeVisible();
    await page.getByRole("link", { name: "History", exact: true }).click();
    await page.getByRole("link", { name: "Edit", exact: true }).click();
    await editor(page).press("Control+Home");
    for (const key of ["ArrowDown", "ArrowDown", "End", "ArrowLeft", "Control+Backspace"]) {
      await page.keyboard.press(key);
    }
    await page.keyboard.type("ten");
    await expectText(page, "# Ferry The ferry leaves at ten. Bring a coat.");
    await commitByKeys(page, "New departure time");
    await expect(page.getByText("Version 2 saved.")).toBeVisible();
  });

  await test.step("compare the two, down to the word", async () => {
    await page.getByRole("link", { name: "History", exact: true }).click();
    await page.getByLabel("Compare from version 1").check();
    await page.getByLabel("Compare to version 2").check();
    await page.getByRole("button", { name: "Compare" }).click();
    await expect(page.getByRole("heading", { name: "Version 1 compared with version 2" })).toBeVisible();
    const change = page.getByRole("region", { name: /^Lines/ });
    await expect(change.getByRole("deletion")).toHaveText(["nine"]);
    await expect(change.getByRole("insertion")).toHaveText(["ten"]);
    await expect(change).toContainText("removed: The ferry leaves at nine.");
    await expect(change).toContainText("added: The ferry leaves at ten.");
  });

  await test.step("restore the old version", async () => {
    await page.getByRole("link", { name: "History", exact: true }).click();
    await page.getByRole("link", { name: "Version 1", exact: true }).click();
    await menuButton(page, "Restore this version").click();
    await page.getByRole("button", { name: "Yes, restore version 1" }).click();
    await toast(page, "Version 1 restored as version 3.").getByRole("link", { name: "Open" }).click();
    await expectText(page, "# Ferry The ferry leaves at nine. Bring a coat.");
  });

  await test.step("kill the server as soon as the page shows Saved, and restart it", async () => {
    await write(page, "Not committed.");
    await expectSaved(page, "11 words");
    problems.expect(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED/);
    await server.kill();
    await server.start();
  });

  await test.step("find everything", async () => {
    await open(page, "/documents");
    const row = page.getByRole("listitem").filter({ hasText: "ferry" });
    await expect(row).toContainText("3 versions");
    await openDocument(page, id);
    await expectText(page, "# Ferry The ferry leaves at nine. Bring a coat. Not committed.");
    expect(await storedText(page, id)).toBe(`${FILE}Bring a coat.\nNot committed.`);
    await page.getByRole("link", { name: "History", exact: true }).click();
    for (const message of ["A coat", "New departure time", "Restored version 1"]) {
      await expect(page.getByText(message, { exact: true })).toBeVisible();
    }
    await page.getByRole("link", { name: "Version 2", exact: true }).click();
    await expect(page.getByRole("article")).toContainText("The ferry leaves at ten.");
    await expect(page.getByRole("complementary")).toContainText("New departure time");
  });
});
