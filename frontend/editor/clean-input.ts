import { EditorView } from "@codemirror/view";

/**
 * Cleans pasted or dropped text: line breaks become "\n" (the editor treats "\r" as a character, see crlf.ts),
 * U+0000 is removed because it cannot be stored, and lone surrogates become U+FFFD.
 */
export function cleanInput(text: string): string {
  return wellFormed(text.replace(/\r\n?/g, "\n").replaceAll("\0", ""));
}

/** Replaces each lone surrogate with U+FFFD. The length does not change. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

export const cleanPastedText = EditorView.clipboardInputFilter.of(cleanInput);
