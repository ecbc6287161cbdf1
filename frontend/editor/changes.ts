// Between CodeMirror's change sets and the changes of the contract.
import type { ChangeSet, Text } from "@codemirror/state";
import { wellFormed } from "./clean-input";
import type { Change } from "./contract";

/**
 * The changes of a transaction that started from `before`.
 *
 * CodeMirror finds what was typed by comparing UTF-16 units, so replacing one emoji by another may come out as a
 * change of its second half alone. Half a character cannot be written as UTF-8: such a change is widened to the
 * whole one.
 */
export function toChanges(set: ChangeSet, before: Text): Change[] {
  const changes: Change[] = [];
  set.iterChanges((fromBefore, toBefore, _fromAfter, _toAfter, inserted) => {
    const from = splitsCharacter(before, fromBefore) ? fromBefore - 1 : fromBefore;
    const to = splitsCharacter(before, toBefore) ? toBefore + 1 : toBefore;
    const insert = before.sliceString(from, fromBefore) + inserted.toString() + before.sliceString(toBefore, to);
    // What is half a character even so becomes U+FFFD, which is as long, here rather than on its way to Rust.
    changes.push({ from, to, insert: wellFormed(insert) });
  });
  return changes;
}

/** Whether the offset lies between the two halves of one character. */
function splitsCharacter(text: Text, offset: number): boolean {
  return offset > 0 && /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.sliceString(offset - 1, offset + 1));
}
