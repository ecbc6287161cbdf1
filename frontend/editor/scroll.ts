/** Events that precede scrolling by the user: wheel, touch, scroll bar, cursor keys, search buttons. */
const USER_EVENTS = ["wheel", "touchmove", "pointerdown", "keydown"];

/** Reports and sets the scroll position of an editor as a fraction from 0 (top) to 1 (end). */
export class ScrollFraction {
  /**
   * Whether the position was last changed by `set` rather than by the user. Comparing positions is not enough, because
   * CodeMirror keeps correcting the position while it measures lines that become visible.
   */
  #following = false;
  #frame = 0;

  /** @param scroller the scrolling descendant of `editor` */
  constructor(
    private readonly editor: HTMLElement,
    private readonly scroller: HTMLElement,
    private readonly onScroll: (fraction: number) => void,
  ) {
    for (const event of USER_EVENTS) editor.addEventListener(event, this.#acted, { passive: true, capture: true });
    scroller.addEventListener("scroll", this.#scrolled, { passive: true });
  }

  set(fraction: number): void {
    this.setTop(clamp(fraction) * this.#range());
  }

  /** Sets the position in pixels. */
  setTop(top: number): void {
    this.#following = true;
    this.scroller.scrollTop = Math.round(top);
  }

  destroy(): void {
    for (const event of USER_EVENTS) this.editor.removeEventListener(event, this.#acted, { capture: true });
    this.scroller.removeEventListener("scroll", this.#scrolled);
    cancelAnimationFrame(this.#frame);
  }

  readonly #acted = (): void => {
    this.#following = false;
  };

  // At most once per frame.
  readonly #scrolled = (): void => {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      const range = this.#range();
      if (!this.#following && range > 0) this.onScroll(clamp(this.scroller.scrollTop / range));
    });
  };

  #range(): number {
    return this.scroller.scrollHeight - this.scroller.clientHeight;
  }
}

function clamp(fraction: number): number {
  return Math.min(1, Math.max(0, fraction));
}
