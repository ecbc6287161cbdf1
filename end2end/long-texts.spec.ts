// Texts too long to be sent to a browser at once.
import { callApi, commit, createDocument, replaceText, signUp } from "./support/accounts";
import { open } from "./support/awake";
import { editor, expectSaved, place, storedText } from "./support/documents";
import { expect, test } from "./support/fixtures";

const lines = (count: number, word: string) =>
  Array.from({ length: count }, (_, index) => `This is ${word} number ${index}.\n`).join("");

test.describe("a long comparison", () => {
  test("is divided into pages, and all changes can be stepped through", async ({ page }) => {
    await signUp(page);
    const old = lines(12_000, "line").split("\n");
    const id = await createDocument(page, "Long", old.join("\n"), "text");
    await commit(page, id, "before");
    const changed = old.map((line, index) => (index % 10 === 5 ? line.replace("line", "row") : line));
    await replaceText(page, id, changed.join("\n"));
    await open(page, `/documents/${id}/compare?from=1&to=live`);
    await expect(page.getByText("1,200 changes", { exact: true })).toBeVisible();
    await expect(page.getByText(/^Page 1 of \d+, 1,200 changes$/)).toBeVisible();
    const last = await page.locator(".hunk").last().getAttribute("id");
    const number = Number(last?.replace("change-", ""));
    expect(number).toBeLessThan(600);
    await page.goto(`/documents/${id}/compare?from=1&to=live#change-${number}`);
    await expect(place(page, `${number} of 1,200`)).toBeVisible();
    await page.keyboard.press("n");
    await expect(page).toHaveURL(new RegExp(`page=2#change-${number + 1}$`));
    await expect(place(page, `${number + 1} of 1,200`)).toBeVisible();
    await expect(page.locator(`#change-${number + 1}`)).toBeInViewport();
    await page.keyboard.press("p");
    await expect(place(page, `${number} of 1,200`)).toBeVisible();
    await expect(page.locator(`#change-${number}`)).toBeInViewport();
  });

  test("is shown without JavaScript, including a large change", async ({ browser, page, baseURL, problems }) => {
    await signUp(page);
    const id = await createDocument(page, "Long", lines(6_000, "line"), "text");
    await commit(page, id, "before");
    await replaceText(page, id, lines(6_000, "row"));
    const context = await browser.newContext({
      javaScriptEnabled: false,
      storageState: await page.context().storageState(),
      ...(baseURL === undefined ? {} : { baseURL }),
    });
    await problems.watch(context);
    const plain = await context.newPage();
    await plain.goto(`/documents/${id}/compare?from=1&to=live`);
    await expect(plain.getByText("This is line number 0.")).toBeVisible();
    await plain.getByRole("link", { name: "Next", exact: true }).click();
    await expect(plain.getByText(/^Page 2 of \d+, 1 change$/)).toBeVisible();
    await expect(plain.getByRole("link", { name: "Previous", exact: true })).toBeVisible();
    await context.close();
  });

  test("shows the changes of a very long line", async ({ page }) => {
    await signUp(page);
    const around = "many words on one line ".repeat(20_000);
    const id = await createDocument(page, "Line", `${around}before${around}`, "text");
    await commit(page, id, "before");
    await replaceText(page, id, `${around}after${around}`);
    const answer = await open(page, `/documents/${id}/compare?from=1&to=live`);
    expect((await answer?.body())?.length).toBeLessThan(100_000);
    await expect(page.locator("ins")).toContainText("after");
    await expect(page.getByText("Very long lines are shortened")).toBeVisible();
  });
});

test("a long text shows its beginning until the editor has loaded all of it", async ({ page }) => {
  await signUp(page);
  const text = `${lines(12_000, "line")}the end`;
  const id = await createDocument(page, "Long", text, "text");
  const html = await (await callApi(page, "GET", `/documents/${id}`)).text();
  expect(html).toContain("the end");
  const answer = await open(page, `/documents/${id}`);
  expect(await answer?.text()).toContain("This is the beginning of a long text.");
  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("!");
  await expectSaved(page, "60,002 words");
  expect(await storedText(page, id)).toBe(`${text}!`);
});
