import { indentLess, indentMore } from "@codemirror/commands";
import type { Extension } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";

const MODIFIERS = new Set(["Alt", "AltGraph", "Control", "Meta", "Shift"]);

/**
 * Makes Tab indent, except after Escape: then Tab moves the focus until another key is pressed, without a time limit
 * (WCAG 2.1.2 and 2.2.1). `hintId` is the id of the element that describes this.
 */
export function leaveByKeyboard(hintId: string): Extension {
  let leaving = false;
  return [
    EditorView.contentAttributes.of({ "aria-describedby": hintId }),
    EditorView.domEventObservers({
      keydown(event) {
        if (event.key === "Escape") leaving = true;
        else if (event.key !== "Tab" && !MODIFIERS.has(event.key)) leaving = false;
      },
      blur() {
        leaving = false;
      },
    }),
    keymap.of([
      { key: "Tab", run: (view) => !leaving && indentMore(view), shift: (view) => !leaving && indentLess(view) },
    ]),
  ];
}

/** Creates the hint for `leaveByKeyboard`; the style sheet shows it while the editor has the focus. */
export function leaveHint(id: string, words: string): HTMLElement {
  const hint = document.createElement("p");
  hint.id = id;
  hint.className = "editor-hint";
  hint.textContent = words;
  return hint;
}
