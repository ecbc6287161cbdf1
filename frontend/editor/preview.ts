// The preview: a worker renders the text part by part, and only the parts near what is visible are in the page.
import type { ChangeSet, Text } from "@codemirror/state";
import type { EditorView, ViewUpdate } from "@codemirror/view";
import type { FromWorker, Labels, ToWorker } from "../preview/messages";
import { toChanges } from "./changes";
import { Pace } from "./pace";
import { Parts } from "./parts";

export interface PreviewOptions {
  kind: string;
  labels: Labels;
  outsideImages: boolean;
}

/** What the page shows besides. */
export interface Shown {
  words: number;
  characters: number;
  lacksImages: boolean;
  isCut: boolean;
}

/** Waits before a preview that has failed starts again. */
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 300_000;

export class Preview {
  readonly #parts: Parts;
  readonly #pace = new Pace();
  #worker: Worker | undefined;
  #view: EditorView | undefined;
  #pending: { changes: ChangeSet; before: Text } | undefined;
  /** Whether an answer is outstanding, before which no further edit is sent. */
  #isBusy = false;
  #timer = 0;
  #since = 0;
  /** How often it has failed since it worked last. */
  #failures = 0;
  #shown: Shown | undefined;
  #onShown: ((shown: Shown) => void) | undefined;

  constructor(
    private readonly pane: HTMLElement,
    private readonly options: PreviewOptions,
  ) {
    this.#parts = new Parts(pane, (ids) => this.#post({ type: "near", ids }));
    pane.addEventListener("click", (event) => this.#followLink(event));
  }

  /** Follows the text of this editor. */
  attach(view: EditorView): void {
    this.#view = view;
    if (this.#worker) this.#sendText();
  }

  /** Starts rendering. `onShown` is told what the page shows besides. */
  start(onShown: (shown: Shown) => void): void {
    this.#onShown = onShown;
    if (!this.#worker) this.#begin();
  }

  #begin(): void {
    if (!this.#view || this.#worker) return;
    const worker = new Worker(new URL("./preview-worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#received(data));
    worker.addEventListener("error", (event) => this.#failed(event.message || "The preview cannot be loaded."));
    this.#worker = worker;
    this.#sendText();
  }

  /** Starts again later, with the text as it is then. Until then only the preview and the counts stay as they are. */
  #failed(reason: string): void {
    console.warn(reason);
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#isBusy = false;
    this.#failures += 1;
    setTimeout(() => this.#begin(), Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures));
  }

  /** Handles an update of the editor. */
  changed({ changes, startState }: ViewUpdate): void {
    if (!this.#worker) return;
    const pending = this.#pending;
    this.#since = pending ? this.#since : performance.now();
    this.#pending = pending
      ? { changes: pending.changes.compose(changes), before: pending.before }
      : { changes, before: startState.doc };
    this.#pace.typed();
    this.#sendSoon();
  }

  /** Shows what the editor shows: its position as a fraction from 0 (top) to 1 (end), and that in the text. */
  scrollTo(fraction: number, at: number): void {
    this.#parts.scrollTo(fraction, at);
  }

  /** Calls a function when the user scrolls the preview. */
  onScroll(call: (fraction: number, at: number) => void): void {
    this.#parts.onScroll = call;
  }

  #sendText(): void {
    const text = this.#view?.state.doc.toString() ?? "";
    this.#pending = undefined;
    this.#isBusy = true;
    this.#parts.clear();
    const { kind, labels, outsideImages } = this.options;
    this.#post({ type: "text", text, kind, labels, outsideImages });
  }

  #sendSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#send(), this.#pace.wait(this.#since));
  }

  #send(): void {
    const pending = this.#pending;
    if (!pending || this.#isBusy) return;
    this.#pending = undefined;
    const changes = toChanges(pending.changes, pending.before);
    const offsets = Uint32Array.from(changes.flatMap(({ from, to }) => [from, to]));
    this.#isBusy = true;
    this.#post({ type: "edit", offsets, inserts: changes.map(({ insert }) => insert), near: this.#parts.near() });
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #received(message: FromWorker): void {
    switch (message.type) {
      case "state": {
        const { words, characters, lacksImages, isCut } = message;
        this.#isBusy = false;
        this.#failures = 0;
        if (this.#pending) this.#sendSoon();
        this.#pace.whenIdle(() => {
          const added = this.#parts.list(message.parts);
          this.#parts.fill(message.html, this.pane.checkVisibility() ? added : undefined);
          this.#tell({ words, characters, lacksImages, isCut });
        });
        return;
      }
      case "html":
        return this.#pace.whenIdle(() => this.#parts.fill(message.html));
      case "found":
        return this.#parts.show(message.anchor, message.id);
      case "failed":
        return this.#failed(message.reason);
    }
  }

  #tell(shown: Shown): void {
    const before = this.#shown;
    const keys = ["words", "characters", "lacksImages", "isCut"] as const;
    if (before && keys.every((key) => before[key] === shown[key])) return;
    this.#shown = shown;
    this.#onShown?.(shown);
  }

  /** Shows the target of a link within the text, which may not be in the page. */
  #followLink(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest("a") : undefined;
    const href = link?.getAttribute("href");
    const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!href?.startsWith("#") || !this.#worker || !isPlain) return;
    event.preventDefault();
    const anchor = decoded(href.slice(1));
    if (anchor === "") this.pane.scrollTop = 0;
    else this.#post({ type: "find", anchor });
  }
}

function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
