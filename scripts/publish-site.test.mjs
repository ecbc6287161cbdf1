import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { publishSite } from "./publish-site.mjs";

/** @type {string} */
let folder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "izanagi-site-"));
  await mkdir(join(folder, "public/images"), { recursive: true });
  await writeFile(join(folder, "public/images/mark.svg"), "<svg/>");
  await writeFile(join(folder, "public/photo.png"), "not text");
});
afterEach(() => rm(folder, { recursive: true }));

/** @param {Record<string, string>} files */
const publish = (files) =>
  publishSite({
    bundled: new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])),
    publicFolder: join(folder, "public"),
    site: join(folder, "site"),
    compress: true,
  });

const hashes = () => readdir(join(folder, "site/pkg"));

test("puts the bundled files into one folder named by their contents", async () => {
  assert.equal(await publish({ "main.css": "a{}", "wasm-pages.js": "1" }), "written");
  const [hash, ...others] = await hashes();
  assert.match(hash ?? "", /^[0-9a-f]{16}$/);
  assert.deepEqual(others, []);
  assert.equal(await readFile(join(folder, "site/pkg", hash ?? "", "main.css"), "utf8"), "a{}");
});

test("moves every bundled file when one of them changes", async () => {
  await publish({ "main.css": "a{}", "wasm-pages.js": "1" });
  const before = await hashes();
  await publish({ "main.css": "b{}", "wasm-pages.js": "1" });
  const after = await hashes();
  assert.equal(after.length, 1);
  assert.notDeepEqual(after, before);
});

test("leaves the folder alone when nothing changed", async () => {
  await publish({ "main.css": "a{}" });
  assert.equal(await publish({ "main.css": "a{}" }), "unchanged");
});

test("follows the files of public, those that went away too", async () => {
  await publish({ "main.css": "a{}" });
  await rm(join(folder, "public/photo.png"));
  assert.equal(await publish({ "main.css": "a{}" }), "written");
  assert.deepEqual((await readdir(join(folder, "site"))).sort(), ["images", "pkg"]);
});

test("writes compressed twins that unpack to the same bytes, of text only", async () => {
  await publish({ "main.css": "a{}" });
  const mark = join(folder, "site/images/mark.svg");
  assert.equal(brotliDecompressSync(await readFile(`${mark}.br`)).toString(), "<svg/>");
  assert.equal(gunzipSync(await readFile(`${mark}.gz`)).toString(), "<svg/>");
  assert.deepEqual((await readdir(join(folder, "site"))).filter((name) => name.startsWith("photo")), ["photo.png"]);
});
