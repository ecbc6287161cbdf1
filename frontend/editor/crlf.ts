// Support for "\r\n" line breaks. The editor splits lines at "\n" only, so that its offsets equal those of the stored
// text; "\r" is then an invisible character at the end of a line. This extension makes the cursor, deletion and input
// treat the pair as one character.
import {
  type ChangeSpec,
  EditorSelection,
  EditorState,
  type Extension,
  type SelectionRange,
  type Text,
  type Transaction,
  type TransactionSpec,
} from "@codemirror/state";
import { type EditorView, keymap } from "@codemirror/view";

/** Keeps "\r\n" pairs together; returns an empty extension for a text without them. */
export function keepLineBreaksWhole(text: string): Extension {
  if (!text.includes("\r\n")) return [];
  const pairs = text.split("\r\n").length - 1;
  const breaks = text.split("\n").length - 1;
  const typesPairs = pairs * 2 > breaks;
  return [
    // CodeMirror runs the last filter first, so cursors are moved after the text has been corrected.
    EditorState.transactionFilter.of(leaveBreaks),
    EditorState.transactionFilter.of((transaction) => mendBreaks(transaction, typesPairs)),
    keymap.of([
      { key: "End", run: isBeforePair, shift: isBeforePair },
      { mac: "Cmd-ArrowRight", run: isBeforePair, shift: isBeforePair },
      { mac: "Ctrl-e", run: isBeforePair, shift: isBeforePair },
    ]),
  ];
}

type Filtered = TransactionSpec | readonly TransactionSpec[];

/** Converts inserted line breaks to the text's own form, and completes or removes pairs that an edit has split. */
function mendBreaks(transaction: Transaction, typesPairs: boolean): Filtered {
  if (!transaction.docChanged) return transaction;
  const before = transaction.startState.doc;
  const after = transaction.newDoc;
  const mends: ChangeSpec[] = [];
  transaction.changes.iterChanges((fromBefore, toBefore, fromAfter, toAfter, inserted) => {
    // The "\n" was deleted, or text was inserted between "\r" and "\n".
    if (splitsPair(before, fromBefore) && !splitsPair(after, fromAfter)) {
      mends.push({ from: fromAfter - 1, to: fromAfter });
    }
    for (const match of typesPairs ? inserted.toString().matchAll(/\n/g) : []) {
      const offset = fromAfter + match.index;
      if (after.sliceString(offset - 1, offset) !== "\r") mends.push({ from: offset, insert: "\r" });
    }
    if (splitsPair(before, toBefore) && !splitsPair(after, toAfter)) {
      // Delete at the end of a line removes only "\r" but means the whole break; a longer deletion ends before it.
      const deletesBreak = inserted.length === 0 && toBefore - fromBefore === 1;
      mends.push(deletesBreak ? { from: toAfter, to: toAfter + 1 } : { from: toAfter, insert: "\r" });
    }
  });
  return mends.length > 0 ? [transaction, { changes: mends, sequential: true }] : transaction;
}

/** Moves cursors out of the middle of a pair: forwards for a step to the right, otherwise to the end of the line. */
function leaveBreaks(transaction: Transaction): Filtered {
  const text = transaction.newDoc;
  const ranges = transaction.newSelection.ranges;
  if (!ranges.some((range) => splitsPair(text, range.head) || splitsPair(text, range.anchor))) return transaction;
  const stepped = transaction.isUserEvent("select") && !transaction.isUserEvent("select.pointer");
  const before = transaction.startState.selection.ranges;
  const moved = ranges.map((range, index) => {
    const onwards = stepped && before[index]?.head === range.head - 1;
    return leavePair(text, range, onwards);
  });
  const selection = EditorSelection.create(moved, transaction.newSelection.mainIndex);
  return [transaction, { selection, sequential: true }];
}

function leavePair(text: Text, range: SelectionRange, onwards: boolean): SelectionRange {
  const outside = (offset: number, step: number) => (splitsPair(text, offset) ? offset + step : offset);
  const head = outside(range.head, onwards ? 1 : -1);
  const anchor = range.empty ? head : outside(range.anchor, -1);
  return EditorSelection.range(anchor, head, range.goalColumn, range.bidiLevel ?? undefined);
}

/** Stops the "end of line" commands from moving past the pair when the cursor is already in front of it. */
function isBeforePair(view: EditorView): boolean {
  const { doc, selection } = view.state;
  return selection.ranges.length === 1 && splitsPair(doc, selection.main.head + 1);
}

function splitsPair(text: Text, offset: number): boolean {
  return offset > 0 && text.sliceString(offset - 1, offset + 1) === "\r\n";
}
