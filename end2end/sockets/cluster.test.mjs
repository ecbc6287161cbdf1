// Two nodes behind nginx, as `make run-cluster` starts them: what goes through, and what happens when one is killed.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env, kill } from "node:process";
import { after, before, describe, test } from "node:test";
import { BINARY, Socket, YjsClient, until } from "./support.mjs";

/** Enough that both nodes have some of them. */
const DOCUMENTS = 16;
// Where the other suites of this folder run over these databases too, this one has run already.
const isRepeated = env["TEST_STORES"] === "cluster" && "it runs once, without TEST_STORES";
const isMissing = !existsSync("/usr/sbin/nginx") && env["REQUIRE_SERVICES"] !== "1" && "nginx is not installed (scripts/setup test)";
const skip = isRepeated || isMissing;

describe("two nodes behind nginx", { skip }, () => {
  const home = mkdtempSync(join(tmpdir(), "izanagi-cluster-"));
  /** @type {import("node:child_process").ChildProcess} */
  let cluster;
  let url = "";
  let output = "";
  let token = "";

  before(async () => {
    url = `http://127.0.0.1:${await freePort()}`;
    mkdirSync(join(home, "site/pkg/none"), { recursive: true });
    cluster = spawn("scripts/run-cluster", [home], {
      env: {
        ...env,
        IZANAGI_BINARY: BINARY,
        IZANAGI_LISTEN: new URL(url).host,
        IZANAGI_SITE_ROOT: join(home, "site"),
        IZANAGI_LIMITS_SIGN_UP: "1000/1m",
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    cluster.stderr?.on("data", (data) => (output += data));
    await until(() => output.includes(`Serving ${url}`) || cluster.exitCode !== null, "the cluster serves", 90_000);
    assert.equal(cluster.exitCode, null, output);
    token = (await call("POST", "/auth/signup", account("ann"))).accessToken;
  });

  after(async () => {
    if (cluster.exitCode === null) {
      cluster.kill("SIGINT");
      await once(cluster, "exit");
    }
    rmSync(home, { recursive: true, force: true });
  });

  /** @param {string} method @param {string} path @param {unknown} [body] @param {Record<string, string>} [headers] */
  async function call(method, path, body, headers = {}) {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** The number of a process of the cluster. @param {string} name */
  const pid = (name) => Number(readFileSync(join(home, `${name}.pid`), "utf8"));

  test("says which server answers for MongoDB", () => {
    assert.match(output, /(mongod|secantusd-py) \(MongoDB's protocol\) on port \d+/);
  });

  test("passes every method on", async () => {
    const content = "x".repeat(5_000_000);
    const { id, etag } = await call("POST", "/documents", { title: "Long" });
    const put = await call("PUT", `/documents/${id}`, { content }, { "if-match": `"${etag}"` });
    assert.equal(put.contentLength, content.length);
    assert.equal((await call("PATCH", `/documents/${id}`, { title: "Renamed" })).title, "Renamed");
    assert.equal((await call("GET", `/documents/${id}`)).content, content);
    assert.equal(await call("DELETE", `/documents/${id}`), undefined);
  });

  test("tells the nodes who is calling, whatever the caller claims", async () => {
    /** @param {string} method @param {string} path @param {Record<string, string>} headers @param {unknown} [body] */
    const fromAfar = async (method, path, headers, body) => {
      const all = { "content-type": "application/json", "x-forwarded-for": "198.51.100.7", ...headers };
      const sent = request(`${url}/api/v1${path}`, { method, localAddress: "127.0.0.9", headers: all });
      sent.end(body === undefined ? undefined : JSON.stringify(body));
      const [answer] = await once(sent, "response");
      let text = "";
      for await (const part of answer) text += part;
      return JSON.parse(text);
    };
    const { accessToken } = await fromAfar("POST", "/auth/signup", {}, account("bob"));
    const { items } = await fromAfar("GET", "/auth/sessions", { authorization: `Bearer ${accessToken}` });
    assert.deepEqual(items.map((/** @type {{ ip: string }} */ { ip }) => ip), ["127.0.0.9"]);
  });

  test("logs no token", async () => {
    const { id } = await call("POST", "/documents", { title: "Watched" });
    const socket = Socket.open(`${url.replace("http", "ws")}/ws/documents/${id}?token=${token}`);
    await socket.next("state");
    socket.close();
    const log = () => readFileSync(join(home, "nginx/access.log"), "utf8");
    await until(() => log().includes(`/ws/documents/${id} 101`), "the socket is logged");
    assert.ok(!log().includes(token));
  });

  test("goes on when a node is killed: nothing saved is lost, nobody stops typing", async () => {
    const person = /** @type {import("./support.mjs").Person} */ ({ token, server: { ws: `${url.replace("http", "ws")}/ws` } });
    const ids = await Promise.all(
      Array.from({ length: DOCUMENTS }, async (_, index) => (await call("POST", "/documents", { title: `${index}` })).id),
    );
    const clients = ids.map((id) => new YjsClient(person, id));
    await Promise.all(clients.map((client) => client.synced()));
    let cut = 0;
    for (const { provider } of clients) provider.on("connection-close", (event) => (cut += event ? 1 : 0));
    /** @param {string} id */
    const stored = async (id) => (await fetch(`${url}/api/v1/documents/${id}/content`, bearer(token))).text();
    for (const client of clients) client.type("before ");
    await until(async () => (await Promise.all(ids.map(stored))).every((text) => text === "before "), "all is stored");

    kill(pid("node1"), "SIGKILL");
    for (const client of clients) client.type("during ");
    // Each of these meets the dead node half of the time.
    for (const id of ids) assert.equal(typeof (await call("GET", `/documents/${id}`)).content, "string");
    await call("POST", "/documents", { title: "Another" });
    await until(async () => (await Promise.all(ids.map(stored))).every((text) => text === "before during "), "all goes on");
    for (const client of clients) client.close();
    assert.ok(cut > 0 && cut < DOCUMENTS, `${cut} of ${DOCUMENTS} documents were on the node that was killed`);
    await until(() => output.includes("node1 has ended"), "the end of the node is told");
  });

  test("stops what it has started, and nothing is left", async () => {
    const names = ["node2", "nginx", "postgres", "mongo", "redis"];
    const started = names.map(pid);
    cluster.kill("SIGINT");
    const [code] = await once(cluster, "exit");
    assert.equal(code, 130, output);
    for (const [index, it] of started.entries()) {
      assert.throws(() => kill(it, 0), /ESRCH/, `${names[index]} still runs`);
      assert.ok(!existsSync(join(home, `${names[index]}.pid`)));
    }
  });
});

/** @param {string} username */
function account(username) {
  return { username, email: `${username}@example.org`, password: "calm example harbour" };
}

/** @param {string} token */
function bearer(token) {
  return { headers: { authorization: `Bearer ${token}` } };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}
