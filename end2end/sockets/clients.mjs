// Clients of both protocols: npm Yjs with y-websocket, unchanged, and plain WebSockets.
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

/** How long anything may take, on a busy machine. */
export const PATIENCE = 15_000;

/** A y-websocket client. */
export class YjsClient {
  /**
   * @param {import("./endpoint.mjs").Person} person
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

