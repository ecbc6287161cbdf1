// When the page may work on the preview: typing comes first.

/** Shortest and longest time that the text rests before the preview follows. */
const PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 20_000;
/** The pause as a multiple of the time that the last refresh kept the page busy. */
const FACTOR = 8;
/** While the user types on without a pause, the preview follows this often: few keys meet a refresh. */
const AT_LEAST_EVERY_MS = 5_000;
const LONG_FACTOR = 40;

export class Pace {
  #typedAt = -Infinity;
  /** How long the last refresh kept the page from painting. */
  #took = 0;
  readonly #waiting: (() => void)[] = [];
  #isScheduled = false;

  /** Notes a key. */
  typed(): void {
    this.#typedAt = performance.now();
  }

  /** How long to wait for further keys before changes that wait `since` then are shown. */
  wait(since: number): number {
    const pause = Math.min(LONGEST_PAUSE_MS, Math.max(PAUSE_MS, this.#took * FACTOR));
    const latest = since + Math.max(AT_LEAST_EVERY_MS, this.#took * LONG_FACTOR) - performance.now();
    return Math.max(0, Math.min(pause, latest));
  }

  /** Calls functions one after the other once the browser has nothing better to do, and measures their frames. */
  whenIdle(work: () => void): void {
    this.#waiting.push(work);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    idle(() => this.#run());
  }

  #run(): void {
    this.#isScheduled = false;
    const start = performance.now();
    for (let work = this.#waiting.shift(); work; work = this.#waiting.shift()) work();
    // A message after the next frame comes once it has been laid out and painted.
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        // A key in between has a part in it.
        if (this.#typedAt < start) this.#took = performance.now() - start;
        port1.close();
      };
      port2.postMessage(undefined);
    });
  }
}

/** Safari has no idle callbacks. */
function idle(call: () => void): void {
  if ("requestIdleCallback" in window) requestIdleCallback(call, { timeout: 1_000 });
  else setTimeout(call, 50);
}
