// Interface between the page (Rust, compiled to WebAssembly) and the editor. The page owns the CRDT; the editor sees
// only texts, changes and opaque bytes.
import type { PeopleTexts } from "./peers/view";

import type { ChangeSet } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import type { Preview } from "./preview";

/** Replaces a range of the text. Offsets are UTF-16 code units in the text *before* the transaction. */
export interface Change {
  from: number;
  to: number;
  insert: string;
}

/** Format of a document's text (PRODUCT D1). */
export type DocumentKind = "markdown" | "json" | "text";

export interface MountOptions {
  text: string;
  kind: DocumentKind;
  /** Accessible name of the text field. */
  label: string;
  readOnly: boolean;
  /** Maximum length of the text in bytes of UTF-8. */
  maxBytes: number;
  /** CSP nonce for the style elements that CodeMirror creates. */
  nonce: string;
  /** Shown in an empty text. */
  placeholder: string;
  /** Tells keyboard users how to leave the editor. */
  leaveHint: string;
  /** Shown when the page has failed. */
  failure: string;
  /** Phrases of CodeMirror in the page's language, by their English text. */
  phrases: Record<string, string>;
  /** Called for local edits (typing, paste, undo, redo) with sorted, disjoint changes. Not called for `applyRemote`. */
  onChange(changes: Change[], set: ChangeSet): void;
  /** Called when an edit was rejected because the text would exceed `maxBytes`. */
  onTooLong(): void;
  /** Called on Ctrl-S or Cmd-S. */
  onCommit(): void;
  /** Called when the user scrolls, with 0 for the top and 1 for the end. Not called for `scrollTo`. */
  onScroll?(fraction: number): void;
  /** Shows the text rendered, and scrolls with it. */
  preview?: Preview | undefined;
}

/** How other people are shown. */
export interface PeersOptions {
  /** Element for the avatars, in the page's head. */
  host: HTMLElement;
  /** The user, as others see them. The id is that of the account, or empty. */
  user: { id: string; name: string };
  texts: PeopleTexts & {
    /** With `{name}`: whom the page follows, and how to stop it. */
    following: string;
    stop: string;
    /** With `{name}`. */
    came: string;
    left: string;
    /** With `{count}`. */
    now: string;
  };
  /**
   * Announces the user (JSON of `user` in an awareness state) and the selection, or `null` before there is one. Called
   * at most ten times a second.
   */
  onPresence(user: string, anchor: number | null, head: number | null): void;
}

/** Another client. */
export interface Peer {
  client: number;
  /** Its awareness state, as JSON. */
  state: string;
  /** Its selection in the editor's current text; `null` if it has none. */
  anchor: number | null;
  head: number | null;
}

export interface EditorHandle {
  readonly view: EditorView;
  /**
   * Applies remote changes, sorted and disjoint, with offsets in the editor's current text. Cursor and scroll position
   * keep their place in the text, and the changes are excluded from the undo history.
   *
   * @throws RangeError if an offset is outside the text, which means that page and editor are out of sync; the text is
   * left unchanged
   */
  applyRemote(changes: Change[]): void;
  /** Starts to show other people and to announce this one; its code is fetched then. */
  startPeers(options: PeersOptions): void;
  /** Shows clients whose states changed, and removes clients that are gone. */
  showPeers(changed: Peer[], gone: number[]): void;
  setReadOnly(on: boolean): void;
  text(): string;
  focus(): void;
  scrollTo(fraction: number): void;
  destroy(): void;
}

/** An update that the server has not acknowledged. */
export interface PendingUpdate {
  documentId: string;
  userId: string;
  /** Unique per document and user; storing the same id again replaces the update. */
  opId: string;
  update: Uint8Array;
  /** Position among the updates of the same document and user. */
  order: number;
  /** The document's editing state to which the update belongs. */
  lineage: string;
  /** What it inserts, in case that the text in which it was made is not known any more. */
  typed: string;
}

/** The text of a page whose edits are not saved, for when the document gets another editing state. */
export interface KeptText {
  documentId: string;
  userId: string;
  /** Names the page. */
  id: string;
  /** The document's editing state that the page shows. */
  lineage: string;
  /** The last text of which the page knows that it was saved. */
  base: string;
  /** The page's text. */
  mine: string;
  /** Updates whose effects are in `mine` and not in `base`. */
  opIds: string[];
  /** The document lacks words that were saved, and the user has not said what to do. */
  isAsked: boolean;
  /** When it was stored, in milliseconds since 1970. */
  at: number;
}

/** What a device keeps for a document and user: updates sorted by their order, and texts of pages. */
export interface Kept {
  updates: PendingUpdate[];
  texts: KeptText[];
}
