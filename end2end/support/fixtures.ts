// What every browser test starts from: `import { expect, test } from "./support/fixtures"`.
import { type BrowserContextOptions, expect, type Page, test as base } from "@playwright/test";
import { Problems } from "./problems";
import { Server } from "./server";

interface Fixtures {
  /** Fails the test on any console error, exception or policy violation; `problems.expect(/…/)` allows one. */
  problems: Problems;
  /** A page of somebody else: a browser of their own, with the same watch kept on it. */
  otherPage: (options?: BrowserContextOptions) => Promise<Page>;
}

interface WorkerFixtures {
  /** The server of this worker; tests share it and so make up people and documents of their own. */
  server: Server;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  server: [
    async ({}, use, workerInfo) => {
      const server = await Server.start(`server-${workerInfo.workerIndex}`);
      await use(server);
      await server.remove();
    },
    { scope: "worker" },
  ],

  baseURL: async ({ server }, use) => {
    await use(server.url);
  },

  problems: [
    async ({}, use) => {
      const problems = new Problems();
      await use(problems);
      expect(problems.unexpected(), "nothing went wrong unseen in the pages").toEqual([]);
    },
    { auto: true },
  ],

  context: async ({ context, problems }, use) => {
    await problems.watch(context);
    await use(context);
  },

  otherPage: async ({ browser, problems }, use) => {
    await use(async (options) => {
      const context = await browser.newContext(options);
      await problems.watch(context);
      return context.newPage();
    });
  },
});

export { expect };
