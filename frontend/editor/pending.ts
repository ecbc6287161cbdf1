// Stores unacknowledged updates in IndexedDB, so that a reload or a crash of the tab loses nothing.
import type { PendingUpdate } from "./contract";

const DATABASE = "izanagi";
export const STORE = "pending";
/** Texts of pages with unsaved edits (`kept-texts.ts`). */
export const TEXTS = "texts";
const BY_ORDER = "byOrder";
/** Edits made before the page had the CRDT, and the texts that they were made in. */
const EARLY = "early";
const EARLY_TEXTS = "earlyTexts";

/** Edits made before the page had the CRDT. */
export interface EarlyEdits {
  documentId: string;
  userId: string;
  /** Names the page that made them. */
  id: string;
  /** When they were made, in milliseconds since 1970. */
  at: number;
  /** The text that they were made in. */
  base: string;
  /** A change set of CodeMirror, as JSON. */
  changes: unknown;
}

let opened: Promise<IDBDatabase> | undefined;
let earlier: Promise<unknown> = Promise.resolve();

/** Stores no update before this has ended: those that follow build on it. */
export function storeAfter(promise: Promise<unknown>): void {
  earlier = promise.catch(() => {});
}

/** Returns the updates of a document and user, sorted by `order`. */
export async function pendingLoad(documentId: string, userId: string): Promise<PendingUpdate[]> {
  const store = (await database()).transaction(STORE, "readonly").objectStore(STORE);
  // An array sorts after every number, so the range covers every key with this document and user.
  const range = IDBKeyRange.bound([documentId, userId], [documentId, userId, []]);
  const request: IDBRequest<PendingUpdate[]> = store.index(BY_ORDER).getAll(range);
  await settled(request);
  return request.result;
}

/** Stores an update; resolves when it is durable on this device. */
export async function pendingPut(update: PendingUpdate): Promise<void> {
  const record = recordOf(update);
  await earlier;
  await write((store) => store.put(record));
}

/** Copies the bytes: storing a view would store its whole buffer, here the page's WebAssembly memory. */
export function recordOf(update: PendingUpdate): PendingUpdate {
  return { ...update, update: update.update.slice() };
}

/** Deletes updates that the server has acknowledged; unknown ids are ignored. */
export async function pendingDrop(documentId: string, userId: string, opIds: string[]): Promise<void> {
  if (opIds.length === 0) return;
  await write((store) => {
    for (const opId of opIds) store.delete([documentId, userId, opId]);
  });
}

/** Stores edits; resolves when they are durable on this device. `base` gives their text, which is stored once. */
export async function earlyPut(edits: Omit<EarlyEdits, "base">, base: () => string): Promise<void> {
  const key = [edits.documentId, edits.userId, edits.id];
  await change([EARLY, EARLY_TEXTS], (transaction) => {
    transaction.objectStore(EARLY).put(edits);
    const texts = transaction.objectStore(EARLY_TEXTS);
    const count = texts.count(key);
    count.onsuccess = () => {
      if (count.result === 0) texts.put(base(), key);
    };
  });
}

/** Returns the edits of a document and user. */
export async function earlyLoad(documentId: string, userId: string): Promise<EarlyEdits[]> {
  const transaction = (await database()).transaction([EARLY, EARLY_TEXTS], "readonly");
  const range = IDBKeyRange.bound([documentId, userId], [documentId, userId, []]);
  const edits: IDBRequest<Omit<EarlyEdits, "base">[]> = transaction.objectStore(EARLY).getAll(range);
  const texts: IDBRequest<string[]> = transaction.objectStore(EARLY_TEXTS).getAll(range);
  await Promise.all([settled(edits), settled(texts)]);
  // Both are sorted by the same keys.
  return edits.result.map((found, index) => ({ ...found, base: texts.result[index] ?? "" }));
}

/**
 * Replaces edits by the updates that they have become, all at once, so that a page that dies meanwhile leaves them once.
 * Returns whether they were still there.
 */
export async function earlyMove(documentId: string, userId: string, id: string, updates: PendingUpdate[]): Promise<boolean> {
  let isDone = false;
  await change([STORE, EARLY, EARLY_TEXTS], (transaction) => {
    const key = [documentId, userId, id];
    const count = transaction.objectStore(EARLY).count(key);
    count.onsuccess = () => {
      if (count.result === 0) return;
      for (const store of [EARLY, EARLY_TEXTS]) transaction.objectStore(store).delete(key);
      for (const update of updates) transaction.objectStore(STORE).put(recordOf(update));
      isDone = true;
    };
  });
  return isDone;
}

function write(work: (store: IDBObjectStore) => void): Promise<void> {
  return change([STORE], (transaction) => work(transaction.objectStore(STORE)));
}

/** Changes stores in one transaction; resolves when that is durable on this device. */
export async function change(stores: string[], work: (transaction: IDBTransaction) => void): Promise<void> {
  const transaction = (await database()).transaction(stores, "readwrite", { durability: "strict" });
  work(transaction);
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("Transaction aborted.", "AbortError"));
  });
}

export function database(): Promise<IDBDatabase> {
  opened ??= open().catch((error: unknown) => {
    // Retry on the next call: the cause, such as a full disk, may be gone by then.
    opened = undefined;
    throw error;
  });
  return opened;
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 3);
  request.onupgradeneeded = ({ oldVersion }) => {
    const { result } = request;
    if (oldVersion < 1) {
      const store = result.createObjectStore(STORE, { keyPath: ["documentId", "userId", "opId"] });
      store.createIndex(BY_ORDER, ["documentId", "userId", "order"]);
    }
    if (oldVersion < 2) {
      result.createObjectStore(EARLY, { keyPath: ["documentId", "userId", "id"] });
      result.createObjectStore(EARLY_TEXTS);
    }
    result.createObjectStore(TEXTS, { keyPath: ["documentId", "userId", "id"] });
  };
  await settled(request);
  const database = request.result;
  const forget = () => {
    opened = undefined;
  };
  database.onclose = forget;
  // A newer page in another tab needs to upgrade the schema: close, and reopen on the next call.
  database.onversionchange = () => {
    database.close();
    forget();
  };
  return database;
}

export function settled(request: IDBRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}
