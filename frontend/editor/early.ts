// Keys before the page has the CRDT. They are edits of the text that the page shows, kept in IndexedDB, and become edits
// of the CRDT once it is there, whatever others have written since.
import { ChangeSet, Text } from "@codemirror/state";
import { toChanges } from "./changes";
import type { Change, PendingUpdate } from "./contract";
import { type EarlyEdits, earlyLoad, earlyMove, earlyPut, storeAfter } from "./pending";

/** Without locks (on plain HTTP), edits of another page are taken over once they are this old. */
const ABANDONED_MS = 60_000;

/** Edits of a text before the page has its CRDT. */
export class Early {
  readonly #id = crypto.getRandomValues(new Uint32Array(4)).join("-");
  #changes: ChangeSet;
  #writing: Promise<unknown> = Promise.resolve();
  #mustWrite = false;
  /** Whether there were any, even if they were undone since. */
  #hasBegun = false;
  /** Whether some are not kept on this device yet. */
  isAtRisk = false;

  constructor(
    private readonly documentId: string,
    private readonly userId: string,
    readonly base: Text,
  ) {
    this.#changes = ChangeSet.empty(base.length);
  }

  get hasChanges(): boolean {
    return !this.#changes.empty;
  }

  /** Adds an edit, and keeps all of them. */
  add(changes: ChangeSet): void {
    if (!this.#hasBegun) this.#writing = holdLock(this.#id);
    this.#hasBegun = true;
    this.#changes = this.#changes.compose(changes);
    this.isAtRisk = true;
    if (this.#mustWrite) return;
    this.#mustWrite = true;
    this.#writing = this.#writing.then(() => this.#write()).catch((error: unknown) => console.warn(error));
  }

  /**
   * Returns `theirs`, which turn the base into another text, as changes of the editor's text, and the edits as changes of
   * the other text.
   */
  rebase(theirs: Change[]): { theirs: ChangeSet; mine: Change[] } {
    return rebase(this.base, this.#changes, theirs);
  }

  /** Replaces what is kept by the updates that it has become. Returns whether it was kept. */
  async move(updates: PendingUpdate[]): Promise<boolean> {
    const move = () => this.#hasBegun && earlyMove(this.documentId, this.userId, this.#id, updates);
    const moved = this.#writing.then(move);
    storeAfter(moved);
    return moved;
  }

  async #write(): Promise<void> {
    this.#mustWrite = false;
    const written = this.#changes;
    const { documentId, userId, base } = this;
    await earlyPut({ documentId, userId, id: this.#id, at: Date.now(), changes: written.toJSON() }, () => base.toString());
    if (written === this.#changes) this.isAtRisk = false;
  }
}

/** Edits that an earlier page kept and nobody has taken over. */
export interface LeftBehind {
  base: string;
  /** Returns the edits as changes of the text that `theirs` turn the base into. */
  rebase(theirs: Change[]): Change[];
  /** Replaces them by the updates that they have become. Returns whether they were still there. */
  move(updates: PendingUpdate[]): Promise<boolean>;
}

export async function leftBehind(documentId: string, userId: string): Promise<LeftBehind[]> {
  const found: LeftBehind[] = [];
  for (const edits of await earlyLoad(documentId, userId)) {
    if (!(await isAbandoned(edits))) continue;
    const base = Text.of(edits.base.split("\n"));
    found.push({
      base: edits.base,
      rebase: (theirs) => rebase(base, ChangeSet.fromJSON(edits.changes), theirs).mine,
      move: (updates) => earlyMove(documentId, userId, edits.id, updates),
    });
  }
  return found;
}

function rebase(base: Text, mine: ChangeSet, theirs: Change[]): { theirs: ChangeSet; mine: Change[] } {
  // "\r" is a character like any other (crlf.ts).
  const other = ChangeSet.of(theirs, base.length, "\n");
  return { theirs: other.map(mine), mine: toChanges(mine.map(other, true), other.apply(base)) };
}

const lockName = (id: string) => `izanagi-early-${id}`;

/** Holds a lock as long as this page lives, so that no other one takes its edits. */
function holdLock(id: string): Promise<void> {
  return new Promise((held) => {
    if (!navigator.locks) return held();
    const forever = new Promise<void>(() => {});
    navigator.locks
      .request(lockName(id), () => {
        held();
        return forever;
      })
      .catch(() => held());
  });
}

async function isAbandoned({ id, at }: EarlyEdits): Promise<boolean> {
  if (!navigator.locks) return Date.now() - at > ABANDONED_MS;
  return navigator.locks.request(lockName(id), { ifAvailable: true }, async (lock) => lock !== null);
}
