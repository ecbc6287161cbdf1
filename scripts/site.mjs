// Assembles the static files of the pages from what scripts/build-site compiled, the editor's TypeScript, the
// style sheets and public/: `node scripts/site.mjs [--dev]`.
import { readFile, writeFile } from "node:fs/promises";
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

/** How many files the editor imports at once. */
const PARTS = 2;

/** @type {import("esbuild").BuildOptions & { write: false }} */
const script = { ...common, format: "esm", target: "es2022" };
/** The bundles of islands: what scripts/build-site made, and around it what starts it. */
const bundles = ["wasm-pages", "wasm-editor", "wasm-timeline"];
for (const name of bundles) await writeFile(`${stage}/start-${name}.js`, await starter(name));
await writeFile(`${stage}/start-preview.js`, previewStarter());
const editor = await build({
  ...script,
  entryPoints: { editor: "frontend/editor/index.ts" },
  // What the editor loads lazily becomes a file of its own.
  splitting: true,
  chunkNames: "[name]-[hash]",
  metafile: true,
});
nameParts(editor);
const islands = await build({
  ...script,
  entryPoints: {
    ...Object.fromEntries(bundles.map((name) => [name, `${stage}/start-${name}.js`])),
    "preview-worker": `${stage}/start-preview.js`,
  },
  // Loaded by its name beside it, and only on pages with an editor.
  external: ["./editor.js"],
});
const styles = await build({
  ...common,
  entryPoints: { main: "style/main.css" },
  // The first versions with `light-dark()`: older syntax would only be dead weight.
  target: ["chrome123", "firefox120", "safari17.5"],
  plugins: [publicFiles],
});

/** @type {Map<string, Uint8Array>} */
const bundled = new Map();
for (const name of [...bundles, "wasm-preview"]) bundled.set(`${name}.wasm`, await readFile(`${stage}/${name}.wasm`));
for (const { outputFiles } of [islands, editor, styles]) {
  for (const file of outputFiles) bundled.set(file.path.slice(1), file.contents);
}
const outcome = await publishSite({ bundled, publicFolder: "public", site, compress: !dev });
console.error(`==> ${site}: ${outcome}`);

/**
 * Names the files that the editor imports at once, so that its page can name them too (`app/src/pages/editor.rs`): the
 * browser then fetches them together with it. Their folder is named by its content.
 * @param {import("esbuild").BuildResult<{ write: false, metafile: true }>} editor
 */
function nameParts({ outputFiles, metafile }) {
  const [, output] = Object.entries(metafile.outputs).find(([path]) => path.endsWith("editor.js")) ?? [];
  const imports = output?.imports.filter(({ kind }) => kind === "import-statement") ?? [];
  const names = imports.map(({ path }) => /** @type {string} */ (path.split("/").at(-1))).sort();
  if (names.length !== PARTS) throw new Error(`editor.js imports ${names.length} files, its page names ${PARTS}`);
  for (const file of outputFiles) {
    let text = file.text;
    names.forEach((name, index) => {
      if (file.path.endsWith(`/${name}`)) file.path = `/editor-part-${index + 1}.js`;
      text = text.replaceAll(name, `editor-part-${index + 1}.js`);
    });
    Object.defineProperty(file, "contents", { value: new TextEncoder().encode(text) });
  }
}

/**
 * The module that a page loads. It names the islands, so that whatever else wasm-bindgen exports is left out.
 * @param {string} name
 */
async function starter(name) {
  const source = await readFile(`${stage}/${name}.js`, "utf8");
  const names = [...source.matchAll(/^export function (\w+_\d+)\(/gm)].map(([, name]) => name).join(", ");
  // The editor takes keys before the WebAssembly is there. If it cannot be loaded, its island says so.
  const editor =
    name === "wasm-editor" ? 'import("./editor.js").then((it) => (it.begin(), it)).catch(() => undefined)' : "undefined";
  return `
    import init, { start, ${names} } from "./${name}.js";
    import { hydrate } from "../../frontend/islands/hydrate";
    const editor = ${editor};
    const load = async () => {
      const answer = await fetch(document.querySelector("#words").href);
      if (!answer.ok) throw new Error("The texts of this page: status " + answer.status);
      return answer.json();
    };
    try {
      const module = new URL("./${name}.wasm", import.meta.url);
      const [words] = await Promise.all([load().catch(load), init({ module_or_path: module }), editor]);
      start(words);
      hydrate({ ${names} });
    } catch (error) {
      (await editor)?.fail();
      // Rendered by the server: the texts may be what is missing.
      document.querySelector("#load-failed").hidden = false;
      throw error;
    }
  `;
}

/** The worker that renders the preview. */
function previewStarter() {
  return `
    import init, { Preview } from "./wasm-preview.js";
    import { serve } from "../../frontend/preview/worker";
    const module = new URL("./wasm-preview.wasm", import.meta.url);
    serve(init({ module_or_path: module }).then(() => Preview));
  `;
}
