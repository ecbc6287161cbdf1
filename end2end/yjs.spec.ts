// The server and the editor against Yjs itself: what Yjs writes is accepted, and what they write Yjs reads as the same
// text.
import type { Page } from "@playwright/test";
import * as Y from "yjs";
import { callApi, createDocument, replaceText, signUp } from "./support/accounts";
import { editor, expectText, openDocument, saveState, storedText } from "./support/documents";
import { expect, test } from "./support/fixtures";
import { connectYjs, people } from "./support/live";

/** Characters outside the basic plane, a joined sequence, both line ends, and a combining mark. */
const TRICKY = "a\r\n🦀👩‍🚀\n島e\u0301 𝒳\r\n";

/** A Yjs document that exchanges updates with the server over HTTP. */
class Replica {
  readonly text: Y.Text;
  readonly #doc = new Y.Doc();
  readonly #unsent: Uint8Array[] = [];
  #sent = 0;

  constructor(
    private readonly page: Page,
    private readonly id: string,
  ) {
    this.text = this.#doc.getText("content");
    this.#doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== this) this.#unsent.push(update);
    });
  }

  /** Makes several changes one update. */
  change(changes: (text: Y.Text) => void): void {
    this.#doc.transact(() => changes(this.text));
  }

  /** Sends the updates made here, each as its own operation. */
  async push(): Promise<void> {
    for (const update of this.#unsent.splice(0)) {
      this.#sent += 1;
      const opId = `${this.#doc.clientID}-${this.#sent}`;
      const deltaB64 = Buffer.from(update).toString("base64");
      await callApi(this.page, "POST", `/documents/${this.id}/ops`, { opId, deltaB64 });
    }
  }

  /** Applies what this replica is missing. */
  async pull(): Promise<void> {
    const vector = Buffer.from(Y.encodeStateVector(this.#doc)).toString("base64url");
    const answer = await callApi(this.page, "GET", `/documents/${this.id}/updates?stateVector=${vector}`);
    const { deltaB64 } = await answer.json();
    Y.applyUpdate(this.#doc, Buffer.from(deltaB64, "base64"), this);
  }
}

/** Lets all replicas send and receive everything; expects one text everywhere and returns it. */
async function meet(page: Page, id: string, replicas: Replica[]): Promise<string> {
  for (const replica of replicas) await replica.push();
  for (const replica of replicas) await replica.pull();
  const text = await storedText(page, id);
  for (const replica of replicas) expect(replica.text.toString()).toBe(text);
  return text;
}

test("Yjs reads what the server writes", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Read", TRICKY);
  const replica = new Replica(page, id);
  await replica.pull();
  expect(replica.text.toString()).toBe(TRICKY);
  for (const next of [`${TRICKY}more`, "a\n🦀🦀 𝒴\r\n", "", TRICKY]) {
    await replaceText(page, id, next);
    await replica.pull();
    expect(replica.text.toString()).toBe(next);
  }
});

test("the server accepts what Yjs writes", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Write", "");
  const replica = new Replica(page, id);
  replica.change((text) => text.insert(0, TRICKY));
  expect(await meet(page, id, [replica])).toBe(TRICKY);
  // One update with an insertion and deletions, the last of a character with two code units.
  replica.change((text) => {
    text.insert(3, "new ");
    text.delete(0, 1);
    text.delete(text.toString().indexOf("🦀"), 2);
  });
  expect(await meet(page, id, [replica])).toBe("\r\nnew 👩‍🚀\n島e\u0301 𝒳\r\n");
  replica.change((text) => text.delete(0, text.length));
  expect(await meet(page, id, [replica])).toBe("");
});

test("concurrent edits of Yjs and the server end in one text", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Both", "one two three\r\n");
  const [here, there] = [new Replica(page, id), new Replica(page, id)];
  await Promise.all([here.pull(), there.pull()]);
  // Insertions at the same place, a deletion around an insertion, and an edit by the server in between.
  here.change((text) => text.insert(4, "🦀"));
  there.change((text) => text.insert(4, "島"));
  here.change((text) => text.delete(0, 4));
  there.change((text) => text.insert(2, "\r\n"));
  await there.push();
  await replaceText(page, id, `${await storedText(page, id)}four\n`);
  const text = await meet(page, id, [here, there]);
  for (const part of ["🦀", "島", "\r\n", "two three", "four\n"]) expect(text).toContain(part);
});

test("random edits of three replicas end in one text", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Random", TRICKY);
  const replicas = [1, 2, 3].map(() => new Replica(page, id));
  const random = seeded(20_260_101);
  for (const replica of replicas) await replica.pull();
  for (let step = 0; step < 150; step += 1) {
    const replica = replicas[random(replicas.length)]!;
    replica.change((text) => editAtRandom(text, random));
    if (random(4) === 0) await replica.push();
    if (random(4) === 0) await replica.pull();
  }
  await meet(page, id, replicas);
  // A replica that starts now reads the same text.
  await meet(page, id, [...replicas, new Replica(page, id)]);
});

test("the editor and Yjs exchange their edits", async ({ page }) => {
  await signUp(page);
  const id = await createDocument(page, "Editor", "base");
  const replica = new Replica(page, id);
  await replica.pull();
  await openDocument(page, id);
  await editor(page).press("Control+End");
  await page.keyboard.type(" typed 🦀");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  replica.change((text) => text.insert(0, "𝒳 "));
  await replica.push();
  await expectText(page, "𝒳 base typed 🦀");
  expect(await meet(page, id, [replica])).toBe("𝒳 base typed 🦀");
});

test("two clients of y-websocket and a browser tab come to one text, and see each other", async ({ page }) => {
  const account = await signUp(page);
  const id = await createDocument(page, "Three", TRICKY);
  const clients = await Promise.all(
    ["robot", "android"].map(async (name) => {
      const provider = await connectYjs(page, account, id);
      provider.awareness.setLocalStateField("user", { name });
      return { provider, text: provider.doc.getText("content") };
    }),
  );
  const [robot, android] = [clients[0]!, clients[1]!];
  await openDocument(page, id);
  await editor(page).press("Control+End");
  const typing = page.keyboard.type("tab 🦀 tab", { delay: 10 });
  for (let number = 0; number < 20; number += 1) {
    robot.text.insert(0, `r${number} `);
    android.text.insert(android.text.length, `a${number} `);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await typing;
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await expect.poll(() => robot.text.toString()).toContain("a19 ");
  await expect.poll(async () => new Set([...clients.map(({ text }) => text.toString()), await storedText(page, id)]).size).toBe(1);
  const text = await storedText(page, id);
  await expectText(page, text.replaceAll("\r\n", "\n"));
  const words = [...text.matchAll(/[ra]\d+ /g)].map(([word]) => word);
  expect([words.length, new Set(words).size]).toEqual([40, 40]);
  // Each of the 10 letters of the tab stands once, in its order.
  expect(text.replaceAll(/[ra]\d+ /g, "")).toContain("tab 🦀 tab");
  for (const name of ["robot", "android"]) await expect(people(page)).toContainText(name);
  const names = () => [...robot.provider.awareness.getStates().values()].map((state) => state["user"]?.name);
  await expect.poll(names).toContain(account.username);
  android.provider.destroy();
  await expect.poll(names).not.toContain("android");
  await expect(people(page)).not.toContainText("android");
  robot.provider.destroy();
});

/** Inserts or deletes whole characters; half a surrogate pair is no text. */
function editAtRandom(text: Y.Text, random: (below: number) => number): void {
  const characters = [...text.toString()];
  const at = random(characters.length + 1);
  const offset = characters.slice(0, at).join("").length;
  if (at < characters.length && random(3) === 0) {
    text.delete(offset, characters.slice(at, at + 1 + random(4)).join("").length);
  } else {
    text.insert(offset, ["x", "🦀", "\r\n", "島 ", "e\u0301", "word "][random(6)]!);
  }
}

/** A generator of whole numbers below a bound (mulberry32), so that a failure can be repeated. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}
