// The editor on its own, tested against its contract (frontend/editor/contract.ts).
import { brotliCompressSync } from "node:zlib";
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { agreedText, type EditorSite, openEditor, serveEditor } from "./support/editor-page";
import { expect, watchedTest as test } from "./support/fixtures";

let site: EditorSite;
test.beforeAll(async () => {
  site = await serveEditor();
});
test.afterAll(() => site.close());

const field = (page: Page) => page.getByRole("textbox", { name: "Text of the document" });

test.describe("editing", () => {
  test("reports typed text", async ({ page }) => {
    await openEditor(page, site, { text: "# Notes\n" });
    await page.keyboard.press("Control+End");
    await page.keyboard.type("one");
    expect(await agreedText(page)).toBe("# Notes\none");
    expect(await page.evaluate(() => window.seen.changes[0])).toEqual([{ from: 8, to: 8, insert: "o" }]);
  });

  test("continues a list", async ({ page }) => {
    await openEditor(page, site, { text: "- one" });
    await page.keyboard.press("Control+End");
    await page.keyboard.press("Enter");
    await page.keyboard.type("two");
    expect(await agreedText(page)).toBe("- one\n- two");
  });

  test("accepts composed characters during remote edits", async ({ page }) => {
    await openEditor(page, site, { text: "a\nb" });
    const keyboard = await page.context().newCDPSession(page);
    await page.keyboard.press("Control+End");
    await keyboard.send("Input.imeSetComposition", { text: "し", selectionStart: 1, selectionEnd: 1 });
    await page.evaluate(() => window.remote([{ from: 0, to: 0, insert: "up here " }]));
    await keyboard.send("Input.imeSetComposition", { text: "しま", selectionStart: 2, selectionEnd: 2 });
    await keyboard.send("Input.insertText", { text: "島" });
    await expect.poll(() => agreedText(page)).toBe("up here a\nb島");
  });

  test("never reports half a character", async ({ page }) => {
    await openEditor(page, site, { text: "a😀b" });
    // Simulates a system correction: the text changes under the editor, which then looks for differences.
    await page.locator(".cm-line").evaluate((line) => {
      const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
      (walker.nextNode() as globalThis.Text).data = "a😁b";
    });
    await expect.poll(() => agreedText(page)).toBe("a😁b");
    expect(await page.evaluate(() => window.seen.changes)).toEqual([[{ from: 1, to: 3, insert: "😁" }]]);
  });

  test("converts pasted line breaks to newlines", async ({ page }) => {
    await openEditor(page, site);
    await paste(page, "one\r\ntwo\0");
    expect(await agreedText(page)).toBe("one\ntwo");
  });

  test("rejects typing while read-only", async ({ page }) => {
    await openEditor(page, site, { text: "fixed", readOnly: true });
    await page.keyboard.type("x");
    expect(await agreedText(page)).toBe("fixed");
    await page.evaluate(() => window.editor.setReadOnly(false));
    await page.keyboard.type("x");
    expect(await agreedText(page)).toBe("xfixed");
  });

  test("requests a commit once, from the text and from the search", async ({ page }) => {
    await openEditor(page, site, { text: "text" });
    await page.evaluate(() => addEventListener("keydown", (event) => event.key === "s" && (window.seen.commits += 10)));
    await page.keyboard.press("Control+s");
    await page.keyboard.press("Control+f");
    await expect(page.getByRole("textbox", { name: "Find" })).toBeFocused();
    await page.keyboard.press("Control+s");
    expect(await page.evaluate(() => window.seen.commits)).toBe(2);
  });
});

test("becomes read-only and says so once the page has failed", async ({ page, problems }) => {
  problems.expect(/Cannot read properties of null/);
  await openEditor(page, site, { text: "kept" });
  // The page's callback now throws, as WebAssembly does after a panic.
  await page.evaluate(() => void Object.assign(window, { mirror: null }));
  await page.keyboard.type("x");
  await expect(page.getByRole("alert")).toContainText("your edits are no longer saved");
  await page.keyboard.type("yz");
  expect(await page.evaluate(() => window.editor.text())).toBe("xkept");
});

test.describe("text with carriage returns", () => {
  test("counts and preserves them", async ({ page }) => {
    await openEditor(page, site, { text: "one\r\ntwo\r\n", kind: "text" });
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("End");
    await page.keyboard.type("!");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.type("?");
    await page.keyboard.press("End");
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    expect(await agreedText(page)).toBe("one!\r\n?two\r\n\r\n");
  });

  test("deletes them together with their newline", async ({ page }) => {
    await openEditor(page, site, { text: "one\r\ntwo\r\nsix", kind: "text" });
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("End");
    await page.keyboard.press("Delete");
    await page.keyboard.press("Control+End");
    await page.keyboard.press("Home");
    await page.keyboard.press("Backspace");
    expect(await agreedText(page)).toBe("onetwosix");
  });

  test("pastes pairs between pairs", async ({ page }) => {
    await openEditor(page, site, { text: "one\r\ntwo\r\n", kind: "text" });
    await paste(page, "a\nb\n");
    expect(await agreedText(page)).toBe("a\r\nb\r\none\r\ntwo\r\n");
  });
});

test.describe("remote edits", () => {
  test("are not reported back and not undone", async ({ page }) => {
    await openEditor(page, site, { text: "base" });
    await page.keyboard.type("mine ");
    const reported = await page.evaluate(() => window.seen.changes.length);
    await page.evaluate(() => window.remote([{ from: 9, to: 9, insert: " theirs" }]));
    expect(await page.evaluate(() => window.seen.changes.length)).toBe(reported);
    await page.keyboard.press("Control+z");
    expect(await agreedText(page)).toBe("base theirs");
    await page.keyboard.press("Control+y");
    expect(await agreedText(page)).toBe("mine base theirs");
  });

  test("keep the cursor at its place in the text", async ({ page }) => {
    await openEditor(page, site, { text: "one two" });
    await page.keyboard.press("Control+Home");
    for (let step = 0; step < 4; step++) await page.keyboard.press("ArrowRight");
    await page.evaluate(() =>
      window.remote([
        { from: 0, to: 3, insert: "several" },
        { from: 4, to: 4, insert: "at the cursor " },
      ]),
    );
    await page.keyboard.type("|");
    expect(await agreedText(page)).toBe("several |at the cursor two");
  });

  test("keep the visible lines in place", async ({ page }) => {
    const lines = Array.from({ length: 400 }, (_, line) => `line ${line}`).join("\n");
    await openEditor(page, site, { text: lines });
    const scroller = page.locator(".cm-scroller");
    await scroller.evaluate((element) => (element.scrollTop = 3000));
    const line = page.locator(".cm-line", { hasText: /^line 125$/ });
    await expect(line).toBeVisible();
    const before = await line.boundingBox();
    await page.evaluate(() => window.remote([{ from: 0, to: 0, insert: "new\n".repeat(30) }]));
    await expect.poll(async () => Math.abs(((await line.boundingBox())?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(2);
  });

  test("are rejected as a whole if outside the text", async ({ page }) => {
    await openEditor(page, site, { text: "short" });
    const error = await page.evaluate(() => {
      try {
        window.editor.applyRemote([{ from: 90, to: 90, insert: "x" }]);
        return "";
      } catch (thrown) {
        return String(thrown);
      }
    });
    expect(error).toContain("RangeError");
    expect(await agreedText(page)).toBe("short");
  });
});

test.describe("the keyboard", () => {
  test("indents with Tab; Escape, then Tab at any time, leaves", async ({ page }) => {
    await openEditor(page, site, { text: "item" });
    await page.keyboard.press("Tab");
    expect(await agreedText(page)).toBe("  item");
    await page.keyboard.press("Shift+Tab");
    expect(await agreedText(page)).toBe("item");
    await page.clock.setFixedTime("2025-03-12T10:00:00Z");
    await page.keyboard.press("Escape");
    await page.clock.setFixedTime("2025-03-12T10:05:00Z");
    await page.keyboard.press("Tab");
    await expect(page.getByRole("button", { name: "After" })).toBeFocused();
    await page.keyboard.press("Shift+Tab");
    await expect(field(page)).toBeFocused();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Shift+Tab");
    await expect(page.getByRole("button", { name: "Before" })).toBeFocused();
    expect(await agreedText(page)).toBe("item");
  });

  test("indents again after another key", async ({ page }) => {
    await openEditor(page, site, { text: "item" });
    await page.keyboard.press("Escape");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Tab");
    expect(await agreedText(page)).toBe("  item");
  });

  test("describes how to leave", async ({ page }) => {
    await openEditor(page, site);
    await expect(field(page)).toHaveAccessibleDescription("Press Escape, then Tab, to leave the editor.");
  });
});

test("keeps the selection while a dialog has the focus", async ({ page }) => {
  await openEditor(page, site, { text: "one two three" });
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Control+Shift+ArrowLeft");
  await page.evaluate(() => {
    const dialog = document.createElement("dialog");
    const message = document.createElement("textarea");
    message.setAttribute("aria-label", "Message");
    dialog.append(message);
    document.body.append(dialog);
    dialog.showModal();
  });
  await page.getByRole("textbox", { name: "Message" }).fill("a message");
  await page.keyboard.press("Escape");
  await expect(field(page)).toBeFocused();
  await page.keyboard.type("four");
  expect(await agreedText(page)).toBe("one two four");
});

test.describe("scrolling", () => {
  test("is reported only when the user scrolls", async ({ page }) => {
    await openEditor(page, site, { text: "line\n".repeat(500) });
    await page.evaluate(() => window.editor.scrollTo(0.5));
    await expect(page.getByText("line", { exact: true }).first()).toBeVisible();
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    expect(await page.evaluate(() => window.seen.scrolls)).toEqual([]);
    await field(page).hover();
    await page.mouse.wheel(0, 1e6);
    await expect.poll(() => page.evaluate(() => window.seen.scrolls.at(-1))).toBe(1);
  });
});

test.describe("unacknowledged updates", () => {
  test("survive a reload, in order", async ({ page }) => {
    await openEditor(page, site);
    await page.evaluate(async () => {
      const { pendingPut }: typeof import("../frontend/editor/index") = await import("/editor.js" as string);
      const rest = { lineage: "l", typed: "" };
      const memory = new Uint8Array(1 << 20).fill(7);
      for (const [opId, order] of [["b", 2], ["a", 10], ["c", 1]] as const) {
        await pendingPut({ documentId: "d", userId: "u", opId, order, update: memory.subarray(order, order + 2), ...rest });
      }
      await pendingPut({ documentId: "d", userId: "other", opId: "x", order: 0, update: new Uint8Array([1]), ...rest });
      await pendingPut({ documentId: "e", userId: "u", opId: "y", order: 0, update: new Uint8Array([1]), ...rest });
    });
    await page.reload();
    const [kept, bytes] = await page.evaluate(async () => {
      const { keptLoad }: typeof import("../frontend/editor/index") = await import("/editor.js" as string);
      const { updates } = await keptLoad("d", "u");
      const kept = updates.map(({ opId, update, lineage }) => [opId, ...update, lineage]);
      return [kept, updates[0]?.update.buffer.byteLength];
    });
    expect(kept).toEqual([["c", 7, 7, "l"], ["b", 7, 7, "l"], ["a", 7, 7, "l"]]);
    expect(bytes).toBe(2);
  });

  test("are deleted by id", async ({ page }) => {
    await openEditor(page, site);
    const left = await page.evaluate(async () => {
      const store: typeof import("../frontend/editor/index") = await import("/editor.js" as string);
      const rest = { documentId: "d", userId: "u", lineage: "l", typed: "" };
      for (const [order, opId] of ["a", "b", "c"].entries()) {
        await store.pendingPut({ opId, order, update: new Uint8Array([order]), ...rest });
      }
      await store.pendingDrop("d", "u", ["a", "c", "never seen"]);
      return (await store.keptLoad("d", "u")).updates.map((update) => update.opId);
    });
    expect(left).toEqual(["b"]);
  });

  test("are replaced once, together with the text of their page", async ({ page }) => {
    await openEditor(page, site);
    const [done, left] = await page.evaluate(async () => {
      const store: typeof import("../frontend/editor/index") = await import("/editor.js" as string);
      const of = { documentId: "d", userId: "u" };
      const update = (opId: string, lineage: string) => ({ ...of, opId, lineage, order: 1, update: new Uint8Array([1]), typed: "" });
      const text = { ...of, id: "page", lineage: "old", base: "", mine: "a", opIds: ["a"], isAsked: false, at: 1 };
      await store.pendingPut(update("a", "old"));
      await store.textPut(text);
      const move = (opId: string) => store.keptMove("d", "u", ["a"], ["page"], [update(opId, "new")]);
      const done = await Promise.all([move("b"), move("c")]);
      const { updates, texts } = await store.keptLoad("d", "u");
      return [done, [...updates.map(({ opId }) => opId), ...texts.map(({ id }) => id)]];
    });
    expect(done).toEqual([true, false]);
    expect(left).toEqual(["b"]);
  });

  test("have texts of a bounded number of pages", async ({ page }) => {
    await openEditor(page, site);
    const left = await page.evaluate(async () => {
      const store: typeof import("../frontend/editor/index") = await import("/editor.js" as string);
      const rest = { documentId: "d", userId: "u", lineage: "l", base: "", mine: "", opIds: [] };
      for (let at = 0; at < 12; at++) await store.textPut({ ...rest, id: `page-${at}`, at, isAsked: at === 1 });
      await store.textDrop("d", "u", ["page-9", "never seen"]);
      return (await store.keptLoad("d", "u")).texts.map(({ at }) => at).toSorted((a, b) => a - b);
    });
    expect(left).toEqual([1, 5, 6, 7, 8, 10, 11]);
  });
});

test.describe("in the page", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`has no axe or CSP violations, ${colorScheme}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await openEditor(page, site, { text: '{"a": [1, true, null, "b"]}', kind: "json" });
      await page.keyboard.press("Control+f");
      await page.keyboard.type("b");
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
      expect(await page.evaluate(() => window.seen.violations)).toEqual([]);
    });
  }

  test("is removed completely", async ({ page }) => {
    await openEditor(page, site, { text: "text" });
    await page.evaluate(() => window.editor.destroy());
    await expect(page.locator("#host")).toBeEmpty();
  });

  test("is at most 120 KB", () => {
    expect(site.bundle.length).toBeGreaterThan(200_000);
    expect(brotliCompressSync(site.bundle).length).toBeLessThan(120 * 1024);
  });
});

async function paste(page: Page, text: string): Promise<void> {
  await field(page).evaluate((element, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}
