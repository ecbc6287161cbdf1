// How many documents change their node when one is added or lost, by the way in which a load balancer places them:
// `node scripts/placement.mjs` prints the table of docs/scaling.md.
import { createHash } from "node:crypto";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

/** The node of each document. @typedef {(documents: string[], nodes: string[]) => string[]} Placement */

/** 32 bits of a hash. @param {string} text */
const hash = (text) => createHash("sha256").update(text).digest().readUInt32BE();

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): the node whose hash together with the document is highest.
 * @type {Placement}
 */
export function rendezvous(documents, nodes) {
  const best = (/** @type {string} */ document) => {
    const scores = nodes.map((node) => hash(`${node}/${document}`));
    return nodes[scores.indexOf(Math.max(...scores))] ?? "";
  };
  return documents.map(best);
}

/** Points of each node on the ring, as nginx has for a weight of 1. */
const POINTS = 160;

/**
 * A ring, as `hash … consistent` of nginx: the next point clockwise. @type {Placement}
 */
export function ring(documents, nodes) {
  const points = nodes.flatMap((node) => Array.from({ length: POINTS }, (_, at) => ({ at: hash(`${node}#${at}`), node })));
  points.sort((one, other) => one.at - other.at);
  const next = (/** @type {string} */ document) => {
    const at = hash(document);
    let [low, high] = [0, points.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((points[middle]?.at ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return points[low % points.length]?.node ?? "";
  };
  return documents.map(next);
}

/** The remainder of the hash: what not to use. @type {Placement} */
export function remainder(documents, nodes) {
  return documents.map((document) => nodes[hash(document) % nodes.length] ?? "");
}

/**
 * What changes from one set of nodes to another.
 * @param {Placement} place
 * @param {string[]} documents
 * @param {string[]} before
 * @param {string[]} after
 */
export function compare(place, documents, before, after) {
  const [old, now] = [place(documents, before), place(documents, after)];
  const moved = old.filter((node, index) => node !== now[index]).length;
  // Moved although both its old and its new node were there all the time.
  const needless = old.filter((node, index) => {
    const other = now[index] ?? "";
    return node !== other && after.includes(node) && before.includes(other);
  }).length;
  const loads = after.map((node) => now.filter((other) => other === node).length);
  const fullest = Math.max(...loads) / (documents.length / after.length);
  return { moved: moved / documents.length, needless: needless / documents.length, fullest };
}

/** @param {number} count */
export const names = (count) => Array.from({ length: count }, (_, index) => `10.0.0.${index + 1}:7999`);
/** @param {number} count */
export const ids = (count) => Array.from({ length: count }, (_, index) => createHash("sha256").update(`${index}`).digest("hex"));

if (argv[1] === fileURLToPath(import.meta.url)) {
  const documents = ids(100_000);
  const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(1)} %`;
  console.log("| nodes | placement | documents that move | between nodes that stay | fullest node, of an even share |");
  console.log("|---|---|---|---|---|");
  for (const [from, to] of [[2, 3], [3, 2], [4, 5], [8, 9], [9, 8], [16, 17]]) {
    for (const place of [rendezvous, ring, remainder]) {
      const { moved, needless, fullest } = compare(place, documents, names(from ?? 0), names(to ?? 0));
      console.log(`| ${from} → ${to} | ${place.name} | ${percent(moved)} | ${percent(needless)} | ${percent(fullest)} |`);
    }
  }
}
