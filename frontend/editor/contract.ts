// What the page (Rust, compiled to WebAssembly) and the editor agree on. The page owns the CRDT; here are only
// texts, changes of texts, and bytes whose meaning the page knows.

/** Replaces a stretch of the text. Offsets count UTF-16 units of the text *before* the transaction. */
export interface Change {
  from: number;
  to: number;
  insert: string;
}

/** What a document's text is (PRODUCT D1). */
export type DocumentKind = "markdown" | "json" | "text";

export interface MountOptions {
  text: string;
  kind: DocumentKind;
  /** The accessible name of the text field. */
  label: string;
  readOnly: boolean;
  /** The most bytes of UTF-8 that the text may have. */
  maxBytes: number;
  /** For the style elements that CodeMirror makes, so that the page's Content-Security-Policy admits them. */
  nonce: string;
  /** A local edit: typing, paste, undo, redo. Sorted, without overlaps; never called for `applyRemote`. */
  onChange(changes: Change[]): void;
  /** An edit was refused whole because the text would be longer than `maxBytes`. */
  onTooLong(): void;
  /** Ctrl-S, or Cmd-S. */
  onCommit(): void;
  /** The person scrolled; 0 is the top, 1 the end. Not called for `scrollTo`. */
  onScroll?(fraction: number): void;
}

export interface EditorHandle {
  /**
   * Takes over what others wrote: cursor and scroll position stay where they are in the text, and undo will not
   * touch it. Offsets count in the editor's present text, sorted and without overlaps.
   *
   * @throws RangeError when an offset lies outside the text: page and editor disagree, and nothing was changed
   */
  applyRemote(changes: Change[]): void;
  setReadOnly(on: boolean): void;
  text(): string;
  focus(): void;
  scrollTo(fraction: number): void;
  destroy(): void;
}

/** An update that the server has not acknowledged yet. */
export interface PendingUpdate {
  documentId: string;
  userId: string;
  /** Unique in a document and user; putting a known one again replaces it. */
  opId: string;
  update: Uint8Array;
  /** The place among the updates of the same document and user. */
  order: number;
}
