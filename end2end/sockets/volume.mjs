// A file system of its own for the data of a server, which a test can fill. It exists only for that
// process: its mount namespace ends with it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { getuid } from "node:process";

const isRoot = getuid?.() === 0;
/** Without root, a user namespace gives the right to mount. */
const UNSHARE = ["--mount", ...(isRoot ? [] : ["--user", "--map-root-user"])];
const ENTER = ["--mount", ...(isRoot ? [] : ["--user", "--preserve-credentials"])];

/** Starts the server with its data on a volume of this size; its log is there, too. @param {string} size */
export const onVolume = (size) => (/** @type {string[]} */ command, /** @type {string} */ home) => {
  const data = join(home, "data");
  mkdirSync(data, { recursive: true });
  const script = 'mount -t tmpfs -o "size=$1,mode=0700" volume "$2" && shift && log=$1/log && shift && exec "$@" 2>>"$log"';
  return ["unshare", ...UNSHARE, "sh", "-c", script, "sh", size, data, ...command];
};

/** Starts the server with a data folder in which nothing can be written. */
export const readOnly = (/** @type {string[]} */ command, /** @type {string} */ home) => {
  const data = join(home, "data");
  const script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"';
  return ["unshare", ...UNSHARE, "sh", "-c", script, "sh", data, ...command];
};

/** Starts the server so that it can lose the right to write files while it runs ({@link forbidWriting}). */
export const withFileLimit = (/** @type {string[]} */ command) => {
  // Without the trap, the kernel ends a process that exceeds its limit.
  return ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh", ...command];
};

/** Makes every write to a file fail, as on a file system that has become read-only, or allows it again. @param {import("./support.mjs").Server} server @param {boolean} isForbidden */
export async function forbidWriting(server, isForbidden) {
  await run("prlimit", "--pid", String(server.pid), `--fsize=${isForbidden ? 0 : "unlimited"}:`);
}

/** Runs a command where the server's volume is mounted. @param {import("./support.mjs").Server} server @param {string[]} command */
export const beside = (server, ...command) => run("nsenter", "--target", String(server.pid), ...ENTER, ...command);

/** @param {string} program @param {string[]} args */
async function run(program, ...args) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  const [code] = await once(child, "close");
  return { code, output };
}
