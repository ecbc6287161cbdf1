// Files dropped on the list of documents.
import { signUp } from "./support/accounts";
import { awake, open } from "./support/awake";
import { dropFiles, fileField, storedText } from "./support/documents";
import { expect, test } from "./support/fixtures";

test("three files become documents byte for byte, a fourth is rejected by name", async ({ page, problems }) => {
  problems.expect(/status of 422/);
  await signUp(page);
  await open(page, "/documents");
  const texts = { island: "# Island\r\n\r\n島 🏝\n", ferry: '{ "at" : [9, 10] }', list: "\tone\n\n\ntwo" };
  await dropFiles(page, [
    { name: "island.md", content: texts.island },
    { name: "photo.txt", content: Buffer.from([0x61, 0x62, 0x63, 0xff, 0x64]) },
    { name: "ferry.json", content: texts.ferry },
    { name: "list.txt", content: texts.list },
  ]);
  const uploads = page.getByRole("list", { name: "Uploads" }).getByRole("listitem");
  await expect(uploads).toHaveText([
    /^island\.md\s*Added$/,
    /^photo\.txt\s*“photo\.txt” is not UTF-8 text: byte 3 is not part of a character\.$/,
    /^ferry\.json\s*Added$/,
    /^list\.txt\s*Added$/,
  ]);
  const titles = page.getByRole("main").getByRole("heading", { level: 2 });
  await expect(titles).toHaveText(["list", "ferry", "island"]);
  for (const [title, text] of Object.entries(texts)) {
    const path = await page.getByRole("link", { name: title, exact: true }).getAttribute("href");
    expect(await storedText(page, path?.split("/").at(-1) ?? ""), title).toBe(text);
  }

  await page.getByRole("button", { name: "Dismiss photo.txt" }).click();
  await expect(uploads).toHaveCount(3);
  await page.reload();
  await expect(titles).toHaveText(["list", "ferry", "island"]);
});

test("each error says what is wrong with the file", async ({ page, problems }) => {
  problems.expect(/status of 422/);
  await signUp(page);
  await open(page, "/documents");
  await dropFiles(page, [
    { name: "letter.docx", content: "PK" },
    { name: "broken.json", content: '{"a": 1,\n]' },
    { name: "zero.md", content: "a\0b" },
  ]);
  const uploads = page.getByRole("list", { name: "Uploads" }).getByRole("listitem");
  await expect(uploads).toContainText([
    "“letter.docx” is not a .md, .txt or .json file.",
    /“broken\.json” is not valid JSON: line 2/,
    "“zero.md” contains the character U+0000, which is not allowed.",
  ]);
  await expect(page.getByRole("heading", { name: "No documents yet" })).toBeVisible();
});

test("files dropped outside the field are accepted, and text is not", async ({ page }) => {
  await signUp(page);
  await open(page, "/documents");
  await dropFiles(page, [{ name: "beside.md", content: "beside" }], page.getByRole("contentinfo"));
  await expect(page.getByRole("list", { name: "Uploads" })).toContainText("Added");
  await expect(page.getByRole("link", { name: "beside", exact: true })).toBeVisible();
  // The browser handles other drops: here, a word dropped on a field.
  const isTaken = await page.getByLabel("Search documents").evaluate((field) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.setData("text/plain", "word");
    return !field.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  });
  expect(isTaken).toBe(false);
});

test("files can be chosen as well as dropped", async ({ page }) => {
  await signUp(page);
  await open(page, "/documents");
  await fileField(page).setInputFiles({ name: "a.md", mimeType: "text/markdown", buffer: Buffer.from("a") });
  await page.getByRole("button", { name: "Upload" }).click();
  await expect(page.getByRole("list", { name: "Uploads" })).toContainText("Added");
  await expect(page.getByRole("link", { name: "a", exact: true })).toBeVisible();
  await expect(fileField(page)).toHaveValue("");
});

test("an upload can be cancelled while active or queued; the next one continues", async ({ page, problems }) => {
  problems.expect(/ERR_FAILED/);
  await signUp(page);
  await open(page, "/documents");
  const held: (() => Promise<void>)[] = [];
  await page.route("**/api/v1/documents/upload", (route) => void held.push(() => route.continue()), { times: 1 });
  await dropFiles(page, [
    { name: "first.md", content: "1" },
    { name: "second.md", content: "2" },
    { name: "third.md", content: "3" },
  ]);
  await expect(page.getByRole("progressbar", { name: "first.md" })).toBeVisible();
  await page.getByRole("button", { name: "Cancel second.md" }).click();
  await page.getByRole("button", { name: "Cancel first.md" }).click();
  const uploads = page.getByRole("list", { name: "Uploads" }).getByRole("listitem");
  await expect(uploads).toHaveText([/^third\.md\s*Added$/]);
  await expect(page.getByRole("main").getByRole("heading", { level: 2 })).toHaveText(["third"]);
});

test("a cancelled upload does not replace a later one", async ({ page }) => {
  await signUp(page);
  await open(page, "/documents");
  const held: (() => Promise<void>)[] = [];
  await page.route("**/api/v1/documents/upload", (route) => void held.push(() => route.continue()), { times: 1 });
  await dropFiles(page, [
    { name: "first.md", content: "1" },
    { name: "second.md", content: "2" },
  ]);
  await page.getByRole("button", { name: "Cancel second.md" }).click();
  await dropFiles(page, [{ name: "later.md", content: "later" }]);
  const uploads = page.getByRole("list", { name: "Uploads" }).getByRole("listitem");
  await expect(uploads.last()).toHaveText(/^later\.md\s*Added$/);
  for (const go of held) await go();
  await expect(uploads).toHaveText([/^first\.md\s*Added$/, /^later\.md\s*Added$/]);
  await expect(page.getByRole("main").getByRole("heading", { level: 2 })).toHaveText(["first", "later"]);
});

test("a form's error disappears with the next upload", async ({ page }) => {
  await signUp(page);
  await open(page, "/documents");
  await fileField(page).setInputFiles({ name: "letter.docx", mimeType: "text/plain", buffer: Buffer.from("PK") });
  // As before hydration.
  await page.locator("form.drop-zone").evaluate((form: HTMLFormElement) => form.submit());
  const refusal = page.getByRole("alert").filter({ hasText: "“letter.docx” is not a .md, .txt or .json file." });
  await expect(refusal).toBeVisible();
  await awake(page);
  await dropFiles(page, [{ name: "a.md", content: "a" }]);
  await expect(page.getByRole("list", { name: "Uploads" })).toContainText("Added");
  await expect(refusal).toBeHidden();
});

test("uploading without a file asks for one, at the field", async ({ page }) => {
  await signUp(page);
  await open(page, "/documents");
  await page.getByRole("button", { name: "Upload" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "Choose a file first." })).toBeVisible();
  await expect(fileField(page)).toBeFocused();
  await expect(fileField(page)).toHaveAccessibleDescription("Choose a file first.");
  await fileField(page).setInputFiles({ name: "a.md", mimeType: "text/plain", buffer: Buffer.from("a") });
  await expect(fileField(page)).not.toHaveAttribute("aria-invalid");
  await page.getByRole("button", { name: "Upload" }).click();
  await expect(page.getByRole("list", { name: "Uploads" })).toContainText("Added");
});

test("a broken connection is reported at the file", async ({ page, problems }) => {
  problems.expect(/ERR_CONNECTION_RESET/);
  await signUp(page);
  await open(page, "/documents");
  await page.route("**/api/v1/documents/upload", (route) => route.abort("connectionreset"));
  await dropFiles(page, [{ name: "a.md", content: "a" }]);
  const uploads = page.getByRole("list", { name: "Uploads" }).getByRole("listitem");
  await expect(uploads).toContainText(["The server cannot be reached."]);
});
