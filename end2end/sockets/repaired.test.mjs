// A document whose editing state was damaged, and whose editing a repair has started anew from its
// text: clients that have the former state must not add its text once more.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as Y from "yjs";
import { ON_CLUSTER } from "../support/cluster.mjs";
import { Server, Socket, meet, until, updateOf } from "./support.mjs";

const TEXT = "The text of the former state.";

// The damage is done to the file of SQLite.
describe("a document that was repaired", { skip: ON_CLUSTER }, () => {
  /** @type {Server} */
  let server;
  /** @type {import("./support.mjs").Person} */
  let ann;
  let id = "";
  /** The former state, and a client that has it. @type {Uint8Array} */
  let state;
  /** @type {import("./support.mjs").YjsClient} */
  let former;
  /** The codes with which its connections end. @type {(number | undefined)[]} */
  const codes = [];
  before(async () => {
    server = await Server.start("sqlite");
    ann = await server.account();
    id = await ann.document("");
    former = await ann.yjs(id).synced();
    former.type(TEXT);
    await meet(ann, id, [former]);
    state = Y.encodeStateAsUpdate(former.doc);
    former.provider.on("connection-close", (/** @type {any} */ event) => codes.push(event?.code));
    await server.stop();
    damage(join(server.places.IZANAGI_DATA_DIR, "izanagi.db"));
    const { output } = await server.command("fsck", "--repair", "--restart");
    assert.match(output, /Editing starts anew/);
    former.type(" Unsent.");
    await server.run();
  });
  after(async () => {
    former.close();
    await server.remove();
  });

  test("refuses a Yjs client with the former state, each time that it connects", async () => {
    for (let times = 1; times <= 3; times += 1) {
      await until(() => codes.filter((code) => code === 4409).length === times, "it is refused");
      // It takes such a code for final, unless its page tells it otherwise.
      former.provider.connect();
    }
    const fresh = await ann.yjs(id).synced();
    assert.equal(fresh.toString(), TEXT);
    assert.equal(await server.text(ann, id), TEXT);
    fresh.close();
  });

  /** Updates that belong to the former state. @type {[string, () => string][]} */
  const updates = [
    ["the whole of it", () => Buffer.from(state).toString("base64")],
    ["an edit of a new client that builds on it", () => updateOf((text) => text.insert(5, "own "), state)],
    ["an edit at its end", () => updateOf((text) => text.insert(text.length, " own"), state)],
    ["a deletion", () => updateOf((text) => text.delete(0, 4), state)],
  ];
  for (const [what, update] of updates) {
    test(`refuses ${what} without a question before it`, async () => {
      const bytes = Buffer.from(update(), "base64");
      assert.ok(bytes.length < 128);
      const socket = Socket.open(`${server.ws}/yjs/${id}?token=${ann.token}&acks=1`);
      await socket.send(Uint8Array.from([0, 2, bytes.length, ...bytes]));
      assert.equal((await socket.end()).code, 4409);
      assert.ok(socket.messages.every((message) => message[0] !== 4), "it is not acknowledged");
      const json = ann.json(id);
      await json.next("state");
      await json.send({ type: "update", opId: what, deltaB64: update() });
      assert.deepEqual((await json.next("error")).code, "bad_update");
      assert.equal((await json.end()).code, 4409);
      assert.equal(await server.text(ann, id), TEXT);
    });
  }

  test("refuses a client of the JSON protocol that joins with the former state", async () => {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, state);
    const json = ann.json(id);
    await json.send({ type: "join", stateVectorB64: Buffer.from(Y.encodeStateVector(doc)).toString("base64") });
    assert.equal((await json.end()).code, 4409);
  });

  test("takes the edits of those that have loaded it since", async () => {
    const [one, two] = await Promise.all([ann.yjs(id).synced(), ann.yjs(id).synced()]);
    one.type(" One.");
    two.type("Two. ", 0);
    assert.equal(await meet(ann, id, [one, two]), `Two. ${TEXT} One.`);
    one.close();
    two.close();
  });
});

/** Flips a bit wherever the text is part of an editing state, and not where it is just the text. @param {string} file */
function damage(file) {
  const bytes = readFileSync(file);
  const name = Buffer.from("content");
  const item = Buffer.concat([name, Buffer.of(TEXT.length), Buffer.from(TEXT)]);
  let found = 0;
  for (let at = bytes.indexOf(item); at >= 0; at = bytes.indexOf(item, at)) {
    const letter = at + name.length + 1;
    bytes[letter] = (bytes[letter] ?? 0) ^ 1;
    found += 1;
  }
  assert.ok(found > 0, "the state is in the file");
  writeFileSync(file, bytes);
}
