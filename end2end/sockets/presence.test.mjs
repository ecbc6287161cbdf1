// Who is there, when connections break and come back.
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { DURABLE, Server, Socket, YjsClient, until, updateOf } from "./support.mjs";

describe("presence", () => {
  /** @type {Server} */
  let server;
  /** @type {import("./support.mjs").Person} */
  let ann;
  before(async () => {
    server = await Server.start(DURABLE);
    ann = await server.account();
  });
  after(() => server.remove());

  /** What one client sees of another. @param {YjsClient} observer @param {YjsClient} client */
  const seen = (observer, client) => observer.awareness.getStates().get(client.doc.clientID)?.["n"];

  /** The client says nothing by itself, as it does every 15 seconds. @param {YjsClient} client */
  function silent(client) {
    clearInterval(client.awareness._checkInterval);
    return client;
  }

  test("a client that connects again is seen again at once", async () => {
    const id = await ann.document();
    const [one, two] = await Promise.all([silent(ann.yjs(id)).synced(), ann.yjs(id).synced()]);
    one.awareness.setLocalStateField("n", 1);
    for (let round = 0; round < 5; round += 1) {
      await until(() => seen(two, one) === 1, "it is seen");
      // The next connection may come before or after the server notices the end of this one.
      // @ts-expect-error the socket of the provider
      one.provider.ws?.terminate?.();
      if (round % 2 === 0) await until(() => seen(two, one) === undefined, "it has left");
    }
    await until(() => seen(two, one) === 1, "it is seen");
    one.close();
    two.close();
  });

  test("a client moves to its new connection while the old one is half-open", async () => {
    const id = await ann.document();
    const line = await Line.to(server);
    const two = await ann.yjs(id).synced();
    // @ts-expect-error only the address and the token matter
    const one = await silent(new YjsClient({ server: { ws: line.ws }, token: ann.token }, id)).synced();
    one.awareness.setLocalStateField("n", 1);
    await until(() => seen(two, one) === 1, "it is seen");
    /** @type {number[]} */
    const removed = [];
    two.awareness.on("change", (/** @type {{ removed: number[] }} */ change) => removed.push(...change.removed));
    // The tunnel: the server hears nothing of it.
    line.freeze();
    // @ts-expect-error the socket of the provider
    one.provider.ws?.terminate?.();
    await until(() => !one.provider.wsconnected, "it notices");
    await until(() => one.provider.wsconnected, "it connects again");
    one.awareness.setLocalStateField("n", 2);
    await until(() => seen(two, one) === 2, "its new cursor is seen");
    line.cut();
    one.awareness.setLocalStateField("n", 3);
    await until(() => seen(two, one) === 3, "its next cursor is seen");
    const ended = () => server.log().split("\n").some((entry) => entry.includes(id) && entry.includes("socket closed"));
    await until(ended, "the server has noticed that the old connection is gone");
    one.awareness.setLocalStateField("n", 4);
    await until(() => seen(two, one) === 4, "it is still there");
    assert.deepEqual(removed, []);
    one.close();
    two.close();
    line.close();
  });

  test("a user cannot move the cursor of another", async () => {
    const [ben, carl] = [await server.account(), await server.account()];
    const id = await ann.document();
    for (const { id: guest } of [ben, carl]) await ann.call("PUT", `/documents/${id}/owners/${guest}`);
    const [own, observer] = await Promise.all([ann.yjs(id).synced(), carl.yjs(id).synced()]);
    own.awareness.setLocalStateField("n", 1);
    await until(() => seen(observer, own) === 1, "it is seen");
    const forger = Socket.open(`${server.ws}/yjs/${id}?token=${ben.token}`);
    await forger.send(awareness(own.doc.clientID, 1_000, '{"n":666}'));
    await forger.send(awareness(own.doc.clientID, 1_001, "null"));
    // A state of its own shows that those before it have been read.
    await forger.send(awareness(77, 1, '{"n":7}'));
    await until(() => observer.awareness.getStates().get(77)?.["n"] === 7, "the forger's own state is seen");
    assert.equal(seen(observer, own), 1);
    for (const client of [own, observer, forger]) client.close();
  });

  test("a client of the JSON protocol is told in order who comes and goes", async () => {
    const id = await ann.document("0123456789");
    const busy = ann.json(id);
    const observer = ann.json(id);
    await observer.send({ type: "join" });
    await Promise.all([observer.next("state"), busy.next("state")]);
    const rounds = 10;
    const guests = [];
    for (let round = 0; round < rounds; round += 1) {
      // Cursors are completed by the room, which is busy with this.
      const deltaB64 = updateOf((text) => text.insert(0, `${round}`.repeat(200_000)));
      await busy.send({ type: "update", opId: `${round}`, deltaB64: updateOf((text) => text.insert(0, "x")) });
      await busy.send({ type: "update", opId: `long ${round}`, deltaB64 });
      const guest = Socket.open(`${server.ws}/yjs/${id}?token=${ann.token}`);
      const cursor = '{"cursor":{"from":0,"to":0}}';
      await guest.send(awareness(1_000 + round, 1, cursor));
      await guest.send(awareness(1_000 + round, 1, "null"));
      guest.close();
      guests.push(guest);
      await busy.send({ type: "update", opId: `gone ${round}`, deltaB64: updateOf((text) => text.delete(0, text.length)) });
    }
    for (const guest of guests) await guest.end();
    const last = ann.json(id);
    await last.send({ type: "join" });
    await last.send({ type: "presence", cursor: { from: 0, to: 0 } });
    /** @type {Map<number, unknown>} */
    const cursors = new Map();
    for (;;) {
      const { clientId, cursor } = await observer.next("presence");
      if (clientId < 1_000 || clientId >= 1_000 + rounds) break;
      cursors.set(clientId, cursor);
    }
    for (const [clientId, cursor] of cursors) assert.equal(cursor, null, `${clientId}`);
    for (const client of [busy, observer, last]) client.close();
  });
});

/** A varint, as lib0 writes it. @param {number} value */
function varint(value) {
  const bytes = [];
  while (value > 127) {
    bytes.push((value & 127) | 128);
    value = Math.floor(value / 128);
  }
  return [...bytes, value];
}

/** An awareness frame about one client. @param {number} client @param {number} clock @param {string} state */
function awareness(client, clock, state) {
  const json = new TextEncoder().encode(state);
  const update = [1, ...varint(client), ...varint(clock), ...varint(json.length), ...json];
  return Uint8Array.from([1, ...varint(update.length), ...update]);
}

/** The network between a client and the server. */
class Line {
  listener = createServer((near) => this.#accept(near));
  ws = "";
  #port = 0;
  /** @type {[import("node:net").Socket, import("node:net").Socket][]} */
  #open = [];
  /** @type {import("node:net").Socket[]} */
  #frozen = [];

  /** @param {Server} server */
  static async to(server) {
    const line = new Line();
    line.#port = Number(new URL(server.url).port);
    await new Promise((resolve) => line.listener.listen(0, "127.0.0.1", () => resolve(undefined)));
    const address = line.listener.address();
    line.ws = `ws://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/ws`;
    return line;
  }

  /** @param {import("node:net").Socket} near */
  #accept(near) {
    const far = connect(this.#port, "127.0.0.1");
    near.pipe(far);
    far.pipe(near);
    for (const end of [near, far]) end.on("error", () => {});
    near.on("close", () => {
      if (!this.#frozen.includes(far)) far.destroy();
    });
    far.on("close", () => near.destroy());
    this.#open.push([near, far]);
  }

  /** Loses what is sent on the present connections from now on; their ends are not told. */
  freeze() {
    for (const [near, far] of this.#open.splice(0)) {
      near.unpipe(far);
      far.unpipe(near);
      near.resume();
      far.resume();
      this.#frozen.push(far);
    }
  }

  /** Ends the connections that were frozen. */
  cut() {
    for (const far of this.#frozen.splice(0)) far.destroy();
  }

  close() {
    this.cut();
    for (const [near] of this.#open) near.destroy();
    this.listener.close();
  }
}
