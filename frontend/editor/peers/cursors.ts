// Cursors and selections of other people, drawn beside the text rather than in it: the text keeps its elements, so that
// input methods, spelling and screen readers are not disturbed.
import { EditorSelection, type Extension, StateEffect, StateField } from "@codemirror/state";
import { EditorView, type PluginValue, RectangleMarker, ViewPlugin, type ViewUpdate } from "@codemirror/view";

/** Where another client is in the text, in UTF-16 units. */
export interface Cursor {
  client: number;
  name: string;
  /** Of the palette, from 1. */
  hue: number;
  anchor: number;
  head: number;
}

interface Placed extends Cursor {
  /** Counts its moves, apart from those that edits of the text cause. */
  moves: number;
}

interface Change {
  cursors: readonly Cursor[];
  gone: readonly number[];
}

/** Distance at which the pointer shows the name of a cursor, in pixels. */
const NEAR = 6;

const change = StateEffect.define<Change>();

const placed = StateField.define<ReadonlyMap<number, Placed>>({
  create: () => new Map(),
  update(before, transaction) {
    const changes = transaction.effects.filter((effect) => effect.is(change));
    if (before.size === 0 && changes.length === 0) return before;
    const after = new Map(before);
    if (transaction.docChanged) {
      for (const [client, cursor] of before) {
        // Like the positions of Yjs, which belong to the character after them.
        const at = (offset: number) => transaction.changes.mapPos(offset, 1);
        after.set(client, { ...cursor, anchor: at(cursor.anchor), head: at(cursor.head) });
      }
    }
    const end = transaction.newDoc.length;
    for (const { value } of changes) {
      for (const client of value.gone) after.delete(client);
      for (const cursor of value.cursors) {
        const [anchor, head] = [Math.min(cursor.anchor, end), Math.min(cursor.head, end)];
        const known = after.get(cursor.client);
        const isSame = known !== undefined && known.anchor === anchor && known.head === head;
        const moves = (known?.moves ?? 0) + (isSame ? 0 : 1);
        after.set(cursor.client, { ...cursor, anchor, head, moves });
      }
    }
    return after;
  },
});

/** What is drawn, in pixels. */
interface Drawing {
  carets: { cursor: Placed; left: number; top: number; height: number; isAtEnd: boolean }[];
  selections: RectangleMarker[];
}

class Drawn implements PluginValue {
  readonly #below = layer("-2");
  readonly #above = layer("140");
  readonly #carets = new Map<number, HTMLElement>();
  #selections: RectangleMarker[] = [];

  constructor(private readonly view: EditorView) {
    view.scrollDOM.append(this.#below, this.#above);
  }

  update(update: ViewUpdate): void {
    const isChanged = update.startState.field(placed) !== update.state.field(placed);
    if (isChanged || update.geometryChanged) this.#redraw();
  }

  docViewUpdate(): void {
    this.#redraw();
  }

  destroy(): void {
    this.#below.remove();
    this.#above.remove();
  }

  /** Shows the names of the cursors near a point. */
  point(x: number, y: number): void {
    for (const caret of this.#carets.values()) {
      const { left, top, bottom } = caret.getBoundingClientRect();
      const isNear = Math.abs(x - left) <= NEAR && y >= top - NEAR && y <= bottom + NEAR;
      caret.toggleAttribute("data-pointed", isNear);
    }
  }

  #redraw(): void {
    if (this.view.state.field(placed).size === 0 && this.#carets.size === 0) return;
    this.view.requestMeasure({ key: this, read: () => this.#measure(), write: (drawing) => this.#draw(drawing) });
  }

  #measure(): Drawing {
    const { view } = this;
    const drawing: Drawing = { carets: [], selections: [] };
    const half = view.scrollDOM.clientWidth / 2;
    for (const cursor of view.state.field(placed).values()) {
      const { anchor, head, hue } = cursor;
      if (anchor !== head) {
        const range = EditorSelection.range(anchor, head);
        drawing.selections.push(...RectangleMarker.forRange(view, `peer-selection peer-hue-${hue}`, range));
      }
      // Nothing outside the part of the text that is drawn.
      for (const { left, top, height } of RectangleMarker.forRange(view, "", EditorSelection.cursor(head, 1))) {
        drawing.carets.push({ cursor, left, top, height, isAtEnd: left > half });
      }
    }
    return drawing;
  }

  #draw({ carets, selections }: Drawing): void {
    const same = (one: RectangleMarker, index: number) => this.#selections[index]?.eq(one) ?? false;
    if (selections.length !== this.#selections.length || !selections.every(same)) {
      this.#selections = selections;
      this.#below.replaceChildren(...selections.map((selection) => selection.draw()));
    }
    const clients = new Set(carets.map(({ cursor }) => cursor.client));
    for (const [client, caret] of this.#carets) {
      if (clients.has(client)) continue;
      caret.remove();
      this.#carets.delete(client);
    }
    for (const { cursor, left, top, height, isAtEnd } of carets) {
      const caret = this.#caretOf(cursor.client);
      caret.className = `peer-caret peer-hue-${cursor.hue}`;
      // Two animations take turns, so that each move starts one.
      caret.dataset["moved"] = cursor.moves % 2 === 0 ? "even" : "odd";
      caret.dataset["side"] = isAtEnd ? "end" : "start";
      caret.style.left = `${left}px`;
      caret.style.top = `${top}px`;
      caret.style.height = `${height}px`;
      const name = caret.firstElementChild!;
      if (name.textContent !== cursor.name) name.textContent = cursor.name;
    }
  }

  #caretOf(client: number): HTMLElement {
    const known = this.#carets.get(client);
    if (known) return known;
    const caret = document.createElement("div");
    const name = document.createElement("span");
    name.className = "peer-name";
    name.dir = "auto";
    caret.append(name);
    this.#above.append(caret);
    this.#carets.set(client, caret);
    return caret;
  }
}

function layer(order: string): HTMLElement {
  const element = document.createElement("div");
  element.className = "cm-layer peer-layer";
  element.style.zIndex = order;
  element.setAttribute("aria-hidden", "true");
  return element;
}

const drawn = ViewPlugin.fromClass(Drawn, {
  eventObservers: {
    mousemove(event) {
      this.point(event.clientX, event.clientY);
    },
  },
});

/** Shows the cursors that `changeCursors` sets. */
export const remoteCursors: Extension = [placed, drawn];

/** Returns the effect that shows or moves cursors, and removes those of clients that are gone. */
export function changeCursors(cursors: readonly Cursor[], gone: readonly number[]): StateEffect<unknown> {
  return change.of({ cursors, gone });
}

/** Returns where a client's cursor is now; `undefined` if it has none. */
export function headOf(view: EditorView, client: number): number | undefined {
  return view.state.field(placed).get(client)?.head;
}
