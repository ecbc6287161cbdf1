import assert from "node:assert/strict";
import { test } from "node:test";
import { initials, Roster } from "./roster";

const state = (user: object | string) => JSON.stringify({ user });

test("one person in two tabs is one person with two clients, the active one first", () => {
  const roster = new Roster();
  roster.set(1, state({ id: "u1", name: "Mio", color: "#b3261e" }));
  roster.set(2, state({ id: "u2", name: "Mio" }));
  roster.set(3, state({ id: "u1", name: "Mio" }));
  assert.deepEqual(roster.people().map(({ name, clients }) => [name, clients]), [["Mio", [3, 1]], ["Mio", [2]]]);
  roster.set(1, state({ id: "u1", name: "Mio" }));
  assert.deepEqual(roster.people()[0]?.clients, [1, 3]);
  roster.delete(1);
  assert.deepEqual(roster.people().map(({ clients }) => clients), [[2], [3]]);
});

test("clients without an id are one person by their name, and without a name one each", () => {
  const roster = new Roster();
  roster.set(1, state({ name: "Ann" }));
  roster.set(2, state({ name: "Ann", color: "#123456" }));
  for (const [client, odd] of ["{", "null", "[]", "7", '{"user":null}', '{"user":{"name":{}}}'].entries()) {
    roster.set(10 + client, odd);
  }
  assert.equal(roster.people().length, 7);
  assert.ok(roster.people().every(({ hue }) => hue >= 1 && hue <= 8));
});

test("an endless name is cut between characters", () => {
  const roster = new Roster();
  roster.set(1, state({ name: "🦀".repeat(1_000) }));
  assert.equal(roster.people()[0]?.name, "🦀".repeat(64));
});

test("initials are whole characters of the first and the last word", () => {
  const named = ["Mio", "Ada King Lovelace", "大野 美緒", "e\u0301mile zola", "👩‍🚀 crew", "person-12-3", "", "  "];
  assert.deepEqual(named.map(initials), ["M", "AL", "大美", "E\u0301Z", "👩‍🚀C", "P3", "?", "?"]);
});
