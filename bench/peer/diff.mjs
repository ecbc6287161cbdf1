// The peer: npm `diff`, by line, then by word within changed lines.
//
// Removed and added lines are paired in order, which is the cheapest option: comparing whole changes
// word by word takes this library several times as long.

import { diffLines, diffWordsWithSpace } from "diff";

/**
 * Compares two texts and returns the number of changed lines plus the number of spans in them.
 *
 * @param {string} oldText
 * @param {string} newText
 */
export function compare(oldText, newText) {
  let count = 0;
  const changes = diffLines(oldText, newText);
  for (const [index, change] of changes.entries()) {
    if (change.added || change.removed) count += change.count;
    const next = changes[index + 1];
    if (!change.removed || !next?.added) continue;
    const removed = change.value.split("\n");
    const added = next.value.split("\n");
    const pairs = Math.min(change.count, next.count);
    for (let line = 0; line < pairs; line += 1) {
      count += diffWordsWithSpace(removed[line], added[line]).length;
    }
  }
  return count;
}
