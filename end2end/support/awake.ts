// Waits for hydration. Before it, forms work as without JavaScript and keys have no effect. A page without islands has
// no scripts and is ready at once.
import { type BrowserContext, expect, type Page, type Response } from "@playwright/test";

/** Marks each page with `data-awake` on its root element once its islands have been hydrated. */
export async function markAwake(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const { instantiateStreaming } = WebAssembly;
    WebAssembly.instantiateStreaming = async (...given) => {
      const started = await instantiateStreaming(...given);
      // Hydration follows synchronously, so it has finished when the next task starts.
      setTimeout(() => (document.documentElement.dataset["awake"] = ""));
      return started;
    };
  });
}

/** Waits until a loaded page is hydrated. */
export async function awake(page: Page): Promise<void> {
  await page.waitForLoadState("domcontentloaded");
  if ((await page.locator("leptos-island").count()) > 0) {
    await expect(page.locator("html")).toHaveAttribute("data-awake");
  }
}

/** Opens a page and waits until it is hydrated. */
export async function open(page: Page, path: string): Promise<Response | null> {
  const response = await page.goto(path);
  await awake(page);
  return response;
}
