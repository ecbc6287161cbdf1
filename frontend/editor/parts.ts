// The parts of the preview in the page. Those near what is visible have their content; of the others only the space is
// kept, with the height that was measured or is to be expected.
import type { Rendered } from "../preview/messages";
import { Slot } from "./slot";

/** Parts this far from what is visible are filled, in heights of the pane. */
const NEAR = "150%";
/** Number of parts from which some are not in the page. */
const MANY = 8;
/** How long the page fills parts at once. */
const BUDGET_MS = 8;

interface Part {
  lines: number;
  /** One, or several for a very long block. */
  slots: Slot[];
}

export class Parts {
  onScroll: ((fraction: number) => void) | undefined;
  readonly #parts = new Map<number, Part>();
  readonly #slots = new Map<Element, Slot>();
  readonly #observer: IntersectionObserver;
  readonly #content: HTMLElement;
  readonly #note: HTMLElement | null;
  #queue: Slot[] = [];
  #frame = 0;
  #showsAll = false;
  #isFollowing = false;
  #afterFill: (() => void) | undefined;

  /** @param want asks for the HTML of parts */
  constructor(
    private readonly pane: HTMLElement,
    private readonly want: (ids: number[]) => void,
  ) {
    this.#content = pane.querySelector<HTMLElement>(".prose") ?? pane;
    this.#note = pane.querySelector<HTMLElement>("[data-show-all]");
    const margins = { root: pane, rootMargin: `${NEAR} 0px` };
    this.#observer = new IntersectionObserver((entries) => this.#moved(entries), margins);
    pane.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    for (const event of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      pane.addEventListener(event, () => (this.#isFollowing = false), { passive: true });
    }
    this.#note?.querySelector("button")?.addEventListener("click", () => this.showAll());
    // Printing does not wait: what has been rendered is printed, which is all after a moment.
    addEventListener("beforeprint", () => this.#fillAll());
    addEventListener("afterprint", () => this.#emptyFar());
  }

  /** Forgets all parts. What is in the page stays until there are others. */
  clear(): void {
    this.#observer.disconnect();
    this.#parts.clear();
    this.#slots.clear();
    this.#queue = [];
  }

  /** Takes over the parts that the text has now: id and number of lines of each, one after the other. */
  list(list: Uint32Array): void {
    const isFirst = this.#parts.size === 0;
    const known = new Set(list.filter((_, index) => index % 2 === 0));
    for (const [id, { slots }] of this.#parts) {
      if (known.has(id)) continue;
      this.#parts.delete(id);
      for (const slot of slots) this.#remove(slot);
    }
    let place: ChildNode | null = isFirst ? null : this.#content.firstChild;
    const added = document.createDocumentFragment();
    for (let at = 0; at < list.length; at += 2) {
      const [id, lines] = [list[at] ?? 0, list[at + 1] ?? 0];
      const part = this.#parts.get(id) ?? { lines: 0, slots: [this.#add(id, 0)] };
      this.#parts.set(id, part);
      if (part.lines !== lines) {
        part.lines = lines;
        for (const slot of part.slots) slot.expect(lines / part.slots.length);
      }
      for (const { element } of part.slots) {
        if (isFirst) added.append(element);
        else if (element === place) place = place.nextSibling;
        else this.#content.insertBefore(element, place);
      }
    }
    if (isFirst) this.#content.replaceChildren(added);
    this.#offerAll();
  }

  /** Takes over HTML. Of parts that are near, it is shown at once, as far as a frame has room for it. */
  fill(rendered: Rendered, areNear = false): void {
    for (const [id, pieces] of rendered) {
      const part = this.#parts.get(id);
      if (!part) continue;
      this.#divide(id, part, pieces);
      part.slots.forEach((slot, index) => {
        const html = pieces[index] ?? "";
        if (slot.html === html) return;
        slot.html = html;
        // Of a new part, the observer tells only after the next frame.
        slot.isNear ||= areNear && index === 0;
        if (slot.isFilled || slot.isNear || this.#showsAll) this.#queue.push(slot);
      });
    }
    this.#fillSome();
  }

  /** Parts near what is visible. */
  near(): number[] {
    const isNear = ([, { slots }]: [number, Part]) => slots.some((slot) => slot.isNear || slot.isFilled);
    return [...this.#parts].filter(isNear).map(([id]) => id);
  }

  scrollTo(fraction: number): void {
    this.#isFollowing = true;
    this.pane.scrollTop = Math.round(fraction * (this.pane.scrollHeight - this.pane.clientHeight));
  }

  /** Scrolls to an element of this part. */
  show(anchor: string, id: number | undefined): void {
    const slots = id === undefined ? undefined : this.#parts.get(id)?.slots;
    if (!slots?.[0] || id === undefined) return;
    if (slots[0].html === undefined) {
      slots[0].element.scrollIntoView();
      this.#afterFill = () => this.show(anchor, id);
      return this.want([id]);
    }
    for (const slot of slots) slot.fill(this.#showsAll);
    const target = document.getElementById(anchor);
    target?.scrollIntoView();
    // For the style of the target. It is in the page now, so the browser finds it.
    if (target && location.hash !== `#${anchor}`) location.hash = anchor;
  }

  /** Keeps all parts in the page from now on, so that the browser finds what is in them. */
  showAll(): void {
    this.#showsAll = true;
    this.#content.dataset["all"] = "";
    const missing = [...this.#parts].filter(([, { slots }]) => slots.some(({ html }) => html === undefined));
    for (const slot of this.#slots.values()) if (!slot.isFilled && slot.html !== undefined) this.#queue.push(slot);
    if (missing.length > 0) this.want(missing.map(([id]) => id));
    this.#offerAll();
    this.#fillSome();
  }

  #add(part: number, index: number): Slot {
    const slot = new Slot(part, index > 0);
    this.#slots.set(slot.element, slot);
    this.#observer.observe(slot.element);
    return slot;
  }

  #remove({ element }: Slot): void {
    this.#observer.unobserve(element);
    this.#slots.delete(element);
    element.remove();
  }

  /** Gives a part as many slots as it has pieces. */
  #divide(id: number, part: Part, pieces: string[]): void {
    const { slots, lines } = part;
    const count = Math.max(1, pieces.length);
    if (slots.length === count) return;
    for (const slot of slots.splice(count)) this.#remove(slot);
    while (slots.length < count) {
      const slot = this.#add(id, slots.length);
      slots.at(-1)?.element.after(slot.element);
      slots.push(slot);
    }
    for (const slot of slots) slot.expect(lines / count);
  }

  #moved(entries: IntersectionObserverEntry[]): void {
    const wanted = new Set<number>();
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const slot = this.#slots.get(target);
      if (!slot) continue;
      slot.isNear = isIntersecting;
      if (isIntersecting && !slot.isFilled) {
        if (slot.html === undefined) wanted.add(slot.part);
        else this.#queue.push(slot);
      } else if (!isIntersecting && slot.isFilled && !this.#showsAll) {
        slot.empty(boundingClientRect.height);
      }
    }
    if (wanted.size > 0) this.want([...wanted]);
    this.#fillSome();
  }

  #fillSome(): void {
    cancelAnimationFrame(this.#frame);
    const start = performance.now();
    for (let slot = this.#queue.shift(); slot; slot = this.#queue.shift()) {
      if (slot.isNear || slot.isFilled || this.#showsAll) slot.fill(this.#showsAll);
      if (performance.now() - start > BUDGET_MS) break;
    }
    if (this.#queue.length > 0) {
      this.#frame = requestAnimationFrame(() => this.#fillSome());
      return;
    }
    const call = this.#afterFill;
    this.#afterFill = undefined;
    call?.();
  }

  #fillAll(): void {
    for (const slot of this.#slots.values()) if (!slot.isFilled) slot.fill(this.#showsAll);
  }

  #emptyFar(): void {
    for (const slot of this.#slots.values()) if (slot.isFilled && !slot.isNear && !this.#showsAll) slot.empty(0);
  }

  /** Offers to show all, if a search in the page would miss something. */
  #offerAll(): void {
    if (this.#note) this.#note.hidden = this.#showsAll || this.#parts.size < MANY;
  }

  #scrolled(): void {
    if (this.#isFollowing) return;
    const range = this.pane.scrollHeight - this.pane.clientHeight;
    if (range > 0) this.onScroll?.(Math.min(1, Math.max(0, this.pane.scrollTop / range)));
  }
}
