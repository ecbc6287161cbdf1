// PostgreSQL, MongoDB and Redis, as `scripts/services` starts them. With TEST_STORES=cluster, each server of the tests
// has a database in the first two and a prefix in the third.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { env } from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Whether servers keep their data in PostgreSQL, MongoDB and Redis. */
export const ON_CLUSTER = env["TEST_STORES"] === "cluster";

/** @typedef {{ postgres: string, mongo: string, redis: string }} Urls */

/** @returns {Urls} */
function urlsOfTests() {
  const [postgres, mongo, redis] = ["POSTGRES", "MONGODB", "REDIS"].map((name) => {
    const url = env[`TEST_${name}_URL`];
    if (!url) throw new Error(`TEST_STORES=cluster needs TEST_${name}_URL: scripts/services run`);
    return url;
  });
  return { postgres: postgres ?? "", mongo: mongo ?? "", redis: redis ?? "" };
}

/** The places of one server's data. */
export class Cluster {
  #name = `izanagi_${randomUUID().replaceAll("-", "")}`;
  /** @type {Urls} */
  #urls;

  /** @param {Urls} urls */
  constructor(urls) {
    this.#urls = urls;
  }

  /** Creates the databases. @param {Urls} urls */
  static async create(urls = urlsOfTests()) {
    const cluster = new Cluster(urls);
    await cluster.#admin(`CREATE DATABASE ${cluster.#name}`);
    return cluster;
  }

  /** The settings of a server, as variables of the environment. @returns {Record<string, string>} */
  get variables() {
    const { mongo, redis } = this.#urls;
    return {
      DATABASE_URL: this.#database,
      MONGODB_URL: mongo.replace("/?", `/${this.#name}?`),
      REDIS_URL: redis,
      IZANAGI_STORAGE_REVOCATIONS_PREFIX: this.#name,
      IZANAGI_STORAGE_BUS_PREFIX: this.#name,
      IZANAGI_STORAGE_LIMITS_PREFIX: this.#name,
      IZANAGI_STORAGE_CACHE_PREFIX: this.#name,
    };
  }

  get #database() {
    return this.#urls.postgres.replace(/[^/]*$/, this.#name);
  }

  /** Runs a statement in the database; returns the rows that it prints. @param {string} statement */
  async sql(statement) {
    return psql(this.#database, statement);
  }

  /** Drops what psql can drop; the rest ends with the servers. */
  async remove() {
    await this.#admin(`DROP DATABASE IF EXISTS ${this.#name} WITH (FORCE)`);
  }

  /** @param {string} statement */
  async #admin(statement) {
    await psql(this.#urls.postgres, statement);
  }
}

/** @param {string} url @param {string} statement */
async function psql(url, statement) {
  const { stdout } = await run("psql", [url, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statement]);
  return stdout.trim();
}
