// Says who came and who left, rarely.

/** How long a change must last: a reload is no visit. */
const LASTS_MS = 3_000;
/** The shortest time between two announcements. */
const REST_MS = 60_000;

export interface Clock {
  now(): number;
  /** Calls back later; returns a function that prevents it. */
  later(ms: number, call: () => void): () => void;
}

/** Words of an announcement. Names may be empty. */
export interface VisitWords {
  came(name: string): string;
  left(name: string): string;
  /** Of more than one change. */
  here(count: number): string;
}

/** Announces changes of who is here, at most once a minute; those in between are announced together. */
export class Visits {
  /** Who is here by the last announcement. People who were here before this page are not announced. */
  #told: Map<string, string> | undefined;
  #here = new Map<string, string>();
  #last = Number.NEGATIVE_INFINITY;
  #cancel = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly words: VisitWords,
    private readonly say: (text: string) => void,
  ) {}

  /** Takes the names of all people here, by their keys. */
  update(here: Map<string, string>): void {
    this.#here = here;
    this.#cancel();
    const wait = Math.max(LASTS_MS, this.#last + REST_MS - this.clock.now());
    this.#cancel = this.clock.later(wait, () => this.#announce());
  }

  stop(): void {
    this.#cancel();
  }

  #announce(): void {
    const [before, here] = [this.#told, this.#here];
    this.#told = here;
    if (!before) return;
    const came = [...here.keys()].filter((key) => !before.has(key));
    const left = [...before.keys()].filter((key) => !here.has(key));
    if (came.length + left.length === 0) return;
    this.#last = this.clock.now();
    if (came.length + left.length > 1) this.say(this.words.here(here.size));
    else if (came[0] !== undefined) this.say(this.words.came(here.get(came[0]) ?? ""));
    else if (left[0] !== undefined) this.say(this.words.left(before.get(left[0]) ?? ""));
  }
}
