// Other people in the document: their cursors, their avatars, and what is announced of this user.
import { StateEffect, Transaction } from "@codemirror/state";
import { EditorView, type ViewUpdate } from "@codemirror/view";
import type { Peer, PeersOptions } from "../contract";
import { changeCursors, type Cursor, headOf, remoteCursors } from "./cursors";
import { FollowStrip } from "./follow";
import { freeHue, hueByKey, PALETTE } from "./palette";
import { Roster } from "./roster";
import { fill, PeopleView } from "./view";
import { Visits } from "./visits";

/** The shortest time between two announcements of the own cursor. */
const ANNOUNCE_MS = 100;
/** Where the choice to hide cursors is kept. */
const HIDDEN = "izanagi-cursors-hidden";

export class Peers {
  readonly #roster = new Roster();
  readonly #people: PeopleView;
  readonly #visits: Visits;
  readonly #spoken = document.createElement("p");
  readonly #self: string;
  readonly #strip: FollowStrip;
  #followed: string | undefined;
  #hue: number;
  #announcing: ReturnType<typeof setTimeout> | undefined;
  #announced = Number.NEGATIVE_INFINITY;
  /** Whether the user has been in the text; before, there is no cursor to show. */
  #isPlaced: boolean;

  /** @param parent the element around the editor */
  constructor(
    private readonly view: EditorView,
    parent: HTMLElement,
    private readonly options: PeersOptions,
  ) {
    const { host, texts, user } = options;
    this.#self = `${user.id} ${user.name}`;
    this.#hue = hueByKey(this.#self);
    const cursorsShown = areCursorsShown();
    const actions = {
      follow: (key: string) => this.#follow(key === this.#followed ? undefined : key),
      showCursors: (on: boolean) => this.#showCursors(on),
    };
    this.#people = new PeopleView(host, texts, actions, cursorsShown);
    this.#markCursors(cursorsShown);
    this.#spoken.className = "visually-hidden";
    this.#spoken.setAttribute("role", "status");
    host.append(this.#spoken);
    const named = (template: string) => (name: string) => fill(template, name || texts.unnamed);
    this.#visits = new Visits(
      { now: () => performance.now(), later: (ms, call) => cancelled(setTimeout(call, ms)) },
      { came: named(texts.came), left: named(texts.left), here: (count) => fill(texts.now, `${count}`) },
      (words) => (this.#spoken.textContent = words),
    );
    this.#visits.update(new Map());
    this.#strip = new FollowStrip(parent, texts.stop, () => this.#follow(undefined));
    this.#isPlaced = view.hasFocus;
    const listener = EditorView.updateListener.of((update) => this.#updated(update));
    view.dispatch({ effects: StateEffect.appendConfig.of([remoteCursors, listener]) });
    this.#announceSoon();
  }

  destroy(): void {
    clearTimeout(this.#announcing);
    this.#visits.stop();
    this.#people.destroy();
    this.#strip.destroy();
    this.#spoken.remove();
  }

  /** Takes what other clients announced, and the clients that left. */
  show(changed: readonly Peer[], gone: readonly number[]): void {
    const cursors: Cursor[] = [];
    const hidden = [...gone];
    for (const client of gone) this.#roster.delete(client);
    for (const { client, state, anchor, head } of changed) {
      this.#roster.set(client, state);
      const { name = "", hue = 1 } = this.#roster.of(client) ?? {};
      if (anchor === null || head === null) hidden.push(client);
      else cursors.push({ client, name: name || this.options.texts.unnamed, hue, anchor, head });
    }
    this.view.dispatch({ effects: changeCursors(cursors, hidden) });
    this.#showPeople();
    this.#chooseHue();
    if (cursors.length > 0) this.#goAlong();
  }

  #showPeople(): void {
    const people = this.#roster.people();
    if (!people.some(({ key }) => key === this.#followed)) this.#follow(undefined);
    this.#people.show(people, this.#self, this.#followed);
    const others = people.filter(({ key }) => key !== this.#self);
    this.#visits.update(new Map(others.map(({ key, name }) => [key, name])));
  }

  /** Of two people with one colour, the one whose key is greater takes another. */
  #chooseHue(): void {
    const others = this.#roster.people().filter(({ key }) => key !== this.#self);
    const mustYield = others.some(({ hue, key }) => hue === this.#hue && key < this.#self);
    if (!mustYield) return;
    const free = freeHue(this.#self, new Set(others.map(({ hue }) => hue)));
    if (free === this.#hue) return;
    this.#hue = free;
    this.#announceSoon();
  }

  #follow(key: string | undefined): void {
    if (key === this.#followed) return;
    this.#followed = key;
    const people = this.#roster.people();
    const person = people.find((person) => person.key === key);
    const { texts } = this.options;
    this.#strip.show(person && fill(texts.following, person.name || texts.unnamed));
    this.#people.show(people, this.#self, key);
    this.#goAlong();
  }

  /** Scrolls to the person who is followed: to where they were active last. */
  #goAlong(): void {
    const person = this.#roster.people().find(({ key }) => key === this.#followed);
    const { view } = this;
    if (!person) return;
    const heads = person.clients.map((client) => headOf(view, client));
    const head = heads.find((head) => head !== undefined);
    if (head === undefined) return;
    const yMargin = Math.min(120, view.scrollDOM.clientHeight / 3);
    view.dispatch({ effects: EditorView.scrollIntoView(head, { y: "nearest", yMargin }) });
  }

  #updated(update: ViewUpdate): void {
    const isRemote = update.transactions.some((transaction) => transaction.annotation(Transaction.remote));
    if (update.focusChanged && update.view.hasFocus) this.#isPlaced = true;
    else if (isRemote || !(update.selectionSet || update.docChanged)) return;
    if (update.docChanged) {
      this.#isPlaced = true;
      this.#follow(undefined);
    }
    this.#announceSoon();
  }

  #announceSoon(): void {
    if (this.#announcing !== undefined) return;
    const wait = Math.max(0, this.#announced + ANNOUNCE_MS - performance.now());
    this.#announcing = setTimeout(() => this.#announce(), wait);
  }

  #announce(): void {
    this.#announcing = undefined;
    this.#announced = performance.now();
    const { user, onPresence } = this.options;
    const { anchor, head } = this.view.state.selection.main;
    const announced = JSON.stringify({ name: user.name, color: PALETTE[this.#hue - 1], id: user.id });
    if (this.#isPlaced) onPresence(announced, anchor, head);
    else onPresence(announced, null, null);
  }

  #showCursors(on: boolean): void {
    this.#markCursors(on);
    try {
      if (on) localStorage.removeItem(HIDDEN);
      else localStorage.setItem(HIDDEN, "1");
    } catch {
      // The browser keeps nothing for this site; the choice lasts as long as the page.
    }
  }

  #markCursors(on: boolean): void {
    this.options.host.closest("main")?.toggleAttribute("data-hides-cursors", !on);
  }
}

function areCursorsShown(): boolean {
  try {
    return localStorage.getItem(HIDDEN) === null;
  } catch {
    return true;
  }
}

function cancelled(timer: ReturnType<typeof setTimeout>): () => void {
  return () => clearTimeout(timer);
}
