// Renders the preview in a worker, part by part. scripts/site.mjs adds the code that loads the WebAssembly.
import { type FromWorker, PLACE, type Rendered, type ToWorker } from "./messages";

/** The renderer (frontend/wasm-preview). */
interface Renderer {
  edit(offsets: Uint32Array, inserts: string[]): boolean;
  list(): Uint32Array;
  /** A very long block is in pieces, with "\0" between them. */
  html(ids: Uint32Array): string[];
  find(anchor: string): number | undefined;
  free(): void;
  readonly words: number;
  readonly characters: number;
  readonly lacksImages: boolean;
  readonly isCut: boolean;
}
type NewRenderer = new (kind: string, text: string, labels: string[], outsideImages: boolean) => Renderer;

/** How long the text rests before parts that nobody looks at are rendered, for printing and searching. */
const REST_MS = 3_000;
/** How many of them at once, so that an edit waits for few. */
const AT_ONCE = 20;
/** New parts that are rendered at once, in case they are visible. */
const FIRST = 8;

/** Answers the messages of the page. */
export function serve(loading: Promise<NewRenderer>): void {
  let work: Promise<unknown> = loading.catch((error: unknown) => {
    post({ type: "failed", reason: String(error) });
    throw error;
  });
  const worker = new PreviewWorker(loading);
  self.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
    work = work.then(() => worker.handle(data));
    work.catch((error: unknown) => post({ type: "failed", reason: String(error) }));
  });
}

class PreviewWorker {
  #renderer: Renderer | undefined;
  /** Hashes of the HTML that the page has. */
  readonly #sent = new Map<number, number>();
  /** Parts that the page knows. */
  #known = new Set<number>();
  /** Parts that may have changed since. */
  #stale = new Set<number>();
  #timer = 0;

  constructor(private readonly loading: Promise<NewRenderer>) {}

  async handle(message: ToWorker): Promise<void> {
    switch (message.type) {
      case "text": {
        const { kind, text, labels, outsideImages } = message;
        this.#renderer?.free();
        this.#renderer = new (await this.loading)(kind, text, labels, outsideImages);
        this.#sent.clear();
        this.#known.clear();
        return this.#changed([]);
      }
      case "edit":
        if (!this.#renderer?.edit(message.offsets, message.inserts)) throw new Error("an edit outside the text");
        return this.#changed(message.near);
      case "near":
        return post({ type: "html", html: this.#render(message.ids) });
      case "find":
        return post({ type: "found", anchor: message.anchor, id: this.#renderer?.find(message.anchor) });
    }
  }

  #changed(near: number[]): void {
    const renderer = this.#renderer;
    if (!renderer) return;
    const parts = renderer.list();
    this.#stale = new Set(idsOf(parts));
    for (const id of this.#sent.keys()) if (!this.#stale.has(id)) this.#sent.delete(id);
    const added = [...this.#stale].filter((id) => !this.#known.has(id));
    this.#known = new Set(this.#stale);
    const html = this.#render([...near, ...added.slice(0, FIRST)]);
    const { words, characters, lacksImages, isCut } = renderer;
    post({ type: "state", parts, html, words, characters, lacksImages, isCut });
    this.#renderRest();
  }

  /** Returns those of these parts that the page does not have as they are now. */
  #render(ids: Iterable<number>): Rendered {
    const wanted = new Set(ids);
    // The renderer answers in the order of the document.
    const existing = idsOf(this.#renderer?.list() ?? new Uint32Array()).filter((id) => wanted.has(id));
    const rendered = this.#renderer?.html(existing) ?? [];
    const changed: Rendered = [];
    existing.forEach((id, index) => {
      const html = rendered[index] ?? "";
      const hash = hashOf(html);
      this.#stale.delete(id);
      if (this.#sent.get(id) === hash) return;
      this.#sent.set(id, hash);
      changed.push([id, html.split("\0")]);
    });
    return changed;
  }

  /** Renders the other parts once the text rests, a few at a time. */
  #renderRest(wait = REST_MS): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const html = this.#render([...this.#stale].slice(0, AT_ONCE));
      if (html.length > 0) post({ type: "html", html });
      if (this.#stale.size > 0) this.#renderRest(0);
    }, wait) as unknown as number;
  }
}

function idsOf(list: Uint32Array): Uint32Array {
  return list.filter((_, index) => index % PLACE === 0);
}

function post(message: FromWorker): void {
  self.postMessage(message);
}

/** A hash by which equal HTML is recognised: FNV-1a, and the length. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0) * 2 ** 20 + (text.length % 2 ** 20);
}
