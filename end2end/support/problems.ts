// Whatever goes wrong in a page without a test looking: console errors, exceptions, refusals of the content policy.
import type { BrowserContext, Page } from "@playwright/test";

/** Collects the problems of every page of the contexts it watches. */
export class Problems {
  readonly #found: string[] = [];
  readonly #expected: RegExp[] = [];

  /** From now on this is no problem: the browser itself logs, say, each 404 that a test provokes. */
  expect(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  /** Everything seen that no test expected. */
  unexpected(): string[] {
    return this.#found.filter((text) => !this.#expected.some((pattern) => pattern.test(text)));
  }

  /** Watches the pages that the context has and all that it will open. */
  async watch(context: BrowserContext): Promise<void> {
    // The violation event names the directive; the console's own sentence may be cut.
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`Content policy: ${event.violatedDirective} refused ${event.blockedURI} (${event.sample})`);
      });
    });
    context.on("page", (page) => this.#listen(page));
    for (const page of context.pages()) this.#listen(page);
  }

  #listen(page: Page): void {
    page.on("console", (message) => {
      if (message.type() === "error") this.#found.push(`${page.url()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.#found.push(`${page.url()}: ${error.stack ?? error.message}`));
  }
}
