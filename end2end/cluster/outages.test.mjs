// Each database down for a while: what must wait is refused with a time to try again, what can go on goes on, and
// everything recovers by itself. `make outages` takes them down for a minute each.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { env } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { Ledger } from "../sockets/ledger.mjs";
import { meet, until, updateOf } from "../sockets/support.mjs";
import { Nodes } from "./nodes.mjs";
import { Services, withServices } from "./services.mjs";

/** Milliseconds for which a database is down. */
const DOWN = Number(env["DOWN_MS"] ?? 10_000);
/** The longest time, once it runs again, until everything works. */
const RECOVERY = 15_000;
/** Milliseconds between two sign-ins of one account: fewer than the ten a minute that it may have. */
const SIGN_IN = 7_000;

describe("a database that is down", withServices, () => {
  /** @type {Services} */
  let services;
  /** @type {Nodes} */
  let nodes;
  /** @type {import("../sockets/support.mjs").Server} */
  let server;
  /** @type {import("../sockets/support.mjs").Person} */
  let ann;
  let id = "";
  /** @type {Ledger[]} */
  let ledgers;
  /** @type {import("../sockets/support.mjs").YjsClient} */
  let yjs;
  /** @type {() => void} */
  let stop;

  before(async () => {
    services = await Services.start();
    nodes = new Nodes(await services.cluster());
    server = await nodes.start();
    ann = await server.account();
    id = await ann.document("");
    ledgers = ["a", "b", "c"].map((name) => new Ledger(ann, id, name));
    yjs = await ann.yjs(id).synced();
    const timer = setInterval(() => ledgers.forEach((ledger) => ledger.type()), 20);
    stop = () => clearInterval(timer);
    await until(() => acknowledged() > 50, "edits are acknowledged");
    assert.equal((await commit("first")).status, 201);
  });

  after(async () => {
    stop();
    for (const ledger of ledgers) await ledger.settle();
    const text = await meet(ann, id, [yjs]);
    for (const ledger of ledgers) ledger.check(text);
    for (const client of [...ledgers, yjs]) client.close();
    const { code, output } = await server.command("fsck");
    assert.equal(code, 0, output);
    await nodes.remove();
    services.stop();
  });

  const acknowledged = () => ledgers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);

  /** @param {string} path @param {RequestInit} [init] */
  const ask = (path, { headers, ...init } = {}) =>
    fetch(`${server.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${ann.token}`, "content-type": "application/json", ...headers },
    });

  /** @param {string} path @param {unknown} body @param {Record<string, string>} [headers] */
  const post = (path, body, headers = {}) => ask(`/api/v1${path}`, { method: "POST", body: JSON.stringify(body), headers });

  /** Commits under a key of its own. @param {string} key */
  const commit = (key) => post(`/documents/${id}/versions`, { message: key }, { "idempotency-key": key });

  /** @param {Response} answer */
  async function refusedForNow(answer) {
    const text = await answer.text();
    assert.equal(answer.status, 503, text);
    assert.ok(Number(answer.headers.get("retry-after")) > 0, "it says when to try again");
    assert.equal(JSON.parse(text).code, "unavailable", text);
  }

  /** Kills a database, calls `during` until it was down for long enough, and starts it again. @param {import("./services.mjs").Store} store @param {() => Promise<void>} during */
  async function outage(store, during) {
    const begun = Date.now();
    services.kill(store);
    do {
      await during();
      await delay(500);
    } while (Date.now() - begun < DOWN);
    await services.restart(store);
    return Date.now();
  }

  /** Edits by both protocols and by requests, and a commit, are accepted. @param {number} since @param {string} key */
  async function recovered(since, key) {
    const before = acknowledged();
    await until(() => acknowledged() > before + 20, "edits are acknowledged");
    await until(async () => (await ask("/readyz")).status === 200, "it is ready");
    await until(async () => (await commit(key)).status === 201, "a commit is accepted");
    const took = Date.now() - since;
    console.log(`${key}: everything works ${took} ms after its start`);
    assert.ok(took < RECOVERY);
    // What was refused, and sent again with the same key, was done once.
    const { items } = await ann.call("GET", `/documents/${id}/versions?limit=100`);
    assert.equal(items.filter((/** @type {any} */ { message }) => message === key).length, 1);
  }

  /** @param {string} opId */
  const edit = (opId) => post(`/documents/${id}/ops`, { opId, deltaB64: updateOf((text) => text.insert(0, `<${opId}>`)) });

  test("Redis: everything goes on", async () => {
    let [round, signedIn] = [0, 0];
    const since = await outage("redis", async () => {
      const [before, number] = [acknowledged(), (round += 1)];
      assert.equal((await edit(`redis ${number}`)).status, 200);
      assert.equal((await commit(`redis ${number}`)).status, 201);
      assert.equal((await ask("/readyz")).status, 200);
      if (Date.now() - signedIn > SIGN_IN) {
        signedIn = Date.now();
        const device = await ann.secondDevice();
        assert.equal((await device.call("GET", "/me")).id, ann.id);
        await device.call("POST", "/auth/logout");
        await assert.rejects(device.call("GET", "/me"), /401/);
      }
      await until(() => acknowledged() > before + 5, "edits are acknowledged");
      const text = await server.text(ann, id);
      assert.ok(text.includes(`<redis ${number}>`));
    });
    await recovered(since, "redis");
  });

  test("MongoDB: edits go on and texts are read, commits wait", async () => {
    let round = 0;
    const since = await outage("mongo", async () => {
      const [before, number] = [acknowledged(), (round += 1)];
      assert.equal((await edit(`mongo ${number}`)).status, 200);
      await refusedForNow(await commit("mongo"));
      await until(() => acknowledged() > before + 5, "edits are acknowledged");
      assert.ok((await server.text(ann, id)).includes(`<mongo ${number}>`));
      assert.equal((await ask("/api/v1/documents")).status, 200);
      assert.equal((await ask(`/api/v1/documents/${id}/versions`)).status, 200);
    });
    await recovered(since, "mongo");
  });

  test("PostgreSQL: writes wait, and health says so", async () => {
    const refused = () => ledgers.every(({ refused }) => refused.length > 0);
    for (const ledger of ledgers) ledger.refused.length = 0;
    const since = await outage("postgres", async () => {
      await refusedForNow(await edit("postgres"));
      await refusedForNow(await commit("postgres"));
      assert.equal((await ask("/readyz")).status, 503);
      assert.equal((await ask("/healthz")).status, 200);
    });
    assert.ok(refused(), "edits were refused, and not just unanswered");
    for (const ledger of ledgers) assert.deepEqual([...new Set(ledger.refused)], ["unavailable"]);
    await until(async () => (await edit("postgres")).status === 200, "an edit is accepted");
    await recovered(since, "postgres");
    assert.equal((await server.text(ann, id)).split("<postgres>").length, 2);
  });
});
