import { markdownKeymap, markdownLanguage } from "@codemirror/lang-markdown";
import { syntaxHighlighting } from "@codemirror/language";
import { Compartment, type Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers, placeholder, ViewPlugin } from "@codemirror/view";
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
      return [fetchedJson(), syntaxHighlighting(codeClasses), lineNumbers()];
    case "text":
      return prose;
  }
}

/** The grammar of JSON, fetched after the editor appears, because few documents need it. */
function fetchedJson(): Extension {
  const place = new Compartment();
  const fetching = ViewPlugin.define((view) => {
    import("@codemirror/lang-json").then(
      ({ json }) => view.dispatch({ effects: place.reconfigure(json()) }),
      // Only colours and indentation are missing.
      (error: unknown) => console.warn(error),
    );
    return {};
  });
  return [place.of([]), fetching];
}

const proseOf = (placeholderText: string): Extension => [
  EditorView.contentAttributes.of({ spellcheck: "true", autocorrect: "on", autocapitalize: "sentences" }),
  placeholder(placeholderText),
];
