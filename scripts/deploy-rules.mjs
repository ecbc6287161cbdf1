// What the files of deploy/ must fulfil beyond their syntax. Each function takes texts and returns its findings, so that
// tests can break a text and see that it is noticed.
import { parse } from "yaml";

/** @typedef {{ environment?: Record<string, string>, image?: string, build?: unknown, ports?: string[], volumes?: string[],
 *   networks?: Record<string, { ipv4_address?: string } | null> | string[], [key: string]: any }} Service */
/** @typedef {{ services: Record<string, Service>, volumes?: Record<string, unknown> }} Compose */

/** A name that says that its value is secret. */
const SECRET = /(PASSWORD|SECRET|TOKEN|PRIVATE|_KEY)(_|$)/;
/** A user and a password in a URL. */
const CREDENTIALS = /:\/\/[^/\s:@]*:([^/\s@]+)@/g;
/** A tag with at least a minor version, or a digest. */
const PINNED = /(:v?\d+\.\d+[\w.-]*|@sha256:[0-9a-f]{64})$/;
const UNITS = new Map([["h", 3600], ["m", 60], ["s", 1]]);
/** What every service must say. */
const REQUIRED = ["restart", "mem_limit", "pids_limit", "healthcheck", "stop_grace_period", "logging", "user"];

/**
 * Variables of a compose file: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`. `$$` is a dollar sign.
 * @param {string} text
 */
export function variables(text) {
  return new Set([...text.replaceAll("$$", "").matchAll(/\$\{?([A-Z_][A-Z0-9_]*)/g)].map(([, name = ""]) => name));
}

/**
 * Lines `NAME=value`.
 * @param {string} text
 * @returns {Map<string, string>}
 */
export function assignments(text) {
  const found = [...text.matchAll(/^([A-Za-z_]\w*)=(.*)$/gm)];
  return new Map(found.map(([, name = "", value = ""]) => [name, value]));
}

/**
 * Settings of the table in docs/operations.md.
 * @param {string} guide
 */
export function settings(guide) {
  return new Set([...guide.matchAll(/^\| `([A-Z_]+)` \| `/gm)].map(([, name = ""]) => name));
}

/**
 * Seconds of a duration such as `45s` or `1m30s`.
 * @param {unknown} text
 */
export function seconds(text) {
  const parts = [...String(text).matchAll(/(\d+)(h|m|s)/g)];
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNITS.get(unit) ?? 0), 0);
}

/**
 * @param {string} text of compose.yaml
 * @param {string} guide docs/operations.md
 * @returns {string[]}
 */
export function composeFindings(text, guide) {
  /** @type {Compose} */
  const compose = parse(text, { merge: true });
  const known = settings(guide);
  const drain = seconds(guide.match(/`limits\.drain` \| `(\w+)`/)?.[1]);
  const findings = Object.entries(compose.services).flatMap(([name, service]) =>
    serviceFindings(service, { known, drain }).map((finding) => `${name}: ${finding}`),
  );
  const mounted = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes.map((it) => it.split(":")[0] ?? ""));
  const used = new Set(mounted.filter((source) => /^[a-z]/.test(source)));
  const declared = new Set(Object.keys(compose.volumes ?? {}));
  for (const volume of used) if (!declared.has(volume)) findings.push(`volume ${volume} is not declared`);
  for (const volume of declared) if (!used.has(volume)) findings.push(`volume ${volume} is not used`);
  return findings;
}

/**
 * @param {Service} service
 * @param {{ known: Set<string>, drain: number }} limits
 */
function serviceFindings(service, { known, drain }) {
  /** @type {string[]} */
  const findings = [];
  const { image = "", environment = {} } = service;
  const isOurs = service.build !== undefined;
  if (!isOurs && !PINNED.test(image)) findings.push(`image ${image} is not pinned by a version`);
  // The image of our own says its user in the Dockerfile.
  for (const key of REQUIRED) if (service[key] === undefined && !(isOurs && key === "user")) findings.push(`no ${key}`);
  if (/^(0|root)(:|$)/.test(String(service.user ?? ""))) findings.push("runs as root");
  if (service.read_only !== true) findings.push("its root file system is writable");
  if (!service.cap_drop?.includes("ALL")) findings.push("keeps capabilities");
  if (service.cap_add !== undefined) findings.push("adds capabilities");
  if (!service.security_opt?.includes("no-new-privileges:true")) findings.push("may gain privileges");
  if (service.privileged || service.network_mode === "host") findings.push("is not isolated");
  if (service.logging?.options?.["max-size"] === undefined) findings.push("its log is unbounded");
  if ((service.volumes ?? []).some((it) => it.includes("docker.sock"))) findings.push("may command the engine");
  for (const port of service.ports ?? []) {
    if (!/^(\$\{\w+:-)?127\.0\.0\.1:/.test(port)) findings.push(`port ${port} is open to the network by default`);
  }
  if (isOurs && !(seconds(service.stop_grace_period) > drain)) {
    findings.push(`stop_grace_period is not longer than limits.drain (${drain} s)`);
  }
  for (const [name, value] of Object.entries(environment)) {
    if (/^IZANAGI_/.test(name) && !known.has(name)) findings.push(`${name} is no setting`);
    if (SECRET.test(name) && !isRequired(value)) findings.push(`${name} is not of the form \${…:?…}`);
    for (const [, password] of String(value).matchAll(CREDENTIALS)) {
      if (!isRequired(password)) findings.push(`${name} contains a password`);
    }
  }
  return findings;
}

/** @param {unknown} value */
const isRequired = (value) => /^\$\{\w+:\?[^}]*\}$/.test(String(value));

/**
 * @param {string} text of .env.example
 * @param {string} compose text of compose.yaml
 * @param {string} guide docs/operations.md
 */
export function environmentFindings(text, compose, guide) {
  const given = assignments(text);
  const used = variables(compose);
  const known = settings(guide);
  /** @type {string[]} */
  const findings = [];
  for (const name of used) if (!given.has(name)) findings.push(`${name} is used in compose.yaml, but not listed`);
  for (const [name, value] of given) {
    if (!used.has(name)) findings.push(`${name} is not used in compose.yaml`);
    if (name.startsWith("IZANAGI_") && !known.has(name)) findings.push(`${name} is no setting`);
    if (SECRET.test(name) && value !== "") findings.push(`${name} has a value`);
    if (value.match(CREDENTIALS)) findings.push(`${name} contains a password`);
  }
  return findings;
}

/**
 * @param {string} text of a Dockerfile
 * @param {string} guide docs/operations.md
 */
export function dockerfileFindings(text, guide) {
  const lines = text.replaceAll(/^\s*#.*$/gm, "").replaceAll(/\\\n/g, " ").split("\n");
  const instructions = lines.map((line) => line.trim().split(/\s+/)).filter(([name]) => name);
  /** @type {string[]} */
  const findings = [];
  /** @type {Set<string>} */
  const stages = new Set();
  for (const [name, ...rest] of instructions) {
    const [first = "", as = "", stage = ""] = rest;
    if (name === "FROM") {
      if (!stages.has(first) && !PINNED.test(first)) findings.push(`${first} is not pinned by a version`);
      if (as.toUpperCase() === "AS") stages.add(stage);
    }
    if (name === "ADD") findings.push(`ADD ${rest.join(" ")}: use COPY`);
    if (name !== "ENV" && name !== "ARG") continue;
    for (const variable of rest.map((it) => it.split("=")[0] ?? "")) {
      if (SECRET.test(variable)) findings.push(`${name} ${variable} would stay in the image`);
      if (variable.startsWith("IZANAGI_") && !settings(guide).has(variable)) findings.push(`${variable} is no setting`);
    }
  }
  const last = instructions.slice(instructions.findLastIndex(([name]) => name === "FROM"));
  const user = last.findLast(([name]) => name === "USER")?.[1] ?? "root";
  // A name would do, but a volume's owner is a number.
  if (!/^[1-9]\d*(:|$)/.test(user)) findings.push(`runs as ${user}: use a number that is not 0`);
  const health = last.findLast(([name]) => name === "HEALTHCHECK")?.join(" ");
  const command = health?.match(/CMD \["\S*\/izanagi", "([a-z-]+)"\]/)?.[1];
  if (!command) findings.push("no HEALTHCHECK by the binary");
  else if (!guide.includes(`| \`izanagi ${command}\` |`)) findings.push(`izanagi ${command} is no command`);
  return findings;
}

/**
 * nginx.conf and what compose.yaml says of it.
 * @param {Record<string, string>} files texts of nginx.conf, site.conf and proxy.conf
 * @param {string} composeText
 */
export function proxyFindings(files, composeText) {
  /** @type {Compose} */
  const { services } = parse(composeText, { merge: true });
  const all = Object.values(files).join("\n");
  const addresses = (/** @type {Service | undefined} */ service) =>
    Object.values(service?.networks ?? {}).flatMap((network) => (network?.ipv4_address ? [network.ipv4_address] : []));
  const nodes = Object.values(services).filter(({ build }) => build !== undefined);
  const expected = nodes.flatMap(addresses).sort();
  const named = [...all.matchAll(/^\s*server (\S+):7999 /gm)].map(([, address]) => address).sort();
  /** @type {string[]} */
  const findings = [];
  if (expected.join() !== named.join()) findings.push(`passes to ${named}, the nodes are at ${expected}`);
  const proxies = addresses(services.nginx).join();
  if (nodes.some(({ environment }) => environment?.IZANAGI_TRUSTED_PROXIES !== proxies)) {
    findings.push(`IZANAGI_TRUSTED_PROXIES is not the address of nginx, ${proxies}`);
  }
  const body = Number(all.match(/^client_max_body_size (\d+)m;/m)?.[1]);
  if (!(body > 64)) findings.push("client_max_body_size is not above limits.requestBodyBytes (64 MiB)");
  const patience = seconds(all.match(/^worker_shutdown_timeout (\w+);/m)?.[1]);
  if (!(patience > 0 && patience < seconds(services.nginx?.stop_grace_period))) {
    findings.push("worker_shutdown_timeout is not shorter than stop_grace_period");
  }
  for (const directive of [
    "proxy_set_header Upgrade $http_upgrade;",
    "proxy_set_header X-Forwarded-For $remote_addr;",
    "proxy_set_header Host $http_host;",
    "proxy_next_upstream off;",
    "proxy_buffering off;",
  ]) {
    if (!all.includes(directive)) findings.push(`lacks: ${directive}`);
  }
  // `$request` and `$request_uri` have the query, which may contain a token.
  if (/log_format[^;]*\$(request|request_uri|args|query_string)\b/.test(all)) findings.push("logs queries");
  return findings;
}
