// Texts of pages with unsaved edits. An update is of use only in the editing state in which it was made; when a document
// gets another one, these texts tell what the user has written.
import type { Kept, KeptText, PendingUpdate } from "./contract";
import { change, database, pendingLoad, recordOf, settled, STORE, TEXTS } from "./pending";

/**
 * Texts of one document and user. A page deletes its own once its edits are saved. The oldest give way, those about which
 * the user was asked last: the words of the others are in their updates too.
 */
const MOST_TEXTS = 8;

/** Returns what is kept for a document and user. */
export async function keptLoad(documentId: string, userId: string): Promise<Kept> {
  const store = (await database()).transaction(TEXTS, "readonly").objectStore(TEXTS);
  const request: IDBRequest<KeptText[]> = store.getAll(rangeOf(documentId, userId));
  await settled(request);
  return { updates: await pendingLoad(documentId, userId), texts: request.result };
}

/** Stores a text in place of the last one of the same page; resolves when it is durable on this device. */
export async function textPut(text: KeptText): Promise<void> {
  await change([TEXTS], (transaction) => {
    const store = transaction.objectStore(TEXTS);
    store.put(text);
    const range = rangeOf(text.documentId, text.userId);
    const count = store.count(range);
    count.onsuccess = () => {
      if (count.result <= MOST_TEXTS) return;
      const all: IDBRequest<KeptText[]> = store.getAll(range);
      all.onsuccess = () => {
        const others = all.result.filter(({ id }) => id !== text.id);
        others.sort((a, b) => Number(b.isAsked) - Number(a.isAsked) || b.at - a.at);
        for (const { documentId, userId, id } of others.slice(MOST_TEXTS - 1)) store.delete([documentId, userId, id]);
      };
    };
  });
}

/** Deletes texts; unknown ids are ignored. */
export async function textDrop(documentId: string, userId: string, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await change([TEXTS], (transaction) => {
    for (const id of ids) transaction.objectStore(TEXTS).delete([documentId, userId, id]);
  });
}

/**
 * Replaces updates and texts by other updates, unless another page has already done so with one of them. Returns whether
 * it was done: what two pages have must not be added to a document twice.
 */
export async function keptMove(
  documentId: string,
  userId: string,
  opIds: string[],
  textIds: string[],
  updates: PendingUpdate[],
): Promise<boolean> {
  let isDone = false;
  await change([STORE, TEXTS], (transaction) => {
    const pending = transaction.objectStore(STORE);
    const texts = transaction.objectStore(TEXTS);
    const gone = [...opIds.map((id) => ({ store: pending, id })), ...textIds.map((id) => ({ store: texts, id }))];
    const counts = gone.map(({ store, id }) => store.count([documentId, userId, id]));
    const move = () => {
      if (counts.some(({ result }) => result === 0)) return;
      for (const { store, id } of gone) store.delete([documentId, userId, id]);
      for (const update of updates) pending.put(recordOf(update));
      isDone = true;
    };
    const last = counts.at(-1);
    // Requests of a transaction succeed in their order.
    if (last) last.onsuccess = move;
    else move();
  });
  return isDone;
}

/** An array sorts after every id, so the range covers every key with this document and user. */
function rangeOf(documentId: string, userId: string): IDBKeyRange {
  return IDBKeyRange.bound([documentId, userId], [documentId, userId, []]);
}
