// Limits the length of a text. Checked here, an oversized paste is rejected as a whole; the server would accept a part.
import { EditorState, type Extension, StateField, type Text, type Transaction } from "@codemirror/state";

/** Rejects edits that would grow the text beyond `maxBytes` of UTF-8 and reports them. Shortening is always allowed. */
export function withinBytes(maxBytes: number, onTooLong: () => void): Extension {
  const bytes = StateField.define<number>({
    create: (state) => utf8Bytes(state.doc),
    update: (before, transaction) => before + growth(transaction),
  });
  const guard = EditorState.transactionFilter.of((transaction) => {
    const grown = growth(transaction);
    if (grown <= 0 || transaction.startState.field(bytes) + grown <= maxBytes) return transaction;
    // Call back after the dispatch has finished.
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

/** Returns the length of a range in bytes of UTF-8. A lone surrogate counts as the U+FFFD it is converted to. */
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
