// Runs the unit tests of the editor's TypeScript in Node: `node scripts/test-editor.mjs`.
// Node 20 reads no TypeScript and no import without an ending, so esbuild translates each test file first.
import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const SOURCES = "frontend/editor";
const TRANSLATED = "target/test-editor";

const tests = (await readdir(SOURCES, { recursive: true })).filter((name) => name.endsWith(".test.ts"));
await rm(TRANSLATED, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: tests.map((name) => join(SOURCES, name)),
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  outdir: TRANSLATED,
  outExtension: { ".js": ".mjs" },
  sourcemap: "inline",
  metafile: true,
  logLevel: "warning",
});

const { status } = spawnSync(process.execPath, ["--test", ...Object.keys(metafile.outputs)], { stdio: "inherit" });
process.exitCode = status ?? 1;
