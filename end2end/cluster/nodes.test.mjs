// Two nodes over one PostgreSQL, MongoDB and Redis.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, afterEach, before, describe, test } from "node:test";
import { env } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { Ledger } from "../sockets/ledger.mjs";
import { Person, Socket, meet, until, updateOf } from "../sockets/support.mjs";
import { Nodes } from "./nodes.mjs";
import { Services, withServices } from "./services.mjs";

/** Milliseconds for which Redis is down. */
const DOWN = Number(env["DOWN_MS"] ?? 10_000);
/** How often the end of a right is measured. */
const ROUNDS = 5;
/** The clock of one node is that far ahead. */
const AHEAD = 60;

/** The library of Debian's package faketime, where it is installed. Without its program, which would be the process to stop. */
const FAKETIME = ["x86_64", "aarch64"].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`).find(existsSync);

/** @param {import("../sockets/support.mjs").Server} node @param {Person} person */
const at = (node, person) => new Person(node, person.id, person.username, person.token);

/** @param {number[]} times @param {number} part */
const quantile = (times, part) => [...times].sort((one, two) => one - two)[Math.floor((times.length - 1) * part)] ?? NaN;

describe("two nodes", withServices, () => {
  /** @type {Services} */
  let services;
  /** @type {Nodes} */
  let nodes;
  /** @type {import("../sockets/support.mjs").Server} */
  let a;
  /** @type {import("../sockets/support.mjs").Server} */
  let b;

  before(async () => {
    services = await Services.start();
    nodes = new Nodes(await services.cluster());
    [a, b] = [await nodes.start(), await nodes.start()];
  });

  afterEach(async () => {
    const { code, output } = await a.command("fsck");
    assert.equal(code, 0, output);
  });

  after(async () => {
    await nodes.remove();
    services.stop();
  });

  test("what is typed at both at once converges", async () => {
    const ann = await a.account();
    const id = await ann.document("");
    const people = [ann, at(b, ann)];
    const ledgers = people.flatMap((person, node) => [1, 2].map((number) => new Ledger(person, id, `${"ab"[node]}${number}`)));
    const pages = await Promise.all(people.map((person) => person.yjs(id).synced()));
    const tokens = [];
    for (let round = 0; round < 100; round += 1) {
      for (const ledger of ledgers) ledger.type();
      for (const [node, page] of pages.entries()) {
        const token = `<${node}.${round}>`;
        tokens.push(token);
        page.type(token, 0);
      }
      await delay(5);
    }
    for (const ledger of ledgers) await ledger.settle();
    const text = await meet(ann, id, pages);
    for (const ledger of ledgers) ledger.check(text);
    for (const token of tokens) assert.equal(text.split(token).length, 2, token);
    assert.equal(await b.text(at(b, ann), id), text);
    const versions = await Promise.all(people.map((person) => commit(person, id, "of both")));
    assert.equal(versions.filter((status) => status === 201).length >= 1, true);
    for (const client of [...ledgers, ...pages]) client.close();
  });

  test("presence crosses", async () => {
    const ann = await a.account();
    const id = await ann.document("");
    const [here, there] = await Promise.all([ann.yjs(id).synced(), at(b, ann).yjs(id).synced()]);
    here.awareness.setLocalStateField("user", { name: "here" });
    const seen = () => there.awareness.getStates().get(here.doc.clientID)?.["user"]?.name;
    await until(() => seen() === "here", "it is seen");
    here.close();
    await until(() => seen() === undefined, "it has left");
    there.close();
  });

  test("a right that ends at one ends the sockets at the other within a second", async () => {
    /** @type {[string, number, (owner: Person, guest: Person, id: string) => Promise<unknown>][]} */
    const ends = [
      ["a session", 4401, (_, guest) => guest.call("POST", "/auth/logout-all")],
      ["a right", 4403, (owner, guest, id) => owner.call("DELETE", `/documents/${id}/owners/${guest.id}`)],
      ["an account", 4401, (_, guest) => guest.call("DELETE", "/me")],
    ];
    for (const [what, code, end] of ends) {
      const times = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const [ann, ben] = [await a.account(), await a.account()];
        const id = await ann.document("text");
        await ann.call("PUT", `/documents/${id}/owners/${ben.id}`);
        const sockets = ["documents", "yjs"].map((protocol) => Socket.open(`${b.ws}/${protocol}/${id}?token=${ben.token}`));
        await sockets[1]?.send(Uint8Array.of(0, 0, 1, 0));
        await until(() => sockets.every(({ messages }) => messages.length > 0), "both have joined");
        await end(ann, ben, id);
        const since = Date.now();
        for (const socket of sockets) assert.equal((await socket.end()).code, code);
        times.push(Date.now() - since);
      }
      console.log(`${what}: sockets at the other node ended after ${times.join(", ")} ms`);
      assert.ok(Math.max(...times) < 1_000, what);
    }
  });

  test("an edit is shown at the other at once, and within 5 s while Redis is down", async () => {
    const ann = await a.account();
    const id = await ann.document("");
    const [here, there] = await Promise.all([ann.yjs(id).synced(), at(b, ann).yjs(id).synced()]);
    let count = 0;
    const crossing = async () => {
      const token = `<${(count += 1)}>`;
      const since = performance.now();
      here.type(token);
      await until(() => there.toString().includes(token), "it is shown");
      return performance.now() - since;
    };
    /** @type {number[]} */
    const withRedis = [];
    /** @type {number[]} */
    const without = [];
    for (let edit = 0; edit < 50; edit += 1) withRedis.push(await crossing());
    services.kill("redis");
    const begun = Date.now();
    do {
      without.push(await crossing());
      await delay(200);
    } while (Date.now() - begun < DOWN);
    await services.restart("redis");
    const restarted = Date.now();
    await until(async () => (await crossing()) < 500, "it is shown at once again");
    const shown = (/** @type {number[]} */ times) => `${quantile(times, 0.5).toFixed(0)} ms (median), ${quantile(times, 0.95).toFixed(0)} ms (95 %)`;
    console.log(`shown at the other node after ${shown(withRedis)}; without Redis ${shown(without)}; at once again ${Date.now() - restarted} ms after its start`);
    assert.ok(quantile(withRedis, 0.95) < 500);
    assert.ok(Math.max(...without) < 5_500);
    await meet(ann, id, [here, there]);
    for (const client of [here, there]) client.close();
  });

  test("jobs are done once, whichever node does them", async () => {
    const ann = await a.account();
    const people = [ann, at(b, ann)];
    const ids = await Promise.all(Array.from({ length: 6 }, () => ann.document("")));
    for (let version = 1; version <= 5; version += 1) {
      for (const [index, id] of ids.entries()) {
        const person = people[(index + version) % 2] ?? ann;
        const deltaB64 = updateOf((text) => text.insert(0, `Line ${version} of a text that grows by a line each time.\n`));
        await person.call("POST", `/documents/${id}/ops`, { opId: `op ${version}`, deltaB64 });
        assert.equal(await commit(person, id, `version ${version}`), 201);
      }
    }
    await until(async () => (await nodes.cluster.sql("SELECT COUNT(*) FROM outbox WHERE topic = 'demote'")) === "0", "jobs are done");
    // Each version but the newest was made smaller by two updates of its record, and not by four.
    const rows = await nodes.cluster.sql("SELECT COUNT(*) FROM versions WHERE is_delta");
    console.log(`${rows} versions are deltas`);
    for (const id of ids) {
      for (let version = 1; version <= 5; version += 1) {
        const { content } = await at(b, ann).call("GET", `/documents/${id}/versions/${version}`);
        assert.equal(content.split("\n").length, version + 1);
      }
    }
  });

  test("a node whose clock is a minute ahead harms nobody", { skip: FAKETIME ? false : "faketime is not installed" }, async () => {
    const ahead = await nodes.start({ LD_PRELOAD: FAKETIME ?? "", FAKETIME: `+${AHEAD}s`, DONT_FAKE_MONOTONIC: "1" });
    const date = Date.parse((await fetch(`${ahead.url}/healthz`)).headers.get("date") ?? "");
    assert.ok(Math.abs(date - Date.now() - AHEAD * 1_000) < 5_000, "its clock is ahead");
    const ann = await a.account();
    const [here, there] = [ann, at(ahead, ann)];
    const id = await ann.document("");
    // Tokens of each are valid at the other, also those of sessions that begin there.
    const device = await there.secondDevice();
    assert.equal((await at(a, device).call("GET", "/me")).id, ann.id);
    const ledgers = [new Ledger(here, id, "here"), new Ledger(there, id, "there")];
    const pages = await Promise.all([here.yjs(id).synced(), there.yjs(id).synced()]);
    for (let round = 0; round < 100; round += 1) {
      for (const ledger of ledgers) ledger.type();
      if (round % 20 === 10) for (const person of [here, there]) await commit(person, id, `round ${round}`);
      await delay(5);
    }
    for (const ledger of ledgers) await ledger.settle();
    const text = await meet(ann, id, pages);
    for (const ledger of ledgers) ledger.check(text);
    // A revocation made in the future holds, and one made in the past.
    const others = [await here.secondDevice(), await there.secondDevice()];
    await at(ahead, others[0] ?? ann).call("POST", "/auth/logout");
    await at(a, others[1] ?? ann).call("POST", "/auth/logout");
    for (const other of others) {
      for (const node of [a, ahead]) await until(async () => (await ask(node, other)) === 401, "it has ended at both");
    }
    assert.equal(await ask(ahead, ann), 200);
    for (const client of [...ledgers, ...pages]) client.close();
  });
});

/** @param {import("../sockets/support.mjs").Server} node @param {Person} person */
async function ask(node, person) {
  return (await fetch(`${node.url}/api/v1/me`, { headers: { authorization: `Bearer ${person.token}` } })).status;
}

/** Commits; returns the status. @param {Person} person @param {string} id @param {string} message */
async function commit(person, id, message) {
  const answer = await fetch(`${person.server.url}/api/v1/documents/${id}/versions`, {
    method: "POST",
    headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
    body: JSON.stringify({ message }),
  });
  await answer.text();
  return answer.status;
}
