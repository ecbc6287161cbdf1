// The parts of the preview in the page. Those near what is visible have their content; of the others only the space is
// kept, with the height that was measured or is to be expected.
import { PLACE, type Rendered } from "../preview/messages";
import { Slot } from "./slot";

/** Parts this far from what is visible are filled, in heights of the pane. */
const NEAR = "150%";
/** Number of parts from which some are not in the page. */
const MANY = 8;
/** How long the page fills parts at once. */
const BUDGET_MS = 8;

/** After so many measured heights, those that are only expected are expected anew. */
const CALIBRATED_BY = 6;

interface Part {
  readonly id: number;
  lines: number;
  /** Length of its text in UTF-16 units. */
  units: number;
  /** One, or several for a very long block. */
  slots: Slot[];
}

export class Parts {
  /** Called when the user scrolls, with the position as a fraction, and that in the text. */
  onScroll: ((fraction: number, at: number) => void) | undefined;
  readonly #parts = new Map<number, Part>();
  /** In the order of the text. */
  #order: Part[] = [];
  readonly #slots = new Map<Element, Slot>();
  readonly #observer: IntersectionObserver;
  readonly #sizes: ResizeObserver;
  #measured = 0;
  readonly #content: HTMLElement;
  readonly #note: HTMLElement | null;
  #queue: Slot[] = [];
  #frame = 0;
  #showsAll = false;
  /** Where the text is, if the preview follows it. */
  #target: { fraction: number; at: number } | undefined;
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
    this.#sizes = new ResizeObserver((entries) => this.#resized(entries));
    pane.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    for (const event of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      pane.addEventListener(event, () => (this.#target = undefined), { passive: true });
    }
    this.#note?.querySelector("button")?.addEventListener("click", () => this.showAll());
    // Printing does not wait: what has been rendered is printed, which is all after a moment.
    addEventListener("beforeprint", () => this.#fillAll());
    addEventListener("afterprint", () => this.#emptyFar());
  }

  /** Forgets all parts. What is in the page stays until there are others. */
  clear(): void {
    this.#observer.disconnect();
    this.#sizes.disconnect();
    this.#parts.clear();
    this.#order = [];
    this.#slots.clear();
    this.#queue = [];
  }

  /** Takes over the parts that the text has now (`PLACE`). Returns those that are new. */
  list(list: Uint32Array): Set<number> {
    const isFirst = this.#parts.size === 0;
    const known = new Set(list.filter((_, index) => index % PLACE === 0));
    for (const [id, { slots }] of this.#parts) {
      if (known.has(id)) continue;
      this.#parts.delete(id);
      for (const slot of slots) this.#remove(slot);
    }
    const addedIds = new Set<number>();
    let place: ChildNode | null = isFirst ? null : this.#content.firstChild;
    const added = document.createDocumentFragment();
    this.#order = [];
    for (let at = 0; at < list.length; at += PLACE) {
      const [id = 0, lines = 0, units = 0] = list.subarray(at, at + PLACE);
      const part = this.#parts.get(id) ?? { id, lines: 0, units, slots: [this.#add(id, 0)] };
      if (!this.#parts.has(id)) addedIds.add(id);
      this.#parts.set(id, part);
      this.#order.push(part);
      part.units = units;
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
    return addedIds;
  }

  /**
   * Takes over HTML. Of parts that are near, it is shown at once, as far as a frame has room for it. Of new ones, the
   * observer tells only after the next frame: `added` are taken to be near.
   */
  fill(rendered: Rendered, added?: Set<number>): void {
    for (const [id, pieces] of rendered) {
      const part = this.#parts.get(id);
      if (!part) continue;
      this.#divide(id, part, pieces);
      part.slots.forEach((slot, index) => {
        const html = pieces[index] ?? "";
        if (slot.html === html) return;
        slot.html = html;
        slot.isNear ||= index === 0 && (added?.has(id) ?? false);
        if (slot.isFilled || slot.isNear || this.#showsAll) this.#queue.push(slot);
      });
    }
    this.#fillSome();
  }

  /** Parts near what is visible. */
  near(): number[] {
    const isNear = ({ slots }: Part) => slots.some((slot) => slot.isNear || slot.isFilled);
    return this.#order.filter(isNear).map(({ id }) => id);
  }

  /** Follows the text, which is at this position, given as a fraction of its height and as an offset. */
  scrollTo(fraction: number, at: number): void {
    this.#target = { fraction, at };
    this.#aim();
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
    const missing = this.#order.filter(({ slots }) => slots.some(({ html }) => html === undefined));
    for (const slot of this.#slots.values()) if (!slot.isFilled && slot.html !== undefined) this.#queue.push(slot);
    if (missing.length > 0) this.want(missing.map(({ id }) => id));
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
    this.#sizes.unobserve(element);
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
        this.#sizes.unobserve(target);
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
      if (slot.isNear || slot.isFilled || this.#showsAll) {
        slot.fill(this.#showsAll);
        this.#sizes.observe(slot.element);
      }
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

  #resized(entries: ResizeObserverEntry[]): void {
    const before = this.#measured;
    for (const { target, borderBoxSize } of entries) {
      const slot = this.#slots.get(target);
      if (!slot?.isFilled || this.#showsAll) continue;
      slot.measure(borderBoxSize[0]?.blockSize ?? 0);
      this.#measured += 1;
    }
    if (before < CALIBRATED_BY && this.#measured >= CALIBRATED_BY) {
      for (const slot of this.#slots.values()) if (!slot.isFilled) slot.reserve();
    }
    this.#aim();
  }

  /** Scrolls to where the text is, again when heights turn out to be others than expected. */
  #aim(): void {
    if (!this.#target) return;
    const { fraction, at } = this.#target;
    const { pane } = this;
    const range = pane.scrollHeight - pane.clientHeight;
    pane.scrollTop = fraction <= 0 ? 0 : fraction >= 1 ? range : (this.#topOf(at) ?? fraction * range);
  }

  /** Returns where the text at this offset is in the pane. */
  #topOf(at: number): number | undefined {
    let before = 0;
    for (const { slots, units } of this.#order) {
      if (at < before + units) {
        const share = (slots.length * (at - before)) / units;
        const slot = slots[Math.floor(share)];
        if (!slot) return undefined;
        const { top, height } = slot.element.getBoundingClientRect();
        return top - this.pane.getBoundingClientRect().top + this.pane.scrollTop + (share % 1) * height;
      }
      before += units;
    }
    return undefined;
  }

  /** Returns the offset of the text that is at the top of the pane. */
  #textAtTop(): number {
    const edge = this.pane.getBoundingClientRect().top;
    let before = 0;
    for (const { slots, units } of this.#order) {
      const [first, last] = [slots[0]?.element.getBoundingClientRect(), slots.at(-1)?.element.getBoundingClientRect()];
      if (first && last && last.bottom > edge) {
        const share = (edge - first.top) / Math.max(1, last.bottom - first.top);
        return before + Math.max(0, share) * units;
      }
      before += units;
    }
    return before;
  }

  #scrolled(): void {
    if (this.#target) return;
    const range = this.pane.scrollHeight - this.pane.clientHeight;
    if (range > 0) this.onScroll?.(Math.min(1, Math.max(0, this.pane.scrollTop / range)), this.#textAtTop());
  }
}
