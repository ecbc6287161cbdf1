import { json } from "@codemirror/lang-json";
import { markdownKeymap, markdownLanguage } from "@codemirror/lang-markdown";
import { syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers, placeholder } from "@codemirror/view";
import type { DocumentKind } from "./contract";
import { codeClasses } from "./highlight";

/** What depends on the kind of text. Prose is spell-checked; code has numbers, because messages name lines. */
export function languageOf(kind: DocumentKind): Extension {
  switch (kind) {
    case "markdown":
      // The language alone: `markdown()` would bring HTML, CSS and JavaScript with it, three times its size.
      return [markdownLanguage, keymap.of(markdownKeymap), syntaxHighlighting(codeClasses), prose];
    case "json":
      return [json(), syntaxHighlighting(codeClasses), lineNumbers()];
    case "text":
      return prose;
  }
}

const prose = [
  EditorView.contentAttributes.of({ spellcheck: "true", autocorrect: "on", autocapitalize: "sentences" }),
  placeholder("Write here…"),
];
