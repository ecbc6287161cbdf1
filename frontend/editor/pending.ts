// Stores unacknowledged updates in IndexedDB, so that a reload or a crash of the tab loses nothing.
import type { PendingUpdate } from "./contract";

const DATABASE = "izanagi";
const STORE = "pending";
const BY_ORDER = "byOrder";

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
  const { documentId, userId, opId, order, lineage } = update;
  // Copy the bytes: storing a view would store its whole buffer, here the page's WebAssembly memory.
  const record: PendingUpdate = { documentId, userId, opId, order, lineage, update: update.update.slice() };
  await write((store) => store.put(record));
}

/** Deletes updates that the server has acknowledged; unknown ids are ignored. */
export async function pendingDrop(documentId: string, userId: string, opIds: string[]): Promise<void> {
  if (opIds.length === 0) return;
  await write((store) => {
    for (const opId of opIds) store.delete([documentId, userId, opId]);
  });
}

async function write(work: (store: IDBObjectStore) => void): Promise<void> {
  const transaction = (await database()).transaction(STORE, "readwrite", { durability: "strict" });
  work(transaction.objectStore(STORE));
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
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    const store = request.result.createObjectStore(STORE, { keyPath: ["documentId", "userId", "opId"] });
    store.createIndex(BY_ORDER, ["documentId", "userId", "order"]);
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
