/// <reference types="node" />
import assert from "node:assert/strict";
import { test } from "node:test";
import { history, undo } from "@codemirror/commands";
import { EditorState, type TransactionSpec } from "@codemirror/state";
import { keepLineBreaksWhole } from "./crlf";

function stateOf(doc: string, cursor = 0): EditorState {
  return EditorState.create({
    doc,
    selection: { anchor: cursor },
    extensions: [EditorState.lineSeparator.of("\n"), history(), keepLineBreaksWhole(doc)],
  });
}

/** Returns the text after a transaction, with "|" at the cursor. */
function after(state: EditorState, spec: TransactionSpec): string {
  const { doc, selection } = state.update(spec).state;
  return `${doc.sliceString(0, selection.main.head)}|${doc.sliceString(selection.main.head)}`;
}

test("inserts CRLF in a text with CRLF line breaks", () => {
  const enter = { changes: { from: 1, insert: "\n" }, selection: { anchor: 2 } };
  assert.equal(after(stateOf("ab\r\n", 1), enter), "a\r\n|b\r\n");
});

test("inserts LF where most line breaks are LF", () => {
  assert.equal(after(stateOf("ab\nc\nd\r\n", 1), { changes: { from: 1, insert: "\n" } }), "a|\nb\nc\nd\r\n");
});

test("keeps the break when Enter removes trailing white space", () => {
  const enter = { changes: { from: 1, to: 2, insert: "\n" }, selection: { anchor: 2 } };
  assert.equal(after(stateOf("a\r\nb", 1), enter), "a\r\n|\r\nb");
});

test("deletes the whole pair backwards", () => {
  assert.equal(after(stateOf("a\r\nb", 3), { changes: { from: 2, to: 3 } }), "a|b");
});

test("deletes the whole pair forwards", () => {
  assert.equal(after(stateOf("a\r\nb", 1), { changes: { from: 1, to: 2 } }), "a|b");
});

test("keeps the break when the end of a line is deleted", () => {
  assert.equal(after(stateOf("abc\r\nd", 1), { changes: { from: 1, to: 4 } }), "a|\r\nd");
});

test("moves text typed inside a pair before it", () => {
  assert.equal(after(stateOf("a\r\nb", 1), { changes: { from: 2, insert: "x" }, selection: { anchor: 3 } }), "ax|\r\nb");
});

test("steps over a pair", () => {
  const right = { selection: { anchor: 2 }, userEvent: "select" };
  assert.equal(after(stateOf("a\r\nb", 1), right), "a\r\n|b");
});

test("steps back over a pair", () => {
  const left = { selection: { anchor: 2 }, userEvent: "select" };
  assert.equal(after(stateOf("a\r\nb", 3), left), "a|\r\nb");
});

test("stays before a pair after a click on its line", () => {
  const click = { selection: { anchor: 2 }, userEvent: "select.pointer" };
  assert.equal(after(stateOf("a\r\nb", 1), click), "a|\r\nb");
});

test("undoes an inserted pair in one step", () => {
  let state = stateOf("ab\r\n", 1);
  state = state.update({ changes: { from: 1, insert: "\n" } }).state;
  const undone = undo({ state, dispatch: (transaction) => (state = transaction.state) });
  assert.ok(undone);
  assert.equal(state.doc.toString(), "ab\r\n");
});

test("never splits a pair in random edits", () => {
  const insertions = ["x", "\n", "\n\n", "x\ny", ""];
  let seed = 7;
  const below = (limit: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % limit;
  };
  for (let round = 0; round < 500; round++) {
    let state = stateOf("one\r\n\r\ntwo\r\n", below(12));
    for (let edit = 0; edit < 8; edit++) {
      const from = below(state.doc.length + 1);
      const to = from + below(Math.min(5, state.doc.length - from) + 1);
      const insert = insertions[below(insertions.length)] ?? "";
      state = state.update({ changes: { from, to, insert }, selection: { anchor: from } }).state;
      const text = state.doc.toString();
      assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n/, JSON.stringify(text));
      const { head } = state.selection.main;
      assert.notEqual(text.slice(head - 1, head + 1), "\r\n");
    }
  }
});
