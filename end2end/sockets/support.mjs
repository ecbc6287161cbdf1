// A real server.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { env } from "node:process";
import { createInterface } from "node:readline";
import { Cluster, ON_CLUSTER } from "../support/cluster.mjs";
import { Endpoint } from "./endpoint.mjs";

export * from "./clients.mjs";
export * from "./endpoint.mjs";

/** The debug binary, which the suite of native tests builds. */
export const BINARY = resolve(env["IZANAGI_BINARY"] ?? "target/debug/izanagi");

/** @typedef {"sqlite" | "memory" | "cluster"} Storage */
/** Where the server keeps its data. @type {Storage[]} */
export const STORAGES = ON_CLUSTER ? ["cluster"] : ["sqlite", "memory"];
/** Where data survives the process. @type {Storage} */
export const DURABLE = ON_CLUSTER ? "cluster" : "sqlite";

/** Makes the command to start of the server's own. @typedef {(command: string[], home: string) => string[]} Wrap */

/** Limits of requests that tests would reach, because they all come from one address. */
const SETTINGS = `limits:
  signUp: { count: 100000, per: 1m }
  writes: { count: 100000, per: 1m }
  reads: { count: 100000, per: 1m }
`;

/** A server with its own data, or one of several with the same. */
export class Server extends Endpoint {
  #home = mkdtempSync(join(tmpdir(), "izanagi-sockets-"));
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;
  #port = 0;
  /** Its databases, unless they are files. @type {Cluster | undefined} */
  cluster;

  /**
   * @param {Storage | Cluster} storage
   * @param {Record<string, string>} settings variables of the environment
   * @param {Wrap} wrap
   */
  static async start(storage, settings = {}, wrap = (command) => command) {
    const server = new Server(storage, settings);
    mkdirSync(join(server.#home, "site/pkg/none"), { recursive: true });
    writeFileSync(join(server.#home, "izanagi.yaml"), SETTINGS);
    if (storage instanceof Cluster) server.cluster = storage;
    else if (storage === "cluster") server.cluster = await Cluster.create();
    await server.run(wrap);
    return server;
  }

  /**
   * @param {Storage | Cluster} storage
   * @param {Record<string, string>} settings
   */
  constructor(storage, settings) {
    super();
    this.storage = storage;
    this.settings = settings;
  }

  /** Starts the process, on the port that it had before. @param {Wrap} wrap */
  async run(wrap = (command) => command) {
    const home = this.#home;
    const [program = BINARY, ...args] = wrap([BINARY, "serve"], home);
    const child = spawn(program, args, {
      cwd: home,
      env: {
        IZANAGI_LISTEN: `127.0.0.1:${this.#port}`,
        ...this.places,
        PATH: env["PATH"],
        ...(this.storage === "memory" ? { DATABASE_URL: "memory://" } : {}),
        ...this.cluster?.variables,
        ...this.settings,
      },
      stdio: ["ignore", "pipe", openSync(join(home, "log"), "a")],
    });
    this.#child = child;
    if (!child.stdout) throw new Error("the server has no output");
    for await (const line of createInterface({ input: child.stdout })) {
      const port = line.match(/listening on http:\S+:(\d+)/)?.[1];
      if (port) {
        this.#port = Number(port);
        return;
      }
    }
    throw new Error(`the server did not start: ${this.log()}`);
  }

  /** Where the server keeps its files, as variables of the environment. */
  get places() {
    return { IZANAGI_DATA_DIR: join(this.#home, "data"), IZANAGI_SITE_ROOT: join(this.#home, "site") };
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Of the process, once it has ended by itself. */
  get exitCode() {
    return this.#child?.exitCode ?? undefined;
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    this.#child?.kill(signal);
  }

  /** Ends the process and waits for it. @param {NodeJS.Signals} signal */
  async stop(signal = "SIGTERM") {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  /** Ends the process and deletes its data. */
  async remove() {
    await this.stop("SIGKILL");
    if (this.storage === "cluster") await this.cluster?.remove();
    rmSync(this.#home, { recursive: true, force: true });
  }

  log() {
    return readFileSync(join(this.#home, "log"), "utf8");
  }

  /** @override */
  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Runs another command of the binary on the server's data. @param {string[]} args */
  async command(...args) {
    const child = spawn(BINARY, args, {
      cwd: this.#home,
      env: { ...this.places, ...this.cluster?.variables, ...this.settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (output += data));
    const [code] = await once(child, "close");
    return { code, output };
  }
}
