// Sends generated requests to a real server, by its own description (`/openapi.json`): valid ones must be accepted,
// invalid ones refused, and every response must be as described. Schemathesis does it; this script prepares a server
// with a user and documents, and prints totals as `node --test` does.
//
// `node scripts/test-api.mjs SCHEMATHESIS [IZANAGI]`
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process, { argv, env } from "node:process";
import { createInterface } from "node:readline";

const [, , schemathesis = "st", binary = "target/debug/izanagi"] = argv;
/** Requests an operation and phase. */
const EXAMPLES = env.API_EXAMPLES ?? "12";
/** One client sends them all, faster than a person. */
const SETTINGS = `limits:
  signIn: { count: 100000, per: 1m }
  signInUnknown: { count: 100000, per: 1m }
  signInAddress: { count: 100000, per: 1m }
  signUp: { count: 100000, per: 1m }
  writes: { count: 100000, per: 1m }
  reads: { count: 100000, per: 1m }
`;
/** They end the session of the run, or the account itself. */
const ENDS_THE_RUN = "^(signOut|signOutEverywhere|endSession|deleteMe|refresh)$";

/** @param {string} home */
async function start(home) {
  mkdirSync(join(home, "site/pkg/none"), { recursive: true });
  writeFileSync(join(home, "izanagi.yaml"), SETTINGS);
  /** @type {import("node:child_process").SpawnOptions} */
  const options = {
    cwd: home,
    env: { IZANAGI_LISTEN: "127.0.0.1:0", IZANAGI_DATA_DIR: join(home, "data"), IZANAGI_SITE_ROOT: join(home, "site") },
    // A file, because nothing would read a pipe while Schemathesis runs.
    stdio: ["ignore", "pipe", openSync(join(home, "log"), "a")],
  };
  const child = spawn(resolve(binary), ["serve"], options);
  if (!child.stdout) throw new Error("the server has no output");
  for await (const line of createInterface({ input: child.stdout })) {
    const url = line.match(/listening on (http:\S+)/)?.[1];
    if (url) return { child, url };
  }
  throw new Error("the server did not start");
}

/**
 * @param {string} url
 * @param {string} method
 * @param {unknown} body
 * @param {Record<string, string>} headers
 */
async function call(url, method, body, headers = {}) {
  const answer = await fetch(url, {
    method,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** @param {string} text */
const quoted = (text) => JSON.stringify(text);

/**
 * Writes the settings of Schemathesis: ids that exist, so that requests get past "not found".
 *
 * @param {string} api
 */
async function prepare(api) {
  const account = (/** @type {string} */ name) =>
    call(`${api}/auth/signup`, "POST", { email: `${name}@example.org`, username: name, password: "horse staple 42" });
  const ann = await account("ann");
  const ben = await account("ben");
  const headers = { authorization: `Bearer ${ann.accessToken}` };
  const document = async (/** @type {string} */ title) => {
    const { id } = await call(`${api}/documents`, "POST", { title, content: "# One\n\ntext\n" }, headers);
    await call(`${api}/documents/${id}/versions`, "POST", { message: "first" }, headers);
    return id;
  };
  const [kept, changed, deleted] = [await document("Kept"), await document("Changed"), await document("Deleted")];
  const of = (/** @type {string} */ operation, /** @type {string} */ id) =>
    `[[operations]]\ninclude-operation-id = ${quoted(operation)}\nparameters = { "path.id" = ${quoted(id)} }\n`;
  return `
headers = { Authorization = ${quoted(headers.authorization)} }
parameters = { "path.id" = ${quoted(kept)}, "path.n" = 1, "path.userId" = ${quoted(ben.user.id)} }
# 412: the precondition is checked before the body (DESIGN §8).
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 408, 409, 412, 413, 415, 422, 428, 429, 503]
# A cursor, a hash or a JSON document can be valid by its schema and still be refused.
[checks.positive_data_acceptance]
enabled = false
# A missing If-Match is 428, not 400 (RFC 6585).
[checks.missing_required_header]
expected-statuses = [400, 401, 403, 404, 422, 428]

${of("changeDocument", changed)}
${of("replaceDocument", changed)}
${of("deleteDocument", deleted)}
`;
}

const home = mkdtempSync(join(tmpdir(), "izanagi-api-"));
const { child, url } = await start(home);
try {
  const config = join(home, "schemathesis.toml");
  writeFileSync(config, await prepare(`${url}/api/v1`));
  const report = join(home, "report.xml");
  const run = spawnSync(
    resolve(schemathesis),
    ["--config-file", config, "run", `${url}/openapi.json`, "--phases", "coverage,fuzzing", "--max-examples", EXAMPLES]
      .concat(["--generation-deterministic", "--exclude-operation-id-regex", ENDS_THE_RUN, "--request-timeout", "30"])
      .concat(["--continue-on-failure", "--no-color", "--report", "junit", "--report-junit-path", report]),
    { cwd: home, stdio: ["ignore", "inherit", "inherit"], timeout: 600_000 },
  );
  const totals = readFileSync(report, "utf8").match(/<testsuite [^>]*>/)?.[0] ?? "";
  const count = (/** @type {string} */ name) => Number(totals.match(new RegExp(`\\b${name}="(\\d+)"`))?.[1] ?? 0);
  const failed = count("failures") + count("errors");
  console.log(`# pass ${count("tests") - failed}`);
  console.log(`# fail ${failed}`);
  if (child.exitCode !== null) throw new Error("the server ended");
  process.exitCode = run.status ?? 1;
} finally {
  child.kill();
  rmSync(home, { recursive: true, force: true });
}
