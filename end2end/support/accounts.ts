// Test users.
import { type APIResponse, expect, type Page } from "@playwright/test";

/** A signed-up user. */
export interface Account {
  readonly username: string;
  readonly email: string;
  readonly password: string;
}

let count = 0;

/** Returns a name and a password that are unique on this server. */
export function newAccount(): Account {
  count += 1;
  const username = `person-${process.pid}-${count}`;
  return { username, email: `${username}@example.org`, password: `calm ${username} harbour` };
}

/** Calls the API as the user signed in on this page. An error fails the test. */
export async function callApi(
  page: Page,
  method: "DELETE" | "GET" | "PATCH" | "POST" | "PUT",
  path: string,
  data: object = {},
  headers: Record<string, string> = {},
): Promise<APIResponse> {
  const body = method === "GET" || method === "DELETE" ? {} : { data };
  const answer = await page.request.fetch(`/api/v1${path}`, { method, headers, ...body });
  expect(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
  return answer;
}

/**
 * Signs up a new user with the API, and signs the page in.
 * Tests of the sign-up form fill it in instead.
 */
export async function signUp(page: Page, account: Account = newAccount()): Promise<Account> {
  await callApi(page, "POST", "/auth/signup", account);
  return account;
}

/** Creates a document with the API; returns its id. */
export async function createDocument(page: Page, title: string, content: string, kind = "markdown"): Promise<string> {
  const answer = await callApi(page, "POST", "/documents", { title, content, kind });
  return (await answer.json()).id;
}

/** Commits the live text of a document with the API. */
export async function commit(page: Page, documentId: string, message: string): Promise<void> {
  await callApi(page, "POST", `/documents/${documentId}/versions`, { message });
}

/** Replaces the live text of a document with the API, whatever its current text. */
export async function replaceText(page: Page, documentId: string, content: string): Promise<void> {
  await callApi(page, "PUT", `/documents/${documentId}`, { content }, { "if-match": "*" });
}
