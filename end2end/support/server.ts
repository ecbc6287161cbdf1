// The release binary on a free port, with its own data in a temporary directory, or in databases of its own.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, type WriteStream, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { Cluster, ON_CLUSTER } from "./cluster.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const LOGS = join(ROOT, "target/test-logs");
const READY = /izanagi: listening on (http:\/\/[^\s"]+)/;
/** Tests of one worker share a server and an address, so they exceed the rate limits of a real user. */
const SETTINGS = `limits:
  signIn: { count: 10000, per: 1m }
  signInAddress: { count: 10000, per: 1m }
  signUp: { count: 10000, per: 1m }
`;
/** Log lines that a server should never write, whatever a test does. */
const COMPLAINT = /panicked at|"level":"ERROR"/;
const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;

/** A server process; its address and data survive a kill. */
export class Server {
  readonly dataDir = mkdtempSync(join(tmpdir(), "izanagi-end2end-"));
  readonly #log: WriteStream;
  readonly #complaints: string[] = [];
  #listen = "127.0.0.1:0";
  #url = "";
  #process: ChildProcess | undefined;
  #cluster: Cluster | undefined;

  private constructor(name: string) {
    mkdirSync(LOGS, { recursive: true });
    writeFileSync(join(this.dataDir, "izanagi.yaml"), SETTINGS);
    this.#log = createWriteStream(join(LOGS, `${name}.log`), { flags: "a" });
  }

  /** Starts a server with empty data. Its output goes to `target/test-logs/NAME.log`. */
  static async start(name: string): Promise<Server> {
    const server = new Server(name);
    try {
      if (ON_CLUSTER) server.#cluster = await Cluster.create();
      await server.start();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  /** Its URL without a trailing slash. */
  get url(): string {
    return this.#url;
  }

  /** Starts the process on the existing data; after a kill, on the same port. */
  async start(): Promise<void> {
    const child = spawn(join(ROOT, "target/release/izanagi"), ["serve"], {
      cwd: this.dataDir,
      // The working directory contains izanagi.yaml; the environment of the tests is not passed on.
      env: {
        IZANAGI_LISTEN: this.#listen,
        IZANAGI_DATA_DIR: this.dataDir,
        IZANAGI_SITE_ROOT: join(ROOT, "target/site"),
        ...this.#cluster?.variables,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    for (const output of [child.stderr, child.stdout]) {
      output.pipe(this.#log, { end: false });
      createInterface({ input: output }).on("line", (line) => {
        if (COMPLAINT.test(line)) this.#complaints.push(line);
      });
    }
    this.#url = await readAddress(child);
    this.#listen = new URL(this.#url).host;
  }

  /** Returns and clears the panics and errors logged so far. */
  takeComplaints(): string[] {
    return this.#complaints.splice(0);
  }

  /** `kill -9`: no graceful shutdown. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Stops the process gracefully; its address and data stay. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Stops the process where it is, without closing anything, until `thaw`. */
  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Changes rows of the database behind the server's back. The server must not run. */
  damage(sql: string): void {
    const script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.executescript(sys.argv[2]); db.commit()";
    run("python3", ["-c", script, join(this.dataDir, "izanagi.db"), sql]);
  }

  /** Runs `izanagi …` on the data; returns what it prints. */
  command(...words: string[]): string {
    return run(join(ROOT, "target/release/izanagi"), words, { IZANAGI_DATA_DIR: this.dataDir });
  }

  /** Stops the process gracefully and deletes its data. */
  async remove(): Promise<void> {
    const inTime = await this.#end("SIGTERM");
    await this.#cluster?.remove();
    this.#log.end();
    rmSync(this.dataDir, { recursive: true, force: true });
    if (!inTime) throw new Error(`the server had not stopped ${STOP_LIMIT_MS} ms after SIGTERM`);
  }

  /** Sends a signal and returns whether the process ended in time; if not, kills it. */
  async #end(signal: NodeJS.Signals): Promise<boolean> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return true;
    const ended = once(child, "exit");
    child.kill(signal);
    const limit = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(limit);
    return child.signalCode !== "SIGKILL" || signal === "SIGKILL";
  }
}

/** Runs a program to its end; returns its output. */
function run(program: string, words: string[], env: Record<string, string> = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  if (error || (status !== 0 && status !== 1)) throw error ?? new Error(`${program}: ${stdout}${stderr}`);
  return stdout;
}

/** Returns the address that the server logs at startup. */
function readAddress(child: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    const limit = setTimeout(() => failed(new Error("the server did not log its address")), START_LIMIT_MS);
    const lines = createInterface({ input: child.stdout! });
    lines.on("line", (line) => {
      const address = READY.exec(line)?.[1];
      if (!address) return;
      clearTimeout(limit);
      found(address);
    });
    child.once("error", failed);
    child.once("exit", (code, signal) => {
      clearTimeout(limit);
      failed(new Error(`the server ended at its start (${signal ?? code}); see target/test-logs`));
    });
  });
}
