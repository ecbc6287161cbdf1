// Runs the programs of docs/examples against a real server, as their README says, and prints totals as `node --test`
// does: `node scripts/test-examples.mjs [PYTHON] [IZANAGI]`.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process, { argv, env } from "node:process";
import { createInterface } from "node:readline";

const [, , python = "python3", binary = "target/debug/izanagi"] = argv;
const home = mkdtempSync(join(tmpdir(), "izanagi-examples-"));
mkdirSync(join(home, "site/pkg/none"), { recursive: true });
const server = spawn(resolve(binary), ["serve"], {
  cwd: home,
  env: { IZANAGI_LISTEN: "127.0.0.1:0", IZANAGI_DATA_DIR: join(home, "data"), IZANAGI_SITE_ROOT: join(home, "site") },
  stdio: ["ignore", "pipe", openSync(join(home, "log"), "a")],
});

async function address() {
  if (!server.stdout) throw new Error("the server has no output");
  for await (const line of createInterface({ input: server.stdout })) {
    const url = line.match(/listening on (http:\S+)/)?.[1];
    if (url) return url;
  }
  throw new Error("the server did not start");
}

let [passed, failed] = [0, 0];
/**
 * @param {string} name
 * @param {() => unknown} check
 */
async function test(name, check) {
  try {
    await check();
    passed++;
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${name}: ${error instanceof Error ? error.message : error}`);
  }
}

try {
  const url = await address();
  const account = { username: "ada", email: "ada@example.org", password: "calm example harbour" };
  const signUp = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(account) };
  const { accessToken } = await (await fetch(`${url}/api/v1/auth/signup`, signUp)).json();
  /** @type {NodeJS.ProcessEnv} */
  const setting = { ...env, IZANAGI_URL: url, IZANAGI_TOKEN: accessToken };

  /**
   * Runs an example; returns what it prints.
   * @param {string} folder
   * @param {string[]} command
   */
  const run = (folder, [program = "", ...args]) => {
    const cwd = resolve("docs/examples", folder);
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      cwd, env: setting, encoding: "utf8", timeout: 60_000,
    });
    if (error) throw error;
    if (status !== 0) throw new Error(`status ${status}: ${stderr}${stdout}`);
    return stdout;
  };
  const text = async () => {
    const path = `${url}/api/v1/documents/${setting["IZANAGI_DOCUMENT"]}/content`;
    return (await fetch(path, { headers: { authorization: `Bearer ${accessToken}` } })).text();
  };
  /** @param {string} line */
  const expectLine = async (line) => {
    const lines = (await text()).split("\n");
    if (lines.filter((it) => it === line).length !== 1) throw new Error(`not once in ${JSON.stringify(lines)}`);
  };

  await test("curl creates, commits and restores", async () => {
    setting["IZANAGI_DOCUMENT"] = run("curl", ["./versions.sh"]).trim();
    await expectLine("At nine.");
  });
  await test("a Yjs client appends a line", async () => {
    run("yjs", [process.execPath, "client.mjs", "A line from Node 😀."]);
    await expectLine("A line from Node 😀.");
  });
  await test("a JSON client adds a line", async () => {
    run("python", [python, "client.py", "A line from Python 😀."]);
    await expectLine("A line from Python 😀.");
  });
  await test("a JSON client is refused with a bad token", () => {
    setting["IZANAGI_TOKEN"] = "wrong";
    try {
      run("python", [python, "client.py"]);
    } catch (error) {
      if (String(error).includes("4401")) return;
      throw error;
    }
    throw new Error("it was accepted");
  });
} finally {
  server.kill();
  rmSync(home, { recursive: true, force: true });
}
console.log(`# pass ${passed}`);
console.log(`# fail ${failed}`);
process.exitCode = failed > 0 ? 1 : 0;
