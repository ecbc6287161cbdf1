// The JSON protocol: every message and error code (API.md, "WebSockets").
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as Y from "yjs";
import { Server, STORAGES, textOf, until, updateOf } from "./support.mjs";

/** @param {string} text */
const insert = (text) => updateOf((content) => content.insert(0, text));

for (const storage of STORAGES) {
  describe(`the JSON protocol, on ${storage}`, () => {
    /** @type {Server} */
    let server;
    /** @type {import("./support.mjs").Person} */
    let ann;
    before(async () => {
      server = await Server.start(storage);
      ann = await server.account();
    });
    after(() => server.remove());

    test("the state comes first, then what else is true of the document", async () => {
      const id = await ann.document("text");
      const socket = ann.json(id);
      await until(() => socket.messages.length >= 2, "two messages");
      const [state, document] = socket.messages;
      assert.equal(state.type, "state");
      assert.equal(textOf(state.snapshotB64), "text");
      const { liveSeq } = await ann.call("GET", `/documents/${id}`);
      assert.equal(state.version, liveSeq);
      const { type, title, headVersion, isPublic, publishedVersion, deletedAt, standing } = document;
      assert.deepEqual(
        { type, title, headVersion, isPublic, publishedVersion, deletedAt, standing },
        {
          type: "document",
          title: "Shared",
          headVersion: 0,
          isPublic: false,
          publishedVersion: null,
          deletedAt: null,
          standing: "owner",
        },
      );
      socket.close();
    });

    test("a join with a state vector is answered with what is missing", async () => {
      const id = await ann.document("0123456789".repeat(1_000));
      const first = ann.json(id);
      const { snapshotB64, version } = await first.next("state");
      const known = new Y.Doc();
      Y.applyUpdate(known, Buffer.from(snapshotB64, "base64"));
      await first.send({ type: "join" });
      const deltaB64 = updateOf((content) => content.insert(0, "new "), Buffer.from(snapshotB64, "base64"));
      await first.send({ type: "update", opId: "1", deltaB64 });
      await first.next("ack");
      const second = ann.json(id);
      await second.next("state");
      const stateVectorB64 = Buffer.from(Y.encodeStateVector(known)).toString("base64");
      await second.send({ type: "join", stateVectorB64 });
      const missing = await second.next("state");
      assert.ok(missing.version > version);
      assert.ok(missing.snapshotB64.length < 200, missing.snapshotB64);
      Y.applyUpdate(known, Buffer.from(missing.snapshotB64, "base64"));
      assert.ok(known.getText("content").toString().startsWith("new 0123"));
      first.close();
      second.close();
    });

    test("an update is acknowledged with its number, and again with the same one", async () => {
      const id = await ann.document();
      const [one, two] = [ann.json(id), ann.json(id)];
      await Promise.all([one.next("state"), two.next("state")]);
      await two.send({ type: "join" });
      const update = { type: "update", opId: "same", deltaB64: insert("once") };
      await one.send(update);
      const ack = await one.next("ack");
      assert.deepEqual(Object.keys(ack).sort(), ["opId", "seq", "type"]);
      assert.equal(ack.opId, "same");
      await one.send(update);
      assert.deepEqual(await one.next("ack"), ack);
      const remote = await two.next("remote_update");
      assert.equal(remote.seq, ack.seq);
      assert.equal(remote.actorId, ann.id);
      assert.equal(textOf(remote.deltaB64), "once");
      assert.equal(await server.text(ann, id), "once");
      await one.send({ ...update, deltaB64: insert("other") });
      const { code, opId } = await one.next("error");
      assert.deepEqual([code, opId], ["bad_update", "same"]);
      assert.equal(await server.text(ann, id), "once");
      // Its own update does not come back.
      await one.send({ type: "ping", ts: 7 });
      assert.equal((await one.next("pong")).ts, 7);
      assert.ok(one.messages.every((message) => message.type !== "remote_update"));
      one.close();
      two.close();
    });

    test("an update that waits is pending, and saved when its base arrives", async () => {
      const id = await ann.document();
      const doc = new Y.Doc();
      /** @type {string[]} */
      const updates = [];
      doc.on("update", (update) => updates.push(Buffer.from(update).toString("base64")));
      doc.getText("content").insert(0, "first ");
      doc.getText("content").insert(6, "second");
      const socket = ann.json(id);
      await socket.send({ type: "update", opId: "second", deltaB64: updates[1] });
      const waiting = await socket.next("ack");
      assert.deepEqual([waiting.opId, waiting.pending], ["second", true]);
      assert.equal(await server.text(ann, id), "");
      await socket.send({ type: "update", opId: "first", deltaB64: updates[0] });
      const acks = [await socket.next("ack"), await socket.next("ack")];
      assert.deepEqual(acks.map(({ opId, pending }) => [opId, pending ?? false]).sort(), [
        ["first", false],
        ["second", false],
      ]);
      assert.equal(await server.text(ann, id), "first second");
      socket.close();
    });

    test("presence before the join is not taken", async () => {
      const id = await ann.document("text");
      const [one, two] = [ann.json(id), ann.json(id)];
      await two.send({ type: "join" });
      await Promise.all([one.next("state"), two.next("state")]);
      await one.send({ type: "presence", cursor: { from: 0, to: 1 } });
      await one.send({ type: "join", displayName: "One" });
      await one.send({ type: "presence", cursor: { from: 2, to: 3 }, color: "#7c4dff" });
      let presence = await two.next("presence");
      while (presence.cursor === null) presence = await two.next("presence");
      assert.deepEqual(presence.cursor, { from: 2, to: 3 });
      assert.equal(presence.userId, ann.id);
      assert.equal(presence.color, "#7c4dff");
      assert.equal(typeof presence.clientId, "number");
      one.close();
      while (presence.cursor !== null) presence = await two.next("presence");
      two.close();
    });

    test("a change of the document is told", async () => {
      const id = await ann.document("text");
      const socket = ann.json(id);
      await socket.next("document");
      await ann.call("PATCH", `/documents/${id}`, { title: "Renamed" });
      const until_ = async (/** @type {(event: any) => boolean} */ holds) => {
        let event = await socket.next("document");
        while (!holds(event)) event = await socket.next("document");
      };
      await until_((event) => event.title === "Renamed");
      await ann.call("POST", `/documents/${id}/versions`, { message: "First" });
      await until_((event) => event.headVersion === 1);
      await ann.call("POST", `/documents/${id}/versions`, { content: "other", baseVersion: 1, message: "Second" });
      await until_((event) => event.headVersion === 2);
      // What happened, for the words of a page.
      await ann.call("POST", `/documents/${id}/versions/1/restore`, { message: "Back" });
      await until_((event) => {
        const { kind, number, restoredVersion, by } = event.change ?? {};
        if (event.headVersion === 3) assert.deepEqual([kind, number, restoredVersion, by], ["restored", 3, 1, "Person 1"]);
        return event.headVersion === 3;
      });
      await ann.call("PATCH", `/documents/${id}`, { isPublic: true });
      await until_((event) => event.isPublic);
      socket.close();
    });

    test("unknown fields are ignored", async () => {
      const id = await ann.document();
      const socket = ann.json(id);
      await socket.send({ type: "ping", ts: 1, mood: "good" });
      assert.equal((await socket.next("pong")).ts, 1);
      socket.close();
    });

    for (const [what, delta] of /** @type {[string, string][]} */ ([
      ["no update", Buffer.from("rubbish").toString("base64")],
      ["another root", updateOf((_, doc) => doc.getMap("other").set("a", 1))],
      ["an embedded object", updateOf((text) => text.insertEmbed(0, { a: 1 }))],
    ])) {
      test(`${what} is a bad update, and the connection goes on`, async () => {
        const id = await ann.document();
        const socket = ann.json(id);
        await socket.send({ type: "update", opId: "bad", deltaB64: delta });
        const { code, opId, message } = await socket.next("error");
        assert.deepEqual([code, opId], ["bad_update", "bad"]);
        assert.ok(message.length > 10);
        await socket.send({ type: "update", opId: "good", deltaB64: insert("good") });
        assert.equal((await socket.next("ack")).opId, "good");
        socket.close();
      });
    }

    test("an update that is too large is refused by name", async () => {
      const id = await ann.document();
      const socket = ann.json(id);
      const deltaB64 = updateOf((text) => text.insert(0, "x".repeat(1024 * 1024 + 1)));
      await socket.send({ type: "update", opId: "large", deltaB64 });
      const { code, opId } = await socket.next("error");
      assert.deepEqual([code, opId], ["too_large", "large"]);
      assert.equal(await server.text(ann, id), "");
      socket.close();
    });

    for (const message of ["rubbish", "[]", "{}", '{"type":"update","opId":"1","deltaB64":"!"}', '{"type":"dance"}', '{"type":"update","opId":1}', `${"[".repeat(100_000)}`]) {
      test(`${message.slice(0, 30)} closes the connection with a reason`, async () => {
        const id = await ann.document("text");
        const socket = ann.json(id);
        await socket.opened();
        socket.socket.send(message);
        const { code, reason } = await socket.end();
        assert.equal(code, 4400);
        assert.ok(reason.length > 5, reason);
        assert.equal((await socket.next("error")).code, "bad_message");
        assert.equal(await server.text(ann, id), "text");
      });
    }

    test("a frame beyond the limit closes the connection", async () => {
      const id = await ann.document();
      const socket = ann.json(id);
      await socket.opened();
      socket.socket.send(`{"type":"ping","ts":1,"x":"${"x".repeat(2_000_000)}"}`);
      assert.equal((await socket.end()).code, 4413);
    });
  });
}
