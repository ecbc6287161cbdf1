// The place of a part, or of a piece of one, in the preview.

/** Height of a line before any has been measured, in pixels. */
const LINE_HEIGHT = 26;

/** Average height of a line of the parts that have been measured. */
let perLine = LINE_HEIGHT;

export class Slot {
  readonly element = document.createElement("div");
  html: string | undefined;
  isFilled = false;
  isNear = false;
  /** The HTML that is in the page. */
  #filled: string | undefined;
  #lines = 0;
  #height: number | undefined;

  /** @param goesOn whether it continues the block of the piece before */
  constructor(
    readonly part: number,
    goesOn: boolean,
  ) {
    this.element.className = "part";
    if (goesOn) this.element.dataset["goesOn"] = "";
  }

  /** Sets the number of lines that its content has, about. */
  expect(lines: number): void {
    this.#lines = lines;
    this.#height = undefined;
    if (!this.isFilled) this.reserve();
  }

  /** Puts its content into the page. `isSkipped` says that the browser does not lay it out before it is near. */
  fill(isSkipped: boolean): void {
    // What is there already stays, or a click on it that has begun would be lost.
    if (this.html === undefined || this.html === this.#filled) return;
    this.isFilled = true;
    this.#filled = this.html;
    const { style } = this.element;
    style.blockSize = "";
    if (isSkipped) style.containIntrinsicBlockSize = `auto ${this.#expected()}px`;
    this.element.innerHTML = this.html;
  }

  /** Takes its content, of this height, out of the page; 0 if it is not known. What is selected or focused stays. */
  empty(height: number): void {
    const { element } = this;
    const selection = getSelection();
    const isSelected = selection && !selection.isCollapsed && selection.containsNode(element, true);
    if (isSelected || element.contains(document.activeElement)) return;
    this.measure(height);
    this.isFilled = false;
    this.#filled = undefined;
    element.replaceChildren();
    this.reserve();
  }

  /** Notes the height of its content. */
  measure(height: number): void {
    if (height <= 0) return;
    this.#height = height;
    // A moving average: parts differ.
    if (this.#lines > 0) perLine += (height / this.#lines - perLine) / 8;
  }

  /** Leaves as much room as its content will take. */
  reserve(): void {
    this.element.style.blockSize = `${this.#expected()}px`;
  }

  #expected(): number {
    return this.#height ?? this.#lines * perLine;
  }
}
