// Assembles the static files of the pages from what scripts/build-site compiled, the editor's TypeScript, the
// style sheets and public/: `node scripts/site.mjs [--dev]`.
import { readFile } from "node:fs/promises";
import { build } from "esbuild";
import { publishSite } from "./publish-site.mjs";

const dev = process.argv.includes("--dev");
const stage = dev ? "target/site-stage-dev" : "target/site-stage";
const site = dev ? "target/site-dev" : "target/site";

/** @type {import("esbuild").BuildOptions & { write: false }} */
const common = { bundle: true, minify: !dev, write: false, logLevel: "warning", outdir: "/" };

/**
 * What a style sheet names by `url(/…)` is served from public/ as it is.
 * @type {import("esbuild").Plugin}
 */
const publicFiles = {
  name: "public files",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\// }, ({ kind, path }) => (kind === "url-token" ? { path, external: true } : undefined)),
};

/** @type {import("esbuild").BuildOptions & { write: false }} */
const script = { ...common, format: "esm", target: "es2022" };
const page = await build({
  ...script,
  entryPoints: { izanagi: `${stage}/izanagi.js` },
  // Loaded by its name beside it, and only where somebody edits.
  external: ["./editor.js"],
});
const editor = await build({
  ...script,
  entryPoints: { editor: "frontend/editor/index.ts" },
  // What the editor loads lazily becomes a file of its own.
  splitting: true,
  chunkNames: "[name]-[hash]",
});
const styles = await build({
  ...common,
  entryPoints: { main: "style/main.css" },
  // The first versions with `light-dark()`: older syntax would only be dead weight.
  target: ["chrome123", "firefox120", "safari17.5"],
  plugins: [publicFiles],
});

/** @type {Map<string, Uint8Array>} */
const bundled = new Map([["izanagi.wasm", await readFile(`${stage}/izanagi.wasm`)]]);
for (const { outputFiles } of [page, editor, styles]) {
  for (const file of outputFiles) bundled.set(file.path.slice(1), file.contents);
}
const outcome = await publishSite({ bundled, publicFolder: "public", site, compress: !dev });
console.error(`==> ${site}: ${outcome}`);
