// Takes out of a WebAssembly module what no page calls, though no linker can know: `node scripts/snip-wasm.mjs IN OUT`.
// wasm-opt then removes whatever was only needed there.
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Leptos keeps a second way to hydrate each view, for routes that are loaded lazily, in the same tables as the one that
 * is used. Called after all, it stops the page with an error. Only what polls these futures: of other functions the
 * compiler may have merged one with an equal one that is needed.
 */
const NEVER_CALLED = /::hydrate_async::\{\{closure\}\}(::h[0-9a-f]{16})?$/;
/** Classes of a dependency (`wasm-streams`) that wasm-bindgen exports whether anybody makes one or not. */
const UNUSED_EXPORT = /^(__wbg_)?intounderlying/;

const SECTION = { custom: 0, import: 2, export: 7, code: 10 };
/** No locals, then a trap. */
const TRAP = Uint8Array.of(3, 0x00, 0x00, 0x0b);

/** Reads the binary format (WebAssembly core specification, chapter 5). */
class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.bytes[this.at++] ?? 0;
  }

  /** An unsigned LEB128 number. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  /** As many bytes as the number before them says. */
  block() {
    const length = this.number();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text() {
    return new TextDecoder().decode(this.block());
  }
}

/** @param {number} value */
function leb128(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value > 0);
  return Uint8Array.from(bytes);
}

/** @param {Uint8Array[]} items */
function vector(items) {
  return Buffer.concat([leb128(items.length), ...items]);
}

/**
 * @param {Uint8Array} bytes a module with names
 * @returns {{ bytes: Uint8Array, snipped: number }}
 */
export function snip(bytes) {
  const sections = sectionsOf(bytes);
  const names = namesOf(sections);
  const imported = importedFunctions(sections);
  let snipped = 0;
  const out = sections.map(({ id, content }) => {
    if (id === SECTION.code) {
      const bodies = itemsOf(content, (reader) => reader.block()).map((body, index) => {
        if (!NEVER_CALLED.test(names.get(imported + index) ?? "")) return body;
        snipped++;
        return TRAP;
      });
      content = vector(bodies);
    } else if (id === SECTION.export) {
      content = vector(
        itemsOf(content, (reader) => {
          reader.block();
          reader.byte();
          reader.number();
        }).filter((item) => !UNUSED_EXPORT.test(new Reader(item).text())),
      );
    }
    return Buffer.concat([Uint8Array.of(id), leb128(content.length), content]);
  });
  return { bytes: Buffer.concat([bytes.subarray(0, 8), ...out]), snipped };
}

/** @param {Uint8Array} bytes */
function sectionsOf(bytes) {
  const reader = new Reader(bytes, 8);
  const sections = [];
  while (reader.at < bytes.length) sections.push({ id: reader.byte(), content: reader.block() });
  return sections;
}

/**
 * The items of a vector, each as its bytes.
 * @param {Uint8Array} content
 * @param {(reader: Reader) => unknown} skip
 */
function itemsOf(content, skip) {
  const reader = new Reader(content);
  return Array.from({ length: reader.number() }, () => {
    const start = reader.at;
    skip(reader);
    return content.subarray(start, reader.at);
  });
}

/** @param {ReturnType<typeof sectionsOf>} sections */
function importedFunctions(sections) {
  const content = sections.find(({ id }) => id === SECTION.import)?.content ?? Uint8Array.of(0);
  const reader = new Reader(content);
  let functions = 0;
  for (let left = reader.number(); left > 0; left--) {
    const [module, name] = [reader.text(), reader.text()];
    // wasm-bindgen imports nothing else; of anything else the length would have to be known.
    if (reader.byte() !== 0) throw new Error(`${module}.${name} is no function`);
    reader.number();
    functions++;
  }
  return functions;
}

/**
 * The names of functions by their index.
 * @param {ReturnType<typeof sectionsOf>} sections
 */
function namesOf(sections) {
  /** @type {Map<number, string>} */
  const names = new Map();
  for (const { id, content } of sections) {
    const reader = new Reader(content);
    if (id !== SECTION.custom || reader.text() !== "name") continue;
    while (reader.at < content.length) {
      const kind = reader.byte();
      const list = new Reader(reader.block());
      if (kind !== 1) continue;
      for (let left = list.number(); left > 0; left--) names.set(list.number(), list.text());
    }
  }
  return names;
}

if (resolve(process.argv[1] ?? "") === fileURLToPath(import.meta.url)) {
  const [input = "", output = ""] = process.argv.slice(2);
  const { bytes, snipped } = snip(await readFile(input));
  if (snipped === 0) throw new Error(`${input}: nothing that is never called; has it no names?`);
  await writeFile(output, bytes);
}
