import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as rules from "./deploy-rules.mjs";

const read = (/** @type {string} */ path) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const guide = read("docs/operations.md");
const compose = read("deploy/compose.yaml");
const environment = read("deploy/.env.example");
const dockerfile = read("deploy/Dockerfile");
const nginx = Object.fromEntries(
  ["nginx.conf", "site.conf", "proxy.conf"].map((name) => [name, read(`deploy/nginx/${name}`)]),
);

/**
 * The text with a part replaced, which must be there.
 * @param {string} text
 * @param {string | RegExp} part
 * @param {string} by
 */
function broken(text, part, by) {
  const changed = text.replace(part, () => by);
  assert.notEqual(changed, text, `${part} is not there`);
  return changed;
}

test("finds nothing in the files as they are", () => {
  assert.deepEqual(rules.composeFindings(compose, guide), []);
  assert.deepEqual(rules.environmentFindings(environment, compose, guide), []);
  assert.deepEqual(rules.dockerfileFindings(dockerfile, guide), []);
  assert.deepEqual(rules.proxyFindings(nginx, compose), []);
});

/** @type {[string | RegExp, string, RegExp][]} */
const composeFaults = [
  ["redis:7.2.11-bookworm", "redis:latest", /redis: image redis:latest is not pinned/],
  ["mongo:8.0.17-noble", "mongo:8", /mongo: image mongo:8 is not pinned/],
  ["read_only: true", "read_only: false", /nginx: its root file system is writable/],
  ["cap_drop: [ALL]", "cap_drop: [NET_RAW]", /app2: keeps capabilities/],
  ["no-new-privileges:true", "no-new-privileges:false", /postgres: may gain privileges/],
  ["  mem_limit: 1g\n  # Each", "  # Each", /app1: no mem_limit/],
  ["max-size: 10m, ", "", /redis: its log is unbounded/],
  ['user: "101:101"', 'user: "0:0"', /nginx: runs as root/],
  ["stop_grace_period: 45s", "stop_grace_period: 30s", /app1: stop_grace_period is not longer .*\(30 s\)/],
  ["${PUBLISH_HTTP:-127.0.0.1:7999}", "7999", /nginx: port 7999:8080 is open/],
  ["${POSTGRES_APP_PASSWORD:?see .env.example}@", "hunter2@", /app1: DATABASE_URL contains a password/],
  ["POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?see .env.example}", "POSTGRES_PASSWORD: a", /postgres: POSTGRES_PASSWORD is not/],
  ["REDIS_PASSWORD: ${REDIS_PASSWORD:?see .env.example}", "REDIS_PASSWORD: ${REDIS_PASSWORD:-a}", /redis: REDIS_PASSWORD/],
  ["IZANAGI_LOG:", "IZANAGI_LOGS:", /app1: IZANAGI_LOGS is no setting/],
  ["  mongo-config:\n", "", /volume mongo-config is not declared/],
  ["- ./tls:", "- /var/run/docker.sock:", /nginx: may command the engine/],
];
for (const [part, by, expected] of composeFaults) {
  test(`refuses a compose file with ${by || `no ${part}`}`, () => {
    assert.match(rules.composeFindings(broken(compose, part, by), guide).join("\n"), expected);
  });
}

test("compares the variables of the compose file with the example", () => {
  const find = (/** @type {string} */ text) => rules.environmentFindings(text, compose, guide).join("\n");
  assert.match(find(broken(environment, "REDIS_PASSWORD=\n", "")), /REDIS_PASSWORD is used in compose\.yaml, but not listed/);
  assert.match(find(`${environment}NOTHING=1\n`), /NOTHING is not used/);
  assert.match(find(broken(environment, "REDIS_PASSWORD=", "REDIS_PASSWORD=a")), /REDIS_PASSWORD has a value/);
  assert.match(find(`${environment}IZANAGI_NOTHING=1\n`), /IZANAGI_NOTHING is no setting/);
  assert.match(find(broken(environment, "http://", "http://ada:pw@")), /IZANAGI_PUBLIC_URL contains a password/);
});

/** @type {[string | RegExp, string, RegExp][]} */
const imageFaults = [
  ["debian:12.12-slim", "debian:latest", /debian:latest is not pinned/],
  ["USER 10001:10001", "USER 0", /runs as 0/],
  ["USER 10001:10001\n", "", /runs as root/],
  [/HEALTHCHECK[^]*?\nENTRYPOINT/, "ENTRYPOINT", /no HEALTHCHECK/],
  ['"health"]', '"wealth"]', /izanagi wealth is no command/],
  ["COPY . .", "ADD https://example.org/a.tar /", /ADD https/],
  ["IZANAGI_DATA_DIR=/data", "IZANAGI_DATA=/data", /IZANAGI_DATA is no setting/],
  ["ENV npm_config_cache", "ENV API_TOKEN=a npm_config_cache", /ENV API_TOKEN would stay/],
];
for (const [part, by, expected] of imageFaults) {
  test(`refuses a Dockerfile with ${by || `no ${part}`}`, () => {
    assert.match(rules.dockerfileFindings(broken(dockerfile, part, by), guide).join("\n"), expected);
  });
}

/** @type {[string, string | RegExp, string, RegExp][]} */
const proxyFaults = [
  ["nginx.conf", "172.29.79.12:7999", "172.29.79.13:7999", /passes to .*\.13/],
  ["nginx.conf", "$request_method $uri", "$request", /logs queries/],
  ["nginx.conf", "worker_shutdown_timeout 20s", "worker_shutdown_timeout 60s", /worker_shutdown_timeout/],
  ["site.conf", "client_max_body_size 65m", "client_max_body_size 1m", /client_max_body_size/],
  ["site.conf", "proxy_next_upstream off;", "", /lacks: proxy_next_upstream off/],
  ["proxy.conf", "$remote_addr", "$proxy_add_x_forwarded_for", /lacks: proxy_set_header X-Forwarded-For/],
];
for (const [file, part, by, expected] of proxyFaults) {
  test(`refuses nginx with ${by || `no ${part}`}`, () => {
    const files = { ...nginx, [file]: broken(nginx[file] ?? "", part, by) };
    assert.match(rules.proxyFindings(files, compose).join("\n"), expected);
  });
}

test("notices that nodes trust somebody else than nginx", () => {
  const text = broken(compose, "IZANAGI_TRUSTED_PROXIES: 172.29.79.10", "IZANAGI_TRUSTED_PROXIES: 0.0.0.0/0");
  assert.match(rules.proxyFindings(nginx, text).join("\n"), /IZANAGI_TRUSTED_PROXIES is not the address of nginx/);
});
