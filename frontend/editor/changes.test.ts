/// <reference types="node" />
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangeSet, Text } from "@codemirror/state";
import { toChanges } from "./changes";
import type { Change } from "./contract";

/** Returns the changes of a transaction with one replacement. */
function changesFor(before: string, from: number, to: number, insert: string): Change[] {
  const set = ChangeSet.of({ from, to, insert }, before.length, "\n");
  return toChanges(set, textOf(before));
}

function textOf(text: string): Text {
  return Text.of(text.split("\n"));
}

function apply(text: string, changes: Change[]): string {
  return changes.reduceRight((after, { from, to, insert }) => after.slice(0, from) + insert + after.slice(to), text);
}

test("reports an insertion at its position", () => {
  assert.deepEqual(changesFor("ab", 1, 1, "x"), [{ from: 1, to: 1, insert: "x" }]);
});

test("counts a carriage return as a character", () => {
  assert.deepEqual(changesFor("a\r\nb", 3, 4, "c"), [{ from: 3, to: 4, insert: "c" }]);
});

test("counts offsets in the text before the transaction", () => {
  const set = ChangeSet.of([{ from: 0, insert: "xyz" }, { from: 2, to: 3 }], 4);
  assert.deepEqual(toChanges(set, textOf("abcd")), [
    { from: 0, to: 0, insert: "xyz" },
    { from: 2, to: 3, insert: "" },
  ]);
});

test("widens a change of a low surrogate to the whole character", () => {
  assert.deepEqual(changesFor("a😀b", 2, 3, "\ude01"), [{ from: 1, to: 3, insert: "😁" }]);
});

test("widens a change of a high surrogate to the whole character", () => {
  assert.deepEqual(changesFor("\u{1f600}", 0, 1, "\ud83c"), [{ from: 0, to: 2, insert: "\u{1f200}" }]);
});

test("replaces a lone surrogate", () => {
  assert.deepEqual(changesFor("😀", 1, 2, ""), [{ from: 0, to: 2, insert: "\ufffd" }]);
});

test("reproduces any transaction without lone surrogates", () => {
  const pieces = ["a", "\n", "\r\n", "é", "😀", "👩‍👩‍👧", "\ud83d", "\ude00", ""];
  // Park–Miller generator: deterministic cases.
  let seed = 20250312;
  const below = (limit: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % limit;
  };
  const randomText = (length: number) => Array.from({ length }, () => pieces[below(pieces.length)]).join("");
  for (let round = 0; round < 2000; round++) {
    // The initial text has no lone surrogates, because it comes from Rust.
    const before = randomText(12).replace(/\p{Surrogate}/gu, "?");
    let set = ChangeSet.empty(before.length);
    for (let edit = 0; edit < 3; edit++) {
      const from = below(set.newLength + 1);
      const to = from + below(Math.min(4, set.newLength - from) + 1);
      set = set.compose(ChangeSet.of({ from, to, insert: randomText(2) }, set.newLength, "\n"));
    }
    const changes = toChanges(set, textOf(before));
    const after = set.apply(textOf(before)).toString();
    assert.equal(apply(before, changes), after.replace(/\p{Surrogate}/gu, "\ufffd"), JSON.stringify(before));
    changes.forEach((change, index) => assert.ok(change.from >= (changes[index - 1]?.to ?? 0)));
  }
});
