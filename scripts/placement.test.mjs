import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, ids, names, remainder, rendezvous, ring } from "./placement.mjs";

const documents = ids(20_000);
/** A share of 1/n within a tenth, and what chance adds. @param {number} share @param {number} expected @param {number} tolerance */
const near = (share, expected, tolerance) =>
  assert.ok(Math.abs(share - expected) <= expected * tolerance, `${share} is not near ${expected}`);

for (const count of [2, 3, 8]) {
  test(`rendezvous hashing moves one share of ${count + 1} to a new node, and nothing else`, () => {
    const { moved, needless, fullest } = compare(rendezvous, documents, names(count), names(count + 1));
    near(moved, 1 / (count + 1), 0.1);
    assert.equal(needless, 0);
    near(fullest, 1, 0.1);
  });

  test(`rendezvous hashing moves only the documents of the lost node, of ${count + 1}`, () => {
    const { moved, needless } = compare(rendezvous, documents, names(count + 1), names(count));
    near(moved, 1 / (count + 1), 0.1);
    assert.equal(needless, 0);
  });

  test(`a ring moves nothing between ${count} nodes that stay, but shares less evenly`, () => {
    const { moved, needless, fullest } = compare(ring, documents, names(count), names(count + 1));
    near(moved, 1 / (count + 1), 0.4);
    assert.equal(needless, 0);
    near(fullest, 1, 0.4);
  });

  test(`the remainder moves most documents of ${count} nodes, between nodes that stay too`, () => {
    const { moved, needless } = compare(remainder, documents, names(count), names(count + 1));
    near(moved, count / (count + 1), 0.1);
    assert.ok(needless > 0.2);
  });
}
