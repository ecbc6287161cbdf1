// A server that is told to end while people write.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ledger } from "./ledger.mjs";
import { DURABLE, Server, until } from "./support.mjs";

test("a shutdown tells every connection, and keeps what was acknowledged", async () => {
  const server = await Server.start(DURABLE);
  const ann = await server.account();
  const id = await ann.document("");
  const ledgers = ["a", "b", "c"].map((name) => new Ledger(ann, id, name));
  const yjs = await ann.yjs(id).synced();
  /** @type {(number | undefined)[]} */
  const codes = [];
  yjs.provider.on("connection-close", (/** @type {any} */ event) => codes.push(event?.code));
  const idle = ann.json(id);
  await idle.next("state");
  const timer = setInterval(() => [...ledgers].forEach((ledger) => ledger.type()), 5);
  const typed = setInterval(() => yjs.type("."), 5);
  await until(() => ledgers.every(({ acknowledged }) => acknowledged.length > 20), "edits are acknowledged");
  await server.stop("SIGTERM");
  assert.equal(server.exitCode, 0);
  await until(() => codes.length > 0 && ledgers.every(({ closed }) => closed.length > 0), "all are told");
  assert.deepEqual(
    [...ledgers.map(({ closed }) => closed[0]), codes[0], (await idle.end()).code],
    [1001, 1001, 1001, 1001, 1001],
  );
  const before = ledgers.flatMap(({ acknowledged }) => acknowledged);
  clearInterval(typed);
  await server.run();
  const text = await server.text(ann, id);
  for (const token of before) assert.equal(text.split(token).length, 2, token);
  clearInterval(timer);
  for (const ledger of ledgers) await ledger.settle();
  const letters = yjs.toString().split(".").length;
  await until(async () => (await server.text(ann, id)).split(".").length === letters, "what was typed meanwhile arrives");
  const all = await server.text(ann, id);
  for (const ledger of ledgers) ledger.check(all);
  for (const client of [...ledgers, yjs]) client.close();
  await server.stop();
  const { code, output } = await server.command("fsck");
  assert.equal(code, 0, output);
  await server.remove();
});

test("clients that send without a pause do not hold the shutdown up", async () => {
  const server = await Server.start(DURABLE);
  const ann = await server.account();
  const id = await ann.document("");
  const sockets = Array.from({ length: 30 }, () => ann.json(id));
  await Promise.all(sockets.map((socket) => socket.next("state")));
  const timer = setInterval(() => {
    for (const { socket } of sockets) {
      if (socket.readyState !== 1) continue;
      socket.ping("beat");
      socket.send(JSON.stringify({ type: "ping", ts: 1 }));
    }
  }, 1);
  await until(() => sockets.every(({ messages }) => messages.some(({ type }) => type === "pong")), "all are answered");
  server.signal("SIGTERM");
  const codes = await Promise.all(sockets.map(async (socket) => (await socket.end()).code));
  clearInterval(timer);
  // Too many messages are a reason too.
  assert.ok(codes.every((code) => code === 1001 || code === 4429), codes.join(" "));
  await until(() => server.exitCode !== undefined, "the process has ended");
  assert.equal(server.exitCode, 0);
  await server.remove();
});

test("a client that neither reads nor answers does not hold the shutdown up for longer than its limit", async () => {
  const server = await Server.start(DURABLE, { IZANAGI_LIMITS_DRAIN: "2s" });
  const ann = await server.account();
  const id = await ann.document("x".repeat(4_000_000));
  const deaf = ann.json(id);
  await deaf.opened();
  // @ts-expect-error the stream below: it is longer than the buffers between
  deaf.socket._socket.pause();
  const answers = ann.json(id);
  await answers.next("state");
  server.signal("SIGTERM");
  assert.equal((await answers.end()).code, 1001);
  // The limit of other steps, like that of a connection whose client does not read, is a minute.
  await until(() => server.exitCode !== undefined, "the process has ended");
  assert.equal(server.exitCode, 0);
  assert.match(server.log(), /still in flight after the drain timeout/);
  deaf.socket.terminate();
  await server.remove();
});
