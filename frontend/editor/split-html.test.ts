import assert from "node:assert/strict";
import { test } from "node:test";
import { splitHtml } from "./split-html";

const bodies = (pieces: string[], pattern: RegExp) => pieces.flatMap((piece) => piece.match(pattern) ?? []);

test("leaves short HTML whole", () => {
  assert.deepEqual(splitHtml("<p>a</p>\n"), ["<p>a</p>\n"]);
});

test("divides a list between its items, and goes on counting", () => {
  const item = `<li>${"words ".repeat(20)}<ul>\n<li>inner</li>\n</ul>\n</li>\n`;
  const pieces = splitHtml(`<h1 id="h-a">A</h1>\n<ol start="3" dir="auto">\n${item.repeat(2_000)}</ol>\n<p>end</p>\n`);
  assert.ok(pieces.length > 5);
  assert.equal(bodies(pieces, /<li>words/g).length, 2_000);
  for (const piece of pieces) {
    assert.equal(piece.match(/<ol/g)?.length, piece.match(/<\/ol>/g)?.length);
    assert.equal(piece.match(/<li/g)?.length, piece.match(/<\/li>/g)?.length);
  }
  const first = pieces[0]?.match(/<li>words/g)?.length ?? 0;
  assert.match(pieces[1] ?? "", new RegExp(`^<ol dir="auto" start="${3 + first}"><li>words`));
  assert.ok(pieces.at(-1)?.endsWith("</ol>\n<p>end</p>\n"));
});

test("divides code between its lines, outside of tokens", () => {
  const line = '<span class="tok-comment">// one\n// two</span> code\n';
  const start = '<pre class="code-block" dir="ltr" tabindex="0"><code class="language-rust">';
  const pieces = splitHtml(`${start}${line.repeat(5_000)}</code></pre>\n`);
  assert.ok(pieces.length > 5);
  for (const piece of pieces) {
    assert.ok(piece.startsWith(start));
    assert.equal(piece.match(/<span/g)?.length, piece.match(/<\/span>/g)?.length);
  }
  assert.equal(bodies(pieces, /one/g).length, 5_000);
});

test("does not divide a paragraph", () => {
  const html = `<p>${"<em>a</em> ".repeat(20_000)}</p>\n`;
  assert.deepEqual(splitHtml(html), [html]);
});
