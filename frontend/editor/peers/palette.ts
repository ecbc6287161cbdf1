// Colours of people. The style sheet has the same ones, in a light and a dark variant, as `--color-peer-1` to `-8`.

/** The colours that this page announces for its user: those of the light theme. Hues are counted from 1. */
export const PALETTE = [
  "#b3261e",
  "#9a4a00",
  "#6b5b00",
  "#1f6b2e",
  "#00666b",
  "#1b5fb0",
  "#6a3fb5",
  "#a3246f",
] as const;

/**
 * Returns the hue of the palette for the colour that a client announces, so that every name is readable in both themes.
 * A colour without a hue, or none that can be read, gets one by the client's `key`.
 */
export function hueOf(color: unknown, key: string): number {
  const angle = typeof color === "string" ? angleOf(color) : undefined;
  if (angle === undefined) return hueByKey(key);
  let nearest = 0;
  PALETTE.forEach((own, index) => {
    if (apart(angle, angleOf(own) ?? 0) < apart(angle, angleOf(PALETTE[nearest]!) ?? 0)) nearest = index;
  });
  return nearest + 1;
}

/** Returns the hue that a person has unless another person has it. */
export function hueByKey(key: string): number {
  let sum = 0;
  for (let at = 0; at < key.length; at += 1) sum = (sum * 31 + key.charCodeAt(at)) >>> 0;
  return (sum % PALETTE.length) + 1;
}

/** Returns the hue by `key`, or the next one that nobody has. */
export function freeHue(key: string, taken: ReadonlySet<number>): number {
  const wanted = hueByKey(key);
  const hues = PALETTE.map((_, step) => ((wanted - 1 + step) % PALETTE.length) + 1);
  return hues.find((hue) => !taken.has(hue)) ?? wanted;
}

function apart(one: number, other: number): number {
  const distance = Math.abs(one - other) % 360;
  return Math.min(distance, 360 - distance);
}

/** Returns the hue angle of `#rgb` or `#rrggbb`, with or without opacity; none for greys and other notations. */
function angleOf(color: string): number | undefined {
  const [, digits = ""] = /^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.exec(color.trim()) ?? [];
  if (digits === "") return undefined;
  const size = digits.length < 6 ? 1 : 2;
  const channel = (index: number) => Number.parseInt(digits.slice(index * size, (index + 1) * size).repeat(3 - size), 16);
  const [red, green, blue] = [channel(0), channel(1), channel(2)];
  const most = Math.max(red, green, blue);
  const range = most - Math.min(red, green, blue);
  if (range < 16) return undefined;
  if (most === red) return (60 * (green - blue)) / range + (green < blue ? 360 : 0);
  return most === green ? 120 + (60 * (blue - red)) / range : 240 + (60 * (red - green)) / range;
}
