// Real clients of both protocols write one document.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as Y from "yjs";
import { DURABLE, STORAGES, Server, meet, textOf, until, updateOf } from "./support.mjs";

for (const storage of STORAGES) {
  describe(`together, on ${storage}`, () => {
    /** @type {Server} */
    let server;
    before(async () => {
      server = await Server.start(storage);
    });
    after(() => server.remove());

    test("two Yjs clients and a JSON client come to one text", async () => {
      const ann = await server.account();
      const id = await ann.document("a🏝b\r\n");
      const [one, two] = await Promise.all([ann.yjs(id).synced(), ann.yjs(id).synced()]);
      const json = ann.json(id);
      const { snapshotB64 } = await json.next("state");
      assert.equal(textOf(snapshotB64), "a🏝b\r\n");
      await json.send({ type: "join", displayName: "Robot" });
      one.type("one ", 0);
      two.type("two");
      const state = Buffer.from(snapshotB64, "base64");
      const deltaB64 = updateOf((text) => text.insert(3, "json"), state);
      await json.send({ type: "update", opId: "1", deltaB64 });
      const { seq } = await json.next("ack");
      assert.ok(Number.isInteger(seq));
      await until(() => one.toString().includes("json") && two.toString().includes("json"), "the JSON client's edit");
      const text = await meet(ann, id, [one, two]);
      assert.deepEqual([...text.matchAll(/one |two|json/g)].length, 3);
      const heard = [snapshotB64, deltaB64];
      while (textOf(...heard) !== text) heard.push((await json.next("remote_update")).deltaB64);
      one.close();
      two.close();
      json.close();
    });

    test("letters typed at once by three clients all stand once", async () => {
      const ann = await server.account();
      const id = await ann.document("");
      const clients = await Promise.all([ann.yjs(id).synced(), ann.yjs(id).synced(), ann.yjs(id).synced()]);
      const tokens = [];
      for (let round = 0; round < 60; round += 1) {
        for (const [index, client] of clients.entries()) {
          const token = `<${index}.${round}>`;
          tokens.push(token);
          client.type(token, Math.floor(Math.random() * (client.text.length + 1)));
        }
        if (round % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const text = await meet(ann, id, clients);
      const letters = (/** @type {string} */ of) => [...of].sort().join("");
      assert.equal(letters(text), letters(tokens.join("")));
      for (const client of clients) client.close();
    });

    test("after 1,000 edits offline, only what is missing is sent, both ways", async () => {
      const ann = await server.account();
      const id = await ann.document("x".repeat(300_000));
      const [away, here] = await Promise.all([ann.yjs(id).synced(), ann.yjs(id).synced()]);
      away.goOffline();
      const before = Y.encodeStateVector(away.doc);
      for (let edit = 0; edit < 1_000; edit += 1) away.type(`${edit};`, 0);
      const missing = Y.encodeStateAsUpdate(away.doc, before).length;
      here.type("meanwhile");
      await until(async () => (await server.text(ann, id)).endsWith("meanwhile"), "the other's edit is saved");
      Object.assign(away.traffic, { sent: 0, received: 0 });
      away.goOnline();
      const text = await meet(ann, id, [away, here]);
      assert.ok(text.startsWith("999;998;") && text.endsWith("meanwhile"));
      const { sent, received } = away.traffic;
      // State vectors, awareness and framing.
      assert.ok(sent < missing + 400, `${sent} bytes sent, ${missing} missing`);
      assert.ok(received < 1_000, `${received} bytes received`);
      away.close();
      here.close();
    });

    test("awareness is seen in both worlds, and removed when a client goes", async () => {
      const ann = await server.account();
      const id = await ann.document("0123456789");
      const [one, two] = await Promise.all([ann.yjs(id).synced(), ann.yjs(id).synced()]);
      const json = ann.json(id);
      await json.send({ type: "join", displayName: "Robot" });
      await json.next("state");
      const position = (/** @type {number} */ at) =>
        JSON.parse(JSON.stringify(Y.createRelativePositionFromTypeIndex(one.text, at)));
      one.awareness.setLocalStateField("user", { name: "One", color: "#b3261e" });
      one.awareness.setLocalStateField("cursor", { anchor: position(2), head: position(5) });
      const seen = () => two.awareness.getStates().get(one.doc.clientID);
      await until(() => seen()?.["user"]?.name === "One", "the other Yjs client sees it");
      let presence = await json.next("presence");
      while (!presence.cursor) presence = await json.next("presence");
      assert.deepEqual(presence.cursor, { from: 2, to: 5 });
      assert.equal(presence.displayName, "One");

      await json.send({ type: "presence", cursor: { from: 4, to: 7 }, color: "#006e2c" });
      const robot = () => [...two.awareness.getStates().values()].find((state) => state["user"]?.name === "Robot");
      await until(() => robot()?.["cursor"] !== undefined, "the Yjs client sees the JSON client");
      const head = Y.createRelativePositionFromJSON(robot()?.["cursor"].head);
      assert.equal(Y.createAbsolutePositionFromRelativePosition(head, two.doc)?.index, 7);

      one.close();
      await until(() => seen() === undefined, "the Yjs client is gone for the other one");
      presence = await json.next("presence");
      while (presence.cursor !== null) presence = await json.next("presence");
      json.close();
      await until(() => robot() === undefined, "the JSON client is gone");
      two.close();
    });

    test("a text merged by the server keeps what people type meanwhile", async () => {
      const ann = await server.account();
      const id = await ann.document("start middle end");
      await ann.call("POST", `/documents/${id}/versions`, { message: "First" });
      const [one, two] = await Promise.all([ann.yjs(id).synced(), ann.yjs(id).synced()]);
      one.type("one ", 0);
      two.type(" two");
      await meet(ann, id, [one, two]);
      const merge = { message: "Merged", content: "start MIDDLE end", baseVersion: 1 };
      const merging = ann.call("POST", `/documents/${id}/versions`, merge);
      one.type("!", 0);
      two.type("!");
      await merging;
      assert.equal(await meet(ann, id, [one, two]), "!one start MIDDLE end two!");
      one.close();
      two.close();
    });

    test("a paste of one megabyte and a line of 200 KB arrive", async () => {
      const ann = await server.account();
      const id = await ann.document("");
      const [one, two] = await Promise.all([ann.yjs(id).synced(), ann.yjs(id).synced()]);
      one.type("long line ".repeat(20_000));
      two.type("\nline".repeat(130_000));
      const text = await meet(ann, id, [one, two]);
      assert.equal(text.length, 200_000 + 650_000);
      one.close();
      two.close();
    });
  });
}

test("a server that is killed while people type loses nothing that was acknowledged, and doubles nothing", async () => {
  const server = await Server.start(DURABLE);
  const ann = await server.account();
  const id = await ann.document("");
  const [one, two] = await Promise.all([ann.yjs(id).synced(), ann.yjs(id).synced()]);
  const tokens = [];
  for (let round = 0; round < 3; round += 1) {
    for (let edit = 0; edit < 100; edit += 1) {
      for (const client of [one, two]) {
        const token = `<${client === one ? 1 : 2}.${round}.${edit}>`;
        tokens.push(token);
        client.type(token);
      }
      if (edit === 50) await server.stop("SIGKILL");
      if (edit % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await server.run();
    await meet(ann, id, [one, two]);
  }
  const text = await meet(ann, id, [one, two]);
  for (const token of tokens) assert.equal(text.split(token).length, 2, token);
  one.close();
  two.close();
  await server.stop();
  const { code, output } = await server.command("fsck");
  assert.equal(code, 0, output);
  await server.remove();
});
