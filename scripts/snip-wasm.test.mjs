import assert from "node:assert/strict";
import { test } from "node:test";
import { snip } from "./snip-wasm.mjs";

/** @param {number[]} bytes */
const block = (...bytes) => [bytes.length, ...bytes];
/** @param {string} text */
const text = (text) => block(...Buffer.from(text));

/** A module with two functions after an imported one; each gives a number. */
function module() {
  const names = [2, 1, ...text("a::hydrate_async::{{closure}}::h0123456789abcdef"), 2, ...text("drop<a::hydrate_async::{{closure}}>")];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, ...block(2, 0x60, 0, 0, 0x60, 0, 1, 0x7f)],
    ...[2, ...block(1, ...text("m"), ...text("f"), 0, 0)],
    ...[3, ...block(2, 1, 1)],
    ...[7, ...block(3, ...text("x"), 0, 1, ...text("y"), 0, 2, ...text("intounderlyingsink_write"), 0, 2)],
    ...[10, ...block(2, ...block(0, 0x41, 7, 0x0b), ...block(0, 0x41, 8, 0x0b))],
    ...[0, ...block(...text("name"), 1, ...block(...names))],
  ]);
}

test("stops where a function that is never called would run, and nowhere else", async () => {
  const { bytes, snipped } = snip(module());
  assert.equal(snipped, 1);
  const { instance } = await WebAssembly.instantiate(Buffer.from(bytes), { m: { f() {} } });
  const { x, y } = /** @type {Record<"x" | "y", () => number>} */ (instance.exports);
  assert.throws(x, WebAssembly.RuntimeError);
  assert.equal(y(), 8);
});

test("exports no classes that nobody makes", async () => {
  const { bytes } = snip(module());
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(Buffer.from(bytes)));
  assert.deepEqual(exported.map(({ name }) => name), ["x", "y"]);
});
