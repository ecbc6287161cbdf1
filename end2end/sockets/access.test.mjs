// Who may open a socket, and how it ends when that changes.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Server, STORAGES, Socket, textOf, until, updateOf } from "./support.mjs";

const insert = (/** @type {string} */ text) => updateOf((content) => content.insert(0, text));

for (const storage of STORAGES) {
  describe(`access, on ${storage}`, () => {
    /** @type {Server} */
    let server;
    before(async () => {
      server = await Server.start(storage);
    });
    after(() => server.remove());

    /** The address of a document on both protocols. @param {string} document @param {string} [token] */
    const addresses = (document, token) =>
      ["documents", "yjs"].map((protocol) => `${server.ws}/${protocol}/${document}${token ? `?token=${token}` : ""}`);

    test("strangers learn nothing", async () => {
      const [ann, ben] = [await server.account(), await server.account()];
      const id = await ann.document("secret");
      const nothing = "00000000-0000-7000-8000-000000000000";
      for (const document of [id, nothing, "not-an-id"]) {
        for (const address of addresses(document, ben.token)) {
          const socket = Socket.open(address);
          assert.equal((await socket.end()).code, 4404, address);
          assert.deepEqual(socket.messages, []);
        }
      }
      for (const address of [...addresses(id), ...addresses(nothing), ...addresses(id, "forged")]) {
        const socket = Socket.open(address);
        assert.equal((await socket.end()).code, 4401, address);
        assert.deepEqual(socket.messages, []);
      }
    });

    test("the public reads a public document, and cannot write", async () => {
      const ann = await server.account();
      const id = await ann.document("public");
      await ann.call("PATCH", `/documents/${id}`, { isPublic: true });
      const reader = Socket.open(`${server.ws}/documents/${id}`);
      assert.equal(textOf((await reader.next("state")).snapshotB64), "public");
      const writer = ann.json(id);
      await writer.send({ type: "update", opId: "1", deltaB64: insert("more ") });
      await writer.next("ack");
      assert.equal(textOf((await reader.next("remote_update")).deltaB64), "more ");
      await reader.send({ type: "update", opId: "1", deltaB64: insert("mine ") });
      assert.equal((await reader.next("error")).code, "forbidden");
      assert.ok((await server.text(ann, id)).includes("more"));
      assert.ok(!(await server.text(ann, id)).includes("mine"));
      // No longer public.
      await ann.call("PATCH", `/documents/${id}`, { isPublic: false });
      assert.equal((await reader.end()).code, 4403);
      writer.close();
    });

    test("a plain Yjs client may read a public document", async () => {
      const [ann, ben] = [await server.account(), await server.account()];
      const id = await ann.document("public");
      await ann.call("PATCH", `/documents/${id}`, { isPublic: true });
      const reader = await ben.yjs(id).synced();
      assert.equal(reader.toString(), "public");
      reader.close();
    });

    test("a socket of another site is refused before the upgrade", async () => {
      const ann = await server.account();
      const id = await ann.document();
      for (const address of addresses(id, ann.token)) {
        const socket = Socket.open(address, { origin: "https://evil.example" });
        await until(() => socket.status !== undefined, "the handshake is answered");
        assert.equal(socket.status, 403);
      }
      const own = Socket.open(`${server.ws}/documents/${id}?token=${ann.token}`, { origin: server.url });
      await own.next("state");
      own.close();
    });

    test("a cookie or a bearer opens a socket, and the handshake rotates nothing", async () => {
      const ann = await server.account();
      const id = await ann.document("text");
      const bearer = Socket.open(`${server.ws}/documents/${id}`, { headers: { authorization: `Bearer ${ann.token}` } });
      await bearer.next("state");
      const cookie = Socket.open(`${server.ws}/documents/${id}`, { headers: { cookie: `izanagi_access=${ann.token}` } });
      /** @type {unknown} */
      let cookies;
      cookie.socket.on("upgrade", (response) => {
        cookies = response.headers["set-cookie"];
      });
      await cookie.next("state");
      assert.equal(cookies, undefined);
      bearer.close();
      cookie.close();
    });

    test("an address that is no WebSocket is answered with 426", async () => {
      const ann = await server.account();
      const answer = await fetch(`${server.url}/ws/yjs/${await ann.document()}?token=${ann.token}`);
      assert.equal(answer.status, 426);
      assert.equal(answer.headers.get("content-type"), "application/problem+json");
    });

    /** How a right ends. @type {[string, number, (owner: any, guest: any, id: string) => Promise<unknown>][]} */
    const ends = [
      ["a session that is revoked", 4401, (_, guest) => guest.call("POST", "/auth/logout-all")],
      ["a right that is taken away", 4403, (owner, guest, id) => owner.call("DELETE", `/documents/${id}/owners/${guest.id}`)],
      [
        "a document that is deleted for ever",
        4404,
        async (owner, _, id) => {
          await owner.call("DELETE", `/documents/${id}`);
          await owner.call("DELETE", `/documents/${id}?permanent=true`);
        },
      ],
      ["an account that is deleted", 4401, (_, guest) => guest.call("DELETE", "/me")],
    ];
    for (const [what, code, end] of ends) {
      test(`${what} ends open sockets within a second`, async () => {
        const [ann, ben] = [await server.account(), await server.account()];
        const id = await ann.document("text");
        await ann.call("PUT", `/documents/${id}/owners/${ben.id}`);
        const sockets = addresses(id, ben.token).map((address) => Socket.open(address));
        await sockets[0]?.next("state");
        // Its answer is the sign that the other one has joined too.
        await sockets[1]?.send(Uint8Array.of(0, 0, 1, 0));
        await until(() => sockets.every(({ messages }) => messages.length > 0), "both have joined");
        await end(ann, ben, id);
        const since = Date.now();
        for (const socket of sockets) assert.equal((await socket.end()).code, code);
        assert.ok(Date.now() - since < 1_500, `${Date.now() - since} ms`);
      });
    }

    test("a document that goes to the trash ends its sockets, and loses nothing", async () => {
      const ann = await server.account();
      const id = await ann.document("text");
      const socket = ann.json(id);
      await socket.next("document");
      await ann.call("DELETE", `/documents/${id}`);
      assert.equal((await socket.end()).code, 4404);
      await ann.call("PATCH", `/documents/${id}`, { deleted: false });
      assert.equal(await server.text(ann, id), "text");
    });
  });
}
