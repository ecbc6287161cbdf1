// Converts CodeMirror change sets to changes of the contract.
import type { ChangeSet, Text } from "@codemirror/state";
import { wellFormed } from "./clean-input";
import type { Change } from "./contract";

/**
 * Returns the changes of a transaction that started from `before`.
 *
 * CodeMirror detects input by comparing UTF-16 code units, so replacing one emoji with another may be reported as a
 * change of its low surrogate alone. A lone surrogate cannot be encoded as UTF-8, so such a change is widened to the
 * whole character.
 */
export function toChanges(set: ChangeSet, before: Text): Change[] {
  const changes: Change[] = [];
  set.iterChanges((fromBefore, toBefore, _fromAfter, _toAfter, inserted) => {
    const from = splitsCharacter(before, fromBefore) ? fromBefore - 1 : fromBefore;
    const to = splitsCharacter(before, toBefore) ? toBefore + 1 : toBefore;
    const insert = before.sliceString(from, fromBefore) + inserted.toString() + before.sliceString(toBefore, to);
    // Replace any remaining lone surrogate here; the conversion to a Rust string would do the same.
    changes.push({ from, to, insert: wellFormed(insert) });
  });
  return changes;
}

/** Returns whether the offset is between the two surrogates of a character. */
function splitsCharacter(text: Text, offset: number): boolean {
  return offset > 0 && /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.sliceString(offset - 1, offset + 1));
}
