/// <reference types="node" />
import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanInput } from "./clean-input";

test("converts all line breaks to newlines", () => {
  assert.equal(cleanInput("a\r\nb\rc\n"), "a\nb\nc\n");
});

test("drops null characters and replaces lone surrogates", () => {
  assert.equal(cleanInput("a\0b\ud83d"), "ab\ufffd");
});

test("keeps complete characters unchanged", () => {
  assert.equal(cleanInput("島 👩‍👩‍👧 é"), "島 👩‍👩‍👧 é");
});
