// PostgreSQL, MongoDB and Redis of one test file, which may kill them.
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { env, kill } from "node:process";
import { promisify } from "node:util";
import { Cluster } from "../support/cluster.mjs";

const SCRIPT = resolve(import.meta.dirname, "../../scripts/services");
const run = promisify(execFile);

/** @typedef {"postgres" | "mongo" | "redis"} Store */

/** Whether all three are installed. If not, tests are left out and say so, unless REQUIRE_SERVICES=1 demands them. */
const areInstalled = spawnSync(SCRIPT, ["has"], { stdio: "ignore" }).status === 0;
if (!areInstalled && env["REQUIRE_SERVICES"] === "1") throw new Error("a server is missing, and REQUIRE_SERVICES=1 requires it");

/** Options of a test that needs them. */
export const withServices = { skip: areInstalled ? false : "a server is not installed (scripts/setup test)" };

/** Servers in a folder of their own. */
export class Services {
  #folder = mkdtempSync(join(tmpdir(), "izanagi-services-"));

  static async start() {
    const services = new Services();
    await run(SCRIPT, ["start", services.#folder]);
    return services;
  }

  /** Databases for one or several nodes. */
  cluster() {
    const lines = readFileSync(join(this.#folder, "env"), "utf8");
    const url = (/** @type {string} */ name) => lines.match(RegExp(`^TEST_${name}_URL=(.*)$`, "m"))?.[1] ?? "";
    return Cluster.create({ postgres: url("POSTGRES"), mongo: url("MONGODB"), redis: url("REDIS") });
  }

  /** Sends SIGKILL. PostgreSQL's other processes end by themselves when they notice. @param {Store} store */
  kill(store) {
    kill(Number(readFileSync(join(this.#folder, `${store}.pid`), "utf8")), "SIGKILL");
  }

  /** Starts a server again with its data, on its port. @param {Store} store */
  async restart(store) {
    await run(SCRIPT, ["restart", this.#folder, store]);
  }

  stop() {
    execFileSync(SCRIPT, ["stop", this.#folder], { stdio: "ignore" });
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
