// Keys before the page has the CRDT. They are edits of the text that the page shows, kept in IndexedDB, and become edits
// of the CRDT once it is there, whatever others have written since.
import { ChangeSet, Text } from "@codemirror/state";
import { toChanges } from "./changes";
import type { Change, PendingUpdate } from "./contract";
import { earlyBecome, earlyGet, earlyLoad, earlyPut } from "./pending";

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
  /** Whether they have become updates. */
  #isOver = false;
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

  /** Keeps these updates instead of the edits. Nothing may be sent before: see `earlyBecome`. */
  async become(updates: PendingUpdate[]): Promise<void> {
    this.#isOver = true;
    // Ordered after writes that have begun.
    if (this.#hasBegun) await become(this.documentId, this.userId, this.#id, updates);
  }

  async #write(): Promise<void> {
    this.#mustWrite = false;
    if (this.#isOver) return;
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
  /** Keeps these updates instead of the edits. Nothing may be sent before. */
  become(updates: PendingUpdate[]): Promise<void>;
}

/** Returns what earlier pages have left, and takes care that no other page gets it. */
export async function leftBehind(documentId: string, userId: string): Promise<LeftBehind[]> {
  const found: LeftBehind[] = [];
  for (const { id, at } of await earlyLoad(documentId, userId)) {
    if (!(await claim(id, at))) continue;
    // Another page may have taken them over before this one had the lock.
    const edits = await earlyGet(documentId, userId, id);
    if (!edits) continue;
    const base = Text.of(edits.base.split("\n"));
    found.push({
      base: edits.base,
      rebase: (theirs) => rebase(base, ChangeSet.fromJSON(edits.changes), theirs).mine,
      become: (updates) => become(documentId, userId, id, updates),
    });
  }
  return found;
}

function rebase(base: Text, mine: ChangeSet, theirs: Change[]): { theirs: ChangeSet; mine: Change[] } {
  // "\r" is a character like any other (crlf.ts).
  const other = ChangeSet.of(theirs, base.length, "\n");
  return { theirs: other.map(mine), mine: toChanges(mine.map(other, true), other.apply(base)) };
}

/** Locks that this page holds, by the id of the edits. */
const releases = new Map<string, () => void>();

const lockName = (id: string) => `izanagi-early-${id}`;

/** Holds a lock, so that no other page takes the edits. */
async function holdLock(id: string): Promise<void> {
  if (navigator.locks) await hold(id);
}

/** Takes the lock of edits that an earlier page made, unless a page has it. */
async function claim(id: string, at: number): Promise<boolean> {
  return navigator.locks ? hold(id, { ifAvailable: true }) : Date.now() - at > ABANDONED_MS;
}

/** Takes a lock until the edits are gone, at the longest for the life of this page. Returns whether it has it. */
function hold(id: string, options: LockOptions = {}): Promise<boolean> {
  return new Promise((tell) => {
    navigator.locks
      .request(lockName(id), options, (lock) => {
        tell(lock !== null);
        return lock ? new Promise<void>((release) => releases.set(id, release)) : undefined;
      })
      .catch(() => tell(false));
  });
}

async function become(documentId: string, userId: string, id: string, updates: PendingUpdate[]): Promise<void> {
  await earlyBecome(documentId, userId, id, updates);
  releases.get(id)?.();
  releases.delete(id);
}
