// A page with only the editor bundle, built from source and served by the test under the same strict
// Content-Security-Policy as the real page. No server, no WebAssembly: `window.mirror` replaces the CRDT.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "@playwright/test";
import { build } from "esbuild";
import type { Change, EditorHandle, MountOptions } from "../../frontend/editor/contract";

const NONCE = "only-this-test";
const POLICY = `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${NONCE}'`;
const PAGE = `<!doctype html><html lang="en"><head><title>Editor</title><link rel="stylesheet" href="/main.css"></head>
<body><main class="editor-page"><h1 class="visually-hidden">Editor</h1><div id="people"></div><button>Before</button>
<div class="editor-panes"><div class="editor-pane"><div class="editor-host" id="host"></div></div></div>
<button>After</button></main></body></html>`;

export interface EditorSite {
  url: string;
  /** The bundled, minified module that the browser loads. */
  bundle: Uint8Array;
  close(): Promise<void>;
}

/** An announced presence: the user as JSON, and the selection. */
export type Announced = [user: string, anchor: number | null, head: number | null];

declare global {
  interface Window {
    editor: EditorHandle;
    /** The page's copy of the text, from `onChange` and `applyRemote`. */
    mirror: string;
    /** Number of `onChange` and `onCommit` calls, and the values of `onScroll`. */
    seen: { changes: Change[][]; commits: number; scrolls: number[]; violations: string[]; presences: Announced[] };
    remote(changes: Change[]): void;
  }
}

/** Builds and serves the page; the caller closes it. */
export async function serveEditor(): Promise<EditorSite> {
  const { outputFiles } = await build({
    entryPoints: { editor: "frontend/editor/index.ts", main: "style/main.css" },
    bundle: true,
    minify: true,
    write: false,
    outdir: "/",
    format: "esm",
    target: ["es2022", "chrome123"],
    logLevel: "warning",
  });
  const contentOf = (path: string) => {
    const file = outputFiles.find((output) => output.path === path);
    if (!file) throw new Error(`esbuild made no ${path}`);
    return file.contents;
  };
  const files = new Map<string, [type: string, body: string | Uint8Array]>([
    ["/", ["text/html", PAGE]],
    ["/editor.js", ["text/javascript", contentOf("/editor.js")]],
    ["/main.css", ["text/css", contentOf("/main.css")]],
  ]);
  const server = createServer((request, response) => {
    const [type, body] = files.get(request.url ?? "") ?? [];
    response.writeHead(type ? 200 : 204, { "content-type": type ?? "text/plain", "content-security-policy": POLICY });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, bundle: contentOf("/editor.js"), close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Opens the page with a focused editor. */
export async function openEditor(
  page: Page,
  site: EditorSite,
  options: Partial<Pick<MountOptions, "text" | "kind" | "readOnly">> = {},
): Promise<void> {
  await page.goto(site.url);
  await page.evaluate(
    async ([nonce, { text = "", kind = "markdown", readOnly = false }]) => {
      const apply = (changes: Change[]) => {
        for (const { from, to, insert } of changes.toReversed()) {
          window.mirror = window.mirror.slice(0, from) + insert + window.mirror.slice(to);
        }
      };
      window.mirror = text;
      window.seen = { changes: [], commits: 0, scrolls: [], violations: [], presences: [] };
      document.addEventListener("securitypolicyviolation", (event) => window.seen.violations.push(event.blockedURI));
      const { mount }: typeof import("../../frontend/editor/index") = await import("/editor.js" as string);
      window.editor = mount(document.querySelector<HTMLElement>("#host")!, {
        text,
        kind,
        readOnly,
        label: "Text of the document",
        nonce,
        placeholder: "Write here…",
        leaveHint: "Press Escape, then Tab, to leave the editor.",
        failure: "This page has failed and your edits are no longer saved. Reload the page to continue.",
        phrases: {},
        maxBytes: 10 * 1024 * 1024,
        onTooLong: () => {},
        onChange(changes) {
          window.seen.changes.push(changes);
          apply(changes);
        },
        onCommit: () => void (window.seen.commits += 1),
        onScroll: (fraction) => void window.seen.scrolls.push(fraction),
      });
      window.editor.startPeers({
        host: document.querySelector<HTMLElement>("#people")!,
        user: { id: "me", name: "Me" },
        texts: {
          here: "People here",
          all: "Everyone here: {count}",
          now: "People here now: {count}",
          unnamed: "Unnamed",
          you: "{name} (you)",
          follow: "Follow {name}",
          came: "{name} is here.",
          left: "{name} has left.",
          showCursors: "Show their cursors",
          following: "Following {name}. Press Escape to stop.",
          stop: "Stop",
        },
        onPresence: (...announced) => void window.seen.presences.push(announced),
      });
      window.remote = (changes) => {
        apply(changes);
        window.editor.applyRemote(changes);
      };
      window.editor.focus();
    },
    [NONCE, options] as const,
  );
}

/** Returns the editor's text after checking that the page has the same. */
export async function agreedText(page: Page): Promise<string> {
  const [shown, known] = await page.evaluate(() => [window.editor.text(), window.mirror] as const);
  if (shown !== known) throw new Error(`editor: ${JSON.stringify(shown)}, page: ${JSON.stringify(known)}`);
  return shown;
}
