// How long a text may become. Told here, a paste that is too much is refused whole; the server would take a part of it.
import { EditorState, type Extension, StateField, type Text, type Transaction } from "@codemirror/state";

/** Refuses edits that would make the text longer than `maxBytes` in UTF-8, and says so. Edits that shorten it pass. */
export function withinBytes(maxBytes: number, onTooLong: () => void): Extension {
  const bytes = StateField.define<number>({
    create: (state) => utf8Bytes(state.doc),
    update: (before, transaction) => before + growth(transaction),
  });
  const guard = EditorState.transactionFilter.of((transaction) => {
    const grown = growth(transaction);
    if (grown <= 0 || transaction.startState.field(bytes) + grown <= maxBytes) return transaction;
    // Not from within the dispatch.
    queueMicrotask(onTooLong);
    return [];
  });
  return [bytes, guard];
}

function growth(transaction: Transaction): number {
  let grown = 0;
  transaction.changes.iterChanges((from, to, _fromAfter, _toAfter, inserted) => {
    grown += utf8Bytes(inserted) - utf8Bytes(transaction.startState.doc, from, to);
  });
  return grown;
}

/** The length of a stretch in UTF-8. Half a surrogate pair counts as U+FFFD does, into which it is turned. */
export function utf8Bytes(text: Text, from = 0, to = text.length): number {
  let bytes = 0;
  for (const part of text.iterRange(from, to)) {
    for (let at = 0; at < part.length; at += 1) {
      const unit = part.charCodeAt(at);
      if (unit < 0x80) bytes += 1;
      else if (unit < 0x800) bytes += 2;
      else if (isHigh(unit) && isLow(part.charCodeAt(at + 1))) {
        bytes += 4;
        at += 1;
      } else bytes += 3;
    }
  }
  return bytes;
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;
