// Updates that the server has not acknowledged, in IndexedDB, so that a reload or a crash of the tab loses nothing.
import type { PendingUpdate } from "./contract";

const DATABASE = "izanagi";
const STORE = "pending";
const BY_ORDER = "byOrder";

let opened: Promise<IDBDatabase> | undefined;

/** The updates of one document and user, by `order`. */
export async function pendingLoad(documentId: string, userId: string): Promise<PendingUpdate[]> {
  const store = (await database()).transaction(STORE, "readonly").objectStore(STORE);
  // An array sorts after every number, so this is everything that begins with the two.
  const range = IDBKeyRange.bound([documentId, userId], [documentId, userId, []]);
  const request: IDBRequest<PendingUpdate[]> = store.index(BY_ORDER).getAll(range);
  await settled(request);
  return request.result;
}

/** Resolved when the update is durable on this device. */
export async function pendingPut(update: PendingUpdate): Promise<void> {
  const { documentId, userId, opId, order } = update;
  // A copy: storing a view would store all of the memory that it looks at, and the page's is large.
  const record: PendingUpdate = { documentId, userId, opId, order, update: update.update.slice() };
  await write((store) => store.put(record));
}

/** Forgets updates that are safe elsewhere; unknown ones are passed over. */
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
    transaction.onabort = () => reject(transaction.error ?? new DOMException("Storage gave up.", "AbortError"));
  });
}

function database(): Promise<IDBDatabase> {
  opened ??= open().catch((error: unknown) => {
    // The next call tries again: a full disk, for instance, may have been emptied.
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
  // A newer page in another tab wants to change the schema: make way, and open again when next asked.
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
