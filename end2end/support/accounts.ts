// People to test with.
import { type APIResponse, expect, type Page } from "@playwright/test";

/** Somebody who has signed up. */
export interface Account {
  readonly username: string;
  readonly email: string;
  readonly password: string;
}

let count = 0;

/** Names and a password that nobody else on this server has. */
export function newAccount(): Account {
  count += 1;
  const username = `person-${process.pid}-${count}`;
  return { username, email: `${username}@example.org`, password: `calm ${username} harbour` };
}

/**
 * Signs somebody new up and in, by the API: the page's cookies are theirs afterwards.
 * Tests of the sign-up form itself fill it in instead.
 */
export async function signUp(page: Page, account: Account = newAccount()): Promise<Account> {
  const answer = await page.request.post("/api/v1/auth/signup", { data: account });
  await expectStatus(answer, 201);
  return account;
}

/** Creates a document by the API, as the person who is signed in on this page; returns its id. */
export async function createDocument(page: Page, title: string, content: string, kind = "markdown"): Promise<string> {
  const answer = await page.request.post("/api/v1/documents", { data: { title, content, kind } });
  await expectStatus(answer, 201);
  return (await answer.json()).id;
}

/** Commits the live text of a document by the API. */
export async function commit(page: Page, documentId: string, message: string): Promise<void> {
  const answer = await page.request.post(`/api/v1/documents/${documentId}/versions`, { data: { message } });
  await expectStatus(answer, 201);
}

/** Replaces the live text of a document by the API, whatever it is now. */
export async function replaceText(page: Page, documentId: string, content: string): Promise<void> {
  const headers = { "if-match": "*" };
  const answer = await page.request.put(`/api/v1/documents/${documentId}`, { data: { content }, headers });
  await expectStatus(answer, 200);
}

async function expectStatus(answer: APIResponse, status: number): Promise<void> {
  expect(answer.status(), `${answer.url()}: ${await answer.text()}`).toBe(status);
}
