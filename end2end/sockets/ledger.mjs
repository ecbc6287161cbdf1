// A client of the JSON protocol that keeps a ledger of what was acknowledged.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import * as Y from "yjs";
import { until } from "./support.mjs";

/** Pause before it connects again, or sends again what was refused. */
const AGAIN_AFTER = 200;
/** With so many edits that are not acknowledged, it types no more. */
const MOST_OPEN = 50;

export class Ledger {
  #doc = new Y.Doc();
  /** What was sent or is to be sent, by op id. @type {Map<string, { token: string, deltaB64: string }>} */
  #open = new Map();
  /** @type {string[]} */
  acknowledged = [];
  /** Codes of errors, in their order. @type {string[]} */
  refused = [];
  /** Codes of connections that ended. @type {number[]} */
  closed = [];
  /** Milliseconds from each lost connection until the next one had the document. @type {number[]} */
  reconnected = [];
  #lostAt = 0;
  #isOver = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #again;
  #count = 0;

  /**
   * @param {import("./support.mjs").Person} person
   * @param {string} document
   * @param {string} name
   */
  constructor(person, document, name) {
    this.person = person;
    this.document = document;
    this.name = name;
    this.#connect();
  }

  #connect() {
    const socket = this.person.json(this.document);
    this.socket = socket;
    socket.socket.on("open", () => {
      this.#sendAgain();
    });
    socket.socket.on("message", (data) => this.#take(JSON.parse(String(data))));
    socket.socket.on("close", async (code) => {
      this.closed.push(code);
      this.#lostAt ||= Date.now();
      await delay(AGAIN_AFTER);
      if (!this.#isOver) this.#connect();
    });
  }

  /** @param {any} message */
  #take({ type, opId, pending, code }) {
    // It is kept only to be taken here.
    if (this.socket) this.socket.messages.length = 0;
    if (type === "state" && this.#lostAt > 0) {
      this.reconnected.push(Date.now() - this.#lostAt);
      this.#lostAt = 0;
    }
    if (type === "error") {
      this.refused.push(code);
      this.#again ??= setTimeout(() => this.#sendAgain(), AGAIN_AFTER);
    }
    const op = this.#open.get(opId);
    if (type !== "ack" || pending || !op) return;
    this.#open.delete(opId);
    this.acknowledged.push(op.token);
  }

  /** @param {string} opId @param {string} deltaB64 */
  #send(opId, deltaB64) {
    if (this.socket?.socket.readyState === 1) this.socket.socket.send(JSON.stringify({ type: "update", opId, deltaB64 }));
  }

  /** Types a new token, and sends it if it is connected. */
  type() {
    if (this.#open.size >= MOST_OPEN) return;
    const token = `[${this.name}:${(this.#count += 1)}]`;
    const before = Y.encodeStateVector(this.#doc);
    this.#doc.getText("content").insert(0, token);
    const deltaB64 = Buffer.from(Y.encodeStateAsUpdate(this.#doc, before)).toString("base64");
    this.#open.set(token, { token, deltaB64 });
    this.#send(token, deltaB64);
  }

  /** Sends once more what was not acknowledged: later edits build on it. */
  #sendAgain() {
    this.#again = undefined;
    for (const [opId, { deltaB64 }] of this.#open) this.#send(opId, deltaB64);
  }

  /** Waits until everything is acknowledged. */
  async settle() {
    await until(() => this.#open.size === 0, `all edits of ${this.name} are acknowledged`);
  }

  /** Checks that each acknowledged token is in the text once, and nothing else of this client. @param {string} text */
  check(text) {
    for (const token of this.acknowledged) assert.equal(text.split(token).length, 2, `${token} in ${text}`);
    assert.equal(text.split(`[${this.name}:`).length - 1, this.acknowledged.length);
  }

  close() {
    this.#isOver = true;
    clearTimeout(this.#again);
    this.socket?.close();
  }
}
