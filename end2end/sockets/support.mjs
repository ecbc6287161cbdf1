// A real server and its clients: npm Yjs with y-websocket, unchanged, and plain WebSockets.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { env } from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

/** The debug binary, which the suite of native tests builds. */
export const BINARY = resolve(env["IZANAGI_BINARY"] ?? "target/debug/izanagi");
const PASSWORD = "horse staple 42";
/** How long anything may take, on a busy machine. */
export const PATIENCE = 15_000;

/** @typedef {"sqlite" | "memory"} Storage */
/** Where the server keeps its data. @type {Storage[]} */
export const STORAGES = ["sqlite", "memory"];

/** Makes the command to start of the server's own. @typedef {(command: string[], home: string) => string[]} Wrap */

/** Limits of requests that tests would reach, because they all come from one address. */
const SETTINGS = `limits:
  signUp: { count: 100000, per: 1m }
  writes: { count: 100000, per: 1m }
  reads: { count: 100000, per: 1m }
`;

/** A server with its own data. */
export class Server {
  #home = mkdtempSync(join(tmpdir(), "izanagi-sockets-"));
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;
  #port = 0;
  #accounts = 0;

  /**
   * @param {Storage} storage
   * @param {Record<string, string>} settings variables of the environment
   * @param {Wrap} wrap
   */
  static async start(storage, settings = {}, wrap = (command) => command) {
    const server = new Server(storage, settings);
    mkdirSync(join(server.#home, "site/pkg/none"), { recursive: true });
    writeFileSync(join(server.#home, "izanagi.yaml"), SETTINGS);
    await server.run(wrap);
    return server;
  }

  /**
   * @param {Storage} storage
   * @param {Record<string, string>} settings
   */
  constructor(storage, settings) {
    this.storage = storage;
    this.settings = settings;
  }

  /** Starts the process, on the port that it had before. @param {Wrap} wrap */
  async run(wrap = (command) => command) {
    const home = this.#home;
    const [program = BINARY, ...args] = wrap([BINARY, "serve"], home);
    const child = spawn(program, args, {
      cwd: home,
      env: {
        IZANAGI_LISTEN: `127.0.0.1:${this.#port}`,
        ...this.places,
        PATH: env["PATH"],
        ...(this.storage === "memory" ? { DATABASE_URL: "memory://" } : {}),
        ...this.settings,
      },
      stdio: ["ignore", "pipe", openSync(join(home, "log"), "a")],
    });
    this.#child = child;
    if (!child.stdout) throw new Error("the server has no output");
    for await (const line of createInterface({ input: child.stdout })) {
      const port = line.match(/listening on http:\S+:(\d+)/)?.[1];
      if (port) {
        this.#port = Number(port);
        return;
      }
    }
    throw new Error(`the server did not start: ${this.log()}`);
  }

  /** Where the server keeps its files, as variables of the environment. */
  get places() {
    return { IZANAGI_DATA_DIR: join(this.#home, "data"), IZANAGI_SITE_ROOT: join(this.#home, "site") };
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Of the process, once it has ended by itself. */
  get exitCode() {
    return this.#child?.exitCode ?? undefined;
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    this.#child?.kill(signal);
  }

  /** Ends the process and waits for it. @param {NodeJS.Signals} signal */
  async stop(signal = "SIGTERM") {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  /** Ends the process and deletes its data. */
  async remove() {
    await this.stop("SIGKILL");
    rmSync(this.#home, { recursive: true, force: true });
  }

  log() {
    return readFileSync(join(this.#home, "log"), "utf8");
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  get ws() {
    return `ws://127.0.0.1:${this.#port}/ws`;
  }

  /** Runs another command of the binary on the server's data. @param {string[]} args */
  async command(...args) {
    const child = spawn(BINARY, args, {
      cwd: this.#home,
      env: { ...this.places, ...this.settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (output += data));
    const [code] = await once(child, "close");
    return { code, output };
  }

  /**
   * Calls the API and returns the body.
   *
   * @param {string} method
   * @param {string} path
   * @param {{ token?: string, body?: unknown, headers?: Record<string, string> }} options
   */
  async call(method, path, { token, body, headers } = {}) {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** Signs somebody up. */
  async account() {
    this.#accounts += 1;
    const username = `person${this.#accounts}`;
    const body = { email: `${username}@example.org`, username, password: PASSWORD, displayName: `Person ${this.#accounts}` };
    const { user, accessToken } = await this.call("POST", "/auth/signup", { body });
    return new Person(this, user.id, username, accessToken);
  }

  /** The text as the server has it now. @param {Person} person @param {string} document */
  async text(person, document) {
    const headers = { authorization: `Bearer ${person.token}` };
    const answer = await fetch(`${this.url}/api/v1/documents/${document}/content`, { headers });
    return answer.text();
  }
}

/** Somebody with an account. */
export class Person {
  /**
   * @param {Server} server
   * @param {string} id
   * @param {string} username
   * @param {string} token
   */
  constructor(server, id, username, token) {
    Object.assign(this, { server, id, username, token });
    this.server = server;
    this.id = id;
    this.username = username;
    this.token = token;
  }

  /** @param {string} method @param {string} path @param {unknown} [body] @param {Record<string, string>} [headers] */
  call(method, path, body, headers) {
    return this.server.call(method, path, { token: this.token, body, ...(headers ? { headers } : {}) });
  }

  /** Creates a document and returns its id. @param {string} content */
  async document(content = "") {
    return (await this.call("POST", "/documents", { title: "Shared", content })).id;
  }

  /** Signs in once more, on another device. */
  async secondDevice() {
    const body = { login: this.username, password: PASSWORD };
    const { accessToken } = await this.server.call("POST", "/auth/login", { body });
    return new Person(this.server, this.id, this.username, accessToken);
  }

  /** @param {string} document */
  yjs(document) {
    return new YjsClient(this, document);
  }

  /** @param {string} document @param {string} query */
  json(document, query = "") {
    return Socket.open(`${this.server.ws}/documents/${document}?token=${this.token}${query}`);
  }
}

/** A y-websocket client. */
export class YjsClient {
  /**
   * @param {Person} person
   * @param {string} document
   */
  constructor(person, document) {
    this.doc = new Y.Doc();
    this.text = this.doc.getText("content");
    const counted = { sent: 0, received: 0 };
    this.traffic = counted;
    class Counted extends WebSocket {
      /** @param {string | URL} address @param {string | string[]} [protocols] */
      constructor(address, protocols) {
        super(address, protocols);
        this.on("message", (/** @type {any} */ data) => (counted.received += data.byteLength));
      }
      /** @override @type {WebSocket["send"]} */
      send = (/** @type {any} */ data, /** @type {any[]} */ ...rest) => {
        counted.sent += data.byteLength ?? data.length;
        return super.send(data, ...rest);
      };
    }
    this.provider = new WebsocketProvider(`${person.server.ws}/yjs`, document, this.doc, {
      params: { token: person.token },
      // @ts-expect-error the class of npm `ws` is the browser's for y-websocket
      WebSocketPolyfill: Counted,
      // Tabs of a browser; these clients must meet at the server.
      disableBc: true,
      maxBackoffTime: 500,
    });
    this.awareness = this.provider.awareness;
  }

  /** Waits until the first state has arrived. */
  async synced() {
    await until(() => this.provider.synced, "the client is synced");
    return this;
  }

  goOffline() {
    this.provider.disconnect();
  }

  goOnline() {
    this.provider.connect();
  }

  /** Types at a place, at the end if there is none. @param {string} text @param {number} [at] */
  type(text, at = this.text.length) {
    this.text.insert(at, text);
  }

  toString() {
    return this.text.toString();
  }

  close() {
    this.provider.destroy();
    this.doc.destroy();
  }
}

/** A plain WebSocket that keeps what arrives. */
export class Socket {
  /** @type {any[]} */
  messages = [];
  /** @type {{ code: number, reason: string } | undefined} */
  closed;

  /** @param {string} address @param {import("ws").ClientOptions} [options] */
  static open(address, options) {
    return new Socket(new WebSocket(address, options));
  }

  /** @param {WebSocket} socket */
  constructor(socket) {
    this.socket = socket;
    socket.on("message", (data, isBinary) => {
      this.messages.push(isBinary ? data : JSON.parse(String(data)));
    });
    socket.on("close", (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
    // A refused handshake; `closed` tells of everything else.
    socket.on("error", () => {});
    socket.on("unexpected-response", (_request, response) => {
      this.status = response.statusCode;
      response.resume();
    });
  }

  /** Sends JSON as text, and bytes as they are. @param {unknown} message */
  async send(message) {
    await this.opened();
    this.socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
  }

  async opened() {
    await until(() => this.socket.readyState !== WebSocket.CONNECTING, "the socket is open");
  }

  /** Removes and returns the first message of this type. @param {string} type */
  async next(type) {
    const found = () => this.messages.findIndex((message) => message.type === type);
    await until(() => found() >= 0 || this.closed !== undefined, `a message "${type}"`);
    const [message] = this.messages.splice(found(), found() < 0 ? 0 : 1);
    if (!message) throw new Error(`closed with ${JSON.stringify(this.closed)} before a message "${type}"`);
    return message;
  }

  /** Waits until the server closes it. */
  async end() {
    await until(() => this.closed !== undefined, "the socket is closed");
    return /** @type {{ code: number, reason: string }} */ (this.closed);
  }

  close() {
    this.socket.close();
  }
}

/** Waits for a condition. @param {() => boolean | Promise<boolean>} condition @param {string} what @param {number} [patience] */
export async function until(condition, what, patience = PATIENCE) {
  const end = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited ${patience} ms in vain: ${what}`);
    await delay(10);
  }
}

/** Waits until all have one text, which the server has too. @param {Person} person @param {string} document @param {YjsClient[]} clients */
export async function meet(person, document, clients) {
  let text = "";
  await until(async () => {
    text = await person.server.text(person, document);
    return clients.every((client) => client.toString() === text);
  }, "all have one text");
  return text;
}

/** An update of a new Yjs document, in base64. @param {(text: Y.Text, doc: Y.Doc) => void} change @param {Uint8Array} [state] */
export function updateOf(change, state) {
  const doc = new Y.Doc();
  if (state) Y.applyUpdate(doc, state);
  const before = Y.encodeStateVector(doc);
  doc.transact(() => change(doc.getText("content"), doc));
  return Buffer.from(Y.encodeStateAsUpdate(doc, before)).toString("base64");
}

/** The text of a state in base64. @param {string[]} updates */
export function textOf(...updates) {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, Buffer.from(update, "base64"));
  return doc.getText("content").toString();
}

