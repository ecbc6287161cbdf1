// When a page has come alive. Until then its forms do what they do without JavaScript, and keys do nothing. A page
// without islands has no script, and is all there from the start.
import { type BrowserContext, expect, type Page, type Response } from "@playwright/test";

/** Marks each page once its islands have been hydrated, by `data-awake` at its root. */
export async function markAwake(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const { instantiateStreaming } = WebAssembly;
    WebAssembly.instantiateStreaming = async (...given) => {
      const started = await instantiateStreaming(...given);
      // Hydration follows without a pause, so it is over when the next task begins.
      setTimeout(() => (document.documentElement.dataset["awake"] = ""));
      return started;
    };
  });
}

/** Waits until a page that the browser has loaded is alive. */
export async function awake(page: Page): Promise<void> {
  await page.waitForLoadState("domcontentloaded");
  if ((await page.locator("leptos-island").count()) > 0) {
    await expect(page.locator("html")).toHaveAttribute("data-awake");
  }
}

/** Opens a page and waits until it is alive. */
export async function open(page: Page, path: string): Promise<Response | null> {
  const response = await page.goto(path);
  await awake(page);
  return response;
}
