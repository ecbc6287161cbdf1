// The release binary on a free port, with data of its own in a temporary folder.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, type WriteStream, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname, "../..");
const LOGS = join(ROOT, "target/test-logs");
const READY = /izanagi: listening on (http:\/\/[^\s"]+)/;
/** Tests of one worker share a server and an address: what a person never does in a minute, they do. */
const SETTINGS = `limits:
  signIn: { count: 10000, per: 1m }
  signUp: { count: 10000, per: 1m }
`;
/** What a server has no reason to say: nothing that a test provokes is the server's own fault. */
const COMPLAINT = /panicked at|"level":"ERROR"/;
const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;

/** One server process at a time; its address and its data outlive a kill. */
export class Server {
  readonly dataDir = mkdtempSync(join(tmpdir(), "izanagi-end2end-"));
  readonly #log: WriteStream;
  readonly #complaints: string[] = [];
  #listen = "127.0.0.1:0";
  #url = "";
  #process: ChildProcess | undefined;

  private constructor(name: string) {
    mkdirSync(LOGS, { recursive: true });
    writeFileSync(join(this.dataDir, "izanagi.yaml"), SETTINGS);
    this.#log = createWriteStream(join(LOGS, `${name}.log`), { flags: "a" });
  }

  /** Starts a server on empty data. What it prints goes to `target/test-logs/NAME.log`. */
  static async start(name: string): Promise<Server> {
    const server = new Server(name);
    try {
      await server.start();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  /** Where it answers, without a slash at the end. */
  get url(): string {
    return this.#url;
  }

  /** Starts the process on the data that is there; after a kill on the same port as before. */
  async start(): Promise<void> {
    const child = spawn(join(ROOT, "target/release/izanagi"), ["serve"], {
      cwd: this.dataDir,
      // It finds izanagi.yaml where it is started, and nothing of the environment that the tests run in.
      env: {
        IZANAGI_LISTEN: this.#listen,
        IZANAGI_DATA_DIR: this.dataDir,
        IZANAGI_SITE_ROOT: join(ROOT, "target/site"),
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

  /** The panics and errors since the last time this was asked. */
  takeComplaints(): string[] {
    return this.#complaints.splice(0);
  }

  /** `kill -9`: no chance to tidy up. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks it to stop, waits for it, and removes its data. */
  async remove(): Promise<void> {
    const inTime = await this.#end("SIGTERM");
    this.#log.end();
    rmSync(this.dataDir, { recursive: true, force: true });
    if (!inTime) throw new Error(`the server had not stopped ${STOP_LIMIT_MS} ms after SIGTERM`);
  }

  /** Whether the process ended by this signal alone; otherwise it has been killed. */
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

/** The address that the server says it listens on. */
function readAddress(child: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    const limit = setTimeout(() => failed(new Error("the server did not say where it listens")), START_LIMIT_MS);
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
