import assert from "node:assert/strict";
import { test } from "node:test";
import { Visits } from "./visits";

/** Visits with a clock that a test advances. */
function visits() {
  let now = 0;
  let due: { at: number; call: () => void } | undefined;
  const said: string[] = [];
  const clock = {
    now: () => now,
    later(ms: number, call: () => void) {
      due = { at: now + ms, call };
      return () => (due = undefined);
    },
  };
  const words = {
    came: (name: string) => `${name} came`,
    left: (name: string) => `${name} left`,
    here: (count: number) => `${count} here`,
  };
  const made = new Visits(clock, words, (text) => said.push(text));
  const here = (...names: string[]) => made.update(new Map(names.map((name) => [name, name])));
  const advance = (seconds: number) => {
    now += seconds * 1_000;
    if (!due || due.at > now) return;
    const { call } = due;
    due = undefined;
    call();
  };
  return { here, advance, said };
}

test("who was here before is not announced, who comes and leaves is", () => {
  const { here, advance, said } = visits();
  here("Ann");
  advance(5);
  here("Ann", "Mio");
  advance(5);
  assert.deepEqual(said, ["Mio came"]);
  here("Mio");
  advance(100);
  assert.deepEqual(said, ["Mio came", "Ann left"]);
});

test("changes within a minute are announced together, and a reload not at all", () => {
  const { here, advance, said } = visits();
  here();
  advance(5);
  here("Ann");
  advance(5);
  here("Ann", "Mio");
  advance(20);
  here("Ann", "Mio", "Ren");
  advance(20);
  assert.deepEqual(said, ["Ann came"]);
  advance(30);
  assert.deepEqual(said, ["Ann came", "3 here"]);
  here("Ann", "Mio");
  advance(1);
  here("Ann", "Mio", "Ren");
  advance(100);
  assert.equal(said.length, 2);
});
