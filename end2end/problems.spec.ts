// Tests the detection of problems, on which all other tests rely.
import { open } from "./support/awake";
import { expect, test } from "./support/fixtures";
import { makeSample } from "./support/sample";

test("every problem in a page is detected", async ({ page, problems }) => {
  await open(page, "/");
  expect(problems.unexpected()).toEqual([]);
  await page.evaluate(() => {
    console.error("an error on the console");
    setTimeout(() => {
      throw new Error("an exception");
    });
    document.head.append(Object.assign(document.createElement("style"), { textContent: "a { color: red }" }));
  });
  for (const kind of [/an error on the console/, /Error: an exception/, /Content policy: style-src/]) {
    await expect.poll(() => problems.unexpected().join("\n")).toMatch(kind);
  }
  problems.expect(/on the console|an exception|Content policy|Content Security Policy/);
});

test("a problem in another user's page is detected", async ({ otherPage, problems }) => {
  const page = await otherPage();
  await open(page, "/");
  await page.evaluate(() => console.error("in the other page"));
  await expect.poll(() => problems.unexpected().join("\n")).toContain("in the other page");
  problems.expect(/in the other page/);
});

test("every page responds under concurrent requests", async ({ page }) => {
  const { pages } = await makeSample(page);
  const paths = Object.values(pages).flatMap((path) => Array<string>(10).fill(path));
  const answers = await Promise.all(paths.map((path) => page.request.get(path)));
  expect(answers.filter((answer) => !answer.ok()).map((answer) => answer.url())).toEqual([]);
});

test("a page whose scripts or texts cannot be loaded says so", async ({ page, problems }) => {
  problems.expect(/status of 503|texts of this page|ERR_FAILED|Failed to fetch/);
  const { pages } = await makeSample(page);
  // The box of the alert itself is empty, because its toast has a fixed position.
  const alert = page.getByRole("alert").getByText("could not be loaded");
  for (const path of ["/documents", pages.editor]) {
    await page.route("**/words/**", (route) => route.fulfill({ status: 503 }));
    await page.goto(path);
    await expect(alert).toBeVisible();
    await page.unroute("**/words/**");
    await page.route("**/*.wasm", (route) => route.abort());
    await page.goto(path);
    await expect(alert).toBeVisible();
    await page.unroute("**/*.wasm");
    await open(page, path);
    await expect(alert).toBeHidden();
  }
});
