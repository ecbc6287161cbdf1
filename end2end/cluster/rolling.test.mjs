// Three nodes behind a load balancer, restarted one after the other while people write; between two of the restarts a
// migration is applied that the nodes do not know of. `make rolling` takes more rounds.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { env } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { Ledger } from "../sockets/ledger.mjs";
import { meet, until, updateOf } from "../sockets/support.mjs";
import { Balancer, Nodes } from "./nodes.mjs";
import { Services, withServices } from "./services.mjs";

/** How often each node is restarted. */
const ROUNDS = Number(env["ROUNDS"] ?? 1);
const WRITERS = 10;
/** Milliseconds between two edits of a writer. More than the test itself can take in would measure the test. */
const TYPE_EVERY = 100;
/** How long all run between two restarts. */
const CALM = 1_500;

describe("three nodes", withServices, () => {
  /** @type {Services} */
  let services;
  /** @type {Nodes} */
  let nodes;
  /** @type {Balancer} */
  let balancer;
  /** @type {{ close: () => void }[]} */
  const clients = [];

  before(async () => {
    services = await Services.start();
    nodes = new Nodes(await services.cluster());
    for (let node = 0; node < 3; node += 1) await nodes.start();
    balancer = await Balancer.start(nodes.all);
  });

  after(async () => {
    for (const client of clients) client.close();
    balancer.close();
    await nodes.remove();
    services.stop();
  });

  test("a rolling restart across a migration loses no edit, and each page is back within 3 s", async () => {
    const ann = await balancer.account();
    const ids = await Promise.all([ann.document(""), ann.document("")]);
    const ledgers = Array.from({ length: WRITERS }, (_, number) => new Ledger(ann, ids[number % 2] ?? "", `w${number}`));
    const pages = await Promise.all(ids.map((id) => ann.yjs(id).synced()));
    const requests = new Requests(ann, await ann.document(""));
    const timer = setInterval(() => ledgers.forEach((ledger) => ledger.type()), TYPE_EVERY);
    clients.push(...ledgers, ...pages, { close: () => clearInterval(timer) }, { close: () => requests.stop() });
    const requesting = requests.run();
    await until(() => ledgers.every(({ acknowledged }) => acknowledged.length > 10), "edits are acknowledged");
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [index, node] of nodes.all.entries()) {
        await node.stop("SIGTERM");
        assert.equal(node.exitCode, 0, node.log());
        if (round === 0 && index === 1) await migrate(nodes.cluster);
        await node.run();
        await delay(CALM);
      }
    }
    clearInterval(timer);
    requests.stop();
    await requesting;
    for (const ledger of ledgers) await ledger.settle();
    let edits = 0;
    for (const [index, id] of ids.entries()) {
      const text = await meet(ann, id, pages.slice(index, index + 1));
      for (const ledger of ledgers.filter(({ document }) => document === id)) {
        ledger.check(text);
        edits += ledger.acknowledged.length;
      }
    }
    await requests.check();
    const times = ledgers.flatMap(({ reconnected }) => reconnected).sort((one, two) => one - two);
    const p99 = times[Math.ceil(times.length * 0.99) - 1] ?? NaN;
    console.log(
      `${ROUNDS * 3} restarts, ${edits} edits over sockets and ${requests.edits.length} by requests acknowledged, 0 lost; ` +
        `${times.length} connections were back after ${times[Math.floor(times.length / 2)]} ms (median), ${p99} ms (99 %); ` +
        `${requests.repeated} requests were sent again`,
    );
    assert.ok(times.length >= WRITERS, "connections were moved");
    // The target is 3 s, of which `make rolling` makes sure; among other tests the machine may be slow.
    assert.ok(p99 <= (ROUNDS > 1 ? 3_000 : 15_000));
    const [first] = nodes.all;
    const { code, output } = (await first?.command("fsck")) ?? {};
    assert.equal(code, 0, output);
  });
});

/** What a newer binary would do at its start: a step that lets this one go on writing. @param {import("../support/cluster.mjs").Cluster} cluster */
async function migrate(cluster) {
  await cluster.sql(
    `BEGIN;
     ALTER TABLE documents ADD COLUMN later text NOT NULL DEFAULT 'not known to the old binary';
     ALTER TABLE versions ADD COLUMN later text;
     ALTER TABLE sessions ADD COLUMN later text;
     CREATE INDEX idx_documents_later ON documents (later);
     INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
       SELECT MAX(version) + 1, 'later; writers from ' || MAX(version), true, '\\x00', 0 FROM _sqlx_migrations;
     COMMIT`,
  );
}

/** Edits and commits by requests, each sent again until it is answered. */
class Requests {
  /** @type {string[]} */
  edits = [];
  repeated = 0;
  #isOver = false;

  /** @param {import("../sockets/support.mjs").Person} person @param {string} id */
  constructor(person, id) {
    this.person = person;
    this.id = id;
  }

  async run() {
    for (let number = 1; !this.#isOver; number += 1) {
      const token = `<${number}>`;
      const opId = `op ${number}`;
      await this.#send("ops", { opId, deltaB64: updateOf((text) => text.insert(0, token)) }, {}, 200);
      this.edits.push(token);
      if (number % 5 === 0) {
        await this.#send("versions", { message: `version ${number / 5}` }, { "idempotency-key": `key ${number}` }, 201);
      }
    }
  }

  stop() {
    this.#isOver = true;
  }

  /** @param {string} path @param {unknown} body @param {Record<string, string>} headers @param {number} expected */
  async #send(path, body, headers, expected) {
    const { server, token } = this.person;
    for (;;) {
      const answer = await fetch(`${server.url}/api/v1/documents/${this.id}/${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }).catch(() => undefined);
      if (answer && answer.status !== 503) {
        assert.equal(answer.status, expected, await answer.text());
        await answer.text().catch(() => {});
        return;
      }
      this.repeated += 1;
      await delay(100);
    }
  }

  async check() {
    const text = await this.person.server.text(this.person, this.id);
    for (const token of this.edits) assert.equal(text.split(token).length, 2, token);
    assert.equal(text.split("<").length - 1, this.edits.length);
    const { items } = await this.person.call("GET", `/documents/${this.id}/versions?limit=100`);
    const messages = items.map((/** @type {any} */ { message }) => message);
    assert.equal(new Set(messages).size, messages.length, "a version was made twice");
  }
}
