// Divides the HTML of a very long block, such as a list of a thousand items, so that not all of it has to be in the page.

/** Shorter HTML is not divided, in UTF-16 units as all lengths here. */
const SHORT = 128 * 1024;
/** Shortest piece. */
const LEAST = 32 * 1024;

/** Elements without an end tag. */
const VOID = new Set(["br", "hr", "img", "input"]);
/** Elements that can be divided between two of their children. */
const DIVISIBLE = new Set(["ul", "ol", "table", "tbody", "blockquote", "div"]);

/**
 * Divides the HTML of a part, as the renderer writes it: between blocks, items, rows and lines of code. Each piece is
 * balanced: elements that go on are closed and opened again.
 */
export function splitHtml(html: string): string[] {
  if (html.length < SHORT) return [html];
  const pieces: string[] = [];
  /** Open elements: name and start tag. */
  const open: { name: string; tag: string; items: number }[] = [];
  let start = 0;
  let prefix = "";
  const cut = (at: number) => {
    const closing = open.map(({ name }) => `</${name}>`).reverse();
    pieces.push(prefix + html.slice(start, at) + closing.join(""));
    prefix = open.map(reopened).join("");
    start = at;
  };
  const tag = /<(\/?)([a-z0-9]+)[^>]*>|\n/g;
  for (let found = tag.exec(html); found; found = tag.exec(html)) {
    const [text, slash, name = ""] = found;
    const isLong = found.index - start >= LEAST;
    if (text === "\n") {
      // A line of code, outside of a token.
      const isCode = open.length === 2 && open[0]?.name === "pre" && open[1]?.name === "code";
      if (isCode && isLong) cut(found.index + 1);
      continue;
    }
    if (slash) {
      open.pop();
      continue;
    }
    if (isLong && open.every((element) => DIVISIBLE.has(element.name))) cut(found.index);
    const parent = open.at(-1);
    if (name === "li" && parent) parent.items += 1;
    if (!VOID.has(name)) open.push({ name, tag: text, items: 0 });
  }
  if (start < html.length) pieces.push(prefix + html.slice(start));
  return pieces;
}

/** Opens an element again; a list goes on counting. Names that must be unique stay with the first piece. */
function reopened({ name, tag, items }: { name: string; tag: string; items: number }): string {
  const anonymous = tag.replace(/ (id|aria-label|role)="[^"]*"/g, "");
  if (name !== "ol") return anonymous;
  const first = Number(/ start="(\d+)"/.exec(tag)?.[1] ?? 1) + items;
  return anonymous.replace(/ start="\d+"/, "").replace(/>$/, ` start="${first}">`);
}
