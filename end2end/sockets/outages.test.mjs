// A server that stops for a while, or whose disk fails: nothing is acknowledged that is not stored,
// clients learn why, and everything goes on without a restart.
import assert from "node:assert/strict";
import { join } from "node:path";
import { env } from "node:process";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ON_CLUSTER } from "../support/cluster.mjs";
import { Ledger } from "./ledger.mjs";
import { BINARY, DURABLE, Server, Socket, meet, until, updateOf } from "./support.mjs";
import { beside, forbidWriting, onVolume, readOnly, withFileLimit } from "./volume.mjs";

/** Milliseconds for which the server stops; a campaign sets 20,000 and more. */
const PAUSE = Number(env["PAUSE_MS"] ?? 3_000);

/** Types until told to stop. @param {Ledger[]} ledgers */
function typing(ledgers) {
  const timer = setInterval(() => ledgers.forEach((ledger) => ledger.type()), 10);
  return () => clearInterval(timer);
}

/** @param {Ledger[]} ledgers */
const acknowledged = (ledgers) => ledgers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);

test("a server that is stopped for a while loses and doubles nothing", async () => {
  const server = await Server.start(DURABLE);
  const ann = await server.account();
  const id = await ann.document("");
  const ledgers = ["a", "b", "c"].map((name) => new Ledger(ann, id, name));
  const [stays, leaves] = await Promise.all([ann.yjs(id).synced(), ann.yjs(id).synced()]);
  leaves.awareness.setLocalStateField("user", { name: "leaves" });
  const seen = () => stays.awareness.getStates().get(leaves.doc.clientID)?.["user"]?.name;
  const stop = typing(ledgers);
  await until(() => acknowledged(ledgers) > 20 && seen() === "leaves", "all are there");
  server.signal("SIGSTOP");
  // What was under way arrives.
  await delay(200);
  const before = acknowledged(ledgers);
  stays.type("<stays>");
  leaves.type("<leaves>");
  // One of them gives its connection up; the kernel accepts the new one meanwhile.
  ledgers[0]?.socket?.socket.terminate();
  // @ts-expect-error the socket of the provider
  leaves.provider.ws?.terminate?.();
  await delay(PAUSE);
  assert.equal(acknowledged(ledgers), before, "a server that is stopped acknowledges nothing");
  server.signal("SIGCONT");
  await until(() => acknowledged(ledgers) > before + 20, "edits are acknowledged again");
  stop();
  for (const ledger of ledgers) await ledger.settle();
  const text = await meet(ann, id, [stays, leaves]);
  for (const ledger of ledgers) ledger.check(text);
  for (const token of ["<stays>", "<leaves>"]) assert.equal(text.split(token).length, 2, token);
  await until(() => seen() === "leaves", "it is seen again");
  for (const client of [...ledgers, stays, leaves]) client.close();
  await server.stop();
  const { code, output } = await server.command("fsck");
  assert.equal(code, 0, output);
  await server.remove();
});

/** How a disk fails, and what ends it. @type {[string, import("./support.mjs").Wrap, (server: Server) => Promise<unknown>, (server: Server) => Promise<unknown>][]} */
const failures = [
  [
    "a full disk",
    onVolume("24m"),
    // In whole pages, until there is none.
    (server) => beside(server, "dd", "if=/dev/zero", `of=${filler(server)}`, "bs=4k"),
    (server) => beside(server, "rm", filler(server)),
  ],
  [
    "a disk on which nothing can be written",
    withFileLimit,
    (server) => forbidWriting(server, true),
    (server) => forbidWriting(server, false),
  ],
];

/** Those of a disk under SQLite. What happens to other databases, `end2end/cluster` tests. */
const onDisk = { skip: ON_CLUSTER };

/** @param {Server} server */
const filler = (server) => join(server.places.IZANAGI_DATA_DIR, "filler");

for (const [what, wrap, begin, end] of failures) {
  test(`with ${what}, nothing is acknowledged, and all goes on when it has ended`, onDisk, async () => {
    const server = await Server.start("sqlite", {}, wrap);
    const ann = await server.account();
    const id = await ann.document("");
    const process = server.pid;
    const ledgers = ["a", "b", "c"].map((name) => new Ledger(ann, id, name));
    const yjs = await ann.yjs(id).synced();
    const stop = typing(ledgers);
    await until(() => acknowledged(ledgers) > 50, "edits are acknowledged");
    await begin(server);
    await until(() => ledgers.every(({ refused }) => refused.length > 0), "edits are refused");
    const before = acknowledged(ledgers);
    const refusedBefore = ledgers.map(({ refused }) => refused.length);
    yjs.type("<yjs>");
    // The clients of both protocols are told that they can try again later.
    const plain = Socket.open(`${server.ws}/yjs/${id}?token=${ann.token}&acks=1`);
    await plain.send(updateFrame("<plain>"));
    assert.deepEqual((await plain.end()).code, 1013);
    assert.ok(plain.messages.every((bytes) => bytes[0] !== 4), "it is not acknowledged");
    const refusedNow = () => ledgers.every(({ refused }, index) => refused.length > (refusedBefore[index] ?? 0) + 10);
    await until(refusedNow, "more edits are refused");
    assert.equal(acknowledged(ledgers), before);
    for (const { refused } of ledgers) assert.deepEqual([...new Set(refused)], ["unavailable"]);
    const body = JSON.stringify({ opId: "by HTTP", deltaB64: updateOf((text) => text.insert(0, "<http>")) });
    const headers = { authorization: `Bearer ${ann.token}`, "content-type": "application/json" };
    const refused = await fetch(`${server.url}/api/v1/documents/${id}/ops`, { method: "POST", headers, body });
    assert.equal(refused.status, 503);
    assert.ok(refused.headers.has("retry-after"));
    // Readers notice nothing.
    const reader = ann.json(id);
    await reader.next("state");
    const text = await server.text(ann, id);
    for (const ledger of ledgers) for (const token of ledger.acknowledged) assert.ok(text.includes(token), token);
    assert.ok(!/<plain>|<http>|<yjs>/.test(text), text);

    await end(server);
    await until(() => acknowledged(ledgers) > before + 20, "edits are acknowledged again");
    stop();
    for (const ledger of ledgers) await ledger.settle();
    const all = await meet(ann, id, [yjs]);
    for (const ledger of ledgers) ledger.check(all);
    assert.equal(all.split("<yjs>").length, 2);
    assert.equal(server.pid, process);
    for (const client of [...ledgers, yjs, reader]) client.close();
    const { code, output } = wrap === withFileLimit ? await server.command("fsck") : await fsck(server);
    assert.equal(code, 0, output);
    await server.remove();
  });
}

test("a server whose data folder is read-only says so and does not start", onDisk, async () => {
  const server = await Server.start("sqlite");
  const ann = await server.account();
  const id = await ann.document("kept");
  await server.stop();
  await assert.rejects(server.run(readOnly), /Read-only file system/);
  await server.run();
  assert.equal(await server.text(ann, id), "kept");
  await server.remove();
});

/** Checks the data where the server has it. @param {Server} server */
function fsck(server) {
  const variables = Object.entries(server.places).map(([name, value]) => `${name}=${value}`);
  return beside(server, "env", ...variables, BINARY, "fsck");
}

/** @param {string} text */
function updateFrame(text) {
  const update = Buffer.from(updateOf((content) => content.insert(0, text)), "base64");
  assert.ok(update.length < 128);
  return Uint8Array.from([0, 2, update.length, ...update]);
}
