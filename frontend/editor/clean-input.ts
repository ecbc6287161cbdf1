import { EditorView } from "@codemirror/view";

/**
 * What is pasted or dropped: line breaks of any system become "\n" (the editor keeps "\r" as a character, see
 * crlf.ts), U+0000 goes (no store takes it), and half a character becomes U+FFFD.
 */
export function cleanInput(text: string): string {
  return wellFormed(text.replace(/\r\n?/g, "\n").replaceAll("\0", ""));
}

/** The text with U+FFFD in the place of each half of a surrogate pair that stands alone; as long as before. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

export const cleanPastedText = EditorView.clipboardInputFilter.of(cleanInput);
