import { json } from "@codemirror/lang-json";
import { markdownKeymap, markdownLanguage } from "@codemirror/lang-markdown";
import { syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers, placeholder } from "@codemirror/view";
import type { DocumentKind } from "./contract";
import { codeClasses } from "./highlight";

/** Returns the extensions for a kind of text. Prose is spell-checked; JSON has line numbers for error messages. */
export function languageOf(kind: DocumentKind, placeholderText: string): Extension {
  const prose = proseOf(placeholderText);
  switch (kind) {
    case "markdown":
      // `markdown()` would also bundle HTML, CSS and JavaScript, at three times the size.
      return [markdownLanguage, keymap.of(markdownKeymap), syntaxHighlighting(codeClasses), prose];
    case "json":
      return [json(), syntaxHighlighting(codeClasses), lineNumbers()];
    case "text":
      return prose;
  }
}

const proseOf = (placeholderText: string): Extension => [
  EditorView.contentAttributes.of({ spellcheck: "true", autocorrect: "on", autocapitalize: "sentences" }),
  placeholder(placeholderText),
];
