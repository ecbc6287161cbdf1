// Fixtures of every browser test: `import { expect, test } from "./support/fixtures"`.
import { type BrowserContextOptions, expect, type Page, test as base } from "@playwright/test";
import { markAwake } from "./awake";
import { Problems } from "./problems";
import { Server } from "./server";

interface Watched {
  /** Fails the test on any console error, exception or policy violation; `problems.expect(/…/)` allows one. */
  problems: Problems;
}

interface Fixtures {
  /** A page of another user in a separate browser context, watched for problems too. */
  otherPage: (options?: BrowserContextOptions) => Promise<Page>;
}

interface Quiet {
  /** Fails the test if its server panicked or failed, which browsers hide by retrying aborted requests. */
  quietServer: void;
}

interface WorkerFixtures {
  /** The worker's server; tests share it and therefore create their own users and documents. */
  server: Server;
}

/** For pages that need no server. */
export const watchedTest = base.extend<Watched>({
  problems: [
    async ({}, use) => {
      const problems = new Problems();
      await use(problems);
      expect(problems.unexpected(), "no unexpected problems in the pages").toEqual([]);
    },
    { auto: true },
  ],

  context: async ({ context, problems }, use) => {
    await problems.watch(context);
    await markAwake(context);
    await use(context);
  },
});

export const test = watchedTest.extend<Fixtures & Quiet, WorkerFixtures>({
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

  quietServer: [
    async ({ server }, use) => {
      await use();
      expect(server.takeComplaints(), "no panics or errors in the server").toEqual([]);
    },
    { auto: true },
  ],

  otherPage: async ({ browser, problems }, use) => {
    await use(async (options) => {
      const context = await browser.newContext(options);
      await problems.watch(context);
      await markAwake(context);
      return context.newPage();
    });
  },
});

export { expect };
