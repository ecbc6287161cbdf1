// The watch that every other test relies on: were it blind, they would pass for nothing.
import { open } from "./support/awake";
import { expect, test } from "./support/fixtures";
import { makeSample } from "./support/sample";

test("nothing that goes wrong in a page stays unseen", async ({ page, problems }) => {
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

test("a problem in somebody else's page is seen as well", async ({ otherPage, problems }) => {
  const page = await otherPage();
  await open(page, "/");
  await page.evaluate(() => console.error("in the other page"));
  await expect.poll(() => problems.unexpected().join("\n")).toContain("in the other page");
  problems.expect(/in the other page/);
});

test("every page is answered, however many are asked for at once", async ({ page }) => {
  const { pages } = await makeSample(page);
  const paths = Object.values(pages).flatMap((path) => Array<string>(10).fill(path));
  const answers = await Promise.all(paths.map((path) => page.request.get(path)));
  expect(answers.filter((answer) => !answer.ok()).map((answer) => answer.url())).toEqual([]);
});
