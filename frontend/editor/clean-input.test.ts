/// <reference types="node" />
import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanInput } from "./clean-input";

test("turns the line breaks of other systems into newlines", () => {
  assert.equal(cleanInput("a\r\nb\rc\n"), "a\nb\nc\n");
});

test("drops null characters and replaces half characters", () => {
  assert.equal(cleanInput("a\0b\ud83d"), "ab\ufffd");
});

test("leaves whole characters alone", () => {
  assert.equal(cleanInput("島 👩‍👩‍👧 é"), "島 👩‍👩‍👧 é");
});
