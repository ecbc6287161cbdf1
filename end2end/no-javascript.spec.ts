// Features without JavaScript: account, list, uploads, reading, trash. The history has its own file.
import { callApi, createDocument, newAccount, signUp } from "./support/accounts";
import { fileField, menuButton } from "./support/documents";
import { expect, test } from "./support/fixtures";

test.use({ javaScriptEnabled: false });

test.describe("the account", () => {
  test("can be created, signed out of and signed in to", async ({ page }) => {
    const account = newAccount();
    await page.goto("/");
    await page.getByRole("link", { name: "Create an account" }).click();
    await page.getByLabel("Username").fill(account.username);
    await page.getByLabel("Email").fill(account.email);
    await page.getByLabel("Password").fill(account.password);
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page).toHaveURL("/documents");
    await expect(page.getByText(`Welcome, ${account.username}.`)).toBeVisible();

    await menuButton(page, "account menu").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page).toHaveURL("/");
    await expect(page.getByText("You are signed out.")).toBeVisible();

    await page.goto("/trash");
    await expect(page).toHaveURL("/login?next=/trash");
    await page.getByLabel("Username or email").fill(account.username);
    await page.getByLabel("Password").fill(account.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL("/trash");
    await expect(page.getByText(`Welcome back, ${account.username}.`)).toBeVisible();
  });

  test("is rejected with every reason, and input is kept", async ({ page }) => {
    await page.goto("/signup?next=/trash");
    await page.getByLabel("Username").fill("a b");
    await page.getByLabel("Email").fill("nowhere");
    await page.getByLabel("Password").fill("short");
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page.getByRole("alert", { name: "3 fields have errors" })).toBeVisible();
    await expect(page.getByLabel("Username")).toHaveValue("a b");
    await expect(page.getByLabel("Username")).toHaveAccessibleDescription(/cannot be part of a username/);
    await expect(page.getByLabel("Email")).toHaveValue("nowhere");
    await expect(page.getByLabel("Email")).toHaveAttribute("aria-invalid", "true");
    await expect(page.getByLabel("Password")).toHaveValue("");
    expect(page.url()).not.toContain("nowhere");
    const account = newAccount();
    await page.getByLabel("Username").fill(account.username);
    await page.getByLabel("Email").fill(account.email);
    await page.getByLabel("Password").fill(account.password);
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page).toHaveURL("/trash");
  });

  test("rejects a wrong password; the name is kept", async ({ page }) => {
    const account = await signUp(page);
    await page.context().clearCookies();
    await page.goto("/login");
    await page.getByLabel("Username or email").fill(account.username);
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toHaveText("Wrong username or password.");
    await expect(page.getByLabel("Username or email")).toHaveValue(account.username);
    await expect(page.getByLabel("Password")).toHaveValue("");
    await page.reload();
    await expect(page.getByRole("alert")).toBeHidden();
  });

  test("can be signed out everywhere", async ({ page, otherPage }) => {
    const account = await signUp(page);
    const other = await otherPage();
    await callApi(other, "POST", "/auth/login", { login: account.username, password: account.password });
    await page.goto("/settings/sessions");
    await expect(page.getByText("this device")).toHaveCount(1);
    await menuButton(page, "Sign out everywhere").click();
    await page.getByRole("button", { name: "Yes, sign out everywhere" }).click();
    await expect(page).toHaveURL("/login");
    await expect(page.getByText("You are signed out on every device.")).toBeVisible();
    await other.goto("/documents");
    await expect(other).toHaveURL("/login?next=/documents");
  });
});

test.describe("the list", () => {
  test("can be searched and sorted with links and a form", async ({ page }) => {
    await signUp(page);
    for (const title of ["Ferry times", "Ants", "Zebra & ferry"]) await createDocument(page, title, "text");
    await page.goto("/documents");
    const titles = page.getByRole("main").getByRole("heading", { level: 2 });
    await expect(titles).toHaveText(["Zebra & ferry", "Ants", "Ferry times"]);
    await page.getByRole("link", { name: "Title", exact: true }).click();
    await expect(titles).toHaveText(["Ants", "Ferry times", "Zebra & ferry"]);
    await page.getByLabel("Search documents").fill("FERRY");
    await page.getByRole("button", { name: "Search" }).click();
    await expect(titles).toHaveText(["Ferry times", "Zebra & ferry"]);
    await expect(page.getByLabel("Search documents")).toHaveValue("FERRY");
    await expect(page.getByRole("link", { name: "Title", exact: true })).toHaveAttribute("aria-current", "true");
    await page.getByLabel("Search documents").fill("& owl");
    await page.getByRole("button", { name: "Search" }).click();
    await expect(page.getByRole("heading", { name: "No documents match “& owl”" })).toBeVisible();
    await page.getByRole("link", { name: "Show all documents" }).click();
    await expect(titles).toHaveCount(3);
  });

  test("has pages", async ({ page }) => {
    await signUp(page);
    for (let number = 10; number < 31; number++) await createDocument(page, `Note ${number}`, "");
    await page.goto("/documents?sort=title");
    const pages = page.getByRole("navigation", { name: "Pages of documents" });
    await expect(pages).toContainText("Page 1 of 2, 21 documents");
    await pages.getByRole("link", { name: "Next" }).click();
    await expect(page.getByRole("heading", { level: 2 })).toHaveText(["Note 30"]);
    await pages.getByRole("link", { name: "Previous" }).click();
    await expect(page.getByRole("heading", { level: 2 })).toHaveCount(20);
  });

  test("creates a document; a blank title is rejected and the format stays selected", async ({ page }) => {
    await signUp(page);
    await page.goto("/documents");
    await menuButton(page, "New document").click();
    await page.getByLabel("Title").fill("  ");
    await page.getByLabel("Kind").selectOption("JSON");
    await page.getByRole("button", { name: "Create" }).click();
    await expect(page.getByLabel("Title")).toHaveAccessibleDescription("Enter a title.");
    await expect(page.getByLabel("Kind")).toHaveValue("json");
    await page.getByLabel("Title").fill("Settings");
    await page.getByRole("button", { name: "Create" }).click();
    await expect(page.getByRole("heading", { name: "Edit “Settings”" })).toBeAttached();
    await expect(page.getByText("JSON", { exact: true })).toBeVisible();
  });

  test("renames a document", async ({ page }) => {
    await signUp(page);
    await createDocument(page, "Old name", "");
    await createDocument(page, "Other", "");
    await page.goto("/documents?sort=title");
    await menuButton(page, "Actions for Old name").click();
    await page.getByRole("link", { name: "Edit details" }).click();
    const title = page.getByLabel("Title");
    await expect(title).toHaveValue("Old name");
    await title.fill(" ");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(title).toHaveAccessibleDescription("Enter a title.");
    await title.fill("New name");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("heading", { level: 2 })).toHaveText(["New name", "Other"]);
    await expect(page.getByText("Renamed to “New name”.")).toBeVisible();
  });
});

test.describe("uploading", () => {
  const file = (name: string, content: string | Buffer) => {
    return { name, mimeType: "application/octet-stream", buffer: Buffer.from(content) };
  };

  test("creates a document from each file", async ({ page }) => {
    await signUp(page);
    await page.goto("/documents");
    const files = [file("one.md", "# One\n"), file("two.json", "[2]"), file("three.txt", "3\r\n")];
    await fileField(page).setInputFiles(files);
    await page.getByRole("button", { name: "Upload" }).click();
    await expect(page.getByText("3 files uploaded.")).toBeVisible();
    await expect(page.getByRole("heading", { level: 2 })).toHaveText(["three", "two", "one"]);
  });

  test("names the rejected file and the reason", async ({ page }) => {
    await signUp(page);
    await page.goto("/documents");
    await fileField(page).setInputFiles([file("photo.txt", Buffer.from([0x61, 0xff, 0x62]))]);
    await page.getByRole("button", { name: "Upload" }).click();
    const refusal = "“photo.txt” is not UTF-8 text: byte 1 is not part of a character.";
    await expect(page.getByRole("alert")).toHaveText(refusal);
    await expect(page.getByText(refusal)).toHaveCount(1);
    await expect(page.getByRole("heading", { name: "No documents yet" })).toBeVisible();
  });

  test("requires a file", async ({ page }) => {
    await signUp(page);
    await page.goto("/documents");
    await page.getByRole("button", { name: "Upload" }).click();
    await expect(page.getByRole("alert")).toHaveText("Choose a file first.");
  });
});

test.describe("the trash", () => {
  test("restores documents, and deletes them only after confirmation", async ({ page }) => {
    await signUp(page);
    await createDocument(page, "Plans", "text");
    await page.goto("/documents");
    await menuButton(page, "Actions for Plans").click();
    await page.getByRole("button", { name: "Move to trash" }).click();
    await expect(page.getByText("“Plans” was moved to the trash.")).toBeVisible();
    await page.getByRole("button", { name: "Undo" }).click();
    await expect(page.getByText("“Plans” was restored.")).toBeVisible();

    await menuButton(page, "Actions for Plans").click();
    await page.getByRole("button", { name: "Move to trash" }).click();
    await page.getByRole("link", { name: "Trash", exact: true }).click();
    await page.getByRole("button", { name: "Restore Plans" }).click();
    await expect(page.getByRole("heading", { name: "The trash is empty" })).toBeVisible();
    await page.getByRole("link", { name: "Documents", exact: true }).click();

    await menuButton(page, "Actions for Plans").click();
    await page.getByRole("button", { name: "Move to trash" }).click();
    await page.getByRole("link", { name: "Trash", exact: true }).click();
    await expect(page.getByRole("button", { name: "Yes, delete permanently" })).toBeHidden();
    await menuButton(page, "Delete permanently").click();
    await page.getByRole("button", { name: "Yes, delete permanently" }).click();
    await expect(page.getByText("“Plans” was permanently deleted.")).toBeVisible();
    await expect(page.getByRole("heading", { name: "The trash is empty" })).toBeVisible();
  });
});
