// Collects problems that a test does not look for: console errors, exceptions, CSP violations.
import type { BrowserContext, Page } from "@playwright/test";

/** Collects the problems of every page in the watched contexts. */
export class Problems {
  readonly #found: string[] = [];
  readonly #expected: RegExp[] = [];

  /** Allows a problem, such as the console error that a browser logs for each expected 404. */
  expect(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  /** Returns all problems that the test did not allow. */
  unexpected(): string[] {
    return this.#found.filter((text) => !this.#expected.some((pattern) => pattern.test(text)));
  }

  /** Watches the current and future pages of a context. */
  async watch(context: BrowserContext): Promise<void> {
    // The violation event names the directive; the console message may be truncated.
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
