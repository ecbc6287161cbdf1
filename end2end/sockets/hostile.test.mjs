// Clients that break the rules: each loses its own connection, and nobody else loses anything.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import * as Y from "yjs";
import { DURABLE, Server, Socket, meet, until } from "./support.mjs";

/** A varint, as lib0 writes it. @param {number} value */
function varint(value) {
  const bytes = [];
  while (value > 127) {
    bytes.push((value & 127) | 128);
    value = Math.floor(value / 128);
  }
  return [...bytes, value];
}

/** A frame: type numbers, then bytes with their length. @param {number[]} types @param {Uint8Array} payload */
const frame = (types, payload) => Uint8Array.from([...types, ...varint(payload.length), ...payload]);

const UPDATE = [0, 2];

describe("hostile clients", () => {
  /** @type {Server} */
  let server;
  /** @type {import("./support.mjs").Person} */
  let ann;
  before(async () => {
    server = await Server.start(DURABLE, { IZANAGI_LIVE_SEAT_BYTES: "1MiB" });
    ann = await server.account();
  });
  after(() => server.remove());

  const yjs = (/** @type {string} */ id, query = "") => Socket.open(`${server.ws}/yjs/${id}?token=${ann.token}${query}`);

  for (const [what, bytes] of /** @type {[string, Uint8Array][]} */ ([
    ["an empty frame", Uint8Array.of()],
    ["an unknown type", Uint8Array.of(99)],
    ["a cut frame", Uint8Array.of(0, 2, 200)],
    ["trailing bytes", Uint8Array.from([...frame(UPDATE, Uint8Array.of(0, 0)), 7])],
    ["a state vector of rubbish", frame([0, 0], Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 255))],
    ["an update of rubbish", frame(UPDATE, Uint8Array.of(9, 9, 9))],
    ["a nested embed", frame(UPDATE, nested())],
    ["awareness of rubbish", frame([1], Uint8Array.of(255))],
    ["deep JSON in awareness", awareness("[".repeat(5_000))],
  ])) {
    test(`${what} closes the connection with 4400`, async () => {
      const id = await ann.document("safe");
      const other = await ann.yjs(id).synced();
      const socket = yjs(id);
      await socket.send(bytes);
      const { code, reason } = await socket.end();
      assert.equal(code, 4400, reason);
      assert.ok(reason.length > 3);
      other.type("!");
      assert.equal(await meet(ann, id, [other]), "safe!");
      other.close();
    });
  }

  test("a text frame on the binary protocol is refused", async () => {
    const socket = yjs(await ann.document());
    await socket.opened();
    socket.socket.send("text");
    assert.equal((await socket.end()).code, 4400);
  });

  test("a frame of 17 MiB is refused", async () => {
    const socket = yjs(await ann.document());
    await socket.send(new Uint8Array(17 * 1024 * 1024));
    assert.ok([4413, 1009].includes((await socket.end()).code));
  });

  test("too many messages are refused", async () => {
    const socket = yjs(await ann.document());
    await socket.opened();
    for (let message = 0; message < 8_000 && !socket.closed; message += 1) socket.socket.send(Uint8Array.of(3));
    assert.equal((await socket.end()).code, 4429);
  });

  test("who reads too slowly is closed, and comes to the same text", async () => {
    const id = await ann.document("");
    const slow = ann.json(id);
    await slow.next("state");
    await slow.send({ type: "join" });
    // @ts-expect-error the stream below: nothing is read any more
    slow.socket._socket.pause();
    const writer = await ann.yjs(id).synced();
    for (let part = 0; part < 100; part += 1) {
      writer.doc.transact(() => {
        writer.text.delete(0, writer.text.length);
        writer.text.insert(0, `${part};`.repeat(60_000));
      });
      await delay(5);
    }
    const text = await meet(ann, id, [writer]);
    // @ts-expect-error as above
    slow.socket._socket.resume();
    const { code } = await slow.end();
    assert.equal(code, 4408);
    const again = await ann.yjs(id).synced();
    assert.equal(again.toString(), text);
    again.close();
    writer.close();
  });

  test("nobody writes under the client id of somebody else", async () => {
    const ben = await server.account();
    const id = await ann.document("");
    await ann.call("PUT", `/documents/${id}/owners/${ben.id}`);
    const own = await ann.yjs(id).synced();
    own.type("own");
    await meet(ann, id, [own]);
    const forged = new Y.Doc();
    Y.applyUpdate(forged, Y.encodeStateAsUpdate(own.doc));
    forged.clientID = own.doc.clientID;
    const before_ = Y.encodeStateVector(forged);
    forged.getText("content").insert(0, "forged ");
    const socket = Socket.open(`${server.ws}/yjs/${id}?token=${ben.token}`);
    await socket.send(frame(UPDATE, Y.encodeStateAsUpdate(forged, before_)));
    assert.equal((await socket.end()).code, 4400);
    assert.equal(await server.text(ann, id), "own");
    own.close();
  });

  test("a deletion that is alone in its update arrives, also when the connection breaks", async () => {
    const id = await ann.document("delete me");
    const [one, two] = await Promise.all([ann.yjs(id).synced(), ann.yjs(id).synced()]);
    // The update is written to a connection that is cut at once.
    one.text.delete(0, 7);
    // @ts-expect-error the socket of the provider
    one.provider.ws?.terminate?.();
    assert.equal(await meet(ann, id, [one, two]), "me");
    one.close();
    two.close();
  });

  test("two first connections at once see one document", async () => {
    const id = await ann.document("whole");
    const clients = Array.from({ length: 10 }, () => ann.yjs(id));
    await Promise.all(clients.map((client) => client.synced()));
    assert.equal(await meet(ann, id, clients), "whole");
    for (const client of clients) client.close();
  });

  test("acknowledgements count the frames of their own connection", async () => {
    const id = await ann.document("");
    const socket = yjs(id, "&acks=1");
    const doc = new Y.Doc();
    /** @type {Uint8Array[]} */
    const updates = [];
    doc.on("update", (update) => updates.push(update));
    for (const letter of "abc") doc.getText("content").insert(0, letter);
    for (const update of updates) await socket.send(frame(UPDATE, update));
    const counts = () => socket.messages.filter((bytes) => bytes[0] === 4).map((bytes) => bytes[1]);
    await until(() => counts().at(-1) === 3, "three frames are durable");
    assert.deepEqual(counts(), [...counts()].sort());
    await server.stop("SIGKILL");
    await server.run();
    assert.equal(await server.text(ann, id), "cba");
  });
});

/** An update whose content is JSON nested deeply. */
function nested() {
  const doc = new Y.Doc();
  /** @type {any} */
  let value = 1;
  for (let depth = 0; depth < 400; depth += 1) value = [value];
  doc.getText("content").insertEmbed(0, { value });
  return Y.encodeStateAsUpdate(doc);
}

/** @param {string} state */
function awareness(state) {
  const json = new TextEncoder().encode(state);
  return frame([1], Uint8Array.from([1, 5, 1, ...varint(json.length), ...json]));
}
