// Several nodes over one set of databases, and what distributes connections to them.
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Endpoint } from "../sockets/endpoint.mjs";
import { Server } from "../sockets/support.mjs";

/** Nodes with the same databases and signing keys. */
export class Nodes {
  #folder = mkdtempSync(join(tmpdir(), "izanagi-nodes-"));
  /** @type {Server[]} */
  all = [];

  /** @param {import("../support/cluster.mjs").Cluster} cluster */
  constructor(cluster) {
    this.cluster = cluster;
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(this.#keys, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  }

  get #keys() {
    return join(this.#folder, "keys.pem");
  }

  /** Starts one more. @param {Record<string, string>} settings @param {import("../sockets/support.mjs").Wrap} [wrap] */
  async start(settings = {}, wrap) {
    const node = await Server.start(this.cluster, { IZANAGI_KEYS_FILE: this.#keys, ...settings }, wrap);
    this.all.push(node);
    return node;
  }

  /** Ends all of them and drops the databases. */
  async remove() {
    for (const node of this.all) await node.remove();
    await this.cluster.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A load balancer for TCP: each connection goes to the next node that accepts it. */
export class Balancer extends Endpoint {
  #turn = 0;
  #port = 0;
  #server = createServer((client) => this.#distribute(client));

  /** @param {Server[]} nodes */
  static async start(nodes) {
    const balancer = new Balancer(nodes);
    await new Promise((listening) => balancer.#server.listen(0, "127.0.0.1", () => listening(undefined)));
    const address = balancer.#server.address();
    balancer.#port = typeof address === "object" ? (address?.port ?? 0) : 0;
    return balancer;
  }

  /** @param {Server[]} nodes */
  constructor(nodes) {
    super();
    this.nodes = nodes;
  }

  /** @override */
  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** @param {import("node:net").Socket} client @param {number} tries */
  #distribute(client, tries = 0) {
    const node = this.nodes[(this.#turn += 1) % this.nodes.length];
    const upstream = connect(Number(new URL(node?.url ?? "").port), "127.0.0.1");
    let isOpen = false;
    upstream.on("connect", () => {
      isOpen = true;
      client.pipe(upstream).pipe(client);
    });
    upstream.on("error", () => {
      if (isOpen || tries >= this.nodes.length) client.destroy();
      else this.#distribute(client, tries + 1);
    });
    upstream.on("close", () => isOpen && client.destroy());
    client.on("error", () => upstream.destroy());
    client.on("close", () => upstream.destroy());
  }

  close() {
    this.#server.close();
  }
}
