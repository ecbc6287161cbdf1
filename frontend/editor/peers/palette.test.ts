import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { freeHue, hueByKey, hueOf, PALETTE } from "./palette";

const css = readFileSync("style/tokens/colour.css", "utf8");

/** Returns the light and the dark value of a custom property. */
function both(name: string): [light: string, dark: string] {
  const [, light = "", dark = ""] = new RegExp(`--color-${name}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(css) ?? [];
  return [light, dark];
}

/** Relative luminance (WCAG 2.2). */
function luminance(color: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = channels.map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

test("names are readable on every hue, and every hue on the page, in both themes", () => {
  const [on, surface] = [both("on-peer"), both("surface")];
  PALETTE.forEach((_, index) => {
    const peer = both(`peer-${index + 1}`);
    for (const theme of [0, 1] as const) {
      assert.ok(contrast(peer[theme], on[theme]) >= 4.5, `the name on hue ${index + 1}`);
      assert.ok(contrast(peer[theme], surface[theme]) >= 4.5, `hue ${index + 1} on the page`);
    }
  });
});

test("the announced colours are those of the style sheet", () => {
  assert.deepEqual(
    [...PALETTE],
    PALETTE.map((_, index) => both(`peer-${index + 1}`)[0]),
  );
});

test("a colour of the palette is its own hue", () => {
  PALETTE.forEach((color, index) => assert.equal(hueOf(color, ""), index + 1));
});

test("a foreign colour becomes the nearest hue", () => {
  assert.equal(hueOf("#30bced", ""), 5);
  assert.equal(hueOf("#f00", ""), 1);
  assert.equal(hueOf("#6EEB83", ""), 4);
  assert.equal(hueOf("#8acb00ff", ""), 3);
});

test("without a colour, the hue depends on the key alone", () => {
  for (const color of [undefined, 7, "red", "#777", "#12345", "url(x)"]) assert.equal(hueOf(color, "Mio"), hueByKey("Mio"));
});

test("a free hue is the own one or the next that nobody has", () => {
  const own = hueByKey("Mio");
  assert.equal(freeHue("Mio", new Set()), own);
  assert.equal(freeHue("Mio", new Set([own])), (own % 8) + 1);
  assert.equal(freeHue("Mio", new Set([1, 2, 3, 4, 5, 6, 7, 8])), own);
});
