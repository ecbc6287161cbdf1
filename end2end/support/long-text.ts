// Long Markdown for figures: what people write, in blocks of every kind.

const WORDS = "the ferry leaves at nine and comes back when the wind allows it so take bread water a coat and time".split(" ");

/** Returns Markdown of about this many bytes, the same each time. */
export function longMarkdown(bytes: number): string {
  const random = seeded(bytes);
  const words = (count: number) =>
    Array.from({ length: count }, () => WORDS[random(WORDS.length)]! + (random(40) === 0 ? random(10_000) : "")).join(" ");
  const block = () => {
    switch (random(12)) {
      case 0:
        return `## ${words(4)}`;
      case 1:
        return Array.from({ length: 4 }, () => `- ${words(8)}`).join("\n");
      case 2:
        return `> ${words(30)}`;
      case 3:
        return `\`\`\`rust\nfn ${words(1)}() { let x = ${random(100)}; }\n\`\`\``;
      case 4:
        return `| a | b |\n|---|---|\n| ${words(3)} | ${words(2)} |`;
      default:
        return `${words(20)} **${words(2)}** ${words(25)} [${words(2)}](https://example.org/${random(99)}).`;
    }
  };
  const blocks = [];
  for (let length = 0; length < bytes; ) {
    const next = `${block()}\n\n`;
    blocks.push(next);
    length += next.length;
  }
  return blocks.join("");
}

/** A generator of whole numbers below a bound (a linear congruence), so that each run has the same text. */
function seeded(seed: number): (below: number) => number {
  let state = seed % 2_147_483_647 || 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
