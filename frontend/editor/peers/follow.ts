// Following another person's cursor, until the user does anything in the text.

/** What the user does in the text to go on alone: scrolling, clicking, typing. */
const STOPS = ["wheel", "touchmove", "pointerdown", "keydown"] as const;

/** The strip that says whom the page follows. */
export class FollowStrip {
  readonly #strip = document.createElement("p");
  readonly #words = document.createElement("span");
  readonly #stop = document.createElement("button");

  /**
   * @param parent the element around the editor
   * @param stop called when the user wants to stop
   */
  constructor(
    private readonly parent: HTMLElement,
    stopWords: string,
    private readonly stop: () => void,
  ) {
    this.#strip.className = "follow-strip";
    this.#strip.setAttribute("role", "status");
    this.#words.dir = "auto";
    this.#stop.className = "button";
    this.#stop.type = "button";
    this.#stop.textContent = stopWords;
    this.#stop.addEventListener("click", stop);
    parent.append(this.#strip);
    document.addEventListener("keydown", this.#escape);
    for (const event of STOPS) parent.addEventListener(event, stop, { passive: true, capture: true });
  }

  /** Shows whom the page follows, or nothing. */
  show(words: string | undefined): void {
    if (words === undefined) {
      this.#strip.replaceChildren();
    } else {
      this.#words.textContent = words;
      this.#strip.replaceChildren(this.#words, this.#stop);
    }
  }

  destroy(): void {
    document.removeEventListener("keydown", this.#escape);
    for (const event of STOPS) this.parent.removeEventListener(event, this.stop, { capture: true });
    this.#strip.remove();
  }

  // The focus is on the avatar after a click.
  readonly #escape = (event: KeyboardEvent): void => {
    if (event.key === "Escape") this.stop();
  };
}
