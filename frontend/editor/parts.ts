// The parts of the preview in the page. Those near what is visible have their content; of the others only the space is
// kept, with the height that was measured or is to be expected.
import type { Rendered } from "../preview/messages";

interface Part {
  readonly element: HTMLElement;
  lines: number;
  height: number | undefined;
  html: string | undefined;
  isFilled: boolean;
  isNear: boolean;
}

/** Height of a line before any has been measured, in pixels. */
const LINE_HEIGHT = 26;
/** Parts this far from what is visible are filled, in heights of the pane. */
const NEAR = "150%";
/** Number of parts from which some are not in the page. */
const MANY = 8;
/** How much longer than a frame may take the page fills parts at once. */
const BUDGET_MS = 8;

export class Parts {
  onScroll: ((fraction: number) => void) | undefined;
  readonly #parts = new Map<number, Part>();
  readonly #ids = new Map<Element, number>();
  readonly #observer: IntersectionObserver;
  readonly #content: HTMLElement;
  readonly #note: HTMLElement | null;
  #queue: number[] = [];
  #frame = 0;
  #showsAll = false;
  #isFollowing = false;
  #perLine = LINE_HEIGHT;

  /** @param want asks for the HTML of parts */
  constructor(
    private readonly pane: HTMLElement,
    private readonly want: (ids: number[]) => void,
  ) {
    this.#content = pane.querySelector<HTMLElement>(".prose") ?? pane;
    this.#note = pane.querySelector<HTMLElement>("[data-show-all]");
    this.#observer = new IntersectionObserver((entries) => this.#moved(entries), {
      root: pane,
      rootMargin: `${NEAR} 0px`,
    });
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
    this.#ids.clear();
    this.#queue = [];
  }

  /** Takes over the parts that the text has now: id and number of lines of each, one after the other. */
  list(list: Uint32Array): void {
    const isFirst = this.#parts.size === 0;
    const known = new Set<number>();
    let place: ChildNode | null = isFirst ? null : this.#content.firstChild;
    const added = document.createDocumentFragment();
    for (let at = 0; at < list.length; at += 2) {
      const [id, lines] = [list[at] ?? 0, list[at + 1] ?? 0];
      known.add(id);
      const part = this.#parts.get(id) ?? this.#add(id);
      if (part.lines !== lines) {
        part.lines = lines;
        part.height = undefined;
        if (!part.isFilled) this.#reserve(part);
      }
      if (isFirst) added.append(part.element);
      else if (part.element === place) place = place.nextSibling;
      else this.#content.insertBefore(part.element, place);
    }
    for (const [id, { element }] of this.#parts) {
      if (known.has(id)) continue;
      this.#observer.unobserve(element);
      this.#ids.delete(element);
      this.#parts.delete(id);
      element.remove();
    }
    if (isFirst) this.#content.replaceChildren(added);
    this.#tellWhatIsMissing();
  }

  /** Takes over HTML. Of parts that are near, it is shown at once, as far as a frame has room for it. */
  fill(rendered: Rendered, areNear = false): void {
    for (const [id, html] of rendered) {
      const part = this.#parts.get(id);
      if (!part) continue;
      part.html = html;
      // Of a new part, the observer tells only after the next frame.
      part.isNear ||= areNear;
      if (part.isFilled || part.isNear || this.#showsAll) this.#queue.push(id);
    }
    this.#fillSome();
  }

  /** Parts near what is visible. */
  near(): number[] {
    const near: number[] = [];
    for (const [id, part] of this.#parts) if (part.isNear || part.isFilled) near.push(id);
    return near;
  }

  scrollTo(fraction: number): void {
    this.#isFollowing = true;
    this.pane.scrollTop = Math.round(fraction * (this.pane.scrollHeight - this.pane.clientHeight));
  }

  /** Scrolls to an element of this part. */
  show(anchor: string, id: number | undefined): void {
    const part = id === undefined ? undefined : this.#parts.get(id);
    if (!part || id === undefined) return;
    part.element.scrollIntoView();
    if (part.html === undefined) {
      // Its neighbours are wanted too, once it is visible.
      this.want([id]);
      this.#afterFill = () => this.show(anchor, id);
      return;
    }
    this.#fill(part);
    const target = document.getElementById(anchor);
    if (!target) return;
    target.scrollIntoView();
    // For the style of the target. The element is in the page, so the browser finds it.
    if (location.hash !== `#${anchor}`) location.hash = anchor;
  }
  #afterFill: (() => void) | undefined;

  /** Keeps all parts in the page from now on, so that the browser finds what is in them. */
  showAll(): void {
    this.#showsAll = true;
    this.#content.dataset["all"] = "";
    const missing: number[] = [];
    for (const [id, { html, isFilled }] of this.#parts) {
      if (html === undefined) missing.push(id);
      else if (!isFilled) this.#queue.push(id);
    }
    if (missing.length > 0) this.want(missing);
    this.#tellWhatIsMissing();
    this.#fillSome();
  }

  #add(id: number): Part {
    const element = document.createElement("div");
    element.className = "part";
    const part = { element, lines: 0, height: undefined, html: undefined, isFilled: false, isNear: false };
    this.#parts.set(id, part);
    this.#ids.set(element, id);
    this.#observer.observe(element);
    return part;
  }

  #moved(entries: IntersectionObserverEntry[]): void {
    const wanted: number[] = [];
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const id = this.#ids.get(target);
      const part = id === undefined ? undefined : this.#parts.get(id);
      if (!part || id === undefined) continue;
      part.isNear = isIntersecting;
      if (isIntersecting && !part.isFilled) {
        if (part.html === undefined) wanted.push(id);
        else this.#queue.push(id);
      } else if (!isIntersecting && part.isFilled && boundingClientRect.height > 0) {
        this.#measured(part, boundingClientRect.height);
        this.#empty(part);
      }
    }
    if (wanted.length > 0) this.want(wanted);
    this.#fillSome();
  }

  #fillSome(): void {
    cancelAnimationFrame(this.#frame);
    const start = performance.now();
    for (let id = this.#queue.shift(); id !== undefined; id = this.#queue.shift()) {
      const part = this.#parts.get(id);
      if (part && (part.isNear || part.isFilled || this.#showsAll)) this.#fill(part);
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

  #fill(part: Part): void {
    if (part.html === undefined) return;
    part.isFilled = true;
    const { style } = part.element;
    style.blockSize = "";
    // Where it is not laid out, because all are in the page (style/components/parts.css).
    if (this.#showsAll) style.containIntrinsicBlockSize = `auto ${this.#expected(part)}px`;
    part.element.innerHTML = part.html;
  }

  #empty(part: Part): void {
    const { element } = part;
    const selection = getSelection();
    const isSelected = selection && !selection.isCollapsed && selection.containsNode(element, true);
    if (this.#showsAll || isSelected || element.contains(document.activeElement)) return;
    part.isFilled = false;
    element.replaceChildren();
    this.#reserve(part);
  }

  #reserve(part: Part): void {
    part.element.style.blockSize = `${this.#expected(part)}px`;
  }

  #expected({ height, lines }: Part): number {
    return height ?? lines * this.#perLine;
  }

  #measured(part: Part, height: number): void {
    part.height = height;
    // A moving average: parts differ.
    if (part.lines > 0) this.#perLine += (height / part.lines - this.#perLine) / 8;
  }

  #fillAll(): void {
    for (const part of this.#parts.values()) if (!part.isFilled) this.#fill(part);
  }

  #emptyFar(): void {
    for (const part of this.#parts.values()) if (part.isFilled && !part.isNear) this.#empty(part);
  }

  /** Offers to show all, if a search in the page would miss something. */
  #tellWhatIsMissing(): void {
    if (this.#note) this.#note.hidden = this.#showsAll || this.#parts.size < MANY;
  }

  #scrolled(): void {
    if (this.#isFollowing) return;
    const range = this.pane.scrollHeight - this.pane.clientHeight;
    if (range > 0) this.onScroll?.(Math.min(1, Math.max(0, this.pane.scrollTop / range)));
  }
}
