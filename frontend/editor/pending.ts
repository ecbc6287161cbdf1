// Stores unacknowledged updates in IndexedDB, so that a reload or a crash of the tab loses nothing.
import type { PendingUpdate } from "./contract";

const DATABASE = "izanagi";
const STORE = "pending";
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
  const record = copy(update);
  await write((store) => store.put(record));
}

/** Copies the bytes: storing a view would store its whole buffer, here the page's WebAssembly memory. */
function copy({ documentId, userId, opId, order, lineage, update }: PendingUpdate): PendingUpdate {
  return { documentId, userId, opId, order, lineage, update: update.slice() };
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
  return earlyIn(IDBKeyRange.bound([documentId, userId], [documentId, userId, []]));
}

/** Returns edits as they are now, or nothing if they are no longer there. */
export async function earlyGet(documentId: string, userId: string, id: string): Promise<EarlyEdits | undefined> {
  const [edits] = await earlyIn(IDBKeyRange.only([documentId, userId, id]));
  return edits;
}

async function earlyIn(range: IDBKeyRange): Promise<EarlyEdits[]> {
  const transaction = (await database()).transaction([EARLY, EARLY_TEXTS], "readonly");
  const edits: IDBRequest<Omit<EarlyEdits, "base">[]> = transaction.objectStore(EARLY).getAll(range);
  const texts: IDBRequest<string[]> = transaction.objectStore(EARLY_TEXTS).getAll(range);
  await Promise.all([settled(edits), settled(texts)]);
  // Both are sorted by the same keys.
  return edits.result.map((found, index) => ({ ...found, base: texts.result[index] ?? "" }));
}

/**
 * Stores the updates that early edits have become, and deletes the edits, or does neither: a page that is left in between
 * would otherwise add them twice.
 */
export async function earlyBecome(
  documentId: string,
  userId: string,
  id: string,
  updates: PendingUpdate[],
): Promise<void> {
  const records = updates.map(copy);
  await change([STORE, EARLY, EARLY_TEXTS], (transaction) => {
    for (const record of records) transaction.objectStore(STORE).put(record);
    for (const store of [EARLY, EARLY_TEXTS]) transaction.objectStore(store).delete([documentId, userId, id]);
  });
}

function write(work: (store: IDBObjectStore) => void): Promise<void> {
  return change([STORE], (transaction) => work(transaction.objectStore(STORE)));
}

async function change(stores: string[], work: (transaction: IDBTransaction) => void): Promise<void> {
  const transaction = (await database()).transaction(stores, "readwrite", { durability: "strict" });
  work(transaction);
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("Transaction aborted.", "AbortError"));
  });
}

function database(): Promise<IDBDatabase> {
  opened ??= open().catch((error: unknown) => {
    // Retry on the next call: the cause, such as a full disk, may be gone by then.
    opened = undefined;
    throw error;
  });
  return opened;
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 2);
  request.onupgradeneeded = ({ oldVersion }) => {
    const { result } = request;
    if (oldVersion < 1) {
      const store = result.createObjectStore(STORE, { keyPath: ["documentId", "userId", "opId"] });
      store.createIndex(BY_ORDER, ["documentId", "userId", "order"]);
    }
    result.createObjectStore(EARLY, { keyPath: ["documentId", "userId", "id"] });
    result.createObjectStore(EARLY_TEXTS);
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

function settled(request: IDBRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}
