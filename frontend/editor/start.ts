// The editor before the rest of the page: it takes keys as soon as it is loaded, with the text that the page shows.
import { Transaction } from "@codemirror/state";
import type { Change, EditorHandle, MountOptions, PendingUpdate } from "./contract";
import { Early } from "./early";
import { mount } from "./mount";
import { Preview, type PreviewOptions, type Shown } from "./preview";

/** What the page says to the editor (`app/src/editor/start.rs`), as JSON in `data-start`. */
interface Start extends Omit<MountOptions, "text" | "nonce" | "onChange" | "onTooLong" | "onCommit" | "onScroll">, PreviewOptions {
  documentId: string;
  userId: string;
  /** Length of the text in UTF-16 units. */
  length: number;
  /** URL of the CRDT's state. */
  state: string;
  /** Words of the save state once something was typed. */
  notSaved: string;
  kind: MountOptions["kind"];
}

type Callbacks = Pick<MountOptions, "onChange" | "onTooLong" | "onCommit">;

/** An editor that was mounted before the CRDT was there. */
export interface Started {
  readonly handle: EditorHandle;
  /** The text that the page showed. */
  base(): string;
  /**
   * Passes edits to the page from now on. `theirs` turn the base into the text of the CRDT; the editor gets them. Returns
   * what was typed so far as changes of that text.
   */
  adopt(theirs: Change[], callbacks: Callbacks): Change[];
  /** Replaces the edits that are kept on this device by the updates that they have become. Returns whether they were kept. */
  move(updates: PendingUpdate[]): Promise<boolean>;
}

let started: Started | undefined;
let preview: Preview | undefined;

/** Returns the editor that this page has already mounted. */
export const startedEditor = (): Started | undefined => started;

/** Returns the preview of this page. */
export const currentPreview = (): Preview | undefined => preview;

/** Starts the preview; `onShown` is told what the page shows besides. */
export function startPreview(onShown: (shown: Shown) => void): void {
  preview?.start(onShown);
}

/** Mounts the editor on a page that shows a text. */
export function begin(): void {
  const host = document.querySelector<HTMLElement>(".editor-host[data-start]");
  if (!host) return;
  const start: Start = JSON.parse(host.dataset["start"] ?? "{}");
  const pane = document.querySelector<HTMLElement>("[data-pane=preview]");
  if (pane) preview = new Preview(pane, start);
  const text = Array.from(host.querySelectorAll("pre"), (pre) => pre.textContent).join("");
  // The state is fetched once the text is there, with what has to be fetched besides.
  preload(start.state);
  // Something has changed the text on its way, such as an extension of the browser: the state has the right one.
  if (text.length !== start.length) return;
  host.replaceChildren();
  let callbacks: Callbacks | undefined;
  const handle = mount(host, {
    ...start,
    text,
    nonce: document.querySelector<HTMLElement>("script[nonce]")?.nonce ?? "",
    onChange: (changes, set) => {
      if (callbacks) return callbacks.onChange(changes, set);
      if (!early.hasChanges) sayNotSaved(start.notSaved);
      early.add(set);
    },
    onTooLong: () => callbacks?.onTooLong(),
    onCommit: () => callbacks?.onCommit(),
    preview,
  });
  const early = new Early(start.documentId, start.userId, handle.view.state.doc);
  addEventListener("beforeunload", (event) => {
    if (!callbacks && early.isAtRisk) event.preventDefault();
  });
  started = {
    handle,
    base: () => early.base.toString(),
    adopt(theirs, given) {
      const rebased = early.rebase(theirs);
      if (!rebased.theirs.empty) {
        handle.view.dispatch({
          changes: rebased.theirs,
          annotations: [Transaction.remote.of(true), Transaction.addToHistory.of(false)],
          filter: false,
        });
      }
      callbacks = given;
      return rebased.mine;
    },
    move: (updates) => early.move(updates),
  };
}

/** Makes the editor read-only, because the page cannot go on. What was typed is kept on this device. */
export function fail(): void {
  started?.handle.setReadOnly(true);
}

/** Shows that what was typed is not saved. The page keeps the text node, so its data is changed. */
function sayNotSaved(words: string): void {
  const state = document.querySelector(".save-state");
  if (state?.firstChild instanceof globalThis.Text) state.firstChild.data = words;
  else if (state) state.textContent = words;
}

function preload(href: string): void {
  const link = document.createElement("link");
  Object.assign(link, { rel: "preload", as: "fetch", href, crossOrigin: "anonymous" });
  document.head.append(link);
}
