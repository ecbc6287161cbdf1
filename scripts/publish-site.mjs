// Writes the folder that the server serves as it is.
//
//   site/…             the files of public/
//   site/pkg/<hash>/…  the bundled files. The hash covers all of them, so any of them may be cached for ever,
//                      and those that import each other by relative names always match.
//
// Each text-like file has a brotli and a gzip twin beside it, so that the server never compresses anything twice.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, extname, join, relative } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const COMPRESSIBLE = new Set([
  ".css", ".html", ".js", ".json", ".md", ".svg", ".txt", ".wasm", ".webmanifest", ".xml",
]);

/**
 * Brings the folder up to date, in one rename when anything in it has to change.
 *
 * @param {object} options
 * @param {Map<string, Uint8Array>} options.bundled the files of `pkg/<hash>/` by name
 * @param {string} options.publicFolder copied as it is
 * @param {string} options.site the folder to write
 * @param {boolean} options.compress whether to write the compressed twins
 * @returns {Promise<"unchanged" | "written">}
 */
export async function publishSite({ bundled, publicFolder, site, compress }) {
  const files = await readPublic(publicFolder);
  const hash = hashOf(bundled).slice(0, 16);
  for (const [name, bytes] of bundled) files.set(`pkg/${hash}/${name}`, bytes);

  const keyFile = `${site}.key`;
  const key = hashOf(files) + (compress ? " compressed" : "");
  if ((await readFile(keyFile, "utf8").catch(() => "")) === key) return "unchanged";

  const next = `${site}.next`;
  await rm(keyFile, { force: true });
  await rm(next, { recursive: true, force: true });
  await Promise.all([...files].map(([name, bytes]) => writeWithTwins(join(next, name), bytes, compress)));
  await rm(site, { recursive: true, force: true });
  await rename(next, site);
  await writeFile(keyFile, key);
  return "written";
}

/**
 * @param {string} folder
 * @returns {Promise<Map<string, Uint8Array>>}
 */
async function readPublic(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      paths.map(async (path) => /** @type {const} */ ([relative(folder, path), await readFile(path)])),
    ),
  );
}

/**
 * SHA-256 over names and contents, in hex, whatever the order of the map.
 *
 * @param {Map<string, Uint8Array>} files
 */
function hashOf(files) {
  const hash = createHash("sha256");
  for (const name of [...files.keys()].sort()) {
    const bytes = /** @type {Uint8Array} */ (files.get(name));
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/**
 * @param {string} path
 * @param {Uint8Array} bytes
 * @param {boolean} compress
 */
async function writeWithTwins(path, bytes, compress) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  if (!compress || !COMPRESSIBLE.has(extname(path))) return;
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
    promisify(gzip)(bytes, { level: 9 }),
  ]);
  await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gz)]);
}
