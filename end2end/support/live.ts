// Live editing in tests: sockets that are blocked or cut, and people who write together.
import { expect, type Locator, type Page, type WebSocketRoute } from "@playwright/test";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { type Account, callApi, createDocument, signUp } from "./accounts";
import { openDocument } from "./documents";

const SOCKET = /\/ws\/yjs\//;

/** Refuses sockets, as some proxies do, until the returned function is called. Call it before the page is opened. */
export async function blockSockets(page: Page): Promise<() => void> {
  let isBlocked = true;
  await page.routeWebSocket(SOCKET, (socket) => {
    if (isBlocked) void socket.close({ code: 1011 });
    else socket.connectToServer();
  });
  return () => (isBlocked = false);
}

/** Sockets of a page that a test can cut. */
export interface Sockets {
  /** Makes open sockets silent: nothing arrives on either side, and nothing closes. */
  silence(): void;
  /** Closes open sockets, and refuses others until `mend` is called: a network that is gone. */
  cut(): void;
  mend(): void;
  /** Number of sockets opened so far. */
  opened(): number;
}

/** Watches the sockets of a page. Call it before the page is opened. */
export async function watchSockets(page: Page): Promise<Sockets> {
  let opened = 0;
  let silent = 0;
  let isCut = false;
  const open = new Set<WebSocketRoute>();
  await page.routeWebSocket(SOCKET, (socket) => {
    if (isCut) return void socket.close({ code: 1011 });
    opened += 1;
    const number = opened;
    open.add(socket);
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      if (number > silent) server.send(message);
    });
    server.onMessage((message) => {
      if (number > silent) socket.send(message);
    });
  });
  return {
    silence: () => void (silent = opened),
    cut() {
      isCut = true;
      for (const socket of open) void socket.close({ code: 1011 });
      open.clear();
    },
    mend: () => void (isCut = false),
    opened: () => opened,
  };
}

/** Creates a document that two people own, and opens it in both pages. Returns its id. */
export async function shareDocument(page: Page, other: Page, title: string, text: string): Promise<string> {
  await signUp(page);
  const id = await createDocument(page, title, text);
  await signUp(other);
  await callApi(page, "PUT", `/documents/${id}/owners/${await userId(other)}`);
  await Promise.all([openDocument(page, id), openDocument(other, id)]);
  return id;
}

export async function userId(page: Page): Promise<string> {
  return (await (await callApi(page, "GET", "/me")).json()).id;
}

export function people(page: Page): Locator {
  return page.getByRole("group", { name: "People here" });
}

/** Waits until a page shows that others are here. */
export async function expectOthers(page: Page): Promise<void> {
  await expect(people(page)).toBeVisible();
}

export function carets(page: Page): Locator {
  return page.locator(".peer-caret");
}

/** How often a word stands in a text. */
export function count(text: string, word: string): number {
  return text.split(word).length - 1;
}

/** Connects a client of y-websocket to a document with the rights of an account, and waits for the text. */
export async function connectYjs(page: Page, account: Account, id: string): Promise<WebsocketProvider> {
  const login = { login: account.username, password: account.password };
  const answer = await callApi(page, "POST", "/auth/login", login);
  const { accessToken } = await answer.json();
  const base = new URL(answer.url()).origin.replace("http", "ws");
  const provider = new WebsocketProvider(`${base}/ws/yjs`, id, new Y.Doc(), {
    params: { token: accessToken },
    // @ts-expect-error the class of npm `ws` is the browser's for y-websocket
    WebSocketPolyfill: WebSocket,
    disableBc: true,
  });
  await expect.poll(() => provider.synced).toBe(true);
  return provider;
}
