// Compares pairs of texts with the peer and with Izanagi as WebAssembly, in alternation.
//
//   node measure.mjs PAIRS.json MODULE.js ROUNDS both|wasm
//
// PAIRS.json is [[old, new], …], MODULE.js the output of `wasm-bindgen --target web`. Prints one line of JSON: for each
// pair the milliseconds of the fastest round, and the count returned by the WebAssembly module, which shows whether it
// did the same work as the native code.

import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";
import { compare as peer } from "./diff.mjs";

const [pairsFile, moduleFile, rounds, contenders] = process.argv.slice(2);
const pairs = JSON.parse(readFileSync(pairsFile, "utf8"));
const wasm = await import(pathToFileURL(moduleFile).href);
wasm.initSync({ module: readFileSync(moduleFile.replace(/\.js$/, "_bg.wasm")) });

const fastest = () => new Array(pairs.length).fill(Infinity);
const times = { peer: contenders === "both" ? fastest() : [], wasm: fastest(), wasm_count: 0 };

/** Compares every pair once and keeps the fastest times. */
function round(compare, into) {
  let count = 0;
  for (const [index, [oldText, newText]] of pairs.entries()) {
    const start = performance.now();
    count += compare(oldText, newText);
    into[index] = Math.min(into[index], performance.now() - start);
  }
  return count;
}

for (let done = 0; done < Number(rounds); done += 1) {
  if (contenders === "both") round(peer, times.peer);
  times.wasm_count = round(wasm.compare, times.wasm);
}
console.log(JSON.stringify(times));
