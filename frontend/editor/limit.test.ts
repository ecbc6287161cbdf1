import assert from "node:assert/strict";
import { test } from "node:test";
import { EditorState, Text } from "@codemirror/state";
import { utf8Bytes, withinBytes } from "./limit";

for (const text of ["", "plain", "naïve", "島", "🦀🏝️", "a\nb\n", "\ud83e", "\udd80x"]) {
  test(`counts the bytes of ${JSON.stringify(text)}`, () => {
    assert.equal(utf8Bytes(Text.of(text.split("\n"))), Buffer.from(text).length);
  });
}

function editor(doc: string, maxBytes: number) {
  let rejections = 0;
  let state = EditorState.create({ doc, extensions: withinBytes(maxBytes, () => (rejections += 1)) });
  return {
    async change(from: number, to: number, insert: string, filter = true) {
      state = state.update({ changes: { from, to, insert }, filter }).state;
      await Promise.resolve();
      return [state.doc.toString(), rejections];
    },
  };
}

test("rejects and reports an edit beyond the limit", async () => {
  const { change } = editor("島", 6);
  assert.deepEqual(await change(1, 1, "1234"), ["島", 1]);
  assert.deepEqual(await change(1, 1, "123"), ["島123", 1]);
  assert.deepEqual(await change(4, 4, "4"), ["島123", 2]);
  assert.deepEqual(await change(0, 1, "abc"), ["abc123", 2]);
});

test("accepts remote edits and shortening beyond the limit", async () => {
  const { change } = editor("abc", 4);
  assert.deepEqual(await change(3, 3, "defgh", false), ["abcdefgh", 0]);
  assert.deepEqual(await change(0, 2, "x"), ["xcdefgh", 0]);
  assert.deepEqual(await change(0, 0, "y"), ["xcdefgh", 1]);
});
