/** What a person does to scroll: wheel, touch, scroll bar, cursor keys, buttons of the search. */
const ACTS = ["wheel", "touchmove", "pointerdown", "keydown"];

/** Follows and sets how far an editor is scrolled, as a fraction from 0 (top) to 1 (end). */
export class ScrollFraction {
  /**
   * Whether the position is one that `set` gave. CodeMirror goes on correcting it while it measures the lines that
   * came into sight, so it is not the position that tells, but who acted last.
   */
  #following = false;
  #frame = 0;

  /** `scroller` is the part of `editor` that scrolls. */
  constructor(
    private readonly editor: HTMLElement,
    private readonly scroller: HTMLElement,
    private readonly onScroll: (fraction: number) => void,
  ) {
    for (const act of ACTS) editor.addEventListener(act, this.#acted, { passive: true, capture: true });
    scroller.addEventListener("scroll", this.#scrolled, { passive: true });
  }

  set(fraction: number): void {
    this.#following = true;
    this.scroller.scrollTop = Math.round(clamp(fraction) * this.#range());
  }

  destroy(): void {
    for (const act of ACTS) this.editor.removeEventListener(act, this.#acted, { capture: true });
    this.scroller.removeEventListener("scroll", this.#scrolled);
    cancelAnimationFrame(this.#frame);
  }

  readonly #acted = (): void => {
    this.#following = false;
  };

  // At most once a frame.
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
